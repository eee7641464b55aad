//! Union, and other things that only rename or join streams.

use std::sync::Arc;

use arrow_schema::SchemaRef;
use tidebook_plan::{ChangeBatch, NodeId};
use timely::dataflow::Scope;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::Operator;
use timely::dataflow::operators::{Concatenate, ToStream};

use crate::delta::{Delta, Rows, batch_of};

/// All rows of all streams, each as often as its weight says; a negative one takes them back.
pub(super) fn union<'scope>(inputs: Vec<(Rows<'scope>, i64)>) -> Rows<'scope> {
    let weighted = |(rows, weight): (Rows<'scope>, i64)| match weight {
        1 => rows,
        _ => map(rows, "Weigh", move |delta| Delta {
            epoch: delta.epoch,
            changes: Arc::new(delta.changes.times(weight)),
        }),
    };
    concat(inputs.into_iter().map(weighted).collect())
}

/// How often a union takes each of its inputs: one that stands in it several times is read once, and one that it takes as
/// often as it takes it back not at all.
pub(super) fn weights(inputs: &[(NodeId, bool)]) -> Vec<(NodeId, i64)> {
    let mut weights: Vec<(NodeId, i64)> = Vec::new();
    for (input, negated) in inputs {
        let weight = if *negated { -1 } else { 1 };
        match weights.iter_mut().find(|(known, _)| known == input) {
            Some((_, sum)) => *sum += weight,
            None => weights.push((*input, weight)),
        }
    }
    weights.retain(|(_, weight)| *weight != 0);
    weights
}

/// All rows of all streams. There is at least one.
pub(super) fn concat(mut streams: Vec<Rows<'_>>) -> Rows<'_> {
    match streams.pop() {
        Some(last) if streams.is_empty() => last,
        Some(last) => {
            let scope = last.scope();
            streams.push(last);
            scope.concatenate(streams)
        }
        None => unreachable!("a union has an input"),
    }
}

/// The same rows under the schema of another node.
pub(super) fn relabel<'scope>(rows: Rows<'scope>, schema: &SchemaRef) -> Rows<'scope> {
    let schema = Arc::clone(schema);
    map(rows, "Relabel", move |delta| {
        let rows = batch_of(&schema, delta.changes.rows.columns().to_vec(), delta.changes.len());
        Delta { epoch: delta.epoch, changes: Arc::new(ChangeBatch { rows, diffs: delta.changes.diffs.clone() }) }
    })
}

/// No rows.
pub(super) fn empty(scope: Scope<'_, u64>) -> Rows<'_> {
    std::iter::empty::<Delta>().to_stream(scope)
}

/// Each delta made into another one, of the same epoch or a later one.
pub(super) fn map<'scope>(rows: Rows<'scope>, name: &str, logic: impl Fn(Delta) -> Delta + 'static) -> Rows<'scope> {
    rows.unary(Pipeline, name, move |_capability, _info| {
        move |input, output| {
            input.for_each(|capability, deltas| {
                output.session(&capability).give_iterator(deltas.drain(..).map(&logic));
            });
        }
    })
}
