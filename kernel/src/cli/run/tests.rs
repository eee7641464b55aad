//! Runs over the fake host, whose cells are lines of `verb argument`.

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Parser;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::fake_host::FakeHost;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    run: Arguments,
}

/// What a run gives.
struct Outcome {
    result: Result<bool, Failure>,
    printed: String,
    started: Option<SessionOptions>,
    host: Arc<FakeHost>,
}

fn file(folder: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    path
}

fn run_file(path: &Path, options: &[&str]) -> Outcome {
    let program = ["run", path.to_str().unwrap()];
    let arguments = Line::try_parse_from(program.iter().chain(options)).unwrap().run;
    let (host, started, mut printed) = (Arc::new(FakeHost::default()), RefCell::new(None), Vec::new());
    let start = |options: SessionOptions| -> Result<Arc<dyn Host>, String> {
        started.replace(Some(options));
        Ok(host.clone())
    };
    let result = run(&arguments, &start, &mut printed);
    let started = started.borrow_mut().take();
    Outcome { result, printed: String::from_utf8(printed).unwrap(), started, host }
}

fn notebook(cells: &[&str]) -> String {
    let cells: Vec<Value> = cells
        .iter()
        .map(|source| json!({"cell_type": "code", "metadata": {}, "outputs": ["stale"], "source": source}))
        .collect();
    json!({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).to_string()
}

#[test]
fn a_script_prints_its_tables_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "report.tide", "echo hello\nshow one\nmarkup schema\nexpect all is well\nshow two");
    let text = run_file(&path, &[]);
    assert_eq!(text.result, Ok(true));
    assert_eq!(text.printed, "t0: 1 row\nx\none\n\n✓ all is well\n\nt2: 1 row\nx\ntwo\n");
    assert_eq!(text.host.state().cells, vec![("script".to_string(), "report.tide".to_string())]);
    assert!(text.host.state().is_down);
    let lines = run_file(&path, &["--format", "json"]).printed;
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines, vec![json!({"table": "t0", "rows": [["one"]]}), json!({"table": "t2", "rows": [["two"]]})]);
}

#[test]
fn the_session_gets_the_options_and_the_files_folder() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "a.ipynb", &notebook(&["echo x"]));
    let started = run_file(&path, &["--set", "since=@2026-01-01", "--set", "n=a=b", "--workers", "2"]).started.unwrap();
    assert_eq!(started.base, fs::canonicalize(folder.path()).unwrap());
    assert_eq!((started.workers, started.headless), (Some(2), true));
    let pair = |name: &str, value: &str| (name.to_string(), value.to_string());
    assert_eq!(started.parameters, vec![pair("since", "@2026-01-01"), pair("n", "a=b")]);
}

#[test]
fn a_failing_cell_fails_the_run_and_the_notebook_is_written_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "a.ipynb", &notebook(&["echo x\nshow one", "fail no", " "]));
    let output = folder.path().join("out.ipynb");
    let outcome = run_file(&path, &["--output", output.to_str().unwrap()]);
    assert_eq!(outcome.result, Ok(false));
    assert_eq!(outcome.printed, "t0: 1 row\nx\none\n");
    let written: Value = serde_json::from_str(&fs::read_to_string(output).unwrap()).unwrap();
    let outputs = |i: usize| written["cells"][i]["outputs"].as_array().unwrap();
    assert_eq!(outputs(0)[0], json!({"output_type": "stream", "name": "stdout", "text": ["x\n"]}));
    assert_eq!(outputs(0)[1]["data"]["text/plain"], json!(["t0: 1 row\n", "x\n", "one"]));
    assert!(outputs(0)[1]["data"]["text/html"][0].as_str().unwrap().contains("<td>one</td>"));
    assert_eq!(outputs(1)[0]["ename"], "DiagnosticError");
    assert!(outputs(2).is_empty());
    let counts: Vec<&Value> = (0..3).map(|i| &written["cells"][i]["execution_count"]).collect();
    assert_eq!(counts, vec![&json!(1), &json!(2), &Value::Null]);
    assert_eq!(written["metadata"]["kernelspec"]["name"], "tide");
    assert_eq!(written["metadata"]["language_info"]["version"], "9.9");
}

#[test]
fn a_cell_that_is_meant_to_fail_does_not_fail_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let tagged = json!({"cell_type": "code", "metadata": {"tags": ["raises-exception"]}, "source": "fail no"});
    let path = file(&folder, "a.ipynb", &json!({"cells": [tagged]}).to_string());
    assert_eq!(run_file(&path, &[]).result, Ok(true));
}

#[test]
fn a_file_that_cannot_be_run_is_a_wrong_use() {
    let folder = tempfile::tempdir().unwrap();
    let cases = [("a.csv", "x"), ("a.ipynb", "x"), ("b.ipynb", "{}")];
    for (name, text) in cases {
        let outcome = run_file(&file(&folder, name, text), &[]);
        assert_eq!(outcome.result.unwrap_err().code, super::super::USAGE, "{name}");
        assert!(outcome.started.is_none());
    }
    let missing = run_file(&folder.path().join("none.tide"), &[]);
    assert!(missing.result.unwrap_err().message.contains("none.tide"));
}

#[test]
fn wrong_options_are_refused() {
    let wrong: [&[&str]; 6] = [
        &["--set", "a"],
        &["--set", "1a=2"],
        &["--workers", "0"],
        &["--timeout", "5"],
        &["--format", "xml"],
        &["--nonsense"],
    ];
    for options in wrong {
        let line = ["run", "a.tide"].iter().chain(options);
        assert!(Line::try_parse_from(line).is_err(), "{options:?}");
    }
}
