//! Into an arrangement of rows, and out of one.

use std::collections::{BTreeMap, VecDeque};

use differential_dataflow::trace::Cursor;
use differential_dataflow::trace::cursor::Navigable;
use timely::dataflow::Stream;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::Capability;
use timely::dataflow::operators::generic::Operator;

use crate::delta::{Delta, Rows};
use crate::row::{Arrangement, Batch, BatchCursor, BatchSpan, Codec, arrange, time_at};

/// Rows that one activation decodes before it lets others work.
const FUEL: usize = 1 << 17;
/// Rows in one decoded batch.
const BATCH: usize = 1 << 13;

/// Arranges rows by the codec's key.
pub(super) fn arrange_rows<'scope>(rows: Rows<'scope>, codec: Codec) -> Arrangement<'scope, i64> {
    let peers = rows.scope().peers();
    let chunks = rows.unary(Pipeline, "Encode", move |_capability, _info| {
        move |input, output| {
            input.for_each(|capability, deltas| {
                let mut session = output.session(&capability);
                for delta in deltas.drain(..) {
                    for chunk in codec.encode(delta.epoch, &delta.changes, peers) {
                        session.give(chunk);
                    }
                }
            });
        }
    });
    arrange(chunks, "Arrange")
}

/// A batch that is being decoded.
struct Decoding {
    capability: Capability<u64>,
    batch: Batch<i64>,
    cursor: BatchCursor<i64>,
}

/// The rows of an arrangement, from its contents at `install` on.
pub(super) fn rows<'scope>(
    spans: Stream<'scope, u64, Vec<BatchSpan<i64>>>,
    codec: Codec,
    install: u64,
) -> Rows<'scope> {
    let scope = spans.scope();
    spans.unary(Pipeline, "Decode", move |_capability, info| {
        let activator = scope.activator_for(info.address);
        let mut queue: VecDeque<Decoding> = VecDeque::new();
        move |input, output| {
            input.for_each(|capability, spans| {
                let Some(capability) = capability.retain_least(0) else { return };
                for batch in spans.drain(..).filter_map(|span| span.inner) {
                    queue.push_back(Decoding { capability: capability.clone(), cursor: batch.cursor(), batch });
                }
            });
            let mut fuel = FUEL;
            while fuel > 0 {
                let Some(work) = queue.front_mut() else { return };
                let Decoding { capability, batch, cursor } = work;
                let decoded =
                    decode_some(batch, cursor, &codec, install, |delta| output.session(capability).give(delta));
                fuel = fuel.saturating_sub(decoded);
                if decoded == 0 {
                    queue.pop_front();
                }
            }
            activator.activate();
        }
    })
}

/// Rows of one epoch, still encoded.
#[derive(Default)]
struct Pending<'a> {
    keys: Vec<&'a [u8]>,
    values: Vec<&'a [u8]>,
    diffs: Vec<i64>,
}

/// Decodes about a batch of rows; returns how many, 0 at the end.
pub(super) fn decode_some(
    batch: &Batch<i64>,
    cursor: &mut BatchCursor<i64>,
    codec: &Codec,
    install: u64,
    mut give: impl FnMut(Delta),
) -> usize {
    let mut pending: BTreeMap<u64, Pending<'_>> = BTreeMap::new();
    let mut count = 0;
    while count < BATCH {
        let Some(key) = cursor.get_key(batch) else { break };
        let Some(value) = cursor.get_val(batch) else {
            cursor.step_key(batch);
            continue;
        };
        cursor.map_times(batch, |time, diff| {
            let rows = pending.entry(time_at(*time, install)).or_default();
            rows.keys.push(key);
            rows.values.push(value);
            rows.diffs.push(*diff);
            count += 1;
        });
        cursor.step_val(batch);
    }
    for (epoch, rows) in pending {
        give(Delta::new(epoch, codec.decode(&rows.keys, &rows.values), rows.diffs));
    }
    count
}
