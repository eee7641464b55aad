//! Left rows by whether their key stands on the right: semi joins, anti joins, and the lonely rows of left joins.
//!
//! Where the presence of a key on the right changes, all left rows of the key come or go; elsewhere only left rows that
//! changed are touched. Rows are read from both traces once both inputs are complete.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use arrow_array::{ArrayRef, new_null_array};
use arrow_schema::SchemaRef;
use differential_dataflow::trace::Cursor;
use differential_dataflow::trace::cursor::cursor_list;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::Capability;
use timely::dataflow::operators::generic::Operator;
use timely::progress::frontier::MutableAntichain;

use super::join::assemble;
use crate::delta::{Delta, Rows, batch_of};
use crate::row::{Arrangement, Batch, BatchSpan, Codec, Cursors, Difference, NULL_KEY, Reading, Trace, time_at};

/// Which left rows are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// Those whose key stands on the right.
    Matched,
    /// Those whose key does not. Columns of the output that the left side does not have are null.
    Unmatched,
}

/// One input: its trace, and batches whose epochs are not complete on the other side.
pub(super) struct Side<R: Difference> {
    reading: Reading<R>,
    /// With the last epoch that an update of the batch may have here.
    batches: Vec<(u64, Batch<R>)>,
}

impl<R: Difference> Side<R> {
    pub fn new(trace: Trace<R>) -> Self {
        Side { reading: Reading::new(trace), batches: Vec::new() }
    }

    pub fn receive(&mut self, spans: &mut Vec<BatchSpan<R>>, install: u64) {
        let batches = &mut self.batches;
        self.reading.receive(spans, |batch, end| batches.push((time_at(end - 1, install), batch)));
    }

    /// Keys with the epochs before `until` at which they changed.
    pub fn changed(&self, from: u64, until: u64, install: u64, keys: &mut BTreeMap<Vec<u8>, BTreeSet<u64>>) {
        let (mut cursor, storage) = cursor_list(self.batches.iter().map(|(_, batch)| Rc::clone(batch)).collect());
        while let Some(key) = cursor.get_key(&storage) {
            let mut times = BTreeSet::new();
            while cursor.get_val(&storage).is_some() {
                cursor.map_times(&storage, |time, _| {
                    let time = time_at(*time, install);
                    if time >= from && time < until {
                        times.insert(time);
                    }
                });
                cursor.step_val(&storage);
            }
            if !times.is_empty() {
                keys.entry(key.to_vec()).or_default().append(&mut times);
            }
            cursor.step_key(&storage);
        }
    }

    /// What changed in epochs that are not done.
    pub fn recent(&self) -> Vec<Batch<R>> {
        self.batches.iter().map(|(_, batch)| Rc::clone(batch)).collect()
    }

    /// All rows.
    pub fn all(&mut self) -> Vec<Batch<R>> {
        self.reading.all()
    }

    fn cursor(&mut self) -> (Cursors<R>, Vec<Batch<R>>) {
        cursor_list(self.reading.all())
    }

    /// Epochs before `until` are done.
    pub fn settle(&mut self, until: u64) {
        self.batches.retain(|(last, _)| *last >= until);
        // What is older may be brought forward, but only to an epoch that is done: the next one begins at `until`.
        self.reading.settle(Some(until - 1));
    }

    /// True if no batch waits for the other side.
    pub fn is_settled(&self) -> bool {
        self.batches.is_empty()
    }
}

/// The first epoch that is not complete.
pub(super) fn first(frontier: &MutableAntichain<u64>) -> u64 {
    frontier.frontier().first().copied().unwrap_or(u64::MAX)
}

