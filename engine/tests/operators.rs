//! Every operator against its naive meaning, at every epoch, on random changes.

#[path = "operators/patterns.rs"]
mod patterns;
mod support;
#[path = "operators/time.rs"]
mod time;
#[path = "operators/windows.rs"]
mod windows;

use std::collections::HashMap;

use arrow_schema::DataType;
use datafusion_common::ScalarValue;
use datafusion_expr::Operator as Binary;
use support::*;
use tidebook_plan::NodeId;
use tidebook_plan::Span;
use tidebook_plan::flow::{
    CollectFunction, FlowBuilder, FlowPlan, Fraction, JoinKind, Operator, OrderKey, Stage, SumFunction,
};

/// `k: int?, t: text?, v: float?, n: int?, flag: bool?`
fn types() -> Vec<DataType> {
    vec![DataType::Int64, DataType::Utf8, DataType::Float64, DataType::Int64, DataType::Boolean]
}

fn random_row(random: &mut Random) -> Row {
    let null = |ty: &DataType| ScalarValue::try_from(ty).expect("a null");
    let value = |random: &mut Random, value: ScalarValue| {
        if random.below(8) == 0 { null(&value.data_type()) } else { value }
    };
    let k = int(random.below(5) as i64);
    let t = text(random.pick(&["", "a", "é", "long text that does not fit into one block"]));
    let v = float(random.pick(&[0.25, -1.5, 3.0, f64::NAN, f64::INFINITY, 1e300]));
    let n = int(random.pick(&[0, 1, -3, 7]));
    let flag = ScalarValue::Boolean(Some(random.below(2) == 0));
    [k, t, v, n, flag].into_iter().map(|v| value(random, v)).collect()
}

/// Steps that insert, take back, and insert and take back at once.
fn random_steps(random: &mut Random, steps: usize) -> Vec<Vec<Vec<(Row, i64)>>> {
    let mut present: Vec<Row> = Vec::new();
    (0..steps)
        .map(|_| {
            (0..random.below(3) + 1)
                .map(|_| {
                    let mut rows = Vec::new();
                    for _ in 0..random.below(12) {
                        if !present.is_empty() && random.below(5) < 2 {
                            let position = random.below(present.len() as u64) as usize;
                            rows.push((present.swap_remove(position), -1));
                        } else if random.below(6) == 0 {
                            let row = random_row(random);
                            rows.extend([(row.clone(), 2), (row, -2)]);
                        } else {
                            let row = random_row(random);
                            present.push(row.clone());
                            rows.push((row, 1));
                        }
                    }
                    rows
                })
                .collect()
        })
        .collect()
}

/// Installs a plan and compares all its outputs with the naive meaning after every step.
fn check(plan: FlowPlan, tables: &[(NodeId, Vec<Vec<Vec<(Row, i64)>>>)], workers: usize) {
    let engine = engine(workers);
    let mut plan_with_ticks = plan.clone();
    // A table that gets one row a step says which epoch is which step.
    let count = tables.iter().map(|(_, steps)| steps.len()).max().unwrap_or(0);
    let mut ticks = FlowBuilder::default();
    let steps: Vec<_> = (0..count).map(|i| vec![vec![(vec![int(i as i64)], 1)]]).collect();
    let tick = constant(&mut ticks, &[DataType::Int64], &steps);
    let mut tick_plan = ticks.finish(vec![tick]);
    plan_with_ticks.nodes.append(&mut tick_plan.nodes);
    plan_with_ticks.outputs.push(plan_with_ticks.nodes.len() - 1);
    let outputs = plan.outputs.len();

    let program = engine.install(vec![plan_with_ticks]).expect("installed").remove(0);
    let mut follower = Follower::new(program, outputs + 1);
    let mut step = 0;
    let mut inputs: HashMap<NodeId, Multiset> = tables.iter().map(|(node, _)| (*node, Multiset::new())).collect();
    while step < count {
        for epoch in follower.closed_epochs() {
            follower.apply_epoch(epoch);
            assert_eq!(follower.ports[outputs].len(), step + 1, "every step has an epoch of its own");
            for (node, steps) in tables {
                let input = inputs.get_mut(node).expect("a table");
                for (row, diff) in steps.get(step).into_iter().flatten().flatten() {
                    add(input, row.clone(), *diff);
                }
            }
            let expected = naive::evaluate(&plan, &inputs);
            for (port, node) in plan.outputs.iter().enumerate() {
                assert_eq!(
                    listed(&follower.ports[port]),
                    listed(&expected[*node].rows),
                    "port {port} after step {step} with {workers} workers of\n{plan}"
                );
            }
            step += 1;
        }
        if step < count {
            assert!(follower.step(deadline()), "no event after step {step} of\n{plan}");
        }
    }
    while !follower.ended {
        assert!(follower.step(deadline()), "constants end");
    }
    assert!(follower.closed_epochs().is_empty(), "nothing comes after the last step");
    engine.shutdown();
}

