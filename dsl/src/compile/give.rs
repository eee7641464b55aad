//! `%param name = value`: gives a parameter a value from within the notebook.
//!
//! Tools that run a notebook with parameters put a cell of them behind the one that declares the parameters, or at the
//! top where they see none. So the value counts whether its `param` has run or is still to come, and it belongs to its
//! cell as a definition does: without the line, the default is back.

use std::collections::BTreeSet;

use tidebook_plan::Span;

use crate::catalog::{GivenValue, Uses};
use crate::compile::StatementKind;
use crate::compile::run::Run;
use crate::resolve::param::giving;
use crate::resolve::{Fault, Resolved, Resolver};
use crate::syntax::Parsed;
use crate::syntax::tree::{Command, StatementKind as Written};

/// The command's name.
pub(super) const COMMAND: &str = "param";

impl Run<'_> {
    pub(super) fn give(&mut self, command: &Command) -> Resolved<StatementKind> {
        let giving = giving(command).map_err(Fault::Said)?;
        let given = GivenValue { cell: self.cell.to_string(), text: giving.text };
        let is_declared = self.value_again(&giving.name, Some(&given), giving.span)?;
        self.catalog.given.insert(giving.name.clone(), given);
        let param = self.catalog.params.get(&giving.name).filter(|_| is_declared);
        Ok(match param {
            Some(param) => {
                StatementKind::Param { name: giving.name, ty: param.ty.ty.clone(), value: param.shown.clone() }
            }
            None => StatementKind::Given { name: giving.name, declared: self.catalog.params.keys().cloned().collect() },
        })
    }

    /// Takes back the values that the cell gave before and no longer gives.
    pub(super) fn take_back_given(&mut self, parsed: &Parsed) {
        let commands = parsed.statements.iter().filter_map(|statement| match &statement.kind {
            Written::Command(command) if command.name.text == COMMAND => giving(command).ok(),
            _ => None,
        });
        let names: BTreeSet<String> = commands.map(|giving| giving.name).collect();
        let given = self.catalog.given.iter();
        let lost = given.filter(|(name, given)| given.cell == self.cell && !names.contains(*name));
        let lost: Vec<String> = lost.map(|(name, _)| name.clone()).collect();
        for name in lost {
            self.catalog.given.shift_remove(&name);
            // A default fits its type, so that there is no fault to tell.
            if let Err(fault) = self.value_again(&name, None, Span::default()) {
                self.fault(fault);
            }
        }
    }

    /// Reads the value of a declared parameter again; false if nothing declares it.
    fn value_again(&mut self, name: &str, given: Option<&GivenValue>, span: Span) -> Resolved<bool> {
        let Some(param) = self.catalog.params.get(name) else { return Ok(false) };
        let again =
            Resolver::new(self.catalog, self.env, &self.text, &self.failed).param_again(name, param, given, span)?;
        match again {
            Some(again) => {
                self.catalog.params.insert(name.to_string(), again);
                self.refresh(&Uses { params: BTreeSet::from([name.to_string()]), ..Uses::default() });
            }
            None => self.forget(name),
        }
        Ok(true)
    }
}
