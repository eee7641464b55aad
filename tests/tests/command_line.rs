//! `tidebook run`: its exit codes, its parameters, and what it prints where.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tidebook_tests::binary::{self, Run};

fn tidebook(folder: &Path, arguments: &[&str]) -> Run {
    let output = Command::new(binary::path().unwrap()).current_dir(folder).args(arguments).output().unwrap();
    Run {
        status: output.status,
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn folder_with(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    files.iter().for_each(|(name, text)| fs::write(folder.path().join(name), text).unwrap());
    folder
}

const SCRIPT: &str = "param least: int = 2\nt = rows [ {a: 1}, {a: 2}, {a: 3} ]\nu = t | where a >= least\nu\n";

#[test]
fn parameters_are_set_from_outside() {
    let folder = folder_with(&[("s.tide", SCRIPT)]);
    let rows = |run: Run| {
        assert!(run.status.success(), "{}", run.err);
        serde_json::from_str::<Value>(run.out.trim()).unwrap()["rows"].clone()
    };
    assert_eq!(rows(tidebook(folder.path(), &["run", "s.tide", "--format", "json"])), json!([[2], [3]]));
    let set = ["run", "s.tide", "--set", "least=3", "--format", "json"];
    assert_eq!(rows(tidebook(folder.path(), &set)), json!([[3]]));
}

#[test]
fn parameters_of_every_type_are_set_from_outside() {
    let given = [
        ("i", "int", "0", "-7", json!(-7)),
        ("f", "float", "0", "1e3", json!(1000.0)),
        ("d", "decimal(10, 2)", "0", "1.555", json!("1.56")),
        ("e", "decimal", "0", "0.1", json!("0.1000000000")),
        ("b", "bool", "false", "TRUE", json!(true)),
        ("s", "text", "\"\"", "it's \"so\" null", json!("it's \"so\" null")),
        ("y", "date", "@2020-01-01", "2026-02-28", json!("2026-02-28")),
        ("since", "timestamp", "@2020-01-01", "2026-01-01", json!("2026-01-01T00:00:00")),
        ("until", "timestamp", "@2020-01-01", "@2026-01-01T12:30:00+02:00", json!("2026-01-01T10:30:00")),
        ("u", "duration", "0s", "1h30m", json!("90m")),
        ("j", "json", "json(\"0\")", "{\"a\": [1]}", json!({"a": [1]})),
        ("l", "[int]", "[]", "[1, 2]", json!([1, 2])),
        ("r", "{a: int, b: text?}", "{a: 0, b: \"x\"}", "{a: 1, b: null}", json!({"a": 1, "b": null})),
        ("n", "int?", "1", "null", Value::Null),
        ("c", "int", "0", "2 * 3", json!(6)),
    ];
    let params = given.iter().map(|(name, ty, default, ..)| format!("param {name}: {ty} = {default}\n"));
    let columns: Vec<String> = given.iter().map(|(name, ..)| format!("{name}: {name}")).collect();
    let script = format!("{}rows [ {{{}}} ]\n", params.collect::<String>(), columns.join(", "));
    let folder = folder_with(&[("s.tide", &script)]);
    let set: Vec<String> = given.iter().map(|(name, _, _, value, _)| format!("{name}={value}")).collect();
    let mut arguments = vec!["run", "s.tide", "--format", "json"];
    arguments.extend(set.iter().flat_map(|set| ["--set", set]));
    let run = tidebook(folder.path(), &arguments);
    assert!(run.status.success(), "{}", run.err);
    let expected: Vec<Value> = given.into_iter().map(|(.., value)| value).collect();
    assert_eq!(serde_json::from_str::<Value>(run.out.trim()).unwrap()["rows"], json!([expected]));
}

#[test]
fn a_parameter_that_does_not_fit_its_type_fails_the_run() {
    let folder = folder_with(&[("s.tide", SCRIPT)]);
    let run = tidebook(folder.path(), &["run", "s.tide", "--set", "least=many", "--format", "json"]);
    assert_eq!(run.status.code(), Some(1), "{}{}", run.out, run.err);
    assert!(run.err.contains("least"), "{}", run.err);
}

#[test]
fn usage_errors_are_told_apart_from_failures() {
    let folder = folder_with(&[("s.tide", SCRIPT)]);
    assert_eq!(tidebook(folder.path(), &["run", "s.tide", "--no-such-flag"]).status.code(), Some(2));
    assert_eq!(tidebook(folder.path(), &["run"]).status.code(), Some(2));
    assert_eq!(tidebook(folder.path(), &["run", "s.tide", "--format", "xml"]).status.code(), Some(2));
    assert_eq!(tidebook(folder.path(), &["run", "s.tide", "--workers", "none"]).status.code(), Some(2));
}

#[test]
fn standard_output_holds_tables_only() {
    let text = format!("{SCRIPT}expect t is not empty\nt | where a == 1\n");
    let folder = folder_with(&[("s.tide", &text)]);
    let run = tidebook(folder.path(), &["run", "s.tide", "--format", "json"]);
    assert!(run.status.success(), "{}", run.err);
    let labels: Vec<Value> = run
        .out
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{line}: {error}"))["table"].clone()
        })
        .collect();
    assert_eq!(labels, [json!("u"), json!("t | where a == 1")]);
}

