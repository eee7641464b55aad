//! A step that can fail.
//!
//! Its expressions are hidden from DataFusion, and it asks for every column of its input, so that no rule prunes it,
//! moves a filter across it or merges it into another step: a row that fails there is part of the table's meaning,
//! and its error shows all columns that the step received.

use std::fmt;

use datafusion_common::{DFSchemaRef, Result};
use datafusion_expr::{Expr, LogicalPlan, UserDefinedLogicalNodeCore};

use super::Origin;
use super::schema::unordered;

/// What a checked step does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Checked {
    /// Keeps rows for which the expression is true.
    Filter(Expr),
    /// Computes columns, in the order of the node's schema.
    Project(Vec<Expr>),
}

/// A filter or projection that can fail.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CheckedStep {
    /// The input.
    pub input: LogicalPlan,
    /// What is done.
    pub kind: Checked,
    /// Names of the columns.
    pub schema: DFSchemaRef,
    /// Where it comes from.
    pub origin: Origin,
}
unordered!(CheckedStep);

impl UserDefinedLogicalNodeCore for CheckedStep {
    fn name(&self) -> &str {
        "Checked"
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
        match &self.kind {
            Checked::Filter(predicate) => write!(f, "CheckedFilter: {predicate}"),
            Checked::Project(exprs) => {
                let named = exprs.iter().zip(self.schema.fields());
                let list = named.map(|(expr, field)| match expr {
                    Expr::Column(column) if column.name() == field.name() => expr.to_string(),
                    _ => format!("{expr} AS {}", field.name()),
                });
                write!(f, "CheckedProjection: {}", list.collect::<Vec<_>>().join(", "))
            }
        }
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        Ok(CheckedStep { input: one(inputs)?, ..self.clone() })
    }
}

/// The only input of a node that has one.
pub fn one(inputs: Vec<LogicalPlan>) -> Result<LogicalPlan> {
    let count = inputs.len();
    match <[LogicalPlan; 1]>::try_from(inputs) {
        Ok([input]) => Ok(input),
        Err(_) => datafusion_common::internal_err!("a node with one input was given {count}"),
    }
}
