//! From chunks of encoded rows to sorted batches.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use differential_dataflow::batcher::{Batcher, Extract};
use differential_dataflow::lattice::Lattice;
use differential_dataflow::trace::implementations::BatchContainer;
use differential_dataflow::trace::implementations::ord_neu::layers::UpdsBuilder;
use differential_dataflow::trace::implementations::ord_neu::val_batch::OrdValStorage;
use differential_dataflow::trace::implementations::ord_neu::{OrdValBatch, Upds, Vals};
use serde::{Deserialize, Serialize};
use timely::progress::{Antichain, Timestamp, frontier::AntichainRef};

use super::packed::Packed;
use super::spine::{Difference, Storage, StorageAt};

/// Encoded rows of one epoch on their way to one worker.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Chunk<R> {
    /// The worker that keeps these keys.
    pub target: u64,
    /// The epoch of all rows.
    pub epoch: u64,
    /// Encoded keys.
    pub keys: Packed,
    /// Encoded values.
    pub vals: Packed,
    /// Differences.
    pub diffs: Vec<R>,
}

impl<R> Chunk<R> {
    /// An empty chunk.
    pub fn new(target: u64, epoch: u64) -> Self {
        Chunk { target, epoch, keys: Packed::default(), vals: Packed::default(), diffs: Vec::new() }
    }
}

/// The first bytes of a key as a number that compares as they do; most comparisons need no more.
pub(crate) fn prefix(key: &[u8]) -> u128 {
    let mut first = [0u8; 16];
    let length = key.len().min(16);
    first[..length].copy_from_slice(&key[..length]);
    u128::from_be_bytes(first)
}

/// Sorts a chunk by key and value and adds up equal ones.
fn sorted<R: Difference>(chunk: &Chunk<R>) -> Chunk<R> {
    let (keys, vals) = (&chunk.keys, &chunk.vals);
    let mut order: Vec<(u128, u32)> = (0..chunk.diffs.len()).map(|i| (prefix(keys.get(i)), i as u32)).collect();
    order.sort_unstable_by(|a, b| {
        a.0.cmp(&b.0).then_with(|| {
            let (i, j) = (a.1 as usize, b.1 as usize);
            keys.get(i).cmp(keys.get(j)).then_with(|| vals.get(i).cmp(vals.get(j)))
        })
    });
    let mut result = Chunk {
        target: chunk.target,
        epoch: chunk.epoch,
        keys: Packed::with_capacity(keys.count(), keys.byte_count()),
        vals: Packed::with_capacity(vals.count(), vals.byte_count()),
        diffs: Vec::with_capacity(chunk.diffs.len()),
    };
    let mut at = 0;
    while at < order.len() {
        let first = order[at].1 as usize;
        let mut diff = chunk.diffs[first].clone();
        at += 1;
        while at < order.len() {
            let next = order[at].1 as usize;
            if keys.get(first) != keys.get(next) || vals.get(first) != vals.get(next) {
                break;
            }
            diff.plus_equals(&chunk.diffs[next]);
            at += 1;
        }
        if !diff.is_zero() {
            result.keys.push(keys.get(first));
            result.vals.push(vals.get(first));
            result.diffs.push(diff);
        }
    }
    result
}

/// Keeps sorted chunks until their epoch is complete, then merges them into one batch.
pub(crate) struct ChunkBatcher<R> {
    chunks: Vec<Chunk<R>>,
    frontier: Antichain<u64>,
}

impl<R> ChunkBatcher<R> {
    /// A batcher without updates.
    pub fn new() -> Self {
        ChunkBatcher { chunks: Vec::new(), frontier: Antichain::new() }
    }
}

impl<R: Difference> Batcher<Vec<Chunk<R>>> for ChunkBatcher<R> {
    fn insert(&mut self, container: &mut Vec<Chunk<R>>) {
        for chunk in container.drain(..) {
            let chunk = sorted(&chunk);
            if !chunk.diffs.is_empty() {
                self.chunks.push(chunk);
            }
        }
    }
}

impl<R: Difference> Extract for ChunkBatcher<R> {
    type Time = u64;
    type Output = OrdValBatch<Storage<R>>;

    fn extract<'a>(&'a mut self, upper: AntichainRef<'_, u64>) -> (Option<Self::Output>, AntichainRef<'a, u64>) {
        let (kept, ready): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.chunks).into_iter().partition(|chunk| upper.less_equal(&chunk.epoch));
        self.chunks = kept;
        self.frontier.clear();
        if let Some(least) = self.chunks.iter().map(|chunk| chunk.epoch).min() {
            self.frontier.insert(least);
        }
        (merge(ready), self.frontier.borrow())
    }
}

