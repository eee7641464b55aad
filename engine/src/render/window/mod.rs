//! Window functions: what each row is told of the rows around it in its partition.
//!
//! A changed partition is read from an arrangement in the order of the functions, as it was and as it is, and both are
//! gone through in the same way; what comes out are the rows that are told something else. So a function is written
//! once, for rows in an order, and knows nothing of changes.
//!
//! A small partition is read whole. Of a large one some places are known ([`known`]) from which reading can begin, and
//! [`reach`] says which rows a change concerns, so that an append to a million rows reads some hundred. A function whose
//! results change for all later rows (a running sum) has to tell all of them.

mod bag;
mod best;
mod decoded;
mod functions;
mod known;
mod places;
mod reach;
mod sequence;
#[cfg(test)]
mod tests;
mod totals;
mod write;

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use arrow_schema::SchemaRef;
use tidebook_plan::flow::{FlowNode, OrderKey, WindowCall};

use super::around::{Around, Changed, Changes, Storage};
use super::grouped::{Grouped, grouped};
use crate::delta::{Delta, Rows};
use crate::row::{Arrangement, Codec};
use decoded::{Decoded, Order};
use functions::{Functions, State};
use known::{APART, Known, Place};
use reach::Reach;
use sequence::Sequence;
use write::{Writer, differences};

/// A partition with so many different values is large.
const LARGE: usize = 2_048;

/// Values of small partitions that are decoded at once.
const MOST_VALUES: usize = 1 << 13;

/// The rows with what functions tell them, and those for which a result does not fit its type.
pub(super) fn window<'scope>(
    rows: Arrangement<'scope, i64>,
    codec: Codec,
    schema: &SchemaRef,
    order: &[OrderKey],
    calls: &[WindowCall],
    node: &FlowNode,
    install: u64,
) -> (Rows<'scope>, Rows<'scope>) {
    let writer = Writer { schema: node.schema.clone(), step: node.step.clone() };
    grouped(rows, "Window", false, install, Window::new(codec, schema, order, calls, writer))
}

struct Window {
    order: Order,
    functions: Functions,
    reach: Reach,
    writer: Writer,
    /// What is known of large partitions, by key.
    large: HashMap<Box<[u8]>, Known>,
    /// Values read so far.
    read: u64,
}

/// Values that are looked at together: regions of partitions, as they were and as they are.
#[derive(Default)]
struct Look<'a> {
    keys: Vec<&'a [u8]>,
    values: Vec<&'a [u8]>,
    /// How often each value stood and stands.
    counts: Vec<(i64, i64)>,
    regions: Vec<Range<usize>>,
}

impl<'a> Look<'a> {
    fn add(&mut self, key: &'a [u8], region: &[(&'a [u8], i64, i64)]) {
        let begin = self.values.len();
        for (value, before, after) in region {
            self.keys.push(key);
            self.values.push(value);
            self.counts.push((*before, *after));
        }
        self.regions.push(begin..self.values.len());
    }
}

/// Where the changes of an epoch go.
struct Out<'o> {
    epoch: u64,
    rows: &'o mut Vec<Delta>,
    errors: &'o mut Vec<Delta>,
}

/// What came of looking at one region of a large partition.
struct Seen {
    places: Vec<Place>,
    /// How many more rows and groups of peers it has than before.
    rows: i64,
    groups: i64,
}

impl Window {
    fn new(codec: Codec, schema: &SchemaRef, order: &[OrderKey], calls: &[WindowCall], writer: Writer) -> Self {
        let order = Order::new(codec, schema, order);
        let reach = Reach::new(calls, &order);
        Window { functions: Functions::new(schema, calls), order, reach, writer, large: HashMap::new(), read: 0 }
    }

    /// Compares what all regions were told and are told.
    fn tell(&self, look: &Look<'_>, out: Out<'_>) {
        let decoded = self.order.decode(&look.keys, &look.values, self.reach.by_value());
        let sequence = runs(&decoded, look);
        let told = self.functions.tell(&decoded, &sequence, None, &[]);
        self.write(&decoded, &sequence, &told, out);
    }

