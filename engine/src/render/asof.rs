//! As-of joins: with each left row the nearest right row before it, or after it.
//!
//! Both sides are arranged by key and time, in opposite directions, so that the match of a left row is the first right row from
//! the left row's time on, which is sought and not searched; and so that the left rows that a right row concerns follow it. From a changed right row
//! on, left rows are looked at until one has a nearer match than any row that changed.
//!
//! "Before" and "after" in this file are those of epochs; of two times the one that stands first in the left order is *earlier*,
//! also where that order is descending.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, UInt32Array};
use arrow_schema::{DataType, SchemaRef};
use arrow_select::take::take;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::Capability;
use timely::dataflow::operators::generic::Operator;

use super::instant::{front, mirrored, next};
use super::presence::{Side, first};
use crate::delta::{Delta, Rows, batch_of};
use crate::row::{Arrangement, Batch, Codec, NULL_KEY, Values, time_at};

/// Changes that are written at once.
const MOST_ROWS: usize = 1 << 14;

/// Bytes of a time at the front of packed values.
fn width(ty: &DataType) -> usize {
    1 + ty.primitive_width().unwrap_or_else(|| unreachable!("the time of an as-of join is of fixed width, not {ty}"))
}

/// The join of two sides that are arranged for it; `strict` if a right row at the same time does not count, `outer` if left rows
/// without a match stay.
pub(super) fn asof<'scope>(
    (left, right): (Arrangement<'scope, i64>, Arrangement<'scope, i64>),
    codecs: (Codec, Codec),
    strict: bool,
    outer: bool,
    schema: &SchemaRef,
    install: u64,
) -> Rows<'scope> {
    let (mut left_side, mut right_side) = (Side::new(left.trace), Side::new(right.trace));
    let width = width(codecs.0.first_value_type());
    let writer = Writer { left: codecs.0, right: codecs.1, schema: Arc::clone(schema) };
    left.stream.binary_frontier(right.stream, Pipeline, Pipeline, "Asof", move |_capability, _info| {
        let mut done = 0;
        let mut held: Option<Capability<u64>> = None;
        move |(left_input, left_frontier), (right_input, right_frontier), output| {
            let mut hold = |capability: Option<Capability<u64>>| {
                if let Some(capability) = capability
                    && held.as_ref().is_none_or(|held| capability.time() < held.time())
                {
                    held = Some(capability);
                }
            };
            left_input.for_each(|capability, spans| {
                hold(capability.retain_least(0));
                left_side.receive(spans, install);
            });
            right_input.for_each(|capability, spans| {
                hold(capability.retain_least(0));
                right_side.receive(spans, install);
            });
            let until = first(left_frontier).min(first(right_frontier));
            if until <= done {
                return;
            }
            let mut keys: BTreeMap<Vec<u8>, BTreeSet<u64>> = BTreeMap::new();
            left_side.changed(done, until, install, &mut keys);
            right_side.changed(done, until, install, &mut keys);
            if let (Some(capability), false) = (&held, keys.is_empty()) {
                let mut matching = Matching {
                    known: None,
                    left: Table::new(left_side.all(), install),
                    right: Table::new(right_side.all(), install),
                    left_recent: Table::new(left_side.recent(), install),
                    right_recent: Table::new(right_side.recent(), install),
                    width,
                    strict,
                    outer,
                };
                let mut session = output.session(capability);
                let mut pending: BTreeMap<u64, Pending> = BTreeMap::new();
                let mut count = 0;
                for (key, epochs) in keys {
                    for epoch in epochs {
                        count += matching.epoch(&key, epoch, pending.entry(epoch).or_default());
                    }
                    if count >= MOST_ROWS {
                        std::mem::take(&mut pending)
                            .into_iter()
                            .for_each(|(epoch, rows)| writer.write(epoch, &rows, |delta| session.give(delta)));
                        count = 0;
                    }
                }
                pending.into_iter().for_each(|(epoch, rows)| writer.write(epoch, &rows, |delta| session.give(delta)));
            }
            done = until;
            left_side.settle(until);
            right_side.settle(until);
            if left_side.is_settled() && right_side.is_settled() {
                held = None;
            } else if let Some(held) = &mut held
                && *held.time() < until
            {
                held.downgrade(&until);
            }
        }
    })
}

/// Changes: left rows with their matches.
#[derive(Default)]
struct Pending {
    keys: Vec<Vec<u8>>,
    left: Vec<Vec<u8>>,
    right: Vec<Option<Vec<u8>>>,
    diffs: Vec<i64>,
}

