//! How faults look: one layout of pieces, drawn as plain text, with the colours of a terminal, or as HTML.
//!
//! Notebooks draw a traceback from the colours of a terminal, so that the same pieces serve both.

use unicode_width::UnicodeWidthStr;

use crate::diagnostic::escape_html;
use crate::span::{Span, line_column};

/// Characters of a source line that are drawn at most: a cell may hold a line of megabytes, and a page that breaks the line
/// takes the marks away from what they stand under.
const LINE_CHARS: usize = 100;

/// Characters before the underlined place that are kept where a line is cut.
const BEFORE_CHARS: usize = 40;

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// Nothing in particular.
    Plain,
    /// The word `error` with its code, and what underlines the place.
    Error,
    /// The word `warning` with its code, and what underlines the place.
    Warning,
    /// The fact.
    Headline,
    /// Where: the arrow, the line's number, the bars.
    Place,
    /// The text at fault, in its line.
    Fault,
    /// What underlines a further place, and what is said of it.
    Note,
    /// The help.
    Help,
}

impl Ink {
    /// The attributes of ANSI's "select graphic rendition". The colours are of the middle of the palette of 256, which can be
    /// read on white, on black, and on what notebooks put behind a traceback in their light and dark themes; the first
    /// sixteen, which every front end draws as it likes, cannot.
    fn ansi(self) -> &'static str {
        match self {
            Ink::Plain => "",
            Ink::Error => "1;38;5;196",
            Ink::Warning => "1;38;5;166",
            Ink::Headline => "1",
            Ink::Place => "38;5;244",
            Ink::Fault => "4",
            Ink::Note => "38;5;99",
            Ink::Help => "38;5;30",
        }
    }

    /// Colours come from JupyterLab's variables where they are defined.
    fn css(self) -> &'static str {
        match self {
            Ink::Plain => "",
            Ink::Error => "font-weight:600;color:var(--jp-error-color1,#d32f2f)",
            Ink::Warning => "font-weight:600;color:var(--jp-warn-color0,#b85000)",
            Ink::Headline => "font-weight:600",
            Ink::Place => "opacity:.65",
            Ink::Fault => "text-decoration:underline wavy var(--jp-error-color1,#d32f2f)",
            Ink::Note => "color:var(--jp-info-color0,#00838f)",
            Ink::Help => "color:var(--jp-success-color0,#2e7d32)",
        }
    }
}

/// Pieces of text in order; a piece that is not plain has no newline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drawing(Vec<(Ink, String)>);

impl Drawing {
    /// Appends a piece.
    pub fn put(&mut self, ink: Ink, text: impl Into<String>) {
        let text = text.into();
        match self.0.last_mut() {
            Some((last, before)) if *last == ink => before.push_str(&text),
            _ if text.is_empty() => {}
            _ => self.0.push((ink, text)),
        }
    }

    /// Appends the fact with the end of its line; further lines of it are plain.
    pub fn headline(&mut self, message: &str) {
        let (first, rest) = message.split_once('\n').map_or((message, None), |(first, rest)| (first, Some(rest)));
        self.put(Ink::Headline, first);
        self.put(Ink::Plain, rest.map_or("\n".to_string(), |rest| format!("\n{rest}\n")));
    }

    /// Appends all of another drawing.
    pub fn append(&mut self, other: Drawing) {
        other.0.into_iter().for_each(|(ink, text)| self.put(ink, text));
    }

    /// True if there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Without colours.
    pub fn to_text(&self) -> String {
        self.0.iter().map(|(_, text)| text.as_str()).collect()
    }

    /// With the colours of a terminal.
    pub fn to_ansi(&self) -> String {
        let piece = |(ink, text): &(Ink, String)| match ink.ansi() {
            "" => text.clone(),
            attributes => format!("\u{1b}[{attributes}m{text}\u{1b}[0m"),
        };
        self.0.iter().map(piece).collect()
    }

