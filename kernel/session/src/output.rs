//! What a running cell gives back, in words that no front end owns.

use std::sync::Arc;

use crate::view::View;

/// A cell as a front end submits it.
#[derive(Clone, Debug)]
pub struct CellRequest {
    /// Stable identity of the cell (a notebook's cell id); running a cell again replaces what it defined.
    pub cell: String,
    /// What the cell is called in diagnostics (`cell 3`, `report.tide`).
    pub name: String,
    /// Its text.
    pub text: String,
}

/// Which of the two standard streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// Something that is shown once and does not change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Markup {
    /// Plain text.
    pub text: String,
    /// The same as an HTML fragment, escaped.
    pub html: String,
}

/// What is known of a word, in the forms that front ends can draw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspected {
    /// Plain text.
    pub text: String,
    /// The same as Markdown.
    pub markdown: String,
    /// The same as an HTML fragment, escaped.
    pub html: String,
}

/// Receives the outputs of a cell while it runs, in order, on the thread that runs it.
pub trait CellOutput: Send + Sync {
    /// Text on a standard stream.
    fn stream(&self, stream: Stream, text: &str);
    /// A table to show: display a first frame of it, and follow it until [`View::is_closed`].
    fn view(&self, view: Arc<View>);
    /// Something that does not change: a schema, a list of tables, a plan.
    fn markup(&self, markup: Markup);
    /// The value of an expression: the cell's result.
    fn value(&self, text: &str);
    /// Documentation for the front end's pager.
    fn page(&self, markup: Markup);
    /// Empties the cell's output.
    fn clear(&self, wait: bool);
}

/// Why a cell failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The text is wrong.
    Diagnostic,
    /// An expectation does not hold.
    Expectation,
    /// The cell was interrupted.
    Interrupted,
    /// A source, a sink or a worker failed.
    Runtime,
}

/// A cell that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CellFailure {
    /// What kind of failure.
    pub kind: FailureKind,
    /// One line.
    pub message: String,
    /// All of it, as text.
    pub text: String,
    /// The same with the colours of a terminal, which notebooks draw as well.
    pub ansi: String,
    /// All of it, as an HTML fragment.
    pub html: String,
    /// The statements' own faults, where there are any.
    pub diagnostics: Vec<tidebook_plan::Diagnostic>,
}

impl FailureKind {
    /// The name that tools see.
    pub fn name(&self) -> &'static str {
        match self {
            FailureKind::Diagnostic => "DiagnosticError",
            FailureKind::Expectation => "ExpectationError",
            FailureKind::Interrupted => "Interrupted",
            FailureKind::Runtime => "RuntimeError",
        }
    }
}
