//! `iterate`: its body as a flow plan of its own, and what does not depend on the table that goes round around it.
//!
//! A body is lowered with a builder of its own; a part of it that does not read its table is lowered where the loop
//! stands and becomes one of its inputs, so that it is computed once and shared as everything else is.
//!
//! A loop of a few rounds is written out, round by round: it needs no rounds in its times, and the operators outside of
//! loops keep less and know more ways to be quick.

use std::sync::Arc;

use datafusion_common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion_expr::LogicalPlan;
use tidebook_plan::flow::{FlowBuilder, FlowPlan, Operator};
use tidebook_plan::{NodeId, Span};

use super::nodes::{Lowered, label, lower_plan, types};
use super::{LowerError, Lowering, rules};
use crate::logical::{Iterate, Role, Variable, reads_variable};

/// So many rounds are written out at most.
const MOST_WRITTEN_ROUNDS: u64 = 8;

/// So many nodes of the logical plan they consist of at most.
const MOST_WRITTEN_NODES: u64 = 400;

/// A loop around what is being lowered.
pub struct Loop {
    variable: Arc<str>,
    kind: LoopKind,
}

enum LoopKind {
    /// A round that is written out: the node that the table is.
    Written(NodeId),
    /// A body of its own.
    Body {
        /// The builder of what is around it.
        outer: FlowBuilder,
        /// Nodes of the outer builder that the body reads, beside the table.
        inputs: Vec<NodeId>,
    },
}

/// True for a part of a body that does not read the table of its loop, nor what is written out inside of it.
pub fn stands_outside(builder: &Lowering, plan: &LogicalPlan) -> bool {
    match builder.loops.iter().rposition(|one| matches!(one.kind, LoopKind::Body { .. })) {
        None => false,
        Some(body) => {
            let inside = &builder.loops[body..];
            !reads_variable(plan, |leaf| inside.iter().any(|one| one.variable == leaf.name))
        }
    }
}

/// Lowers such a part around the loop, and gives the leaf that stands for it in the body.
pub fn lower_outside(builder: &mut Lowering, plan: &LogicalPlan) -> Result<Lowered, LowerError> {
    let Some(place) = builder.loops.iter().rposition(|one| matches!(one.kind, LoopKind::Body { .. })) else {
        unreachable!("what stands outside stands outside of a body")
    };
    let mut inside = builder.loops.split_off(place);
    let LoopKind::Body { outer, .. } = &mut inside[0].kind else { unreachable!("this is how it was found") };
    std::mem::swap(outer, &mut builder.builder);
    let lowered = lower_plan(builder, plan);
    let LoopKind::Body { outer, inputs } = &mut inside[0].kind else { unreachable!("this is how it was found") };
    std::mem::swap(outer, &mut builder.builder);
    let rows = lowered?.rows;
    let known = inputs.iter().position(|input| *input == rows);
    let index = known.unwrap_or_else(|| {
        inputs.push(rows);
        inputs.len() - 1
    });
    let types = outer.types(rows);
    builder.loops.append(&mut inside);
    let leaf = builder.add(Operator::Given { index: index + 1 }, types, Span::default(), "given");
    Ok(Lowered::infallible(leaf))
}

/// What a leaf of a body is.
pub fn lower_variable(builder: &mut Lowering, leaf: &Variable, plan: &LogicalPlan) -> Result<Lowered, LowerError> {
    let Some(own) = builder.loops.iter().rfind(|one| one.variable == leaf.name) else {
        return Err(LowerError::Unsupported { node: format!("{} outside of its loop", label(plan)) });
    };
    let operator = match (&own.kind, leaf.role) {
        (LoopKind::Written(rows), Role::Table) => return Ok(Lowered::infallible(*rows)),
        // So few rounds settle as they are.
        (LoopKind::Written(_), Role::Unsettled) => Operator::Constant { steps: Arc::default(), digest: 0 },
        (LoopKind::Body { .. }, Role::Table) => Operator::Given { index: 0 },
        (LoopKind::Body { .. }, Role::Unsettled) => Operator::Unsettled,
    };
    Ok(Lowered::infallible(builder.add(operator, types(plan), Span::default(), &*leaf.name)))
}

/// Adds a loop to the flow plan.
pub fn lower_iterate(builder: &mut Lowering, node: &Iterate, plan: &LogicalPlan) -> Result<Lowered, LowerError> {
    let input = lower_plan(builder, &node.input)?.rows;
    match node.max {
        Some(max) if builder.optimise && is_short(node, max) => write_out(builder, node, max, input),
        _ => lower_body(builder, node, plan, input),
    }
}

fn is_short(node: &Iterate, max: u64) -> bool {
    let mut nodes = 0u64;
    for plan in [&node.body].into_iter().chain(&node.errors) {
        let counted = plan.apply(|_| {
            nodes += 1;
            Ok(TreeNodeRecursion::Continue)
        });
        if counted.is_err() {
            return false;
        }
    }
    max <= MOST_WRITTEN_ROUNDS && nodes.saturating_mul(max) <= MOST_WRITTEN_NODES
}

fn write_out(builder: &mut Lowering, node: &Iterate, max: u64, input: NodeId) -> Result<Lowered, LowerError> {
    let mut lowered = Lowered::infallible(input);
    for round in 1..=max {
        builder.loops.push(Loop { variable: Arc::clone(&node.variable), kind: LoopKind::Written(lowered.rows) });
        let rows = lower_plan(builder, &node.body);
        // Only what fails in the last round is missing in the table.
        let errors = node.errors.as_ref().filter(|_| round == max).map(|errors| lower_plan(builder, errors));
        builder.loops.pop();
        lowered.rows = rows?.rows;
        lowered.error_rows = errors.transpose()?.map(|errors| errors.rows);
    }
    Ok(lowered)
}

fn lower_body(
    builder: &mut Lowering,
    node: &Iterate,
    plan: &LogicalPlan,
    input: NodeId,
) -> Result<Lowered, LowerError> {
    let outer = std::mem::take(&mut builder.builder);
    let kind = LoopKind::Body { outer, inputs: Vec::new() };
    builder.loops.push(Loop { variable: Arc::clone(&node.variable), kind });
    let outputs = body_outputs(builder, node);
    let Some(Loop { kind: LoopKind::Body { outer, inputs }, .. }) = builder.loops.pop() else {
        unreachable!("the loop that was begun ends")
    };
    let body = std::mem::replace(&mut builder.builder, outer);
    let body: FlowPlan = body.finish(outputs?);
    let body = Arc::new(if builder.optimise { rules::run_in_body(body) } else { body });
    let inputs = std::iter::once(input).chain(inputs).collect();
    let operator = Operator::Iterate { inputs, body, max: node.max };
    let rows = builder.add(operator, types(plan), node.origin.span, node.origin.step.as_str());
    Ok(match node.errors {
        Some(_) => Lowered::checked(rows),
        None => Lowered::infallible(rows),
    })
}

fn body_outputs(builder: &mut Lowering, node: &Iterate) -> Result<Vec<NodeId>, LowerError> {
    let mut outputs = vec![lower_plan(builder, &node.body)?.rows];
    if let Some(errors) = &node.errors {
        outputs.push(lower_plan(builder, errors)?.rows);
    }
    Ok(outputs)
}