    /// As an HTML fragment, every piece escaped.
    pub fn to_html(&self) -> String {
        let piece = |(ink, text): &(Ink, String)| match ink.css() {
            "" => escape_html(text),
            css => format!("<span style=\"{css}\">{}</span>", escape_html(text)),
        };
        let inner: String = self.0.iter().map(piece).collect();
        format!("<pre class=\"tidebook-diagnostic\">{inner}</pre>")
    }

    /// Appends the first source line of `span` and a line that underlines it, followed by `note`.
    pub(crate) fn underline(&mut self, source: &str, span: Span, mark: Ink, note: &str) {
        let (number, column) = line_column(source, span.start);
        let line = source.lines().nth(number - 1).unwrap_or("");
        let (before, at, after) = parts(line, column - 1, span.of(source).lines().next().unwrap_or(""));
        self.put(Ink::Place, format!("{number:>4} | "));
        self.put(Ink::Plain, before.as_str());
        self.put(Ink::Fault, at.as_str());
        self.put(Ink::Plain, format!("{after}\n"));
        self.put(Ink::Place, "     | ");
        self.put(Ink::Plain, " ".repeat(before.width()));
        self.put(mark, "^".repeat(at.width().max(1)));
        if !note.is_empty() {
            self.put(mark, format!(" {note}"));
        }
        self.put(Ink::Plain, "\n");
    }
}

/// A line before, at and after the place that begins with its character `start` and reads `place`; long lines are cut
/// around it. Tabs count as one blank, so that what stands below fits.
fn parts(line: &str, start: usize, place: &str) -> (String, String, String) {
    let chars: Vec<char> = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let start = start.min(chars.len());
    let end = (start + place.chars().count().max(1)).min(chars.len());
    let from = if chars.len() > LINE_CHARS { start.saturating_sub(BEFORE_CHARS) } else { 0 };
    let to = chars.len().min(from + LINE_CHARS);
    let end = end.min(to);
    let text = |from: usize, to: usize| chars[from..to].iter().collect::<String>();
    let (left, right) = (if from > 0 { "…" } else { "" }, if to < chars.len() { "…" } else { "" });
    (format!("{left}{}", text(from, start)), text(start, end), format!("{}{right}", text(end, to)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn underlined(source: &str, place: &str) -> String {
        let start = source.find(place).unwrap();
        let mut drawing = Drawing::default();
        drawing.underline(source, Span::new(start, start + place.len()), Ink::Error, "");
        drawing.to_text()
    }

    #[test]
    fn the_mark_stands_below_wide_characters_tabs_and_line_ends_of_windows() {
        assert_eq!(underlined("日本 = x\n", "x"), "   1 | 日本 = x\n     |        ^\n");
        assert_eq!(underlined("a = \"😀\" + 日本", "日本"), "   1 | a = \"😀\" + 日本\n     |            ^^^^\n");
        assert_eq!(underlined("a\r\n\tb = c\r\n", "c"), "   2 |  b = c\n     |      ^\n");
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let source = format!("{}HERE{}", "x".repeat(10_000), "y".repeat(10_000));
        let drawn = underlined(&source, "HERE");
        assert!(drawn.lines().all(|line| line.chars().count() <= 7 + LINE_CHARS + 2), "{drawn}");
        let (line, marks) = drawn.split_once('\n').unwrap();
        assert_eq!(line.chars().position(|c| c == 'H'), marks.chars().position(|c| c == '^'));
    }

    #[test]
    fn the_end_of_the_text_can_be_underlined() {
        let mut drawing = Drawing::default();
        drawing.underline("a |", Span::new(3, 3), Ink::Error, "more");
        assert_eq!(drawing.to_text(), "   1 | a |\n     |    ^ more\n");
    }

    #[test]
    fn colours_begin_and_end_in_their_line_and_html_is_escaped() {
        let mut drawing = Drawing::default();
        drawing.put(Ink::Error, "<b>");
        drawing.put(Ink::Plain, " & more\n");
        assert_eq!(drawing.to_ansi(), "\u{1b}[1;38;5;196m<b>\u{1b}[0m & more\n");
        let html = drawing.to_html();
        assert!(html.contains(">&lt;b&gt;</span> &amp; more\n</pre>"), "{html}");
    }
}
