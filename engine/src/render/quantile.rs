//! Quantiles of the values of each group.
//!
//! A small group is read whole from an arrangement in value order. Of a large one it is known how many values lie below
//! some of them ([`Ranks`]), so that an update reads a few hundred, however large the group is.

mod interpolate;

use std::collections::{BTreeMap, HashMap};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use tidebook_plan::flow::{FlowNode, Fraction};

use super::around::{Around, Changed, Changes, Storage};
use super::grouped::{EMPTY_KEY, Grouped, grouped};
use super::ranks::Ranks;
use crate::delta::{Delta, Rows, batch_of};
use crate::row::{Arrangement, Codec, Packed};
pub(super) use interpolate::{interpolate, place};

/// A group with so many different values is large.
const LARGE: usize = 2_048;

/// Results of an epoch that are decoded at once.
const MOST_RESULTS: usize = 1 << 14;

/// Keys and quantiles of each group.
pub(super) fn quantile<'scope>(
    rows: Arrangement<'scope, i64>,
    codec: Codec,
    fractions: &[Fraction],
    node: &FlowNode,
    install: u64,
) -> Rows<'scope> {
    let whole = codec.key_columns().is_empty();
    let null = codec.null_value();
    let fractions = fractions.to_vec();
    let quantile = Quantile { codec, null, fractions, schema: node.schema.clone(), install, large: HashMap::new() };
    grouped(rows, "Quantile", whole, install, quantile).0
}

struct Quantile {
    codec: Codec,
    /// How a null is encoded.
    null: Vec<u8>,
    fractions: Vec<Fraction>,
    schema: SchemaRef,
    install: u64,
    /// What is known of large groups, by key.
    large: HashMap<Box<[u8]>, Large>,
}

/// A large group.
struct Large {
    ranks: Ranks,
    /// Its result as of the last change.
    result: Vec<Option<Between>>,
}

/// Where a quantile lies: this part of the way from one value to the next.
#[derive(Clone, Debug, PartialEq)]
struct Between {
    low: Vec<u8>,
    high: Vec<u8>,
    part: f64,
}

/// The quantiles of a group that has rows.
type Quantiles = Option<Vec<Option<Between>>>;

/// Result rows of one epoch, before they become columns.
#[derive(Default)]
struct Results<'a> {
    keys: Vec<&'a [u8]>,
    diffs: Vec<i64>,
    values: Packed,
    /// For each row and fraction, two of the values and the part of the way between them.
    between: Vec<Option<(usize, usize, f64)>>,
}

impl<'a> Results<'a> {
    fn add(&mut self, key: &'a [u8], diff: i64, quantiles: Quantiles) {
        let Some(quantiles) = quantiles else { return };
        self.keys.push(key);
        self.diffs.push(diff);
        for quantile in quantiles {
            let between = quantile.map(|Between { low, high, part }| {
                let first = self.values.count();
                self.values.push(&low);
                self.values.push(&high);
                (first, first + 1, part)
            });
            self.between.push(between);
        }
    }
}

impl Quantile {
    /// The quantiles of a group before and after the changes of an epoch.
    fn around<'a>(
        &mut self,
        around: &mut Around,
        storage: &'a Storage,
        changed: &Changed<'a>,
        now: &Changes<'a>,
    ) -> (Quantiles, Quantiles) {
        if let Some(mut large) = self.large.remove(changed.key) {
            let before = large.result.clone();
            let after = self.step(&mut large, around, storage, changed, now);
            if large.ranks.total() as usize >= LARGE / 4 {
                large.result.clone_from(&after);
                self.large.insert(changed.key.into(), large);
                return (Some(before), Some(after));
            }
            // It is small again: whether it has rows at all is seen when it is read whole.
            let (_, after) = self.whole(around, storage, changed, now);
            return (Some(before), after);
        }
        self.whole(around, storage, changed, now)
    }

    /// Reads a group whole.
    fn whole<'a>(
        &mut self,
        around: &mut Around,
        storage: &'a Storage,
        changed: &Changed<'a>,
        now: &Changes<'a>,
    ) -> (Quantiles, Quantiles) {
        let (mut before, mut after): (Vec<(&[u8], i64)>, Vec<(&[u8], i64)>) = (Vec::new(), Vec::new());
        // The row of the empty table needs no rows.
        let always = changed.key == EMPTY_KEY;
        let (mut was_there, mut is_there) = (always, always);
        around.read(storage, changed, now, &[], |value, count_before, count_after| {
            was_there |= count_before > 0;
            is_there |= count_after > 0;
            if value != self.null {
                // A negative count has no place in an order.
                before.extend((count_before > 0).then_some((value, count_before)));
                after.extend((count_after > 0).then_some((value, count_after)));
            }
            true
        });
        let found = |values: &[(&[u8], i64)]| {
            let count = values.iter().map(|(_, count)| *count as u64).sum();
            let quantile = |fraction: &Fraction| {
                let (rank, part) = place(*fraction, count)?;
                find(values.iter().copied(), rank, part)
            };
            self.fractions.iter().map(quantile).collect::<Vec<_>>()
        };
        let results = (was_there.then(|| found(&before)), is_there.then(|| found(&after)));
        if after.len() >= LARGE
            && let Some(result) = results.1.clone()
        {
            self.large.insert(changed.key.into(), Large { ranks: Ranks::new(&after), result });
        }
        results
    }

    /// Applies the changes of an epoch to a large group, and gives its quantiles after them.
    fn step<'a>(
        &self,
        large: &mut Large,
        around: &mut Around,
        storage: &'a Storage,
        changed: &Changed<'a>,
        now: &Changes<'a>,
    ) -> Vec<Option<Between>> {
        let ranks = &mut large.ranks;
        for (value, diff) in now.iter().filter(|(value, _)| **value != self.null) {
            ranks.change(value, *diff);
        }
        while let Some((run, start, end)) = ranks.worn() {
            let mut values: Vec<(&[u8], i64)> = Vec::new();
            around.read(storage, changed, now, start, |value, _, after| {
                let inside = value != self.null && end.is_none_or(|end| value < end);
                if inside && after > 0 {
                    values.push((value, after));
                }
                inside
            });
            ranks.cut(run, &values);
        }
        let quantile = |fraction: &Fraction| {
            let (rank, part) = place(*fraction, ranks.total())?;
            let (start, rank) = ranks.seek(rank);
            let mut search = Search::new(rank, part);
            around.read(storage, changed, now, start, |value, _, after| {
                value != self.null && !search.pass(value, after.max(0) as u64)
            });
            search.found()
        };
        self.fractions.iter().map(quantile).collect()
    }

    fn write(&self, epoch: u64, results: &Results<'_>) -> Delta {
        let rows = results.rows(&self.codec, &self.schema, self.fractions.len());
        Delta::new(epoch, rows, results.diffs.clone())
    }
}

