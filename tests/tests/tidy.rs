//! Habits that a machine can see.

use std::fs;
use std::path::{Path, PathBuf};

struct Source {
    path: PathBuf,
    text: String,
}

impl Source {
    /// True for tests, benchmarks and examples, which may stop at the first fault.
    fn is_test(&self) -> bool {
        let parts: Vec<_> = self.path.components().map(|part| part.as_os_str().to_string_lossy()).collect();
        let name = parts.last().map_or("", |name| name.as_ref());
        parts.iter().any(|part| ["tests", "bench", "examples"].contains(&part.as_ref()))
            || ["tests.rs", "testing.rs"].contains(&name)
    }

    /// The lines before the first test module of the file, numbered from one, without comments.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate().take_while(|(_, line)| line.trim() != "#[cfg(test)]");
        lines.map(|(i, line)| (i + 1, line)).filter(|(_, line)| !line.trim_start().starts_with("//"))
    }
}

/// All Rust files of the workspace, with paths from its root.
fn sources() -> Vec<Source> {
    let Some(root) = Path::new(env!("CARGO_MANIFEST_DIR")).parent() else {
        panic!("the tests stand in a folder of the workspace");
    };
    let mut found = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the workspace can be read") {
            let path = entry.expect("an entry can be read").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() && !name.starts_with('.') && name != "target" && name != "node_modules" {
                folders.push(path);
            } else if name.ends_with(".rs") {
                let text = fs::read_to_string(&path).expect("a source file is text");
                let path = path.strip_prefix(root).expect("it lies in the workspace").to_path_buf();
                found.push(Source { path, text });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(found.len() > 50, "the sources are found");
    found
}

fn assert_none(faults: Vec<String>) {
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The words of this file are not themselves what they look for.
fn joined(parts: &[&str]) -> String {
    parts.concat()
}

#[test]
fn no_file_is_longer_than_600_lines() {
    let long = sources().into_iter().map(|source| (source.text.lines().count(), source.path));
    assert_none(
        long.filter(|(lines, _)| *lines > 600)
            .map(|(lines, path)| format!("{}: {lines} lines", path.display()))
            .collect(),
    );
}

#[test]
fn the_median_file_is_short() {
    let mut lengths: Vec<usize> = sources().iter().map(|source| source.text.lines().count()).collect();
    lengths.sort_unstable();
    let median = lengths[lengths.len() / 2];
    assert!(median < 200, "the median file has {median} lines");
}

#[test]
fn every_file_says_why_it_is_there() {
    let silent = sources().into_iter().filter(|source| !source.text.starts_with("//!"));
    assert_none(silent.map(|source| format!("{} has no module head", source.path.display())).collect());
}

#[test]
fn names_say_what_a_file_is_about() {
    let vague = ["util", "utils", "common", "helper", "helpers", "misc", "manager", "v2"];
    let mut faults = Vec::new();
    for source in sources() {
        for part in source.path.components().map(|part| part.as_os_str().to_string_lossy()) {
            let stem = part.trim_end_matches(".rs");
            if stem.split('_').any(|word| vague.contains(&word)) {
                faults.push(format!("{}: `{stem}` says nothing", source.path.display()));
            }
        }
    }
    assert_none(faults);
}

#[test]
fn nothing_is_unfinished_or_unsafe() {
    let words = [
        joined(&["todo", "!("]),
        joined(&["unimplemented", "!("]),
        joined(&["#[", "ignore"]),
        joined(&["dbg", "!("]),
        joined(&["TO", "DO"]),
        joined(&["FIX", "ME"]),
        joined(&["unsafe", " {"]),
        joined(&["unsafe", " fn"]),
        joined(&["unsafe", " impl"]),
    ];
    let mut faults = Vec::new();
    for source in sources() {
        for (i, line) in source.text.lines().enumerate() {
            if let Some(word) = words.iter().find(|word| line.contains(*word)) {
                faults.push(format!("{}:{}: `{word}`", source.path.display(), i + 1));
            }
        }
    }
    assert_none(faults);
}

#[test]
fn only_tests_unwrap() {
    let words = [joined(&[".unwrap", "()"]), joined(&[".expect", "(\""]), joined(&[".unwrap_err", "()"])];
    let mut faults = Vec::new();
    for source in sources().iter().filter(|source| !source.is_test()) {
        for (number, line) in source.code() {
            if let Some(word) = words.iter().find(|word| line.contains(*word)) {
                faults.push(format!("{}:{number}: `{word}`", source.path.display()));
            }
        }
    }
    assert_none(faults);
}

#[test]
fn tests_do_not_sleep() {
    let word = joined(&["thread::", "sleep"]);
    let mut faults = Vec::new();
    for source in sources() {
        let measures =
            source.path.components().any(|part| ["bench", "examples"].iter().any(|name| part.as_os_str() == *name));
        let test_part = source.text.find("#[cfg(test)]").map_or(source.text.len(), |start| start);
        let text = if source.is_test() { source.text.as_str() } else { &source.text[test_part..] };
        if !measures && text.contains(&word) {
            faults.push(format!("{}: a test sleeps", source.path.display()));
        }
    }
    assert_none(faults);
}
