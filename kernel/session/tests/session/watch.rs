//! Expectations and sinks while data moves.

use std::io::Write;

use std::time::{Duration, Instant};

use tidebook_session::{CellRequest, FailureKind, Standing, ViewKind};

use crate::collector::{Collector, page, run, session, wait_for};

#[test]
fn an_expectation_stays_on_watch_and_turns_red_and_green_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("t.jsonl");
    std::fs::write(&file, "{\"n\": 1}\n").unwrap();
    let session = session(folder.path(), 1);
    run(&session, "a", "t = read jsonl(\"t.jsonl\", watch: true) { n: int }").unwrap();
    let view = run(&session, "b", "expect t all n < 10").unwrap().remove(0);
    assert_eq!(view.kind, ViewKind::Expectation);
    assert!(page(&view).verdict.is_some_and(|verdict| verdict.standing == Standing::Good));
    std::fs::write(&file, "{\"n\": 1}\n{\"n\": 99}\n").unwrap();
    let red = wait_for(&view, |page| page.verdict.as_ref().is_some_and(|verdict| verdict.standing == Standing::Bad));
    assert_eq!(red.rows, vec![vec![Some("99".to_string())]]);
    std::fs::write(&file, "{\"n\": 2}\n").unwrap();
    wait_for(&view, |page| page.verdict.as_ref().is_some_and(|verdict| verdict.standing == Standing::Good));
}

#[test]
fn an_expectation_that_is_waited_for_says_not_yet_and_one_interrupt_ends_every_wait() {
    let folder = tempfile::tempdir().unwrap();
    let session = session(folder.path(), 1);
    let collector = Collector::default();
    let text =
        "t = rows [ {n: 1} ] | where n < 0\nexpect t within 3600s is not empty\nexpect t within 1800s is not empty";
    let request = CellRequest { cell: "a".into(), name: "a".into(), text: text.into() };
    std::thread::scope(|scope| {
        let running = scope.spawn(|| session.run(&request, &collector));
        let deadline = Instant::now() + Duration::from_secs(30);
        while collector.views.lock().len() < 2 {
            assert!(Instant::now() < deadline, "the cell never showed its expectations");
            std::thread::yield_now();
        }
        let view = collector.views.lock()[0].clone();
        let stands = |standing, state: &'static str| {
            wait_for(&view, |page| {
                page.verdict.as_ref().is_some_and(|found| found.standing == standing && found.text.ends_with(state))
            })
        };
        stands(Standing::Open, ": not yet");
        session.interrupt();
        let failure = running.join().unwrap().unwrap_err();
        assert_eq!(failure.kind, FailureKind::Interrupted);
        assert_eq!(failure.text.matches("was interrupted").count(), 2, "{}", failure.text);
        stands(Standing::Bad, ": does not hold");
    });
}

#[test]
fn an_expectation_that_does_not_hold_fails_its_cell_and_names_rows() {
    let folder = tempfile::tempdir().unwrap();
    let session = session(folder.path(), 1);
    let text = "t = rows [ {a: 1}, {a: 2} ]\nexpect t equals rows [ {a: 1}, {a: 3} ]";
    let failure = run(&session, "a", text).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Expectation);
    assert!(failure.text.contains("missing") && failure.text.contains("a: 3"), "{}", failure.text);
    assert!(failure.text.contains("unexpected") && failure.text.contains("a: 2"), "{}", failure.text);
}

#[test]
fn an_upserted_file_follows_its_table() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("t.jsonl");
    std::fs::write(&input, "{\"id\": 1, \"v\": \"a\"}\n").unwrap();
    let session = session(folder.path(), 1);
    run(&session, "a", "t = read jsonl(\"t.jsonl\", watch: true) { id: int key, v: text }").unwrap();
    let sink = run(&session, "b", "t | write jsonl(\"out.jsonl\")").unwrap().remove(0);
    let output = folder.path().join("out.jsonl");
    assert_eq!(std::fs::read_to_string(&output).unwrap(), "{\"id\":1,\"v\":\"a\"}\n");
    let mut appender = std::fs::OpenOptions::new().append(true).open(&input).unwrap();
    writeln!(appender, "{{\"id\": 1, \"v\": \"b\"}}\n{{\"id\": 2, \"v\": \"c\"}}").unwrap();
    wait_for(&sink, |_| {
        std::fs::read_to_string(&output).unwrap() == "{\"id\":1,\"v\":\"b\"}\n{\"id\":2,\"v\":\"c\"}\n"
    });
}

#[test]
fn good_statements_of_a_cell_have_their_effect_beside_bad_ones() {
    let folder = tempfile::tempdir().unwrap();
    let session = session(folder.path(), 1);
    let failure = run(&session, "a", "t = rows [ {a: 1} ]\nu = t | where b > 1\nv = t | derive c: a + 1").unwrap_err();
    assert_eq!(failure.kind, FailureKind::Diagnostic);
    assert_eq!(failure.diagnostics.len(), 1);
    assert_eq!(page(&run(&session, "b", "v").unwrap()[0]).total, 1);
}