impl Results<'_> {
    /// Keys, and the quantiles of so many fractions.
    fn rows(&self, codec: &Codec, schema: &SchemaRef, fractions: usize) -> RecordBatch {
        let values: Vec<&[u8]> = (0..self.values.count()).map(|i| self.values.get(i)).collect();
        let values = codec.decode_values(&values).swap_remove(0);
        let mut columns = codec.decode_keys(&self.keys);
        for fraction in 0..fractions {
            let between = self.between.iter().skip(fraction).step_by(fractions).copied();
            let output = schema.field(columns.len()).data_type();
            columns.push(interpolate(&values, between, output));
        }
        batch_of(schema, columns, self.keys.len())
    }
}

/// Keys and quantiles of groups that are given whole: for each its key and its values in order with how often each
/// stands.
pub(super) fn of_groups<'a>(
    groups: impl Iterator<Item = (&'a [u8], Vec<(&'a [u8], i64)>)>,
    codec: &Codec,
    fractions: &[Fraction],
    schema: &SchemaRef,
) -> RecordBatch {
    let null = codec.null_value();
    let mut results = Results::default();
    for (key, values) in groups {
        let values: Vec<(&[u8], i64)> =
            values.into_iter().filter(|(value, count)| *value != null && *count > 0).collect();
        let total = values.iter().map(|(_, count)| count.unsigned_abs()).sum();
        let quantile = |fraction: &Fraction| {
            let (rank, part) = place(*fraction, total)?;
            find(values.iter().copied(), rank, part)
        };
        results.add(key, 1, Some(fractions.iter().map(quantile).collect()));
    }
    results.rows(codec, schema, fractions.len())
}

/// A search for the value at a rank and the one after it.
struct Search<'a> {
    /// Values to pass over before the lower one.
    over: u64,
    part: f64,
    low: Option<&'a [u8]>,
    high: Option<&'a [u8]>,
}

impl<'a> Search<'a> {
    fn new(rank: u64, part: f64) -> Self {
        Search { over: rank, part, low: None, high: None }
    }

    /// Goes past a value that stands so often; true once both are found.
    fn pass(&mut self, value: &'a [u8], count: u64) -> bool {
        if self.low.is_none() {
            if count <= self.over {
                self.over -= count;
                return false;
            }
            self.low = Some(value);
            // The next one is the same value, or not wanted, or comes later.
            if count > self.over + 1 || self.part == 0.0 {
                self.high = Some(value);
            }
        } else if count > 0 {
            self.high = Some(value);
        }
        self.high.is_some()
    }

    fn found(self) -> Option<Between> {
        let low = self.low?;
        Some(Between { low: low.to_vec(), high: self.high.unwrap_or(low).to_vec(), part: self.part })
    }
}

fn find<'a>(values: impl Iterator<Item = (&'a [u8], i64)>, rank: u64, part: f64) -> Option<Between> {
    let mut search = Search::new(rank, part);
    for (value, count) in values {
        if search.pass(value, count as u64) {
            break;
        }
    }
    search.found()
}

impl Grouped for Quantile {
    fn of_nothing(&mut self) -> Delta {
        let mut results = Results::default();
        results.add(EMPTY_KEY, 1, Some(vec![None; self.fractions.len()]));
        self.write(self.install, &results)
    }

    fn changes(&mut self, mut around: Around, storage: &Storage, rows: &mut Vec<Delta>, _errors: &mut Vec<Delta>) {
        let mut pending: BTreeMap<u64, Results<'_>> = BTreeMap::new();
        let mut count = 0;
        loop {
            let changed = around.key(storage);
            let is_last = changed.is_none();
            if let Some(mut changed) = changed {
                while let Some((epoch, now)) = changed.next_epoch() {
                    let (before, after) = self.around(&mut around, storage, &changed, &now);
                    if before != after {
                        let results = pending.entry(epoch).or_default();
                        results.add(changed.key, -1, before);
                        results.add(changed.key, 1, after);
                        count += 2;
                    }
                    changed.visited(now);
                }
            }
            if is_last || count >= MOST_RESULTS {
                rows.extend(std::mem::take(&mut pending).iter().map(|(epoch, results)| self.write(*epoch, results)));
                count = 0;
            }
            if is_last {
                break;
            }
        }
    }
}
