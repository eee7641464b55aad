//! The values of each group put together: lists, sets and joined texts.
//!
//! A changed group is read whole from an arrangement in value order, once for all that is made of it: its result is as
//! large as the group, so that no update could cost less.

mod results;

use std::collections::BTreeMap;

use arrow_schema::SchemaRef;
use tidebook_plan::flow::{CollectFunction, FlowNode};

use super::around::{Around, Storage};
use super::grouped::{EMPTY_KEY, Grouped, grouped};
use super::linear::with_error;
use crate::delta::{Delta, Rows, batch_of};
use crate::row::{Arrangement, Codec};
pub(super) use results::Collector;

/// Values of a batch of groups that are decoded at once.
const MOST_VALUES: usize = 1 << 14;

/// Bytes of encoded values that one row may hold, and so one batch: Arrow counts them in 32 bits.
const MOST_BYTES: usize = i32::MAX as usize;

/// One row a group: its keys, and what `functions` make of the values of the column `value`.
pub(super) fn collect<'scope>(
    rows: Arrangement<'scope, i64>,
    codec: Codec,
    value: usize,
    functions: &[CollectFunction],
    node: &FlowNode,
    install: u64,
) -> (Rows<'scope>, Rows<'scope>) {
    let keys = codec.key_columns().len();
    let collect = Collect::new(codec, value, functions, node, install);
    grouped(rows, "Collect", keys == 0, install, collect)
}

impl Collect {
    fn new(codec: Codec, value: usize, functions: &[CollectFunction], node: &FlowNode, install: u64) -> Self {
        let keys = codec.key_columns().len();
        let Some(place) = codec.value_columns().iter().position(|column| *column == value) else {
            unreachable!("what is collected is no key")
        };
        let fields = &node.schema.fields()[keys..];
        let in_order = codec.value_columns().len() == 1;
        Collect {
            collector: Collector::new(functions, fields, in_order),
            place,
            codec,
            schema: node.schema.clone(),
            step: node.step.clone(),
            install,
        }
    }
}

struct Collect {
    codec: Codec,
    /// The collected column among the columns of the arrangement's values.
    place: usize,
    collector: Collector,
    schema: SchemaRef,
    step: String,
    install: u64,
}

/// Groups of one epoch before and after it.
#[derive(Default)]
struct Groups<'a> {
    /// Values of all groups.
    values: Vec<&'a [u8]>,
    /// Positions of values with how often each stands, group by group.
    picks: Vec<(usize, usize)>,
    results: Vec<Group<'a>>,
}

/// A group as it is or was.
struct Group<'a> {
    key: &'a [u8],
    diff: i64,
    /// Its part of the picks.
    picks: std::ops::Range<usize>,
    /// Bytes that its values may need.
    bytes: usize,
}

impl<'a> Groups<'a> {
    /// Adds a group as it was or is; none without rows, unless there are no keys.
    fn add(&mut self, key: &'a [u8], diff: i64, counts: impl Iterator<Item = (usize, i64)>, separator: usize) {
        let begin = self.picks.len();
        let mut bytes = 0usize;
        for (value, count) in counts {
            // A negative count has no place in a list.
            if let Ok(count @ 1..) = usize::try_from(count) {
                self.picks.push((value, count));
                bytes = bytes.saturating_add(count.saturating_mul(self.values[value].len() + separator));
            }
        }
        if begin < self.picks.len() || key == EMPTY_KEY {
            self.results.push(Group { key, diff, picks: begin..self.picks.len(), bytes });
        }
    }
}

