//! One cell being compiled: what its statements have changed so far.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use tidebook_plan::{Diagnostic, HistoryId, Span};

use crate::catalog::{Catalog, Uses, affected, in_order};
use crate::compile::{Compiled, CompiledStatement, Environment, StatementKind};
use crate::resolve::{Fault, Resolved, Resolver};
use crate::syntax::tree::StatementKind as Written;
use crate::syntax::{Parsed, Untold};

/// A cell on its way through the compiler.
pub(crate) struct Run<'a> {
    pub(super) cell: &'a str,
    pub(super) text: Arc<str>,
    pub(super) catalog: &'a mut Catalog,
    pub(super) env: &'a dyn Environment,
    /// Names that this cell has defined so far.
    pub(super) defined: BTreeSet<String>,
    /// Names that the cell defines, those of statements to come among them.
    named: Arc<BTreeSet<String>>,
    /// Names whose definition failed and that have no earlier one.
    pub(super) failed: Arc<BTreeSet<String>>,
    statements: Vec<CompiledStatement>,
    diagnostics: Vec<Diagnostic>,
    changed: BTreeSet<String>,
    raise_generations: bool,
    /// Statements whose generation this run has raised.
    raised: BTreeSet<String>,
    /// What else is wrong with the statement that was resolved last, beside the fault that it gave.
    also: Vec<Diagnostic>,
    /// What is likely not meant in it.
    warnings: Vec<Diagnostic>,
    /// Names that some definition was resolved with; a change of any other name changes nothing else.
    mentioned: HashSet<String>,
    /// Faults of the syntax that are only counted.
    untold: Option<Untold>,
    /// What each table of another cell kept before that is bound to history.
    kept: Vec<(String, Vec<HistoryId>)>,
}

impl<'a> Run<'a> {
    pub fn new(cell: &'a str, text: &str, catalog: &'a mut Catalog, env: &'a dyn Environment) -> Self {
        let others = catalog.tables.iter().filter(|(_, definition)| definition.cell != cell);
        let kept = others.map(|(name, _)| (name.clone(), catalog.own_histories(name)));
        let kept = kept.filter(|(_, histories)| !histories.is_empty()).collect();
        let mentioned = catalog.tables.values().flat_map(|definition| definition.uses.names()).cloned().collect();
        Run {
            cell,
            text: Arc::from(text),
            catalog,
            env,
            defined: BTreeSet::new(),
            named: Arc::default(),
            failed: Arc::default(),
            statements: Vec::new(),
            diagnostics: Vec::new(),
            changed: BTreeSet::new(),
            raise_generations: true,
            raised: BTreeSet::new(),
            also: Vec::new(),
            warnings: Vec::new(),
            mentioned,
            untold: None,
            kept,
        }
    }

    /// Statements are compiled again, not run again.
    pub fn keep_generations(&mut self) {
        self.raise_generations = false;
    }

    /// Takes in the faults of the syntax, and takes back what the cell defined before and no longer defines. (With a
    /// fault in the text nobody knows what it still defines.)
    pub fn begin(&mut self, parsed: &Parsed) {
        self.untold = parsed.untold;
        let told = parsed.diagnostics.len() - usize::from(parsed.untold.is_some());
        self.diagnostics.extend(parsed.diagnostics.iter().take(told).cloned());
        let names: BTreeSet<&str> = parsed.statements.iter().filter_map(|statement| defines(&statement.kind)).collect();
        self.named = Arc::new(names.iter().map(|name| name.to_string()).collect());
        if !parsed.diagnostics.is_empty() {
            let text = Arc::clone(&self.text);
            let lost = assigned(&text).filter(|name| !names.contains(name) && !self.catalog.tables.contains_key(*name));
            Arc::make_mut(&mut self.failed).extend(lost.map(str::to_string));
            return;
        }
        let gone = |cell: &str, name: &str| cell == self.cell && !names.contains(name);
        let tables = self.catalog.tables.iter().filter(|(n, d)| gone(&d.cell, n)).map(|(n, _)| n);
        let functions = self.catalog.functions.iter().filter(|(n, d)| gone(&d.cell, n)).map(|(n, _)| n);
        let params = self.catalog.params.iter().filter(|(n, d)| gone(&d.cell, n)).map(|(n, _)| n);
        let lost: Vec<String> = tables.chain(functions).chain(params).cloned().collect();
        for name in lost {
            self.forget(&name);
        }
        self.take_back_given(parsed);
    }

    /// What the cell became.
    pub fn finish(mut self) -> Compiled {
        let changed = in_order(self.catalog, std::mem::take(&mut self.changed));
        let mut broken = Vec::new();
        for name in &changed {
            let Some(definition) = self.catalog.tables.get(name) else { continue };
            match &definition.broken {
                None => {}
                Some(diagnostic) if definition.cell == self.cell => self.diagnostics.push(diagnostic.clone()),
                Some(diagnostic) => broken.push((name.clone(), diagnostic.clone())),
            }
        }
        self.diagnostics.sort_by_key(|diagnostic| diagnostic.span);
        self.untold = Untold::cut(&mut self.diagnostics, self.untold);
        self.diagnostics.extend(self.untold.map(Untold::diagnostic));
        let is_new = |(name, before): &(String, Vec<HistoryId>)| {
            self.catalog.tables.get(name).is_some_and(|definition| definition.cell != self.cell)
                && self.catalog.own_histories(name) != *before
        };
        let begun_afresh = self.kept.iter().filter(|kept| is_new(kept)).map(|(name, _)| name.clone()).collect();
        Compiled { statements: self.statements, diagnostics: self.diagnostics, changed, begun_afresh, broken }
    }

