//! The leaf crate of Tidebook: what the language, the engine and the connectors agree on.
//!
//! *Invariant:* this crate does no I/O, starts no threads and depends on no other crate of the workspace.
//!
//! - [`span`], [`diagnostic`] and [`drawing`]: where text is wrong, how that is said, and how it looks.
//! - [`types`] and [`schema`]: the types of Tide and their one Arrow representation each.
//! - [`flow`]: the flow plan, the only thing that the engine renders.
//! - [`limits`]: sizes beyond which Tidebook says no.
//! - [`connector`]: what a source, a sink and their options look like; [`selection`]: which part of a source is read.
//! - [`change`]: a batch of rows with the difference of each.

pub mod change;
pub mod connector;
pub mod diagnostic;
pub mod drawing;
pub mod flow;
pub mod limits;
pub mod schema;
pub mod selection;
pub mod span;
pub mod types;

pub use change::ChangeBatch;
pub use diagnostic::{Diagnostic, Edit, Label, Severity};
pub use drawing::{Drawing, Ink};
pub use flow::{Fingerprint, FlowExpr, FlowNode, FlowPlan, History, HistoryId, NodeId, Operator};
pub use schema::{Column, Schema};
pub use selection::{Comparison, Predicate, Selection, Test};
pub use span::Span;
pub use types::{ColumnType, Type};
