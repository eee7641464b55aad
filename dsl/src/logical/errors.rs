//! The errors of a step, as rows.

use std::fmt;

use arrow::datatypes::DataType;
use datafusion_common::{DFSchemaRef, Result};
use datafusion_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNode, UserDefinedLogicalNodeCore};
use std::sync::Arc;
use tidebook_plan::connector::source_error_schema;

use super::aggregate::Summarize;
use super::build::LogicalError;
use super::checked::{CheckedStep, one};
use super::constant::Constant;
use super::history::Dedupe;
use super::iterate::Iterate;
use super::opaque::Opaque;
use super::pattern::MatchRows;
use super::scan::SourceScan;
use super::schema::{columns_of, schema_of, unordered};
use super::time::Balance;
use super::unique::Unique;
use super::window::Window;
use crate::functions::is_fallible;

/// The errors of the input's topmost node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StepErrors {
    /// The step whose errors these are.
    pub of: LogicalPlan,
    /// The columns of its errors, then message and step.
    pub schema: DFSchemaRef,
}
unordered!(StepErrors);

impl UserDefinedLogicalNodeCore for StepErrors {
    fn name(&self) -> &str {
        "Errors"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.of]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        vec![]
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Errors")
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        Ok(StepErrors { of: one(inputs)?, schema: self.schema.clone() })
    }
}

/// The columns of the errors of the plan's topmost node, without message and step, by the names that they have in
/// that node's input (for a source: `file`, `line`, `text`). `None` if the node never has errors.
pub fn error_columns(plan: &LogicalPlan) -> Option<Vec<(String, DataType)>> {
    let LogicalPlan::Extension(Extension { node }) = plan else { return None };
    let node: &dyn UserDefinedLogicalNode = node.as_ref();
    if node.as_any().is::<SourceScan>() {
        let columns = source_error_schema().columns;
        return Some(columns.into_iter().map(|column| (column.name, column.ty.ty.to_arrow())).collect());
    }
    if let Some(constant) = node.as_any().downcast_ref::<Constant>() {
        return constant.can_fail().then(|| columns_of(plan));
    }
    if let Some(step) = node.as_any().downcast_ref::<CheckedStep>() {
        return Some(columns_of(&step.input));
    }
    if let Some(unique) = node.as_any().downcast_ref::<Unique>() {
        return Some(columns_of(&unique.input));
    }
    if let Some(dedupe) = node.as_any().downcast_ref::<Dedupe>() {
        return is_fallible(&dedupe.condition).then(|| columns_of(&dedupe.input));
    }
    if let Some(balance) = node.as_any().downcast_ref::<Balance>() {
        return Some(columns_of(&balance.input));
    }
    if let Some(opaque) = node.as_any().downcast_ref::<Opaque>() {
        return error_columns(&opaque.plan);
    }
    if let Some(window) = node.as_any().downcast_ref::<Window>() {
        return window.can_fail().then(|| columns_of(&window.input));
    }
    if let Some(rows) = node.as_any().downcast_ref::<MatchRows>() {
        let fails = rows.elements.iter().any(|element| is_fallible(&element.condition));
        return fails.then(|| columns_of(&rows.input));
    }
    if let Some(iterate) = node.as_any().downcast_ref::<Iterate>() {
        let mut columns = columns_of(iterate.errors.as_ref()?);
        columns.truncate(columns.len().saturating_sub(2));
        return Some(columns);
    }
    let summarize = node.as_any().downcast_ref::<Summarize>()?;
    summarize.can_fail().then(|| columns_of(plan).into_iter().take(summarize.keys.len()).collect())
}

/// The errors of the plan's topmost node: the columns of [`error_columns`], then `_error` and `_step`, all called by
/// `names`.
pub fn errors(of: &LogicalPlan, names: &[String]) -> std::result::Result<LogicalPlan, LogicalError> {
    let Some(columns) = error_columns(of) else { return Err(LogicalError::NeverFails(of.display().to_string())) };
    let types = columns.into_iter().map(|(_, ty)| ty).chain([DataType::Utf8, DataType::Utf8]).collect::<Vec<_>>();
    if types.len() != names.len() {
        return Err(LogicalError::ColumnCount { expected: types.len(), found: names.len() });
    }
    let schema = schema_of(names.iter().map(String::as_str).zip(types))?;
    Ok(LogicalPlan::Extension(Extension { node: Arc::new(StepErrors { of: of.clone(), schema }) }))
}