/// Values of a side, by key and in order.
struct Table {
    values: Values,
    batches: Vec<Batch<i64>>,
    install: u64,
}

/// How often a value stands before an epoch and from it on; in recent batches, how often it came.
type Counts = (i64, i64);

impl Table {
    fn new(batches: Vec<Batch<i64>>, install: u64) -> Self {
        Table { values: Values::new(&batches), batches, install }
    }

    /// Goes to a key and there to the first value from `start` on; false if it has no such key.
    fn seek(&mut self, key: &[u8], start: &[u8]) -> bool {
        let is_there = self.values.seek_key(&self.batches, key);
        if is_there && !start.is_empty() {
            self.values.seek_value(&self.batches, start);
        }
        is_there
    }

    /// The value at hand with its counts.
    fn value(&mut self, epoch: u64) -> Option<(&[u8], Counts)> {
        let (mut before, mut after) = (0i64, 0i64);
        let install = self.install;
        self.values.times(&self.batches, |time, diff| {
            let time = time_at(time, install);
            before += if time < epoch { diff } else { 0 };
            after += if time <= epoch { diff } else { 0 };
        });
        let value = self.values.value(&self.batches)?;
        Some((value, (before, after)))
    }

    fn step(&mut self) {
        self.values.step(&self.batches);
    }

    /// The values of a key that change at an epoch.
    fn changed(&mut self, key: &[u8], epoch: u64) -> Vec<Vec<u8>> {
        let mut values = Vec::new();
        if self.seek(key, &[]) {
            while let Some((value, (before, after))) = self.value(epoch) {
                if before != after {
                    values.push(value.to_vec());
                }
                self.step();
            }
        }
        values
    }
}

/// The matches of a left row before an epoch and from it on.
#[derive(Clone, Default, PartialEq)]
struct Matches {
    before: Option<Vec<u8>>,
    after: Option<Vec<u8>>,
}

/// What was found last. Left rows are asked about in their order, for each of them from a place further to the front: as far as the
/// last place it has to be looked, and no farther. (Of many right rows that are new, none stands before the epoch.)
struct Known {
    key: Vec<u8>,
    epoch: u64,
    start: Vec<u8>,
    found: Matches,
}

struct Matching {
    known: Option<Known>,
    left: Table,
    right: Table,
    left_recent: Table,
    right_recent: Table,
    width: usize,
    strict: bool,
    outer: bool,
}

impl Matching {
    /// The matches of a left row whose value begins with this front.
    fn find(&mut self, key: &[u8], own: Option<&[u8]>, epoch: u64) -> Matches {
        let mut found = Matches::default();
        let Some(own) = own.filter(|_| key[0] != NULL_KEY) else { return found };
        let start = mirrored(own);
        let start = if self.strict { next(&start) } else { Some(start) };
        let Some(start) = start else { return found };
        if !self.right.seek(key, &start) {
            return found;
        }
        let width = self.width;
        let known = self.known.take();
        let known = known.filter(|known| known.key == key && known.epoch == epoch && known.start >= start);
        while let Some((value, (before, after))) = self.right.value(epoch) {
            if let Some(known) = known.as_ref().filter(|known| value >= known.start.as_slice()) {
                found.before = found.before.or_else(|| known.found.before.clone());
                found.after = found.after.or_else(|| known.found.after.clone());
                break;
            }
            if front(value, width).is_none() {
                // Nulls come last here: what comes first was passed over.
                break;
            }
            if before > 0 && found.before.is_none() {
                found.before = Some(value.to_vec());
            }
            if after > 0 && found.after.is_none() {
                found.after = Some(value.to_vec());
            }
            if found.before.is_some() && found.after.is_some() {
                break;
            }
            self.right.step();
        }
        self.known = Some(Known { key: key.to_vec(), epoch, start, found: found.clone() });
        found
    }

    /// Adds the changes of a key at an epoch; gives how many.
    fn epoch(&mut self, key: &[u8], epoch: u64, pending: &mut Pending) -> usize {
        let begin = pending.diffs.len();
        let changed_left = self.left_recent.changed(key, epoch);
        let mut right_fronts: Vec<Vec<u8>> = Vec::new();
        if key[0] != NULL_KEY {
            let changed = self.right_recent.changed(key, epoch);
            right_fronts.extend(changed.iter().filter_map(|value| front(value, self.width)).map(mirrored));
            right_fronts.sort();
            right_fronts.dedup();
        }
        self.follow(key, epoch, &right_fronts, pending);
        for value in changed_left {
            if !self.left.seek(key, &value) {
                continue;
            }
            let Some((_, counts)) = self.left.value(epoch) else { continue };
            let own = front(&value, self.width);
            let matches = self.find(key, own, epoch);
            // A row that was looked at above, since its match changes, is done.
            if matches.before == matches.after || !is_followed(&right_fronts, own) {
                self.add(key, &value, counts, &matches, pending);
            }
        }
        pending.diffs.len() - begin
    }

