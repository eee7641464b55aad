//! The registry of diagnostic codes: what each means, with a wrong and a right example.
//!
//! A stage never writes a code by hand: it takes an [`Explanation`] of its family and lets
//! [`Explanation::error`] make the [`Diagnostic`]. So `%help D0107`, the reference page and the tests all
//! read the same entry that the fault was reported with.
//!
//! One file per family. To add a diagnostic, add a `pub static` to its family's file and name it in the
//! family's list; tests check that codes are unique, in order and of their family, that each wrong example
//! gives its code, and that each right example gives no diagnostic of the same stage.

pub mod commands;
pub mod doubts;
pub mod names;
pub mod sources;
pub mod sql;
pub mod steps;
pub mod syntax;
pub mod time;
pub mod windows;

use tidebook_plan::{Diagnostic, Span};

/// What a code means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// `D0107`
    pub code: &'static str,
    /// The fault in a few words.
    pub title: &'static str,
    /// Why it is one, and what to do: Markdown, a few sentences.
    pub text: &'static str,
    /// A small cell that has the fault, and no other.
    pub wrong: &'static str,
    /// The same cell without it.
    pub right: &'static str,
}

impl Explanation {
    /// A diagnostic of this code that stops the statement.
    pub fn error(&self, message: impl Into<String>, span: Span) -> Diagnostic {
        Diagnostic::error(self.code, message, span)
    }

    /// A diagnostic of this code with which the statement still runs.
    pub fn warning(&self, message: impl Into<String>, span: Span) -> Diagnostic {
        Diagnostic::warning(self.code, message, span)
    }

    /// The entry as Markdown, as `%help CODE` and the reference page show it.
    pub fn to_markdown(&self) -> String {
        format!(
            "## {}: {}\n\n{}\n\nWrong:\n\n```tide\n{}\n```\n\nRight:\n\n```tide\n{}\n```\n",
            self.code, self.title, self.text, self.wrong, self.right
        )
    }
}

/// The families: the first digits of their codes, and their entries in order.
pub static FAMILIES: &[(&str, &[&Explanation])] = &[
    ("D01", syntax::ALL),
    ("D02", names::ALL),
    ("D03", sources::ALL),
    ("D04", steps::ALL),
    ("D05", commands::ALL),
    ("D06", doubts::ALL),
    ("D07", windows::ALL),
    ("D08", time::ALL),
    ("D09", sql::ALL),
];

/// Every entry, in the order of the codes.
pub fn all() -> impl Iterator<Item = &'static Explanation> {
    FAMILIES.iter().flat_map(|(_, entries)| entries.iter().copied())
}

/// The entry of `code`, upper or lower case.
pub fn explain(code: &str) -> Option<&'static Explanation> {
    all().find(|entry| entry.code.eq_ignore_ascii_case(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_order_and_belong_to_their_family() {
        for (prefix, entries) in FAMILIES {
            for entry in *entries {
                assert!(entry.code.starts_with(prefix) && entry.code.len() == 5, "{} is not of {prefix}", entry.code);
            }
        }
        let codes: Vec<_> = all().map(|entry| entry.code).collect();
        assert!(codes.windows(2).all(|pair| pair[0] < pair[1]), "{codes:?}");
    }

    #[test]
    fn entries_are_found_by_code_and_complete() {
        for entry in all() {
            assert_eq!(explain(&entry.code.to_lowercase()), Some(entry));
            for part in [entry.title, entry.text, entry.wrong, entry.right] {
                assert!(!part.trim().is_empty(), "{} has an empty part", entry.code);
            }
            assert_ne!(entry.wrong, entry.right, "{}", entry.code);
        }
        assert_eq!(explain("D0000"), None);
    }
}
