//! The one layout of Tide.
//!
//! [`format`] lays the statements of a cell out again: a short pipeline on one line, a longer one with a step a line, long
//! lists with an item a line, a hundred columns wide. Comments stay where they are, and one blank line stays where some were.
//! The tokens stay the same and in the same order, but for the comma after the last item of a list, which is left out.
//!
//! *Invariant:* the formatted text means the same, and formatting it again changes nothing. A statement for which that does not
//! hold is left as it is, and so is what does not parse, with everything else on its lines.

mod cell;
mod doc;
mod expression;
mod gaps;
mod layout;
mod pipeline;
mod print;
mod shape;
#[cfg(test)]
mod tests;

use tidebook_plan::Diagnostic;

/// A cell in the one layout.
#[derive(Clone, Debug, PartialEq)]
pub struct Formatted {
    /// The text; with a line end at its end, unless it is empty.
    pub text: String,
    /// What is wrong with the statements that were left as they are.
    pub diagnostics: Vec<Diagnostic>,
}

/// Lays a cell out. Commands and cells in another language stay as they are.
pub fn format(text: &str) -> Formatted {
    cell::format(text)
}
