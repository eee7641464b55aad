//! Steps whose rows depend on what happened when. They stand only below an [`Opaque`](super::Opaque) leaf.

use std::fmt;

use datafusion_common::{DFSchemaRef, Result};
use datafusion_expr::{Expr, LogicalPlan, UserDefinedLogicalNodeCore};

use super::Origin;
use super::checked::one;
use super::schema::unordered;

/// `dedupe by … when …`: one row a key, which a new one replaces where the condition holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Dedupe {
    /// The input.
    pub input: LogicalPlan,
    /// Names of the key's columns.
    pub keys: Vec<String>,
    /// What the condition calls the columns of the kept row, in the order of the input.
    pub previous: Vec<String>,
    /// Over the columns of the input and `previous`. Hidden from DataFusion, as in a checked step.
    pub condition: Expr,
    /// Where it comes from.
    pub origin: Origin,
}
unordered!(Dedupe);

impl UserDefinedLogicalNodeCore for Dedupe {
    fn name(&self) -> &str {
        "Dedupe"
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
        write!(f, "Dedupe: by [{}] when {}", self.keys.join(", "), self.condition)
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        Ok(Dedupe { input: one(inputs)?, ..self.clone() })
    }
}

/// `changes`: the changes of the input as rows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Changes {
    /// The input.
    pub input: LogicalPlan,
    /// The columns of the input, then those of epoch and difference.
    pub schema: DFSchemaRef,
    /// Where it comes from.
    pub origin: Origin,
}
unordered!(Changes);

impl UserDefinedLogicalNodeCore for Changes {
    fn name(&self) -> &str {
        "Changes"
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
        f.write_str("Changes")
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        Ok(Changes { input: one(inputs)?, ..self.clone() })
    }
}
