//! Event patterns: runs of neighbouring rows of a partition that fulfil conditions one after the other.
//!
//! Which rows match depends on where the search stands, and that on all matches before. But most of the time a search begins
//! anew with a row that nothing before it has looked at: such a row is a *cut*, and what comes before it does not matter from there
//! on. Of a large partition cuts are known, some hundred rows apart. A change is followed from the last cut before it to the
//! first one behind it that is a cut still; the part between is searched as it was and as it is, and what differs comes out.

mod search;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, ListArray, UInt32Array};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{DataType, SchemaRef};
use arrow_select::take::take;
use tidebook_plan::flow::{FlowNode, MatchGive, Pattern};

use super::around::{Around, Changed, Changes, Storage};
use super::grouped::{Grouped, grouped};
use super::linear::with_error;
use crate::delta::{Delta, Rows, batch_of};
use crate::row::{Arrangement, Codec};
use search::{Match, Region, Search};

/// Rows between two cuts that are kept.
const APART: usize = 256;

/// The matches of a pattern, and as errors the rows on which a condition fails.
pub(super) fn matches<'scope>(
    rows: Arrangement<'scope, i64>,
    codec: Codec,
    partition: &[usize],
    pattern: &Pattern,
    node: &FlowNode,
    install: u64,
) -> (Rows<'scope>, Rows<'scope>) {
    let operator = Matches {
        codec,
        partition: partition.to_vec(),
        search: Search::new(pattern.clone()),
        gives: pattern.gives.clone(),
        schema: Arc::clone(&node.schema),
        step: node.step.clone(),
        cuts: HashMap::new(),
    };
    grouped(rows, "Match", false, install, operator)
}

struct Matches {
    codec: Codec,
    partition: Vec<usize>,
    search: Search,
    gives: Vec<MatchGive>,
    schema: SchemaRef,
    step: String,
    /// Where a search of each key begins anew, in order.
    cuts: HashMap<Vec<u8>, Vec<Box<[u8]>>>,
}

