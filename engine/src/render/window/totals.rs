//! Sums over frames: a row is added where it comes into the frame and taken away where it goes out. All sums are exact, so
//! that nothing of it stays behind.

use std::collections::HashMap;
use std::ops::Range;

use arrow_array::ArrayRef;
use differential_dataflow::difference::{Abelian, Semigroup};
use tidebook_plan::flow::Frame;

use super::functions::{Looked, Start, State, Teller};
use super::sequence::Span;
use crate::sums::{Reader, SlotPlan, Slots, Sums};

/// Values whose sums are formed at once.
const BLOCK: usize = 256;

/// Sums over one kind of frame.
pub(super) struct Totals<'a> {
    looked: &'a Looked<'a>,
    frames: &'a [Span],
    running: bool,
    reader: &'a Reader,
    /// The rows that the sums are of.
    inside: Range<usize>,
    sums: Sums,
    coming: Parts<'a>,
    going: Parts<'a>,
    /// The first row of those that were told.
    first: Option<usize>,
    told: Vec<Sums>,
}

impl<'a> Totals<'a> {
    pub fn new(looked: &'a Looked<'a>, frame: Frame, plan: &'a SlotPlan, reader: &'a Reader) -> Self {
        let parts = || Parts { looked, plan, first: 0, sums: Vec::new() };
        Totals {
            looked,
            frames: looked.frames(frame),
            running: frame == Frame::Running,
            reader,
            inside: 0..0,
            sums: Sums::default(),
            coming: parts(),
            going: parts(),
            first: None,
            told: Vec::new(),
        }
    }
}

impl Teller for Totals<'_> {
    fn begin(&mut self, run: &Range<usize>, start: Start) {
        self.inside = run.start..run.start;
        self.sums = match start.state {
            State::Sums(sums) => sums,
            _ => Sums::default(),
        };
    }

    fn state(&self) -> State<u32> {
        if self.running { State::Sums(self.sums.clone()) } else { State::Nothing }
    }

    fn tell(&mut self, row: usize) {
        let values = &self.looked.sequence.values;
        let Span { start, end } = self.frames[row];
        while self.inside.end < end as usize {
            self.sums.plus_equals(self.coming.of(values[self.inside.end] as usize));
            self.inside.end += 1;
        }
        while self.inside.start < start as usize {
            let mut gone = self.going.of(values[self.inside.start] as usize).clone();
            gone.negate();
            self.sums.plus_equals(&gone);
            self.inside.start += 1;
        }
        self.first.get_or_insert(row);
        self.told.push(self.sums.clone());
    }

    fn take(&mut self, errors: &mut HashMap<usize, String>) -> Vec<ArrayRef> {
        let told = std::mem::take(&mut self.told);
        let first = self.first.take().unwrap_or(0);
        for (i, sums) in told.iter().enumerate() {
            if let Some(error) = self.reader.error(sums) {
                errors.entry(first + i).or_insert(error);
            }
        }
        self.reader.columns(&told.iter().collect::<Vec<_>>())
    }
}

/// The sums of single values, formed some hundred at a time.
struct Parts<'a> {
    looked: &'a Looked<'a>,
    plan: &'a SlotPlan,
    first: usize,
    sums: Vec<Sums>,
}

impl Parts<'_> {
    fn of(&mut self, value: usize) -> &Sums {
        if value < self.first || value >= self.first + self.sums.len() {
            let rows = &self.looked.decoded.rows;
            let count = (rows.num_rows() - value).min(BLOCK);
            let groups: Vec<u32> = (0..count as u32).collect();
            let mut slots = Slots::new(self.plan);
            slots.grow(count);
            slots.add(self.plan, &rows.slice(value, count), None, &groups);
            (self.first, self.sums) = (value, slots.take());
        }
        &self.sums[value - self.first]
    }
}
