//! What a flow plan means, row by row and as slowly as it likes: the reference that plans with and without rules are
//! compared by.

use std::collections::BTreeMap;

use arrow::array::{Array, RecordBatch, RecordBatchOptions};
use datafusion_common::ScalarValue;
use tidebook_plan::flow::{
    CollectFunction, ConstantStep, Frame, JoinKind, Operator, OrderKey, Stage, SumAggregate, SumFunction, WindowCall,
    WindowFunction, positional_schema,
};
use tidebook_plan::{ChangeBatch, FlowExpr, FlowPlan, NodeId};

pub type Row = Vec<ScalarValue>;
/// Rows with how often they stand; never zero. Ordered by their debug text, which is unique enough for scalars.
pub type Rows = BTreeMap<String, (Row, i64)>;

fn add(rows: &mut Rows, row: Row, diff: i64) {
    let text = format!("{row:?}");
    let entry = rows.entry(text.clone()).or_insert((row, 0));
    entry.1 += diff;
    if entry.1 == 0 {
        rows.remove(&text);
    }
}

fn change(rows: &mut Rows, change: &ChangeBatch) {
    for row in 0..change.len() {
        let cells = change.rows.columns().iter().map(|column| ScalarValue::try_from_array(column, row).unwrap());
        add(rows, cells.collect(), change.diff(row));
    }
}

/// Rows and errors of every node.
pub struct Interpreter<'a> {
    plan: &'a FlowPlan,
    /// What the leaves of a body stand for.
    given: &'a [Rows],
    rows: Vec<Rows>,
    errors: Vec<Rows>,
}

/// The rows of each output.
pub fn outputs(plan: &FlowPlan) -> Vec<Rows> {
    outputs_of(plan, &[])
}

fn outputs_of(plan: &FlowPlan, given: &[Rows]) -> Vec<Rows> {
    let mut interpreter = Interpreter { plan, given, rows: vec![], errors: vec![] };
    for node in 0..plan.nodes.len() {
        let (rows, errors) = interpreter.node(node);
        interpreter.rows.push(rows);
        interpreter.errors.push(errors);
    }
    plan.outputs.iter().map(|output| interpreter.rows[*output].clone()).collect()
}

