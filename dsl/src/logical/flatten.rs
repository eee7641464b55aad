//! `flatten`: a row for each element of a list.

use std::fmt;

use datafusion_common::{DFSchemaRef, Result};
use datafusion_expr::{Expr, LogicalPlan, UserDefinedLogicalNodeCore};

use super::Origin;
use super::checked::one;
use super::schema::unordered;

/// One row for each element of a list column. All columns keep their names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Flatten {
    /// The input.
    pub input: LogicalPlan,
    /// Name of the list column.
    pub column: String,
    /// The columns, of which one has the type of an element.
    pub schema: DFSchemaRef,
    /// Where it comes from.
    pub origin: Origin,
}
unordered!(Flatten);

impl UserDefinedLogicalNodeCore for Flatten {
    fn name(&self) -> &str {
        "Flatten"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        vec![]
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Flatten: {}", self.column)
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        Ok(Flatten { input: one(inputs)?, ..self.clone() })
    }
}
