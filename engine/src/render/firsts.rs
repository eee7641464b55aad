//! Of rows that are never taken back, those that are among the first of their group: all others can be forgotten.
//!
//! What is arranged is what [`top_k`](super::top_k) reads, only less of it: a row that comes before the last one of a full
//! group pushes it out for good. Each worker does so with the rows that come by, before they go to the worker that keeps
//! their group, and hands on at the end of an epoch what it has changed.
//!
//! Groups of which there are about as many as rows cost more than they save. Where most rows begin a group, all later rows
//! are passed on: that is always right, only larger.

use std::collections::BTreeMap;

use hashbrown::HashTable;
use timely::dataflow::Stream;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::Capability;
use timely::dataflow::operators::generic::Operator;

use crate::delta::Rows;
use crate::row::{Arrangement, Chunk, Codec, Packed, arrange, hash_bytes, worker_of_key};

/// Rows that a chunk has about.
const CHUNK: usize = 1 << 14;

/// After so many rows it is looked whether they are worth it, once so many are remembered.
const LOOK: (usize, usize) = (1 << 20, 1 << 22);

/// Arranges at least the first `end` rows of each group, in the order of the codec. `rows` only grow.
pub(super) fn arrange_firsts<'scope>(rows: Rows<'scope>, codec: Codec, end: u64) -> Arrangement<'scope, i64> {
    let peers = rows.scope().peers();
    let chunks: Stream<'scope, u64, Vec<Chunk<i64>>> =
        rows.unary_frontier(Pipeline, "Firsts", move |_capability, _info| {
            let mut firsts = Some(Firsts::new(end, LOOK));
            let mut epochs: BTreeMap<u64, (Capability<u64>, Vec<Chunk<i64>>)> = BTreeMap::new();
            move |(input, frontier), output| {
                input.for_each(|capability, deltas| {
                    for delta in deltas.drain(..) {
                        let (_, waiting) = epochs
                            .entry(delta.epoch)
                            .or_insert_with(|| (capability.delayed(&delta.epoch, 0), Vec::new()));
                        // To be told apart by worker only when they are handed on.
                        waiting.extend(codec.encode(delta.epoch, &delta.changes, 1));
                    }
                });
                while let Some(mut entry) = epochs.first_entry() {
                    let epoch = *entry.key();
                    // A row may push out only what did not come after it.
                    if frontier.less_than(&epoch) {
                        break;
                    }
                    let (capability, waiting) = entry.get_mut();
                    let mut session = output.session(&*capability);
                    for chunk in waiting.drain(..) {
                        let Some(known) = &mut firsts else {
                            by_worker(epoch, rows_of(&chunk), peers, |chunk| session.give(chunk));
                            continue;
                        };
                        known.add(&chunk);
                        if !known.pays() {
                            by_worker(epoch, known.changes(), peers, |chunk| session.give(chunk));
                            firsts = None;
                        }
                    }
                    if frontier.less_equal(&epoch) {
                        break;
                    }
                    if let Some(known) = &mut firsts {
                        by_worker(epoch, known.changes(), peers, |chunk| session.give(chunk));
                        known.settle();
                    }
                    drop(session);
                    entry.remove();
                }
                if frontier.is_empty() {
                    // Nothing comes any more that would have to be compared.
                    firsts = None;
                }
            }
        });
    arrange(chunks, "Arrange")
}

fn rows_of(chunk: &Chunk<i64>) -> impl Iterator<Item = (&[u8], &[u8], i64)> {
    (0..chunk.diffs.len()).map(|row| (chunk.keys.get(row), chunk.vals.get(row), chunk.diffs[row]))
}

