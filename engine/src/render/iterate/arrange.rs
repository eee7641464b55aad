//! Rows of a loop arranged by key: as everywhere, only with rounds in their times.

use std::collections::BTreeMap;
use std::rc::Rc;

use differential_dataflow::batcher::{Batcher, Extract};
use differential_dataflow::operators::arrange::arrangement::arrange_core;
use differential_dataflow::operators::arrange::{Arranged, TraceAgent};
use differential_dataflow::trace::Builder;
use differential_dataflow::trace::implementations::ord_neu::OrdValBatch;
use differential_dataflow::trace::implementations::spine_fueled::Spine;
use serde::{Deserialize, Serialize};
use timely::dataflow::Stream;
use timely::dataflow::channels::pact::{Exchange, Pipeline};
use timely::dataflow::operators::generic::Operator;
use timely::progress::{Antichain, frontier::AntichainRef};

use super::part::{Parts, Time};
use crate::row::{BatchWriter, Chunk, Codec, Difference, Packed, StorageAt, prefix};

/// An immutable batch of updates of a loop.
pub(super) type LoopBatch<R> = Rc<OrdValBatch<StorageAt<Time, R>>>;
/// A trace of a loop.
pub(super) type LoopTrace<R> = TraceAgent<Spine<LoopBatch<R>>>;
/// A stream of batches with their trace.
pub(super) type LoopArrangement<'scope, R> = Arranged<'scope, LoopTrace<R>>;
/// The batches that a stream of an arrangement carries.
pub(super) type LoopSpan<R> = differential_dataflow::trace::Span<Time, LoopBatch<R>>;

/// Encoded rows on their way to one worker.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct LoopChunk<R> {
    target: u64,
    keys: Packed,
    vals: Packed,
    updates: Vec<(Time, R)>,
}

impl<R> LoopChunk<R> {
    /// The rows of a chunk, whose differences number their updates.
    pub fn numbered(chunk: Chunk<u32>, update: impl Fn(usize) -> (Time, R)) -> Self {
        let updates = chunk.diffs.iter().map(|i| update(*i as usize)).collect();
        LoopChunk { target: chunk.target, keys: chunk.keys, vals: chunk.vals, updates }
    }

    /// The rows of a chunk at one time.
    pub fn at(chunk: Chunk<R>, time: &Time) -> Self {
        let updates = chunk.diffs.into_iter().map(|diff| (time.clone(), diff)).collect();
        LoopChunk { target: chunk.target, keys: chunk.keys, vals: chunk.vals, updates }
    }

    /// One row.
    pub fn of_one(target: usize, key: &[u8], val: &[u8], time: Time, diff: R) -> Self {
        let (mut keys, mut vals) = (Packed::default(), Packed::default());
        keys.push(key);
        vals.push(val);
        LoopChunk { target: target as u64, keys, vals, updates: vec![(time, diff)] }
    }
}

/// Updates of one time that is not complete.
struct Waiting<R> {
    keys: Packed,
    vals: Packed,
    diffs: Vec<R>,
}

impl<R> Default for Waiting<R> {
    fn default() -> Self {
        Waiting { keys: Packed::default(), vals: Packed::default(), diffs: Vec::new() }
    }
}

/// Keeps updates by their times until these are complete, then makes one batch of them.
struct LoopBatcher<R> {
    waiting: BTreeMap<Time, Waiting<R>>,
    frontier: Antichain<Time>,
}

impl<R: Difference> Batcher<Vec<LoopChunk<R>>> for LoopBatcher<R> {
    fn insert(&mut self, container: &mut Vec<LoopChunk<R>>) {
        for chunk in container.drain(..) {
            let LoopChunk { keys, vals, updates, .. } = chunk;
            let mut updates = updates.into_iter().enumerate().peekable();
            while let Some((_, (time, _))) = updates.peek() {
                let time = time.clone();
                let waiting = self.waiting.entry(time.clone()).or_default();
                // Rows of one time mostly come together.
                while let Some((row, (_, diff))) = updates.next_if(|(_, (other, _))| *other == time) {
                    waiting.keys.push(keys.get(row));
                    waiting.vals.push(vals.get(row));
                    waiting.diffs.push(diff);
                }
            }
        }
    }
}

impl<R: Difference> Extract for LoopBatcher<R> {
    type Time = Time;
    type Output = OrdValBatch<StorageAt<Time, R>>;

    fn extract<'a>(&'a mut self, upper: AntichainRef<'_, Time>) -> (Option<Self::Output>, AntichainRef<'a, Time>) {
        let ready: Vec<(Time, Waiting<R>)> = self.waiting.extract_if(.., |time, _| !upper.less_equal(time)).collect();
        self.frontier.clear();
        for time in self.waiting.keys() {
            self.frontier.insert_ref(time);
        }
        (merge(ready), self.frontier.borrow())
    }
}

