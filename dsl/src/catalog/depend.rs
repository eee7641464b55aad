//! Which tables stand on which.

use std::collections::BTreeSet;

use crate::catalog::{Catalog, Uses};

/// The tables that use any of `changed`, directly or through others, in dependency order; tables of `changed`
/// itself are not among them unless they use another one.
pub(crate) fn affected(catalog: &Catalog, changed: &Uses) -> Vec<String> {
    let mut reached: BTreeSet<&str> = BTreeSet::new();
    loop {
        let before = reached.len();
        for (name, definition) in &catalog.tables {
            let uses = &definition.uses;
            let touched = uses.tables.iter().any(|t| changed.tables.contains(t) || reached.contains(t.as_str()))
                || uses.functions.iter().any(|f| changed.functions.contains(f))
                || uses.params.iter().any(|p| changed.params.contains(p));
            if touched {
                reached.insert(name);
            }
        }
        if reached.len() == before {
            break;
        }
    }
    in_order(catalog, reached.into_iter().map(str::to_string).collect())
}

/// The given tables so that each stands after those of them that it uses.
pub(crate) fn in_order(catalog: &Catalog, tables: BTreeSet<String>) -> Vec<String> {
    fn visit(
        catalog: &Catalog,
        name: &str,
        tables: &BTreeSet<String>,
        seen: &mut BTreeSet<String>,
        out: &mut Vec<String>,
    ) {
        if !seen.insert(name.to_string()) {
            return;
        }
        if let Some(definition) = catalog.tables.get(name) {
            for upstream in &definition.uses.tables {
                visit(catalog, upstream, tables, seen, out);
            }
        }
        if tables.contains(name) {
            out.push(name.to_string());
        }
    }
    let mut out = Vec::new();
    let mut seen = BTreeSet::new();
    let known: Vec<&String> = catalog.tables.keys().filter(|name| tables.contains(*name)).collect();
    for name in known.into_iter().chain(&tables) {
        visit(catalog, name, &tables, &mut seen, &mut out);
    }
    out
}

/// The given tables and all that they stand on, sorted by name.
pub(crate) fn upstream(catalog: &Catalog, tables: &BTreeSet<String>) -> Vec<String> {
    let mut reached = BTreeSet::new();
    let mut waiting: Vec<&String> = tables.iter().collect();
    while let Some(name) = waiting.pop() {
        if let Some(definition) = catalog.tables.get(name)
            && reached.insert(name.clone())
        {
            waiting.extend(&definition.uses.tables);
        }
    }
    reached.into_iter().collect()
}
