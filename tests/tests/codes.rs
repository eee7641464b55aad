//! Codes of diagnostics stand in their registry and nowhere else, and each of them is used.

use std::fs;
use std::path::{Path, PathBuf};

use tidebook_dsl::diagnostics;

/// Rust files of the crates, without tests.
fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace is around the tests");
    let mut folders: Vec<PathBuf> = ["dsl", "engine", "connectors", "kernel"].map(|name| root.join(name)).to_vec();
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the workspace can be read") {
            let path = entry.expect("an entry can be read").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() {
                if !matches!(name.as_str(), "tests" | "target" | "node_modules") {
                    folders.push(path);
                }
            } else if name.ends_with(".rs") && name != "tests.rs" && name != "fake_host.rs" {
                let text = fs::read_to_string(&path).expect("a source file is text");
                let code = text.split("#[cfg(test)]").next().unwrap_or_default().to_string();
                found.push((path, code));
            }
        }
    }
    assert!(found.len() > 50, "the sources are found");
    found
}

fn is_registry(path: &Path) -> bool {
    path.to_string_lossy().contains("dsl/src/diagnostics")
}

#[test]
fn no_code_is_written_by_hand() {
    let mut wrong = Vec::new();
    for (path, text) in sources().iter().filter(|(path, _)| !is_registry(path)) {
        for (at, _) in text.match_indices("\"D") {
            let literal = text[at + 1..].split('"').next().unwrap_or_default();
            if literal.len() == 5 && literal[1..].bytes().all(|byte| byte.is_ascii_digit()) {
                wrong.push(format!("{}: {literal}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "take the entry of the registry instead:\n{}", wrong.join("\n"));
}

#[test]
fn every_entry_of_the_registry_is_used() {
    let sources = sources();
    let (registry, code): (Vec<_>, Vec<_>) = sources.iter().partition(|(path, _)| is_registry(path));
    let mut entries = 0;
    for (path, text) in registry {
        let family = path.file_stem().unwrap_or_default().to_string_lossy();
        for line in text.lines() {
            let Some(name) =
                line.strip_prefix("pub static ").and_then(|rest| rest.strip_suffix(": Explanation = Explanation {"))
            else {
                continue;
            };
            entries += 1;
            // A file may know the family by another name: `use crate::diagnostics::syntax as codes`.
            let used = |text: &str| {
                text.contains("diagnostics") && text.contains(family.as_ref()) && text.contains(&format!("::{name}"))
            };
            assert!(code.iter().any(|(_, text)| used(text)), "nothing gives {family}::{name}");
        }
    }
    assert_eq!(entries, diagnostics::all().count(), "every entry stands in the list of its family");
}
