//! Neighbouring linear nodes become one.
//!
//! A linear node that cannot fail joins the one below it, if nobody else reads that one's rows: a shared step stays
//! a node of its own, computed once. The errors of the fused node are those of its first stage, as before.

use tidebook_plan::flow::Stage;
use tidebook_plan::{FlowPlan, NodeId, Operator};

use super::rebuild::{Rebuild, row_readers};
use super::stages::merge;

/// The rule.
pub fn fuse(plan: &FlowPlan) -> FlowPlan {
    let readers = row_readers(plan);
    // For each linear node that goes up into its reader, that reader.
    let mut above: Vec<Option<NodeId>> = vec![None; plan.nodes.len()];
    for (id, node) in plan.nodes.iter().enumerate() {
        let Operator::Linear { input, stages } = &node.operator else { continue };
        let below_is_linear = matches!(plan.nodes[*input].operator, Operator::Linear { .. });
        if below_is_linear && readers[*input] == 1 && !stages.iter().any(Stage::is_fallible) {
            above[*input] = Some(id);
        }
    }
    Rebuild::new(plan).finish(move |rebuild, id| write(rebuild, id, &above))
}

fn write(rebuild: &mut Rebuild<'_>, id: NodeId, above: &[Option<NodeId>]) -> NodeId {
    let again = |rebuild: &mut Rebuild<'_>, id| write(rebuild, id, above);
    if let Some(reader) = above[id] {
        return rebuild.place(reader, &again);
    }
    let old = rebuild.old;
    let Operator::Linear { .. } = &old.nodes[id].operator else { return rebuild.copy(id, &again) };
    // Down through the nodes that end here; `bottom` is the last.
    let (mut chain, mut bottom) = (Vec::new(), id);
    while let Operator::Linear { input, stages } = &old.nodes[bottom].operator {
        chain.push(stages);
        if above[*input] != Some(bottom) {
            let input = rebuild.place(*input, &again);
            let stages = merge(chain.into_iter().rev().flatten().cloned().collect());
            // The text is that of the step whose errors the node has.
            let origin = &old.nodes[bottom];
            let types = old.nodes[id].schema.fields().iter().map(|field| field.data_type().clone()).collect();
            return rebuild.new.add(Operator::Linear { input, stages }, types, origin.span, origin.step.as_str());
        }
        bottom = *input;
    }
    unreachable!("a fused chain is made of linear nodes")
}
