//! A loop, from a fresh start.

use std::collections::HashMap;

use tidebook_plan::flow::{FlowPlan, MOST_ROUNDS, Operator};

use super::super::{Multiset, text};
use super::evaluate;

/// What `body` makes of the first of `given`, until nothing changes or `max` times.
pub fn iterate(
    body: &FlowPlan,
    mut given: Vec<Multiset>,
    max: Option<u64>,
    step: &str,
    errors: &mut Multiset,
) -> Multiset {
    for round in 1..=max.unwrap_or(MOST_ROUNDS) {
        let next = apply(body, &given, Multiset::new());
        let settled = next[0] == given[0];
        let last = settled || round == max.unwrap_or(MOST_ROUNDS);
        if last && !settled && max.is_none() {
            let mut coming = next[0].clone();
            given[0].values().for_each(|(row, count)| super::add(&mut coming, row.clone(), -count));
            coming.retain(|_, (_, count)| *count > 0);
            let mut rows = next[0].clone();
            coming.values().for_each(|(row, count)| super::add(&mut rows, row.clone(), -count));
            let message = format!("still changes after {MOST_ROUNDS} rounds");
            let failed = coming.into_values().map(|(mut row, count)| {
                row.extend([text(&message), text(step)]);
                (row, count)
            });
            let unsettled = super::multiset(failed);
            if let Some(failed) = apply(body, &given, unsettled).get(1) {
                *errors = failed.clone();
            }
            return rows;
        }
        if let (true, Some(failed)) = (last, next.get(1)) {
            *errors = failed.clone();
        }
        given[0] = next.into_iter().next().expect("a body has an output");
        if last {
            break;
        }
    }
    given.swap_remove(0)
}

/// The outputs of a round.
fn apply(body: &FlowPlan, given: &[Multiset], unsettled: Multiset) -> Vec<Multiset> {
    let leaves = body.nodes.iter().enumerate().filter_map(|(id, node)| match &node.operator {
        Operator::Given { index } => Some((id, given[*index].clone())),
        Operator::Unsettled => Some((id, unsettled.clone())),
        _ => None,
    });
    let leaves: HashMap<_, _> = leaves.collect();
    let nodes = evaluate(body, &leaves);
    body.outputs.iter().map(|output| nodes[*output].rows.clone()).collect()
}
