//! Keyed sources: a later row replaces the earlier one of its key, a negative difference removes it.

use arrow_schema::SchemaRef;
use hashbrown::HashMap;
use tidebook_plan::ChangeBatch;

use crate::row::{Codec, Layout};

/// Rows decoded into one batch.
const BATCH: usize = 1 << 14;

struct Row {
    value: Box<[u8]>,
    segment: Option<u64>,
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
                let old = if *diff < 0 {
                    self.rows.remove(key)
                } else {
                    self.rows.insert(key.into(), Row { value: value.into(), segment })
                };
                let size = |row: &Row| (key.len() + row.value.len()) as u64;
                self.bytes -= old.as_ref().map_or(0, size);
                self.bytes += if *diff < 0 { 0 } else { (key.len() + value.len()) as u64 };
                if !before.contains_key(key) {
                    before.insert(key.into(), old.map(|row| row.value));
                    touched.push(key.into());
                }
            }
        }
        let (mut keys, mut values, mut diffs): (Vec<&[u8]>, Vec<&[u8]>, Vec<i64>) = Default::default();
        for key in &touched {
            let old = before.get(key).and_then(|value| value.as_deref());
            let new = self.rows.get(key).map(|row| &*row.value);
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

    /// Gives up the rows that came with a segment and were not replaced since.
    pub fn retract(&mut self, segment: u64) -> ChangeBatch {
        let given_up: Vec<_> = self.rows.extract_if(|_, row| row.segment == Some(segment)).collect();
        self.bytes -= given_up.iter().map(|(key, row)| (key.len() + row.value.len()) as u64).sum::<u64>();
        let keys: Vec<&[u8]> = given_up.iter().map(|(key, _)| &**key).collect();
        let values: Vec<&[u8]> = given_up.iter().map(|(_, row)| &*row.value).collect();
        ChangeBatch::inserts(self.codec.decode(&keys, &values))
    }

    /// All current rows.
    pub fn rows(&self) -> Vec<ChangeBatch> {
        let all: Vec<_> = self.rows.iter().collect();
        all.chunks(BATCH)
            .map(|rows| {
                let keys: Vec<&[u8]> = rows.iter().map(|(key, _)| &***key).collect();
                let values: Vec<&[u8]> = rows.iter().map(|(_, row)| &*row.value).collect();
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
