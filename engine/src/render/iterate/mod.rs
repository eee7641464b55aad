//! `iterate`: a body that is applied to a table until it no longer changes.
//!
//! A loop is a scope of its own whose times are an epoch and a round for each loop around (Murray et al., *Naiad*, 2013;
//! McSherry et al., *Differential dataflow*, 2013). What a round changes is kept as a difference to the round before it,
//! and what an epoch changes as a difference to the same round of the epoch before it. So the result is that of a fresh
//! start, for the work that the change makes in each round.
//!
//! Such times are ordered in part only, which the operators outside of loops do not know; here they are built from
//! differential's own, over the same packed rows. Loops inside of loops stand in the same scope, one round further.

mod arrange;
mod body;
mod groups;
mod join;
mod part;
mod reduce;
mod rounds;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use arrow_schema::SchemaRef;
use differential_dataflow::batcher::{Batcher, Extract};
use differential_dataflow::trace::cursor::Navigable;
use tidebook_plan::flow::FlowPlan;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::Operator;
use timely::dataflow::operators::{Capability, Leave};
use timely::dataflow::{Scope, Stream};
use timely::progress::Antichain;

use super::import::decode_some;
use crate::delta::Rows;
use crate::row::{Chunk, ChunkBatcher, Codec, Layout};
use body::{Loop, Node};
use part::{Part, Time, enter};

/// What a loop is built from.
pub(super) struct Parts<'a, 'scope> {
    /// The table at the start, then what the body reads beside it, each with its columns.
    pub inputs: Vec<(Rows<'scope>, SchemaRef)>,
    pub body: &'a FlowPlan,
    pub max: Option<u64>,
    pub step: &'a str,
    pub install: u64,
    /// True once nobody wants it any more: what still goes round is dropped.
    pub stopped: Rc<Cell<bool>>,
}

/// The rows that the loop settles on, and the errors of its last round.
pub(super) fn iterate<'scope>(
    scope: Scope<'scope, u64>,
    parts: Parts<'_, 'scope>,
) -> (Rows<'scope>, Option<Rows<'scope>>) {
    let Parts { inputs, body, max, step, install, stopped } = parts;
    let schema_of = |output: usize| &body.nodes[body.outputs[output]].schema;
    let (rows, errors) = scope.scoped::<Time, _, _>("Iterate", |inner: Scope<'_, Time>| {
        let inputs = inputs.into_iter().map(|(rows, schema)| Node::new(enter(rows, inner), schema)).collect();
        let looped = Loop { scope: inner, level: 1, body, max, step, install, stopped };
        let (rows, errors) = looped.render(inputs);
        (rows.leave(scope), errors.map(|errors| errors.leave(scope)))
    });
    let errors = errors.map(|errors| settled(errors, schema_of(1), install));
    (settled(rows, schema_of(0), install), errors)
}

/// The rows of each epoch, once its last round is over, with what has come and gone in between taken out.
fn settled<'scope>(parts: Stream<'scope, u64, Vec<Part>>, schema: &SchemaRef, install: u64) -> Rows<'scope> {
    let layout = Layout::by(&(0..schema.fields().len()).collect::<Vec<_>>());
    let codec = Codec::new(schema, &layout);
    let mut batcher: ChunkBatcher<i64> = ChunkBatcher::new();
    let mut epochs: BTreeMap<u64, Capability<u64>> = BTreeMap::new();
    parts.unary_frontier(Pipeline, "Settled", move |_capability, _info| {
        move |(input, frontier), output| {
            input.for_each(|capability, parts| {
                for part in parts.drain(..) {
                    let mut chunks: BTreeMap<u64, Chunk<i64>> = BTreeMap::new();
                    let numbers = (0..part.updates.len() as u32).collect();
                    for numbered in codec.encode_with(0, &part.rows, numbers, 1) {
                        for (row, number) in numbered.diffs.iter().enumerate() {
                            let (time, diff) = &part.updates[*number as usize];
                            let chunk = chunks.entry(time.outer).or_insert_with(|| Chunk::new(0, time.outer));
                            chunk.keys.push(numbered.keys.get(row));
                            chunk.vals.push(numbered.vals.get(row));
                            chunk.diffs.push(*diff);
                        }
                    }
                    for epoch in chunks.keys() {
                        epochs.entry(*epoch).or_insert_with(|| capability.delayed(epoch, 0));
                    }
                    batcher.insert(&mut chunks.into_values().collect());
                }
            });
            if epochs.keys().all(|epoch| frontier.less_equal(epoch)) {
                return;
            }
            let upper: Antichain<u64> = frontier.frontier().to_owned();
            if let (Some(batch), _) = batcher.extract(upper.borrow()) {
                let batch = Rc::new(batch);
                let mut cursor = batch.cursor();
                loop {
                    let decoded = decode_some(&batch, &mut cursor, &codec, install, |delta| {
                        let Some(capability) = epochs.get(&delta.epoch) else {
                            unreachable!("an epoch is held until it is settled")
                        };
                        output.session(capability).give(delta);
                    });
                    if decoded == 0 {
                        break;
                    }
                }
            }
            epochs.retain(|epoch, _| frontier.less_equal(epoch));
        }
    })
}
