//! Grouping and aggregating. Keys and arguments are columns: expressions are projected before.

use std::collections::HashSet;
use std::fmt;

use arrow::datatypes::DataType;
use datafusion_common::{Column, DFSchemaRef, Result};
use datafusion_expr::{Expr, LogicalPlan, UserDefinedLogicalNodeCore};

use super::Origin;
use super::checked::one;
use super::schema::unordered;
use super::top_k::SortColumn;
use crate::functions::AggregateFunction;

/// One aggregate.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AggregateColumn {
    /// Which.
    pub function: AggregateFunction,
    /// Name of the column that it is of; `None` for [`AggregateFunction::CountRows`].
    pub input: Option<String>,
    /// Name of a bool column; only rows where it is true count.
    pub filter: Option<String>,
    /// The order in which it sees rows, where that matters.
    pub order: Vec<SortColumn>,
    /// Name of the result.
    pub output: String,
}

/// Groups by keys (null is a group) and aggregates. Without keys there is always one row.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Summarize {
    /// The input.
    pub input: LogicalPlan,
    /// Names of the key's columns.
    pub keys: Vec<String>,
    /// Aggregates.
    pub aggregates: Vec<AggregateColumn>,
    /// Keys, then aggregates.
    pub schema: DFSchemaRef,
    /// Where it comes from.
    pub origin: Origin,
}
unordered!(Summarize);

impl Summarize {
    /// True if a sum may not fit its type, or a list no row.
    pub fn can_fail(&self) -> bool {
        let results = self.schema.fields().iter().skip(self.keys.len());
        self.aggregates.iter().zip(results).any(|(aggregate, field)| match aggregate.function {
            AggregateFunction::Sum => *field.data_type() != DataType::Float64,
            AggregateFunction::List | AggregateFunction::Set | AggregateFunction::Join(_) => true,
            _ => false,
        })
    }

    fn columns(&self) -> impl Iterator<Item = &String> {
        self.keys.iter().chain(self.aggregates.iter().flat_map(|aggregate| {
            let order = aggregate.order.iter().map(|sort| &sort.column);
            aggregate.input.iter().chain(&aggregate.filter).chain(order)
        }))
    }
}

impl UserDefinedLogicalNodeCore for Summarize {
    fn name(&self) -> &str {
        "Summarize"
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
        f.write_str("Summarize:")?;
        for (i, aggregate) in self.aggregates.iter().enumerate() {
            let comma = if i > 0 { "," } else { "" };
            write!(f, "{comma} {}({}", aggregate.function.name(), aggregate.input.as_deref().unwrap_or(""))?;
            match &aggregate.function {
                AggregateFunction::Quantile(fraction) => write!(f, ", {fraction:?}")?,
                AggregateFunction::Join(separator) => write!(f, ", {separator:?}")?,
                _ => {}
            }
            if !aggregate.order.is_empty() {
                let order: Vec<_> = aggregate.order.iter().map(SortColumn::to_string).collect();
                write!(f, " sort {}", order.join(", "))?;
            }
            f.write_str(")")?;
            if let Some(filter) = &aggregate.filter {
                write!(f, " filter {filter}")?;
            }
            write!(f, " AS {}", aggregate.output)?;
        }
        write!(f, " by [{}]", self.keys.join(", "))
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        Ok(Summarize { input: one(inputs)?, ..self.clone() })
    }

    fn necessary_children_exprs(&self, _: &[usize]) -> Option<Vec<Vec<usize>>> {
        // Every aggregate counts, read or not: a sum that overflows is an error of the step.
        let schema = self.input.schema();
        let places = self.columns().map(|name| schema.maybe_index_of_column(&Column::new_unqualified(name)));
        let places = places.collect::<Option<HashSet<usize>>>()?;
        let mut places: Vec<usize> = places.into_iter().collect();
        places.sort_unstable();
        Some(vec![places])
    }
}
