//! Sessions: rows of a key that lie less than a gap apart.
//!
//! The operator remembers where the sessions of each key begin and end. A change can concern only the sessions that it lies in
//! or within a gap of; these are read from the arrangement, which is ordered by time, and put together anew. So an update costs
//! what the sessions that it touches hold, however many others the key has.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow_array::{ArrayRef, StructArray, TimestampMicrosecondArray};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, SchemaRef};
use tidebook_plan::flow::FlowNode;

use super::around::{Around, Changed, Changes, Storage};
use super::grouped::{Grouped, grouped};
use super::instant::{encoded, instant};
use crate::delta::{Delta, Rows, batch_of};
use crate::row::{Arrangement, Codec};

/// Changes that are written at once.
const MOST_ROWS: usize = 1 << 14;

/// The first and the last time of a session.
type Span = (i64, i64);

/// The rows with their sessions; the arrangement is ordered by time.
pub(super) fn sessions<'scope>(
    rows: Arrangement<'scope, i64>,
    codec: Codec,
    gap: i64,
    node: &FlowNode,
    install: u64,
) -> Rows<'scope> {
    let operator = Sessions { codec, gap, schema: Arc::clone(&node.schema), keys: HashMap::new() };
    grouped(rows, "Sessions", false, install, operator).0
}

struct Sessions {
    codec: Codec,
    gap: i64,
    schema: SchemaRef,
    /// The sessions of each key: where each begins, and where it ends.
    keys: HashMap<Vec<u8>, BTreeMap<i64, i64>>,
}

/// Changes of rows with their sessions.
#[derive(Default)]
struct Pending<'a> {
    keys: Vec<&'a [u8]>,
    values: Vec<&'a [u8]>,
    sessions: Vec<Option<Span>>,
    diffs: Vec<i64>,
}

impl<'a> Pending<'a> {
    fn add(&mut self, key: &'a [u8], value: &'a [u8], session: Option<Span>, diff: i64) {
        if diff != 0 {
            self.keys.push(key);
            self.values.push(value);
            self.sessions.push(session);
            self.diffs.push(diff);
        }
    }
}

/// The session of `known` that holds a time.
fn session_at(known: &BTreeMap<i64, i64>, at: i64) -> Option<Span> {
    known.range(..=at).next_back().map(|(first, last)| (*first, *last)).filter(|(_, last)| at <= *last)
}

impl Sessions {
    /// True if two times, the earlier first, lie in one session where nothing lies between them.
    fn joins(&self, earlier: i64, later: i64) -> bool {
        i128::from(later) - i128::from(earlier) < i128::from(self.gap)
    }

    /// The stretches of time whose sessions may change: the changed times and the sessions within a gap of them, put together
    /// where they lie within a gap of each other.
    fn concerned(&self, known: &BTreeMap<i64, i64>, changed: impl Iterator<Item = i64>) -> Vec<Span> {
        let mut spans: Vec<Span> = Vec::new();
        for at in changed {
            let (mut first, mut last) = (at, at);
            if let Some((start, end)) = known.range(..=at).next_back()
                && (at <= *end || self.joins(*end, at))
            {
                first = *start;
                last = last.max(*end);
            }
            if let Some((start, end)) = known.range((std::ops::Bound::Excluded(at), std::ops::Bound::Unbounded)).next()
                && self.joins(at, *start)
            {
                last = last.max(*end);
            }
            match spans.last_mut() {
                Some(before) if first <= before.1 || self.joins(before.1, first) => {
                    before.0 = before.0.min(first);
                    before.1 = before.1.max(last);
                }
                _ => spans.push((first, last)),
            }
        }
        spans
    }