fn merge<R: Difference>(mut ready: Vec<(Time, Waiting<R>)>) -> Option<OrdValBatch<StorageAt<Time, R>>> {
    let rows = ready.iter().map(|(_, waiting)| waiting.diffs.len()).sum();
    let key_bytes = ready.iter().map(|(_, waiting)| waiting.keys.byte_count()).sum();
    let val_bytes = ready.iter().map(|(_, waiting)| waiting.vals.byte_count()).sum();
    let mut order: Vec<(u128, u32, u32)> = Vec::with_capacity(rows);
    for (i, (_, waiting)) in ready.iter().enumerate() {
        order.extend((0..waiting.diffs.len()).map(|j| (prefix(waiting.keys.get(j)), i as u32, j as u32)));
    }
    order.sort_unstable_by(|a, b| {
        a.0.cmp(&b.0).then_with(|| {
            let (one, other) = (&ready[a.1 as usize].1, &ready[b.1 as usize].1);
            let (i, j) = (a.2 as usize, b.2 as usize);
            one.keys.get(i).cmp(other.keys.get(j)).then_with(|| one.vals.get(i).cmp(other.vals.get(j)))
        })
    });
    // Differences may be large: they are taken out.
    let mut diffs: Vec<Vec<Option<R>>> = ready
        .iter_mut()
        .map(|(_, waiting)| std::mem::take(&mut waiting.diffs).into_iter().map(Some).collect())
        .collect();
    let mut batch = BatchWriter::<Time, R>::with_capacity(rows, key_bytes, val_bytes);
    for (_, i, j) in order {
        let (time, waiting) = &ready[i as usize];
        let Some(diff) = diffs[i as usize][j as usize].take() else { unreachable!("each row has one place") };
        batch.push(waiting.keys.get(j as usize), waiting.vals.get(j as usize), time.clone(), diff);
    }
    batch.done()
}

/// Sends each chunk to its worker and keeps it there, sorted.
pub(super) fn arrange<'scope, R: Difference>(
    chunks: Stream<'scope, Time, Vec<LoopChunk<R>>>,
    name: &str,
) -> LoopArrangement<'scope, R> {
    let route = Exchange::new(|chunk: &LoopChunk<R>| chunk.target);
    arrange_core(chunks, route, name, |_logger, _operator| LoopBatcher {
        waiting: BTreeMap::new(),
        frontier: Antichain::new(),
    })
}

/// Arranges rows by the codec's key.
pub(super) fn arrange_rows<'scope>(parts: Parts<'scope>, codec: Codec, name: &str) -> LoopArrangement<'scope, i64> {
    arrange(encode(parts, None, codec), name)
}

/// Rows, or these of their columns, as chunks for the workers that keep their keys.
pub(super) fn encode<'scope>(
    parts: Parts<'scope>,
    columns: Option<Vec<usize>>,
    codec: Codec,
) -> Stream<'scope, Time, Vec<LoopChunk<i64>>> {
    let peers = parts.scope().peers();
    parts.unary(Pipeline, "Encode", move |_capability, _info| {
        move |input, output| {
            input.for_each(|capability, parts| {
                let mut session = output.session(&capability);
                for part in parts.drain(..) {
                    let numbers = (0..part.updates.len() as u32).collect();
                    let rows = match columns.as_ref().map(|columns| part.rows.project(columns)) {
                        None => part.rows.clone(),
                        Some(Ok(rows)) => rows,
                        Some(Err(error)) => panic!("columns do not have the places that the plan says: {error}"),
                    };
                    for chunk in codec.encode_with(0, &rows, numbers, peers) {
                        session.give(LoopChunk::numbered(chunk, |i| part.updates[i].clone()));
                    }
                }
            });
        }
    })
}

/// The results of a key, on their way into a batch.
#[derive(Default)]
pub(super) struct KeyUpdates {
    pub key: Vec<u8>,
    pub updates: Vec<(Vec<u8>, Time, i64)>,
}

/// Makes a batch of the results of keys in order.
pub(super) struct ResultBuilder(BatchWriter<Time, i64>);

impl Default for ResultBuilder {
    fn default() -> Self {
        ResultBuilder(BatchWriter::with_capacity(0, 0, 0))
    }
}

impl Builder for ResultBuilder {
    type Input = KeyUpdates;
    type Time = Time;
    type Output = OrdValBatch<StorageAt<Time, i64>>;

    fn push(&mut self, chunk: &mut KeyUpdates) {
        for (value, time, diff) in chunk.updates.drain(..) {
            self.0.push(&chunk.key, &value, time, diff);
        }
    }

    fn done(self) -> Option<Self::Output> {
        self.0.done()
    }
}
