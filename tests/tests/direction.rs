//! Dependencies point one way: plan <- dsl, engine, connectors; session -> all of these; kernel -> session and plan.
//! And they are compiled once: what is built alone (the program, for the wheel) has the features of the whole.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

fn root() -> &'static Path {
    let Some(root) = Path::new(env!("CARGO_MANIFEST_DIR")).parent() else {
        panic!("the tests stand in a folder of the workspace");
    };
    root
}

/// The workspace's packages, each with the names of what it depends on (not for its own tests only).
fn packages() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    let mut packages = BTreeMap::new();
    for package in metadata["packages"].as_array().expect("a list of packages") {
        let dependencies = package["dependencies"].as_array().expect("a list of dependencies");
        let used = dependencies.iter().filter(|dependency| dependency["kind"] != "dev");
        let names = used.map(|dependency| dependency["name"].as_str().expect("a name").to_string()).collect();
        packages.insert(package["name"].as_str().expect("a name").to_string(), names);
    }
    packages
}

#[test]
fn crates_depend_one_way() {
    let allowed: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("tidebook-plan", [].as_slice()),
        ("tidebook-dsl", &["tidebook-plan"]),
        ("tidebook-engine", &["tidebook-plan"]),
        ("tidebook-connectors", &["tidebook-plan"]),
        ("tidebook-session", &["tidebook-plan", "tidebook-dsl", "tidebook-engine", "tidebook-connectors"]),
        ("tidebook-kernel", &["tidebook-plan", "tidebook-session"]),
        (
            "tidebook-tests",
            &["tidebook-plan", "tidebook-dsl", "tidebook-engine", "tidebook-connectors", "tidebook-session"],
        ),
    ]);
    let packages = packages();
    let known: BTreeSet<&str> = packages.keys().map(String::as_str).collect();
    assert_eq!(known, allowed.keys().copied().collect(), "every crate of the workspace has its place here");
    for (name, dependencies) in &packages {
        for used in dependencies.iter().filter(|used| packages.contains_key(*used)) {
            assert!(allowed[name.as_str()].contains(&used.as_str()), "`{name}` must not depend on `{used}`");
        }
    }
}

/// Which crate alone may use which others.
#[test]
fn some_crates_are_seen_in_one_place_only() {
    for (name, dependencies) in packages() {
        for used in dependencies {
            let place: &[&str] = match used.as_str() {
                "pest" | "pest_derive" => &["tidebook-dsl"],
                "timely" | "differential-dataflow" => &["tidebook-engine"],
                "jupyter-protocol" | "jupyter-zmq-client" | "zeromq" | "clap" => &["tidebook-kernel"],
                "datafusion" => &["tidebook-tests"],
                "notify" | "csv-core" | "arrow-json" | "arrow-csv" | "glob" => &["tidebook-connectors"],
                "tokio" => &["tidebook-kernel", "tidebook-tests"],
                used => {
                    assert!(!used.starts_with("lance"), "`{name}` uses `{used}`: only an index crate may");
                    continue;
                }
            };
            assert!(place.contains(&name.as_str()), "`{name}` must not depend on `{used}`: {place:?} may");
        }
    }
}

#[test]
fn there_is_one_arrow_and_one_datafusion() {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).expect("the lock file can be read");
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut name = "";
    for line in lock.lines() {
        if let Some(value) = line.strip_prefix("name = ") {
            name = value.trim_matches('"');
        } else if let Some(value) = line.strip_prefix("version = ") {
            versions.entry(name).or_default().insert(value.trim_matches('"'));
        }
    }
    for family in ["arrow", "datafusion", "timely", "differential-dataflow"] {
        let of_family = |name: &&&str| **name == family || name.starts_with(&format!("{family}-"));
        let members: Vec<&&str> = versions.keys().filter(of_family).collect();
        assert!(!members.is_empty(), "`{family}` is in the lock file");
        for member in members {
            assert_eq!(versions[*member].len(), 1, "`{member}` stands there in several versions");
        }
    }
}

/// Every package with its features, as cargo resolves them for a selection of packages and kinds of dependencies.
fn resolved(selection: &[&str]) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "--prefix", "none", "--format", "{p} with {f}"])
        .args(selection)
        .current_dir(root())
        .output()
        .expect("cargo can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("cargo prints text");
    // `(*)` says that the packages below were listed before.
    let lines = text.lines().map(|line| line.trim_end_matches(" (*)")).filter(|line| !line.is_empty());
    let found: BTreeSet<String> = lines.map(str::to_string).collect();
    assert!(found.len() > 100, "{selection:?} names {} packages only", found.len());
    found
}

/// Otherwise three hundred dependencies would be compiled once for each selection.
#[test]
fn the_program_alone_has_the_features_of_the_workspace() {
    let alone = resolved(&["--package", "tidebook-kernel", "--edges", "normal,build"]);
    let workspace = resolved(&["--workspace", "--edges", "normal,build"]);
    let tests = resolved(&["--workspace", "--edges", "normal,build,dev"]);
    for (narrow, wide, what) in [(&alone, &workspace, "the workspace"), (&workspace, &tests, "the tests")] {
        let differ: Vec<&String> = narrow.difference(wide).collect();
        assert!(
            differ.is_empty(),
            "{what} would build these again with other features; name the features in the root Cargo.toml: {differ:#?}"
        );
    }
}
