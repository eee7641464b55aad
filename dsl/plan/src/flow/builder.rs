//! Making a flow plan.

use std::collections::HashMap;

use arrow_schema::DataType;

use super::{Fingerprint, FlowNode, FlowPlan, NodeId, Operator, positional_schema};
use crate::span::Span;

/// Builds a plan, sharing nodes that compute the same.
#[derive(Debug, Default)]
pub struct FlowBuilder {
    plan: FlowPlan,
    known: HashMap<Fingerprint, NodeId>,
}

impl FlowBuilder {
    /// Adds a node, or finds the one that computes the same.
    pub fn add(&mut self, operator: Operator, types: Vec<DataType>, span: Span, step: impl Into<String>) -> NodeId {
        let step = step.into();
        let fingerprint = self.fingerprint(&operator, &types, &step);
        if let Some(id) = self.known.get(&fingerprint) {
            return *id;
        }
        let schema = positional_schema(&types);
        self.plan.nodes.push(FlowNode { operator, schema, fingerprint, span, step });
        let id = self.plan.nodes.len() - 1;
        self.known.insert(fingerprint, id);
        id
    }

    /// The node with this id.
    pub fn node(&self, id: NodeId) -> &FlowNode {
        &self.plan.nodes[id]
    }

    /// The column types of a node.
    pub fn types(&self, id: NodeId) -> Vec<DataType> {
        self.plan.nodes[id].schema.fields().iter().map(|f| f.data_type().clone()).collect()
    }

    /// Declares `outputs` and gives the plan, without nodes that no output needs.
    pub fn finish(self, outputs: Vec<NodeId>) -> FlowPlan {
        let mut plan = self.plan;
        let mut needed = vec![false; plan.nodes.len()];
        for id in &outputs {
            needed[*id] = true;
        }
        for id in (0..plan.nodes.len()).rev() {
            if needed[id] {
                for input in plan.nodes[id].operator.inputs() {
                    needed[input] = true;
                }
            }
        }
        let mut place = vec![0; plan.nodes.len()];
        let mut nodes = Vec::new();
        for (id, mut node) in plan.nodes.drain(..).enumerate() {
            if needed[id] {
                renumber(&mut node.operator, &place);
                place[id] = nodes.len();
                nodes.push(node);
            }
        }
        FlowPlan { nodes, outputs: outputs.into_iter().map(|id| place[id]).collect() }
    }
}

fn renumber(operator: &mut Operator, place: &[NodeId]) {
    match operator {
        Operator::Get { .. }
        | Operator::Constant { .. }
        | Operator::Held { .. }
        | Operator::Given { .. }
        | Operator::Unsettled => {}
        Operator::Iterate { inputs, .. } => inputs.iter_mut().for_each(|input| *input = place[*input]),
        Operator::Linear { input, .. }
        | Operator::Reduce { input, .. }
        | Operator::TopK { input, .. }
        | Operator::Collect { input, .. }
        | Operator::Quantile { input, .. }
        | Operator::Window { input, .. }
        | Operator::Unique { input, .. }
        | Operator::Flatten { input, .. }
        | Operator::Sessions { input, .. }
        | Operator::Match { input, .. }
        | Operator::Dedupe { input, .. }
        | Operator::Changes { input }
        | Operator::Balance { input }
        | Operator::Throttle { input, .. }
        | Operator::Hold { input, .. }
        | Operator::Errors { of: input } => *input = place[*input],
        Operator::Watermark { inputs } => inputs.iter_mut().for_each(|input| input.input = place[input.input]),
        Operator::Gate { input, watermark, .. } => {
            *input = place[*input];
            *watermark = place[*watermark];
        }
        Operator::Join { left, right, .. }
        | Operator::ReduceJoin { left, right, .. }
        | Operator::Asof { left, right, .. } => {
            *left = place[*left];
            *right = place[*right];
        }
        Operator::Union { inputs } => inputs.iter_mut().for_each(|(input, _)| *input = place[*input]),
    }
}
