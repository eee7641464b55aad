//! Where a part of the query stands in the cell.

use datafusion_sql::sqlparser::tokenizer::{Location, Span as SqlSpan};
use tidebook_plan::Span;

/// The query's text against the literal that it stands in, whose escapes move everything behind them.
pub(super) struct Places {
    text: String,
    /// For each byte of the text, and its end, the byte of the cell.
    offsets: Vec<usize>,
    /// First byte of each line of the text.
    lines: Vec<usize>,
    literal: Span,
}

impl Places {
    /// `offsets` counts from the literal's start.
    pub fn new(text: &str, literal: Span, offsets: Vec<usize>) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        let lines = std::iter::once(0).chain(ends).collect();
        let offsets = offsets.into_iter().map(|offset| literal.start + offset).collect();
        Places { text: text.to_string(), offsets, lines, literal }
    }

    /// The literal.
    pub fn whole(&self) -> Span {
        self.literal
    }

    /// The place of a part; the literal where the parser does not know it.
    pub fn span(&self, span: SqlSpan) -> Span {
        match (self.byte(span.start), self.byte(span.end)) {
            (Some(start), Some(end)) if start < end => self.cell(start, end),
            _ => self.literal,
        }
    }

    /// From the part to the bracket that closes behind it, as a call ends.
    pub fn closed(&self, span: SqlSpan) -> Span {
        let (Some(start), Some(end)) = (self.byte(span.start), self.byte(span.end)) else { return self.literal };
        let rest = &self.text[end.min(self.text.len())..];
        match rest.find(|c: char| !c.is_whitespace() && c != '*') {
            Some(at) if rest[at..].starts_with(')') => self.cell(start, end + at + 1),
            Some(at) if rest[at..].starts_with("()") => self.cell(start, end + at + 2),
            Some(at) if rest[at..].starts_with('(') && rest[at + 1..].trim_start().starts_with("*)") => {
                let length = rest.find(')').map_or(at, |close| close + 1);
                self.cell(start, end + length)
            }
            _ => self.span(span),
        }
    }

    /// `1, Column: 15`: the word there.
    pub fn read(&self, place: &str) -> Option<Span> {
        let (line, column) = place.split_once(", Column: ")?;
        let digits: String = column.chars().take_while(char::is_ascii_digit).collect();
        let start = self.byte(Location { line: line.trim().parse().ok()?, column: digits.parse().ok()? })?;
        let rest = self.text.get(start..)?;
        let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let one = rest.chars().next().map_or(0, char::len_utf8);
        Some(self.cell(start, start + word.max(one)))
    }

    fn cell(&self, start: usize, end: usize) -> Span {
        match (self.offsets.get(start), self.offsets.get(end)) {
            (Some(start), Some(end)) if start < end => Span::new(*start, *end),
            _ => self.literal,
        }
    }

    /// Lines and columns count from 1, columns in characters; 0 stands for no place.
    fn byte(&self, location: Location) -> Option<usize> {
        let line = usize::try_from(location.line).ok()?.checked_sub(1)?;
        let column = usize::try_from(location.column).ok()?.checked_sub(1)?;
        let start = *self.lines.get(line)?;
        let rest = &self.text[start..];
        Some(rest.char_indices().nth(column).map_or(start + rest.len(), |(at, _)| start + at))
    }
}
