//! Cells that run again while data flows.

use std::time::{Duration, Instant};

use tidebook_engine::EngineStats;
use tidebook_session::{Session, View};

use crate::collector::{page, rows, run, session, wait_for};

#[test]
fn running_a_cell_again_refreshes_what_depends_on_it_in_place_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let session = session(folder.path(), 1);
    run(&session, "a", "orders = rows [ {id: 1, qty: 3}, {id: 2, qty: 5} ]").unwrap();
    run(&session, "b", "big = orders | where qty > 4").unwrap();
    let big = run(&session, "c", "big").unwrap().remove(0);
    let other = run(&session, "d", "rows [ {x: 1} ]").unwrap().remove(0);
    assert_eq!(rows(&big), vec!["2 5"]);
    let (untouched, _) = other.page(&Default::default());

    run(&session, "b", "big = orders | where qty > 2").unwrap();
    assert_eq!(rows(&big), vec!["1 3", "2 5"], "the display of cell c follows");
    assert!(!big.is_closed());
    assert_eq!(other.page(&Default::default()).0, untouched, "cell d was not touched");

    run(&session, "a", "orders = rows [ {id: 9, qty: 9} ]").unwrap();
    assert_eq!(rows(&big), vec!["9 9"]);
    assert_eq!(session.stats().unwrap().unwrap().programs.len(), 2);
}

#[test]
fn a_shown_cell_that_runs_again_unchanged_goes_on_with_the_same_program() {
    let folder = tempfile::tempdir().unwrap();
    let session = session(folder.path(), 1);
    run(&session, "a", "t = read demo.ticks(rate: 1000)").unwrap();
    let first = run(&session, "b", "t | summarize n: count()").unwrap().remove(0);
    let program = session.stats().unwrap().unwrap().programs[0].id;
    wait_for(&first, |page| page.rows[0][0].as_deref() != Some("0"));
    let second = run(&session, "b", "t | summarize n: count()").unwrap().remove(0);
    assert!(first.is_closed());
    assert_eq!(session.stats().unwrap().unwrap().programs[0].id, program);
    assert_ne!(rows(&second), vec!["0"], "it did not start anew");
}

#[test]
fn a_dependent_that_no_longer_resolves_says_so_and_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let session = session(folder.path(), 1);
    run(&session, "a", "t = rows [ {a: 1, b: 2} ]").unwrap();
    let view = run(&session, "b", "t | select b").unwrap().remove(0);
    run(&session, "a", "t = rows [ {a: 1} ]").unwrap();
    let failure = page(&view).failure.expect("the view says why it stands still");
    assert!(failure.contains("`b`"), "{failure}");
    run(&session, "a", "t = rows [ {a: 1, b: 7} ]").unwrap();
    assert_eq!(rows(&view), vec!["7"]);
    assert_eq!(page(&view).failure, None);
}

#[test]
fn a_hundred_redefinitions_beside_a_stream_leave_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let session = session(folder.path(), 2);
    run(&session, "a", "ticks = read demo.ticks(rate: 500)").unwrap();
    let still = run(&session, "b", "ticks | summarize n: count()").unwrap().remove(0);
    run(&session, "t", "names = rows [ {k: 0, name: \"even\"}, {k: 1, name: \"odd\"} ]").unwrap();
    let cycle = |round: usize| {
        let text = format!("named = ticks | derive k: n % 2, v: value + {round}.0 | join names using (k)");
        run(&session, "c", &text).unwrap();
        let views = run(&session, "d", "named | summarize n: count(), top: max(v) by name").unwrap();
        assert_eq!(views.len(), 1);
    };
    cycle(0);
    cycle(1);
    let handles = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let before = level(&session, &still);
    let files = handles();
    let read = before.sources[0].rows;
    for round in 2..102 {
        cycle(round);
    }
    let after = level(&session, &still);
    assert_eq!(after.programs.len(), before.programs.len());
    assert_eq!(after.operators, before.operators);
    assert_eq!(after.threads, before.threads);
    assert_eq!(after.arrangements.len(), before.arrangements.len());
    assert_eq!(after.sources.len(), 1, "the stream was opened once");
    assert!(after.sources[0].rows > read);
    // Other tests of this process open files, too; a leak would be a hundred.
    assert!(handles() < files + 50, "{} file handles, {files} before", handles());
    assert!(!still.is_closed());
}

/// The engine's figures once what was replaced has drained, which it does beside what runs: a dataflow an output, and
/// the first one that arranged `names`, which all later ones read.
fn level(session: &Session, moving: &View) -> EngineStats {
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut seen = 0;
    loop {
        let stats = session.stats().unwrap().unwrap();
        if stats.dataflows <= stats.programs.len() + 1 {
            return stats;
        }
        assert!(Instant::now() < deadline, "{} dataflows for {} programs", stats.dataflows, stats.programs.len());
        seen = moving.wait_past(seen, deadline);
    }
}
