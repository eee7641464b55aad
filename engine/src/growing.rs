//! Which nodes of a plan only ever grow: no row of theirs is taken back.
//!
//! Of such rows nothing has to be kept in order to find what stands behind a row that goes: the first rows of an order
//! are all that has to be remembered of it.

use tidebook_plan::connector::SourceSpec;
use tidebook_plan::flow::{ConstantStep, FlowPlan, Gate, JoinKind, NodeId, Operator};

/// For each node whether its rows only grow; `only_adds` says it of sources.
///
/// *Invariant:* no difference that such a node gives is negative, not even beside a positive one of the same row.
pub(crate) fn growing(plan: &FlowPlan, only_adds: impl Fn(&SourceSpec) -> bool) -> Vec<bool> {
    let mut grows: Vec<bool> = Vec::with_capacity(plan.nodes.len());
    for node in &plan.nodes {
        let grows_now = match &node.operator {
            Operator::Get { source } => only_adds(source),
            Operator::Constant { steps, .. } => steps.iter().all(adds_rows),
            Operator::Linear { input, .. } | Operator::Flatten { input, .. } => grows[*input],
            Operator::Join { left, right, kind: JoinKind::Inner | JoinKind::Semi, .. } => grows[*left] && grows[*right],
            // Rows that have no match on the right go when one comes.
            Operator::Join { kind: JoinKind::Left | JoinKind::Anti, .. } => false,
            // Without aggregates a group's row is the same as long as the group is there.
            Operator::Reduce { input, keys, aggregates } => grows[*input] && !keys.is_empty() && aggregates.is_empty(),
            Operator::Union { inputs } => inputs.iter().all(|(input, negated)| grows[*input] && !negated),
            Operator::Changes { .. } | Operator::Watermark { .. } => true,
            Operator::Gate { input, gate: Gate::Open, .. } | Operator::Throttle { input, .. } => grows[*input],
            // What is given once stays.
            Operator::Gate { gate: Gate::Final, .. } => true,
            Operator::Hold { input, .. } => grows[*input],
            Operator::Errors { of } => errors_grow(plan, &grows, *of, &only_adds),
            Operator::ReduceJoin { .. }
            | Operator::TopK { .. }
            | Operator::Collect { .. }
            | Operator::Quantile { .. }
            // What a row is told changes as others come.
            | Operator::Window { .. }
            // A session grows with its rows, and a nearer row takes the place of the match.
            | Operator::Sessions { .. }
            | Operator::Match { .. }
            | Operator::Asof { .. }
            | Operator::Unique { .. }
            // What is freed is taken back, and a late row may go again.
            | Operator::Gate { gate: Gate::Forget | Gate::Late, .. }
            | Operator::Balance { .. }
            | Operator::Dedupe { .. }
            // What a round gives may go as its input grows.
            | Operator::Iterate { .. }
            | Operator::Given { .. }
            | Operator::Unsettled
            | Operator::Held { .. } => false,
        };
        grows.push(grows_now);
    }
    grows
}

fn errors_grow(plan: &FlowPlan, grows: &[bool], of: NodeId, only_adds: impl Fn(&SourceSpec) -> bool) -> bool {
    match &plan.nodes[of].operator {
        Operator::Get { source } => only_adds(source),
        Operator::Constant { steps, .. } => {
            steps.iter().flat_map(|step| &step.errors).all(|changes| (0..changes.len()).all(|i| changes.diff(i) >= 0))
        }
        Operator::Linear { input, .. } => grows[*input],
        _ => false,
    }
}

fn adds_rows(step: &ConstantStep) -> bool {
    step.changes.iter().all(|changes| (0..changes.len()).all(|i| changes.diff(i) >= 0))
}