    /// Adds the changes of left rows whose matches change: they stand at changed right rows or follow them, up to the first
    /// that has a match which is nearer, before and after.
    fn follow(&mut self, key: &[u8], epoch: u64, right: &[Vec<u8>], pending: &mut Pending) {
        let mut changed = right.iter().peekable();
        // The last changed right row that is not later than the left row at hand.
        let Some(mut latest) = changed.next() else { return };
        let mut start: Vec<u8> = latest.clone();
        let mut at_hand = self.left.seek(key, &start);
        while at_hand {
            let Some((value, counts)) = self.left.value(epoch) else { break };
            let value = value.to_vec();
            let Some(own) = front(&value, self.width) else { break };
            while let Some(later) = changed.next_if(|later| later.as_slice() <= own) {
                latest = later;
            }
            let matches = self.find(key, Some(own), epoch);
            if matches.before != matches.after {
                self.add(key, &value, counts, &matches, pending);
            }
            let is_nearer = |found: &Option<Vec<u8>>| {
                let found = found.as_deref().and_then(|found| front(found, self.width));
                found.is_some_and(|found| mirrored(found) > *latest)
            };
            if is_nearer(&matches.before) && is_nearer(&matches.after) {
                let Some(later) = changed.next() else { break };
                latest = later;
                start.clone_from(later);
                at_hand = self.left.seek(key, &start);
            } else {
                self.left.step();
            }
        }
    }

    /// Adds the changes of a left row. A negative count stands nowhere.
    fn add(&self, key: &[u8], value: &[u8], counts: Counts, matches: &Matches, pending: &mut Pending) {
        let (before, after) = (counts.0.max(0), counts.1.max(0));
        let mut push = |found: &Option<Vec<u8>>, diff: i64| {
            if diff != 0 && (found.is_some() || self.outer) {
                pending.keys.push(key.to_vec());
                pending.left.push(value.to_vec());
                pending.right.push(found.clone());
                pending.diffs.push(diff);
            }
        };
        if matches.before == matches.after {
            push(&matches.after, after - before);
        } else {
            push(&matches.before, -before);
            push(&matches.after, after);
        }
    }
}

/// True if [`Matching::follow`] came by a left row whose match changes: some changed right row is not later.
fn is_followed(right: &[Vec<u8>], own: Option<&[u8]>) -> bool {
    own.is_some_and(|own| right.first().is_some_and(|first| first.as_slice() <= own))
}

/// Writes changes as rows.
struct Writer {
    left: Codec,
    right: Codec,
    schema: SchemaRef,
}

impl Writer {
    fn write(&self, epoch: u64, pending: &Pending, mut give: impl FnMut(Delta)) {
        let count = pending.diffs.len();
        if count == 0 {
            return;
        }
        let keys: Vec<&[u8]> = pending.keys.iter().map(Vec::as_slice).collect();
        let left: Vec<&[u8]> = pending.left.iter().map(Vec::as_slice).collect();
        let mut columns = self.left.decode_columns(&keys, &left);
        let matched = pending.right.iter().zip(&keys).filter_map(|(right, key)| Some((*key, right.as_deref()?)));
        let (matched_keys, matched): (Vec<&[u8]>, Vec<&[u8]>) = matched.unzip();
        let mut place = 0;
        let places: UInt32Array = pending
            .right
            .iter()
            .map(|right| {
                right.as_ref()?;
                place += 1;
                Some(place - 1)
            })
            .collect();
        columns.extend(self.right.decode_columns(&matched_keys, &matched).iter().map(|column| padded(column, &places)));
        let rows: RecordBatch = batch_of(&self.schema, columns, count);
        give(Delta::new(epoch, rows, pending.diffs.clone()));
    }
}

fn padded(column: &ArrayRef, places: &UInt32Array) -> ArrayRef {
    match take(column, places, None) {
        Ok(column) => column,
        Err(error) => panic!("matches are rows of the batch: {error}"),
    }
}
