//! What the kernel needs from a session. The Jupyter layer and the command line see nothing else of Tidebook, so that
//! each can be tested against a host that the test controls.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tidebook_plan::Diagnostic;
use tidebook_session::{CellFailure, CellOutput, CellRequest, Inspected};

/// How a session is started.
#[derive(Clone, Debug)]
pub struct SessionOptions {
    /// Worker threads; `None` leaves the choice to the session.
    pub workers: Option<usize>,
    /// The folder that relative paths start from.
    pub base: PathBuf,
    /// Values of `param` statements that replace the ones in the text: name and Tide literal.
    pub parameters: Vec<(String, String)>,
    /// True where a whole notebook is run without a front end.
    pub headless: bool,
}

/// Starts a session; the error is a sentence for the user.
pub type StartSession<'a> = &'a dyn Fn(SessionOptions) -> Result<Arc<dyn Host>, String>;

/// How a whole notebook is run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeadlessOptions {
    /// The longest that the run may take.
    pub timeout: Option<Duration>,
    /// Go on after live inputs have caught up, until interrupted.
    pub follow: bool,
}

/// One thing that could stand at the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompletionItem {
    /// The text to insert.
    pub label: String,
    /// `table`, `column`, `step`, `function`, `connector`, `option`, `keyword`, …: chooses the icon.
    pub kind: String,
    /// A few words beside it: a type, a signature.
    pub detail: String,
    /// What it does, in Markdown; may be empty.
    pub doc: String,
}

/// What could stand at the cursor, and the text that it would replace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// Byte offset at which the replaced text begins.
    pub start: usize,
    /// Byte offset one past its end.
    pub end: usize,
    /// The choices, best first.
    pub items: Vec<CompletionItem>,
}

/// Whether a text is ready to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Completeness {
    /// It is.
    Complete,
    /// More is to come.
    Incomplete {
        /// White space to begin the next line with.
        indent: String,
    },
    /// It can never become right by adding to it.
    Invalid,
}

/// A session as the kernel uses it. Every method but [`Host::run`] and [`Host::run_all`] returns soon, also while a
/// cell runs on another thread.
pub trait Host: Send + Sync {
    /// Runs a cell; returns when its outputs have caught up with what the inputs hold.
    ///
    /// # Errors
    /// Where a statement or an expectation fails, or the cell is interrupted.
    fn run(&self, request: &CellRequest, output: &dyn CellOutput) -> Result<(), CellFailure>;

    /// Plans all cells, so that each source is read once, then runs them: bounded inputs to their end, live ones until
    /// caught up. Gives one result a cell; `outputs` has one receiver a cell.
    fn run_all(
        &self,
        cells: &[CellRequest],
        outputs: &[Box<dyn CellOutput>],
        options: &HeadlessOptions,
    ) -> Vec<Result<(), CellFailure>>;

    /// What is wrong with each of the cells, found in order and without running any.
    fn check(&self, cells: &[CellRequest]) -> Vec<Vec<Diagnostic>>;

    /// Forgets an interrupt that came while no cell ran. Called before anybody can know that the next one has begun.
    fn ready(&self);

    /// Makes the running cell end with [`tidebook_session::FailureKind::Interrupted`]; where none runs, the next one, unless
    /// [`Host::ready`] is called before it.
    fn interrupt(&self);

    /// What could stand at a byte offset of a text.
    fn complete(&self, text: &str, byte_offset: usize) -> Completion;

    /// What is known about the word at a byte offset of a text; with `detailed`, all of it.
    fn inspect(&self, text: &str, byte_offset: usize, detailed: bool) -> Option<Inspected>;

    /// The value of an expression over what is defined, as text.
    ///
    /// # Errors
    /// Where the expression is wrong or fails.
    fn evaluate(&self, expression: &str) -> Result<String, CellFailure>;

    /// Whether a text is ready to be run.
    fn is_complete(&self, text: &str) -> Completeness;

    /// The version of the language.
    fn language_version(&self) -> String;

    /// Stops everything that runs; the host is not used afterwards.
    fn shutdown(&self);
}
