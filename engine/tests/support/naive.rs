//! What a plan means: every node computed from scratch out of the full contents of its inputs.

mod iterate;
mod pattern;
mod time;
mod window;

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};

use datafusion_common::ScalarValue;
use datafusion_common::cast::as_boolean_array;
use tidebook_plan::flow::{
    CollectFunction, FlowPlan, JoinKind, NodeId, Operator, OrderKey, Stage, SumAggregate, SumFunction,
};

use super::{Multiset, Row, add, batch, multiset, types_of};

/// Rows and errors of a node.
pub struct Contents {
    pub rows: Multiset,
    pub errors: Multiset,
}

/// Contents of all nodes, given those of constants and sources.
pub fn evaluate(plan: &FlowPlan, inputs: &HashMap<NodeId, Multiset>) -> Vec<Contents> {
    let mut nodes: Vec<Contents> = Vec::new();
    for (id, node) in plan.nodes.iter().enumerate() {
        let rows = |input: &NodeId| nodes[*input].rows.values().cloned().collect::<Vec<(Row, i64)>>();
        let mut errors = Multiset::new();
        let result = match &node.operator {
            Operator::Get { .. } | Operator::Constant { .. } => inputs[&id].clone(),
            Operator::Linear { input, stages } => {
                let types = types_of(&plan.nodes[*input].schema);
                let mut result = Multiset::new();
                for (row, count) in rows(input) {
                    match linear(stages, &types, &row) {
                        Ok(Some(row)) => add(&mut result, row, count),
                        Ok(None) => {}
                        Err(message) => add(&mut errors, failed(row, &message, &node.step), count),
                    }
                }
                result
            }
            Operator::Join { left, right, kind, left_keys, right_keys, null_equals_null } => {
                let width = node.schema.fields().len();
                let nulls: Row =
                    node.schema.fields().iter().map(|f| ScalarValue::try_from(f.data_type()).unwrap()).collect();
                let mut result = Multiset::new();
                for (l, n) in rows(left) {
                    let mut matched = false;
                    for (r, m) in rows(right) {
                        if same_key(&l, left_keys, &r, right_keys, *null_equals_null) {
                            matched = true;
                            if matches!(kind, JoinKind::Inner | JoinKind::Left) {
                                add(&mut result, l.iter().chain(&r).cloned().collect(), n * m);
                            }
                        }
                    }
                    match kind {
                        JoinKind::Semi if matched => add(&mut result, l, n),
                        JoinKind::Anti if !matched => add(&mut result, l, n),
                        JoinKind::Left if !matched => {
                            let row = (0..width).map(|i| l.get(i).unwrap_or(&nulls[i]).clone()).collect();
                            add(&mut result, row, n);
                        }
                        _ => {}
                    }
                }
                result
            }
            Operator::Reduce { input, keys, aggregates } => {
                reduce(rows(input), keys, aggregates, &node.step, &mut errors)
            }
            Operator::ReduceJoin { left, right, left_keys, right_keys, keys, aggregates } => {
                let mut joined = Vec::new();
                for (l, n) in rows(left) {
                    for (r, m) in rows(right) {
                        if same_key(&l, left_keys, &r, right_keys, false) {
                            joined.push((l.iter().chain(&r).cloned().collect(), n * m));
                        }
                    }
                }
                reduce(joined, keys, aggregates, &node.step, &mut errors)
            }
            Operator::TopK { input, group, order, offset, limit } => {
                let mut result = Multiset::new();
                for (_, mut rows) in grouped(rows(input), group) {
                    rows.sort_by(|a, b| compare(&a.0, &b.0, order));
                    let expanded = rows.into_iter().flat_map(|(row, n)| std::iter::repeat_n(row, n as usize));
                    for row in expanded.skip(*offset as usize).take(*limit as usize) {
                        add(&mut result, row, 1);
                    }
                }
                result
            }
            Operator::Collect { input, keys, value, order, functions } => {
                let mut result = Multiset::new();
                for (key, mut rows) in with_keys(rows(input), keys) {
                    rows.sort_by(|a, b| compare(&a.0, &b.0, order));
                    let values = expanded(&rows, *value);
                    let item = plan.nodes[*input].schema.field(*value).data_type();
                    let collected = functions.iter().map(|function| collect(function, &values, item));
                    add(&mut result, key.into_iter().chain(collected).collect(), 1);
                }
                result
            }
            Operator::Quantile { input, keys, value, fractions } => {
                let mut result = Multiset::new();
                for (key, mut rows) in with_keys(rows(input), keys) {
                    rows.sort_by(|a, b| value_order(&a.0[*value], &b.0[*value]));
                    let values = expanded(&rows, *value);
                    let found = fractions.iter().map(|fraction| quantile(&values, fraction.value()));
                    add(&mut result, key.into_iter().chain(found).collect(), 1);
                }
                result
            }
            Operator::Window { input, partition, order, functions } => {
                let types = types_of(&plan.nodes[*input].schema);
                let contents = window::window(rows(input), &types, partition, order, functions, &node.step);
                errors = contents.errors;
                contents.rows
            }
            Operator::Union { inputs } => multiset(inputs.iter().flat_map(|(input, negated)| {
                rows(input).into_iter().map(move |(row, n)| (row, if *negated { -n } else { n })).collect::<Vec<_>>()
            })),
            Operator::Unique { input, keys } => {
                let mut result = Multiset::new();
                for (_, rows) in grouped(rows(input), keys) {
                    if rows.iter().map(|(_, n)| n).sum::<i64>() == 1 {
                        rows.into_iter().for_each(|(row, n)| add(&mut result, row, n));
                    } else {
                        let message = "the key stands more than once";
                        rows.into_iter().for_each(|(row, n)| add(&mut errors, failed(row, message, &node.step), n));
                    }
                }
                result
            }
            Operator::Match { input, partition, order, pattern } => {
                let types = types_of(&plan.nodes[*input].schema);
                let contents = pattern::matches(rows(input), &types, partition, order, pattern, &node.step);
                errors = contents.errors;
                contents.rows
            }
            Operator::Sessions { input, keys, time, gap } => {
                time::sessions(rows(input), keys, *time, *gap, &node.schema)
            }
            Operator::Asof { left, right, left_keys, right_keys, left_time, right_time, choice, outer } => {
                let sides = [(rows(left), left_keys, *left_time), (rows(right), right_keys, *right_time)];
                time::asof(sides, *choice, *outer, &node.schema)
            }
            Operator::Flatten { input, column } => {
                let mut result = Multiset::new();
                for (row, count) in rows(input) {
                    for element in super::elements(&row[*column]) {
                        let mut row = row.clone();
                        row[*column] = element;
                        add(&mut result, row, count);
                    }
                }
                result
            }
            Operator::Watermark { .. }
            | Operator::Gate { .. }
            | Operator::Throttle { .. }
            | Operator::Balance { .. }
            | Operator::Dedupe { .. }
            | Operator::Changes { .. }
            | Operator::Hold { .. }
            | Operator::Held { .. } => {
                panic!("what is bound to history is no function of contents")
            }
            Operator::Iterate { inputs: from, body, max } => {
                let given = from.iter().map(|input| nodes[*input].rows.clone()).collect();
                iterate::iterate(body, given, *max, &node.step, &mut errors)
            }
            Operator::Given { .. } | Operator::Unsettled => inputs[&id].clone(),
            Operator::Errors { of } => nodes[*of].errors.clone(),
        };
        nodes.push(Contents { rows: result, errors });
    }
    nodes
}

