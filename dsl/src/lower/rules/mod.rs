//! Rules over flow plans: what pays only once columns are positions and equal parts are shared.
//!
//! Each rule is a function from a plan to a plan in a file of its own; the list below is their order.

mod fuse;
mod rebuild;
mod reduce_join;
mod select;
mod stages;

use datafusion_common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_expr::expressions::Column;
use std::sync::Arc;
use tidebook_plan::{FlowExpr, FlowPlan};

/// A rule: its name in traces, and what it does.
type Rule = (&'static str, fn(&FlowPlan) -> FlowPlan);

/// The rules, in order.
const RULES: &[Rule] = &[
    // Neighbouring linear steps become one operator, so that rows between them are never made.
    ("fuse", fuse::fuse),
    // Sums over a join are formed below it. After `fuse`, so that at most one linear step stands between the two.
    ("reduce_join", reduce_join::reduce_join),
    // Sources give only what is left to be read. Last, when every step stands where it will.
    ("select", select::select),
];

/// Runs every rule once.
pub fn run(plan: FlowPlan) -> FlowPlan {
    RULES.iter().fold(plan, |plan, (name, rule)| {
        let rewritten = rule(&plan);
        tracing::trace!(rule = name, before = plan.nodes.len(), after = rewritten.nodes.len(), "flow rule");
        rewritten
    })
}

/// Runs the rules that hold in the body of a loop: it has no sources, and its operators are others.
pub fn run_in_body(plan: FlowPlan) -> FlowPlan {
    fuse::fuse(&plan)
}

/// The position, if the expression is a column.
pub fn column(expr: &FlowExpr) -> Option<usize> {
    expr.physical.as_ref().downcast_ref::<Column>().map(Column::index)
}

/// The expression with its columns replaced.
fn substitute(expr: &FlowExpr, replace: impl Fn(usize) -> Arc<dyn PhysicalExpr>) -> FlowExpr {
    let replaced = Arc::clone(&expr.physical).transform(|part| {
        Ok(match part.as_ref().downcast_ref::<Column>() {
            Some(column) => Transformed::yes(replace(column.index())),
            None => Transformed::no(part),
        })
    });
    match replaced {
        Ok(replaced) => FlowExpr { physical: replaced.data, fallible: expr.fallible },
        // The closure returns no error, and every node takes children of the types that it had.
        Err(error) => unreachable!("replacing columns does not fail: {error}"),
    }
}

/// The expression with its columns at other places.
pub fn renumber(expr: &FlowExpr, place: impl Fn(usize) -> usize) -> FlowExpr {
    substitute(expr, |from| {
        let to = place(from);
        Arc::new(Column::new(&format!("c{to}"), to))
    })
}

/// Counts how often each column of its input the expression reads.
fn count_columns(expr: &FlowExpr, counts: &mut [usize]) {
    let walked = expr.physical.apply(|part| {
        if let Some(column) = part.as_ref().downcast_ref::<Column>() {
            counts[column.index()] += 1;
        }
        Ok(TreeNodeRecursion::Continue)
    });
    if let Err(error) = walked {
        unreachable!("counting columns does not fail: {error}");
    }
}
