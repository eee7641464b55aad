//! `key by`: one row a key, all rows of a key that stands more often are errors.

use std::fmt;

use datafusion_common::{DFSchemaRef, Result};
use datafusion_expr::{Expr, LogicalPlan, UserDefinedLogicalNodeCore};

use super::Origin;
use super::checked::one;
use super::schema::unordered;

/// Rows whose key stands once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Unique {
    /// The input.
    pub input: LogicalPlan,
    /// Names of the key's columns.
    pub keys: Vec<String>,
    /// Where it comes from.
    pub origin: Origin,
}
unordered!(Unique);

impl UserDefinedLogicalNodeCore for Unique {
    fn name(&self) -> &str {
        "Unique"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        self.input.schema()
    }

    fn expressions(&self) -> Vec<Expr> {
        vec![]
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unique: {}", self.keys.join(", "))
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        Ok(Unique { input: one(inputs)?, ..self.clone() })
    }
}
