//! Joins in a loop: differential's, over packed bytes, made into batches afterwards.

use std::collections::VecDeque;
use std::rc::Rc;

use arrow_schema::SchemaRef;
use differential_dataflow::operators::cursor::join::join_traces;
use timely::Accountable;
use timely::container::ContainerBuilder;
use timely::dataflow::Stream;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::Operator;

use super::super::join::assemble;
use super::arrange::LoopArrangement;
use super::part::{Part, Parts, Time};
use crate::delta::batch_of;
use crate::row::{Codec, NULL_KEY, Packed};

/// Pairs in one output batch, about.
const BATCH: usize = 1 << 13;

/// Records that a pair counts for, as in joins outside of loops: about 60,000 pairs a turn.
const WEIGHT: i64 = 16;

/// Matching pairs, encoded.
#[derive(Clone, Default)]
struct Pairs {
    keys: Packed,
    left: Packed,
    right: Packed,
    updates: Vec<(Time, i64)>,
}

impl Accountable for Pairs {
    fn record_count(&self) -> i64 {
        self.updates.len() as i64 * WEIGHT
    }
}

/// Gathers pairs in batches.
#[derive(Default)]
struct PairsBuilder {
    current: Pairs,
    ready: VecDeque<Pairs>,
    given: Pairs,
}

impl ContainerBuilder for PairsBuilder {
    type Container = Pairs;

    fn extract(&mut self) -> Option<&mut Pairs> {
        self.given = self.ready.pop_front()?;
        Some(&mut self.given)
    }

    fn finish(&mut self) -> Option<&mut Pairs> {
        if !self.current.updates.is_empty() {
            self.ready.push_back(std::mem::take(&mut self.current));
        }
        self.extract()
    }
}

/// The pairs of left and right rows with equal keys: left columns, then right columns.
pub(super) fn inner<'scope>(
    left: LoopArrangement<'scope, i64>,
    right: LoopArrangement<'scope, i64>,
    left_codec: Rc<Codec>,
    right_codec: Rc<Codec>,
    schema: &SchemaRef,
    nulls_match: bool,
) -> Parts<'scope> {
    let schema = schema.clone();
    decode(pairs(left, right, nulls_match), move |pairs| {
        let [keys, left, right] = [&pairs.keys, &pairs.left, &pairs.right].map(listed);
        let keys = left_codec.decode_keys(&keys);
        let mut columns = assemble(&left_codec, &keys, left_codec.decode_values(&left));
        columns.extend(assemble(&right_codec, &keys, right_codec.decode_values(&right)));
        Part::new(batch_of(&schema, columns, pairs.updates.len()), pairs.updates)
    })
}

/// Left rows as often as they have a match. On the right every key stands once.
pub(super) fn matched<'scope>(
    left: LoopArrangement<'scope, i64>,
    right: LoopArrangement<'scope, i64>,
    codec: Rc<Codec>,
    nulls_match: bool,
) -> Parts<'scope> {
    decode(pairs(left, right, nulls_match), move |pairs| {
        let rows = codec.decode(&listed(&pairs.keys), &listed(&pairs.left));
        Part::new(rows, pairs.updates)
    })
}

fn listed(packed: &Packed) -> Vec<&[u8]> {
    (0..packed.count()).map(|i| packed.get(i)).collect()
}

fn pairs<'scope>(
    left: LoopArrangement<'scope, i64>,
    right: LoopArrangement<'scope, i64>,
    nulls_match: bool,
) -> Stream<'scope, Time, Pairs> {
    join_traces::<_, _, Packed, _, PairsBuilder>(
        left,
        right,
        "Join",
        move |key: &[u8], left: &[u8], right: &[u8], time, left_diff, right_diff, builder| {
            if key[0] == NULL_KEY && !nulls_match {
                return;
            }
            let pairs = &mut builder.current;
            pairs.keys.push(key);
            pairs.left.push(left);
            pairs.right.push(right);
            pairs.updates.push((time, left_diff.wrapping_mul(*right_diff)));
            if pairs.updates.len() >= BATCH {
                builder.ready.push_back(std::mem::take(pairs));
            }
        },
    )
}

fn decode<'scope>(pairs: Stream<'scope, Time, Pairs>, mut logic: impl FnMut(Pairs) -> Part + 'static) -> Parts<'scope> {
    pairs.unary(Pipeline, "Joined", move |_capability, _info| {
        move |input, output| {
            input.for_each(|capability, pairs| {
                if !pairs.updates.is_empty() {
                    output.session(&capability).give(logic(std::mem::take(pairs)));
                }
            });
        }
    })
}