impl Interpreter<'_> {
    fn node(&self, id: NodeId) -> (Rows, Rows) {
        let (mut rows, mut errors) = (Rows::new(), Rows::new());
        let node = &self.plan.nodes[id];
        match &node.operator {
            Operator::Get { .. } => panic!("tests have no sources"),
            Operator::Constant { steps, .. } => {
                for ConstantStep { changes, .. } in steps.iter() {
                    changes.iter().for_each(|batch| change(&mut rows, batch));
                }
            }
            Operator::Linear { input, stages } => {
                for (row, diff) in self.rows[*input].values() {
                    match self.linear(*input, stages, row) {
                        Ok(Some(result)) => add(&mut rows, result, *diff),
                        Ok(None) => {}
                        Err(message) => add(&mut errors, self.failed(row.clone(), &message, &node.step), *diff),
                    }
                }
            }
            Operator::Join { left, right, kind, left_keys, right_keys, null_equals_null } => {
                let width = self.plan.nodes[*right].schema.fields().len();
                for (l, l_diff) in self.rows[*left].values() {
                    let matched = self.matching(*right, l, left_keys, right_keys, *null_equals_null);
                    match kind {
                        JoinKind::Semi if !matched.is_empty() => add(&mut rows, l.clone(), *l_diff),
                        JoinKind::Anti if matched.is_empty() => add(&mut rows, l.clone(), *l_diff),
                        JoinKind::Semi | JoinKind::Anti => {}
                        JoinKind::Left if matched.is_empty() => {
                            let types = self.plan.nodes[*right].schema.fields();
                            let nulls = (0..width).map(|i| ScalarValue::try_from(types[i].data_type()).unwrap());
                            add(&mut rows, l.iter().cloned().chain(nulls).collect(), *l_diff);
                        }
                        JoinKind::Inner | JoinKind::Left => {
                            for (r, r_diff) in matched {
                                add(&mut rows, l.iter().chain(r).cloned().collect(), l_diff * r_diff);
                            }
                        }
                    }
                }
            }
            Operator::Reduce { input, keys, aggregates } => {
                let input: Vec<(Row, i64)> = self.rows[*input].values().cloned().collect();
                self.reduce(id, input, keys, aggregates, &mut rows, &mut errors);
            }
            Operator::ReduceJoin { left, right, left_keys, right_keys, keys, aggregates } => {
                let mut joined = Vec::new();
                for (l, l_diff) in self.rows[*left].values() {
                    for (r, r_diff) in self.matching(*right, l, left_keys, right_keys, false) {
                        joined.push((l.iter().chain(r).cloned().collect(), l_diff * r_diff));
                    }
                }
                let width = self.plan.nodes[*left].schema.fields().len();
                let summed = aggregates.iter().flat_map(|sum| sum.input.iter().chain(&sum.filter));
                assert!(summed.into_iter().all(|column| *column < width), "sums lie in the left input");
                self.reduce(id, joined, keys, aggregates, &mut rows, &mut errors);
            }
            Operator::TopK { input, group, order, offset, limit } => {
                let mut groups: BTreeMap<String, Vec<Row>> = BTreeMap::new();
                for (row, diff) in self.rows[*input].values() {
                    let key: Row = group.iter().map(|column| row[*column].clone()).collect();
                    let group = groups.entry(format!("{key:?}")).or_default();
                    group.extend((0..*diff).map(|_| row.clone()));
                }
                for mut group in groups.into_values() {
                    group.sort_by(|a, b| compare(a, b, order));
                    let kept = group.into_iter().skip(*offset as usize).take(*limit as usize);
                    kept.for_each(|row| add(&mut rows, row, 1));
                }
            }
            Operator::Collect { input, keys, value, order, functions } => {
                for (key, mut members) in grouped(keys, self.rows[*input].values().cloned().collect()) {
                    members.sort_by(|(a, _), (b, _)| compare(a, b, order));
                    let results = functions.iter().map(|function| collected(function, *value, &members));
                    add(&mut rows, key.into_iter().chain(results).collect(), 1);
                }
            }
            Operator::Quantile { input, keys, value, fractions } => {
                for (key, members) in grouped(keys, self.rows[*input].values().cloned().collect()) {
                    let results = fractions.iter().map(|fraction| quantile(fraction.value(), *value, &members));
                    add(&mut rows, key.into_iter().chain(results).collect(), 1);
                }
            }
            Operator::Window { input, partition, order, functions } => {
                for (_, mut members) in grouped(partition, self.rows[*input].values().cloned().collect()) {
                    members.sort_by(|(a, _), (b, _)| compare(a, b, order));
                    let all: Vec<Row> =
                        members.into_iter().flat_map(|(row, n)| std::iter::repeat_n(row, n as usize)).collect();
                    for (at, row) in all.iter().enumerate() {
                        match functions.iter().map(|call| windowed(call, &all, at)).collect::<Result<Vec<_>, _>>() {
                            Ok(values) => add(&mut rows, row.iter().cloned().chain(values).collect(), 1),
                            Err(message) => add(&mut errors, self.failed(row.clone(), &message, &node.step), 1),
                        }
                    }
                }
            }
            Operator::Union { inputs } => {
                for (input, negated) in inputs {
                    for (row, diff) in self.rows[*input].values() {
                        add(&mut rows, row.clone(), if *negated { -diff } else { *diff });
                    }
                }
            }
            Operator::Unique { input, keys } => {
                let mut counts: BTreeMap<String, i64> = BTreeMap::new();
                let key = |row: &Row| format!("{:?}", keys.iter().map(|key| &row[*key]).collect::<Vec<_>>());
                for (row, diff) in self.rows[*input].values() {
                    *counts.entry(key(row)).or_default() += diff;
                }
                for (row, diff) in self.rows[*input].values() {
                    if counts[&key(row)] == 1 {
                        add(&mut rows, row.clone(), *diff);
                    } else {
                        add(&mut errors, self.failed(row.clone(), "key", &node.step), *diff);
                    }
                }
            }
            Operator::Flatten { input, column } => {
                for (row, diff) in self.rows[*input].values() {
                    let ScalarValue::List(list) = &row[*column] else { panic!("a list, not {:?}", row[*column]) };
                    let count = if list.is_null(0) { 0 } else { list.value(0).len() };
                    for place in 0..count {
                        let mut row = row.clone();
                        row[*column] = ScalarValue::try_from_array(&list.value(0), place).unwrap();
                        add(&mut rows, row, *diff);
                    }
                }
            }
            Operator::Sessions { .. } | Operator::Asof { .. } | Operator::Match { .. } => {
                panic!("no test of the rules has them")
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
            Operator::Iterate { inputs, body, max } => {
                let mut given: Vec<Rows> = inputs.iter().map(|input| self.rows[*input].clone()).collect();
                for _ in 0..max.unwrap_or(100) {
                    let mut round = outputs_of(body, &given).into_iter();
                    let before = std::mem::replace(&mut given[0], round.next().unwrap());
                    errors = round.next().unwrap_or_default();
                    if before == given[0] {
                        break;
                    }
                }
                rows = given.swap_remove(0);
            }
            Operator::Given { index } => rows = self.given[*index].clone(),
            // The loops of the tests settle.
            Operator::Unsettled => {}
            Operator::Errors { of } => rows = self.errors[*of].clone(),
        }
        (rows, errors)
    }

    fn failed(&self, mut row: Row, message: &str, step: &str) -> Row {
        row.extend([ScalarValue::from(message), ScalarValue::from(step)]);
        row
    }

    /// One row through the stages.
    fn linear(&self, input: NodeId, stages: &[Stage], row: &Row) -> Result<Option<Row>, String> {
        let mut row = row.clone();
        let mut types: Vec<_> =
            self.plan.nodes[input].schema.fields().iter().map(|field| field.data_type().clone()).collect();
        for stage in stages {
            let columns =
                row.iter().zip(&types).map(|(cell, ty)| cell.cast_to(ty).unwrap().to_array().unwrap()).collect();
            let options = RecordBatchOptions::new().with_row_count(Some(1));
            let batch = RecordBatch::try_new_with_options(positional_schema(&types), columns, &options).unwrap();
            let value = |expr: &FlowExpr| {
                let array = expr.physical.evaluate(&batch).and_then(|value| value.into_array(1));
                let array = array.map_err(|error| crate::functions::row_error_text(&error));
                assert!(expr.fallible || array.is_ok(), "{} fails: {array:?}", expr.physical);
                array.map(|array| ScalarValue::try_from_array(&array, 0).unwrap())
            };
            match stage {
                Stage::Filter(expr) => {
                    if value(expr)? != ScalarValue::Boolean(Some(true)) {
                        return Ok(None);
                    }
                }
                Stage::Project(exprs) => {
                    row = exprs.iter().map(value).collect::<Result<_, _>>()?;
                    types = row.iter().map(ScalarValue::data_type).collect();
                }
            }
        }
        Ok(Some(row))
    }

    fn matching(&self, right: NodeId, l: &Row, l_keys: &[usize], r_keys: &[usize], nulls: bool) -> Vec<(&Row, i64)> {
        let equal = |r: &Row| {
            l_keys.iter().zip(r_keys).all(|(l_key, r_key)| {
                let (l, r) = (&l[*l_key], &r[*r_key]);
                if l.is_null() || r.is_null() { nulls && l.is_null() && r.is_null() } else { l == r }
            })
        };
        self.rows[right].values().filter(|(r, _)| equal(r)).map(|(r, diff)| (r, *diff)).collect()
    }

    fn reduce(
        &self,
        id: NodeId,
        input: Vec<(Row, i64)>,
        keys: &[usize],
        aggregates: &[SumAggregate],
        rows: &mut Rows,
        errors: &mut Rows,
    ) {
        for (key, members) in grouped(keys, input) {
            let results: Result<Vec<_>, String> = aggregates.iter().map(|sum| total(sum, &members)).collect();
            match results {
                Ok(results) => add(rows, key.into_iter().chain(results).collect(), 1),
                Err(message) => add(errors, self.failed(key, &message, &self.plan.nodes[id].step), 1),
            }
        }
    }
}

