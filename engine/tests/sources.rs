//! Sources: initial contents, live rows, programs that come later, failures and ends.

mod support;

use std::sync::Arc;
use std::time::Instant;

use arrow_schema::DataType;
use support::source::{Pen, Scripted, get, source_types};
use support::*;
use tidebook_engine::{CatchUp, Caught, Engine, EngineError};
use tidebook_plan::Span;
use tidebook_plan::connector::{Contents, SourceEvent};
use tidebook_plan::flow::{FlowBuilder, FlowPlan, JoinKind, Operator, SumFunction};

fn row(id: i64, name: &str) -> Row {
    vec![int(id), text(name)]
}

fn rows(of: &[(i64, &str, i64)]) -> Multiset {
    multiset(of.iter().map(|(id, name, count)| (row(*id, name), *count)))
}

/// The rows of a source as they are.
fn plain(name: &str, key: &[usize]) -> FlowPlan {
    let mut b = FlowBuilder::default();
    let rows = get(&mut b, name, key.to_vec());
    b.finish(vec![rows])
}

/// The rows of a source counted by name.
fn counted(name: &str, key: &[usize]) -> FlowPlan {
    let mut b = FlowBuilder::default();
    let input = get(&mut b, name, key.to_vec());
    let aggregates = vec![aggregate(SumFunction::CountRows, None, DataType::Int64)];
    let operator = Operator::Reduce { input, keys: vec![1], aggregates };
    let counts = b.add(operator, vec![DataType::Utf8, DataType::Int64], Span::default(), "count");
    b.finish(vec![counts])
}

fn counts(of: &[(&str, i64)]) -> Multiset {
    multiset(of.iter().map(|(name, count)| (vec![text(name), int(*count)], 1)))
}

fn install(engine: &Engine, plan: FlowPlan) -> Follower {
    let ports = plan.outputs.len();
    Follower::new(engine.install(vec![plan]).expect("installed").remove(0), ports)
}

fn start(source: Scripted, workers: usize) -> (Engine, Pen) {
    let pen = source.pen();
    (engine_with(workers, vec![Arc::new(source)]), pen)
}

#[test]
fn contents_enter_at_one_epoch_and_live_rows_at_later_ones() {
    for workers in [1, 2] {
        let (engine, pen) = start(Scripted::new("script", Contents::Reread), workers);
        pen.rows(&[row(1, "a")]);
        pen.rows(&[row(2, "b"), row(3, "a")]);
        let mut follower = install(&engine, plain("script", &[]));
        assert_eq!(follower.catch_up(&engine)[0], rows(&[(1, "a", 1), (2, "b", 1), (3, "a", 1)]));
        pen.batch(None, &[(row(1, "a"), -1), (row(4, "c"), 2)], 0);
        assert_eq!(follower.catch_up(&engine)[0], rows(&[(2, "b", 1), (3, "a", 1), (4, "c", 2)]));
        assert!(follower.closed > follower.program.epoch);
        engine.shutdown();
        assert_eq!(pen.alive(), 0);
    }
}

/// Installs a second program after rows, errors and corrections have gone by; both must agree from then on.
fn late(contents: Contents, key: &[usize], history: bool, opened: usize) {
    for workers in [1, 2] {
        let mut source = Scripted::new("script", contents);
        if !history {
            source = source.without_history();
        }
        let (engine, pen) = start(source, workers);
        let mut first = install(&engine, counted("script", key));
        for i in 0..50 {
            pen.rows(&[row(i, "a"), row(i + 100, if i % 2 == 0 { "b" } else { "c" })]);
        }
        first.catch_up(&engine);
        // Rows that arrive while the second program is installed are neither lost nor doubled.
        for i in 200..230 {
            pen.rows(&[row(i, "d")]);
        }
        let mut second = install(&engine, plain("script", key));
        for i in 230..260 {
            pen.rows(&[row(i, "d")]);
        }
        // A source without history answers after one look, which need not give all that waits.
        let end = deadline();
        let counted = counts(&[("a", 50), ("b", 25), ("c", 25), ("d", 60)]);
        while first.catch_up(&engine)[0] != counted {
            assert!(!history && Instant::now() < end, "{:?}", first.ports[0]);
        }
        while second.catch_up(&engine)[0].len() != 160 {
            assert!(!history && Instant::now() < end, "{:?}", second.ports[0]);
        }
        assert!(second.ports[0].values().all(|(_, count)| *count == 1));
        assert_eq!(pen.opened(), opened);
        let stats = engine.stats().expect("stats");
        assert_eq!((stats.sources.len(), stats.sources[0].readers), (1, 2));
        assert_eq!(stats.sources[0].rows, 160);
        engine.drop_programs(&[first.id(), second.id()]).expect("dropped");
        assert_eq!(pen.alive(), 0);
        assert!(engine.stats().expect("stats").sources.is_empty());
    }
}

