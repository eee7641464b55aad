//! Window functions.
//!
//! What aggregates say of a whole partition is a `summarize`, joined to its rows: so a change that leaves it as it is costs
//! no look at the others. (One that can fail is a window, since its errors have the columns of the rows.)

use datafusion_common::DFSchema;
use datafusion_expr::LogicalPlan;
use tidebook_plan::flow::{CollectFunction, Frame, Operator, OrderKey, SumAggregate, WindowCall, WindowFunction};
use tidebook_plan::{ColumnType, Type};

use super::nodes::{Lowered, label, lower_plan, place, places, types};
use super::summarize::sum_function;
use super::{LowerError, Lowering};
use crate::functions::{AggregateFunction, Typed};
use crate::logical::{self, AggregateColumn, JoinType, LogicalError, SortColumn, Window, WindowColumn, WindowKind};

/// Adds a window node to the flow plan.
pub fn lower_window(builder: &mut Lowering, window: &Window, plan: &LogicalPlan) -> Result<Lowered, LowerError> {
    let node = label(plan);
    if let Some(joined) = joined(window) {
        return lower_plan(builder, &joined.map_err(|_| LowerError::Unsupported { node })?);
    }
    let input = lower_plan(builder, &window.input)?.rows;
    let columns = Columns { schema: window.input.schema(), node: &node };
    let partition = places(columns.schema, &window.partition, &node)?;
    let order = columns.order(&window.order)?;
    let all = types(plan);
    let outputs = &all[columns.schema.fields().len()..];
    let functions = window.functions.iter().zip(outputs).map(|(function, output)| {
        let output = output.clone();
        Ok(WindowCall { function: columns.function(function, &output)?, output })
    });
    let functions = functions.collect::<Result<Vec<_>, LowerError>>()?;
    let errors = functions.iter().any(|call| call.function.is_fallible());
    let operator = Operator::Window { input, partition, order, functions };
    let rows = builder.add(operator, all, window.origin.span, window.origin.step.as_str());
    Ok(if errors { Lowered::checked(rows) } else { Lowered::infallible(rows) })
}

/// The window as a join, if each function is an aggregate of the partition that cannot fail.
fn joined(window: &Window) -> Option<Result<LogicalPlan, LogicalError>> {
    let aggregate = |column: &WindowColumn| match &column.kind {
        WindowKind::Aggregate(function, Frame::Partition) => Some(AggregateColumn {
            function: function.clone(),
            input: column.input.clone(),
            filter: column.filter.clone(),
            order: column.order.clone(),
            output: column.output.clone(),
        }),
        _ => None,
    };
    let aggregates = window.functions.iter().map(aggregate).collect::<Option<Vec<_>>>()?;
    (!window.can_fail()).then(|| {
        let column = |name: &String| Typed::column(name.clone(), ColumnType::nullable(Type::Null));
        let outputs = || window.functions.iter().map(|function| (column(&function.output), function.output.clone()));
        let on: Vec<(String, String)> =
            window.partition.iter().map(|key| (key.clone(), format!("{key}:partition"))).collect();
        let origin = || window.origin.clone();
        let groups = logical::aggregate(window.input.clone(), window.partition.clone(), aggregates, origin())?;
        let keys = on.iter().map(|(key, theirs)| (column(key), theirs.clone()));
        let groups = logical::project(groups, keys.chain(outputs()).collect(), origin())?;
        let rows = logical::join(window.input.clone(), groups, JoinType::Inner, &on, true)?;
        let own = window.input.schema().fields().iter().map(|field| (column(field.name()), field.name().clone()));
        logical::project(rows, own.chain(outputs()).collect(), origin())
    })
}

/// The columns of the input.
struct Columns<'a> {
    schema: &'a DFSchema,
    node: &'a str,
}