fn failed(mut row: Row, message: &str, step: &str) -> Row {
    row.extend([super::text(message), super::text(step)]);
    row
}

fn linear(stages: &[Stage], types: &[arrow_schema::DataType], row: &Row) -> Result<Option<Row>, String> {
    let (mut row, mut types) = (row.clone(), types.to_vec());
    for stage in stages {
        let batch = batch(&types, std::slice::from_ref(&row));
        let value = |expr: &tidebook_plan::FlowExpr| {
            let result = expr.physical.evaluate(&batch).and_then(|value| value.into_array(1));
            result.map_err(|error| error.to_string())
        };
        let simple =
            |error: String| if error.contains("ivide by zero") { "division by zero".to_string() } else { error };
        match stage {
            Stage::Filter(expr) => {
                let mask = value(expr).map_err(simple)?;
                if !as_boolean_array(&mask).unwrap().iter().all(|kept| kept == Some(true)) {
                    return Ok(None);
                }
            }
            Stage::Project(exprs) => {
                let columns = exprs.iter().map(value).collect::<Result<Vec<_>, _>>().map_err(simple)?;
                types = columns.iter().map(|column| column.data_type().clone()).collect();
                row = columns.iter().map(|column| ScalarValue::try_from_array(column, 0).unwrap()).collect();
            }
        }
    }
    Ok(Some(row))
}

