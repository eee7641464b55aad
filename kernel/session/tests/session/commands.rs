//! Commands: what is said about wrong ones, and what `%help` knows.

use tidebook_dsl::diagnostics::{all, commands};
use tidebook_session::CellFailure;

use crate::collector::{Collector, session, wait_for};

/// Runs a text as one cell in a session of its own: what it printed, or how it failed.
fn run(text: &str) -> Result<String, CellFailure> {
    let folder = tempfile::tempdir().unwrap();
    let session = session(folder.path(), 1);
    let collector = Collector::default();
    let request =
        tidebook_session::CellRequest { cell: "cell".to_string(), name: "cell".to_string(), text: text.to_string() };
    session.run(&request, &collector)?;
    Ok(collector.text.into_inner())
}

fn codes(failure: &CellFailure) -> Vec<&str> {
    failure.diagnostics.iter().map(|diagnostic| diagnostic.code.as_str()).collect()
}

#[test]
fn wrong_examples_give_their_code_and_right_ones_run() {
    for entry in commands::ALL {
        let failure = run(entry.wrong).expect_err(entry.wrong);
        assert_eq!(codes(&failure), [entry.code], "{}", entry.wrong);
        run(entry.right).unwrap_or_else(|failure| panic!("{}: {failure:?}", entry.right));
    }
}

#[test]
fn help_knows_everything_that_has_a_name() {
    for topic in ["", "functions", "text", "steps", "types", "operators", "connectors", "diagnostics", "settings"] {
        assert!(!run(&format!("%help {topic}")).unwrap().is_empty(), "{topic}");
    }
    let page = run("%help pad_start").unwrap();
    assert!(page.contains("pad_start(x: text, width: int) -> text") && page.contains("007"), "{page}");
    assert!(run("%help read csv").unwrap().contains("| option |"));
    assert!(
        run("%help csv").unwrap().contains("## write csv") || run("%help jsonl").unwrap().contains("## write jsonl")
    );
    assert!(run("%help left join").unwrap().contains("left join table"));
    assert!(run("%help ??").unwrap().contains("a ?? b"));
    for entry in all() {
        let page = run(&format!("%help {}", entry.code.to_lowercase())).unwrap();
        assert!(page.contains(entry.wrong) && page.contains(entry.right), "{}", entry.code);
    }
}

#[test]
fn help_says_what_was_likely_meant() {
    let help = |text: &str| run(text).unwrap_err().diagnostics.remove(0).help.unwrap_or_default();
    assert_eq!(help("%help uper"), "did you mean `%help upper`?");
    assert_eq!(help("%help substr").split(',').next(), Some("in Tide: `substring(x"));
    assert_eq!(help("%help zzyzx"), "`%help` alone lists the topics");
}

#[test]
fn stop_ends_a_table_and_what_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let session = session(folder.path(), 1);
    let run = |cell: &str, text: &str| crate::collector::run(&session, cell, text).unwrap();
    run("tables", "t = read demo.ticks(rate: 100)\nu = t | summarize n: count()\nother = read demo.ticks(rate: 100)");
    let views = run("shown", "t\nu\nt | where n > 5 | limit 1\nother");
    assert!(views.iter().all(|view| !view.is_closed()));
    run("stop", "%stop t");
    assert_eq!(views.iter().map(|view| view.is_closed()).collect::<Vec<_>>(), [true, true, true, false]);
    run("stop all", "%stop");
    assert!(views[3].is_closed());
}

