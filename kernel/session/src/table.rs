//! The maintained contents of a shown table, in order: what a view pages through and a headless run prints.
//!
//! *Invariant:* the rows are those of one closed epoch; changes of epochs that are not closed wait in `pending`.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use tidebook_dsl::compile::TableProgram;
use tidebook_engine::OutputEvent;
use tidebook_plan::flow::OrderKey;
use tidebook_plan::{ChangeBatch, Column, ColumnType, Schema};

use crate::codec::RowCodec;

/// Bytes that a row takes: its own, and what the allocator and the tree add.
fn taken(row: &[u8]) -> u64 {
    const AROUND: u64 = 48;
    row.len() as u64 + AROUND
}

/// Rows of a table in its order, with how often each stands.
pub(crate) struct OrderedTable {
    schema: Schema,
    codec: RowCodec,
    rows: BTreeMap<Box<[u8]>, i64>,
    total: i64,
    pending: Vec<(u64, Box<[u8]>, i64)>,
    /// Bytes of `rows` and `pending`, about.
    bytes: u64,
    errors: i64,
    pending_errors: Vec<(u64, i64)>,
    /// The last closed epoch; 0 before the first.
    pub(crate) epoch: u64,
    /// Rows read until the first closed epoch.
    pub(crate) loaded_rows: u64,
    /// Why the table no longer moves.
    pub(crate) failure: Option<String>,
}

impl OrderedTable {
    /// An empty table of what a program gives.
    ///
    /// # Errors
    /// Where a column's type cannot be ordered.
    pub(crate) fn of(program: &TableProgram) -> Result<Self, ArrowError> {
        OrderedTable::new(program.schema.clone(), &program.order_columns, &program.ordering)
    }

    /// An empty table of columns that are shown and, behind them, such that only the order reads.
    fn new(schema: Schema, order_columns: &[ColumnType], ordering: &[OrderKey]) -> Result<Self, ArrowError> {
        let mut all = schema.clone();
        all.columns.extend(order_columns.iter().map(|ty| Column { name: String::new(), ty: ty.clone() }));
        Ok(OrderedTable {
            codec: RowCodec::new(&all, ordering)?,
            schema,
            rows: BTreeMap::new(),
            total: 0,
            pending: Vec::new(),
            bytes: 0,
            errors: 0,
            pending_errors: Vec::new(),
            epoch: 0,
            loaded_rows: 0,
            failure: None,
        })
    }

    /// The columns that are shown.
    pub(crate) fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Rows, each as often as it stands.
    pub(crate) fn len(&self) -> usize {
        self.total.max(0) as usize
    }

    /// Bytes that the rows take, about.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Lets go of all rows: the table has failed, and what it holds is wanted elsewhere.
    pub(crate) fn clear(&mut self) {
        self.rows = BTreeMap::new();
        self.pending = Vec::new();
        (self.total, self.bytes) = (0, 0);
    }

    /// Rows of the second output, the table's errors.
    pub(crate) fn errors(&self) -> usize {
        self.errors.max(0) as usize
    }

    /// Takes an event of the program whose first output is the table and whose second, if any, its errors.
    /// Gives true if something that can be seen has changed.
    pub(crate) fn consume(&mut self, event: OutputEvent) -> bool {
        if self.failure.is_some() {
            return false;
        }
        match event {
            OutputEvent::Changes { port: 0, epoch, changes } => {
                if let Err(error) = self.stage(epoch, &changes) {
                    self.failure = Some(format!("rows cannot be ordered: {error}"));
                    return true;
                }
                false
            }
            OutputEvent::Changes { epoch, changes, .. } => {
                let difference = (0..changes.len()).map(|row| changes.diff(row)).sum();
                self.pending_errors.push((epoch, difference));
                false
            }
            OutputEvent::Closed { epoch } => self.close(epoch),
            OutputEvent::Loading { rows } => {
                self.loaded_rows = rows;
                self.epoch == 0
            }
            OutputEvent::Ended => false,
            OutputEvent::Failed { message } => {
                self.failure = Some(message);
                true
            }
        }
    }

    fn stage(&mut self, epoch: u64, changes: &ChangeBatch) -> Result<(), ArrowError> {
        let encoded = self.codec.encode(&changes.rows)?;
        self.pending.reserve(encoded.len());
        for (row, bytes) in encoded.into_iter().enumerate() {
            self.bytes += taken(&bytes);
            self.pending.push((epoch, bytes, changes.diff(row)));
        }
        Ok(())
    }

