//! The logical plan: DataFusion's `LogicalPlan` with our own nodes where DataFusion has none, or none that keeps
//! Tide's promises.
//!
//! Every column has a unique unqualified name (`name#id`), given by the resolver. Steps that cannot fail are
//! DataFusion's projections, filters, joins and unions, so that its rules see them. A step that can fail is a
//! [`CheckedStep`], opaque to every rule.
//!
//! *Invariant:* no expression outside a [`CheckedStep`] is fallible.

mod aggregate;
mod asof;
mod build;
mod checked;
mod constant;
mod errors;
mod flatten;
mod history;
mod iterate;
mod opaque;
mod oracle;
mod pattern;
mod scan;
mod schema;
mod sessions;
mod subtraction;
mod time;
mod top_k;
mod unique;
mod window;

#[cfg(test)]
mod tests;

use tidebook_plan::Span;

pub use aggregate::{AggregateColumn, Summarize};
pub use asof::{Asof, asof};
pub use build::{
    JoinType, LogicalError, aggregate, balance, changes, constant, dedupe, filter, flatten, gated, held, join, project,
    source, throttled, top_k, union, unique,
};
pub use checked::{Checked, CheckedStep};
pub use constant::Constant;
pub use errors::{StepErrors, error_columns, errors};
pub use flatten::Flatten;
pub use history::{Changes, Dedupe};
pub use iterate::{Iterate, Role, Variable, iterate, not_repeatable, reads_variable, variable};
pub use opaque::{Opaque, bounded, is_held};
pub use oracle::{Unsupported, to_datafusion};
pub use pattern::{Element, MatchRows, Told, Wanted};
pub use scan::SourceScan;
pub use sessions::{Sessions, sessions};
pub use subtraction::SignedUnion;
pub use time::{Balance, Gated, Throttled, WatermarkSource};
pub use top_k::{SortColumn, TopK};
pub use unique::Unique;
pub use window::{Window, WindowColumn, WindowKind, window};

/// Where a node comes from: what its errors and its place in explanations say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Origin {
    /// The text in its cell.
    pub span: Span,
    /// The step as the user wrote it.
    pub step: String,
}

impl Origin {
    /// An origin.
    pub fn new(span: Span, step: impl Into<String>) -> Self {
        Origin { span, step: step.into() }
    }
}
