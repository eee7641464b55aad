//! Programs that come and go: what they share, and that nothing is left behind.

mod support;

use std::sync::Arc;

use arrow_schema::DataType;
use support::source::{Scripted, get, source_types};
use support::*;
use tidebook_plan::Span;
use tidebook_plan::connector::Contents;
use tidebook_plan::flow::{FlowBuilder, FlowPlan, JoinKind, NodeId, Operator, OrderKey, Stage, SumFunction};

fn row(id: i64, name: &str) -> Row {
    vec![int(id), text(name)]
}

fn counts(b: &mut FlowBuilder, input: NodeId) -> NodeId {
    let aggregates = vec![aggregate(SumFunction::CountRows, None, DataType::Int64)];
    let operator = Operator::Reduce { input, keys: vec![1], aggregates };
    b.add(operator, vec![DataType::Utf8, DataType::Int64], Span::default(), "count")
}

/// Counts by name, of which only those above a bound are shown.
fn above(bound: i64) -> FlowPlan {
    let mut b = FlowBuilder::default();
    let input = get(&mut b, "script", vec![]);
    let input = counts(&mut b, input);
    let large = sound(binary(column(1), datafusion_expr::Operator::Gt, literal(int(bound))));
    let stages = vec![Stage::Filter(large)];
    let rows =
        b.add(Operator::Linear { input, stages }, vec![DataType::Utf8, DataType::Int64], Span::default(), "above");
    b.finish(vec![rows])
}

/// Rows joined to their counts, the first of each name.
fn joined() -> FlowPlan {
    let mut b = FlowBuilder::default();
    let left = get(&mut b, "script", vec![]);
    let right = counts(&mut b, left);
    let join = Operator::Join {
        left,
        right,
        kind: JoinKind::Inner,
        left_keys: vec![1],
        right_keys: vec![0],
        null_equals_null: false,
    };
    let mut types = source_types();
    types.extend([DataType::Utf8, DataType::Int64]);
    let input = b.add(join, types.clone(), Span::default(), "join");
    let order = vec![OrderKey { column: 0, descending: true }];
    let top = Operator::TopK { input, group: vec![1], order, offset: 0, limit: 1 };
    let top = b.add(top, types, Span::default(), "top");
    b.finish(vec![top])
}

fn install(engine: &tidebook_engine::Engine, plan: FlowPlan) -> Follower {
    let ports = plan.outputs.len();
    Follower::new(engine.install(vec![plan]).expect("installed").remove(0), ports)
}

#[test]
fn a_second_program_shares_what_runs_and_outlives_the_first() {
    for workers in [1, 2] {
        let source = Scripted::new("script", Contents::Reread);
        let pen = source.pen();
        let engine = engine_with(workers, vec![Arc::new(source)]);
        pen.rows(&[row(1, "a"), row(2, "a"), row(3, "b")]);
        let mut first = install(&engine, above(0));
        assert_eq!(first.catch_up(&engine)[0].len(), 2);
        let mut second = install(&engine, above(1));
        assert_eq!(second.catch_up(&engine)[0].len(), 1);
        assert_eq!(pen.opened(), 1, "the sums are shared, so nothing is read again");
        let stats = engine.stats().expect("stats");
        assert_eq!(stats.sources[0].readers, 1);
        assert_eq!(stats.arrangements.iter().map(|a| a.users).collect::<Vec<_>>(), [2]);
        assert_eq!(stats.arrangements[0].rows, 2);

        engine.drop_programs(&[first.id()]).expect("dropped");
        let stats = engine.stats().expect("stats");
        assert_eq!((stats.programs.len(), stats.dataflows), (1, 2), "what the second reads from goes on");
        pen.rows(&[row(4, "b"), row(5, "b")]);
        let expected = multiset([(vec![text("a"), int(2)], 1), (vec![text("b"), int(3)], 1)]);
        assert_eq!(second.catch_up(&engine)[0], expected);
        engine.drop_programs(&[second.id()]).expect("dropped");
        let stats = engine.stats().expect("stats");
        assert_eq!((stats.programs.len(), stats.dataflows, stats.operators), (0, 0, 0));
        assert_eq!((stats.arrangements.len(), stats.sources.len()), (0, 0));
        assert_eq!(stats.threads, workers + 1);
        assert_eq!(pen.alive(), 0);
    }
}

#[test]
fn programs_installed_together_share_and_agree_on_every_epoch() {
    let source = Scripted::new("script", Contents::Reread);
    let pen = source.pen();
    let engine = engine_with(2, vec![Arc::new(source)]);
    let programs = engine.install(vec![above(0), joined(), above(0)]).expect("installed");
    assert!(programs.iter().all(|program| program.epoch == programs[0].epoch));
    let mut followers: Vec<_> = programs.into_iter().map(|program| Follower::new(program, 1)).collect();
    for i in 0..40 {
        pen.rows(&[row(i, if i % 3 == 0 { "a" } else { "b" })]);
    }
    let ids: Vec<_> = followers.iter().map(Follower::id).collect();
    let wait = engine.catch_up(&ids, tidebook_engine::CatchUp::Present).expect("a handle");
    assert_eq!(wait.wait(Some(deadline())), tidebook_engine::Caught::Done);
    let ports: Vec<Multiset> = followers.iter_mut().map(|follower| follower.settle()[0].clone()).collect();
    assert_eq!(ports[0], ports[2]);
    let top = |id, name: &str, count| vec![int(id), text(name), text(name), int(count)];
    assert_eq!(ports[1], multiset([(top(39, "a", 14), 1), (top(38, "b", 26), 1)]));
    assert_eq!(pen.opened(), 1);
}

