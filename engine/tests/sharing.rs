//! Random programs that come and go over live sources: whatever is shared, reread or held, each of them always shows
//! what its plan means.

mod support;

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::DataType;
use support::source::{Pen, Scripted, get, source_types};
use support::*;
use tidebook_engine::{CatchUp, Caught};
use tidebook_plan::Span;
use tidebook_plan::connector::Contents;
use tidebook_plan::flow::{FlowBuilder, FlowPlan, JoinKind, NodeId, Operator, OrderKey, Stage, SumFunction};

/// A node over two columns `int, text`, of which the first may be any node before.
fn random_node(random: &mut Random, b: &mut FlowBuilder, known: &[NodeId]) -> NodeId {
    let (left, right) = (random.pick(known), random.pick(known));
    let add = |b: &mut FlowBuilder, operator: Operator| {
        let step = operator.name();
        b.add(operator, source_types(), Span::default(), step)
    };
    let kind = random.pick(&[JoinKind::Semi, JoinKind::Anti]);
    let key = random.below(2) as usize;
    match random.below(8) {
        0 => add(
            b,
            Operator::Join { left, right, kind, left_keys: vec![key], right_keys: vec![key], null_equals_null: true },
        ),
        1 | 2 => {
            let kind = random.pick(&[JoinKind::Inner, JoinKind::Left]);
            let join = Operator::Join {
                left,
                right,
                kind,
                left_keys: vec![key],
                right_keys: vec![key],
                null_equals_null: false,
            };
            let types = source_types().into_iter().chain(source_types()).collect();
            let input = b.add(join, types, Span::default(), "join");
            let stages =
                vec![Stage::Project(vec![sound(column(random.pick(&[0, 2]))), sound(column(random.pick(&[1, 3])))])];
            add(b, Operator::Linear { input, stages })
        }
        3 | 4 => {
            let (function, summed) = random.pick(&[(SumFunction::CountRows, None), (SumFunction::Sum, Some(0))]);
            let aggregates = vec![aggregate(function, summed, DataType::Int64)];
            let types = vec![DataType::Utf8, DataType::Int64];
            let input =
                b.add(Operator::Reduce { input: left, keys: vec![1], aggregates }, types, Span::default(), "sum");
            add(b, Operator::Linear { input, stages: vec![Stage::Project(vec![sound(column(1)), sound(column(0))])] })
        }
        5 => {
            let order = vec![OrderKey { column: 0, descending: random.below(2) == 0 }];
            add(b, Operator::TopK { input: left, group: vec![1], order, offset: random.below(2), limit: 2 })
        }
        6 => add(b, Operator::Unique { input: left, keys: vec![key] }),
        _ => add(b, Operator::Union { inputs: vec![(left, false), (right, false)] }),
    }
}

fn random_plan(random: &mut Random) -> FlowPlan {
    let mut b = FlowBuilder::default();
    let mut known = vec![get(&mut b, "left", vec![]), get(&mut b, "right", vec![])];
    for _ in 0..random.below(5) + 1 {
        let node = random_node(random, &mut b, &known);
        known.push(node);
    }
    let mut outputs = vec![known[known.len() - 1], random.pick(&known)];
    outputs.dedup();
    b.finish(outputs)
}

/// Random changes of a source, and its contents.
struct Table {
    pen: Pen,
    contents: Multiset,
    only_adds: bool,
}

impl Table {
    fn change(&mut self, random: &mut Random) {
        let mut rows = Vec::new();
        for _ in 0..random.below(4) + 1 {
            let present: Vec<Row> = self.contents.values().map(|(row, _)| row.clone()).collect();
            let (row, diff) = if self.only_adds {
                (vec![int(random.below(9) as i64), text(random.pick(&["a", "b", "c"]))], 1)
            } else if present.len() > 12 || (!present.is_empty() && random.below(3) == 0) {
                (random.pick(&present), -1)
            } else {
                (vec![int(random.below(4) as i64), text(random.pick(&["a", "b", "c"]))], 1)
            };
            add(&mut self.contents, row.clone(), diff);
            rows.push((row, diff));
        }
        self.pen.batch(None, &rows, 0);
    }
}

fn run(seed: u64, workers: usize, only_adds: bool) {
    let mut random = Random(seed);
    let ways = [Contents::Held, Contents::Reread, Contents::Stored];
    let mut source = |name| {
        let source = Scripted::new(name, random.pick(&ways));
        if only_adds { source.only_adding() } else { source }
    };
    let (left, right) = (source("left"), source("right"));
    let mut tables = [left.pen(), right.pen()].map(|pen| Table { pen, contents: Multiset::new(), only_adds });
    let engine = engine_with(workers, vec![Arc::new(left), Arc::new(right)]);
    let mut running: Vec<(FlowPlan, Follower)> = Vec::new();
    // Programs of several rounds share parts, since they are drawn from few.
    let plans: Vec<FlowPlan> = (0..4).map(|_| random_plan(&mut random)).collect();
    for round in 0..12 {
        for _ in 0..random.below(4) {
            tables.iter_mut().for_each(|table| table.change(&mut random));
        }
        let remove: Vec<_> = if running.len() > 2 {
            let (_, gone) = running.swap_remove(random.below(running.len() as u64) as usize);
            vec![gone.id()]
        } else {
            vec![]
        };
        let new: Vec<FlowPlan> = (0..random.below(3)).map(|_| random.pick(&plans)).collect();
        for (plan, program) in new.iter().zip(engine.replace(remove, new.clone()).expect("replaced")) {
            running.push((plan.clone(), Follower::new(program, plan.outputs.len())));
        }
        for _ in 0..random.below(4) {
            tables.iter_mut().for_each(|table| table.change(&mut random));
        }
        let ids: Vec<_> = running.iter().map(|(_, follower)| follower.id()).collect();
        let caught = engine.catch_up(&ids, CatchUp::Present).expect("a handle").wait(Some(deadline()));
        assert_eq!(caught, Caught::Done, "seed {seed}, round {round}");
        for (plan, follower) in &mut running {
            let mut inputs = HashMap::new();
            for (id, node) in plan.nodes.iter().enumerate() {
                if let Operator::Get { source } = &node.operator {
                    inputs.insert(id, tables[usize::from(source.connector == "right")].contents.clone());
                }
            }
            let expected = naive::evaluate(plan, &inputs);
            follower.settle();
            for (port, node) in plan.outputs.iter().enumerate() {
                assert_eq!(
                    listed(&follower.ports[port]),
                    listed(&expected[*node].rows),
                    "seed {seed}, round {round}, {workers} workers, port {port} of\n{plan}"
                );
            }
        }
    }
    let ids: Vec<_> = running.iter().map(|(_, follower)| follower.id()).collect();
    engine.drop_programs(&ids).expect("dropped");
    let stats = engine.stats().expect("stats");
    assert_eq!((stats.dataflows, stats.arrangements.len(), stats.sources.len()), (0, 0, 0), "seed {seed}");
    assert!(tables.iter().all(|table| table.pen.alive() == 0), "seed {seed}");
}

#[test]
fn random_programs_come_and_go_with_one_worker() {
    (1..40).for_each(|seed| run(seed * 7_919, 1, false));
}

#[test]
fn random_programs_come_and_go_with_two_workers() {
    (1..40).for_each(|seed| run(seed * 104_729, 2, false));
}

#[test]
fn random_programs_come_and_go_over_sources_that_only_add() {
    (1..40).for_each(|seed| run(seed * 15_485_863, 1 + (seed % 2) as usize, true));
}
