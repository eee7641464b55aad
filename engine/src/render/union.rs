//! Union, and other things that only rename or join streams.

use std::sync::Arc;

use arrow_schema::SchemaRef;
use tidebook_plan::ChangeBatch;
use timely::dataflow::Scope;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::Operator;
use timely::dataflow::operators::{Concatenate, ToStream};

use crate::delta::{Delta, Rows, batch_of};

/// All rows of all streams; of a negated one the opposite.
pub(super) fn union<'scope>(inputs: Vec<(Rows<'scope>, bool)>) -> Rows<'scope> {
    let negate = |rows: Rows<'scope>| {
        map(rows, "Negate", |delta| Delta { epoch: delta.epoch, changes: Arc::new(delta.changes.negated()) })
    };
    concat(inputs.into_iter().map(|(rows, negated)| if negated { negate(rows) } else { rows }).collect())
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

fn map<'scope>(rows: Rows<'scope>, name: &str, logic: impl Fn(Delta) -> Delta + 'static) -> Rows<'scope> {
    rows.unary(Pipeline, name, move |_capability, _info| {
        move |input, output| {
            input.for_each(|capability, deltas| {
                output.session(&capability).give_iterator(deltas.drain(..).map(&logic));
            });
        }
    })
}
