//! The values of one key at a time, over several batches.
//!
//! Differential's own list of cursors seeks a value in all of its batches, also in those that have run out of keys, and that
//! panics. This one looks only at those that hold the key.

use differential_dataflow::trace::Cursor;
use differential_dataflow::trace::cursor::Navigable;

use super::spine::{Batch, BatchCursor};

/// Where the values of a key stand in several batches, which are handed to each call.
pub(crate) struct Values {
    cursors: Vec<BatchCursor<i64>>,
    /// The key that was sought last.
    key: Vec<u8>,
    /// Batches that hold it.
    holders: Vec<usize>,
    /// Those of them that stand at the smallest value.
    least: Vec<usize>,
}

impl Values {
    /// Before any key.
    pub fn new(batches: &[Batch<i64>]) -> Self {
        let cursors = batches.iter().map(Navigable::cursor).collect();
        Values { cursors, key: Vec::new(), holders: Vec::new(), least: Vec::new() }
    }

    /// Goes to a key and its first value; false if no batch holds it. Cheap where keys come in order.
    pub fn seek_key(&mut self, batches: &[Batch<i64>], key: &[u8]) -> bool {
        if self.key.as_slice() != key {
            let is_back = self.key.as_slice() > key;
            self.key.clear();
            self.key.extend_from_slice(key);
            self.holders.clear();
            for (index, (cursor, batch)) in self.cursors.iter_mut().zip(batches).enumerate() {
                if is_back {
                    cursor.rewind_keys(batch);
                }
                cursor.seek_key(batch, key);
                if cursor.get_key(batch) == Some(key) {
                    self.holders.push(index);
                }
            }
        }
        self.seek_value(batches, &[]);
        !self.holders.is_empty()
    }

    /// Goes to the key's first value from `start` on.
    pub fn seek_value(&mut self, batches: &[Batch<i64>], start: &[u8]) {
        for index in &self.holders {
            let (cursor, batch) = (&mut self.cursors[*index], &batches[*index]);
            cursor.rewind_vals(batch);
            if !start.is_empty() {
                cursor.seek_val(batch, start);
            }
        }
        self.settle(batches);
    }

    /// The value at hand.
    pub fn value<'a>(&self, batches: &'a [Batch<i64>]) -> Option<&'a [u8]> {
        self.least.first().and_then(|index| self.cursors[*index].get_val(&batches[*index]))
    }

    /// The times and differences of the value at hand.
    pub fn times(&mut self, batches: &[Batch<i64>], mut logic: impl FnMut(u64, i64)) {
        for index in &self.least {
            self.cursors[*index].map_times(&batches[*index], |time, diff| logic(*time, *diff));
        }
    }

    /// Goes to the next value.
    pub fn step(&mut self, batches: &[Batch<i64>]) {
        for index in &self.least {
            self.cursors[*index].step_val(&batches[*index]);
        }
        self.settle(batches);
    }

    fn settle(&mut self, batches: &[Batch<i64>]) {
        self.least.clear();
        let mut least: Option<&[u8]> = None;
        for index in &self.holders {
            let Some(value) = self.cursors[*index].get_val(&batches[*index]) else { continue };
            if least.is_none_or(|least| value < least) {
                self.least.clear();
                least = Some(value);
            }
            if least == Some(value) {
                self.least.push(*index);
            }
        }
    }
}
