//! Keyed sources: a later row replaces the earlier one of its key, a negative difference removes it.
//!
//! Where rows come in segments (files) that can be taken back, a replaced row of another segment is kept behind the one
//! that replaced it: when that segment goes, the table is what it would be without it.

use arrow_schema::SchemaRef;
use hashbrown::HashMap;
use tidebook_plan::ChangeBatch;

use crate::row::{Codec, Layout};

/// Rows decoded into one batch.
const BATCH: usize = 1 << 14;

/// The row of a key.
struct Row {
    now: Version,
    /// Rows of other segments that it stands before, the latest last; one a segment.
    older: Vec<Version>,
}

/// A row as a segment gave it.
struct Version {
    value: Box<[u8]>,
    segment: Option<u64>,
}

impl Row {
    /// Bytes of the key and all values.
    fn size(&self, key: &[u8]) -> u64 {
        (key.len() + self.now.value.len() + self.older.iter().map(|version| version.value.len()).sum::<usize>()) as u64
    }
}

/// The current row of each key, encoded.
pub(super) struct Keyed {
    codec: Codec,
    rows: HashMap<Box<[u8]>, Row>,
    bytes: u64,
}

impl Keyed {
    /// No rows.
    pub fn new(schema: &SchemaRef, key: &[usize]) -> Self {
        Keyed { codec: Codec::new(schema, &Layout::by(key)), rows: HashMap::new(), bytes: 0 }
    }

    /// Applies a batch in its order; gives the changes of the current rows that result.
    pub fn apply(&mut self, segment: Option<u64>, changes: &ChangeBatch) -> ChangeBatch {
        let mut before: HashMap<Box<[u8]>, Option<Box<[u8]>>> = HashMap::new();
        let mut touched: Vec<Box<[u8]>> = Vec::new();
        for chunk in self.codec.encode(0, changes, 1) {
            for (row, diff) in chunk.diffs.iter().enumerate() {
                let (key, value) = (chunk.keys.get(row), chunk.vals.get(row));
                let old = self.rows.remove(key);
                self.bytes -= old.as_ref().map_or(0, |row| row.size(key));
                if !before.contains_key(key) {
                    before.insert(key.into(), old.as_ref().map(|row| row.now.value.clone()));
                    touched.push(key.into());
                }
                if *diff < 0 {
                    continue;
                }
                let mut older = Vec::new();
                // Rows that came without a segment are never taken back: what they replace is gone for good.
                if let (Some(_), Some(old)) = (segment, old) {
                    older = old.older;
                    older.push(old.now);
                    older.retain(|version| version.segment != segment);
                }
                let row = Row { now: Version { value: value.into(), segment }, older };
                self.bytes += row.size(key);
                self.rows.insert(key.into(), row);
            }
        }
        let (mut keys, mut values, mut diffs): (Vec<&[u8]>, Vec<&[u8]>, Vec<i64>) = Default::default();
        for key in &touched {
            let old = before.get(key).and_then(|value| value.as_deref());
            let new = self.rows.get(key).map(|row| &*row.now.value);
            if old == new {
                continue;
            }
            for (value, diff) in [(old, -1), (new, 1)] {
                if let Some(value) = value {
                    keys.push(key);
                    values.push(value);
                    diffs.push(diff);
                }
            }
        }
        let rows = self.codec.decode(&keys, &values);
        if diffs.iter().all(|diff| *diff == 1) { ChangeBatch::inserts(rows) } else { ChangeBatch::new(rows, diffs) }
    }

    /// Gives up the rows that came with a segment. Gives those that were current and, with a negative difference, those
    /// of other segments that take their places.
    pub fn retract(&mut self, segment: u64) -> ChangeBatch {
        let segment = Some(segment);
        let mut given_up: Vec<(Box<[u8]>, Box<[u8]>, i64)> = Vec::new();
        self.rows.retain(|key, row| {
            row.older.retain(|version| version.segment != segment);
            if row.now.segment == segment {
                let Some(older) = row.older.pop() else {
                    given_up.push((key.clone(), std::mem::take(&mut row.now.value), 1));
                    return false;
                };
                given_up.push((key.clone(), older.value.clone(), -1));
                given_up.push((key.clone(), std::mem::replace(&mut row.now, older).value, 1));
            }
            true
        });
        self.bytes = self.rows.iter().map(|(key, row)| row.size(key)).sum();
        let keys: Vec<&[u8]> = given_up.iter().map(|(key, ..)| &**key).collect();
        let values: Vec<&[u8]> = given_up.iter().map(|(_, value, _)| &**value).collect();
        let diffs = given_up.iter().map(|(.., diff)| *diff).collect();
        ChangeBatch::new(self.codec.decode(&keys, &values), diffs)
    }

