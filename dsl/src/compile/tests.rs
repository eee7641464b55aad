//! Cells to schemas, programs and diagnostics, against a toy environment.

mod cells;
mod definitions;
mod explanations;
mod given;
mod limits;
mod programs;
mod results;
mod toy;
mod wrong;

use tidebook_plan::Diagnostic;

use super::*;
use toy::Toy;

/// The diagnostics of `cell`, as text, one after the other.
fn rendered(diagnostics: &[Diagnostic], text: &str) -> String {
    diagnostics.iter().map(|diagnostic| diagnostic.to_text(text, "cell")).collect()
}

/// The result of a cell that must compile.
fn compiles(text: &str) -> (Compiled, Catalog) {
    let mut catalog = Catalog::default();
    let compiled = compile("cell", text, &mut catalog, &Toy::default());
    assert!(compiled.diagnostics.is_empty(), "{text}\n{}", rendered(&compiled.diagnostics, text));
    (compiled, catalog)
}

/// The schema of the table `t` that a cell defines.
fn schema_of(text: &str) -> String {
    let (_, catalog) = compiles(text);
    catalog.table("t").map(|table| table.schema.to_string()).unwrap_or_default()
}

/// The last statement of a cell that must compile.
fn last(text: &str) -> StatementKind {
    let (mut compiled, _) = compiles(text);
    compiled.statements.pop().expect("a statement").kind
}

fn shown(text: &str) -> ShowProgram {
    match last(text) {
        StatementKind::Show(show) => show,
        other => panic!("not a show: {other:?}"),
    }
}