#[test]
fn a_hundred_redefinitions_leave_nothing_behind() {
    let source = Scripted::new("script", Contents::Held);
    let pen = source.pen();
    let engine = engine_with(2, vec![Arc::new(source)]);
    let mut total = 0;
    let mut write = || {
        pen.rows(&[row(total, "a"), row(total, "b")]);
        total += 1;
        total
    };
    let mut untouched = install(&engine, above(0));
    let mut base = install(&engine, above(1));
    let mut dependent = install(&engine, joined());
    let mut level = None;
    for round in 0..100 {
        let count = write();
        let programs =
            engine.replace(vec![base.id(), dependent.id()], vec![above(round % 7), joined()]).expect("replaced");
        let mut programs = programs.into_iter().map(|program| Follower::new(program, 1));
        (base, dependent) = (programs.next().expect("base"), programs.next().expect("dependent"));
        if round % 10 == 9 {
            let both = multiset(["a", "b"].map(|name| (vec![text(name), int(count)], 1)));
            assert_eq!(untouched.catch_up(&engine)[0], both, "round {round}");
            assert_eq!(base.catch_up(&engine)[0], both, "round {round}");
            let top = |name: &str| vec![int(count - 1), text(name), text(name), int(count)];
            assert_eq!(dependent.catch_up(&engine)[0], multiset([(top("a"), 1), (top("b"), 1)]), "round {round}");
            // The last generation may still be draining.
            engine.drop_programs(&[]).expect("settled");
            let stats = engine.stats().expect("stats");
            assert_eq!(stats.programs.len(), 3);
            let now = (stats.arrangements.len(), stats.sources[0].readers, stats.threads);
            assert_eq!(*level.get_or_insert(now), now, "round {round}");
            assert!(stats.dataflows <= 8, "round {round}: {} dataflows", stats.dataflows);
        }
    }
    assert_eq!(pen.opened(), 1);
    engine.drop_programs(&[untouched.id(), base.id(), dependent.id()]).expect("dropped");
    let stats = engine.stats().expect("stats");
    assert_eq!((stats.dataflows, stats.operators, stats.arrangements.len()), (0, 0, 0));
    assert_eq!((stats.sources.len(), stats.threads, pen.alive()), (0, 3, 0));
}

#[test]
fn a_program_can_be_dropped_while_it_loads() {
    let source = Scripted::new("script", Contents::Reread).busy();
    let pen = source.pen();
    let engine = engine_with(1, vec![Arc::new(source)]);
    for i in 0..100 {
        pen.rows(&(0..1_000).map(|j| row(i * 1_000 + j, "a")).collect::<Vec<_>>());
    }
    let program = install(&engine, joined());
    engine.drop_programs(&[program.id()]).expect("dropped");
    let stats = engine.stats().expect("stats");
    assert_eq!((stats.dataflows, stats.sources.len(), pen.alive()), (0, 0, 0));
}

/// All pairs of a table with itself: more than anybody can wait for.
fn all_pairs() -> FlowPlan {
    let mut b = FlowBuilder::default();
    let left = get(&mut b, "script", vec![]);
    let join = Operator::Join {
        left,
        right: left,
        kind: JoinKind::Inner,
        left_keys: vec![],
        right_keys: vec![],
        null_equals_null: false,
    };
    let types = source_types().into_iter().chain(source_types()).collect();
    let pairs = b.add(join, types, Span::default(), "pairs");
    b.finish(vec![pairs])
}

#[test]
fn a_program_that_would_not_finish_is_cut_off_and_others_go_on() {
    let source = Scripted::new("script", Contents::Held);
    let pen = source.pen();
    let engine = engine_with(2, vec![Arc::new(source)]);
    for i in 0..40 {
        pen.rows(&(0..1_000).map(|j| row(i * 1_000 + j, "a")).collect::<Vec<_>>());
    }
    let mut other = install(&engine, above(0));
    other.catch_up(&engine);
    let endless = install(&engine, all_pairs());
    // It has begun when it has said something.
    drop(endless.program.events.recv_deadline(deadline()).expect("an event"));
    engine.drop_programs(&[endless.id()]).expect("dropped");
    assert_eq!(engine.stats().expect("stats").dataflows, 1);
    pen.rows(&[row(1, "b")]);
    assert_eq!(other.catch_up(&engine)[0].len(), 2);
}

#[test]
fn a_later_reader_of_a_constant_has_what_was_played_so_far() {
    let engine = engine(1);
    let plan = || {
        let mut b = FlowBuilder::default();
        let steps: Vec<_> = (0..5).map(|i| vec![vec![(vec![int(i)], 1)]]).collect();
        let rows = constant(&mut b, &[DataType::Int64], &steps);
        b.finish(vec![rows])
    };
    let mut first = install(&engine, plan());
    assert_eq!(first.catch_up(&engine)[0].len(), 5);
    let mut second = install(&engine, plan());
    second.catch_up(&engine);
    assert_eq!(second.ports[0], first.ports[0]);
    while !second.ended {
        assert!(second.step(deadline()));
    }
}

#[test]
fn a_plan_that_is_not_sound_is_refused() {
    let engine = engine(1);
    let refused = |plan| engine.install(vec![plan]).expect_err("refused").to_string();
    assert!(refused(FlowPlan::default()).contains("no output"));
    let mut plan = above(0);
    plan.outputs = vec![17];
    assert!(refused(plan).contains("no node 17"));
    let mut plan = above(0);
    plan.nodes.reverse();
    assert!(refused(plan).contains("does not come before it"));
}