/// Keys and members of each group; without keys always one.
fn grouped(keys: &[usize], input: Vec<(Row, i64)>) -> impl Iterator<Item = (Row, Vec<(Row, i64)>)> {
    let mut groups: BTreeMap<String, (Row, Vec<(Row, i64)>)> = BTreeMap::new();
    if keys.is_empty() {
        groups.insert(String::new(), (vec![], vec![]));
    }
    for (row, diff) in input {
        let key: Row = keys.iter().map(|key| row[*key].clone()).collect();
        let text = if keys.is_empty() { String::new() } else { format!("{key:?}") };
        groups.entry(text).or_insert((key, vec![])).1.push((row, diff));
    }
    groups.into_values()
}

/// The functions that rules might see a difference in; the engine's own tests know all of them.
fn windowed(call: &WindowCall, all: &[Row], at: usize) -> Result<ScalarValue, String> {
    match &call.function {
        WindowFunction::RowNumber => Ok(ScalarValue::Int64(Some(at as i64 + 1))),
        WindowFunction::Neighbour { value, offset, default: None } => {
            let other = usize::try_from(at as i64 + offset).ok().and_then(|place| all.get(place));
            Ok(other.map_or(ScalarValue::Int64(None), |row| row[*value].clone()))
        }
        WindowFunction::Sum { sum, frame } => {
            let inside = match frame {
                Frame::Partition => all,
                Frame::Rows(count) => &all[(at + 1).saturating_sub(*count as usize)..=at],
                other => panic!("no test has a frame {other}"),
            };
            total(sum, &inside.iter().map(|row| (row.clone(), 1)).collect::<Vec<_>>())
        }
        other => panic!("no test has {other}"),
    }
}