impl Collect {
    /// Reads a group around each epoch at which it changed. Gives the number of its values; `None` after the last group.
    fn read<'a>(
        &self,
        around: &mut Around,
        storage: &'a Storage,
        pending: &mut BTreeMap<u64, Groups<'a>>,
    ) -> Option<usize> {
        let mut changed = around.key(storage)?;
        let separator = self.collector.separator();
        let mut read = 0;
        while let Some((epoch, now)) = changed.next_epoch() {
            let groups = pending.entry(epoch).or_default();
            let first = groups.values.len();
            let mut counts: Vec<(i64, i64)> = Vec::new();
            around.read(storage, &changed, &now, &[], |value, before, after| {
                if before != 0 || after != 0 {
                    groups.values.push(value);
                    counts.push((before, after));
                }
                true
            });
            if counts.iter().any(|(before, after)| before != after) {
                let before = counts.iter().enumerate().map(|(i, (before, _))| (first + i, *before));
                let after = counts.iter().enumerate().map(|(i, (_, after))| (first + i, *after));
                groups.add(changed.key, -1, before, separator);
                groups.add(changed.key, 1, after, separator);
            }
            read += counts.len();
            changed.visited(now);
        }
        Some(read)
    }

    /// The rows and errors of an epoch's groups, in batches that Arrow can hold.
    fn write(&self, epoch: u64, groups: Groups<'_>, rows: &mut Vec<Delta>, errors: &mut Vec<Delta>) {
        let values = self.codec.decode_values(&groups.values).swap_remove(self.place);
        let (good, failed): (Vec<_>, Vec<_>) = groups.results.into_iter().partition(|group| group.bytes <= MOST_BYTES);
        let keys =
            |chosen: &[Group<'_>]| self.codec.decode_keys(&chosen.iter().map(|group| group.key).collect::<Vec<_>>());
        let diffs = |chosen: &[Group<'_>]| chosen.iter().map(|group| group.diff).collect::<Vec<_>>();
        let mut rest = &good[..];
        while !rest.is_empty() {
            let mut bytes = 0usize;
            let fits = rest.iter().take_while(|group| {
                bytes = bytes.saturating_add(group.bytes);
                bytes <= MOST_BYTES
            });
            let (batch, later) = rest.split_at(fits.count());
            let picks: Vec<_> = batch.iter().map(|group| &groups.picks[group.picks.clone()]).collect();
            let mut columns = keys(batch);
            columns.extend(self.collector.columns(&values, &picks));
            rows.push(Delta::new(epoch, batch_of(&self.schema, columns, batch.len()), diffs(batch)));
            rest = later;
        }
        if !failed.is_empty() {
            let messages = vec!["the values of a group are larger than 2 GiB"; failed.len()];
            let failures = with_error(keys(&failed), messages.into_iter(), &self.step);
            errors.push(Delta::new(epoch, failures, diffs(&failed)));
        }
    }
}

/// What is collected of groups that are given whole: for each its key and its values in order with how often each stands.
pub(super) struct WholeGroups(Collect);

impl WholeGroups {
    /// For the column `value` of rows that `codec` encodes.
    pub fn new(codec: Codec, value: usize, functions: &[CollectFunction], node: &FlowNode) -> Self {
        WholeGroups(Collect::new(codec, value, functions, node, 0))
    }

    /// Rows and errors of groups that have values, or the empty key.
    pub fn write<'a>(
        &self,
        groups: impl Iterator<Item = (&'a [u8], i64, Vec<(&'a [u8], i64)>)>,
    ) -> (Vec<Delta>, Vec<Delta>) {
        let separator = self.0.collector.separator();
        let mut all = Groups::default();
        for (key, diff, values) in groups {
            let first = all.values.len();
            all.values.extend(values.iter().map(|(value, _)| *value));
            let counts = values.iter().enumerate().map(|(i, (_, count))| (first + i, *count));
            all.add(key, diff, counts, separator);
        }
        let (mut rows, mut errors) = (Vec::new(), Vec::new());
        self.0.write(0, all, &mut rows, &mut errors);
        (rows, errors)
    }
}

impl Grouped for Collect {
    fn of_nothing(&mut self) -> Delta {
        let (mut rows, mut errors) = (Vec::new(), Vec::new());
        let mut groups = Groups::default();
        groups.add(EMPTY_KEY, 1, std::iter::empty(), 0);
        self.write(self.install, groups, &mut rows, &mut errors);
        match rows.pop() {
            Some(delta) => delta,
            None => unreachable!("nothing fits into a row"),
        }
    }

    fn changes(&mut self, mut around: Around, storage: &Storage, rows: &mut Vec<Delta>, errors: &mut Vec<Delta>) {
        let mut pending: BTreeMap<u64, Groups<'_>> = BTreeMap::new();
        let mut values = 0;
        loop {
            let read = self.read(&mut around, storage, &mut pending);
            values += read.unwrap_or(MOST_VALUES);
            if values >= MOST_VALUES {
                for (epoch, groups) in std::mem::take(&mut pending) {
                    self.write(epoch, groups, rows, errors);
                }
                values = 0;
            }
            if read.is_none() {
                break;
            }
        }
    }
}
