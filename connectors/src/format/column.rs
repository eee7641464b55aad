//! Columns under construction. Unlike Arrow's builders these can be cut back, so that a row which turns out to be
//! wrong in its last field leaves no trace, and they take bytes, so that text is checked once a chunk, not once a value.

use std::mem::take;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, DurationMicrosecondArray, FixedSizeListArray,
    Float32Array, Float64Array, Int64Array, ListArray, NullArray, StringArray, StructArray, TimestampMicrosecondArray,
};
use arrow_buffer::{BooleanBufferBuilder, Buffer, NullBuffer, NullBufferBuilder, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, FieldRef};
use tidebook_plan::{ColumnType, Type};

use super::shape::Shape;

/// One column under construction.
pub struct ColumnBuilder {
    pub(super) values: Values,
    nulls: NullBufferBuilder,
}

/// The values of a column; null rows have a placeholder.
pub(super) enum Values {
    Null,
    Bool(BooleanBufferBuilder),
    Int(Vec<i64>),
    Float(Vec<f64>),
    Decimal { values: Vec<i128>, precision: u8, scale: i8 },
    Text(Runs),
    Json(Runs),
    Bytes(Runs),
    Date(Vec<i32>),
    Timestamp(Vec<i64>),
    Duration(Vec<i64>),
    Vector { items: Vec<f32>, size: usize, field: FieldRef },
    List { ends: Vec<i32>, item: Box<ColumnBuilder>, ty: ColumnType, field: FieldRef },
    Record { columns: Vec<ColumnBuilder>, shape: Arc<Shape>, fields: arrow_schema::Fields },
}

/// Byte strings one after the other.
pub(super) struct Runs {
    /// All bytes; those after the last end belong to a value that is being written.
    pub bytes: Vec<u8>,
    ends: Vec<i32>,
}

impl Runs {
    fn new() -> Runs {
        Runs { bytes: Vec::new(), ends: vec![0] }
    }

    /// Adds a value.
    #[inline]
    pub fn push(&mut self, value: &[u8]) {
        self.bytes.extend_from_slice(value);
        self.end();
    }

    /// Ends the value that was written into `bytes`.
    #[inline]
    pub fn end(&mut self) {
        // A batch holds one chunk of input and at most one oversized record: far below 2 GiB.
        self.ends.push(self.bytes.len() as i32);
    }

    fn truncate(&mut self, len: usize) {
        self.ends.truncate(len + 1);
        self.bytes.truncate(self.ends[len] as usize);
    }

    fn take(&mut self) -> (OffsetBuffer<i32>, Buffer) {
        let next = Runs { bytes: Vec::with_capacity(self.bytes.len()), ends: Vec::with_capacity(self.ends.len()) };
        let full = std::mem::replace(self, next);
        self.ends.push(0);
        (OffsetBuffer::new(ScalarBuffer::from(full.ends)), Buffer::from_vec(full.bytes))
    }
}

impl ColumnBuilder {
    /// An empty column of a type.
    pub fn new(ty: &Type) -> ColumnBuilder {
        let values = match ty {
            Type::Null => Values::Null,
            Type::Bool => Values::Bool(BooleanBufferBuilder::new(0)),
            Type::Int => Values::Int(Vec::new()),
            Type::Float => Values::Float(Vec::new()),
            Type::Decimal { precision, scale } => {
                Values::Decimal { values: Vec::new(), precision: *precision, scale: *scale }
            }
            Type::Text => Values::Text(Runs::new()),
            Type::Json => Values::Json(Runs::new()),
            Type::Bytes => Values::Bytes(Runs::new()),
            Type::Date => Values::Date(Vec::new()),
            Type::Timestamp => Values::Timestamp(Vec::new()),
            Type::Duration => Values::Duration(Vec::new()),
            Type::Vector(size) => {
                Values::Vector { items: Vec::new(), size: usize::try_from(*size).unwrap_or(0), field: item_field(ty) }
            }
            Type::List(item) => Values::List {
                ends: vec![0],
                item: Box::new(ColumnBuilder::new(&item.ty)),
                ty: (**item).clone(),
                field: item_field(ty),
            },
            Type::Record(fields) => Values::Record {
                columns: fields.iter().map(|(_, ty)| ColumnBuilder::new(&ty.ty)).collect(),
                shape: Arc::new(Shape::of_record(fields)),
                fields: match ty.to_arrow() {
                    DataType::Struct(fields) => fields,
                    other => unreachable!("a record is a struct, not {other}"),
                },
            },
        };
        ColumnBuilder { values, nulls: NullBufferBuilder::new(0) }
    }

    /// Number of rows.
    #[inline]
    pub fn len(&self) -> usize {
        self.nulls.len()
    }

    /// Marks that the value just written to `values` is there.
    #[inline]
    pub(super) fn valid(&mut self) {
        self.nulls.append_non_null();
    }