    /// All current rows.
    pub fn rows(&self) -> Vec<ChangeBatch> {
        let all: Vec<_> = self.rows.iter().collect();
        all.chunks(BATCH)
            .map(|rows| {
                let keys: Vec<&[u8]> = rows.iter().map(|(key, _)| &***key).collect();
                let values: Vec<&[u8]> = rows.iter().map(|(_, row)| &*row.now.value).collect();
                ChangeBatch::inserts(self.codec.decode(&keys, &values))
            })
            .collect()
    }

    /// Bytes of keys and values.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::cast::AsArray;
    use arrow_array::types::Int64Type;
    use arrow_array::{Int64Array, RecordBatch};
    use arrow_schema::DataType;
    use tidebook_plan::flow::positional_schema;

    use super::*;

    fn changes(rows: &[(i64, i64, i64)]) -> ChangeBatch {
        let schema = positional_schema([&DataType::Int64, &DataType::Int64]);
        let column = |pick: fn(&(i64, i64, i64)) -> i64| Arc::new(rows.iter().map(pick).collect::<Int64Array>());
        let batch = RecordBatch::try_new(schema, vec![column(|r| r.0), column(|r| r.1)]).expect("two columns");
        ChangeBatch::new(batch, rows.iter().map(|row| row.2).collect())
    }

    fn listed(changes: &ChangeBatch) -> Vec<(i64, i64, i64)> {
        let column = |i: usize| changes.rows.column(i).as_primitive::<Int64Type>().clone();
        let mut rows: Vec<_> =
            (0..changes.len()).map(|i| (column(0).value(i), column(1).value(i), changes.diff(i))).collect();
        rows.sort();
        rows
    }

    #[test]
    fn the_last_row_of_a_key_wins_and_only_real_changes_come_out() {
        let mut keyed = Keyed::new(&changes(&[]).rows.schema(), &[0]);
        assert_eq!(
            listed(&keyed.apply(None, &changes(&[(1, 10, 1), (2, 20, 1), (1, 11, 1)]))),
            [(1, 11, 1), (2, 20, 1)]
        );
        assert_eq!(listed(&keyed.apply(None, &changes(&[(1, 11, 1)]))), [], "the same row again changes nothing");
        assert_eq!(
            listed(&keyed.apply(None, &changes(&[(1, 12, 1), (2, 0, -1)]))),
            [(1, 11, -1), (1, 12, 1), (2, 20, -1)]
        );
        assert_eq!(listed(&keyed.apply(None, &changes(&[(7, 0, -1), (8, 1, 1), (8, 0, -1)]))), [], "never there");
        assert_eq!(keyed.rows().iter().flat_map(listed).collect::<Vec<_>>(), [(1, 12, 1)]);
    }

    #[test]
    fn where_a_segment_goes_the_row_comes_back_that_it_replaced() {
        let mut keyed = Keyed::new(&changes(&[]).rows.schema(), &[0]);
        keyed.apply(Some(1), &changes(&[(1, 10, 1), (1, 11, 1), (2, 20, 1)]));
        keyed.apply(Some(2), &changes(&[(1, 12, 1)]));
        keyed.apply(Some(3), &changes(&[(1, 13, 1), (2, 23, 1)]));
        assert_eq!(listed(&keyed.retract(2)), [], "it was behind another");
        assert_eq!(listed(&keyed.retract(3)), [(1, 11, -1), (1, 13, 1), (2, 20, -1), (2, 23, 1)]);
        assert_eq!(listed(&keyed.retract(1)), [(1, 11, 1), (2, 20, 1)]);
        assert_eq!(keyed.bytes(), 0);
        keyed.apply(Some(1), &changes(&[(1, 10, 1)]));
        keyed.apply(Some(2), &changes(&[(1, 12, 1), (1, 0, -1)]));
        assert_eq!(listed(&keyed.retract(2)), [], "a deleted key is deleted, whoever had it");
    }

    #[test]
    fn a_segment_takes_back_only_what_is_still_its_own() {
        let mut keyed = Keyed::new(&changes(&[]).rows.schema(), &[0]);
        keyed.apply(Some(1), &changes(&[(1, 10, 1), (2, 20, 1)]));
        keyed.apply(Some(2), &changes(&[(2, 21, 1)]));
        assert_eq!(listed(&keyed.retract(1)), [(1, 10, 1)]);
        assert_eq!(listed(&keyed.rows()[0]), [(2, 21, 1)]);
        assert!(keyed.bytes() > 0);
        keyed.retract(2);
        assert_eq!(keyed.bytes(), 0);
    }
}
