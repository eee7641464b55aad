//! Writing a plan anew, node by node.

use tidebook_plan::flow::FlowBuilder;
use tidebook_plan::{FlowPlan, NodeId, Operator};

/// How many nodes read the rows of each node; an output counts as one more.
pub fn row_readers(plan: &FlowPlan) -> Vec<usize> {
    let mut readers = vec![0; plan.nodes.len()];
    for node in &plan.nodes {
        if !matches!(node.operator, Operator::Errors { .. }) {
            for input in node.operator.inputs() {
                readers[input] += 1;
            }
        }
    }
    for output in &plan.outputs {
        readers[*output] += 1;
    }
    readers
}

/// A plan being written from another.
pub struct Rebuild<'a> {
    /// The plan that is read.
    pub old: &'a FlowPlan,
    /// The plan that is written.
    pub new: FlowBuilder,
    places: Vec<Option<NodeId>>,
}

impl<'a> Rebuild<'a> {
    /// Nothing written yet.
    pub fn new(old: &'a FlowPlan) -> Self {
        Rebuild { old, new: FlowBuilder::default(), places: vec![None; old.nodes.len()] }
    }

    /// The new place of the node `id`, written by `write` when it is first asked for, its inputs before it.
    pub fn place(&mut self, id: NodeId, write: &impl Fn(&mut Self, NodeId) -> NodeId) -> NodeId {
        if let Some(place) = self.places[id] {
            return place;
        }
        let place = write(self, id);
        self.places[id] = Some(place);
        place
    }

    /// Writes the node `id` as it is, over the new places of its inputs.
    pub fn copy(&mut self, id: NodeId, write: &impl Fn(&mut Self, NodeId) -> NodeId) -> NodeId {
        let old = self.old;
        let mut operator = old.nodes[id].operator.clone();
        match &mut operator {
            Operator::Get { .. }
            | Operator::Constant { .. }
            | Operator::Held { .. }
            | Operator::Given { .. }
            | Operator::Unsettled => {}
            Operator::Iterate { inputs, .. } => {
                for input in inputs {
                    *input = self.place(*input, write);
                }
            }
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
            | Operator::Errors { of: input } => *input = self.place(*input, write),
            Operator::Join { left, right, .. }
            | Operator::ReduceJoin { left, right, .. }
            | Operator::Asof { left, right, .. } => {
                *left = self.place(*left, write);
                *right = self.place(*right, write);
            }
            Operator::Watermark { inputs } => {
                for input in inputs {
                    input.input = self.place(input.input, write);
                }
            }
            Operator::Gate { input, watermark, .. } => {
                *input = self.place(*input, write);
                *watermark = self.place(*watermark, write);
            }
            Operator::Union { inputs } => {
                for (input, _) in inputs {
                    *input = self.place(*input, write);
                }
            }
        }
        self.add(id, operator)
    }

    /// Writes an operator in the place of the old node `id`: with its types, span and step.
    pub fn add(&mut self, id: NodeId, operator: Operator) -> NodeId {
        let node = &self.old.nodes[id];
        let types = node.schema.fields().iter().map(|field| field.data_type().clone()).collect();
        self.new.add(operator, types, node.span, node.step.as_str())
    }

    /// Writes what the outputs need and gives the plan.
    pub fn finish(mut self, write: impl Fn(&mut Self, NodeId) -> NodeId) -> FlowPlan {
        let outputs = self.old.outputs.iter().map(|output| self.place(*output, &write)).collect();
        self.new.finish(outputs)
    }
}
