//! `tidebook fmt` and `tidebook check`: what they change, what they print and how they exit.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tidebook_tests::binary::{self, Run};

fn tidebook(folder: &Path, arguments: &[&str], input: &str) -> Run {
    let mut command = Command::new(binary::path().unwrap());
    command.current_dir(folder).args(arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    Run {
        status: output.status,
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn folder_with(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn notebook(language: &str, cells: &[&str]) -> String {
    let cells: Vec<Value> = cells
        .iter()
        .map(|source| {
            let lines: Vec<&str> = source.split_inclusive('\n').collect();
            json!({"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": null, "source": lines})
        })
        .collect();
    let kernel = json!({"name": language, "display_name": language, "language": language});
    let root = json!({"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 4});
    format!("{}\n", serde_json::to_string_pretty(&root).unwrap())
}

const MESSY: &str = "a=rows[{x:1}]\r\na|where x>0   # seen\r\n";
const TIDY: &str = "a = rows [ {x: 1} ]\na | where x > 0  # seen\n";

#[test]
fn files_and_folders_are_formatted_in_place() {
    let other = notebook("python", &["x=1"]);
    let folder = folder_with(&[
        ("a.tide", MESSY),
        ("deep/b.tide", MESSY),
        ("deep/n.ipynb", &notebook("tide", &["a=rows[{x:1}]", "%%rust\nfn  x(){}\n", "a"])),
        ("deep/python.ipynb", &other),
        (".hidden/c.tide", MESSY),
        ("notes.txt", MESSY),
    ]);
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    let run = tidebook(folder.path(), &["fmt", "--check", "."], "");
    assert_eq!(run.status.code(), Some(1), "{}", run.err);
    assert!(run.err.contains("a.tide") && run.err.contains("b.tide") && run.err.contains("n.ipynb"), "{}", run.err);
    assert_eq!(read("a.tide"), MESSY, "--check changes nothing");

    let run = tidebook(folder.path(), &["fmt"], "");
    assert_eq!(run.status.code(), Some(0), "{}", run.err);
    assert_eq!((read("a.tide").as_str(), read("deep/b.tide").as_str()), (TIDY, TIDY));
    assert_eq!((read(".hidden/c.tide").as_str(), read("notes.txt").as_str()), (MESSY, MESSY));
    assert_eq!(read("deep/python.ipynb"), other);
    let expected = notebook("tide", &["a=rows[{x:1}]", "%%rust\nfn  x(){}\n", "a"])
        .replace("a=rows[{x:1}]", "a = rows [ {x: 1} ]");
    assert_eq!(read("deep/n.ipynb"), expected, "nothing but the source changes");

    let run = tidebook(folder.path(), &["fmt", "--check", "a.tide", "deep"], "");
    assert_eq!(run.status.code(), Some(0), "{}", run.err);
}

#[test]
fn standard_input_goes_to_standard_output() {
    let folder = folder_with(&[]);
    for arguments in [["fmt", "-"], ["fmt", "--stdin"]] {
        let run = tidebook(folder.path(), &arguments, MESSY);
        assert_eq!((run.status.code(), run.out.as_str()), (Some(0), TIDY), "{}", run.err);
    }
    assert_eq!(tidebook(folder.path(), &["fmt", "-", "--check"], MESSY).status.code(), Some(1));
    assert_eq!(tidebook(folder.path(), &["fmt", "-", "--check"], TIDY).status.code(), Some(0));
}

#[test]
fn broken_statements_stay_and_are_named() {
    let folder = folder_with(&[("a.tide", "a=rows[{x:1}]\nb =  a | wher x\n")]);
    let run = tidebook(folder.path(), &["fmt", "a.tide"], "");
    assert_eq!(run.status.code(), Some(1), "{}", run.err);
    assert!(run.err.contains("a.tide:2:") && run.err.contains("wher"), "{}", run.err);
    let text = fs::read_to_string(folder.path().join("a.tide")).unwrap();
    assert_eq!(text, "a = rows [ {x: 1} ]\nb =  a | wher x\n");
}

#[test]
fn files_that_cannot_be_used_are_wrong_uses() {
    let folder = folder_with(&[("a.txt", ""), ("n.ipynb", "no json"), ("p.ipynb", &notebook("python", &["x=1"]))]);
    for command in ["fmt", "check"] {
        for file in ["a.txt", "missing.tide", "n.ipynb", "p.ipynb"] {
            let run = tidebook(folder.path(), &[command, file], "");
            assert_eq!(run.status.code(), Some(2), "{command} {file}: {}", run.err);
            assert!(run.err.contains(file), "{}", run.err);
        }
    }
    assert_eq!(tidebook(folder.path(), &["check"], "").status.code(), Some(2));
}

#[test]
fn a_check_finds_faults_and_runs_nothing() {
    let script = "t = read csv(\"in.csv\")\nt | where qyt > 1\nt | write csv(\"out.csv\")\n%explian t\n";
    let folder = folder_with(&[("s.tide", script), ("in.csv", "id,qty\n1,2\n")]);
    let run = tidebook(folder.path(), &["check", "s.tide"], "");
    assert_eq!(run.status.code(), Some(1), "{}", run.err);
    assert!(run.out.contains("s.tide:2:11") && run.out.contains("did you mean `qty`"), "{}", run.out);
    assert!(run.out.contains("s.tide:4:1") && run.out.contains("did you mean `%explain`"), "{}", run.out);
    assert!(!folder.path().join("out.csv").exists(), "nothing is written");

    let run = tidebook(folder.path(), &["check", "s.tide", "--format", "json"], "");
    let found: Vec<Value> = run.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(found.len(), 2, "{}", run.out);
    let first = &found[0];
    assert_eq!((&first["file"], &first["cell"]), (&json!("s.tide"), &Value::Null));
    assert_eq!((&first["line"], &first["column"], &first["severity"]), (&json!(2), &json!(11), &json!("error")));
    assert_eq!(first["edit"]["text"], json!("qty"));
    let span = &first["span"];
    let place = |end: &str| usize::try_from(span[end].as_u64().unwrap()).unwrap();
    assert_eq!(&script[place("start")..place("end")], "qyt");
}

#[test]
fn a_missing_source_is_a_fault_of_the_text() {
    let folder = folder_with(&[("s.tide", "t = read csv(\"none.csv\")\nt\n")]);
    let run = tidebook(folder.path(), &["check", "s.tide"], "");
    assert_eq!(run.status.code(), Some(1), "{}{}", run.out, run.err);
    assert!(run.out.contains("none.csv") && run.out.contains("s.tide:1:"), "{}", run.out);
}

#[test]
fn cells_of_a_notebook_are_checked_in_order_with_one_catalog() {
    let cells = ["t = rows [ {a: 1} ]", "u = t | where b > 1", "t | where a > 1\nv"];
    let folder = folder_with(&[("n.ipynb", &notebook("tide", &cells)), ("good.ipynb", &notebook("tide", &cells[..1]))]);
    let run = tidebook(folder.path(), &["check", "n.ipynb", "good.ipynb", "--format", "json"], "");
    assert_eq!(run.status.code(), Some(1), "{}", run.err);
    let places: Vec<(Value, Value)> = run
        .out
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|found| (found["cell"].clone(), found["line"].clone()))
        .collect();
    assert_eq!(places, [(json!(2), json!(1)), (json!(3), json!(2))]);
    assert_eq!(tidebook(folder.path(), &["check", "good.ipynb"], "").status.code(), Some(0));
}

#[test]
fn parameters_may_be_given_to_a_check() {
    let folder = folder_with(&[("s.tide", "param least: int\nt = rows [ {a: 1} ] | where a > least\n")]);
    assert_eq!(tidebook(folder.path(), &["check", "s.tide"], "").status.code(), Some(1));
    let run = tidebook(folder.path(), &["check", "s.tide", "--set", "least=3"], "");
    assert_eq!(run.status.code(), Some(0), "{}{}", run.out, run.err);
}
