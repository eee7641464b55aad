//! `asof join`: with each left row the nearest right row by time.

use std::fmt;
use std::sync::Arc;

use datafusion_common::{DFSchemaRef, DataFusionError, Result};
use datafusion_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNodeCore};
use tidebook_plan::flow::AsofChoice;

use super::Origin;
use super::build::LogicalError;
use super::schema::{columns_of, schema_of, unordered};

/// Left columns, then right columns.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Asof {
    /// Left input.
    pub left: LogicalPlan,
    /// Right input.
    pub right: LogicalPlan,
    /// Names of equal columns, left and right.
    pub on: Vec<(String, String)>,
    /// Names of the times, left and right, of one type of fixed width.
    pub times: (String, String),
    /// Which right row.
    pub choice: AsofChoice,
    /// True if left rows without a match stay.
    pub outer: bool,
    /// The columns.
    pub schema: DFSchemaRef,
    /// Where it comes from.
    pub origin: Origin,
}
unordered!(Asof);

/// An as-of join.
pub fn asof(
    (left, right): (LogicalPlan, LogicalPlan),
    on: Vec<(String, String)>,
    times: (String, String),
    choice: AsofChoice,
    outer: bool,
    origin: Origin,
) -> std::result::Result<LogicalPlan, LogicalError> {
    let (own, theirs) = (columns_of(&left), columns_of(&right));
    for (a, b) in on.iter().chain([&times]) {
        for (columns, name) in [(&own, a), (&theirs, b)] {
            if !columns.iter().any(|(column, _)| column == name) {
                return Err(LogicalError::UnknownColumn(name.clone()));
            }
        }
    }
    let schema = schema_of(own.iter().chain(&theirs).map(|(name, ty)| (name.as_str(), ty.clone())))?;
    let node = Asof { left, right, on, times, choice, outer, schema, origin };
    Ok(LogicalPlan::Extension(Extension { node: Arc::new(node) }))
}

impl UserDefinedLogicalNodeCore for Asof {
    fn name(&self) -> &str {
        "AsofJoin"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.left, &self.right]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        vec![]
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on = self.on.iter().map(|(left, right)| format!("{left} = {right}, ")).collect::<String>();
        let kind = if self.outer { "Left" } else { "Inner" };
        write!(f, "AsofJoin: {kind} {on}{} {} {}", self.times.1, self.choice.sign(), self.times.0)
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        let [left, right]: [LogicalPlan; 2] =
            inputs.try_into().map_err(|_| DataFusionError::Internal("an as-of join has two inputs".to_string()))?;
        Ok(Asof { left, right, ..self.clone() })
    }
}