/// The left rows that are kept, in the columns of `schema`.
pub(super) fn presence<'scope>(
    left: Arrangement<'scope, i64>,
    right: Arrangement<'scope, i64>,
    codec: Rc<Codec>,
    schema: &SchemaRef,
    keep: Keep,
    nulls_match: bool,
    install: u64,
) -> Rows<'scope> {
    let (mut left_side, mut right_side) = (Side::new(left.trace), Side::new(right.trace));
    let schema = Arc::clone(schema);
    left.stream.binary_frontier(right.stream, Pipeline, Pipeline, "Presence", move |_capability, _info| {
        let mut done = 0;
        let mut held: Option<Capability<u64>> = None;
        move |(left_input, left_frontier), (right_input, right_frontier), output| {
            let mut hold = |capability: Option<Capability<u64>>| {
                if let Some(capability) = capability {
                    if held.as_ref().is_none_or(|held| capability.time() < held.time()) {
                        held = Some(capability);
                    }
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
            let mut keys = BTreeMap::new();
            left_side.changed(done, until, install, &mut keys);
            right_side.changed(done, until, install, &mut keys);
            if let (Some(capability), false) = (&held, keys.is_empty()) {
                let mut changes = Changes::new(&mut left_side, &mut right_side, keep, nulls_match, install);
                let mut session = output.session(capability);
                changes.each(keys, |epoch, keys, values, diffs| {
                    let count = diffs.len();
                    let columns = assemble(&codec, &codec.decode_keys(keys), codec.decode_values(values));
                    session.give(Delta::new(epoch, batch_of(&schema, padded(columns, &schema, count), count), diffs));
                });
            }
            done = until;
            left_side.settle(until);
            right_side.settle(until);
            if left_side.is_settled() && right_side.is_settled() {
                held = None;
            } else if let Some(held) = &mut held {
                if *held.time() < until {
                    held.downgrade(&until);
                }
            }
        }
    })
}

/// Columns with nulls for those of the schema that are missing.
fn padded(mut columns: Vec<ArrayRef>, schema: &SchemaRef, rows: usize) -> Vec<ArrayRef> {
    for field in schema.fields().iter().skip(columns.len()) {
        columns.push(new_null_array(field.data_type(), rows));
    }
    columns
}

/// Reads both sides around the epochs at which keys changed.
struct Changes {
    left: (Cursors<i64>, Vec<Batch<i64>>),
    right: (Cursors<i64>, Vec<Batch<i64>>),
    /// Only what changed on the left.
    recent: (Cursors<i64>, Vec<Batch<i64>>),
    keep: Keep,
    nulls_match: bool,
    install: u64,
}

#[derive(Default)]
struct Pending {
    keys: Vec<Vec<u8>>,
    values: Vec<Vec<u8>>,
    diffs: Vec<i64>,
}

impl Changes {
    fn new(left: &mut Side<i64>, right: &mut Side<i64>, keep: Keep, nulls_match: bool, install: u64) -> Self {
        let recent = cursor_list(left.recent());
        Changes { left: left.cursor(), right: right.cursor(), recent, keep, nulls_match, install }
    }

    fn each(
        &mut self,
        keys: BTreeMap<Vec<u8>, BTreeSet<u64>>,
        mut give: impl FnMut(u64, &[&[u8]], &[&[u8]], Vec<i64>),
    ) {
        let mut pending: BTreeMap<u64, Pending> = BTreeMap::new();
        let mut flush = |pending: &mut BTreeMap<u64, Pending>| {
            for (epoch, rows) in std::mem::take(pending) {
                let keys: Vec<&[u8]> = rows.keys.iter().map(Vec::as_slice).collect();
                let values: Vec<&[u8]> = rows.values.iter().map(Vec::as_slice).collect();
                give(epoch, &keys, &values, rows.diffs);
            }
        };
        let mut count = 0;
        for (key, epochs) in keys {
            for epoch in epochs {
                let (before, after) = self.kept(&key, epoch);
                let mut add = |value: &[u8], diff: i64| {
                    let rows = pending.entry(epoch).or_default();
                    rows.keys.push(key.clone());
                    rows.values.push(value.to_vec());
                    rows.diffs.push(diff);
                    count += 1;
                };
                match (before, after) {
                    (false, false) => {}
                    (true, true) => visit(&mut self.recent, &key, epoch, self.install, |value, before, after| {
                        if before != after {
                            add(value, after - before);
                        }
                        true
                    }),
                    (before, after) => visit(&mut self.left, &key, epoch, self.install, |value, old, new| {
                        let diff = if after { new } else { 0 } - if before { old } else { 0 };
                        if diff != 0 {
                            add(value, diff);
                        }
                        true
                    }),
                }
            }
            if count >= 1 << 14 {
                flush(&mut pending);
                count = 0;
            }
        }
        flush(&mut pending);
    }

    /// Whether left rows of the key are kept before an epoch and from it on.
    fn kept(&mut self, key: &[u8], epoch: u64) -> (bool, bool) {
        let (mut before, mut after) = (false, false);
        if key[0] != NULL_KEY || self.nulls_match {
            visit(&mut self.right, key, epoch, self.install, |_, old, new| {
                before |= old > 0;
                after |= new > 0;
                !(before && after)
            });
        }
        match self.keep {
            Keep::Matched => (before, after),
            Keep::Unmatched => (!before, !after),
        }
    }
}

/// Visits the values of a key with how often each stands before the epoch and from it on, until told to stop.
fn visit(
    (cursor, storage): &mut (Cursors<i64>, Vec<Batch<i64>>),
    key: &[u8],
    epoch: u64,
    install: u64,
    mut logic: impl FnMut(&[u8], i64, i64) -> bool,
) {
    cursor.seek_key(storage, key);
    if cursor.get_key(storage) != Some(key) {
        return;
    }
    cursor.rewind_vals(storage);
    while let Some(value) = cursor.get_val(storage) {
        let (mut before, mut after) = (0, 0);
        cursor.map_times(storage, |time, diff| {
            let time = time_at(*time, install);
            if time < epoch {
                before += diff;
            }
            if time <= epoch {
                after += diff;
            }
        });
        if !logic(value, before, after) {
            return;
        }
        cursor.step_val(storage);
    }
}
