//! `%explain` and `%eval`.

use std::collections::BTreeSet;

use tidebook_plan::Diagnostic;

use crate::catalog::Catalog;
use crate::compile::environment::{Environment, Nothing};
use crate::lower::lower;
use crate::optimize::optimize;
use crate::resolve::{Fault, Resolver, errors_table, show};
use crate::syntax::parse_expression;

/// A table's plan at each stage, as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// As resolved.
    pub logical: String,
    /// After the optimiser.
    pub optimised: String,
    /// As the engine runs it, the errors included.
    pub flow: String,
}

/// The plans of the table called `name`; `None` if there is none.
pub fn explain(name: &str, catalog: &Catalog) -> Option<Explanation> {
    let table = &catalog.tables.get(name)?.plan;
    let failed = BTreeSet::new();
    let resolver = Resolver::new(catalog, &Nothing, "", &failed);
    let mut roots = vec![table.plan.clone()];
    roots.extend(errors_table(&resolver, &table.errors).map(|errors| errors.plan));
    let optimised = match optimize(&table.plan, true) {
        Ok(plan) => plan.display_indent().to_string(),
        Err(error) => error.to_string(),
    };
    let flow = match lower(&roots, true) {
        Ok(flow) => {
            let held = flow.histories.iter().map(|history| format!("held {}:\n{}\n", history.id.0, history.plan));
            held.collect::<String>() + &flow.plan.to_string()
        }
        Err(error) => error.to_string(),
    };
    Some(Explanation { logical: table.plan.display_indent().to_string(), optimised, flow })
}

/// The value of an expression over parameters and functions, as text.
///
/// # Errors
/// What is wrong with the expression; spans lie in `expr_text`.
pub fn evaluate(expr_text: &str, catalog: &Catalog, env: &dyn Environment) -> Result<String, Vec<Diagnostic>> {
    let expr = parse_expression(expr_text).map_err(|diagnostic| vec![*diagnostic])?;
    let failed = BTreeSet::new();
    let resolver = Resolver::new(catalog, env, expr_text, &failed);
    match resolver.constant(&expr, "`%eval`") {
        Ok((value, ty)) => Ok(show(&value, &ty)),
        Err(Fault::Said(diagnostic)) => Err(vec![*diagnostic]),
        Err(Fault::Quiet) => Err(Vec::new()),
    }
}