/// The steps without what they take back.
fn growing_steps(random: &mut Random, steps: usize) -> Vec<Vec<Vec<(Row, i64)>>> {
    let mut steps = random_steps(random, steps);
    steps.iter_mut().flatten().for_each(|rows| rows.retain(|(_, diff)| *diff > 0));
    steps
}

/// Runs a plan over two random tables with one and two workers.
fn check_random(seed: u64, build: impl Fn(&mut FlowBuilder, NodeId, NodeId) -> Vec<NodeId>) {
    check_steps(seed, random_steps, build);
}

fn check_steps(
    seed: u64,
    steps: impl Fn(&mut Random, usize) -> Vec<Vec<Vec<(Row, i64)>>>,
    build: impl Fn(&mut FlowBuilder, NodeId, NodeId) -> Vec<NodeId>,
) {
    for round in 0..6 {
        let mut random = Random(seed * 1_000 + round + 1);
        let (left, right) = (steps(&mut random, 8), steps(&mut random, 8));
        let mut builder = FlowBuilder::default();
        let l = constant(&mut builder, &types(), &left);
        let r = constant(&mut builder, &types(), &right);
        let outputs = build(&mut builder, l, r);
        let (left_id, right_id) = (builder.node(l).fingerprint, builder.node(r).fingerprint);
        let plan = builder.finish(outputs);
        let mut tables = Vec::new();
        for (fingerprint, steps) in [(left_id, left), (right_id, right)] {
            if let Some(node) = plan.nodes.iter().position(|node| node.fingerprint == fingerprint) {
                tables.push((node, steps));
            }
        }
        check(plan, &tables, 1 + (round % 2) as usize);
    }
}

fn node(builder: &mut FlowBuilder, operator: Operator, types: Vec<DataType>) -> NodeId {
    let step = operator.name();
    builder.add(operator, types, Span::default(), step)
}

fn errors(builder: &mut FlowBuilder, of: NodeId) -> NodeId {
    let mut types = builder.types(of);
    types.extend([DataType::Utf8, DataType::Utf8]);
    node(builder, Operator::Errors { of }, types)
}

#[test]
fn linear_stages_filter_project_and_fail_by_row() {
    check_random(1, |b, l, _| {
        let quotient = fallible(binary(literal(int(12)), Binary::Divide, column(3)));
        let divide = Stage::Project(vec![sound(column(0)), quotient, sound(column(4))]);
        let positive = Stage::Filter(sound(binary(column(1), Binary::Gt, literal(int(0)))));
        let swap = Stage::Project(vec![sound(column(1)), sound(column(0))]);
        let stages = vec![divide, positive, swap];
        let rows = node(b, Operator::Linear { input: l, stages }, vec![DataType::Int64, DataType::Int64]);
        let mut error_types = types();
        error_types.extend([DataType::Utf8, DataType::Utf8]);
        let failed = node(b, Operator::Errors { of: rows }, error_types);
        let fails = binary(binary(literal(int(1)), Binary::Divide, literal(int(0))), Binary::Eq, literal(int(1)));
        let never = node(b, Operator::Linear { input: l, stages: vec![Stage::Filter(fallible(fails))] }, types());
        let all_fail = errors(b, never);
        vec![rows, failed, never, all_fail]
    });
}

#[test]
fn joins_of_all_kinds() {
    check_random(2, |b, l, r| {
        let mut outputs = Vec::new();
        for (keys, nulls) in [(vec![0], false), (vec![0], true), (vec![1, 3], false), (vec![2], false)] {
            for kind in [JoinKind::Inner, JoinKind::Left, JoinKind::Semi, JoinKind::Anti] {
                let mut columns = types();
                if matches!(kind, JoinKind::Inner | JoinKind::Left) {
                    columns.extend(types());
                }
                let operator = Operator::Join {
                    left: l,
                    right: r,
                    kind,
                    left_keys: keys.clone(),
                    right_keys: keys.clone(),
                    null_equals_null: nulls,
                };
                outputs.push(node(b, operator, columns));
            }
        }
        outputs
    });
}

