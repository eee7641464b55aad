//! What is kept of an order over sources that take no row back.

mod support;

use std::sync::Arc;

use support::source::{Pen, Scripted, get, source_types};
use support::*;
use tidebook_engine::{CatchUp, Caught, Engine};
use tidebook_plan::Span;
use tidebook_plan::connector::Contents;
use tidebook_plan::flow::{FlowBuilder, FlowPlan, Operator, OrderKey};

/// The rows with the largest ids of each name, from the second on.
fn largest(key: Vec<usize>, limit: u64) -> FlowPlan {
    let mut b = FlowBuilder::default();
    let input = get(&mut b, "script", key);
    let order = vec![OrderKey { column: 0, descending: true }];
    let top = Operator::TopK { input, group: vec![1], order, offset: 1, limit };
    let top = b.add(top, source_types(), Span::default(), "top");
    b.finish(vec![top])
}

fn write(pen: &Pen, ids: std::ops::Range<i64>) {
    let ids: Vec<i64> = ids.collect();
    for ids in ids.chunks(100) {
        pen.rows(&ids.iter().map(|id| vec![int(*id), text(["a", "b", "c"][*id as usize % 3])]).collect::<Vec<_>>());
    }
}

fn caught_up(engine: &Engine, followers: &mut [&mut Follower]) {
    let ids: Vec<_> = followers.iter().map(|follower| follower.id()).collect();
    let caught = engine.catch_up(&ids, CatchUp::Present).expect("a handle").wait(Some(deadline()));
    assert_eq!(caught, Caught::Done);
    for follower in followers {
        follower.settle();
    }
}

fn ids(follower: &Follower) -> Vec<i64> {
    let id = |row: &Row| match row[0] {
        datafusion_common::ScalarValue::Int64(Some(id)) => id,
        ref other => panic!("an id: {other}"),
    };
    let mut ids: Vec<i64> = follower.ports[0].values().map(|(row, _)| id(row)).collect();
    ids.sort_unstable();
    ids
}

/// Updates in the arrangements, once what was pushed out is gone.
fn kept(engine: &Engine) -> usize {
    engine.stats().expect("stats").arrangements.iter().map(|arrangement| arrangement.rows).sum()
}

#[test]
fn only_the_first_rows_are_kept_and_read_by_all_who_ask_for_them() {
    for workers in [1, 2] {
        let source = Scripted::new("script", Contents::Reread).only_adding();
        let pen = source.pen();
        let engine = engine_with(workers, vec![Arc::new(source)]);
        write(&pen, 0..3_000);
        let mut first = Follower::new(engine.install(vec![largest(vec![], 2)]).expect("installed").remove(0), 1);
        caught_up(&engine, &mut [&mut first]);
        assert_eq!(ids(&first), [2_991, 2_992, 2_993, 2_994, 2_995, 2_996]);
        assert!(kept(&engine) <= 9 * workers, "{} rows of 3,000 are kept", kept(&engine));

        write(&pen, 3_000..3_300);
        caught_up(&engine, &mut [&mut first]);
        let opened = pen.opened();
        let mut second = Follower::new(engine.install(vec![largest(vec![], 2)]).expect("installed").remove(0), 1);
        write(&pen, 3_300..3_303);
        caught_up(&engine, &mut [&mut first, &mut second]);
        assert_eq!(ids(&first), [3_294, 3_295, 3_296, 3_297, 3_298, 3_299]);
        assert_eq!(ids(&second), ids(&first));
        assert_eq!(pen.opened(), opened, "what runs is shared");

        // Who asks for more reads the source himself.
        let mut third = Follower::new(engine.install(vec![largest(vec![], 3)]).expect("installed").remove(0), 1);
        caught_up(&engine, &mut [&mut third]);
        assert_eq!(ids(&third).len(), 9);
        engine.shutdown();
    }
}

#[test]
fn everything_is_kept_of_a_source_that_may_take_rows_back_and_of_keys() {
    for (source, key) in [
        (Scripted::new("script", Contents::Reread), vec![]),
        (Scripted::new("script", Contents::Reread).only_adding(), vec![0]),
    ] {
        let pen = source.pen();
        let engine = engine_with(1, vec![Arc::new(source)]);
        write(&pen, 0..300);
        let mut follower = Follower::new(engine.install(vec![largest(key, 2)]).expect("installed").remove(0), 1);
        caught_up(&engine, &mut [&mut follower]);
        assert!(kept(&engine) >= 300, "{} rows of 300 are kept", kept(&engine));
        pen.batch(None, &[(vec![int(298), text("b")], -1)], 0);
        caught_up(&engine, &mut [&mut follower]);
        assert_eq!(ids(&follower), [289, 291, 292, 293, 294, 296]);
        engine.shutdown();
    }
}
