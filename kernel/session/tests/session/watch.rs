//! Expectations and sinks while data moves.

use std::io::Write;

use tidebook_session::{FailureKind, Standing, ViewKind};

use crate::collector::{page, run, session, wait_for};

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