#[test]
fn a_later_program_gets_held_contents() {
    late(Contents::Held, &[], true, 1);
}

#[test]
fn a_later_program_reads_again() {
    late(Contents::Reread, &[], true, 2);
}

#[test]
fn a_later_program_reads_the_log() {
    late(Contents::Stored, &[], false, 1);
}

#[test]
fn a_later_program_gets_the_rows_of_a_keyed_source() {
    late(Contents::Reread, &[0], true, 1);
}

#[test]
fn keys_are_replaced_and_deleted() {
    let (engine, pen) = start(Scripted::new("script", Contents::Held), 1);
    pen.rows(&[row(1, "a"), row(2, "b"), row(1, "c")]);
    let mut follower = install(&engine, plain("script", &[0]));
    assert_eq!(follower.catch_up(&engine)[0], rows(&[(1, "c", 1), (2, "b", 1)]));
    pen.batch(None, &[(row(2, ""), -1), (row(1, "d"), 1), (row(3, "e"), 1)], 0);
    assert_eq!(follower.catch_up(&engine)[0], rows(&[(1, "d", 1), (3, "e", 1)]));
    let mut later = install(&engine, plain("script", &[0]));
    assert_eq!(later.catch_up(&engine)[0], rows(&[(1, "d", 1), (3, "e", 1)]));
}

#[test]
fn a_program_that_comes_during_the_load_joins_it() {
    for contents in [Contents::Held, Contents::Reread, Contents::Stored] {
        let (engine, pen) = start(Scripted::new("script", contents).busy(), 2);
        pen.rows(&[row(1, "a"), row(2, "b")]);
        let mut first = install(&engine, plain("script", &[]));
        let is_loading = |engine: &Engine| {
            let stats = engine.stats().expect("stats");
            assert!(stats.programs.iter().all(|program| program.loading));
            stats.sources[0].rows
        };
        while is_loading(&engine) < 2 {
            std::thread::yield_now();
        }
        let mut second = install(&engine, plain("script", &[]));
        pen.rows(&[row(3, "c")]);
        while is_loading(&engine) < 3 {
            std::thread::yield_now();
        }
        pen.not_busy();
        let expected = rows(&[(1, "a", 1), (2, "b", 1), (3, "c", 1)]);
        assert_eq!(first.catch_up(&engine)[0], expected);
        assert_eq!(second.catch_up(&engine)[0], expected);
        // All of it is of the epoch of installation.
        assert!(second.closed >= second.program.epoch);
    }
}

#[test]
fn a_file_that_changes_is_never_seen_half() {
    let (engine, pen) = start(Scripted::new("script", Contents::Held), 1);
    pen.batch(Some(1), &[(row(1, "a"), 1), (row(2, "a"), 1)], 1);
    pen.batch(Some(2), &[(row(3, "b"), 1)], 0);
    let mut b = FlowBuilder::default();
    let source = get(&mut b, "script", vec![]);
    let mut types = vec![DataType::Utf8, DataType::Int64, DataType::Utf8];
    types.extend([DataType::Utf8, DataType::Utf8]);
    let errors = b.add(Operator::Errors { of: source }, types, Span::default(), "errors");
    let plan = b.finish(vec![source, errors]);
    let mut follower = install(&engine, plan.clone());
    assert_eq!(follower.catch_up(&engine)[0].len(), 3);
    let error =
        vec![text("script"), int(0), datafusion_common::ScalarValue::Utf8(None), text("not a row"), text("read")];
    assert_eq!(follower.ports[1], multiset([(error.clone(), 1)]));
    for round in 0..20 {
        pen.event(SourceEvent::Retract { segment: 1, followed: true });
        pen.batch(Some(1), &[(row(round, "a"), 1), (row(round + 1, "a"), 1)], 1);
    }
    let sees_whole_files = |follower: &mut Follower| {
        for epoch in follower.closed_epochs() {
            follower.apply_epoch(epoch);
            assert_eq!(
                follower.ports[0].values().map(|(_, n)| n).sum::<i64>(),
                3,
                "two rows of one file, one of the other"
            );
            assert_eq!(follower.ports[1].len(), 1);
        }
    };
    let wait = engine.catch_up(&[follower.id()], CatchUp::Present).expect("a handle");
    while wait.outcome().is_empty() {
        follower.step(std::time::Instant::now() + std::time::Duration::from_millis(5));
        sees_whole_files(&mut follower);
    }
    follower.settle();
    assert_eq!(follower.ports[0], rows(&[(19, "a", 1), (20, "a", 1), (3, "b", 1)]));
    let mut later = install(&engine, plan);
    assert_eq!(later.catch_up(&engine)[0], follower.ports[0]);
    assert_eq!(later.ports[1], multiset([(error, 1)]));
    pen.event(SourceEvent::Retract { segment: 1, followed: false });
    assert_eq!(follower.catch_up(&engine)[0], rows(&[(3, "b", 1)]));
    assert!(follower.ports[1].is_empty() && later.catch_up(&engine)[1].is_empty());
}

