//! `session(at, gap: d)` among the keys of a `summarize`: each row with the session that it lies in.

use std::fmt;
use std::sync::Arc;

use datafusion_common::{DFSchemaRef, Result};
use datafusion_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNodeCore};

use super::Origin;
use super::build::LogicalError;
use super::checked::one;
use super::schema::{columns_of, schema_of, unordered};
use crate::functions::window_type;

/// The input's columns, then the session.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sessions {
    /// The input.
    pub input: LogicalPlan,
    /// Names of the group's columns.
    pub keys: Vec<String>,
    /// Name of the timestamps.
    pub time: String,
    /// Microseconds at which a session ends.
    pub gap: i64,
    /// The columns.
    pub schema: DFSchemaRef,
    /// Where it comes from.
    pub origin: Origin,
}
unordered!(Sessions);

/// Puts the rows of each group into sessions; the column of the session is called `output`.
pub fn sessions(
    input: LogicalPlan,
    keys: Vec<String>,
    time: String,
    gap: i64,
    output: &str,
    origin: Origin,
) -> std::result::Result<LogicalPlan, LogicalError> {
    let mut columns = columns_of(&input);
    for name in keys.iter().chain([&time]) {
        if !columns.iter().any(|(column, _)| column == name) {
            return Err(LogicalError::UnknownColumn(name.clone()));
        }
    }
    columns.push((output.to_string(), window_type().to_arrow()));
    let schema = schema_of(columns.iter().map(|(name, ty)| (name.as_str(), ty.clone())))?;
    let node = Sessions { input, keys, time, gap, schema, origin };
    Ok(LogicalPlan::Extension(Extension { node: Arc::new(node) }))
}

impl UserDefinedLogicalNodeCore for Sessions {
    fn name(&self) -> &str {
        "Sessions"
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
        write!(f, "Sessions: of {} by [{}] gap {} µs", self.time, self.keys.join(", "), self.gap)
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        Ok(Sessions { input: one(inputs)?, ..self.clone() })
    }
}
