//! A diagnostic says that the *text* is wrong. (Wrong data gives row errors, wrong code gives typed errors.)
//!
//! One value, three renderings: [`Diagnostic::draw`] for people (as text, in colours, as HTML), and serde for tools.

use serde::{Deserialize, Serialize};

use crate::drawing::{Drawing, Ink};
use crate::span::{Span, line_column};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The statement does not run.
    Error,
    /// The statement runs, but is likely not what was meant.
    Warning,
}

/// A secondary place that explains the first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What stands there, in a few words.
    pub message: String,
}

/// A replacement of text that likely mends the fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// The text to replace.
    pub span: Span,
    /// What to put there.
    pub text: String,
}

/// One fault in the text of a cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// A stable code such as `D0203`; `%help D0203` explains it.
    pub code: String,
    /// Error or warning.
    pub severity: Severity,
    /// The fact: lower case, user text in backticks, what was expected and what was found.
    pub message: String,
    /// The exact text at fault.
    pub span: Span,
    /// Further places.
    pub labels: Vec<Label>,
    /// One sentence that can be acted on.
    pub help: Option<String>,
    /// The likely fix.
    pub edit: Option<Edit>,
}

impl Diagnostic {
    /// An error with the given code, message and place.
    pub fn error(code: impl Into<String>, message: impl Into<String>, span: Span) -> Self {
        Diagnostic {
            code: code.into(),
            severity: Severity::Error,
            message: message.into(),
            span,
            labels: Vec::new(),
            help: None,
            edit: None,
        }
    }

    /// A warning with the given code, message and place.
    pub fn warning(code: impl Into<String>, message: impl Into<String>, span: Span) -> Self {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(code, message, span) }
    }

    /// Adds a sentence that can be acted on.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds a secondary place.
    #[must_use]
    pub fn with_label(mut self, span: Span, message: impl Into<String>) -> Self {
        self.labels.push(Label { span, message: message.into() });
        self
    }

    /// Adds the likely fix.
    #[must_use]
    pub fn with_edit(mut self, span: Span, text: impl Into<String>) -> Self {
        self.edit = Some(Edit { span, text: text.into() });
        self
    }

    /// True if the statement cannot run.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// The diagnostic as text: a headline, each source line with its span underlined, the help.
    /// `name` is what the cell is called there (`cell 3`, `report.tide`).
    pub fn to_text(&self, source: &str, name: &str) -> String {
        self.draw(source, name).to_text()
    }

    /// The diagnostic as an HTML fragment, every piece of user text escaped.
    pub fn to_html(&self, source: &str, name: &str) -> String {
        self.draw(source, name).to_html()
    }

    /// The diagnostic in pieces that can be drawn in every way.
    pub fn draw(&self, source: &str, name: &str) -> Drawing {
        let (word, ink) = match self.severity {
            Severity::Error => ("error", Ink::Error),
            Severity::Warning => ("warning", Ink::Warning),
        };
        let mut drawing = Drawing::default();
        drawing.put(ink, format!("{word}[{}]", self.code));
        drawing.put(Ink::Plain, ": ");
        drawing.headline(&self.message);
        let (line, column) = line_column(source, self.span.start);
        drawing.put(Ink::Place, format!("  --> {name}:{line}:{column}"));
        drawing.put(Ink::Plain, "\n");
        drawing.underline(source, self.span, ink, "");
        for label in &self.labels {
            drawing.underline(source, label.span, Ink::Note, &label.message);
        }
        if let Some(help) = &self.help {
            drawing.put(Ink::Help, "  = help: ");
            drawing.put(Ink::Plain, format!("{help}\n"));
        }
        drawing
    }
}

/// Escapes text for HTML content and attribute values.
pub fn escape_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// Letters from which on a word may be the beginning of a longer one that was meant.
const PREFIX: usize = 3;

/// The candidates closest to `name`, best first, at most three: what a person likely meant to write. Where none is close,
/// those that begin with it.
/// Distance is Damerau's (insert, delete, replace, swap neighbours), case ignored.
pub fn near_names<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted: Vec<char> = name.to_lowercase().chars().collect();
    let limit = (wanted.len() / 3).max(1);
    let candidates: Vec<&str> = candidates.into_iter().collect();
    let begins = |candidate: &&str| candidate.to_lowercase().chars().take(wanted.len()).eq(wanted.iter().copied());
    let longer: Vec<&str> = candidates.iter().copied().filter(begins).collect();
    let mut near: Vec<(usize, &str)> = candidates
        .into_iter()
        .map(|candidate| (edit_distance(&wanted, &candidate.to_lowercase().chars().collect::<Vec<_>>()), candidate))
        // Two names of one letter have nothing in common.
        .filter(|(distance, candidate)| *distance <= limit && *distance < wanted.len().max(candidate.chars().count()))
        .collect();
    near.sort();
    near.dedup();
    if near.is_empty() && wanted.len() >= PREFIX {
        near = longer.into_iter().map(|candidate| (0, candidate)).collect();
        near.sort();
    }
    near.into_iter().take(3).map(|(_, candidate)| candidate).collect()
}

/// Optimal string alignment distance between two words.
fn edit_distance(a: &[char], b: &[char]) -> usize {
    let mut rows = vec![vec![0usize; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    for j in 0..=b.len() {
        rows[0][j] = j;
    }
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_underlined_in_its_line() {
        let source = "t = rows [ {qty: 1} ]\nt | where qyt > 1\n";
        let diagnostic =
            Diagnostic::error("D0203", "unknown column `qyt`", Span::new(32, 35)).with_help("did you mean `qty`?");
        let expected = "error[D0203]: unknown column `qyt`\n  --> cell 1:2:11\n   2 | t | where qyt > 1\n     |           ^^^\n  = help: did you mean `qty`?\n";
        assert_eq!(diagnostic.to_text(source, "cell 1"), expected);
    }

    #[test]
    fn near_names_finds_swaps_and_ignores_strangers() {
        assert_eq!(near_names("qyt", ["qty", "price", "id"]), vec!["qty"]);
        assert!(near_names("zzz", ["qty", "price"]).is_empty());
        assert_eq!(near_names("delim", ["decimal", "delimiter"]), vec!["delimiter"]);
        assert!(near_names("de", ["decimal", "delimiter"]).is_empty());
        assert_eq!(near_names("A", ["a", "b"]), vec!["a"]);
    }

    #[test]
    fn html_is_escaped() {
        let diagnostic = Diagnostic::error("D0001", "`<b>`", Span::new(0, 3));
        assert!(!diagnostic.to_html("<b>", "cell").contains("<b>"));
    }
}