#[test]
fn a_source_that_ends_ends_its_programs_also_later_ones() {
    for workers in [1, 2] {
        let (engine, pen) = start(Scripted::new("script", Contents::Reread).bounded(), workers);
        let mut follower = install(&engine, counted("script", &[]));
        pen.rows(&[row(1, "a")]);
        assert_eq!(follower.catch_up(&engine)[0], counts(&[("a", 1)]));
        let wait = engine.catch_up(&[follower.id()], CatchUp::Ended).expect("a handle");
        pen.rows(&[row(2, "a")]);
        assert!(wait.outcome().is_empty());
        pen.event(SourceEvent::End);
        assert_eq!(wait.wait(Some(deadline())), Caught::Done);
        assert_eq!(follower.settle()[0], counts(&[("a", 2)]));
        while !follower.ended {
            assert!(follower.step(deadline()));
        }
        let mut later = install(&engine, plain("script", &[]));
        let mut shared = install(&engine, counted("script", &[]));
        for follower in [&mut later, &mut shared] {
            while !follower.ended {
                assert!(follower.step(deadline()));
            }
        }
        assert_eq!(later.settle()[0], rows(&[(1, "a", 1), (2, "a", 1)]));
        assert_eq!(shared.settle()[0], counts(&[("a", 2)]));
    }
}

#[test]
fn a_failed_source_fails_its_readers_and_nobody_else() {
    let (good, bad) = (Scripted::new("good", Contents::Held), Scripted::new("bad", Contents::Held));
    let (good_pen, bad_pen) = (good.pen(), bad.pen());
    let engine = engine_with(1, vec![Arc::new(good), Arc::new(bad)]);
    let mut on_good = install(&engine, plain("good", &[]));
    let mut on_bad = install(&engine, counted("bad", &[]));
    bad_pen.rows(&[row(1, "a")]);
    on_bad.catch_up(&engine);
    let mut through_sharing = install(&engine, counted("bad", &[]));
    through_sharing.catch_up(&engine);
    let wait = engine.catch_up(&[through_sharing.id()], CatchUp::Present).expect("a handle");
    assert_eq!(wait.wait(Some(deadline())), Caught::Done);
    bad_pen.fail("the file");
    while on_bad.failed.is_empty() || through_sharing.failed.is_empty() {
        assert!(on_bad.failed.len() == 1 || on_bad.step(deadline()));
        assert!(through_sharing.failed.len() == 1 || through_sharing.step(deadline()));
    }
    assert!(on_bad.failed[0].contains("`the file` does not exist"), "{:?}", on_bad.failed);
    assert_eq!(on_bad.settle()[0], counts(&[("a", 1)]), "its contents stay");
    let wait = engine.catch_up(&[through_sharing.id()], CatchUp::Present).expect("a handle");
    assert!(matches!(wait.wait(Some(deadline())), Caught::Failed(_)));
    good_pen.rows(&[row(1, "a")]);
    assert_eq!(on_good.catch_up(&engine)[0], rows(&[(1, "a", 1)]));
    assert!(on_good.failed.is_empty());
    let stats = engine.stats().expect("stats");
    assert_eq!(stats.sources.iter().filter(|source| source.failed.is_some()).count(), 1);
}

#[test]
fn a_source_that_lost_rows_says_how_many() {
    let (engine, pen) = start(Scripted::new("script", Contents::Reread), 1);
    let mut first = install(&engine, plain("script", &[]));
    for i in 0..5 {
        pen.rows(&[row(i, "a"), row(i, "b")]);
    }
    first.catch_up(&engine);
    pen.lose_all_but(2);
    let mut second = install(&engine, plain("script", &[]));
    while second.failed.is_empty() {
        assert!(second.step(deadline()));
    }
    assert_eq!(second.failed, ["the source no longer gives 6 of the 10 rows that it gave before"]);
    assert!(first.failed.is_empty());
    assert_eq!(first.catch_up(&engine)[0].len(), 10);
}