/// Where the merge stands in one chunk. Ordered by key and value, then by position, so that it is deterministic.
#[derive(PartialEq, Eq)]
struct Head<'a> {
    key: &'a [u8],
    val: &'a [u8],
    chunk: usize,
    row: usize,
}

impl Ord for Head<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key.cmp(other.key).then_with(|| self.val.cmp(other.val)).then_with(|| self.chunk.cmp(&other.chunk))
    }
}

impl PartialOrd for Head<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn merge<R: Difference>(chunks: Vec<Chunk<R>>) -> Option<OrdValBatch<Storage<R>>> {
    let rows = chunks.iter().map(|chunk| chunk.diffs.len()).sum::<usize>();
    if rows == 0 {
        return None;
    }
    let key_bytes = chunks.iter().map(|chunk| chunk.keys.byte_count()).sum();
    let val_bytes = chunks.iter().map(|chunk| chunk.vals.byte_count()).sum();
    let mut batch = BatchWriter::<u64, R>::with_capacity(rows, key_bytes, val_bytes);
    let head = |chunk: usize, row: usize| {
        let source: &Chunk<R> = &chunks[chunk];
        Head { key: source.keys.get(row), val: source.vals.get(row), chunk, row }
    };
    if let [chunk] = &chunks[..] {
        for row in 0..chunk.diffs.len() {
            batch.push(chunk.keys.get(row), chunk.vals.get(row), chunk.epoch, chunk.diffs[row].clone());
        }
    } else {
        let mut heads: BinaryHeap<_> = (0..chunks.len()).map(|chunk| Reverse(head(chunk, 0))).collect();
        while let Some(mut top) = heads.peek_mut() {
            let Reverse(Head { key, val, chunk, row }) = *top;
            let source = &chunks[chunk];
            batch.push(key, val, source.epoch, source.diffs[row].clone());
            if row + 1 < source.diffs.len() {
                *top = Reverse(head(chunk, row + 1));
            } else {
                std::collections::binary_heap::PeekMut::pop(top);
            }
        }
    }
    batch.done()
}

/// Builds a batch from updates that come in order of key and value.
pub(crate) struct BatchWriter<T: Timestamp + Lattice, R: Difference> {
    storage: OrdValStorage<StorageAt<T, R>>,
    updates: UpdsBuilder<Vec<T>, Vec<R>>,
    /// The key and value whose updates are being gathered.
    key: Vec<u8>,
    val: Vec<u8>,
    open: bool,
    /// Number of values already written for keys that are complete.
    complete: usize,
}

impl<T: Timestamp + Lattice, R: Difference> BatchWriter<T, R> {
    /// Room for so many rows and bytes.
    pub fn with_capacity(rows: usize, key_bytes: usize, val_bytes: usize) -> Self {
        let mut vals = Vals::with_capacity(rows + 1, 0);
        vals.vals = Packed::with_capacity(rows, val_bytes);
        BatchWriter {
            storage: OrdValStorage {
                keys: Packed::with_capacity(rows, key_bytes),
                vals,
                upds: Upds::with_capacity(rows + 1, rows),
            },
            updates: UpdsBuilder::default(),
            key: Vec::new(),
            val: Vec::new(),
            open: false,
            complete: 0,
        }
    }

    /// Adds an update that does not come before the last one.
    pub fn push(&mut self, key: &[u8], val: &[u8], time: T, diff: R) {
        if self.open && (key != &self.key[..] || val != &self.val[..]) {
            self.close_val();
            if key != &self.key[..] {
                self.close_key();
            }
        }
        if !self.open {
            self.key.clear();
            self.key.extend_from_slice(key);
            self.val.clear();
            self.val.extend_from_slice(val);
            self.open = true;
        }
        self.updates.push(time, diff);
    }

    fn close_val(&mut self) {
        if self.updates.seal(&mut self.storage.upds) {
            self.storage.vals.vals.push(&self.val);
        }
        self.open = false;
    }

    fn close_key(&mut self) {
        let written = self.storage.vals.vals.len();
        if written > self.complete {
            self.storage.keys.push(&self.key);
            self.storage.vals.offs.push(written);
            self.complete = written;
        }
    }

    /// The batch, if it holds anything.
    pub fn done(mut self) -> Option<OrdValBatch<StorageAt<T, R>>> {
        if self.open {
            self.close_val();
            self.close_key();
        }
        let updates = self.updates.total();
        (updates > 0).then_some(OrdValBatch { storage: self.storage, updates })
    }
}
