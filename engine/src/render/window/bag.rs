//! What is made of all values of a frame: lists, sets, joined texts, numbers of different values, quantiles.
//!
//! All values that are looked at are put in order once, and numbered. A frame is then how often each number is inside.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array};
use tidebook_plan::flow::{Fraction, WindowCall, WindowFunction};

use super::best::Keys;
use super::functions::{Looked, Start, Teller};
use super::sequence::Span;
use crate::render::collect::Collector;
use crate::render::quantile::{interpolate, place};

/// Bytes of encoded values that one row may hold: Arrow counts them in 32 bits.
const MOST_BYTES: usize = i32::MAX as usize;

/// What is made of the values inside.
enum Made {
    /// The number of different ones.
    Distinct(Vec<i64>),
    /// A list or text: picks of all rows, and for each row where its own end.
    Collected { collector: Collector, picks: Vec<(usize, usize)>, ends: Vec<usize> },
    /// A quantile.
    Quantile { fraction: Fraction, between: Vec<Option<(usize, usize, f64)>> },
}

/// Values over one kind of frame.
pub(super) struct Bag<'a> {
    looked: &'a Looked<'a>,
    call: &'a WindowCall,
    frames: &'a [Span],
    column: ArrayRef,
    keys: Keys,
    /// The number of each value.
    numbers: Vec<u32>,
    /// A value of each number.
    values: Vec<u32>,
    inside: Inside,
    /// The rows that are inside.
    rows: Range<usize>,
    made: Made,
    too_large: Vec<usize>,
}

/// How often each number is inside.
struct Inside {
    counts: BTreeMap<u32, usize>,
    /// Partial sums of the counts, as in a Fenwick tree, where ranks are sought.
    tree: Vec<u64>,
    total: u64,
    bytes: usize,
}

impl Inside {
    fn change(&mut self, number: u32, bytes: usize, comes: bool) {
        let count = self.counts.entry(number).or_default();
        if comes {
            *count += 1;
            self.total += 1;
            self.bytes += bytes;
        } else {
            *count -= 1;
            self.total -= 1;
            self.bytes -= bytes;
            if *count == 0 {
                self.counts.remove(&number);
            }
        }
        let mut at = number as usize + 1;
        while at < self.tree.len() {
            self.tree[at] = if comes { self.tree[at] + 1 } else { self.tree[at] - 1 };
            at += at & at.wrapping_neg();
        }
    }

    /// The number at a rank that lies inside.
    fn at(&self, rank: u64) -> usize {
        let (mut found, mut over) = (0, rank);
        let mut step = self.tree.len().next_power_of_two() / 2;
        while step > 0 {
            if found + step < self.tree.len() && self.tree[found + step] <= over {
                found += step;
                over -= self.tree[found];
            }
            step /= 2;
        }
        found
    }
}

impl<'a> Bag<'a> {
    pub fn new(looked: &'a Looked<'a>, call: &'a WindowCall) -> Self {
        let (value, order, frame, made) = match &call.function {
            WindowFunction::CountDistinct { value, frame } => (*value, &[][..], *frame, Made::Distinct(Vec::new())),
            WindowFunction::Quantile { value, fraction, frame } => {
                (*value, &[][..], *frame, Made::Quantile { fraction: *fraction, between: Vec::new() })
            }
            WindowFunction::Collect { value, order, function, frame } => {
                let field = Arc::new(arrow_schema::Field::new("c", call.output.clone(), true));
                let collector = Collector::new(std::slice::from_ref(function), &[field], order.is_empty());
                (*value, &order[..], *frame, Made::Collected { collector, picks: Vec::new(), ends: Vec::new() })
            }
            other => unreachable!("{other} keeps no values"),
        };
        let keys = Keys::new(looked, value, order);
        let count = looked.decoded.rows.num_rows() as u32;
        let mut ordered: Vec<u32> = (0..count).filter(|value| keys.is_there(*value)).collect();
        ordered.sort_unstable_by(|a, b| keys.of(*a).cmp(keys.of(*b)));
        let (mut numbers, mut values) = (vec![0; count as usize], Vec::new());
        for value in ordered {
            if values.last().is_none_or(|last| keys.of(*last) != keys.of(value)) {
                values.push(value);
            }
            numbers[value as usize] = values.len() as u32 - 1;
        }
        let tree = if matches!(made, Made::Quantile { .. }) { vec![0; values.len() + 1] } else { Vec::new() };
        Bag {
            looked,
            call,
            frames: looked.frames(frame),
            column: Arc::clone(looked.decoded.rows.column(value)),
            keys,
            numbers,
            values,
            inside: Inside { counts: BTreeMap::new(), tree, total: 0, bytes: 0 },
            rows: 0..0,
            made,
            too_large: Vec::new(),
        }
    }

    fn change(&mut self, row: usize, comes: bool) {
        let value = self.looked.sequence.values[row];
        if self.keys.is_there(value) {
            let separator = if let Made::Collected { collector, .. } = &self.made { collector.separator() } else { 0 };
            self.inside.change(self.numbers[value as usize], self.keys.of(value).len() + separator, comes);
        }
    }
}

impl Teller for Bag<'_> {
    fn begin(&mut self, run: &Range<usize>, _start: Start) {
        for row in self.rows.clone() {
            self.change(row, false);
        }
        self.rows = run.start..run.start;
    }

    fn tell(&mut self, row: usize) {
        let Span { start, end } = self.frames[row];
        while self.rows.end < end as usize {
            self.change(self.rows.end, true);
            self.rows.end += 1;
        }
        while self.rows.start < start as usize {
            self.change(self.rows.start, false);
            self.rows.start += 1;
        }
        let (inside, values) = (&self.inside, &self.values);
        match &mut self.made {
            Made::Distinct(told) => told.push(inside.counts.len() as i64),
            Made::Collected { picks, ends, .. } => {
                if inside.bytes > MOST_BYTES {
                    self.too_large.push(row);
                } else {
                    picks.extend(
                        inside.counts.iter().map(|(number, count)| (values[*number as usize] as usize, *count)),
                    );
                }
                ends.push(picks.len());
            }
            Made::Quantile { fraction, between } => between.push(place(*fraction, inside.total).map(|(rank, part)| {
                let value = |rank: u64| values[inside.at(rank)] as usize;
                (value(rank), value(if part == 0.0 { rank } else { rank + 1 }), part)
            })),
        }
    }

    fn take(&mut self, errors: &mut HashMap<usize, String>) -> Vec<ArrayRef> {
        for row in self.too_large.drain(..) {
            errors.entry(row).or_insert_with(|| "the values of a frame are larger than 2 GiB".to_string());
        }
        match &mut self.made {
            Made::Distinct(told) => vec![Arc::new(Int64Array::from(std::mem::take(told)))],
            Made::Collected { collector, picks, ends } => {
                let begins = std::iter::once(0).chain(ends.iter().copied());
                let groups: Vec<_> = begins.zip(ends.iter()).map(|(begin, end)| &picks[begin..*end]).collect();
                let columns = collector.columns(&self.column, &groups);
                picks.clear();
                ends.clear();
                columns
            }
            Made::Quantile { between, .. } => {
                vec![interpolate(&self.column, std::mem::take(between).into_iter(), &self.call.output)]
            }
        }
    }
}