impl Columns<'_> {
    fn order(&self, order: &[SortColumn]) -> Result<Vec<OrderKey>, LowerError> {
        let key = |sort: &SortColumn| {
            Ok(OrderKey { column: place(self.schema, &sort.column, self.node)?, descending: sort.descending })
        };
        order.iter().map(key).collect()
    }

    fn function(
        &self,
        column: &WindowColumn,
        output: &arrow::datatypes::DataType,
    ) -> Result<WindowFunction, LowerError> {
        let optional =
            |name: &Option<String>| name.as_ref().map(|name| place(self.schema, name, self.node)).transpose();
        let input = optional(&column.input)?;
        let missing = || LowerError::Unsupported { node: self.node.to_string() };
        Ok(match &column.kind {
            WindowKind::RowNumber => WindowFunction::RowNumber,
            WindowKind::Rank => WindowFunction::Rank,
            WindowKind::DenseRank => WindowFunction::DenseRank,
            WindowKind::Neighbour(offset) => WindowFunction::Neighbour {
                value: input.ok_or_else(missing)?,
                offset: *offset,
                default: optional(&column.default)?,
            },
            WindowKind::Edge(last, frame) => {
                WindowFunction::Edge { value: input.ok_or_else(missing)?, last: *last, frame: *frame }
            }
            WindowKind::Aggregate(function, frame) => match sum_function(function) {
                Some(function) => WindowFunction::Sum {
                    sum: SumAggregate { function, input, filter: optional(&column.filter)?, output: output.clone() },
                    frame: *frame,
                },
                None => {
                    let value = input.ok_or_else(missing)?;
                    let order = self.order(&column.order)?;
                    aggregate(function, value, order, *frame).ok_or_else(missing)?
                }
            },
        })
    }
}

/// An aggregate that is no sum.
fn aggregate(function: &AggregateFunction, value: usize, order: Vec<OrderKey>, frame: Frame) -> Option<WindowFunction> {
    let collect = |function, order| WindowFunction::Collect { value, order, function, frame };
    Some(match function {
        AggregateFunction::CountDistinct => WindowFunction::CountDistinct { value, frame },
        AggregateFunction::Min | AggregateFunction::First => WindowFunction::Best { value, order, last: false, frame },
        AggregateFunction::Max | AggregateFunction::Last => WindowFunction::Best { value, order, last: true, frame },
        AggregateFunction::List => collect(CollectFunction::List, order),
        AggregateFunction::Set => collect(CollectFunction::Set, order),
        AggregateFunction::Join(separator) => collect(CollectFunction::Join(separator.clone()), order),
        AggregateFunction::Quantile(fraction) => WindowFunction::Quantile { value, fraction: *fraction, frame },
        AggregateFunction::CountRows
        | AggregateFunction::Count
        | AggregateFunction::Sum
        | AggregateFunction::Avg
        | AggregateFunction::Variance
        | AggregateFunction::StandardDeviation => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::lower;
    use super::super::tests::plans::ints;
    use super::*;
    use crate::logical::Origin;

    #[test]
    fn a_whole_partition_is_joined_to_its_rows_unless_it_can_fail() {
        let operators = |function: AggregateFunction, input: Option<&str>| {
            let kind = WindowKind::Aggregate(function, Frame::Partition);
            let input = input.map(str::to_string);
            let (default, filter, order) = (None, None, Vec::new());
            let column = WindowColumn { kind, input, default, filter, order, output: "w#9".to_string() };
            let rows = ints(&["a#1", "b#2"], &[vec![Some(1), Some(2)], vec![None, Some(3)]]);
            let plan = logical::window(rows, vec!["a#1".into()], vec![], vec![column], Origin::default()).unwrap();
            let plan = lower(&[plan], true).unwrap().plan;
            plan.nodes.iter().map(|node| node.operator.name()).collect::<Vec<_>>()
        };
        let joined = operators(AggregateFunction::CountRows, None);
        assert!(joined.contains(&"join") && !joined.contains(&"window"), "{joined:?}");
        let window = operators(AggregateFunction::Sum, Some("b#2"));
        assert!(window.contains(&"window") && !window.contains(&"join"), "{window:?}");
    }
}
