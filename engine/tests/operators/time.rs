//! Sessions and as-of joins over random rows, with one and two workers.

use std::sync::Arc;

use arrow_schema::{Field, Fields, TimeUnit};
use tidebook_plan::flow::AsofChoice;

use super::*;

fn instant() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, None)
}

/// `k: int?, at: timestamp?, v: int`, changed a few rows at a time.
fn timed_steps(random: &mut Random, steps: usize, span: u64) -> Vec<Vec<Vec<(Row, i64)>>> {
    let mut present: Vec<Row> = Vec::new();
    (0..steps)
        .map(|step| {
            let mut rows = Vec::new();
            let size = if step % 5 == 0 { 30 } else { 4 };
            for _ in 0..size {
                if !present.is_empty() && random.below(9) < 4 {
                    let position = random.below(present.len() as u64) as usize;
                    rows.push((present.swap_remove(position), -1));
                } else {
                    let k = if random.below(12) == 0 { ScalarValue::Int64(None) } else { int(random.below(3) as i64) };
                    let at = (random.below(15) > 0).then(|| random.below(span) as i64 - 5);
                    let row = vec![k, ScalarValue::TimestampMicrosecond(at, None), int(random.below(3) as i64)];
                    present.push(row.clone());
                    rows.push((row, 1));
                }
            }
            vec![rows]
        })
        .collect()
}

fn types() -> Vec<DataType> {
    vec![DataType::Int64, instant(), DataType::Int64]
}

#[test]
fn sessions_merge_and_split() {
    let ends: Fields = vec![Field::new("start", instant(), true), Field::new("end", instant(), true)].into();
    for round in 0..8 {
        let mut random = Random(900 + round);
        let steps = timed_steps(&mut random, 30, [20, 60, 300][round as usize % 3]);
        let mut b = FlowBuilder::default();
        let input = constant(&mut b, &types(), &steps);
        let mut outputs = Vec::new();
        for (keys, gap) in [(vec![0], 3), (vec![], 2), (vec![0, 2], 10), (vec![0], 1)] {
            let mut columns = types();
            columns.push(DataType::Struct(ends.clone()));
            outputs.push(node(&mut b, Operator::Sessions { input, keys, time: 1, gap }, columns));
        }
        check(b.finish(outputs), &[(0, steps)], 1 + (round % 2) as usize);
    }
}

#[test]
fn as_of_joins_find_the_nearest_row() {
    for round in 0..10 {
        let mut random = Random(700 + round);
        let span = [12, 40, 200][round as usize % 3];
        let (left, right) = (timed_steps(&mut random, 24, span), timed_steps(&mut random, 24, span));
        let mut b = FlowBuilder::default();
        let l = constant(&mut b, &types(), &left);
        let r = constant(&mut b, &types(), &right);
        let mut outputs = Vec::new();
        for (keys, time) in [(vec![0], 1), (vec![], 1), (vec![0], 2)] {
            for (forward, strict, outer) in
                [(false, false, false), (false, true, true), (true, false, true), (true, true, false)]
            {
                let mut columns = types();
                columns.extend(types());
                let operator = Operator::Asof {
                    left: l,
                    right: r,
                    left_keys: keys.clone(),
                    right_keys: keys.clone(),
                    left_time: time,
                    right_time: time,
                    choice: AsofChoice { forward, strict },
                    outer,
                };
                outputs.push(node(&mut b, operator, columns));
            }
        }
        check(b.finish(outputs), &[(l, left), (r, right)], 1 + (round % 2) as usize);
    }
}

/// One key whose partition is long: the rows that a change does not concern stay as they are, and matches are found among many.
#[test]
fn a_long_partition_is_followed_row_by_row() {
    let mut random = Random(7);
    let row = |at: i64, v: i64| vec![int(1), ScalarValue::TimestampMicrosecond(Some(at), None), int(v)];
    let mut steps = |size: usize| {
        let mut present: Vec<Row> = Vec::new();
        let mut steps: Vec<Vec<Vec<(Row, i64)>>> = Vec::new();
        for step in 0..12 {
            let mut rows = Vec::new();
            for _ in 0..if step == 0 { size } else { 5 } {
                if step > 0 && random.below(2) == 0 {
                    let position = random.below(present.len() as u64) as usize;
                    rows.push((present.swap_remove(position), -1));
                } else {
                    let new = row(random.below(4_000) as i64, random.below(4) as i64);
                    present.push(new.clone());
                    rows.push((new, 1));
                }
            }
            steps.push(vec![rows]);
        }
        steps
    };
    let (left, right) = (steps(600), steps(200));
    let mut b = FlowBuilder::default();
    let l = constant(&mut b, &types(), &left);
    let r = constant(&mut b, &types(), &right);
    let mut outputs = Vec::new();
    for forward in [false, true] {
        let (choice, keys) = (AsofChoice { forward, strict: false }, vec![0]);
        let mut columns = types();
        columns.extend(types());
        let (left_keys, right_keys) = (keys.clone(), keys);
        let operator = Operator::Asof {
            left: l,
            right: r,
            left_keys,
            right_keys,
            left_time: 1,
            right_time: 1,
            choice,
            outer: true,
        };
        outputs.push(node(&mut b, operator, columns));
    }
    let ends = vec![Field::new("start", instant(), true), Field::new("end", instant(), true)];
    let mut columns = types();
    columns.push(DataType::Struct(ends.into_iter().map(Arc::new).collect()));
    outputs.push(node(&mut b, Operator::Sessions { input: l, keys: vec![0], time: 1, gap: 12 }, columns));
    check(b.finish(outputs), &[(l, left), (r, right)], 2);
}
