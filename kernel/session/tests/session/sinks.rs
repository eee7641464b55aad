//! Sinks whose target refuses for a while.

use std::fs;
use std::io::Write;
use std::path::Path;

use tidebook_session::{FailureKind, Standing, View};

use crate::collector::{page, rows, run, session, wait_for};

fn stands_well(view: &View) -> bool {
    page(view).verdict.is_some_and(|verdict| verdict.standing == Standing::Good)
}

fn lines(path: &Path) -> Vec<String> {
    fs::read_to_string(path).unwrap_or_default().lines().map(str::to_string).collect()
}

#[test]
fn what_comes_while_the_target_is_gone_is_written_when_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let (input, out, aside) = (folder.path().join("t.jsonl"), folder.path().join("out"), folder.path().join("aside"));
    fs::write(&input, "{\"id\": 1}\n").unwrap();
    let session = session(folder.path(), 2);
    let text = "t = read jsonl(\"t.jsonl\", watch: true) { id: int key } | derive part: id";
    run(&session, "t", text).unwrap();
    let text = "t | write csv(\"out/now.csv\")\nt | write csv(\"out/changes.csv\", mode: changes)\n\
                t | write jsonl(\"out/parts\", mode: changes, partition_by: part)";
    let sinks = run(&session, "sinks", text).unwrap();
    assert_eq!(lines(&out.join("now.csv")), ["id,part", "1,1"]);
    // A file stands where the folder was: nothing can be written.
    fs::rename(&out, &aside).unwrap();
    fs::write(&out, "in the way").unwrap();
    let mut appender = fs::OpenOptions::new().append(true).open(&input).unwrap();
    writeln!(appender, "{{\"id\": 2}}").unwrap();
    for sink in &sinks {
        let page =
            wait_for(sink, |page| page.verdict.as_ref().is_some_and(|verdict| verdict.standing == Standing::Bad));
        let said = page.verdict.unwrap().text;
        assert!(said.starts_with("1 change not yet written to ") && said.contains("cannot write `out/"), "{said}");
        assert_eq!(page.failure, None, "it goes on");
    }
    // The cell that wrote says so when it runs again, and other tables go on.
    let failure = run(&session, "sinks", text).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Runtime);
    assert!(failure.text.contains("cannot write `out/now.csv`"), "{}", failure.text);
    writeln!(appender, "{{\"id\": 3}}").unwrap();
    let other = run(&session, "other", "t | summarize n: count()").unwrap().remove(0);
    wait_for(&other, |_| rows(&other) == ["3"]);
    // Back again: everything that came meanwhile is there, each change once.
    fs::remove_file(&out).unwrap();
    fs::rename(&aside, &out).unwrap();
    let sinks = run(&session, "sinks", text).unwrap();
    assert!(sinks.iter().all(|sink| stands_well(sink)));
    assert_eq!(lines(&out.join("now.csv")), ["id,part", "1,1", "2,2", "3,3"]);
    let changes: Vec<String> = lines(&out.join("changes.csv"));
    let ids: Vec<&str> = changes.iter().map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(ids, ["id", "1", "2", "3"]);
    for id in 1..=3 {
        let part = fs::read_dir(out.join(format!("parts/part={id}"))).unwrap().next().unwrap().unwrap();
        assert_eq!(lines(&part.path()).len(), 1);
    }
}

#[test]
fn a_sink_tries_again_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let (input, out, aside) = (folder.path().join("t.jsonl"), folder.path().join("out"), folder.path().join("aside"));
    fs::write(&input, "{\"id\": 1}\n").unwrap();
    let session = session(folder.path(), 1);
    run(&session, "t", "t = read jsonl(\"t.jsonl\", watch: true) { id: int }").unwrap();
    let sink = run(&session, "s", "t | write jsonl(\"out/log.jsonl\", mode: changes)").unwrap().remove(0);
    fs::rename(&out, &aside).unwrap();
    let mut appender = fs::OpenOptions::new().append(true).open(&input).unwrap();
    writeln!(appender, "{{\"id\": 2}}").unwrap();
    wait_for(&sink, |page| page.verdict.as_ref().is_some_and(|verdict| verdict.standing == Standing::Bad));
    fs::rename(&aside, &out).unwrap();
    let page = wait_for(&sink, |page| page.verdict.as_ref().is_some_and(|verdict| verdict.standing == Standing::Good));
    assert_eq!(page.verdict.unwrap().text, "2 changes written to jsonl `out/log.jsonl`");
    assert_eq!(lines(&out.join("log.jsonl")).len(), 2);
}

#[test]
fn one_target_has_one_writer() {
    let folder = tempfile::tempdir().unwrap();
    let session = session(folder.path(), 1);
    run(&session, "tables", "a = rows [ {x: 1} ] | key by x\nb = rows [ {x: 2} ] | key by x").unwrap();
    run(&session, "first", "a | write csv(\"out/t.csv\")").unwrap();
    let failure = run(&session, "second", "b | write csv(\"./out/../out/t.csv\")").unwrap_err();
    assert_eq!(failure.kind, FailureKind::Runtime);
    assert!(failure.text.contains("is written by `a` already"), "{}", failure.text);
    assert_eq!(lines(&folder.path().join("out/t.csv")), ["x", "1"], "the first one goes on undisturbed");
    // The cell that has the target may write another table to it, and one that is stopped leaves it.
    run(&session, "first", "b | write csv(\"out/t.csv\")").unwrap();
    assert_eq!(lines(&folder.path().join("out/t.csv")), ["x", "2"]);
    run(&session, "first", "b").unwrap();
    run(&session, "second", "a | write csv(\"out/t.csv\")").unwrap();
    assert_eq!(lines(&folder.path().join("out/t.csv")), ["x", "1"]);
}