    /// Adds a null.
    pub fn push_null(&mut self) {
        self.nulls.append_null();
        match &mut self.values {
            Values::Null => {}
            Values::Bool(values) => values.append(false),
            Values::Int(values) | Values::Timestamp(values) | Values::Duration(values) => values.push(0),
            Values::Float(values) => values.push(0.0),
            Values::Decimal { values, .. } => values.push(0),
            Values::Text(runs) | Values::Json(runs) | Values::Bytes(runs) => runs.end(),
            Values::Date(values) => values.push(0),
            Values::Vector { items, size, .. } => items.resize(items.len() + *size, 0.0),
            Values::List { ends, item, .. } => ends.push(item.len() as i32),
            Values::Record { columns, .. } => columns.iter_mut().for_each(ColumnBuilder::push_null),
        }
    }

    /// Cuts back to `len` rows, and drops whatever a failed value has left behind them.
    pub fn truncate(&mut self, len: usize) {
        if self.nulls.len() > len {
            self.nulls.truncate(len);
        }
        match &mut self.values {
            Values::Null => {}
            Values::Bool(values) => values.truncate(len),
            Values::Int(values) | Values::Timestamp(values) | Values::Duration(values) => values.truncate(len),
            Values::Float(values) => values.truncate(len),
            Values::Decimal { values, .. } => values.truncate(len),
            Values::Text(runs) | Values::Json(runs) | Values::Bytes(runs) => runs.truncate(len),
            Values::Date(values) => values.truncate(len),
            Values::Vector { items, size, .. } => items.truncate(len * *size),
            Values::List { ends, item, .. } => {
                ends.truncate(len + 1);
                item.truncate(ends[len] as usize);
            }
            Values::Record { columns, .. } => columns.iter_mut().for_each(|column| column.truncate(len)),
        }
    }

    /// The column, leaving an empty builder that expects about as much again.
    pub fn finish(&mut self) -> ArrayRef {
        let len = self.nulls.len();
        let nulls = self.nulls.finish();
        match &mut self.values {
            Values::Null => Arc::new(NullArray::new(len)),
            Values::Bool(values) => Arc::new(BooleanArray::new(values.finish(), nulls)),
            Values::Int(values) => Arc::new(Int64Array::new(next(values).into(), nulls)),
            Values::Timestamp(values) => Arc::new(TimestampMicrosecondArray::new(next(values).into(), nulls)),
            Values::Duration(values) => Arc::new(DurationMicrosecondArray::new(next(values).into(), nulls)),
            Values::Float(values) => Arc::new(Float64Array::new(next(values).into(), nulls)),
            Values::Date(values) => Arc::new(Date32Array::new(next(values).into(), nulls)),
            Values::Decimal { values, precision, scale } => {
                let ty = DataType::Decimal128(*precision, *scale);
                Arc::new(Decimal128Array::new(next(values).into(), nulls).with_data_type(ty))
            }
            Values::Text(runs) | Values::Json(runs) => Arc::new(text_array(runs.take(), nulls)),
            Values::Bytes(runs) => {
                let (offsets, bytes) = runs.take();
                Arc::new(BinaryArray::new(offsets, bytes, nulls))
            }
            Values::Vector { items, size, field } => {
                let items = Arc::new(Float32Array::new(next(items).into(), None));
                let size = *size as i32;
                match FixedSizeListArray::try_new_with_length(field.clone(), size, items, nulls, len) {
                    Ok(array) => Arc::new(array),
                    Err(error) => panic!("invariant: a vector has `size` items a row: {error}"),
                }
            }
            Values::List { ends, item, field, .. } => {
                let offsets = OffsetBuffer::new(ScalarBuffer::from(take(ends)));
                ends.push(0);
                Arc::new(ListArray::new(field.clone(), offsets, item.finish(), nulls))
            }
            Values::Record { columns, fields, .. } => {
                let columns = columns.iter_mut().map(ColumnBuilder::finish).collect();
                match StructArray::try_new_with_length(fields.clone(), columns, nulls, len) {
                    Ok(array) => Arc::new(array),
                    Err(error) => panic!("invariant: the columns of a record are equally long: {error}"),
                }
            }
        }
    }
}

/// The values, leaving room for as many again.
fn next<T>(values: &mut Vec<T>) -> Vec<T> {
    let capacity = values.len();
    std::mem::replace(values, Vec::with_capacity(capacity))
}

fn item_field(ty: &Type) -> FieldRef {
    match ty.to_arrow() {
        DataType::FixedSizeList(field, _) | DataType::List(field) => field,
        other => unreachable!("vectors and lists are Arrow lists, not {other}"),
    }
}

fn text_array((offsets, bytes): (OffsetBuffer<i32>, Buffer), nulls: Option<NullBuffer>) -> StringArray {
    match StringArray::try_new(offsets, bytes, nulls) {
        Ok(array) => array,
        Err(error) => panic!("invariant: decoders push only checked text: {error}"),
    }
}
