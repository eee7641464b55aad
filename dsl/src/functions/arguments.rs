//! The arguments of a kernel as typed arrays, and ways to make its result.

use std::any::Any;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Date32Array, Decimal128Array, DurationMicrosecondArray,
    Float64Array, Int64Array, ListArray, PrimitiveArray, StringArray, TimestampMicrosecondArray, new_null_array,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Decimal128Type, DurationMicrosecondType, Float64Type, Int64Type,
    TimestampMicrosecondType,
};
use datafusion_common::{DataFusionError, Result};
use datafusion_expr::ColumnarValue;

use super::prepare::Prepared;

/// What a kernel is evaluated on.
pub struct Arguments<'a> {
    values: &'a [ColumnarValue],
    rows: usize,
    output: &'a DataType,
    ready: &'a [(usize, Prepared)],
}

/// One side of a binary operation: a column, or one value for all rows.
pub enum Side<T: ArrowPrimitiveType> {
    /// One value; `None` is null.
    Constant(Option<T::Native>),
    /// A value a row.
    Column(PrimitiveArray<T>),
}

/// A text a row, or one text for all rows, which is not copied for each.
pub struct Texts {
    texts: StringArray,
    constant: bool,
}

impl Texts {
    /// The text of a row, which is not null.
    pub fn value(&self, row: usize) -> &str {
        self.texts.value(if self.constant { 0 } else { row })
    }

    /// Each text that is not null, a constant one once.
    pub fn each(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().flatten()
    }
}

fn wrong_type(index: usize, expected: &str, found: &DataType) -> DataFusionError {
    DataFusionError::Internal(format!("argument {index} is {found}, the binder promised {expected}"))
}

impl<'a> Arguments<'a> {
    /// Arguments of the same number of rows.
    pub fn new(values: &'a [ColumnarValue], rows: usize, output: &'a DataType, ready: &'a [(usize, Prepared)]) -> Self {
        Arguments { values, rows, output, ready }
    }

    /// What argument `index` was read into when the call was bound, if it is a constant.
    pub fn prepared<T: Any>(&self, index: usize) -> Option<&T> {
        self.ready.iter().find(|(argument, _)| *argument == index).and_then(|(_, value)| value.downcast_ref())
    }

    /// Number of rows of the result.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// True without arguments.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Number of arguments.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Type of the result.
    pub fn output(&self) -> &DataType {
        self.output
    }

    /// Arrow type of argument `index`.
    pub fn data_type(&self, index: usize) -> DataType {
        self.values[index].data_type()
    }

    /// Argument `index` as an array with one value a row.
    pub fn array(&self, index: usize) -> Result<ArrayRef> {
        self.values[index].to_array(self.rows)
    }

    /// Argument `index` as a primitive array.
    pub fn primitive<T: ArrowPrimitiveType>(&self, index: usize) -> Result<PrimitiveArray<T>> {
        let array = self.array(index)?;
        let typed = array.as_primitive_opt::<T>().cloned();
        typed.ok_or_else(|| wrong_type(index, &T::DATA_TYPE.to_string(), array.data_type()))
    }

    /// Argument `index` as one side of a binary operation.
    pub fn side<T: ArrowPrimitiveType>(&self, index: usize) -> Result<Side<T>> {
        match &self.values[index] {
            ColumnarValue::Array(_) => Ok(Side::Column(self.primitive::<T>(index)?)),
            ColumnarValue::Scalar(value) => {
                let array = value.to_array_of_size(1)?;
                let typed = array.as_primitive_opt::<T>();
                let typed = typed.ok_or_else(|| wrong_type(index, &T::DATA_TYPE.to_string(), array.data_type()))?;
                Ok(Side::Constant(typed.is_valid(0).then(|| typed.value(0))))
            }
        }
    }

    /// Argument `index`, an int.
    pub fn int(&self, index: usize) -> Result<Int64Array> {
        self.primitive::<Int64Type>(index)
    }

    /// Argument `index`, a float.
    pub fn float(&self, index: usize) -> Result<Float64Array> {
        self.primitive::<Float64Type>(index)
    }

    /// Argument `index`, a decimal.
    pub fn decimal(&self, index: usize) -> Result<Decimal128Array> {
        self.primitive::<Decimal128Type>(index)
    }

    /// Argument `index`, a date.
    pub fn date(&self, index: usize) -> Result<Date32Array> {
        self.primitive::<Date32Type>(index)
    }

    /// Argument `index`, a timestamp.
    pub fn timestamp(&self, index: usize) -> Result<TimestampMicrosecondArray> {
        self.primitive::<TimestampMicrosecondType>(index)
    }

    /// Argument `index`, a duration.
    pub fn duration(&self, index: usize) -> Result<DurationMicrosecondArray> {
        self.primitive::<DurationMicrosecondType>(index)
    }

