//! Whether a cell can be run as it stands, or waits for more: what a console asks at each line end.

use super::scan::{Scan, TokenKind};
use super::{RESERVED, parse};
use crate::diagnostics::syntax as codes;

/// Whether a cell can be run as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Completeness {
    /// It can be run.
    Complete,
    /// A further line may make it complete.
    Incomplete {
        /// What the further line should begin with.
        indent: String,
    },
    /// No further line can mend it.
    Invalid,
}

/// Tells whether a cell can be run as it stands.
pub fn is_complete(text: &str) -> Completeness {
    if text.trim_start().starts_with("%%") {
        // Code in another language ends with an empty line.
        let ended =
            text.ends_with("\n\n") || text.ends_with("\n") && text.lines().last().is_some_and(|l| l.trim().is_empty());
        return if ended { Completeness::Complete } else { incomplete(0) };
    }
    let scan = Scan::new(text);
    if scan.ends_in_text {
        return incomplete(0);
    }
    if scan.faults.iter().any(|fault| fault.code == codes::UNCLOSED_TEXT.code || fault.code == codes::TOO_DEEP.code) {
        return Completeness::Invalid;
    }
    let count = scan.tokens.len();
    let open = scan.open_brackets(0, count).len();
    let Some(last) = scan.tokens.last() else { return Completeness::Complete };
    let parsed = parse(text);
    // A fault before the last token stays, whatever follows.
    let last_start = last.span.start;
    let early = parsed
        .diagnostics
        .iter()
        .any(|fault| fault.is_error() && fault.span.end <= last_start && fault.code != codes::UNPAIRED_BRACKET.code);
    if early {
        return Completeness::Invalid;
    }
    if open > 0 {
        return incomplete(open);
    }
    let word = scan.word(last);
    let waits = match last.kind {
        TokenKind::Symbol => !matches!(word, ")" | "]" | "}" | "*" | "?"),
        TokenKind::Word => RESERVED.contains(&word) && !matches!(word, "null" | "true" | "false"),
        _ => false,
    };
    if waits {
        return incomplete(1);
    }
    match parsed.diagnostics.iter().find(|fault| fault.is_error()) {
        None => Completeness::Complete,
        Some(fault) if fault.span.start >= last.span.end => incomplete(1),
        Some(fault) if fault.code == codes::JOIN_CONDITION.code => incomplete(1),
        Some(_) => Completeness::Invalid,
    }
}

fn incomplete(depth: usize) -> Completeness {
    Completeness::Incomplete { indent: "  ".repeat(depth) }
}
