//! What each row is told of the rows around it. Partition, order and arguments are columns: expressions are projected
//! before. Ties go by the remaining columns, so it reads all columns of its input.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion_common::{DFSchemaRef, Result};
use datafusion_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNodeCore};
use tidebook_plan::Type;
use tidebook_plan::flow::Frame;

use super::Origin;
use super::build::{LogicalError, aggregate_type};
use super::checked::one;
use super::schema::{columns_of, schema_of, unordered};
use super::top_k::SortColumn;
use crate::functions::AggregateFunction;

/// What a window function is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum WindowKind {
    /// Place in the order.
    RowNumber,
    /// Place of the first peer.
    Rank,
    /// Number of different places.
    DenseRank,
    /// The value so many rows later; negative for earlier.
    Neighbour(i64),
    /// The value of the first row of the frame, or (true) of the last.
    Edge(bool, Frame),
    /// An aggregate of the frame.
    Aggregate(AggregateFunction, Frame),
}

/// One window function.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WindowColumn {
    /// Which.
    pub kind: WindowKind,
    /// Name of the column that it is of, if it is of one.
    pub input: Option<String>,
    /// Name of the column whose value stands in for that of a row that is not there.
    pub default: Option<String>,
    /// Name of a bool column; only rows where it is true count. Only where the aggregate is a sum.
    pub filter: Option<String>,
    /// The order in which an aggregate sees the rows of its frame.
    pub order: Vec<SortColumn>,
    /// Name of the result.
    pub output: String,
}

/// The input's columns, then one for each function.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    /// The input.
    pub input: LogicalPlan,
    /// Names of the partition's columns.
    pub partition: Vec<String>,
    /// The order in a partition.
    pub order: Vec<SortColumn>,
    /// The functions.
    pub functions: Vec<WindowColumn>,
    /// The columns.
    pub schema: DFSchemaRef,
    /// Where it comes from.
    pub origin: Origin,
}
unordered!(Window);

impl Window {
    /// True if a sum may not fit its type, or a list no row.
    pub fn can_fail(&self) -> bool {
        let results = self.schema.fields().iter().skip(self.input.schema().fields().len());
        self.functions.iter().zip(results).any(|(function, field)| match function.kind {
            WindowKind::Aggregate(AggregateFunction::Sum, _) => *field.data_type() != DataType::Float64,
            WindowKind::Aggregate(AggregateFunction::List | AggregateFunction::Set | AggregateFunction::Join(_), _) => {
                true
            }
            _ => false,
        })
    }
}

/// What each row is told of the rows around it.
pub fn window(
    input: LogicalPlan,
    partition: Vec<String>,
    order: Vec<SortColumn>,
    functions: Vec<WindowColumn>,
    origin: Origin,
) -> std::result::Result<LogicalPlan, LogicalError> {
    let mut columns = columns_of(&input);
    let type_of = |name: &String| {
        let found = columns.iter().find(|(column, _)| column == name);
        found.map(|(_, ty)| ty.clone()).ok_or_else(|| LogicalError::UnknownColumn(name.clone()))
    };
    for name in partition.iter().chain(order.iter().map(|sort| &sort.column)) {
        type_of(name)?;
    }
    let mut results = Vec::with_capacity(functions.len());
    for function in &functions {
        let others = function.default.iter().chain(&function.filter);
        for name in others.chain(function.order.iter().map(|sort| &sort.column)) {
            type_of(name)?;
        }
        let input = function.input.as_ref().map(type_of).transpose()?;
        let ty = match (&function.kind, input) {
            (WindowKind::RowNumber | WindowKind::Rank | WindowKind::DenseRank, _) => Type::Int.to_arrow(),
            (WindowKind::Aggregate(aggregate, _), input) => aggregate_type(aggregate, input)?,
            (WindowKind::Neighbour(_) | WindowKind::Edge(..), Some(ty)) => ty,
            (WindowKind::Neighbour(_) | WindowKind::Edge(..), None) => {
                return Err(LogicalError::UnknownColumn(function.output.clone()));
            }
        };
        results.push((function.output.clone(), ty));
    }
    columns.extend(results);
    let schema = schema_of(columns.iter().map(|(name, ty)| (name.as_str(), ty.clone())))?;
    let node = Window { input, partition, order, functions, schema, origin };
    Ok(LogicalPlan::Extension(Extension { node: Arc::new(node) }))
}

impl fmt::Display for WindowColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let input = self.input.as_deref().unwrap_or("");
        let frame = match &self.kind {
            WindowKind::RowNumber => return write!(f, "row_number() AS {}", self.output),
            WindowKind::Rank => return write!(f, "rank() AS {}", self.output),
            WindowKind::DenseRank => return write!(f, "dense_rank() AS {}", self.output),
            WindowKind::Neighbour(offset) => {
                write!(f, "row {offset:+}({input}")?;
                if let Some(default) = &self.default {
                    write!(f, " else {default}")?;
                }
                return write!(f, ") AS {}", self.output);
            }
            WindowKind::Edge(last, frame) => {
                write!(f, "{} row({input})", if *last { "last" } else { "first" })?;
                frame
            }
            WindowKind::Aggregate(function, frame) => {
                write!(f, "{}({input}", function.name())?;
                match function {
                    AggregateFunction::Quantile(fraction) => write!(f, ", {fraction:?}")?,
                    AggregateFunction::Join(separator) => write!(f, ", {separator:?}")?,
                    _ => {}
                }
                if !self.order.is_empty() {
                    let order: Vec<_> = self.order.iter().map(SortColumn::to_string).collect();
                    write!(f, " sort {}", order.join(", "))?;
                }
                f.write_str(")")?;
                if let Some(filter) = &self.filter {
                    write!(f, " filter {filter}")?;
                }
                frame
            }
        };
        write!(f, " of {frame} AS {}", self.output)
    }
}

impl UserDefinedLogicalNodeCore for Window {
    fn name(&self) -> &str {
        "Window"
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
        let functions: Vec<_> = self.functions.iter().map(WindowColumn::to_string).collect();
        let order: Vec<_> = self.order.iter().map(SortColumn::to_string).collect();
        write!(f, "Window: {} by [{}] sort [{}]", functions.join(", "), self.partition.join(", "), order.join(", "))
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        Ok(Window { input: one(inputs)?, ..self.clone() })
    }
}