fn collected(function: &CollectFunction, value: usize, members: &[(Row, i64)]) -> ScalarValue {
    let there = members.iter().filter(|(row, _)| !row[value].is_null());
    let all = there.flat_map(|(row, diff)| std::iter::repeat_n(row[value].clone(), *diff as usize));
    let mut values: Vec<ScalarValue> = all.collect();
    if *function == CollectFunction::Set {
        let mut seen = std::collections::HashSet::new();
        values.retain(|value| seen.insert(value.clone()));
    }
    assert!(!matches!(function, CollectFunction::Join(_)), "tests have no texts");
    ScalarValue::List(ScalarValue::new_list(&values, &arrow::datatypes::DataType::Int64, true))
}

fn quantile(fraction: f64, value: usize, members: &[(Row, i64)]) -> ScalarValue {
    let mut values: Vec<i64> = Vec::new();
    for (row, diff) in members {
        if let ScalarValue::Int64(Some(value)) = row[value] {
            values.extend(std::iter::repeat_n(value, *diff as usize));
        }
    }
    values.sort_unstable();
    let Some(last) = values.len().checked_sub(1) else { return ScalarValue::Float64(None) };
    let place = fraction * last as f64;
    let (low, high) = (values[place.floor() as usize], values[(place.ceil() as usize).min(last)]);
    let way = (i128::from(high) - i128::from(low)) as f64;
    ScalarValue::Float64(Some(low as f64 + way * (place - place.floor())))
}

fn total(sum: &SumAggregate, members: &[(Row, i64)]) -> Result<ScalarValue, String> {
    let counted = members.iter().filter(|(row, _)| match sum.filter {
        Some(filter) => row[filter] == ScalarValue::Boolean(Some(true)),
        None => true,
    });
    let Some(input) = sum.input else {
        return Ok(ScalarValue::Int64(Some(counted.map(|(_, diff)| diff).sum())));
    };
    let values: Vec<_> =
        counted.filter(|(row, _)| !row[input].is_null()).map(|(row, diff)| (&row[input], *diff)).collect();
    let count: i64 = values.iter().map(|(_, diff)| diff).sum();
    let integers = || {
        values.iter().map(|(value, diff)| match value {
            ScalarValue::Int64(Some(value)) => i128::from(*value) * i128::from(*diff),
            other => panic!("tests sum ints, not {other:?}"),
        })
    };
    Ok(match sum.function {
        SumFunction::CountRows | SumFunction::Count => ScalarValue::Int64(Some(count)),
        SumFunction::Sum if count == 0 => ScalarValue::Int64(None),
        SumFunction::Sum => {
            let total: i128 = integers().sum();
            ScalarValue::Int64(Some(i64::try_from(total).map_err(|_| "integer overflow: sum".to_string())?))
        }
        SumFunction::Avg if count == 0 => ScalarValue::Float64(None),
        SumFunction::Avg => ScalarValue::Float64(Some(integers().sum::<i128>() as f64 / count as f64)),
        SumFunction::Variance | SumFunction::StandardDeviation if count < 2 => ScalarValue::Float64(None),
        SumFunction::Variance | SumFunction::StandardDeviation => {
            let mean = integers().sum::<i128>() as f64 / count as f64;
            let square = |(value, diff): &(&ScalarValue, i64)| match value {
                ScalarValue::Int64(Some(value)) => (*value as f64 - mean).powi(2) * *diff as f64,
                other => panic!("tests sum ints, not {other:?}"),
            };
            let variance = values.iter().map(square).sum::<f64>() / (count - 1) as f64;
            let variance = if sum.function == SumFunction::Variance { variance } else { variance.sqrt() };
            ScalarValue::Float64(Some(variance))
        }
    })
}

fn compare(a: &Row, b: &Row, order: &[OrderKey]) -> std::cmp::Ordering {
    let cells = |column: usize| {
        let (a, b) = (&a[column], &b[column]);
        match (a.is_null(), b.is_null()) {
            (true, true) => std::cmp::Ordering::Equal,
            (true, false) => std::cmp::Ordering::Greater,
            (false, true) => std::cmp::Ordering::Less,
            (false, false) => a.partial_cmp(b).unwrap(),
        }
    };
    let named = order.iter().map(|key| if key.descending { cells(key.column).reverse() } else { cells(key.column) });
    let rest = (0..a.len()).filter(|column| order.iter().all(|key| key.column != *column)).map(cells);
    named.chain(rest).find(|ordering| ordering.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
}