#[test]
fn a_join_of_a_table_with_itself_and_with_everything() {
    check_random(3, |b, l, r| {
        let mut columns = types();
        columns.extend(types());
        let join = |left, right, left_keys, right_keys| Operator::Join {
            left,
            right,
            kind: JoinKind::Inner,
            left_keys,
            right_keys,
            null_equals_null: false,
        };
        let own = node(b, join(l, l, vec![0], vec![3]), columns.clone());
        let same = node(b, join(l, l, vec![0], vec![0]), columns.clone());
        let cross = node(b, join(l, r, vec![], vec![]), columns);
        vec![own, same, cross]
    });
}

#[test]
fn sums_by_every_kind_of_key() {
    check_random(4, |b, l, _| {
        let mut aggregates = vec![
            aggregate(SumFunction::CountRows, None, DataType::Int64),
            aggregate(SumFunction::Count, Some(1), DataType::Int64),
            aggregate(SumFunction::Sum, Some(3), DataType::Int64),
            aggregate(SumFunction::Avg, Some(3), DataType::Float64),
            aggregate(SumFunction::Sum, Some(2), DataType::Float64),
            aggregate(SumFunction::Avg, Some(2), DataType::Float64),
            aggregate(SumFunction::Variance, Some(3), DataType::Float64),
            aggregate(SumFunction::StandardDeviation, Some(3), DataType::Float64),
        ];
        for plain in aggregates.clone() {
            let mut filtered = plain;
            filtered.filter = Some(4);
            aggregates.push(filtered);
        }
        let mut outputs = Vec::new();
        for keys in [vec![], vec![0], vec![1], vec![2], vec![4], vec![0, 1]] {
            let mut columns: Vec<_> = keys.iter().map(|key| types()[*key].clone()).collect();
            columns.extend(aggregates.iter().map(|aggregate| aggregate.output.clone()));
            outputs.push(node(b, Operator::Reduce { input: l, keys, aggregates: aggregates.clone() }, columns));
        }
        let distinct = Operator::Reduce { input: l, keys: vec![0, 1, 2, 3, 4], aggregates: vec![] };
        outputs.push(node(b, distinct, types()));
        outputs
    });
}

#[test]
fn sums_over_joins_formed_below_them() {
    check_random(5, |b, l, r| {
        let aggregates = vec![
            aggregate(SumFunction::CountRows, None, DataType::Int64),
            aggregate(SumFunction::Sum, Some(3), DataType::Int64),
            aggregate(SumFunction::Avg, Some(2), DataType::Float64),
        ];
        let mut outputs = Vec::new();
        for keys in [vec![], vec![0], vec![6], vec![1, 6], vec![5, 4, 9], vec![0, 5, 1, 1]] {
            let both: Vec<_> = types().into_iter().chain(types()).collect();
            let mut columns: Vec<_> = keys.iter().map(|key: &usize| both[*key].clone()).collect();
            columns.extend(aggregates.iter().map(|aggregate| aggregate.output.clone()));
            let operator = Operator::ReduceJoin {
                left: l,
                right: r,
                left_keys: vec![0],
                right_keys: vec![0],
                keys,
                aggregates: aggregates.clone(),
            };
            outputs.push(node(b, operator, columns));
        }
        outputs
    });
}

/// First rows of the groups of a table in several orders.
fn first_rows(b: &mut FlowBuilder, input: NodeId) -> Vec<NodeId> {
    let key = |column, descending| OrderKey { column, descending };
    let orders = [vec![], vec![key(2, false)], vec![key(2, true)], vec![key(1, true), key(3, false)]];
    let mut outputs = Vec::new();
    for (i, order) in orders.into_iter().enumerate() {
        for (group, offset, limit) in [(vec![], 0, 3), (vec![0], 0, 1), (vec![0], 1, 2), (vec![1], 2, u64::MAX)] {
            let limit = if limit == u64::MAX && i == 0 { 1_000 } else { limit };
            let operator = Operator::TopK { input, group, order: order.clone(), offset, limit: limit.min(1_000) };
            outputs.push(node(b, operator, types()));
        }
    }
    outputs
}

