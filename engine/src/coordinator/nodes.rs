//! What the nodes of a program have done, over all workers.

use tidebook_plan::flow::Operator;

use crate::command::{DataflowId, NodeWork, WorkerStats};
use crate::sharing::SharedPlan;
use crate::stats::NodeStats;

/// The nodes of a dataflow's plan, in order, as the workers tell of them.
pub(super) fn picture(dataflow: DataflowId, shared: &SharedPlan, answers: &[WorkerStats]) -> Vec<NodeStats> {
    let lines = shared.plan.lines();
    let of_worker = |stats: &WorkerStats| -> Vec<NodeWork> {
        stats.nodes.iter().find(|(id, _)| *id == dataflow).map(|(_, nodes)| nodes.clone()).unwrap_or_default()
    };
    let work: Vec<Vec<NodeWork>> = answers.iter().map(of_worker).collect();
    let nodes = shared.plan.nodes.iter().zip(lines).enumerate();
    nodes
        .map(|(at, (node, plan))| {
            let own = work.iter().filter_map(|nodes| nodes.get(at));
            let (rows, time) = own.fold(Default::default(), |(rows, time), node| (rows + node.rows, time + node.time));
            let arrangements = answers.iter().flat_map(|stats| &stats.arrangements);
            let state = arrangements.filter(|(key, _, _)| key.fingerprint == node.fingerprint);
            let (updates, bytes) = state.fold((0, 0), |(updates, bytes), (_, more, of)| (updates + more, bytes + of));
            let own = shared.is_rendered(at) && !matches!(node.operator, Operator::Held { .. });
            NodeStats { plan, step: node.step.clone(), own, rows, time, updates, bytes }
        })
        .collect()
}