#[test]
fn an_output_can_be_stopped_while_another_reads_what_it_keeps() {
    let (ended, waits) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("t.jsonl"), "{\"k\": 1}\n{\"k\": 2}\n{\"k\": 2}\n").unwrap();
        let session = session(folder.path(), 2);
        let run = |cell: &str, text: &str| crate::collector::run(&session, cell, text).unwrap();
        run("t", "t = read jsonl(\"t.jsonl\", watch: true) { k: int }\nn = t | summarize n: count() by k");
        let first = run("first", "n").remove(0);
        let second = run("second", "n | where n > 1").remove(0);
        // The groups are kept by the first output's dataflow, which the second one reads.
        run("stop", "first_is_gone = rows [ {a: 1} ]\n%stop n | where n > 1");
        assert!(second.is_closed() && !first.is_closed());
        let again = run("second", "n | where n > 1").remove(0);
        run("first", "first_is_gone");
        let still = crate::collector::rows(&again);
        ended.send((first.is_closed(), still)).unwrap();
    });
    let (closed, still) = waits.recv_timeout(std::time::Duration::from_secs(120)).expect("it is stopped, and soon");
    assert!(closed);
    assert_eq!(still, ["2 2"]);
}

#[test]
fn analysis_tells_what_each_node_has_done_and_holds() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("t.jsonl"), "{\"k\": 1}\n{\"k\": 2}\n{\"k\": 2}\n{\"k\": -1}\n").unwrap();
    let session = session(folder.path(), 2);
    let told = |cell: &str, text: &str| -> Result<String, CellFailure> {
        let collector = Collector::default();
        let request =
            tidebook_session::CellRequest { cell: cell.to_string(), name: cell.to_string(), text: text.to_string() };
        session.run(&request, &collector)?;
        Ok(collector.text.into_inner())
    };
    told("t", "t = read jsonl(\"t.jsonl\") { k: int }\nn = t | where k > 0 | summarize n: count() by k").unwrap();
    assert_eq!(codes(&told("early", "%explain analyze n").unwrap_err()), [commands::NOTHING_RUNS.code]);
    assert_eq!(codes(&told("nobody", "%explain analyze nobody").unwrap_err()), [commands::NO_SUCH_TABLE.code]);
    assert_eq!(codes(&told("nameless", "%explain analyze").unwrap_err()), [commands::NEEDS_TABLE.code]);
    told("n", "n").unwrap();
    let plan = told("analysis", "%explain analyze n").unwrap();
    let line = |what: &str| plan.lines().find(|line| line.contains(what)).unwrap_or_else(|| panic!("{what}: {plan}"));
    assert!(line("= get jsonl").contains("4 rows"), "{plan}");
    assert!(line("filter(").contains("3 rows"), "{plan}");
    let reduce = line("= reduce");
    assert!(reduce.contains("2 rows") && reduce.contains("2 updates, ") && reduce.contains("µs"), "{plan}");
    // Another output that reads the sums does not count them again.
    told("more", "n | where n > 1").unwrap();
    let plan = told("analysis", "%explain analyze n | where n > 1").unwrap();
    assert!(plan.lines().any(|line| line.contains("= get jsonl") && line.contains("shared")), "{plan}");
    // A table may be called so.
    told("called", "analyze = rows [ {a: 1} ]").unwrap();
    assert!(told("called so", "%explain analyze").unwrap().starts_with("logical plan"));
}

#[test]
fn stats_move_until_their_cell_runs_again() {
    let folder = tempfile::tempdir().unwrap();
    let session = session(folder.path(), 1);
    let run = |cell: &str, text: &str| crate::collector::run(&session, cell, text).unwrap();
    let idle = run("stats", "%stats").remove(0);
    assert_eq!(crate::collector::rows(&idle), ["engine idle nothing runs yet"]);
    run("t", "t = read demo.ticks(rate: 500)\nt | summarize n: count() by k: n % 10");
    // It moves by itself, and tells how fast rows come in and go out.
    let has = |page: &tidebook_session::Page, what: &str| {
        let line = page.rows.iter().find(|row| row[0].as_deref().is_some_and(|name| name.starts_with(what)));
        line.is_some_and(|row| row[2].as_deref().is_some_and(|detail| detail.contains(" rows/s")))
    };
    let page = wait_for(&idle, |page| has(page, "source demo.ticks") && has(page, "output "));
    assert!(page.rows.iter().any(|row| row[0].as_deref().is_some_and(|name| name.starts_with("arrangement "))));
    let again = run("stats", "%stats").remove(0);
    assert!(idle.is_closed() && !again.is_closed());
    session.shutdown();
    assert!(again.is_closed());
}