fn same_key(l: &Row, left: &[usize], r: &Row, right: &[usize], nulls: bool) -> bool {
    left.iter().zip(right).all(|(i, j)| format!("{:?}", l[*i]) == format!("{:?}", r[*j]) && (nulls || !l[*i].is_null()))
}

fn grouped(rows: Vec<(Row, i64)>, keys: &[usize]) -> BTreeMap<String, Vec<(Row, i64)>> {
    let mut groups: BTreeMap<String, Vec<(Row, i64)>> = BTreeMap::new();
    for (row, count) in rows {
        let key: Row = keys.iter().map(|key| row[*key].clone()).collect();
        groups.entry(format!("{key:?}")).or_default().push((row, count));
    }
    groups
}

/// Groups with their keys; without keys always one.
fn with_keys(rows: Vec<(Row, i64)>, keys: &[usize]) -> Vec<(Row, Vec<(Row, i64)>)> {
    let mut groups = grouped(rows, keys);
    if keys.is_empty() && groups.is_empty() {
        groups.insert(String::new(), Vec::new());
    }
    let key = |rows: &[(Row, i64)]| keys.iter().map(|key| rows[0].0[*key].clone()).collect();
    groups.into_values().map(|rows| (key(&rows), rows)).collect()
}

/// The values of a column that are not null, each as often as it stands.
fn expanded(rows: &[(Row, i64)], column: usize) -> Vec<ScalarValue> {
    let there = rows.iter().filter(|(row, _)| !row[column].is_null());
    there.flat_map(|(row, n)| std::iter::repeat_n(row[column].clone(), *n as usize)).collect()
}

fn collect(function: &CollectFunction, values: &[ScalarValue], item: &arrow_schema::DataType) -> ScalarValue {
    let list = |values: &[ScalarValue]| ScalarValue::List(ScalarValue::new_list(values, item, true));
    match function {
        CollectFunction::List => list(values),
        CollectFunction::Set => {
            let mut once: Vec<ScalarValue> = Vec::new();
            for value in values {
                if once.iter().all(|other| format!("{other:?}") != format!("{value:?}")) {
                    once.push(value.clone());
                }
            }
            list(&once)
        }
        CollectFunction::Join(_) if values.is_empty() => ScalarValue::Utf8(None),
        CollectFunction::Join(separator) => {
            let texts = values.iter().map(|value| match value {
                ScalarValue::Utf8(Some(text)) => text.as_str(),
                value => panic!("no text: {value:?}"),
            });
            super::text(&texts.collect::<Vec<_>>().join(separator))
        }
    }
}

fn quantile(values: &[ScalarValue], fraction: f64) -> ScalarValue {
    let number = |value: &ScalarValue| match value {
        ScalarValue::Int64(Some(value)) => *value as f64,
        ScalarValue::Float64(Some(value)) => *value,
        value => panic!("no quantile of {value:?}"),
    };
    let Some(last) = values.len().checked_sub(1) else { return ScalarValue::Float64(None) };
    let place = fraction * last as f64;
    let (low, high) = (number(&values[place as usize]), number(&values[last.min(place.ceil() as usize)]));
    let part = place.fract();
    super::float(match part {
        _ if part == 0.0 || low == high => low,
        _ if low.is_finite() && high.is_finite() && part == 0.5 => low / 2.0 + high / 2.0,
        _ if low.is_finite() && high.is_finite() => low + (high - low) * part,
        _ => low * (1.0 - part) + high * part,
    })
}

fn reduce(
    rows: Vec<(Row, i64)>,
    keys: &[usize],
    aggregates: &[SumAggregate],
    step: &str,
    errors: &mut Multiset,
) -> Multiset {
    let mut result = Multiset::new();
    for (mut row, rows) in with_keys(rows, keys) {
        let values: Result<Vec<_>, _> = aggregates.iter().map(|aggregate| sum(aggregate, &rows)).collect();
        match values {
            Ok(values) => {
                row.extend(values);
                add(&mut result, row, 1);
            }
            Err(message) => add(errors, failed(row, &message, step), 1),
        }
    }
    result
}

