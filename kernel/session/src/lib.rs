//! The session: the one public API of Tidebook. It runs cells, keeps views, writes sinks and answers questions about
//! what is defined.
//!
//! *Invariant:* it knows no Jupyter words. *Invariant:* one cell runs at a time; questions are answered meanwhile from
//! the last catalog.

mod analysis;
mod cell;
mod check;
mod codec;
mod command;
mod compile;
mod environment;
mod expectation;
mod follow;
mod gauge;
mod headless;
mod help;
mod history;
mod markdown;
mod markup;
mod memory;
pub mod output;

mod question;
mod recovery;
mod running;
mod session;
mod shown;
mod sink;
mod stats;
mod table;
pub mod view;

pub use headless::HeadlessOptions;
pub use output::{CellFailure, CellOutput, CellRequest, FailureKind, Inspected, Markup, Stream};
pub use question::{Completeness, Completion, CompletionItem};
pub use session::{Session, SessionError, SessionOptions};
pub use tidebook_dsl::syntax::{Formatted, format};
pub use view::{Closed, Page, PageColumn, PageRequest, PageSource, Standing, Verdict, View, ViewKind};
