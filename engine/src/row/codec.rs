//! Between Arrow columns and packed keys and values.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_row::{RowConverter, Rows, SortField};
use arrow_schema::{DataType, SchemaRef, SortOptions};
use tidebook_plan::ChangeBatch;
use tidebook_plan::flow::OrderKey;

use super::batcher::Chunk;
use super::hash::hash_bytes;
use super::packed::Packed;
use crate::delta::batch_of;

/// First byte of a key without nulls.
const PLAIN_KEY: u8 = 0;
/// First byte of a key in which a column is null. Such keys sort last, and joins on SQL's terms stop there.
pub(crate) const NULL_KEY: u8 = 1;

/// Which columns of a node are the key of an arrangement, and in which order its values lie.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Layout {
    /// Key columns.
    pub key: Vec<usize>,
    /// Columns that values are ordered by first; the others follow in their order, ascending.
    pub order: Vec<OrderKey>,
}

impl Layout {
    /// Key columns, values in the order of their columns.
    pub fn by(key: &[usize]) -> Self {
        Layout { key: key.to_vec(), order: Vec::new() }
    }

    /// Columns of the values with their directions: all that are not in the key.
    fn values(&self, columns: usize) -> Vec<OrderKey> {
        let mut values: Vec<OrderKey> = Vec::new();
        for order in &self.order {
            if !self.key.contains(&order.column) && values.iter().all(|v| v.column != order.column) {
                values.push(*order);
            }
        }
        for column in 0..columns {
            if !self.key.contains(&column) && values.iter().all(|v| v.column != column) {
                values.push(OrderKey { column, descending: false });
            }
        }
        values
    }
}

/// Nulls are larger than every value in either direction.
fn options(descending: bool) -> SortOptions {
    SortOptions { descending, nulls_first: descending }
}

/// A converter for columns of these types, ascending.
pub(crate) fn converter<'a>(types: impl IntoIterator<Item = &'a DataType>) -> RowConverter {
    converter_with(types.into_iter().map(|ty| SortField::new_with_options(ty.clone(), options(false))).collect())
}

/// A converter for columns of these types in these directions, whose bytes a value of a layout with this order begins with.
pub(crate) fn order_converter<'a>(columns: impl IntoIterator<Item = (&'a DataType, bool)>) -> RowConverter {
    let fields = columns.into_iter().map(|(ty, down)| SortField::new_with_options(ty.clone(), options(down)));
    converter_with(fields.collect())
}

fn converter_with(fields: Vec<SortField>) -> RowConverter {
    match RowConverter::new(fields) {
        Ok(converter) => converter,
        Err(error) => panic!("every type of the language has a row format: {error}"),
    }
}

/// Encodes rows of one node for one layout, and decodes them.
pub(crate) struct Codec {
    schema: SchemaRef,
    key_columns: Vec<usize>,
    value_columns: Vec<usize>,
    key: RowConverter,
    value: RowConverter,
}

impl Codec {
    /// For rows of `schema`.
    pub fn new(schema: &SchemaRef, layout: &Layout) -> Self {
        let ty = |column: usize| schema.field(column).data_type().clone();
        let values = layout.values(schema.fields().len());
        let key = layout.key.iter().map(|c| SortField::new_with_options(ty(*c), options(false))).collect();
        let value = values.iter().map(|v| SortField::new_with_options(ty(v.column), options(v.descending))).collect();
        Codec {
            schema: Arc::clone(schema),
            key_columns: layout.key.clone(),
            value_columns: values.iter().map(|v| v.column).collect(),
            key: converter_with(key),
            value: converter_with(value),
        }
    }

    /// Columns of the key.
    pub fn key_columns(&self) -> &[usize] {
        &self.key_columns
    }

    /// Columns of the value, in their order.
    pub fn value_columns(&self) -> &[usize] {
        &self.value_columns
    }

    /// Type of the column that values begin with.
    pub fn first_value_type(&self) -> &DataType {
        self.schema.field(self.value_columns[0]).data_type()
    }

    /// One chunk for each worker that gets rows.
    pub fn encode(&self, epoch: u64, changes: &ChangeBatch, peers: usize) -> Vec<Chunk<i64>> {
        let diffs = (0..changes.len()).map(|i| changes.diff(i)).collect();
        self.encode_with(epoch, &changes.rows, diffs, peers)
    }