    /// Takes a definition out of the catalog, and resolves again what stood on it.
    pub(super) fn forget(&mut self, name: &str) {
        let mut gone = Uses::default();
        if self.catalog.tables.shift_remove(name).is_some() {
            gone.tables.insert(name.to_string());
        }
        if self.catalog.functions.shift_remove(name).is_some() {
            gone.functions.insert(name.to_string());
        }
        if self.catalog.params.shift_remove(name).is_some() {
            gone.params.insert(name.to_string());
        }
        self.refresh(&gone);
    }

    /// Notes the change of definitions, and resolves again every table that stands on them.
    pub(super) fn refresh(&mut self, changed: &Uses) {
        let names = changed.tables.iter().chain(&changed.functions).chain(&changed.params);
        let mentioned = names.clone().any(|name| self.mentioned.contains(name));
        self.changed.extend(names.cloned());
        if !mentioned {
            return;
        }
        for name in affected(self.catalog, changed) {
            if !changed.tables.contains(&name) {
                self.resolve_again(&name);
            }
            self.changed.insert(name);
        }
    }

    fn resolve_again(&mut self, name: &str) {
        let Some(definition) = self.catalog.tables.get(name).cloned() else { return };
        let own = definition.cell == self.cell;
        // What is said of it was said when it was written.
        let told = (std::mem::take(&mut self.also), std::mem::take(&mut self.warnings));
        let none = BTreeSet::new();
        let failed = std::mem::take(&mut self.failed);
        let (result, uses) = self.resolve(
            &definition.text,
            if own { &failed } else { &none },
            Some(name),
            (&format!("table {name}"), definition.generation),
            |resolver| resolver.table_plan(&definition.pipeline),
        );
        self.failed = failed;
        (self.also, self.warnings) = told;
        let Some(entry) = self.catalog.tables.get_mut(name) else { return };
        match result {
            Ok(plan) => {
                entry.plan = Arc::new(plan);
                entry.broken = None;
                entry.uses = uses;
            }
            Err(fault) => {
                entry.broken = Some(match fault {
                    Fault::Said(diagnostic) => *diagnostic,
                    Fault::Quiet => crate::diagnostics::names::BROKEN_TABLE
                        .error("a table that it reads did not compile", definition.name.span),
                });
                // Both count: what was found this time, and what has to come back.
                entry.uses.tables.extend(uses.tables);
                entry.uses.functions.extend(uses.functions);
                entry.uses.params.extend(uses.params);
            }
        }
    }

    /// Resolves something and takes over what the resolver noted. `statement` is the statement's identity, with how often
    /// it has run before.
    pub(super) fn resolve<T>(
        &mut self,
        text: &str,
        failed: &BTreeSet<String>,
        defining: Option<&str>,
        (statement, generation): (&str, u64),
        work: impl FnOnce(&Resolver<'_>) -> Resolved<T>,
    ) -> (Resolved<T>, Uses) {
        let named = Arc::clone(&self.named);
        let mut resolver = Resolver::new(self.catalog, self.env, text, failed);
        resolver.named = Some(&named);
        resolver.defining = defining;
        resolver.generation = generation;
        resolver.statement = format!("{statement} run {generation}");
        let result = work(&resolver);
        let (next_id, uses, described) = (resolver.next_id.get(), resolver.uses.take(), resolver.described.take());
        self.also = resolver.also.take();
        self.warnings = resolver.warnings.take();
        self.catalog.next_id = next_id;
        self.catalog.described.extend(described);
        self.mentioned.extend(uses.names().cloned());
        (result, uses)
    }

    /// How often the statement with this identity has run before.
    pub(super) fn generation(&mut self, statement: String) -> u64 {
        let known = self.catalog.generations.get(&statement).copied();
        // The same statement twice in one cell reads the same rows.
        let again = self.raise_generations && self.raised.insert(statement.clone());
        let generation = known.map_or(0, |generation| if again { generation + 1 } else { generation });
        self.catalog.generations.insert(statement, generation);
        generation
    }

    pub(super) fn compiled(&mut self, span: Span, kind: StatementKind) {
        self.statements.push(CompiledStatement { span, kind });
    }

    /// Forgets what the statement before was told.
    pub(super) fn clear_notes(&mut self) {
        self.also.clear();
        self.warnings.clear();
    }

    /// Notes why a statement does not compile, and what else is wrong with it.
    pub(super) fn fault(&mut self, fault: Fault) {
        if let Fault::Said(diagnostic) = fault {
            self.diagnostics.push(*diagnostic);
        }
        self.diagnostics.append(&mut self.also);
    }

    /// Notes what is likely not meant in a statement that compiles.
    pub(super) fn warn(&mut self) {
        for warning in std::mem::take(&mut self.warnings) {
            if !self.diagnostics.contains(&warning) {
                self.diagnostics.push(warning);
            }
        }
    }
}

/// The name that a statement defines.
fn defines(statement: &Written) -> Option<&str> {
    match statement {
        Written::Define { name, .. } | Written::Param { name, .. } | Written::Fn { name, .. } => Some(&name.text),
        _ => None,
    }
}

/// Names before an `=` in a text that does not parse: what it would have defined.
fn assigned(text: &str) -> impl Iterator<Item = &str> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices('=').filter_map(move |(at, _)| {
        let (before, after) = (text[..at].trim_end(), &text[at + 1..]);
        let compares = after.starts_with(['=', '>']) || before.ends_with(['=', '!', '<', '>']);
        let start = before.rfind(|c| !word(c)).map_or(0, |i| i + before[i..].chars().next().map_or(1, char::len_utf8));
        let name = &before[start..];
        (!compares && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')).then_some(name)
    })
}