    fn close(&mut self, epoch: u64) -> bool {
        let first = self.epoch == 0;
        self.epoch = self.epoch.max(epoch);
        let mut moved = first;
        let mut kept = Vec::new();
        for (at, bytes, difference) in self.pending.drain(..) {
            if at > epoch {
                kept.push((at, bytes, difference));
                continue;
            }
            moved = true;
            self.total += difference;
            let bytes_of = taken(&bytes);
            match self.rows.entry(bytes) {
                Entry::Vacant(entry) => {
                    entry.insert(difference);
                }
                Entry::Occupied(mut entry) => {
                    self.bytes -= bytes_of;
                    *entry.get_mut() += difference;
                    if *entry.get() == 0 {
                        entry.remove();
                        self.bytes -= bytes_of;
                    }
                }
            }
        }
        self.pending = kept;
        self.pending_errors.retain(|(at, difference)| {
            if *at > epoch {
                return true;
            }
            moved = true;
            self.errors += difference;
            false
        });
        moved
    }

    /// Rows `offset..offset + limit` in order, each as often as it stands; columns behind those of the schema are not for
    /// showing.
    ///
    /// # Errors
    /// Where the bytes cannot be read back, which would be a fault of the encoding.
    pub(crate) fn slice(&self, offset: usize, limit: usize) -> Result<RecordBatch, ArrowError> {
        let repeated = self.rows.iter().flat_map(|(bytes, count)| (0..count.unsigned_abs()).map(move |_| &**bytes));
        self.codec.decode(repeated.skip(offset).take(limit))
    }

    /// Pieces of at most `size` rows that together are the whole table in order.
    pub(crate) fn pieces(&self, size: usize) -> impl Iterator<Item = Result<RecordBatch, ArrowError>> + '_ {
        let mut repeated =
            self.rows.iter().flat_map(|(bytes, count)| (0..count.unsigned_abs()).map(move |_| &**bytes)).peekable();
        std::iter::from_fn(move || {
            repeated.peek()?;
            Some(self.codec.decode(repeated.by_ref().take(size)))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Int64Array, StringArray};
    use tidebook_plan::{ColumnType, Type};

    use super::*;

    fn table(ordering: &[OrderKey]) -> OrderedTable {
        let columns =
            [("k".to_string(), ColumnType::required(Type::Text)), ("n".to_string(), ColumnType::nullable(Type::Int))];
        OrderedTable::new(Schema::new(columns), &[], ordering).unwrap()
    }

    fn changes(rows: &[(&str, Option<i64>, i64)]) -> ChangeBatch {
        let k = StringArray::from_iter_values(rows.iter().map(|r| r.0));
        let n = Int64Array::from_iter(rows.iter().map(|r| r.1));
        let batch =
            RecordBatch::try_from_iter([("c0", Arc::new(k) as ArrayRef), ("c1", Arc::new(n) as ArrayRef)]).unwrap();
        ChangeBatch::new(batch, rows.iter().map(|r| r.2).collect())
    }

    fn keys(table: &OrderedTable) -> Vec<String> {
        let batch = table.slice(0, 100).unwrap();
        let column = batch.column(0).as_any().downcast_ref::<StringArray>().unwrap();
        column.iter().map(|value| value.unwrap().to_string()).collect()
    }

    #[test]
    fn only_closed_epochs_are_seen() {
        let mut table = table(&[]);
        assert!(!table.consume(OutputEvent::Changes { port: 0, epoch: 5, changes: changes(&[("a", Some(1), 1)]) }));
        assert_eq!(table.len(), 0);
        assert!(table.consume(OutputEvent::Closed { epoch: 4 }));
        assert_eq!(table.len(), 0);
        assert!(table.consume(OutputEvent::Closed { epoch: 5 }));
        assert_eq!(keys(&table), vec!["a"]);
        assert!(!table.consume(OutputEvent::Closed { epoch: 6 }), "nothing moved");
    }

    #[test]
    fn rows_follow_the_order_with_ties_by_the_other_columns_and_nulls_first_when_descending() {
        let mut table = table(&[OrderKey { column: 1, descending: true }]);
        let rows = [
            ("b", Some(2), 1),
            ("a", Some(2), 2),
            ("c", None, 1),
            ("d", Some(9), 1),
            ("e", Some(7), 1),
            ("e", Some(7), -1),
        ];
        table.consume(OutputEvent::Changes { port: 0, epoch: 1, changes: changes(&rows) });
        table.consume(OutputEvent::Closed { epoch: 1 });
        assert_eq!(keys(&table), vec!["c", "d", "a", "a", "b"]);
        assert_eq!(table.slice(1, 2).unwrap().num_rows(), 2);
        assert_eq!(table.pieces(2).map(|piece| piece.unwrap().num_rows()).collect::<Vec<_>>(), vec![2, 2, 1]);
    }
}