#[test]
fn first_rows_of_groups_in_every_order() {
    check_random(6, |b, l, _| first_rows(b, l));
}

#[test]
fn first_rows_of_what_only_grows() {
    check_steps(11, growing_steps, |b, l, r| {
        let mut outputs = first_rows(b, l);
        let once = Operator::Reduce { input: r, keys: (0..5).collect(), aggregates: vec![] };
        let once = node(b, once, types());
        let pairs = Operator::Join {
            left: l,
            right: once,
            kind: JoinKind::Semi,
            left_keys: vec![0],
            right_keys: vec![0],
            null_equals_null: true,
        };
        let pairs = node(b, pairs, types());
        let all = node(b, Operator::Union { inputs: vec![(pairs, false), (once, false)] }, types());
        outputs.extend(first_rows(b, all));
        outputs
    });
}

#[test]
fn values_of_groups_put_together() {
    check_random(9, |b, l, _| {
        let key = |column, descending| OrderKey { column, descending };
        let list = |ty: DataType| DataType::List(std::sync::Arc::new(arrow_schema::Field::new("item", ty, true)));
        let mut outputs = Vec::new();
        for value in [1, 2, 3, 4] {
            for order in [vec![], vec![key(0, false)], vec![key(3, true), key(2, false)]] {
                for keys in [vec![], vec![0], vec![1, 4]] {
                    if keys.contains(&value) {
                        continue;
                    }
                    let ty = types()[value].clone();
                    let mut functions = vec![CollectFunction::List, CollectFunction::Set];
                    let mut columns: Vec<_> = keys.iter().map(|key| types()[*key].clone()).collect();
                    columns.extend([list(ty.clone()), list(ty.clone())]);
                    if ty == DataType::Utf8 {
                        functions.push(CollectFunction::Join(", ".to_string()));
                        columns.push(ty);
                    }
                    let collect = Operator::Collect { input: l, keys, value, order: order.clone(), functions };
                    outputs.push(node(b, collect, columns));
                }
            }
        }
        outputs
    });
}

#[test]
fn quantiles_of_groups() {
    check_random(10, |b, l, _| {
        let mut outputs = Vec::new();
        for value in [2, 3] {
            for keys in [vec![], vec![0], vec![1, 4]] {
                let places: Vec<usize> = keys.iter().chain([&value]).copied().collect();
                let narrow = Stage::Project(places.iter().map(|place| sound(column(*place))).collect());
                let columns: Vec<_> = places.iter().map(|place| types()[*place].clone()).collect();
                let input = node(b, Operator::Linear { input: l, stages: vec![narrow] }, columns.clone());
                let fractions: Vec<Fraction> = [0.5, 0.0, 1.0, 0.3].into_iter().filter_map(Fraction::new).collect();
                let mut results = columns[..keys.len()].to_vec();
                results.extend(vec![DataType::Float64; fractions.len()]);
                let value = keys.len();
                let quantile = Operator::Quantile { input, keys: (0..value).collect(), value, fractions };
                outputs.push(node(b, quantile, results));
            }
        }
        outputs
    });
}

/// A group that is large enough for its ranks to be kept, and then small again.
#[test]
fn quantiles_of_a_large_group_follow_its_changes() {
    let mut random = Random(77);
    let row = |value: i64| vec![int(1), int(value)];
    let mut present: Vec<i64> = Vec::new();
    let mut steps = Vec::new();
    for step in 0..40 {
        let mut rows = Vec::new();
        let size = if step == 0 { 6_000 } else { 300 };
        for _ in 0..size {
            let goes = step > 20 && !present.is_empty() && random.below(4) > 0;
            if goes {
                let position = random.below(present.len() as u64) as usize;
                rows.push((row(present.swap_remove(position)), -1));
            } else {
                let value = if step % 3 == 0 { random.below(20_000) as i64 } else { 30_000 + step };
                present.push(value);
                rows.push((row(value), 1));
            }
        }
        steps.push(vec![rows]);
    }
    let everything: Vec<_> = present.drain(..).map(|value| (row(value), -1)).collect();
    steps.push(vec![everything]);
    let mut b = FlowBuilder::default();
    let input = constant(&mut b, &[DataType::Int64, DataType::Int64], &steps);
    let fractions: Vec<Fraction> = [0.5, 0.01, 0.999].into_iter().filter_map(Fraction::new).collect();
    let quantile = Operator::Quantile { input, keys: vec![0], value: 1, fractions };
    let mut columns = vec![DataType::Int64];
    columns.extend(vec![DataType::Float64; 3]);
    let quantiles = node(&mut b, quantile, columns);
    check(b.finish(vec![quantiles]), &[(0, steps)], 1);
}

