//! The rows of a source.
//!
//! A scan always has all columns of its source: two tables that read different columns of one source share the one
//! reader. Columns that nobody reads are dropped by the projection above it.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion_common::{DFSchemaRef, Result};
use datafusion_expr::{Expr, LogicalPlan, UserDefinedLogicalNodeCore};
use tidebook_plan::connector::SourceSpec;

use super::Origin;
use super::schema::unordered;

/// All columns of a source.
#[derive(Clone, Debug)]
pub struct SourceScan {
    /// The source.
    pub source: Arc<SourceSpec>,
    /// Names of its columns.
    pub schema: DFSchemaRef,
    /// Where it comes from.
    pub origin: Origin,
}

impl PartialEq for SourceScan {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source && self.schema == other.schema && self.origin == other.origin
    }
}
impl Eq for SourceScan {}

impl Hash for SourceScan {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.source.identity().hash(state);
        self.schema.hash(state);
    }
}
unordered!(SourceScan);

impl UserDefinedLogicalNodeCore for SourceScan {
    fn name(&self) -> &str {
        "Source"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        vec![]
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Options may hold secrets.
        write!(f, "Source: {}", self.source.connector)
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, _: Vec<LogicalPlan>) -> Result<Self> {
        Ok(self.clone())
    }
}