/// Encoded rows in chunks for the workers that keep them.
fn by_worker<'a>(
    epoch: u64,
    rows: impl Iterator<Item = (&'a [u8], &'a [u8], i64)>,
    peers: usize,
    mut give: impl FnMut(Chunk<i64>),
) {
    let mut chunks: Vec<Chunk<i64>> = (0..peers).map(|target| Chunk::new(target as u64, epoch)).collect();
    for (key, value, diff) in rows {
        let target = worker_of_key(key, peers);
        let chunk = &mut chunks[target];
        chunk.keys.push(key);
        chunk.vals.push(value);
        chunk.diffs.push(diff);
        if chunk.diffs.len() >= CHUNK {
            give(std::mem::replace(chunk, Chunk::new(target as u64, epoch)));
        }
    }
    chunks.into_iter().filter(|chunk| !chunk.diffs.is_empty()).for_each(give);
}

/// First values of a group in order, with how often each stands.
#[derive(Clone, Default)]
struct Group {
    values: Vec<(Box<[u8]>, i64)>,
    /// How many these are; not more than needed without the last one.
    count: u64,
}

impl Group {
    /// Where a value belongs, if it is among the first `end`.
    fn place(&self, value: &[u8], end: u64) -> Option<usize> {
        if self.count >= end && self.values.last().is_none_or(|(last, _)| value > &**last) {
            return None;
        }
        Some(self.values.partition_point(|(known, _)| &**known < value))
    }

    /// Adds a value at its place, and drops what is not among the first `end` any more.
    fn put(&mut self, place: usize, value: &[u8], diff: i64, end: u64) {
        match self.values.get_mut(place) {
            Some((known, count)) if **known == *value => *count += diff,
            _ => {
                if self.values.is_empty() {
                    // Most orders are asked for one row only.
                    self.values.reserve_exact(1);
                }
                self.values.insert(place, (value.into(), diff));
            }
        }
        self.count += diff.unsigned_abs();
        while let Some((_, count)) = self.values.last()
            && self.count - count.unsigned_abs() >= end
        {
            self.count -= count.unsigned_abs();
            self.values.pop();
        }
    }
}

/// The first rows of all groups.
struct Firsts {
    /// How many of each.
    end: u64,
    numbers: HashTable<u32>,
    keys: Packed,
    groups: Vec<Group>,
    /// The groups that this epoch has changed, as they were before.
    before: Vec<(u32, Group)>,
    /// For each group whether it is among them.
    changed: Vec<bool>,
    look: (usize, usize),
    /// Rows since it was last looked whether they are worth it, and the groups that there were then.
    rows: usize,
    known: usize,
}

impl Firsts {
    fn new(end: u64, look: (usize, usize)) -> Self {
        Firsts {
            end,
            numbers: HashTable::new(),
            keys: Packed::default(),
            groups: Vec::new(),
            before: Vec::new(),
            changed: Vec::new(),
            look,
            rows: 0,
            known: 0,
        }
    }

    fn number(&mut self, key: &[u8]) -> usize {
        let keys = &self.keys;
        let hash = hash_bytes(key);
        if let Some(number) = self.numbers.find(hash, |number| keys.get(*number as usize) == key) {
            return *number as usize;
        }
        let number = self.groups.len();
        self.keys.push(key);
        self.groups.push(Group::default());
        self.changed.push(false);
        let keys = &self.keys;
        self.numbers.insert_unique(hash, number as u32, |number| hash_bytes(keys.get(*number as usize)));
        number
    }

    fn add(&mut self, chunk: &Chunk<i64>) {
        for (key, value, diff) in rows_of(chunk) {
            if diff < 0 {
                panic!("invariant: what only grows has no row taken back");
            }
            let number = self.number(key);
            let group = &mut self.groups[number];
            let Some(place) = group.place(value, self.end).filter(|_| diff != 0) else { continue };
            if !std::mem::replace(&mut self.changed[number], true) {
                self.before.push((number as u32, group.clone()));
            }
            group.put(place, value, diff, self.end);
        }
        self.rows += chunk.diffs.len();
    }

    /// False once most rows begin a group of their own.
    fn pays(&mut self) -> bool {
        let (rows, least) = self.look;
        if self.rows < rows {
            return true;
        }
        let new = self.groups.len() - self.known;
        let pays = self.groups.len() < least || new * 2 < self.rows;
        (self.rows, self.known) = (0, self.groups.len());
        pays
    }

