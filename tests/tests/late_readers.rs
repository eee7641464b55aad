//! A table is its full current contents: a cell that starts to read a source which has been running for a while holds
//! what a cell holds that was there first.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch};
use parquet::arrow::ArrowWriter;
use tidebook_engine::CatchUp;
use tidebook_tests::feed::Feed;
use tidebook_tests::generator::{Column, Input, InputState, Kind, Random};
use tidebook_tests::harness::{Harness, Output, Setup};

fn harness(base: &Path, workers: usize, feed: &Arc<Feed>) -> Harness {
    let setup = Setup { workers, optimize: true, base: base.to_path_buf(), sources: vec![feed.clone()] };
    Harness::start(setup).unwrap_or_else(|failure| panic!("{failure}"))
}

fn run(harness: &mut Harness, cell: &str, text: &str) -> Vec<Output> {
    harness.run(cell, text).unwrap_or_else(|failure| panic!("{failure}\n{text}"))
}

fn settle(harness: &Harness, outputs: &mut [Output]) {
    harness.settle(outputs, CatchUp::Present).unwrap_or_else(|failure| panic!("{failure}"));
}

fn same(first: &Output, late: &Output, when: &str) {
    let difference = late.contents().difference_from(first.contents());
    assert!(difference.is_empty(), "`{}` (+) differs from `{}` (-) {when}\n{difference}", late.label, first.label);
}

fn input(keyed: bool) -> Input {
    let column = |name: &str, kind| Column { name: name.to_string(), kind };
    let columns =
        vec![column("k", Kind::Int), column("x", Kind::Int), column("s", Kind::Text), column("f", Kind::Float)];
    Input { name: "t".to_string(), columns, keyed }
}

/// A source that only gives rows once: what it gave is stored for the second cell.
fn stored_source(keyed: bool, workers: usize) {
    let feed = Feed::new();
    let folder = tempfile::tempdir().unwrap();
    let mut harness = harness(folder.path(), workers, &feed);
    let ending = if keyed { " key" } else { "?" };
    let define = format!("t = read test.feed(\"t\") {{ k: int{ending}, x: int?, s: text?, f: float? }}");
    let mut first = run(&mut harness, "1", &format!("{define}\nt\nn = t | summarize n: count(), x: sum(x) by s\nn"));
    let mut state = InputState::new(&input(keyed));
    let mut random = Random::new(11);
    let mut change = |size: usize| {
        let changes = state.change(&mut random, size);
        feed.send("t", state.change_batch(&changes));
    };
    for _ in 0..5 {
        change(20);
        settle(&harness, &mut first);
    }
    let mut late = run(&mut harness, "2", "u = t | where true\nu\nm = t | summarize n: count(), x: sum(x) by s\nm");
    settle(&harness, &mut late);
    assert!(!first[0].contents().is_empty());
    for (first, late) in first.iter().zip(&late) {
        same(first, late, "when it has caught up");
    }
    for _ in 0..5 {
        change(7);
        settle(&harness, &mut first);
        settle(&harness, &mut late);
        for (first, late) in first.iter().zip(&late) {
            same(first, late, "after further changes");
        }
    }
}

#[test]
fn of_a_source_that_gives_rows_once() {
    stored_source(false, 1);
    stored_source(false, 2);
}

#[test]
fn of_a_keyed_source() {
    stored_source(true, 1);
    stored_source(true, 2);
}

#[test]
fn of_literal_rows() {
    let feed = Feed::new();
    let folder = tempfile::tempdir().unwrap();
    let mut harness = harness(folder.path(), 2, &feed);
    let text = "t = rows [ {a: 1}, {a: 2} ] then [ -{a: 1} ] then [ {a: 3}, {a: 3} ]\nt\n";
    let mut first = run(&mut harness, "1", text);
    settle(&harness, &mut first);
    let mut late = run(&mut harness, "2", "u = t | where a > 0\nu\n");
    settle(&harness, &mut late);
    same(&first[0], &late[0], "of the same rows");
    assert_eq!(late[0].contents().len(), 3);
}