fn sum(aggregate: &SumAggregate, rows: &[(Row, i64)]) -> Result<ScalarValue, String> {
    let chosen = rows.iter().filter(|(row, _)| {
        aggregate.filter.is_none_or(|filter| row[filter] == ScalarValue::Boolean(Some(true)))
            && aggregate.input.is_none_or(|input| !row[input].is_null())
    });
    let count: i64 = chosen.clone().map(|(_, n)| n).sum();
    let null = ScalarValue::try_from(&aggregate.output).unwrap();
    match aggregate.function {
        SumFunction::CountRows | SumFunction::Count => return Ok(super::int(count)),
        _ if count == 0 => return Ok(null),
        _ => {}
    }
    let input = aggregate.input.unwrap();
    // What additions of floats round away is kept beside the sum (Knuth's two-sum).
    let (mut ints, mut floats, mut lost, mut is_float) = (0i128, 0f64, 0f64, false);
    for (row, n) in chosen {
        match &row[input] {
            ScalarValue::Int64(Some(value)) => ints += i128::from(*value) * i128::from(*n),
            ScalarValue::Decimal128(Some(value), ..) => ints += value * i128::from(*n),
            ScalarValue::Float64(Some(value)) => {
                is_float = true;
                for _ in 0..*n {
                    let sum = floats + value;
                    let part = sum - floats;
                    lost += (floats - (sum - part)) + (value - part);
                    floats = sum;
                }
            }
            value => panic!("no sum of {value:?}"),
        }
    }
    if matches!(aggregate.function, SumFunction::Variance | SumFunction::StandardDeviation) {
        let values = expanded(&chosen_rows(aggregate, rows), input);
        return Ok(spread(&values, aggregate.function == SumFunction::StandardDeviation));
    }
    Ok(match (aggregate.function, &aggregate.output) {
        (SumFunction::Sum, arrow_schema::DataType::Decimal128(p, s)) => ScalarValue::Decimal128(Some(ints), *p, *s),
        (SumFunction::Sum, _) if !is_float => {
            super::int(i64::try_from(ints).map_err(|_| "integer overflow: sum".to_string())?)
        }
        (SumFunction::Sum, _) => super::float(floats),
        _ if is_float && lost.is_finite() => {
            let (count, mean) = (count as f64, floats / count as f64);
            super::float(mean + ((-mean).mul_add(count, floats) + lost) / count)
        }
        _ if is_float => super::float(floats / count as f64),
        _ => super::float(ints as f64 / count as f64),
    })
}

fn chosen_rows(aggregate: &SumAggregate, rows: &[(Row, i64)]) -> Vec<(Row, i64)> {
    let passes = |row: &Row| aggregate.filter.is_none_or(|filter| row[filter] == ScalarValue::Boolean(Some(true)));
    rows.iter().filter(|(row, _)| passes(row)).cloned().collect()
}

/// Variance or deviation of small whole numbers, in integers up to the last step.
fn spread(values: &[ScalarValue], root: bool) -> ScalarValue {
    let ints = values.iter().map(|value| match value {
        ScalarValue::Int64(Some(value)) => i128::from(*value),
        value => panic!("no variance of {value:?}"),
    });
    let count = values.len() as i128;
    if count < 2 {
        return ScalarValue::Float64(None);
    }
    let (sum, squares) = (ints.clone().sum::<i128>(), ints.map(|value| value * value).sum::<i128>());
    let (above, below) = ((count * squares - sum * sum) as u128, (count * (count - 1)) as u128);
    if !root || above == 0 {
        return super::float(above as f64 / below as f64);
    }
    // The root in units small enough to round by, with one bit more that says whether something is left.
    let shift = above.leading_zeros() & !1;
    let quotient = (above << shift) / below;
    let units = quotient.isqrt();
    let is_exact = units * units == quotient && quotient * below == above << shift;
    super::float((units * 2 + u128::from(!is_exact)) as f64 / 2f64.powi(shift as i32 / 2 + 1))
}

/// By the order, then by all columns.
fn compare(a: &Row, b: &Row, order: &[OrderKey]) -> Ordering {
    for key in order {
        let by = value_order(&a[key.column], &b[key.column]);
        let by = if key.descending { by.reverse() } else { by };
        if by != Ordering::Equal {
            return by;
        }
    }
    a.iter().zip(b).map(|(a, b)| value_order(a, b)).find(|by| *by != Ordering::Equal).unwrap_or(Ordering::Equal)
}

/// Null is larger than every value, NaN larger than every number.
fn value_order(a: &ScalarValue, b: &ScalarValue) -> Ordering {
    match (a.is_null(), b.is_null()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        _ => match (a, b) {
            (ScalarValue::Float64(Some(a)), ScalarValue::Float64(Some(b))) => a.total_cmp(b),
            _ => a.partial_cmp(b).unwrap(),
        },
    }
}
