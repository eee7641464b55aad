//! The smallest, largest, first or last value of each frame.
//!
//! Of the rows inside a frame only those are kept that are better than all after them: the first of these is the best,
//! and each that goes out makes place for the next.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, UInt32Array};
use arrow_row::Rows;
use arrow_select::take::take;
use tidebook_plan::flow::{Frame, OrderKey};

use super::functions::{Looked, Start, State, Teller};
use super::sequence::Span;
use crate::row::order_converter;

/// Best values over one kind of frame.
pub(super) struct Best<'a> {
    looked: &'a Looked<'a>,
    frames: &'a [Span],
    running: bool,
    last: bool,
    column: ArrayRef,
    keys: Keys,
    end: usize,
    /// Rows that are better than all after them, with their values; one from before the run has no row.
    kept: VecDeque<(Option<usize>, u32)>,
    told: Vec<Option<u32>>,
}

/// The columns that values compare by, as bytes; a value in which one of them is null does not count.
pub(super) struct Keys {
    rows: Rows,
    columns: Vec<ArrayRef>,
}

impl Keys {
    /// Order columns, then the value itself.
    pub fn new(looked: &Looked<'_>, value: usize, order: &[OrderKey]) -> Self {
        let rows = &looked.decoded.rows;
        let places = order.iter().map(|key| (key.column, key.descending)).chain([(value, false)]);
        let (columns, down): (Vec<ArrayRef>, Vec<bool>) =
            places.map(|(column, down)| (Arc::clone(rows.column(column)), down)).unzip();
        let converter = order_converter(columns.iter().map(|column| column.data_type()).zip(down));
        match converter.convert_columns(&columns) {
            Ok(rows) => Keys { rows, columns },
            Err(error) => panic!("columns do not have the types that the plan says: {error}"),
        }
    }

    /// The bytes of a value.
    pub fn of(&self, value: u32) -> &[u8] {
        // `Row` borrows from `Rows`, so its data lives as long.
        self.rows.row(value as usize).data()
    }

    /// True if no column is null.
    pub fn counts(&self, value: u32) -> bool {
        self.columns.iter().all(|column| column.is_valid(value as usize))
    }

    /// True if the value itself, the last column, is not null.
    pub fn is_there(&self, value: u32) -> bool {
        self.columns.last().is_some_and(|column| column.is_valid(value as usize))
    }
}

impl<'a> Best<'a> {
    pub fn new(looked: &'a Looked<'a>, value: usize, order: &[OrderKey], last: bool, frame: Frame) -> Self {
        Best {
            looked,
            frames: looked.frames(frame),
            running: frame == Frame::Running,
            last,
            column: Arc::clone(looked.decoded.rows.column(value)),
            keys: Keys::new(looked, value, order),
            end: 0,
            kept: VecDeque::new(),
            told: Vec::new(),
        }
    }

    fn add(&mut self, row: Option<usize>, value: u32) {
        if !self.keys.counts(value) {
            return;
        }
        let key = self.keys.of(value);
        let worse = |other: u32| {
            let other = self.keys.of(other);
            if self.last { other <= key } else { other >= key }
        };
        while self.kept.back().is_some_and(|(_, other)| worse(*other)) {
            self.kept.pop_back();
        }
        if !self.running || self.kept.is_empty() {
            self.kept.push_back((row, value));
        }
    }
}

impl Teller for Best<'_> {
    fn begin(&mut self, run: &Range<usize>, start: Start) {
        self.end = run.start;
        self.kept.clear();
        if let State::Value(Some(value)) = start.state {
            self.add(None, value);
        }
    }

    fn state(&self) -> State<u32> {
        if !self.running {
            return State::Nothing;
        }
        State::Value(self.kept.front().map(|(_, value)| *value))
    }

    fn tell(&mut self, row: usize) {
        let Span { start, end } = self.frames[row];
        while self.end < end as usize {
            self.add(Some(self.end), self.looked.sequence.values[self.end]);
            self.end += 1;
        }
        while self.kept.front().is_some_and(|(row, _)| row.is_some_and(|row| row < start as usize)) {
            self.kept.pop_front();
        }
        self.told.push(self.kept.front().map(|(_, value)| *value));
    }

    fn take(&mut self, _errors: &mut HashMap<usize, String>) -> Vec<ArrayRef> {
        match take(&self.column, &UInt32Array::from(std::mem::take(&mut self.told)), None) {
            Ok(column) => vec![column],
            Err(error) => panic!("picked values are there: {error}"),
        }
    }
}