    /// The same for one region of a large partition that begins at `start`, or with its first row.
    fn tell_from(&self, look: &Look<'_>, start: Option<&Place>, out: Out<'_>) -> Seen {
        // What is known of rows before the region are values, which are decoded beside it.
        let (mut keys, mut values) = (look.keys.clone(), look.values.clone());
        let states: Vec<State<u32>> = start
            .iter()
            .flat_map(|place| &place.states)
            .map(|state| match state {
                State::Nothing => State::Nothing,
                State::Sums(sums) => State::Sums(sums.clone()),
                State::Value(value) => State::Value(value.as_deref().map(|value| {
                    keys.push(look.keys[0]);
                    values.push(value);
                    values.len() as u32 - 1
                })),
            })
            .collect();
        let decoded = self.order.decode(&keys, &values, self.reach.by_value());
        let sequence = runs(&decoded, look);
        let (old, new) = (&sequence.runs[0], &sequence.runs[1]);
        // Places to begin at another time.
        let mut cuts: Vec<usize> = Vec::new();
        let mut at = new.rows.start;
        while at < new.rows.end {
            if at >= cuts.last().copied().unwrap_or(new.rows.start) + APART {
                cuts.push(at);
            }
            at = sequence.peers[at].end as usize;
        }
        let before = start.map(|place| (place.rows, place.groups, &states[..]));
        let told = self.functions.tell(&decoded, &sequence, before, &cuts);
        let (rows, mut groups) = start.map_or((0, 0), |place| (place.rows, place.groups));
        let mut at = new.rows.start;
        let places = cuts
            .iter()
            .zip(&told.states)
            .map(|(cut, states)| {
                while at < *cut {
                    at = sequence.peers[at].end as usize;
                    groups += 1;
                }
                let kept = states.iter().map(|state| match state {
                    State::Nothing => State::Nothing,
                    State::Sums(sums) => State::Sums(sums.clone()),
                    State::Value(value) => State::Value(value.map(|value| values[value as usize].into())),
                });
                Place {
                    start: decoded.order_bytes(sequence.values[*cut] as usize),
                    rows: rows + (*cut - new.rows.start) as u64,
                    groups,
                    states: kept.collect(),
                }
            })
            .collect();
        let seen = Seen {
            places,
            rows: new.rows.len() as i64 - old.rows.len() as i64,
            groups: new.groups as i64 - old.groups as i64,
        };
        self.write(&decoded, &sequence, &told, out);
        seen
    }

    fn write(&self, decoded: &Decoded, sequence: &Sequence, told: &functions::Told, out: Out<'_>) {
        let mut changes = Vec::new();
        for pair in sequence.runs.chunks_exact(2) {
            differences(sequence, told, &pair[0], &pair[1], &mut changes);
        }
        self.writer.write(out.epoch, &self.functions, decoded, sequence, told, &changes, (out.rows, out.errors));
    }

    /// Looks at a large partition around the changes of an epoch.
    fn step<'a>(
        &mut self,
        known: &mut Known,
        around: &mut Around,
        storage: &'a Storage,
        changed: &Changed<'a>,
        now: &Changes<'a>,
        out: Out<'_>,
    ) {
        let mut changes = now.iter().filter(|(_, diff)| **diff != 0).map(|(value, _)| *value);
        let Some(first) = changes.next() else { return };
        let last = changes.next_back().unwrap_or(first);
        let start = self.reach.start(&self.order, known, first);
        let mut concerned = self.reach.concerned(&self.order, last);
        let onward = self.reach.is_onward(start.is_none());
        let begin = start.map_or(&[][..], |(_, place)| &place.start);
        let mut region: Vec<(&'a [u8], i64, i64)> = Vec::new();
        let mut complete = true;
        around.read(storage, changed, now, begin, |value, before, after| {
            if onward || concerned.needs(value, after.max(0).unsigned_abs()) {
                region.push((value, before, after));
                return true;
            }
            complete = false;
            false
        });
        self.read += region.len() as u64;
        let mut look = Look::default();
        look.add(changed.key, &region);
        let seen = self.tell_from(&look, start.map(|(_, place)| place), out);
        let last = if complete { None } else { look.values.last().copied() };
        let from = start.map(|(number, _)| number);
        known.replace(from, last, seen.places, seen.rows, seen.groups);
    }
}