#[test]
fn unions_and_keys_that_must_stand_once() {
    check_random(7, |b, l, r| {
        let union = node(b, Operator::Union { inputs: vec![(l, false), (r, false), (l, false)] }, types());
        let both = node(b, Operator::Union { inputs: vec![(l, false), (r, false), (r, true)] }, types());
        let unique = node(b, Operator::Unique { input: l, keys: vec![0, 1] }, types());
        let shared = errors(b, unique);
        let none = errors(b, union);
        vec![union, both, unique, shared, none]
    });
}

#[test]
fn a_stack_of_operators() {
    check_random(8, |b, l, r| {
        let mut columns = types();
        columns.extend(types());
        let join = Operator::Join {
            left: l,
            right: r,
            kind: JoinKind::Left,
            left_keys: vec![0],
            right_keys: vec![0],
            null_equals_null: false,
        };
        let joined = node(b, join, columns);
        let aggregates = vec![aggregate(SumFunction::Sum, Some(8), DataType::Int64)];
        let by = Operator::Reduce { input: joined, keys: vec![1], aggregates };
        let sums = node(b, by, vec![DataType::Utf8, DataType::Int64]);
        let order = vec![OrderKey { column: 1, descending: true }];
        let top = Operator::TopK { input: sums, group: vec![], order, offset: 0, limit: 2 };
        let top = node(b, top, vec![DataType::Utf8, DataType::Int64]);
        let anti = Operator::Join {
            left: sums,
            right: top,
            kind: JoinKind::Anti,
            left_keys: vec![0],
            right_keys: vec![0],
            null_equals_null: true,
        };
        let rest = node(b, anti, vec![DataType::Utf8, DataType::Int64]);
        vec![joined, sums, top, rest]
    });
}

#[test]
fn a_sum_that_does_not_fit_is_an_error_row_until_it_does() {
    let types = [DataType::Utf8, DataType::Int64];
    let row = |key: &str, value: i64| vec![text(key), int(value)];
    let steps = vec![
        vec![vec![(row("a", i64::MAX), 1), (row("b", 1), 1)]],
        vec![vec![(row("a", 1), 1)]],
        vec![vec![(row("a", i64::MAX), 1), (row("a", i64::MIN), 1)]],
        vec![vec![(row("a", i64::MAX), -2)]],
    ];
    let mut b = FlowBuilder::default();
    let input = constant(&mut b, &types, &steps);
    let aggregates = vec![aggregate(SumFunction::Sum, Some(1), DataType::Int64)];
    let sums = node(&mut b, Operator::Reduce { input, keys: vec![0], aggregates }, types.to_vec());
    let overflow = node(&mut b, Operator::Errors { of: sums }, vec![DataType::Utf8; 3]);
    let plan = b.finish(vec![sums, overflow]);
    check(plan, &[(0, steps)], 1);
}

#[test]
fn decimals_are_summed_beyond_their_width() {
    let ty = DataType::Decimal128(38, 2);
    let value = |value: i128| vec![ScalarValue::Decimal128(Some(value), 38, 2)];
    let large = 99_999_999_999_999_999_999_999_999_999_999_999_999i128;
    let steps = vec![
        vec![vec![(value(large), 1), (value(12), 1), (value(-large), 1)]],
        vec![vec![(value(large), 1), (value(-large), 1)]],
        vec![vec![(value(12), -1), (value(5), 3)]],
    ];
    let mut b = FlowBuilder::default();
    let input = constant(&mut b, std::slice::from_ref(&ty), &steps);
    let aggregates = vec![aggregate(SumFunction::Sum, Some(0), ty.clone())];
    let sums = node(&mut b, Operator::Reduce { input, keys: vec![], aggregates }, vec![ty]);
    check(b.finish(vec![sums]), &[(0, steps)], 2);
}