    /// Argument `index`, a text or a JSON document.
    pub fn text(&self, index: usize) -> Result<Texts> {
        let (array, constant) = match &self.values[index] {
            ColumnarValue::Array(array) => (Arc::clone(array), false),
            ColumnarValue::Scalar(value) => (value.to_array_of_size(1)?, true),
        };
        let texts = array.as_string_opt::<i32>().cloned();
        let texts = texts.ok_or_else(|| wrong_type(index, "Utf8", array.data_type()))?;
        Ok(Texts { texts, constant })
    }

    /// Argument `index`, bytes.
    pub fn bytes(&self, index: usize) -> Result<BinaryArray> {
        let array = self.array(index)?;
        array.as_binary_opt::<i32>().cloned().ok_or_else(|| wrong_type(index, "Binary", array.data_type()))
    }

    /// Argument `index`, a list.
    pub fn list(&self, index: usize) -> Result<ListArray> {
        let array = self.array(index)?;
        array.as_list_opt::<i32>().cloned().ok_or_else(|| wrong_type(index, "List", array.data_type()))
    }

    /// Argument `index`, a bool.
    pub fn boolean(&self, index: usize) -> Result<BooleanArray> {
        let array = self.array(index)?;
        array.as_boolean_opt().cloned().ok_or_else(|| wrong_type(index, "Boolean", array.data_type()))
    }

    /// Rows in which some argument is null.
    pub fn nulls(&self) -> Result<Option<NullBuffer>> {
        let mut nulls = None;
        for value in self.values {
            nulls = match value {
                ColumnarValue::Array(array) => NullBuffer::union(nulls.as_ref(), array.logical_nulls().as_ref()),
                ColumnarValue::Scalar(value) if value.is_null() => return Ok(Some(NullBuffer::new_null(self.rows))),
                ColumnarValue::Scalar(_) => nulls,
            };
        }
        Ok(nulls)
    }

    /// An array of `cell(row)` for the rows in which no argument is null, null elsewhere.
    pub fn collect<A, T>(&self, cell: impl Fn(usize) -> Result<T>) -> Result<ArrayRef>
    where
        A: Array + FromIterator<Option<T>> + 'static,
    {
        self.collect_nullable::<A, T>(|row| cell(row).map(Some))
    }

    /// As [`Arguments::collect`] for a cell that may be null.
    pub fn collect_nullable<A, T>(&self, cell: impl Fn(usize) -> Result<Option<T>>) -> Result<ArrayRef>
    where
        A: Array + FromIterator<Option<T>> + 'static,
    {
        let nulls = self.nulls()?;
        let is_null = |row| nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
        let cells = (0..self.rows).map(|row| if is_null(row) { Ok(None) } else { cell(row) });
        Ok(Arc::new(cells.collect::<Result<A>>()?))
    }

    /// The result of the declared type in which every row is null.
    pub fn all_null(&self) -> ArrayRef {
        new_null_array(self.output, self.rows)
    }
}

/// Applies `f` to the rows in which neither side is null; `explain` makes the row error of a failure.
pub fn zip<L, R, O, F>(
    args: &Arguments<'_>,
    f: impl Fn(L::Native, R::Native) -> std::result::Result<O::Native, F>,
    explain: impl Fn(F, L::Native, R::Native) -> String,
) -> Result<ArrayRef>
where
    L: ArrowPrimitiveType,
    R: ArrowPrimitiveType,
    O: ArrowPrimitiveType,
{
    let (left, right) = (args.side::<L>(0)?, args.side::<R>(1)?);
    let fail = |failure, l, r| super::kernel::row_error(explain(failure, l, r));
    let mut values: Vec<O::Native> = Vec::with_capacity(args.rows());
    let nulls = match (&left, &right) {
        (Side::Constant(None), _) | (_, Side::Constant(None)) => return Ok(args.all_null()),
        (Side::Constant(Some(l)), Side::Constant(Some(r))) => {
            values.push(f(*l, *r).map_err(|failure| fail(failure, *l, *r))?);
            None
        }
        (Side::Column(l), Side::Constant(Some(r))) => {
            for (row, l_value) in l.values().iter().enumerate() {
                values.push(if l.is_null(row) {
                    O::Native::default()
                } else {
                    f(*l_value, *r).map_err(|failure| fail(failure, *l_value, *r))?
                });
            }
            l.nulls().cloned()
        }
        (Side::Constant(Some(l)), Side::Column(r)) => {
            for (row, r_value) in r.values().iter().enumerate() {
                values.push(if r.is_null(row) {
                    O::Native::default()
                } else {
                    f(*l, *r_value).map_err(|failure| fail(failure, *l, *r_value))?
                });
            }
            r.nulls().cloned()
        }
        (Side::Column(l), Side::Column(r)) => {
            let nulls = NullBuffer::union(l.nulls(), r.nulls());
            for (row, (l_value, r_value)) in l.values().iter().zip(r.values()).enumerate() {
                let null = nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
                values.push(if null {
                    O::Native::default()
                } else {
                    f(*l_value, *r_value).map_err(|failure| fail(failure, *l_value, *r_value))?
                });
            }
            nulls
        }
    };
    let array = PrimitiveArray::<O>::new(values.into(), nulls).with_data_type(args.output().clone());
    Ok(Arc::new(array))
}