/// What rows are told in partitions that are given whole.
pub(super) struct WholePartitions(Window);

impl WholePartitions {
    /// For rows of `schema` that `codec` encodes.
    pub fn new(codec: Codec, schema: &SchemaRef, order: &[OrderKey], calls: &[WindowCall], node: &FlowNode) -> Self {
        let writer = Writer { schema: node.schema.clone(), step: node.step.clone() };
        WholePartitions(Window::new(codec, schema, order, calls, writer))
    }

    /// Rows and errors of partitions, each with its key and its values in order with how often each stands.
    pub fn write<'a>(
        &self,
        partitions: impl Iterator<Item = (&'a [u8], Vec<(&'a [u8], i64)>)>,
    ) -> (Vec<Delta>, Vec<Delta>) {
        let mut look = Look::default();
        for (key, values) in partitions {
            let region: Vec<(&[u8], i64, i64)> = values.into_iter().map(|(value, count)| (value, 0, count)).collect();
            look.add(key, &region);
        }
        let (mut rows, mut errors) = (Vec::new(), Vec::new());
        self.0.tell(&look, Out { epoch: 0, rows: &mut rows, errors: &mut errors });
        (rows, errors)
    }
}

/// Each region as it was, then as it is.
fn runs(decoded: &Decoded, look: &Look<'_>) -> Sequence {
    let mut sequence = Sequence::default();
    for region in &look.regions {
        sequence.add(decoded, region.clone(), |value| look.counts[value].0);
        sequence.add(decoded, region.clone(), |value| look.counts[value].1);
    }
    sequence
}

impl Grouped for Window {
    fn of_nothing(&mut self) -> Delta {
        unreachable!("without rows nothing is told")
    }

    fn changes(&mut self, mut around: Around, storage: &Storage, rows: &mut Vec<Delta>, errors: &mut Vec<Delta>) {
        let mut pending: BTreeMap<u64, Look<'_>> = BTreeMap::new();
        let mut count = 0;
        loop {
            let changed = around.key(storage);
            let is_last = changed.is_none();
            if let Some(mut changed) = changed {
                while let Some((epoch, now)) = changed.next_epoch() {
                    let out = Out { epoch, rows, errors };
                    if let Some(mut known) = self.large.remove(changed.key) {
                        self.step(&mut known, &mut around, storage, &changed, &now, out);
                        if !known.is_empty() {
                            self.large.insert(changed.key.into(), known);
                        }
                    } else if now.values().any(|diff| *diff != 0) {
                        let mut region: Vec<(&[u8], i64, i64)> = Vec::new();
                        around.read(storage, &changed, &now, &[], |value, before, after| {
                            region.push((value, before, after));
                            true
                        });
                        self.read += region.len() as u64;
                        if region.len() >= LARGE && !self.reach.whole {
                            let mut look = Look::default();
                            look.add(changed.key, &region);
                            let seen = self.tell_from(&look, None, out);
                            let mut known = Known::default();
                            known.replace(None, None, seen.places, 0, 0);
                            if !known.is_empty() {
                                self.large.insert(changed.key.into(), known);
                            }
                        } else {
                            pending.entry(epoch).or_default().add(changed.key, &region);
                            count += region.len();
                        }
                    }
                    changed.visited(now);
                }
            }
            if is_last || count >= MOST_VALUES {
                for (epoch, look) in std::mem::take(&mut pending) {
                    self.tell(&look, Out { epoch, rows, errors });
                }
                count = 0;
            }
            if is_last {
                break;
            }
        }
    }
}
