//! `iterate`: a body that is applied to a table again and again, and the leaves by which it reads that table.

use std::fmt;
use std::sync::Arc;

use datafusion_common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion_common::{DFSchemaRef, Result};
use datafusion_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNodeCore};

use tidebook_plan::Span;

use super::Origin;
use super::asof::Asof;
use super::build::LogicalError;
use super::pattern::MatchRows;
use super::schema::{columns_of, schema_of, unordered};
use super::sessions::Sessions;

/// What a body makes of a table, applied until it no longer changes or `max` times.
///
/// Body and errors are plans of their own, which the rules see; they read the table that goes round by [`Variable`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Iterate {
    /// The table at the start.
    pub input: LogicalPlan,
    /// What the leaves of the table are called.
    pub variable: Arc<str>,
    /// The table of the next round; columns go by position.
    pub body: LogicalPlan,
    /// The errors of a round, if it can have any: their columns, then message and step.
    pub errors: Option<LogicalPlan>,
    /// How often the body is applied at most.
    pub max: Option<u64>,
    /// The columns, of the types of the input's.
    pub schema: DFSchemaRef,
    /// Where it comes from.
    pub origin: Origin,
}
unordered!(Iterate);

impl UserDefinedLogicalNodeCore for Iterate {
    fn name(&self) -> &str {
        "Iterate"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        [&self.input, &self.body].into_iter().chain(&self.errors).collect()
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        vec![]
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Iterate: {}", self.variable)?;
        match self.max {
            Some(max) => write!(f, " max {max}"),
            None => Ok(()),
        }
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        let mut inputs = inputs.into_iter();
        match (inputs.next(), inputs.next(), inputs.next(), inputs.next()) {
            (Some(input), Some(body), errors, None) if errors.is_some() == self.errors.is_some() => {
                Ok(Iterate { input, body, errors, ..self.clone() })
            }
            _ => datafusion_common::internal_err!("an iterate was given another number of inputs"),
        }
    }

    fn necessary_children_exprs(&self, _: &[usize]) -> Option<Vec<Vec<usize>>> {
        // A round reads what the one before has made, so every column counts, whoever reads the result.
        Some(self.inputs().into_iter().map(|input| (0..input.schema().fields().len()).collect()).collect())
    }
}

/// What a leaf of a body stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The table of the round.
    Table,
    /// Rows for which no table can be told; message and step stand behind the columns.
    Unsettled,
}

/// A leaf of the body of an [`Iterate`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Variable {
    /// Which iterate: its `variable`.
    pub name: Arc<str>,
    /// What of it.
    pub role: Role,
    /// The columns.
    pub schema: DFSchemaRef,
}
unordered!(Variable);

impl UserDefinedLogicalNodeCore for Variable {
    fn name(&self) -> &str {
        "Variable"
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
        match self.role {
            Role::Table => write!(f, "Variable: {}", self.name),
            Role::Unsettled => write!(f, "Unsettled: {}", self.name),
        }
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, _: Vec<LogicalPlan>) -> Result<Self> {
        Ok(self.clone())
    }
}

/// A leaf of a body that reads the table which goes round, or what no table can be told of, with columns of these names
/// and types. `name` is that of the [`iterate`] which the body belongs to, unlike that of any other.
pub fn variable(
    name: &Arc<str>,
    role: Role,
    columns: &[(String, tidebook_plan::Type)],
) -> std::result::Result<LogicalPlan, LogicalError> {
    let schema = schema_of(columns.iter().map(|(name, ty)| (name.as_str(), ty.to_arrow())))?;
    Ok(LogicalPlan::Extension(Extension { node: Arc::new(Variable { name: Arc::clone(name), role, schema }) }))
}

/// `input` with `body` applied to it until nothing changes, or `max` times; both have the same types, column by column.
/// The columns of the result are called `names`.
pub fn iterate(
    input: LogicalPlan,
    variable: &Arc<str>,
    body: LogicalPlan,
    errors: Option<LogicalPlan>,
    max: Option<u64>,
    names: &[String],
    origin: Origin,
) -> std::result::Result<LogicalPlan, LogicalError> {
    let columns = columns_of(&input);
    for found in [names.len(), body.schema().fields().len()] {
        if found != columns.len() {
            return Err(LogicalError::ColumnCount { expected: columns.len(), found });
        }
    }
    let schema = schema_of(names.iter().map(String::as_str).zip(columns.into_iter().map(|(_, ty)| ty)))?;
    let variable = Arc::clone(variable);
    let node = Iterate { input, variable, body, errors, max, schema, origin };
    Ok(LogicalPlan::Extension(Extension { node: Arc::new(node) }))
}

/// True if a leaf for which `which` holds stands in the plan.
pub fn reads_variable(plan: &LogicalPlan, which: impl Fn(&Variable) -> bool) -> bool {
    let found = plan.exists(|node| {
        let LogicalPlan::Extension(Extension { node }) = node else { return Ok(false) };
        Ok(node.as_any().downcast_ref::<Variable>().is_some_and(&which))
    });
    found.unwrap_or(false)
}

/// A step that a loop cannot repeat yet, and where it stands, if one that reads the table of the loop `variable` is in the plan.
pub fn not_repeatable(plan: &LogicalPlan, variable: &str) -> Option<(&'static str, Span)> {
    let mut found = None;
    let walked = plan.apply(|node| {
        let LogicalPlan::Extension(Extension { node: step }) = node else { return Ok(TreeNodeRecursion::Continue) };
        let any = step.as_any();
        let what = any
            .downcast_ref::<Asof>()
            .map(|asof| ("`asof join`", asof.origin.span))
            .or_else(|| any.downcast_ref::<Sessions>().map(|sessions| ("`session`", sessions.origin.span)))
            .or_else(|| any.downcast_ref::<MatchRows>().map(|pattern| ("`match`", pattern.origin.span)));
        Ok(match what {
            Some(what) if reads_variable(node, |leaf| &*leaf.name == variable) => {
                found = Some(what);
                TreeNodeRecursion::Stop
            }
            _ => TreeNodeRecursion::Continue,
        })
    });
    walked.ok().and(found)
}