#[test]
fn good_statements_of_a_failing_script_still_show() {
    let text = "t = rows [ {a: 1} ]\nu = t | where b > 1\nt\n";
    let folder = folder_with(&[("s.tide", text)]);
    let run = tidebook(folder.path(), &["run", "s.tide", "--format", "json"]);
    assert_eq!(run.status.code(), Some(1));
    assert!(run.err.contains("unknown column `b`"), "{}", run.err);
    assert!(run.out.contains("\"table\": \"t\"") || run.out.contains("\"table\":\"t\""), "{}", run.out);
}

#[test]
fn text_is_for_people() {
    let folder = folder_with(&[("s.tide", SCRIPT)]);
    let run = tidebook(folder.path(), &["run", "s.tide"]);
    assert!(run.status.success(), "{}", run.err);
    assert!(run.out.contains('a') && run.out.contains('2') && run.out.contains('3'), "{}", run.out);
    assert!(serde_json::from_str::<Value>(run.out.trim()).is_err(), "{}", run.out);
}

/// A notebook whose second cell uses what the first defines.
#[test]
fn a_notebook_runs_and_keeps_its_outputs() {
    let cell = |id: &str, source: &str| json!({"cell_type": "code", "id": id, "metadata": {}, "execution_count": null, "outputs": [], "source": source});
    let text = json!({"cell_type": "markdown", "id": "m", "metadata": {}, "source": "words for people"});
    let notebook = json!({
        "cells": [text, cell("one", "t = rows [ {a: 41}, {a: 42} ]"), cell("two", "t | where a > 41")],
        "metadata": {"kernelspec": {"name": "tidebook", "display_name": "Tide", "language": "tide"}},
        "nbformat": 4, "nbformat_minor": 5,
    });
    let folder = folder_with(&[("n.ipynb", &notebook.to_string())]);
    let run = tidebook(folder.path(), &["run", "n.ipynb", "--output", "out.ipynb", "--format", "json"]);
    assert!(run.status.success(), "{}", run.err);
    let shown: Value = serde_json::from_str(run.out.trim()).unwrap();
    assert_eq!(shown["rows"], json!([[42]]));
    let saved: Value = serde_json::from_str(&fs::read_to_string(folder.path().join("out.ipynb")).unwrap()).unwrap();
    let outputs = saved["cells"][2]["outputs"].as_array().unwrap();
    let plain = outputs.iter().map(|output| output["data"]["text/plain"].to_string()).collect::<String>();
    assert!(plain.contains("42") && !plain.contains("41\\n"), "{plain}");
    assert_eq!(saved["cells"][0], notebook["cells"][0], "what is no code stays as it is");
}

#[test]
fn time_can_run_out() {
    let text = "ticks = read demo.ticks(rate: 1, rows: 100000)\nn = ticks | summarize n: count()\nn\n";
    let folder = folder_with(&[("s.tide", text)]);
    let run = tidebook(folder.path(), &["run", "s.tide", "--format", "json", "--timeout", "1s"]);
    assert_eq!(run.status.code(), Some(1), "{}{}", run.out, run.err);
    assert!(!run.err.is_empty());
}
