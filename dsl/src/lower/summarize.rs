//! `summarize` into a reduce for what is a sum, and a top-k of one row a group for each min and max.
//!
//! The smallest value of a group is the first row of the group ordered by value, so that a retraction of the
//! minimum finds the next one without a scan. Values that do not count (null, or filtered out) are nulls there, which
//! go last: a group always has its row, and the parts are put together by their keys.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion_common::{Column, DFSchema};
use datafusion_expr::{Case, Expr, LogicalPlan};
use tidebook_plan::flow::{JoinKind, Operator, OrderKey, Stage, SumAggregate, SumFunction};
use tidebook_plan::{FlowExpr, NodeId};

use super::expression::Compiler;
use super::nodes::{Lowered, label, linear, lower_plan, place, places, types};
use super::{LowerError, Lowering};
use crate::functions::AggregateFunction;
use crate::logical::{AggregateColumn, Summarize};

/// Adds a `summarize` to the flow plan. Its errors are those of the reduce.
pub fn lower_summarize(
    builder: &mut Lowering,
    summarize: &Summarize,
    plan: &LogicalPlan,
) -> Result<Lowered, LowerError> {
    let input = lower_plan(builder, &summarize.input)?.rows;
    let schema = summarize.input.schema();
    let node = label(plan);
    let keys = places(schema, &summarize.keys, &node)?;
    let result_types = types(plan);
    let (key_types, aggregate_types) = result_types.split_at(keys.len());
    let origin = &summarize.origin;

    let mut sums = Vec::new();
    let mut sum_types = key_types.to_vec();
    // Where the value of each aggregate stands in the rows put together.
    let mut found = vec![0; summarize.aggregates.len()];
    for (i, aggregate) in summarize.aggregates.iter().enumerate() {
        if let Some(function) = sum_function(aggregate.function) {
            found[i] = keys.len() + sums.len();
            let output = aggregate_types[i].clone();
            sum_types.push(output.clone());
            let column = |name: &Option<String>| name.as_ref().map(|name| place(schema, name, &node)).transpose();
            sums.push(SumAggregate {
                function,
                input: column(&aggregate.input)?,
                filter: column(&aggregate.filter)?,
                output,
            });
        }
    }
    let ordered = summarize.aggregates.iter().enumerate().filter(|(_, a)| sum_function(a.function).is_none());
    let mut ordered = ordered.peekable();

    let needs_reduce = !sums.is_empty() || keys.is_empty() || ordered.peek().is_none();
    let mut width = keys.len() + sums.len();
    let (mut rows, errors) = if needs_reduce {
        if width == 0 {
            // One row without columns says nothing; the count makes it a row, and is dropped below.
            sums.push(SumAggregate {
                function: SumFunction::CountRows,
                input: None,
                filter: None,
                output: DataType::Int64,
            });
            sum_types.push(DataType::Int64);
            width = 1;
        }
        let operator = Operator::Reduce { input, keys: keys.clone(), aggregates: sums };
        let reduce = builder.add(operator, sum_types.clone(), origin.span, origin.step.as_str());
        (reduce, Some(reduce))
    } else {
        // There is an ordered aggregate, else the reduce would be needed.
        let Some((i, aggregate)) = ordered.next() else { return Err(LowerError::Unsupported { node }) };
        found[i] = keys.len();
        width = keys.len() + 1;
        sum_types.push(aggregate_types[i].clone());
        (first_value(builder, input, summarize, aggregate, &node)?, None)
    };
    for (i, aggregate) in ordered {
        let value = first_value(builder, input, summarize, aggregate, &node)?;
        found[i] = width + keys.len();
        width += keys.len() + 1;
        sum_types.extend(key_types.iter().cloned());
        sum_types.push(aggregate_types[i].clone());
        // Every group has its row, except the one group of a table without keys and without rows.
        let kind = if keys.is_empty() { JoinKind::Left } else { JoinKind::Inner };
        let on: Vec<usize> = (0..keys.len()).collect();
        let operator = Operator::Join {
            left: rows,
            right: value,
            kind,
            left_keys: on.clone(),
            right_keys: on,
            null_equals_null: true,
        };
        rows = builder.add(operator, sum_types.clone(), origin.span, origin.step.as_str());
    }
    let columns = (0..keys.len()).chain(found).map(column_expr).collect();
    let rows = linear(builder, rows, Stage::Project(columns), result_types, origin.span, &origin.step);
    Ok(Lowered { rows, errors })
}

fn sum_function(function: AggregateFunction) -> Option<SumFunction> {
    Some(match function {
        AggregateFunction::CountRows => SumFunction::CountRows,
        AggregateFunction::Count => SumFunction::Count,
        AggregateFunction::Sum => SumFunction::Sum,
        AggregateFunction::Avg => SumFunction::Avg,
        AggregateFunction::Min | AggregateFunction::Max => return None,
    })
}

/// The column at `place`.
pub fn column_expr(place: usize) -> FlowExpr {
    FlowExpr {
        physical: Arc::new(datafusion_physical_expr::expressions::Column::new(&format!("c{place}"), place)),
        fallible: false,
    }
}

/// Keys and the smallest or largest value of each group.
fn first_value(
    builder: &mut Lowering,
    input: NodeId,
    summarize: &Summarize,
    aggregate: &AggregateColumn,
    node: &str,
) -> Result<NodeId, LowerError> {
    let schema: &DFSchema = summarize.input.schema();
    let Some(value) = &aggregate.input else { return Err(LowerError::Unsupported { node: node.to_string() }) };
    let value_type = schema.field(place(schema, value, node)?).data_type().clone();
    let column = |name: &String| Expr::Column(Column::new_unqualified(name));
    let counted = match &aggregate.filter {
        Some(filter) => Expr::Case(Case::new(None, vec![(Box::new(column(filter)), Box::new(column(value)))], None)),
        None => column(value),
    };
    let descending = aggregate.function == AggregateFunction::Max;
    let keys = summarize.keys.len();
    let mut exprs: Vec<Expr> = summarize.keys.iter().map(column).collect();
    exprs.push(counted.clone());
    let mut columns: Vec<DataType> = Vec::new();
    for key in &summarize.keys {
        columns.push(schema.field(place(schema, key, node)?).data_type().clone());
    }
    columns.push(value_type);
    let narrow = columns.clone();
    let mut order = vec![OrderKey { column: keys, descending }];
    if descending {
        // Nulls are larger than every value, but are no values: they go last here.
        exprs.push(Expr::IsNull(Box::new(counted)));
        columns.push(DataType::Boolean);
        order.insert(0, OrderKey { column: keys + 1, descending: false });
    }
    let compiler = Compiler::new(schema)?;
    let exprs = exprs.iter().map(|expr| Ok(compiler.compile(expr)?.0)).collect::<Result<Vec<_>, LowerError>>()?;
    let origin = &summarize.origin;
    let rows = linear(builder, input, Stage::Project(exprs), columns.clone(), origin.span, &origin.step);
    let operator = Operator::TopK { input: rows, group: (0..keys).collect(), order, offset: 0, limit: 1 };
    let top = builder.add(operator, columns, origin.span, origin.step.as_str());
    let kept = (0..=keys).map(column_expr).collect();
    Ok(linear(builder, top, Stage::Project(kept), narrow, origin.span, &origin.step))
}
