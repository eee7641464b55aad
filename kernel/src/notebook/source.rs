//! Changes the sources of code cells in the text of a notebook, and not a byte beside them.
//!
//! Reading the file as JSON and writing it again would keep what it says, but not its indentation, its numbers or its escapes:
//! a formatter that does so makes differences that nobody wants to read.

use std::ops::Range;

use super::{Notebook, NotebookError};

/// The source of a code cell, where it stands in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourcePlace {
    /// The JSON of the source, a text or a list of lines.
    range: Range<usize>,
    /// What it says.
    pub source: String,
}

/// The sources of all code cells, in order.
///
/// # Errors
/// Where the text is not a notebook of format 4.
pub fn code_sources(text: &str) -> Result<Vec<SourcePlace>, NotebookError> {
    // From here on the text is JSON with a list of cells.
    Notebook::parse(text)?;
    let mut walk = Walk { text, at: text.len() - text.trim_start_matches('\u{feff}').len() };
    let mut found = Vec::new();
    walk.fields(&mut |walk, name| {
        if name != "cells" {
            walk.value();
            return;
        }
        walk.items(&mut |walk| {
            let (mut is_code, mut source) = (false, None);
            walk.fields(&mut |walk, name| {
                let range = walk.value();
                match name {
                    "cell_type" => is_code = &text[range] == "\"code\"",
                    "source" => source = Some(range),
                    _ => {}
                }
            });
            found.extend(source.filter(|_| is_code));
        });
    });
    let place = |range: Range<usize>| {
        let value: serde_json::Value = serde_json::from_str(&text[range.clone()])?;
        Ok(SourcePlace { range, source: super::joined(Some(&value)) })
    };
    found.into_iter().map(place).collect()
}

/// The text of the notebook with other sources; each place is one that [`code_sources`] gave.
pub fn with_sources(text: &str, sources: &[(SourcePlace, String)]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for (place, source) in sources {
        out.push_str(&text[at..place.range.start]);
        out.push_str(&rewritten(&text[place.range.clone()], source));
        at = place.range.end;
    }
    out.push_str(&text[at..]);
    out
}

/// A source in the form that the old one has: a text, or a list with the same blanks around its lines.
fn rewritten(old: &str, source: &str) -> String {
    let json = |text: &str| serde_json::Value::from(text).to_string();
    if !old.starts_with('[') {
        return json(source);
    }
    let mut walk = Walk { text: old, at: 0 };
    let mut lines: Vec<Range<usize>> = Vec::new();
    walk.items(&mut |walk| lines.push(walk.value()));
    let (before, after) = match (lines.first(), lines.last()) {
        (Some(first), Some(last)) => (&old[1..first.start], &old[last.end..old.len() - 1]),
        _ => ("", ""),
    };
    let between = match lines.as_slice() {
        [first, second, ..] => old[first.end..second.start].to_string(),
        _ if before.is_empty() => ", ".to_string(),
        _ => format!(",{before}"),
    };
    // A line that stays keeps its escapes.
    let known = |line: &str| {
        let same =
            |range: &&Range<usize>| serde_json::from_str(&old[(*range).clone()]).is_ok_and(|text: String| text == line);
        lines.iter().find(same).map_or_else(|| json(line), |range| old[range.clone()].to_string())
    };
    let new: Vec<String> = source.split_inclusive('\n').map(known).collect();
    if new.is_empty() {
        return "[]".to_string();
    }
    format!("[{before}{}{after}]", new.join(&between))
}

/// Walks over a text that is known to be JSON.
struct Walk<'a> {
    text: &'a str,
    at: usize,
}