#[test]
fn of_files_that_are_read_again() {
    let feed = Feed::new();
    let folder = tempfile::tempdir().unwrap();
    let mut harness = harness(folder.path(), 2, &feed);
    fs::write(folder.path().join("t.csv"), "k,x\n1,10\n2,20\n3,\n").unwrap();
    let mut first = run(&mut harness, "1", "t = read csv(\"t.csv\") { k: int, x: int? }\nt");
    settle(&harness, &mut first);
    let mut late = run(&mut harness, "2", "u = t | where k > 0\nu");
    settle(&harness, &mut late);
    assert_eq!(first[0].contents().len(), 3);
    same(&first[0], &late[0], "of the same file");
}

fn write_parquet(path: &Path, rows: i64) {
    let column = |factor: i64| -> ArrayRef { Arc::new(Int64Array::from_iter_values((0..rows).map(|k| k * factor))) };
    let batch = RecordBatch::try_from_iter([("k", column(1)), ("x", column(10))]).unwrap();
    let mut writer = ArrowWriter::try_new(fs::File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

/// Each cell reads what it needs of a file, the same part or another one; all of them read one table.
#[test]
fn of_parts_of_a_columnar_file() {
    let feed = Feed::new();
    let folder = tempfile::tempdir().unwrap();
    let mut harness = harness(folder.path(), 2, &feed);
    let file = folder.path().join("t.parquet");
    write_parquet(&file, 100);
    let define = "t = read parquet(\"t.parquet\")";
    let mut first = run(&mut harness, "1", &format!("{define}\na = t | where k >= 50 | select k\na\nt"));
    settle(&harness, &mut first);
    assert_eq!(first[0].contents().len(), 50);
    let text = "b = t | where k >= 50 | select k\nb\nu = t | where k >= 0\nu\nc = t | summarize n: count()\nc";
    let mut late = run(&mut harness, "2", text);
    settle(&harness, &mut late);
    same(&first[0], &late[0], "of the same part");
    same(&first[1], &late[1], "of the same file");
    assert_eq!(late[2].contents().in_order(&[]), [vec![serde_json::json!(100)]]);
    // Now the file is another one, and no part of it belongs to the table that the others show.
    write_parquet(&file, 101);
    let mut other = run(&mut harness, "3", "d = t | select x\nd");
    let told = harness.settle(&mut other, CatchUp::Present).unwrap_err().to_string();
    assert!(told.contains("`t.parquet` no longer has what was read from it: it was written again"), "{told}");
    settle(&harness, &mut first);
}

/// Files that are added, changed, appended to and removed while one cell reads them; the second comes in between.
#[test]
fn of_watched_files() {
    let feed = Feed::new();
    let folder = tempfile::tempdir().unwrap();
    let mut harness = harness(folder.path(), 2, &feed);
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("a.jsonl", "{\"k\": 1}\n{\"k\": 2}\n");
    write("b.jsonl", "{\"k\": 3}\n");
    let text = "t = read jsonl(\"*.jsonl\", watch: true) { k: int }\nt";
    let mut first = run(&mut harness, "1", text);
    settle(&harness, &mut first);
    assert_eq!(first[0].contents().len(), 3);
    write("a.jsonl", "{\"k\": 1}\n{\"k\": 20}\n{\"k\": 21}\n");
    write("c.jsonl", "{\"k\": 30}\n");
    fs::remove_file(folder.path().join("b.jsonl")).unwrap();
    settle(&harness, &mut first);
    let mut late = run(&mut harness, "2", "u = t | where k > 0\nu");
    settle(&harness, &mut late);
    assert_eq!(late[0].contents().in_order(&[]), [1, 20, 21, 30].map(|k| vec![serde_json::json!(k)]).to_vec());
    same(&first[0], &late[0], "when it has caught up");
    let mut file = fs::OpenOptions::new().append(true).open(folder.path().join("c.jsonl")).unwrap();
    std::io::Write::write_all(&mut file, b"{\"k\": 31}\n").unwrap();
    settle(&harness, &mut first);
    settle(&harness, &mut late);
    assert_eq!(first[0].contents().len(), 5);
    same(&first[0], &late[0], "after the file has grown");
}
