//! What is bound to history is kept from its definition on, seen or not, and begins afresh only where what it stands on
//! is defined again.

use std::io::Write;
use std::path::Path;

use tidebook_session::{CellRequest, Session};

use crate::collector::{Collector, rows, run, session, wait_for};

const WATCHED: &str = "t = read jsonl(\"t.jsonl\", watch: true) { k: text, n: int }";
const KEPT: &str = "kept = t | dedupe by k when n >= previous.n + 2";

/// Adds a line to the watched file, and waits until a view of the table has it.
fn append(session: &Session, folder: &Path, cell: &str, n: i64) {
    let seen = run(session, cell, "t | summarize n: count(), last: max(n)").unwrap().remove(0);
    let before: i64 = rows(&seen)[0].split(' ').next().unwrap().parse().unwrap();
    let mut file = std::fs::OpenOptions::new().append(true).open(folder.join("t.jsonl")).unwrap();
    writeln!(file, "{{\"k\": \"a\", \"n\": {n}}}").unwrap();
    wait_for(&seen, |page| page.rows[0][0] == Some((before + 1).to_string()));
}

/// What a cell says on its streams.
fn told(session: &Session, cell: &str, text: &str) -> String {
    let collector = Collector::default();
    let request = CellRequest { cell: cell.to_string(), name: cell.to_string(), text: text.to_string() };
    session.run(&request, &collector).unwrap();
    collector.text.into_inner()
}

#[test]
fn it_is_kept_before_anybody_looks() {
    for workers in [1, 2] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("t.jsonl"), "{\"k\": \"a\", \"n\": 1}\n").unwrap();
        let session = session(folder.path(), workers);
        run(&session, "a", WATCHED).unwrap();
        run(&session, "b", KEPT).unwrap();
        run(&session, "c", "moves = kept | changes").unwrap();
        for (place, n) in [5, 4, 9].into_iter().enumerate() {
            append(&session, folder.path(), &format!("append {place}"), n);
        }
        let shown = run(&session, "d", "kept").unwrap().remove(0);
        wait_for(&shown, |page| page.rows == [vec![Some("a".to_string()), Some("9".to_string())]]);
        // From the contents alone it would be 1, 4, 9.
        let moves = run(&session, "e", "moves | where _diff > 0 | select n").unwrap().remove(0);
        wait_for(&moves, |page| page.rows.len() == 3);
        assert_eq!(rows(&moves), ["1", "5", "9"]);
        let afresh =
            run(&session, "f", "t | dedupe by k when n >= previous.n + 2 | changes | select n").unwrap().remove(0);
        assert_eq!(rows(&afresh), ["9"], "a new statement has a history of its own");
    }
}

#[test]
fn it_begins_afresh_with_what_it_stands_on_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("t.jsonl"), "{\"k\": \"a\", \"n\": 4}\n").unwrap();
    let session = session(folder.path(), 1);
    run(&session, "a", WATCHED).unwrap();
    run(&session, "b", KEPT).unwrap();
    let shown = run(&session, "c", "kept | changes | where _diff > 0 | select n").unwrap().remove(0);
    append(&session, folder.path(), "append", 6);
    wait_for(&shown, |page| page.rows.len() == 2);

    assert!(!told(&session, "d", "other = rows [ {x: 1} ]").contains("afresh"));
    assert!(!told(&session, "e", "big = kept | where n > 5\nbig").contains("afresh"));
    assert_eq!(rows(&shown), ["4", "6"], "what has nothing to do with it leaves it alone");

    let note = told(&session, "a", WATCHED);
    assert!(note.contains("`kept` begins afresh"), "{note}");
    let again = run(&session, "c", "kept | changes | where _diff > 0 | select n").unwrap().remove(0);
    assert_eq!(rows(&again), ["6"]);
}

#[test]
fn nothing_is_left_when_the_definition_goes() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("t.jsonl"), "{\"k\": \"a\", \"n\": 4}\n").unwrap();
    let session = session(folder.path(), 1);
    run(&session, "a", WATCHED).unwrap();
    run(&session, "b", KEPT).unwrap();
    assert_eq!(session.stats().unwrap().unwrap().programs.len(), 1, "it runs though nobody looks");
    run(&session, "b", "x = t").unwrap();
    assert_eq!(session.stats().unwrap().unwrap().programs.len(), 0);
}
