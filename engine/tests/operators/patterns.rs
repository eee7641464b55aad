//! Event patterns over random rows, with one and two workers.

use std::sync::Arc;

use arrow_schema::Field;
use tidebook_plan::FlowExpr;
use tidebook_plan::flow::{MatchElement, MatchGive, Pattern};

use super::*;

/// `k: int, at: int?, x: int?`
fn types() -> Vec<DataType> {
    vec![DataType::Int64; 3]
}

/// `size` rows at first and a few changes in each later step, times up to `span`.
fn steps(random: &mut Random, count: usize, size: usize, keys: u64, span: u64) -> Vec<Vec<Vec<(Row, i64)>>> {
    let mut present: Vec<Row> = Vec::new();
    (0..count)
        .map(|step| {
            let mut rows = Vec::new();
            for _ in 0..if step == 0 { size } else { 4 } {
                if step > 0 && !present.is_empty() && random.below(9) < 4 {
                    let position = random.below(present.len() as u64) as usize;
                    rows.push((present.swap_remove(position), -1));
                } else {
                    let maybe = |random: &mut Random, value: i64| {
                        if random.below(25) == 0 { ScalarValue::Int64(None) } else { int(value) }
                    };
                    let (at, x) = (random.below(span) as i64, random.below(5) as i64);
                    let row = vec![int(random.below(keys) as i64), maybe(random, at), maybe(random, x)];
                    present.push(row.clone());
                    rows.push((row, 1));
                }
            }
            vec![rows]
        })
        .collect()
}

/// Patterns whose conditions read their row alone, earlier elements, their own element, and may fail.
fn patterns() -> Vec<Pattern> {
    let element = |least, most, condition: FlowExpr, alone| MatchElement { least, most, condition, alone };
    let x = || column(2);
    let at_least = |value: i64| sound(binary(x(), Binary::GtEq, literal(int(value))));
    let is = |value: i64| sound(binary(x(), Binary::Eq, literal(int(value))));
    let anything = || sound(literal(ScalarValue::Boolean(Some(true))));
    let more_than_first = sound(binary(x(), Binary::Gt, column(3)));
    let own = sound(binary(column(4), Binary::IsDistinctFrom, x()));
    let divides = fallible(binary(binary(literal(int(4)), Binary::Divide, x()), Binary::Gt, literal(int(1))));
    let gives = |count: usize| {
        (0..count)
            .flat_map(|element| {
                [
                    MatchGive::Count { element },
                    MatchGive::Last { element, column: 1 },
                    MatchGive::All { element, column: 2 },
                ]
            })
            .collect::<Vec<_>>()
    };
    let reads = vec![(0, 2), (1, 2)];
    let pattern = |elements: Vec<MatchElement>, within| {
        let gives = gives(elements.len());
        Pattern { elements, reads: reads.clone(), within, gives }
    };
    vec![
        pattern(vec![element(1, Some(1), is(1), true), element(1, None, more_than_first, false)], None),
        pattern(vec![element(1, None, at_least(2), true), element(1, Some(1), at_least(3), true)], Some((1, 9))),
        pattern(
            vec![element(0, Some(1), is(0), true), element(0, None, own, false), element(2, Some(2), is(2), true)],
            None,
        ),
        pattern(vec![element(1, Some(1), divides, true), element(0, None, at_least(3), true)], Some((1, 30))),
        pattern(vec![element(2, Some(3), anything(), true), element(0, Some(1), is(4), true)], None),
    ]
}

fn check_patterns(steps: Vec<Vec<Vec<(Row, i64)>>>, workers: usize) {
    let mut b = FlowBuilder::default();
    let input = constant(&mut b, &types(), &steps);
    let mut outputs = Vec::new();
    for pattern in patterns() {
        for partition in [vec![0], vec![]] {
            let mut columns: Vec<DataType> = partition.iter().map(|_| DataType::Int64).collect();
            for _ in &pattern.elements {
                let list = DataType::List(Arc::new(Field::new("item", DataType::Int64, true)));
                columns.extend([DataType::Int64, DataType::Int64, list]);
            }
            let order = vec![OrderKey { column: 1, descending: false }];
            let pattern = pattern.clone();
            let found = node(&mut b, Operator::Match { input, partition, order, pattern }, columns);
            let mut failed = types();
            failed.extend([DataType::Utf8, DataType::Utf8]);
            outputs.extend([found, node(&mut b, Operator::Errors { of: found }, failed)]);
        }
    }
    check(b.finish(outputs), &[(0, steps)], workers);
}

#[test]
fn matches_follow_every_change() {
    for round in 0..6 {
        let mut random = Random(300 + round);
        let span = [8, 60, 400][round as usize % 3];
        check_patterns(steps(&mut random, 20, 40, 3, span), 1 + (round % 2) as usize);
    }
}

/// A partition so long that cuts of it are kept.
#[test]
fn a_long_partition_is_searched_around_its_changes() {
    for round in 0..2 {
        let mut random = Random(40 + round);
        check_patterns(steps(&mut random, 10, 3_000, 1, 9_000), 1);
    }
}
