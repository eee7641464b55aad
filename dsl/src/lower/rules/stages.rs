//! Merging the stages of one linear node.
//!
//! A projection that cannot fail is merged into the next stage where that repeats no work: each of its columns is
//! a plain column or literal, or is read at most once. A filter over such plain columns goes before the projection,
//! so that dropped rows are not projected.

use std::sync::Arc;

use datafusion_physical_expr::expressions::Literal;
use tidebook_plan::FlowExpr;
use tidebook_plan::flow::Stage;

use super::{column, count_columns, substitute};

/// The same stages, fewer where possible.
pub fn merge(stages: Vec<Stage>) -> Vec<Stage> {
    let mut merged: Vec<Stage> = Vec::with_capacity(stages.len());
    for stage in stages {
        push(&mut merged, stage);
    }
    merged
}

fn push(merged: &mut Vec<Stage>, stage: Stage) {
    let Some(Stage::Project(below)) = merged.last() else {
        merged.push(stage);
        return;
    };
    if below.iter().any(|expr| expr.fallible) {
        merged.push(stage);
        return;
    }
    match &stage {
        Stage::Project(above) if repeats_no_work(below, above) => {
            let through = above.iter().map(|expr| inline(expr, below)).collect();
            merged.pop();
            push(merged, Stage::Project(through));
        }
        Stage::Filter(predicate) if reads_only_plain(below, predicate) => {
            let before = Stage::Filter(inline(predicate, below));
            let Some(project) = merged.pop() else { return };
            push(merged, before);
            merged.push(project);
        }
        _ => merged.push(stage),
    }
}

fn inline(expr: &FlowExpr, below: &[FlowExpr]) -> FlowExpr {
    substitute(expr, |place| Arc::clone(&below[place].physical))
}

fn is_plain(expr: &FlowExpr) -> bool {
    column(expr).is_some() || expr.physical.as_ref().downcast_ref::<Literal>().is_some()
}

fn repeats_no_work(below: &[FlowExpr], above: &[FlowExpr]) -> bool {
    let mut counts = vec![0; below.len()];
    for expr in above {
        count_columns(expr, &mut counts);
    }
    below.iter().zip(counts).all(|(expr, count)| count <= 1 || is_plain(expr))
}

fn reads_only_plain(below: &[FlowExpr], predicate: &FlowExpr) -> bool {
    let mut counts = vec![0; below.len()];
    count_columns(predicate, &mut counts);
    below.iter().zip(counts).all(|(expr, count)| count == 0 || is_plain(expr))
}
