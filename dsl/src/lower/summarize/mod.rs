//! `summarize` into parts that are put together by their keys.
//!
//! What is a sum is one reduce. What needs rows in an order, or values once each, is a part of its own over a projection
//! of only what it reads: see [`parts`]. Every group has its row in every part, so that inner joins lose none; without
//! keys a part may have no row, and is joined so that its value is null then.

mod parts;

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion_expr::LogicalPlan;
use tidebook_plan::flow::{JoinKind, Operator, Stage, SumAggregate, SumFunction};
use tidebook_plan::{FlowExpr, NodeId};

use super::nodes::{Lowered, label, linear, lower_plan, place, places, types};
use super::{LowerError, Lowering};
use crate::functions::AggregateFunction;
use crate::logical::Summarize;
use parts::Parts;

/// A node whose rows are keys and then the values of some of the aggregates.
struct Part {
    node: NodeId,
    /// Which aggregates, in the order of its columns.
    aggregates: Vec<usize>,
    /// True if without keys it has a row all the same.
    always: bool,
    /// True if it can have errors.
    fails: bool,
}

/// Adds a `summarize` to the flow plan. Its errors are those of its parts.
pub fn lower_summarize(
    builder: &mut Lowering,
    summarize: &Summarize,
    plan: &LogicalPlan,
) -> Result<Lowered, LowerError> {
    let input = lower_plan(builder, &summarize.input)?.rows;
    let node = label(plan);
    let keys = places(summarize.input.schema(), &summarize.keys, &node)?;
    let result_types = types(plan);
    let others = Parts::new(builder, summarize, input, &node)?.lower()?;
    let mut sums = sums_of(summarize, &result_types, &node)?;
    let needs_sums = match others.first() {
        None => true,
        Some(first) => !sums.0.is_empty() || (keys.is_empty() && !first.always),
    };
    let mut all = Vec::with_capacity(others.len() + 1);
    if needs_sums {
        if keys.is_empty() && sums.0.is_empty() {
            // One row without columns says nothing; the count makes it a row, and is dropped below.
            let (function, output) = (SumFunction::CountRows, DataType::Int64);
            sums.0.push(SumAggregate { function, input: None, filter: None, output });
        }
        let (aggregates, which) = sums;
        let mut columns = result_types[..keys.len()].to_vec();
        columns.extend(aggregates.iter().map(|sum| sum.output.clone()));
        let operator = Operator::Reduce { input, keys: keys.clone(), aggregates };
        let node = builder.add(operator, columns, summarize.origin.span, summarize.origin.step.as_str());
        all.push(Part { node, aggregates: which, always: true, fails: true });
    }
    all.extend(others);
    Ok(put_together(builder, all, summarize, result_types))
}

/// The aggregates that are sums, and which they are.
fn sums_of(
    summarize: &Summarize,
    result_types: &[DataType],
    node: &str,
) -> Result<(Vec<SumAggregate>, Vec<usize>), LowerError> {
    let schema = summarize.input.schema();
    let column = |name: &Option<String>| name.as_ref().map(|name| place(schema, name, node)).transpose();
    let (mut sums, mut which) = (Vec::new(), Vec::new());
    for (i, aggregate) in summarize.aggregates.iter().enumerate() {
        if let Some(function) = sum_function(&aggregate.function) {
            let output = result_types[summarize.keys.len() + i].clone();
            let (input, filter) = (column(&aggregate.input)?, column(&aggregate.filter)?);
            sums.push(SumAggregate { function, input, filter, output });
            which.push(i);
        }
    }
    Ok((sums, which))
}

/// The sum that an aggregate is, if it is one.
pub fn sum_function(function: &AggregateFunction) -> Option<SumFunction> {
    Some(match function {
        AggregateFunction::CountRows => SumFunction::CountRows,
        AggregateFunction::Count => SumFunction::Count,
        AggregateFunction::Sum => SumFunction::Sum,
        AggregateFunction::Avg => SumFunction::Avg,
        AggregateFunction::Variance => SumFunction::Variance,
        AggregateFunction::StandardDeviation => SumFunction::StandardDeviation,
        AggregateFunction::CountDistinct
        | AggregateFunction::Min
        | AggregateFunction::Max
        | AggregateFunction::First
        | AggregateFunction::Last
        | AggregateFunction::List
        | AggregateFunction::Set
        | AggregateFunction::Join(_)
        | AggregateFunction::Quantile(_) => return None,
    })
}

/// The parts joined on their keys, columns as the plan has them.
fn put_together(
    builder: &mut Lowering,
    parts: Vec<Part>,
    summarize: &Summarize,
    result_types: Vec<DataType>,
) -> Lowered {
    let keys = summarize.keys.len();
    let origin = &summarize.origin;
    let errors = parts.iter().filter(|part| part.fails).map(|part| part.node).collect();
    // Where the value of each aggregate stands in the rows put together.
    let mut found = vec![0; summarize.aggregates.len()];
    let mut together: Option<NodeId> = None;
    for part in parts {
        let before = together.map_or(0, |rows| builder.types(rows).len());
        for (i, aggregate) in part.aggregates.into_iter().enumerate() {
            found[aggregate] = before + keys + i;
        }
        together = Some(match together {
            None => part.node,
            Some(left) => {
                let kind = if keys == 0 && !part.always { JoinKind::Left } else { JoinKind::Inner };
                let mut columns = builder.types(left);
                columns.extend(builder.types(part.node));
                let on: Vec<usize> = (0..keys).collect();
                let operator = Operator::Join {
                    left,
                    right: part.node,
                    kind,
                    left_keys: on.clone(),
                    right_keys: on,
                    null_equals_null: true,
                };
                builder.add(operator, columns, origin.span, origin.step.as_str())
            }
        });
    }
    let Some(together) = together else { unreachable!("a summarize has keys or aggregates") };
    let columns = (0..keys).chain(found).map(column_expr).collect();
    let rows = linear(builder, together, Stage::Project(columns), result_types, origin.span, &origin.step);
    Lowered { errors, ..Lowered::infallible(rows) }
}

/// The column at `place`.
pub fn column_expr(place: usize) -> FlowExpr {
    FlowExpr {
        physical: Arc::new(datafusion_physical_expr::expressions::Column::new(&format!("c{place}"), place)),
        fallible: false,
    }
}
