//! From the text of a cell to programs: the public way into this crate.
//!
//! [`compile`] takes one cell at a time against a [`Catalog`], which it changes: definitions enter it, names that the
//! cell no longer defines leave it, and every table that stands on a changed one is resolved again from its own text.
//! Outputs of other cells are not known here; the session rebuilds them with [`recompile`] where their tables are among
//! [`Compiled::changed`].

mod environment;
mod explain;
mod give;
mod program;
mod run;
mod statement;
#[cfg(test)]
mod tests;

use tidebook_plan::Diagnostic;

use crate::catalog::Catalog;
use crate::syntax::parse;

pub use environment::Environment;
pub use explain::{Explanation, evaluate, explain};
pub use program::{
    CompiledStatement, ExpectProgram, HoldsWhen, OutputText, ShowProgram, StatementKind, TableProgram, WriteProgram,
};
use run::Run;

/// What a cell became.
#[derive(Clone, Debug, Default)]
pub struct Compiled {
    /// The statements that compiled, in the order of the text.
    pub statements: Vec<CompiledStatement>,
    /// What is wrong with the others, and warnings; spans lie in the cell's text.
    pub diagnostics: Vec<Diagnostic>,
    /// Definitions (tables, parameters, functions) that the cell made, replaced or dropped, and every table that stands
    /// on them, in dependency order.
    pub changed: Vec<String>,
    /// Tables of other cells that keep something bound to history, and begin it afresh since what they read has changed.
    pub begun_afresh: Vec<String>,
    /// Tables of other cells that no longer resolve, each with why; the span lies in the text of its own cell.
    pub broken: Vec<(String, Diagnostic)>,
}

/// Compiles a cell. A statement that fails keeps none of the others from compiling; the catalog keeps the old
/// definition of a name whose new one fails.
pub fn compile(cell: &str, text: &str, catalog: &mut Catalog, env: &dyn Environment) -> Compiled {
    let parsed = parse(text);
    let mut run = Run::new(cell, text, catalog, env);
    run.begin(&parsed);
    for statement in &parsed.statements {
        run.statement(statement);
    }
    run.finish()
}

/// Compiles an output statement again, after a definition that it stands on has changed. What it reads itself is not
/// read again: the generation of its sources stays.
///
/// # Errors
/// What is wrong with it now.
pub fn recompile(
    output: &OutputText,
    catalog: &Catalog,
    env: &dyn Environment,
) -> Result<StatementKind, Vec<Diagnostic>> {
    let parsed = parse(&output.text);
    let Some(statement) = parsed.statements.iter().find(|statement| statement.span == output.span) else {
        return Err(parsed.diagnostics);
    };
    let mut catalog = catalog.clone();
    let mut run = Run::new(&output.cell, &output.text, &mut catalog, env);
    run.keep_generations();
    run.statement(statement);
    let mut compiled = run.finish();
    match compiled.statements.pop() {
        Some(statement) => Ok(statement.kind),
        None => Err(compiled.diagnostics),
    }
}
