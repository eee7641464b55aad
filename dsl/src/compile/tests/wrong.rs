//! Wrong cells and what is said about them.
//!
//! The files beside this one hold cells, each after a line `=== title`, with the diagnostics that they give after a
//! line `---`. `TIDEBOOK_BLESS=1 cargo test` writes what is given now into them; read the difference before you keep it.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::*;

/// Tables that every cell of the files can use.
const BEFORE: &str = "products = rows [ {id: 1, name: \"pen\", price: 1.5}, {id: 2, name: \"ink\", price: 4.0} ]\n\
    orders = rows [ {id: 10, product: 1, qty: 3}, {id: 11, product: 2, qty: 1} ]\n\
    keyed = orders | key by id\n\
    param since: timestamp = @2026-01-01\n\
    fn tax(x: float) -> float = x * 0.2\n\
    fn add(a, b) = a + b\n";

fn said(cell: &str) -> String {
    let (_, mut catalog) = compiles(BEFORE);
    let compiled = compile("wrong", cell, &mut catalog, &Toy::default());
    assert!(compiled.diagnostics.iter().any(Diagnostic::is_error), "this compiles:\n{cell}");
    let mut said = rendered(&compiled.diagnostics, cell);
    for (table, diagnostic) in &compiled.broken {
        let _ = writeln!(said, "broken: {table}: {}", diagnostic.message);
    }
    said
}

fn check(file: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/compile/tests/wrong").join(file);
    let text = std::fs::read_to_string(&path).expect("the file is there");
    let (mut out, mut wrong) = (String::new(), Vec::new());
    for case in text.split("=== ").skip(1) {
        let (title, body) = case.split_once('\n').expect("a title");
        let (cell, expected) = body.split_once("---\n").unwrap_or((body, ""));
        let given = said(cell.trim_end());
        let _ = write!(out, "=== {title}\n{}\n---\n{given}\n", cell.trim_end());
        if given.trim_end() != expected.trim_end() {
            wrong.push(format!("=== {title}\nexpected:\n{expected}\ngiven:\n{given}"));
        }
    }
    if std::env::var_os("TIDEBOOK_BLESS").is_some() {
        std::fs::write(&path, format!("{}\n", out.trim_end())).expect("the file can be written");
        return;
    }
    assert!(wrong.is_empty(), "{file}\n{}", wrong.join("\n"));
}

#[test]
fn tables_and_columns() {
    check("names.txt");
}

#[test]
fn types() {
    check("types.txt");
}

#[test]
fn calls() {
    check("calls.txt");
}

#[test]
fn pivots_and_samples() {
    check("drawn.txt");
}

#[test]
fn groups() {
    check("groups.txt");
}

#[test]
fn aggregates() {
    check("aggregates.txt");
}

#[test]
fn joins() {
    check("joins.txt");
}

#[test]
fn loops() {
    check("loops.txt");
}

#[test]
fn sources_and_sinks() {
    check("connectors.txt");
}

#[test]
fn statements() {
    check("statements.txt");
}

#[test]
fn sql() {
    check("sql.txt");
}

#[test]
fn what_this_build_does_not_run() {
    check("unavailable.txt");
}