    /// The changes of an epoch of a key.
    fn epoch<'a>(
        &self,
        known: &mut BTreeMap<i64, i64>,
        around: &mut Around,
        storage: &'a Storage,
        changed: &Changed<'a>,
        now: &Changes<'a>,
        pending: &mut Pending<'a>,
    ) {
        let mut times: Vec<i64> = Vec::new();
        for (value, diff) in now.iter().filter(|(_, diff)| **diff != 0) {
            match instant(value) {
                Some(at) if times.last() != Some(&at) => times.push(at),
                Some(_) => {}
                None => pending.add(changed.key, value, None, *diff),
            }
        }
        for (first, last) in self.concerned(known, times.into_iter()) {
            let mut region: Vec<(&'a [u8], i64, i64, i64)> = Vec::new();
            around.read(storage, changed, now, &encoded(first), |value, before, after| match instant(value) {
                Some(at) if at <= last => {
                    region.push((value, at, before, after));
                    true
                }
                _ => false,
            });
            let mut made: BTreeMap<i64, i64> = BTreeMap::new();
            let mut current: Option<Span> = None;
            for (_, at, ..) in region.iter().filter(|(.., after)| *after > 0) {
                current = Some(match current {
                    Some((start, end)) if self.joins(end, *at) => (start, *at),
                    _ => (*at, *at),
                });
                if let Some((start, end)) = current {
                    made.insert(start, end);
                }
            }
            for (value, at, before, after) in region {
                // A negative count stands nowhere.
                let (before, after) = (before.max(0), after.max(0));
                let (old, new) = (session_at(known, at), session_at(&made, at));
                if old == new {
                    pending.add(changed.key, value, new, after - before);
                } else {
                    pending.add(changed.key, value, old, -before);
                    pending.add(changed.key, value, new, after);
                }
            }
            let gone: Vec<i64> = known.range(first..=last).map(|(start, _)| *start).collect();
            for start in gone {
                known.remove(&start);
            }
            // Not `append`, which builds the whole map anew.
            known.extend(made);
        }
    }

    fn write(&self, epoch: u64, pending: Pending<'_>) -> Delta {
        let count = pending.diffs.len();
        let mut columns = self.codec.decode_columns(&pending.keys, &pending.values);
        columns.push(self.windows(&pending.sessions));
        Delta::new(epoch, batch_of(&self.schema, columns, count), pending.diffs)
    }

    /// Sessions as records. One that would end beyond the last timestamp ends there.
    fn windows(&self, sessions: &[Option<Span>]) -> ArrayRef {
        let ty = self.schema.field(self.schema.fields().len() - 1).data_type();
        let DataType::Struct(fields) = ty else { unreachable!("a session is a record") };
        let nulls = NullBuffer::from(sessions.iter().map(Option::is_some).collect::<Vec<bool>>());
        let column = |time: &dyn Fn(&Span) -> i64| {
            let times = sessions.iter().map(|session| session.as_ref().map(time));
            Arc::new(times.collect::<TimestampMicrosecondArray>()) as ArrayRef
        };
        let columns = vec![column(&|(start, _)| *start), column(&|(_, end)| end.saturating_add(self.gap))];
        Arc::new(StructArray::new(fields.clone(), columns, Some(nulls)))
    }
}

impl Grouped for Sessions {
    fn of_nothing(&mut self) -> Delta {
        unreachable!("without rows there are no sessions")
    }

    fn changes(&mut self, mut around: Around, storage: &Storage, rows: &mut Vec<Delta>, _errors: &mut Vec<Delta>) {
        let mut pending: BTreeMap<u64, Pending<'_>> = BTreeMap::new();
        let mut count = 0;
        while let Some(mut changed) = around.key(storage) {
            let mut known = self.keys.remove(changed.key).unwrap_or_default();
            while let Some((epoch, now)) = changed.next_epoch() {
                let pending = pending.entry(epoch).or_default();
                let before = pending.diffs.len();
                self.epoch(&mut known, &mut around, storage, &changed, &now, pending);
                count += pending.diffs.len() - before;
                changed.visited(now);
            }
            if !known.is_empty() {
                self.keys.insert(changed.key.to_vec(), known);
            }
            if count >= MOST_ROWS {
                for (epoch, changes) in std::mem::take(&mut pending) {
                    rows.push(self.write(epoch, changes));
                }
                count = 0;
            }
        }
        for (epoch, changes) in pending {
            if !changes.diffs.is_empty() {
                rows.push(self.write(epoch, changes));
            }
        }
    }
}