    /// What this epoch has changed.
    fn changes(&self) -> impl Iterator<Item = (&[u8], &[u8], i64)> {
        self.before.iter().flat_map(|(number, before)| {
            let key = self.keys.get(*number as usize);
            let gone = before.values.iter().map(|(value, count)| (&**value, -count));
            let come = self.groups[*number as usize].values.iter().map(|(value, count)| (&**value, *count));
            // What has stayed cancels where chunks are sorted.
            gone.chain(come).map(move |(value, diff)| (key, value, diff))
        })
    }

    /// The epoch is over.
    fn settle(&mut self) {
        for (number, _) in self.before.drain(..) {
            self.changed[number as usize] = false;
        }
        // After the contents at the start, few groups change at once.
        self.before.shrink_to(CHUNK);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    type Table = BTreeMap<(Vec<u8>, Vec<u8>), i64>;

    fn apply<'a>(table: &mut Table, changes: impl Iterator<Item = (&'a [u8], &'a [u8], i64)>) {
        for (key, value, diff) in changes {
            *table.entry((key.to_vec(), value.to_vec())).or_default() += diff;
        }
        table.retain(|_, count| *count != 0);
    }

    /// The first `end` rows of each group; the last value may stand more often than that needs.
    fn firsts(all: &Table, end: u64) -> Table {
        let mut seen: BTreeMap<&[u8], u64> = BTreeMap::new();
        let mut kept = Table::new();
        for ((key, value), count) in all {
            let before = seen.entry(key).or_default();
            if *before < end {
                kept.insert((key.clone(), value.clone()), *count);
            }
            *before += *count as u64;
        }
        kept
    }

    #[test]
    fn exactly_the_first_rows_are_kept_after_every_epoch() {
        let mut state = 5u64;
        let mut random = |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        };
        for end in [0, 1, 2, 7] {
            let mut known = Firsts::new(end, LOOK);
            let (mut all, mut given) = (Table::new(), Table::new());
            for epoch in 0..60 {
                for _ in 0..random(4) {
                    let mut chunk = Chunk::new(0, epoch);
                    for _ in 0..random(9) {
                        chunk.keys.push(&[random(4) as u8]);
                        // Now falling, so that every row pushes another one out, now anything.
                        let value = if epoch % 2 == 0 { 200 - 3 * epoch } else { random(200) };
                        chunk.vals.push(&[value as u8]);
                        chunk.diffs.push(random(3) as i64);
                    }
                    apply(&mut all, rows_of(&chunk));
                    known.add(&chunk);
                }
                apply(&mut given, known.changes());
                known.settle();
                assert_eq!(given, firsts(&all, end), "the first {end} after epoch {epoch}");
            }
        }
    }

    #[test]
    fn it_ends_where_most_rows_begin_a_group() {
        let chunk = |first: u32, groups: u32| {
            let mut chunk = Chunk::new(0, 1);
            for row in first..first + 100 {
                chunk.keys.push(&(row % groups).to_be_bytes());
                chunk.vals.push(&row.to_be_bytes());
                chunk.diffs.push(1);
            }
            chunk
        };
        let run = |groups: u32| {
            let mut known = Firsts::new(1, (200, 1_000));
            (0..100).find(|i| {
                known.add(&chunk(i * 100, groups));
                !known.pays()
            })
        };
        assert_eq!(run(500), None);
        assert_eq!(run(5_000), Some(9));
    }

    #[test]
    #[should_panic(expected = "what only grows has no row taken back")]
    fn a_row_that_goes_is_a_broken_promise() {
        let mut chunk = Chunk::new(0, 1);
        chunk.keys.push(b"k");
        chunk.vals.push(b"v");
        chunk.diffs.push(-1);
        Firsts::new(1, LOOK).add(&chunk);
    }
}
