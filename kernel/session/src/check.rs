//! What is wrong with cells, found without running them.

use tidebook_dsl::compile::StatementKind;
use tidebook_plan::Diagnostic;

use crate::cell;
use crate::command::{self, CommandFault};
use crate::output::CellRequest;
use crate::session::Session;

impl Session {
    /// What is wrong with each of `cells`, in the order of its text. The cells are compiled in order, as a run would compile
    /// them; a source without a schema is asked for its columns, and nothing else is read.
    pub fn check(&self, cells: &[CellRequest]) -> Vec<Vec<Diagnostic>> {
        cells.iter().map(|request| self.check_cell(request)).collect()
    }

    fn check_cell(&self, request: &CellRequest) -> Vec<Diagnostic> {
        let compiled = cell::compile(self, request);
        let mut diagnostics = compiled.diagnostics;
        for statement in &compiled.statements {
            let StatementKind::Command { name, args } = &statement.kind else { continue };
            match command::as_output(statement, request, self) {
                Some(output) => diagnostics.extend(output.err().into_iter().flatten()),
                None => match command::answer(self, name, args, statement.span) {
                    Err(CommandFault::Text(diagnostic)) => diagnostics.push(*diagnostic),
                    // What needs a running engine is not wrong.
                    Ok(_) | Err(CommandFault::Runtime(_)) => {}
                },
            }
        }
        diagnostics.sort_by_key(|diagnostic| diagnostic.span);
        diagnostics
    }
}