#[test]
fn waiting_ends_at_its_deadline_and_the_program_goes_on() {
    let (engine, pen) = start(Scripted::new("script", Contents::Held).busy(), 1);
    let mut follower = install(&engine, plain("script", &[]));
    let soon = std::time::Instant::now() + std::time::Duration::from_millis(20);
    let wait = engine.catch_up(&[follower.id()], CatchUp::Present).expect("a handle");
    assert_eq!(wait.wait(Some(soon)), Caught::TimedOut);
    wait.cancel();
    pen.rows(&[row(1, "a")]);
    pen.not_busy();
    assert_eq!(follower.catch_up(&engine)[0], rows(&[(1, "a", 1)]));
}

#[test]
fn a_generator_that_is_never_idle_is_caught_up_with() {
    let (engine, pen) = start(Scripted::new("script", Contents::Stored).without_history().busy(), 1);
    let mut follower = install(&engine, plain("script", &[]));
    pen.rows(&[row(1, "a")]);
    while follower.ports[0].is_empty() {
        follower.catch_up(&engine);
    }
    assert_eq!(follower.ports[0], rows(&[(1, "a", 1)]));
}

#[test]
fn an_unknown_connector_is_refused_and_nothing_is_installed() {
    let engine = engine(1);
    let error = engine.install(vec![plain("nowhere", &[])]).expect_err("refused");
    assert!(matches!(error, EngineError::UnknownConnector(name) if name == "nowhere"));
    assert_eq!(engine.stats().expect("stats").dataflows, 0);
}

#[test]
fn a_worker_that_panics_is_reported_and_the_process_lives() {
    let (engine, pen) = start(Scripted::new("script", Contents::Held), 2);
    let mut b = FlowBuilder::default();
    let input = get(&mut b, "script", vec![]);
    // An expression that is said not to fail, but does.
    let lie = binary(literal(int(1)), datafusion_expr::Operator::Divide, column(0));
    let stages = vec![tidebook_plan::flow::Stage::Project(vec![sound(lie)])];
    let output = b.add(Operator::Linear { input, stages }, vec![DataType::Int64], Span::default(), "lie");
    let mut follower = install(&engine, b.finish(vec![output]));
    follower.catch_up(&engine);
    pen.rows(&[row(0, "a")]);
    while follower.failed.is_empty() {
        assert!(follower.step(deadline()));
    }
    assert!(follower.failed[0].contains("cannot fail"), "{:?}", follower.failed);
    assert!(matches!(engine.install(vec![plain("script", &[])]), Err(EngineError::Worker(_))));
    assert!(matches!(engine.stats(), Err(EngineError::Worker(_))));
    let wait = engine.catch_up(&[follower.id()], CatchUp::Present).expect("a handle");
    assert!(matches!(wait.wait(Some(deadline())), Caught::Failed(_)));
    engine.shutdown();
    assert_eq!(pen.alive(), 0);
}

#[test]
fn joined_sources_are_settled_together() {
    for workers in [1, 2] {
        let (left, right) = (Scripted::new("left", Contents::Reread), Scripted::new("right", Contents::Stored));
        let (left_pen, right_pen) = (left.pen(), right.pen());
        let engine = engine_with(workers, vec![Arc::new(left), Arc::new(right)]);
        let mut b = FlowBuilder::default();
        let (l, r) = (get(&mut b, "left", vec![]), get(&mut b, "right", vec![]));
        let join = Operator::Join {
            left: l,
            right: r,
            kind: JoinKind::Left,
            left_keys: vec![0],
            right_keys: vec![0],
            null_equals_null: false,
        };
        let types = source_types().into_iter().chain(source_types()).collect();
        let joined = b.add(join, types, Span::default(), "join");
        let plan = b.finish(vec![joined]);
        left_pen.rows(&[row(1, "a"), row(2, "b")]);
        let mut follower = install(&engine, plan.clone());
        assert_eq!(follower.catch_up(&engine)[0].len(), 2);
        for i in 0..30 {
            right_pen.rows(&[row(1, "x"), row(2 + i % 2, "y")]);
            left_pen.rows(&[row(i, "c")]);
        }
        follower.catch_up(&engine);
        let mut later = install(&engine, plan);
        assert_eq!(later.catch_up(&engine)[0], *follower.catch_up(&engine).first().expect("a port"));
        assert_eq!(follower.ports[0].len(), 32);
        let pairs: i64 = follower.ports[0].values().map(|(_, count)| count).sum();
        assert_eq!(pairs, (2 * 30) + (2 * 15) + 15 + 27);
    }
}
