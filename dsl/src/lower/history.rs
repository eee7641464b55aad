//! Parts that are bound to history become programs of their own; who reads them gets a leaf.
//!
//! The identity of a history is that of what it computes, together with the statement that it stands in: it goes on as
//! long as both stay the same, and begins afresh when what it reads is redefined.

use std::sync::Arc;

use datafusion_expr::LogicalPlan;
use tidebook_plan::flow::{FlowPlan, History, HistoryId, Operator};
use tidebook_plan::{Fingerprint, NodeId, Span};

use super::nodes::{Lowered, errors_of, label, lower_plan, types};
use super::{LowerError, Lowering, rules};
use crate::logical::Opaque;
use crate::optimize::optimize;

/// What an opaque leaf became.
#[derive(Clone, Debug)]
pub enum Leaf {
    /// The nodes of its plan.
    Inlined(Lowered),
    /// Leaves that read what a history keeps: its rows, and its errors where it has some.
    Held { rows: NodeId, errors: Option<NodeId> },
}

/// Adds an opaque leaf to the flow plan, once however often it stands in the logical one.
pub fn lower_opaque(builder: &mut Lowering, opaque: &Opaque) -> Result<Leaf, LowerError> {
    let place = (Arc::as_ptr(&opaque.plan), opaque.statement.clone());
    if let Some((_, leaf)) = builder.leaves.get(&place) {
        return Ok(leaf.clone());
    }
    let plan = optimize(&opaque.plan, builder.optimise)?;
    let leaf = match &opaque.statement {
        None => Leaf::Inlined(lower_plan(builder, &plan)?),
        Some(statement) => lower_history(builder, &plan, statement)?,
    };
    builder.leaves.insert(place, (Arc::clone(&opaque.plan), leaf.clone()));
    Ok(leaf)
}

fn lower_history(builder: &mut Lowering, plan: &LogicalPlan, statement: &str) -> Result<Leaf, LowerError> {
    let mut own = Lowering::new(builder.optimise);
    own.statement = Some(Fingerprint::of(&statement));
    let lowered = lower_plan(&mut own, plan)?;
    let id = HistoryId(Fingerprint::of(&(own.node(lowered.rows).fingerprint, statement)));
    let of_errors = HistoryId(Fingerprint::of(&(id, "errors")));
    let row_types = types(plan);
    let hold = |input, history| Operator::Hold { input, history };
    let mut outputs = vec![own.add(hold(lowered.rows, id), row_types.clone(), Span::default(), "held")];
    let mut error_types = None;
    if let Some(columns) = crate::logical::error_columns(plan) {
        let text = arrow::datatypes::DataType::Utf8;
        let all: Vec<_> = columns.into_iter().map(|(_, ty)| ty).chain([text.clone(), text]).collect();
        let no_errors = || LowerError::NoErrors { node: label(plan) };
        let errors = errors_of(&mut own, &lowered.errors, &all).ok_or_else(no_errors)?;
        outputs.push(own.add(hold(errors, of_errors), all.clone(), Span::default(), "held"));
        error_types = Some(all);
    }
    let Lowering { builder: flow, histories, .. } = own;
    let flow: FlowPlan = flow.finish(outputs);
    let plan = if builder.optimise { rules::run(flow) } else { flow };
    // What a history reads of others is kept before it.
    for history in histories {
        builder.needs(history);
    }
    builder.needs(Arc::new(History { id, plan }));
    let held = |history| Operator::Held { history };
    let rows = builder.add(held(id), row_types, Span::default(), "held");
    let errors = error_types.map(|types| builder.add(held(of_errors), types, Span::default(), "held"));
    Ok(Leaf::Held { rows, errors })
}
