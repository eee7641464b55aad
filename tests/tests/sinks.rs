//! What `write` leaves in files, through the program itself.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tidebook_tests::binary;

/// Runs `text` in a folder of its own and gives the folder.
fn run(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("script.tide"), text).unwrap();
    let run = binary::run_json(folder.path(), "script.tide", &[]).unwrap();
    assert!(run.status.success(), "{}\n{}", run.err, text);
    folder
}

fn json_lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("`{}`: {error}", path.display()));
    assert!(text.is_empty() || text.ends_with('\n'), "the last line is whole");
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))).collect()
}

fn sorted(mut rows: Vec<Value>) -> Vec<String> {
    let mut lines: Vec<String> = rows.drain(..).map(|row| row.to_string()).collect();
    lines.sort();
    lines
}

#[test]
fn rows_are_appended_as_json_lines() {
    let folder = run("t = rows [ {id: 1, s: \"a, \\\"b\\\"\"}, {id: 2, s: null} ] then [ {id: 3, s: \"é\"} ]\n\
                      t | write jsonl(\"out/t.jsonl\", mode: append)\n");
    let found = sorted(json_lines(&folder.path().join("out/t.jsonl")));
    let expected = [json!({"id": 1, "s": "a, \"b\""}), json!({"id": 2, "s": null}), json!({"id": 3, "s": "é"})];
    assert_eq!(found, sorted(expected.to_vec()));
}

#[test]
fn a_keyed_table_is_kept_as_it_is_now() {
    let folder = run("t = rows [ {id: 1, n: 1}, {id: 2, n: 2} ]\n\
                          then [ -{id: 1, n: 1}, {id: 1, n: 10} ]\n\
                          then [ -{id: 2, n: 2}, {id: 3, n: 3} ] | key by id\n\
                      t | write jsonl(\"out/t.jsonl\", mode: upsert)\n");
    let found = sorted(json_lines(&folder.path().join("out/t.jsonl")));
    assert_eq!(found, sorted(vec![json!({"id": 1, "n": 10}), json!({"id": 3, "n": 3})]));
}

#[test]
fn changes_add_up_to_the_table() {
    let folder =
        run("t = rows [ {k: \"a\", x: 1}, {k: \"b\", x: 5} ] then [ {k: \"a\", x: 2} ] then [ -{k: \"b\", x: 5} ]\n\
                      u = t | summarize total: sum(x) by k\n\
                      u | write jsonl(\"out/u.jsonl\", mode: changes)\n");
    let mut sum: BTreeMap<String, i64> = BTreeMap::new();
    let mut last_epoch = 0;
    let changes = json_lines(&folder.path().join("out/u.jsonl"));
    assert!(changes.len() > 1, "{changes:?}");
    for change in changes {
        let (epoch, diff) = (change["_epoch"].as_i64().unwrap(), change["_diff"].as_i64().unwrap());
        assert!(epoch >= last_epoch, "epochs come in order");
        last_epoch = epoch;
        let count = sum.entry(json!([change["k"], change["total"]]).to_string()).or_default();
        *count += diff;
    }
    sum.retain(|_, count| *count != 0);
    assert_eq!(sum, BTreeMap::from([("[\"a\",3]".to_string(), 1)]));
}

#[test]
fn a_written_csv_file_can_be_read_again() {
    let folder =
        run("t = rows [ {id: 1, s: \"plain\"}, {id: 2, s: \"a, b\"}, {id: 3, s: \"two\\nlines \\\"quoted\\\"\"} ]\n\
                      t | write csv(\"t.csv\", mode: append)\n");
    let again = "t = read csv(\"t.csv\") { id: int, s: text }\nt\n";
    fs::write(folder.path().join("again.tide"), again).unwrap();
    let run = binary::run_json(folder.path(), "again.tide", &[]).unwrap();
    assert!(run.status.success(), "{}", run.err);
    let table: Value = serde_json::from_str(run.out.trim()).unwrap();
    assert_eq!(table["rows"], json!([[1, "plain"], [2, "a, b"], [3, "two\nlines \"quoted\""]]));
    assert_eq!(table["errors"], json!(0));
}

#[test]
fn a_run_again_does_not_write_twice_what_upsert_holds() {
    let text =
        "t = rows [ {id: 1, n: 1} ] then [ {id: 2, n: 2} ] | key by id\nt | write csv(\"t.csv\", mode: upsert)\n";
    let folder = run(text);
    let first = fs::read_to_string(folder.path().join("t.csv")).unwrap();
    let again = binary::run_json(folder.path(), "script.tide", &[]).unwrap();
    assert!(again.status.success(), "{}", again.err);
    assert_eq!(fs::read_to_string(folder.path().join("t.csv")).unwrap(), first);
    assert_eq!(first.lines().count(), 3, "a header and two rows: {first}");
}

#[test]
fn a_target_that_cannot_be_written_fails_the_run() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("out"), "a file where a folder must be").unwrap();
    let text = "t = rows [ {id: 1} ]\nt | write jsonl(\"out/t.jsonl\", mode: append)\n";
    fs::write(folder.path().join("script.tide"), text).unwrap();
    let run = binary::run_json(folder.path(), "script.tide", &[]).unwrap();
    assert_eq!(run.status.code(), Some(1), "{}", run.err);
    assert!(run.err.contains("out"), "{}", run.err);
}

#[test]
fn columnar_files_of_one_run_are_read_by_the_next() {
    let folder = run(
        "t = rows [ {id: 1, year: 2025, at: @2026-01-01T10:00:00Z, xs: [1, 2]}, {id: 2, year: 2026, at: null, xs: []} ]\n\
                      then [ {id: 3, year: 2026, at: null, xs: [3]}, -{id: 2, year: 2026, at: null, xs: []} ] | key by id\n\
                      t | write parquet(\"out/t.parquet\")\n\
                      t | write parquet(\"out/parts\", partition_by: [year], compression: snappy)\n\
                      t | write arrow(\"out/changes\", mode: changes)\n",
    );
    fs::write(
        folder.path().join("again.tide"),
        "t = rows [ {id: 1, year: 2025, at: @2026-01-01T10:00:00Z, xs: [1, 2]}, {id: 3, year: 2026, at: null, xs: [3]} ]\n\
         one = read parquet(\"out/t.parquet\")\n\
         parts = read parquet(\"out/parts/**/*.parquet\") | select id, year, at, xs\n\
         changes = read arrow(\"out/changes/*.arrow\") | summarize n: sum(_diff) by id | where n != 0 | select id\n\
         expect one equals t\n\
         expect parts equals t\n\
         expect changes equals (t | select id)\n\
         one | where year == 2025 | select id\n",
    )
    .unwrap();
    let again = binary::run_json(folder.path(), "again.tide", &[]).unwrap();
    assert!(again.status.success(), "{}", again.err);
    assert!(again.out.contains("\"rows\":[[1]]"), "{}", again.out);
}

#[test]
fn a_columnar_target_that_cannot_be_written_fails_the_run() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("out"), "a file where a folder is needed").unwrap();
    fs::write(folder.path().join("script.tide"), "rows [ {id: 1} ] | write parquet(\"out/t.parquet\")\n").unwrap();
    let run = binary::run_json(folder.path(), "script.tide", &[]).unwrap();
    assert!(!run.status.success());
    assert!(run.err.contains("cannot write `out/t.parquet`"), "{}", run.err);
    assert_eq!(fs::read_to_string(folder.path().join("out")).unwrap(), "a file where a folder is needed");
}
