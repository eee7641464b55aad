//! A session under a memory limit, in a process of its own: what grows is stopped with an error, all else goes on.

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tidebook_session::{
    CellFailure, CellOutput, CellRequest, FailureKind, Markup, PageRequest, Session, SessionOptions, Stream, View,
};

/// Set in the child process.
const CHILD: &str = "TIDEBOOK_TEST_MEMORY";

/// How long anything here may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// Keeps the views of a cell.
#[derive(Default)]
struct Views(Mutex<Vec<Arc<View>>>);

impl CellOutput for Views {
    fn stream(&self, _: Stream, _: &str) {}

    fn view(&self, view: Arc<View>) {
        self.0.lock().unwrap().push(view);
    }

    fn markup(&self, _: Markup) {}

    fn value(&self, _: &str) {}

    fn page(&self, _: Markup) {}

    fn clear(&self, _: bool) {}
}

fn run(session: &Session, cell: &str, text: &str) -> (Result<(), CellFailure>, Vec<Arc<View>>) {
    let output = Views::default();
    let request = CellRequest { cell: cell.to_string(), name: cell.to_string(), text: text.to_string() };
    let result = session.run(&request, &output);
    (result, output.0.into_inner().unwrap())
}

/// The name of a test in which a session lives, and whether this process is that child.
fn in_child(test: &str) -> bool {
    if std::env::var_os(CHILD).is_some() {
        return true;
    }
    let own: PathBuf = std::env::current_exe().unwrap();
    let output = Command::new(own).args([test, "--exact", "--nocapture"]).env(CHILD, "1").output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{:?}\n{out}\n{err}", output.status);
    assert!(out.contains("1 passed"), "{out}");
    false
}

/// A table of twenty thousand rows, whose pairs are four hundred million, and a small one that stays.
const BASE: &str = "set memory = \"400MB\"\nn = read demo.ticks(rate: 1000000, rows: 20000)\nsmall = n | summarize rows: count()\nsmall";

fn session() -> Session {
    Session::start(SessionOptions { workers: 1, base: PathBuf::from("."), parameters: Vec::new() }).unwrap()
}

/// What is wrong with the only view, once something is.
fn failure(view: &View) -> String {
    let began = Instant::now();
    loop {
        let (seen, page) = view.page(&PageRequest { limit: 1, ..PageRequest::default() });
        if let Some(failure) = page.failure {
            return failure;
        }
        assert!(began.elapsed() < PATIENCE, "nothing was stopped");
        view.wait_past(seen, began + PATIENCE);
    }
}

fn total(view: &View) -> usize {
    view.page(&PageRequest { limit: 10, ..PageRequest::default() }).1.total
}

#[test]
fn a_table_that_explodes_is_stopped_and_the_session_lives() {
    if !in_child("a_table_that_explodes_is_stopped_and_the_session_lives") {
        return;
    }
    let session = session();
    let (result, small) = run(&session, "base", BASE);
    assert!(result.is_ok(), "{result:?}");
    let (result, exploding) = run(&session, "cross", "n | cross join (n | select other: n) as m");
    let failed = match result {
        Err(failed) => {
            assert_eq!(failed.kind, FailureKind::Runtime, "{}", failed.text);
            failed.message
        }
        // The reply may come before the limit is passed.
        Ok(()) => failure(&exploding[0]),
    };
    assert!(failed.contains("memory") && failed.contains("400.0 MB"), "{failed}");
    assert_eq!(total(&small[0]), 1, "what was there before goes on");

    let (result, views) = run(&session, "after", "later = rows [ {a: 1} ]\nlater\nn | where n < 10");
    assert!(result.is_ok(), "{result:?}");
    assert_eq!((total(&views[0]), total(&views[1])), (1, 10), "and new cells run");
}

#[test]
fn an_arrangement_that_explodes_is_stopped() {
    if !in_child("an_arrangement_that_explodes_is_stopped") {
        return;
    }
    let session = session();
    let (result, small) = run(&session, "base", BASE);
    assert!(result.is_ok(), "{result:?}");
    let text =
        "pairs = n | cross join n as m | select a: n.n, b: m.n, x: n.value\npairs | distinct | summarize rows: count()";
    let (result, exploding) = run(&session, "distinct", text);
    let failed = match result {
        Err(failed) => failed.message,
        Ok(()) => failure(&exploding[0]),
    };
    assert!(failed.contains("memory") && failed.contains("stopped"), "{failed}");
    assert_eq!(total(&small[0]), 1);
    let (result, _) = run(&session, "after", "rows [ {a: 1} ]");
    assert!(result.is_ok(), "{result:?}");
}