    /// The same with any kind of difference.
    pub fn encode_with<R: Clone>(&self, epoch: u64, rows: &RecordBatch, diffs: Vec<R>, peers: usize) -> Vec<Chunk<R>> {
        let count = rows.num_rows();
        let key_arrays: Vec<ArrayRef> = self.key_columns.iter().map(|c| Arc::clone(rows.column(*c))).collect();
        let value_arrays: Vec<ArrayRef> = self.value_columns.iter().map(|c| Arc::clone(rows.column(*c))).collect();
        let keys = convert(&self.key, &key_arrays);
        let values = convert(&self.value, &value_arrays);
        let nullable: Vec<&ArrayRef> = key_arrays.iter().filter(|array| array.is_nullable()).collect();
        let marker = |row: usize| if nullable.iter().any(|array| array.is_null(row)) { NULL_KEY } else { PLAIN_KEY };
        let mut chunks: Vec<Chunk<R>> = (0..peers).map(|target| Chunk::new(target as u64, epoch)).collect();
        if let [chunk] = &mut chunks[..] {
            let size = |rows: &Option<Rows>| rows.as_ref().map_or(0, |rows| rows.lengths().sum::<usize>());
            chunk.keys = Packed::with_capacity(count, count + size(&keys));
            chunk.vals = Packed::with_capacity(count, size(&values));
            for row in 0..count {
                chunk.keys.push_parts(&[marker(row)], bytes_of(&keys, row));
                chunk.vals.push(bytes_of(&values, row));
            }
            chunk.diffs = diffs;
        } else {
            for (row, diff) in diffs.into_iter().enumerate() {
                let key = bytes_of(&keys, row);
                let chunk = &mut chunks[worker_of(marker(row), key, peers)];
                chunk.keys.push_parts(&[marker(row)], key);
                chunk.vals.push(bytes_of(&values, row));
                chunk.diffs.push(diff);
            }
        }
        chunks.retain(|chunk| !chunk.diffs.is_empty());
        chunks
    }

    /// The encoding of a value of which every column is null; it is larger than every other.
    pub fn null_value(&self) -> Vec<u8> {
        let nulls = |column: &usize| arrow_array::new_null_array(self.schema.field(*column).data_type(), 1);
        let nulls: Vec<ArrayRef> = self.value_columns.iter().map(nulls).collect();
        bytes_of(&convert(&self.value, &nulls), 0).to_vec()
    }

    /// The key columns of encoded keys.
    pub fn decode_keys(&self, keys: &[&[u8]]) -> Vec<ArrayRef> {
        restore(&self.key, keys.iter().map(|key| &key[1..]))
    }

    /// The value columns of encoded values, in their order.
    pub fn decode_values(&self, values: &[&[u8]]) -> Vec<ArrayRef> {
        restore(&self.value, values.iter().copied())
    }

    /// The columns of the node, in its order.
    pub fn decode_columns(&self, keys: &[&[u8]], values: &[&[u8]]) -> Vec<ArrayRef> {
        let mut columns: Vec<Option<ArrayRef>> = vec![None; self.schema.fields().len()];
        for (column, array) in self.key_columns.iter().zip(self.decode_keys(keys)) {
            columns[*column] = Some(array);
        }
        for (column, array) in self.value_columns.iter().zip(self.decode_values(values)) {
            columns[*column] = Some(array);
        }
        columns
            .into_iter()
            .map(|column| match column {
                Some(column) => column,
                None => unreachable!("every column is in the key or in the value"),
            })
            .collect()
    }

    /// The rows of encoded keys and values.
    pub fn decode(&self, keys: &[&[u8]], values: &[&[u8]]) -> RecordBatch {
        batch_of(&self.schema, self.decode_columns(keys, values), keys.len())
    }
}

/// The worker that keeps the empty key.
pub(crate) fn worker_of_empty_key(peers: usize) -> usize {
    worker_of(PLAIN_KEY, &[], peers)
}

/// The worker that keeps an encoded key.
pub(crate) fn worker_of_key(key: &[u8], peers: usize) -> usize {
    worker_of(key[0], &key[1..], peers)
}

fn worker_of(marker: u8, key: &[u8], peers: usize) -> usize {
    if marker == NULL_KEY { (hash_bytes(key) ^ 1) as usize % peers } else { hash_bytes(key) as usize % peers }
}

/// `None` without columns: `arrow-row` does not count rows then.
fn convert(converter: &RowConverter, arrays: &[ArrayRef]) -> Option<Rows> {
    if arrays.is_empty() {
        return None;
    }
    match converter.convert_columns(arrays) {
        Ok(rows) => Some(rows),
        Err(error) => panic!("columns do not have the types that the plan says: {error}"),
    }
}

fn bytes_of(rows: &Option<Rows>, row: usize) -> &[u8] {
    // `Row` borrows from `Rows`, so its data lives as long.
    rows.as_ref().map_or(&[], |rows| rows.row(row).data())
}

fn restore<'a>(converter: &RowConverter, rows: impl Iterator<Item = &'a [u8]>) -> Vec<ArrayRef> {
    let parser = converter.parser();
    let rows: Vec<_> = rows.collect();
    match converter.convert_rows(rows.iter().map(|row| parser.parse(row))) {
        Ok(columns) => columns,
        Err(error) => panic!("packed rows were made by the same converter: {error}"),
    }
}
