//! Functions that go by the place of a row: its number, its neighbours, the ends of its frame.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, new_null_array};
use arrow_select::interleave::interleave;
use tidebook_plan::flow::{Frame, WindowFunction};

use super::functions::{Looked, Start, State, Teller};
use super::sequence::Span;

/// Numbers of rows and of groups of peers.
pub(super) struct Number<'a> {
    looked: &'a Looked<'a>,
    function: &'a WindowFunction,
    run: Range<usize>,
    /// Rows before the run.
    rows: i64,
    /// Groups up to the row.
    groups: i64,
    told: Vec<i64>,
}

impl<'a> Number<'a> {
    pub fn new(looked: &'a Looked<'a>, function: &'a WindowFunction) -> Self {
        Number { looked, function, run: 0..0, rows: 0, groups: 0, told: Vec::new() }
    }
}

impl Teller for Number<'_> {
    fn begin(&mut self, run: &Range<usize>, start: Start) {
        self.run = run.clone();
        (self.rows, self.groups) = (start.rows as i64, start.groups as i64);
    }

    fn tell(&mut self, row: usize) {
        let first = self.looked.sequence.peers[row].start as usize;
        if first == row {
            self.groups += 1;
        }
        let number = |row: usize| self.rows + (row - self.run.start) as i64 + 1;
        self.told.push(match self.function {
            WindowFunction::Rank => number(first),
            WindowFunction::DenseRank => self.groups,
            _ => number(row),
        });
    }

    fn take(&mut self, _errors: &mut HashMap<usize, String>) -> Vec<ArrayRef> {
        vec![Arc::new(Int64Array::from(std::mem::take(&mut self.told)))]
    }
}

/// Values picked from columns: the first, the second, or nulls.
struct Picked {
    sources: Vec<ArrayRef>,
    places: Vec<(usize, usize)>,
}

impl Picked {
    fn new(looked: &Looked<'_>, value: usize, other: usize) -> Self {
        let column = |column: usize| Arc::clone(looked.decoded.rows.column(column));
        let null = new_null_array(column(value).data_type(), 1);
        Picked { sources: vec![column(value), column(other), null], places: Vec::new() }
    }

    fn value(&mut self, value: u32) {
        self.places.push((0, value as usize));
    }

    fn other(&mut self, value: u32) {
        self.places.push((1, value as usize));
    }

    fn null(&mut self) {
        self.places.push((2, 0));
    }

    fn take(&mut self) -> Vec<ArrayRef> {
        let sources: Vec<_> = self.sources.iter().map(AsRef::as_ref).collect();
        match interleave(&sources, &std::mem::take(&mut self.places)) {
            Ok(column) => vec![column],
            Err(error) => panic!("picked values are there, and of one type: {error}"),
        }
    }
}

/// Values of rows that many places before or after.
pub(super) struct Neighbour<'a> {
    looked: &'a Looked<'a>,
    offset: i64,
    has_default: bool,
    run: Range<usize>,
    told: Picked,
}

impl<'a> Neighbour<'a> {
    pub fn new(looked: &'a Looked<'a>, value: usize, offset: i64, default: Option<usize>) -> Self {
        let told = Picked::new(looked, value, default.unwrap_or(value));
        Neighbour { looked, offset, has_default: default.is_some(), run: 0..0, told }
    }
}

impl Teller for Neighbour<'_> {
    fn begin(&mut self, run: &Range<usize>, _start: Start) {
        self.run = run.clone();
    }

    fn tell(&mut self, row: usize) {
        let values = &self.looked.sequence.values;
        let other = (row as i64).checked_add(self.offset).and_then(|row| usize::try_from(row).ok());
        match other.filter(|other| self.run.contains(other)) {
            Some(other) => self.told.value(values[other]),
            None if self.has_default => self.told.other(values[row]),
            None => self.told.null(),
        }
    }

    fn take(&mut self, _errors: &mut HashMap<usize, String>) -> Vec<ArrayRef> {
        self.told.take()
    }
}

/// Values of the first or the last row of each frame.
pub(super) struct Edge<'a> {
    looked: &'a Looked<'a>,
    frames: &'a [Span],
    last: bool,
    running: bool,
    /// The first row of the partition, where it stands before the run or was seen.
    first: Option<u32>,
    told: Picked,
}

impl<'a> Edge<'a> {
    pub fn new(looked: &'a Looked<'a>, value: usize, last: bool, frame: Frame) -> Self {
        let told = Picked::new(looked, value, value);
        Edge { looked, frames: looked.frames(frame), last, running: frame == Frame::Running, first: None, told }
    }
}

impl Teller for Edge<'_> {
    fn begin(&mut self, run: &Range<usize>, start: Start) {
        self.first = match start.state {
            State::Value(Some(first)) => Some(first),
            _ => Some(self.looked.sequence.values[run.start]),
        };
    }

    fn state(&self) -> State<u32> {
        if self.running && !self.last { State::Value(self.first) } else { State::Nothing }
    }

    fn tell(&mut self, row: usize) {
        let values = &self.looked.sequence.values;
        let Span { start, end } = self.frames[row];
        let value = match self.last {
            true => values[end as usize - 1],
            false if self.running => self.first.unwrap_or(values[row]),
            false => values[start as usize],
        };
        self.told.value(value);
    }

    fn take(&mut self, _errors: &mut HashMap<usize, String>) -> Vec<ArrayRef> {
        self.told.take()
    }
}
