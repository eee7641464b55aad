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

/// A process may write no file beyond a size: for a sink that is what a full disk is, without filling one.
#[cfg(target_os = "linux")]
#[test]
fn a_target_without_room_is_written_whole_once_there_is_room() {
    use std::io::{BufRead, BufReader, Write};
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (folder.path().join("in.jsonl"), folder.path().join("out.jsonl"));
    fs::write(&input, "{\"n\": 0}\n").unwrap();
    let text = "t = read jsonl(\"in.jsonl\", watch: true) { n: int }\nt | write jsonl(\"out.jsonl\", mode: changes)\n";
    fs::write(folder.path().join("s.tide"), text).unwrap();
    // At most 8 blocks of 512 bytes; what would be written beyond is an error and not a signal.
    let limited = "trap '' XFSZ; ulimit -S -f 8; exec \"$0\" run s.tide --follow";
    let mut run = Command::new("sh")
        .args(["-c", limited])
        .arg(binary::path().unwrap())
        .current_dir(folder.path())
        .env("TIDEBOOK_LOG", "info")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (sender, said) = std::sync::mpsc::channel();
    let stderr = BufReader::new(run.stderr.take().unwrap());
    std::thread::spawn(move || stderr.lines().map_while(Result::ok).for_each(|line| drop(sender.send(line))));
    let deadline = Instant::now() + Duration::from_secs(60);
    let wait_for_lines = |count: usize| {
        while fs::read_to_string(&output).unwrap_or_default().lines().count() != count {
            assert!(Instant::now() < deadline, "there are not {count} lines");
            std::thread::yield_now();
        }
    };
    let wait_for_word = |word: &str| {
        let mut all = String::new();
        while !all.contains(word) {
            let line = said.recv_timeout(Duration::from_secs(60));
            all += &line.unwrap_or_else(|_| panic!("`{word}` is not said: {all}"));
        }
        all
    };
    wait_for_lines(1);
    // Before, a refusal would be that of a run which cannot write what there is, and would end it.
    wait_for_word("live inputs are followed");
    let first = fs::read_to_string(&output).unwrap();
    let more: String = (1..=500).map(|n| format!("{{\"n\": {n}}}\n")).collect();
    fs::OpenOptions::new().append(true).open(&input).unwrap().write_all(more.as_bytes()).unwrap();
    let refusal = wait_for_word("is tried again");
    assert!(refusal.contains("cannot write `out.jsonl`"), "{refusal}");
    assert_eq!(fs::read_to_string(&output).unwrap(), first, "the file is as it was");
    let raised = Command::new("prlimit").args(["--fsize=unlimited", "--pid"]).arg(run.id().to_string()).status();
    assert!(raised.unwrap().success());
    wait_for_lines(501);
    let numbers: Vec<i64> = json_lines(&output).iter().map(|row| row["n"].as_i64().unwrap()).collect();
    let expected: Vec<i64> = (0..=500).collect();
    assert_eq!(numbers, expected, "each change once");
    run.kill().unwrap();
    run.wait().unwrap();
}

/// Section 7 of the language's page: each mode of each format, whole and in folders, comes back as the table.
#[test]
fn every_mode_of_every_format_comes_back() {
    let table = "t = rows [ {id: 1, y: 2025, s: \"a, \\\"b\\\"\"}, {id: 2, y: 2026, s: null}, {id: 3, y: null, s: \"\"} ]\n\
                     then [ -{id: 2, y: 2026, s: null}, {id: 2, y: 2025, s: \"new\"}, {id: 4, y: 2026, s: \"ü\"} ] then [ {id: 5, y: 2026, s: \"x\"} ]\n\
                 added = rows [ {id: 1, y: 2025, s: \"a\"} ] then [ {id: 1, y: 2025, s: \"a\"}, {id: 2, y: 2026, s: null} ]\n";
    let schema = "{ id: int, y: int?, s: text? }";
    for (workers, format) in ["csv", "tsv", "jsonl", "parquet", "arrow"].into_iter().enumerate() {
        let written = format!(
            "{table}keyed = t | key by id\n\
             keyed | write {format}(\"out/now.{format}\")\n\
             keyed | write {format}(\"out/now\", mode: upsert, partition_by: y)\n\
             t | write {format}(\"out/changes.{format}\", mode: changes)\n\
             t | write {format}(\"out/changes\", mode: changes, partition_by: [y])\n\
             added | write {format}(\"out/added.{format}\", mode: append)\n\
             added | write {format}(\"out/added\", partition_by: [y, id])\n\
             t | sort s | limit 2 | select s, id | write {format}(\"out/first.{format}\", mode: changes)\n"
        );
        // Files of records say in the path what their folder stands for.
        let by_folder = |path: &str| match format {
            "parquet" | "arrow" => format!("(read {format}(\"{path}/**/*.{format}\") | select id, y, s)"),
            _ => format!(
                "(read {format}(\"{path}/**/*.{format}\") {{ id: int, s: text?, path: text from \"_path\" }} | derive y: \
                 try(int(regex_extract(path, \"y=([0-9]+)/\", 1))) | select id, y, s)"
            ),
        };
        let summed = "| summarize n: sum(_diff) by id, y, s | where n != 0 | drop n";
        let changes = match format {
            "parquet" | "arrow" => format!("(read {format}(\"out/changes/**/*.{format}\") {summed})"),
            _ => format!(
                "(read {format}(\"out/changes/**/*.{format}\") {{ id: int, s: text?, _diff: int, path: text from \"_path\" }} \
                 | derive y: try(int(regex_extract(path, \"y=([0-9]+)/\", 1))) {summed})"
            ),
        };
        let read = format!(
            "{table}now = read {format}(\"out/now.{format}\") {schema}\nexpect now equals t\n\
             parts = {parts}\nexpect parts equals t\n\
             summed = read {format}(\"out/changes.{format}\") {{ id: int, y: int?, s: text?, _diff: int }} {summed}\n\
             expect summed equals t\nchanges = {changes}\nexpect changes equals t\n\
             log = read {format}(\"out/added.{format}\") {schema}\nexpect log equals added\n\
             first = read {format}(\"out/first.{format}\") {{ s: text?, id: int, _diff: int }} | summarize n: sum(_diff) by s, id | where n != 0\n\
             expect first equals (t | sort s | limit 2 | select s, id, n: 1)\n",
            parts = by_folder("out/now"),
        );
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("write.tide", &written), ("read.tide", &read)] {
            fs::write(folder.path().join(name), text).unwrap();
            let workers = (1 + workers % 2).to_string();
            let run = binary::run_json(folder.path(), name, &["--workers", &workers]).unwrap();
            assert!(run.status.success(), "{format} {name}: {}\n{text}", run.err);
        }
        let deepest = folder.path().join("out/added/y=2025/id=1");
        assert_eq!(fs::read_dir(&deepest).unwrap().count(), 1, "a folder for each value of each column");
    }
}