impl Matches {
    /// Follows the changes of an epoch of a key.
    fn follow<'a>(
        &mut self,
        around: &mut Around,
        storage: &'a Storage,
        changed: &Changed<'a>,
        now: &Changes<'a>,
        (epoch, rows, errors): (u64, &mut Vec<Delta>, &mut Vec<Delta>),
    ) {
        let mut values = now.iter().filter(|(_, diff)| **diff != 0).map(|(value, _)| *value);
        let Some(first) = values.next() else { return };
        let last = values.next_back().unwrap_or(first);
        let mut cuts = self.cuts.remove(changed.key).unwrap_or_default();
        let begin = cuts.partition_point(|cut| **cut <= *first);
        let start: Box<[u8]> = if begin == 0 { Box::default() } else { cuts[begin - 1].clone() };
        let mut end = cuts.partition_point(|cut| **cut <= *last);
        let mut further = 1;
        let (decoded, region, old, new) = loop {
            let stop = cuts.get(end);
            let (mut keys, mut values, mut counts) = (Vec::new(), Vec::new(), Vec::new());
            around.read(storage, changed, now, &start, |value, before, after| {
                if stop.is_some_and(|stop| *value >= **stop) {
                    return false;
                }
                keys.push(changed.key);
                values.push(value);
                counts.push((before, after));
                true
            });
            let decoded = self.codec.decode_columns(&keys, &values);
            let region = Region::new(&decoded, values.len());
            let sequence = |count: &dyn Fn(&(i64, i64)) -> i64| {
                let copies = counts.iter().enumerate();
                let copies = copies.flat_map(|(value, counts)| {
                    std::iter::repeat_n(value as u32, usize::try_from(count(counts)).unwrap_or(0))
                });
                copies.collect::<Vec<u32>>()
            };
            let is_whole = stop.is_none();
            let told = self.search.run(&region, &sequence(&|counts| counts.1), is_whole, APART);
            let before = self.search.run(&region, &sequence(&|counts| counts.0), is_whole, usize::MAX);
            match (before, told) {
                (Some(before), Some(told)) => {
                    let new_cuts: Vec<Box<[u8]>> =
                        told.cuts.iter().map(|value| Box::from(values[*value as usize])).collect();
                    cuts.splice(begin..end, new_cuts);
                    break (decoded, values.len(), before, told);
                }
                // A search ran on over the end: it is no cut any more.
                _ => {
                    end = (end + further).min(cuts.len());
                    further *= 2;
                }
            }
        };
        debug_assert!(region > 0, "a change is in the region that is read");
        let mut changes: BTreeMap<Match, i64> = BTreeMap::new();
        old.matches.into_iter().for_each(|found| *changes.entry(found).or_default() -= 1);
        new.matches.into_iter().for_each(|found| *changes.entry(found).or_default() += 1);
        changes.retain(|_, diff| *diff != 0);
        if !changes.is_empty() {
            rows.push(self.write(epoch, &decoded, &changes));
        }
        let mut failed: BTreeMap<(u32, String), i64> = BTreeMap::new();
        old.errors.into_iter().for_each(|error| *failed.entry(error).or_default() -= 1);
        new.errors.into_iter().for_each(|error| *failed.entry(error).or_default() += 1);
        failed.retain(|_, diff| *diff != 0);
        if !failed.is_empty() {
            let places: UInt32Array = failed.keys().map(|(value, _)| *value).collect();
            let columns = decoded.iter().map(|column| taken(column, &places)).collect();
            let batch = with_error(columns, failed.keys().map(|(_, message)| message.as_str()), &self.step);
            errors.push(Delta::new(epoch, batch, failed.into_values().collect()));
        }
        if !cuts.is_empty() {
            self.cuts.insert(changed.key.to_vec(), cuts);
        }
    }

    /// Matches as rows: the partition's columns, then what is wanted of each.
    fn write(&self, epoch: u64, decoded: &[ArrayRef], changes: &BTreeMap<Match, i64>) -> Delta {
        let firsts: UInt32Array = changes.keys().map(|found| found.first().map(|(value, _)| *value)).collect();
        let mut columns: Vec<ArrayRef> =
            self.partition.iter().map(|column| taken(&decoded[*column], &firsts)).collect();
        for give in &self.gives {
            let of = |found: &Match, element: usize| {
                let rows = found.iter().filter(move |(_, own)| *own as usize == element);
                rows.map(|(value, _)| *value).collect::<Vec<u32>>()
            };
            columns.push(match give {
                MatchGive::Count { element } => {
                    let counts = changes.keys().map(|found| of(found, *element).len() as i64);
                    Arc::new(Int64Array::from_iter_values(counts)) as ArrayRef
                }
                MatchGive::Last { element, column } => {
                    let places: UInt32Array = changes.keys().map(|found| of(found, *element).last().copied()).collect();
                    taken(&decoded[*column], &places)
                }
                MatchGive::All { element, column } => {
                    let places: Vec<Vec<u32>> = changes.keys().map(|found| of(found, *element)).collect();
                    let offsets = OffsetBuffer::from_lengths(places.iter().map(Vec::len));
                    let values = taken(&decoded[*column], &places.into_iter().flatten().collect());
                    let field = self.schema.field(columns.len());
                    let DataType::List(item) = field.data_type() else { unreachable!("all values are a list") };
                    Arc::new(ListArray::new(Arc::clone(item), offsets, values, None))
                }
            });
        }
        let batch = batch_of(&self.schema, columns, changes.len());
        Delta::new(epoch, batch, changes.values().copied().collect())
    }
}

fn taken(column: &ArrayRef, places: &UInt32Array) -> ArrayRef {
    match take(column, places, None) {
        Ok(column) => column,
        Err(error) => panic!("matches are of rows of the region: {error}"),
    }
}

impl Grouped for Matches {
    fn of_nothing(&mut self) -> Delta {
        unreachable!("without rows nothing matches")
    }

    fn changes(&mut self, mut around: Around, storage: &Storage, rows: &mut Vec<Delta>, errors: &mut Vec<Delta>) {
        while let Some(mut changed) = around.key(storage) {
            while let Some((epoch, now)) = changed.next_epoch() {
                self.follow(&mut around, storage, &changed, &now, (epoch, rows, errors));
                changed.visited(now);
            }
        }
    }
}
