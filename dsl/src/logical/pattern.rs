//! `match`: the matches of a pattern among the rows of each partition.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use datafusion_common::{DFSchemaRef, Result};
use datafusion_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNodeCore};
use tidebook_plan::Type;

use super::Origin;
use super::build::LogicalError;
use super::checked::one;
use super::schema::{columns_of, schema_of, unordered};
use super::top_k::SortColumn;

/// An element of a pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Element {
    /// How many rows at least.
    pub least: u64,
    /// How many at most.
    pub most: Option<u64>,
    /// Over the columns of the input and what is read of earlier rows. Hidden from DataFusion, as in a checked step.
    pub condition: Expr,
}

/// What is wanted of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wanted {
    /// How many rows it has.
    Count,
    /// A column of its last row.
    Last,
    /// A column of all its rows.
    All,
}

/// Something of an element by a name: `column` is that of the input.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Told {
    /// What the rest of the plan, or a condition, calls it.
    pub name: String,
    /// Which element.
    pub element: usize,
    /// Name of the column; nothing for a count.
    pub column: String,
    /// What of it.
    pub wanted: Wanted,
}

/// The partition's columns, then what is told of each match.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MatchRows {
    /// The input.
    pub input: LogicalPlan,
    /// Names of the partition's columns.
    pub partition: Vec<String>,
    /// The order in a partition.
    pub order: Vec<SortColumn>,
    /// How far the first row and the last lie apart at most, by the first column of the order.
    pub within: Option<i64>,
    /// The elements.
    pub elements: Vec<Element>,
    /// What conditions read of the last row of an element so far.
    pub reads: Vec<Told>,
    /// What is told of a match.
    pub gives: Vec<Told>,
    /// The columns.
    pub schema: DFSchemaRef,
    /// Where it comes from.
    pub origin: Origin,
}
unordered!(MatchRows);

impl MatchRows {
    /// The node; its columns are found from what it tells.
    ///
    /// # Errors
    /// Where it reads a column that the input does not have.
    pub fn plan(self) -> std::result::Result<LogicalPlan, LogicalError> {
        let input = columns_of(&self.input);
        let type_of = |name: &String| {
            let found = input.iter().find(|(column, _)| column == name);
            found.map(|(_, ty)| ty.clone()).ok_or_else(|| LogicalError::UnknownColumn(name.clone()))
        };
        let mut columns = Vec::new();
        for name in &self.partition {
            columns.push((name.as_str(), type_of(name)?));
        }
        for told in &self.gives {
            let ty = match told.wanted {
                Wanted::Count => Type::Int.to_arrow(),
                Wanted::Last => type_of(&told.column)?,
                Wanted::All => DataType::List(Arc::new(Field::new("item", type_of(&told.column)?, true))),
            };
            columns.push((told.name.as_str(), ty));
        }
        let schema = schema_of(columns)?;
        Ok(LogicalPlan::Extension(Extension { node: Arc::new(MatchRows { schema, ..self }) }))
    }
}

impl UserDefinedLogicalNodeCore for MatchRows {
    fn name(&self) -> &str {
        "Match"
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
        let order: Vec<_> = self.order.iter().map(SortColumn::to_string).collect();
        write!(f, "Match: by [{}] sort [{}]", self.partition.join(", "), order.join(", "))?;
        for Element { least, most, condition } in &self.elements {
            let most = most.map(|most| most.to_string()).unwrap_or_default();
            write!(f, " {{{least},{most}}} {condition}")?;
        }
        Ok(())
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        Ok(MatchRows { input: one(inputs)?, ..self.clone() })
    }
}
