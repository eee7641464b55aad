//! A multiset union in which some inputs are taken away. (A union without negated inputs is DataFusion's.)

use std::fmt;

use datafusion_common::{DFSchemaRef, Result};
use datafusion_expr::{Expr, LogicalPlan, UserDefinedLogicalNodeCore};

use super::schema::unordered;

/// All rows of the inputs that are not negated, without those of the negated ones. Columns go by position.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SignedUnion {
    /// Inputs, each with whether it is negated.
    pub inputs: Vec<(LogicalPlan, bool)>,
    /// Names of the columns.
    pub schema: DFSchemaRef,
}
unordered!(SignedUnion);

impl UserDefinedLogicalNodeCore for SignedUnion {
    fn name(&self) -> &str {
        "SignedUnion"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        self.inputs.iter().map(|(input, _)| input).collect()
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        vec![]
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let signs: Vec<_> = self.inputs.iter().map(|(_, negated)| if *negated { "-" } else { "+" }).collect();
        write!(f, "SignedUnion: {}", signs.join(" "))
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        let signs = self.inputs.iter().map(|(_, negated)| *negated);
        Ok(SignedUnion { inputs: inputs.into_iter().zip(signs).collect(), schema: self.schema.clone() })
    }
}