impl Walk<'_> {
    fn peek(&mut self) -> u8 {
        let bytes = self.text.as_bytes();
        while bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        bytes.get(self.at).copied().unwrap_or(0)
    }

    /// Passes over a value and gives its place.
    fn value(&mut self) -> Range<usize> {
        let mut depth = 0usize;
        self.peek();
        let start = self.at;
        loop {
            match self.peek() {
                b'"' => self.string(),
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' => {
                    depth = depth.saturating_sub(1);
                    self.at += 1;
                }
                b',' | b':' => self.at += 1,
                0 => break,
                _ => {
                    let rest = &self.text[self.at..];
                    self.at += rest.find(|c: char| ",:]}".contains(c) || c.is_ascii_whitespace()).unwrap_or(rest.len());
                }
            }
            if depth == 0 {
                break;
            }
        }
        start..self.at
    }

    fn string(&mut self) {
        let bytes = self.text.as_bytes();
        self.at += 1;
        while let Some(byte) = bytes.get(self.at) {
            self.at += if *byte == b'\\' { 2 } else { 1 };
            if *byte == b'"' {
                break;
            }
        }
        self.at = self.at.min(bytes.len());
    }

    /// Calls `each` at every item of a list, which it passes over; passes over any other value.
    fn items(&mut self, each: &mut dyn FnMut(&mut Self)) {
        if self.peek() != b'[' {
            self.value();
            return;
        }
        self.at += 1;
        while !matches!(self.peek(), b']' | 0) {
            each(self);
            if self.peek() == b',' {
                self.at += 1;
            }
        }
        self.at = (self.at + 1).min(self.text.len());
    }

    /// Calls `each` with the name of every field, at its value, which it passes over; passes over any other value.
    fn fields(&mut self, each: &mut dyn FnMut(&mut Self, &str)) {
        if self.peek() != b'{' {
            self.value();
            return;
        }
        self.at += 1;
        while !matches!(self.peek(), b'}' | 0) {
            let name = self.value();
            if self.peek() == b':' {
                self.at += 1;
            }
            let name: String = serde_json::from_str(&self.text[name]).unwrap_or_default();
            each(self, &name);
            if self.peek() == b',' {
                self.at += 1;
            }
        }
        self.at = (self.at + 1).min(self.text.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r##"{
  "cells": [
    {"cell_type": "markdown", "source": ["a \"text\""]},
    {"source": ["a = 1\n", "\u0062"], "cell_type": "code", "x": {"source": [1.50]}},
    {
      "cell_type": "code",
      "source": [
        "one"
      ]
    },
    {"cell_type": "code", "source": "t\n\"x\""}, {"cell_type": "code", "source": []}
  ],
  "n": 1e3, "nbformat": 4
}
"##;

    fn changed(source: &str) -> String {
        let places = code_sources(FILE).unwrap();
        with_sources(FILE, &places.into_iter().map(|place| (place, source.to_string())).collect::<Vec<_>>())
    }

    #[test]
    fn sources_are_those_of_code_cells() {
        let sources: Vec<String> = code_sources(FILE).unwrap().into_iter().map(|place| place.source).collect();
        assert_eq!(sources, ["a = 1\nb", "one", "t\n\"x\"", ""]);
    }

    #[test]
    fn the_same_sources_leave_every_byte() {
        let places = code_sources(FILE).unwrap();
        let same: Vec<_> = places.into_iter().map(|place| (place.clone(), place.source)).collect();
        assert_eq!(with_sources(FILE, &same), FILE);
    }

    #[test]
    fn new_sources_have_the_form_of_the_old_ones() {
        let text = changed("a = 1\né \"q\"\n");
        assert!(text.contains(r#""source": ["a = 1\n", "é \"q\"\n"], "cell_type""#), "{text}");
        assert!(text.contains("[\n        \"a = 1\\n\",\n        \"é \\\"q\\\"\\n\"\n      ]"), "{text}");
        assert!(text.contains(r#""source": "a = 1\né \"q\"\n"}"#), "{text}");
        assert!(text.ends_with("\"n\": 1e3, \"nbformat\": 4\n}\n"), "{text}");
        let again: Vec<String> = code_sources(&text).unwrap().into_iter().map(|place| place.source).collect();
        assert_eq!(again, vec!["a = 1\né \"q\"\n"; 4]);
    }
}
