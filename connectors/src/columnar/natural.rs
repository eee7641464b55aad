//! Arrow arrays of any kind as the one Arrow type of their Tide type.
//!
//! Arrays that are already so are shared. A value that its type cannot hold is null in the result and is told as a
//! [`Failure`] of its row.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{
    Array, ArrayRef, ArrowPrimitiveType, FixedSizeBinaryArray, FixedSizeListArray, Float64Array, ListArray,
    PrimitiveArray, StringArray, StructArray,
};
use arrow_buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{ArrowError, DataType, IntervalUnit, TimeUnit};
use tidebook_plan::{ColumnType, Type};

use crate::format::scalar::normal;

/// A row whose value is none of its column's type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Position in the array.
    pub row: usize,
    /// Why, as the end of a sentence about the column.
    pub message: String,
}

/// Brings an array to the Arrow type of `ty`, its natural type.
///
/// # Errors
/// Where Arrow refuses, for example because texts are longer than 2 GB together.
pub fn to_natural(array: &ArrayRef, ty: &Type, failures: &mut Vec<Failure>) -> Result<ArrayRef, ArrowError> {
    let own = array.data_type();
    match own {
        DataType::Dictionary(_, values) => {
            return to_natural(&plain(array, values)?, ty, failures);
        }
        DataType::RunEndEncoded(_, values) => {
            return to_natural(&plain(array, values.data_type())?, ty, failures);
        }
        _ => {}
    }
    Ok(match own {
        DataType::Float16 | DataType::Float32 => normalised(&plain(array, &DataType::Float64)?),
        DataType::Float64 => normalised(array),
        DataType::UInt64 => checked::<UInt64Type, Int64Type>(array, ty, failures, |value| i64::try_from(value).ok()),
        DataType::Timestamp(..) => timestamp(array, failures),
        DataType::Duration(TimeUnit::Microsecond) => array.clone(),
        DataType::Duration(TimeUnit::Second) => {
            checked::<DurationSecondType, DurationMicrosecondType>(array, ty, failures, |v| v.checked_mul(1_000_000))
        }
        DataType::Duration(TimeUnit::Millisecond) => {
            checked::<DurationMillisecondType, DurationMicrosecondType>(array, ty, failures, |v| v.checked_mul(1_000))
        }
        DataType::Duration(TimeUnit::Nanosecond) => {
            checked::<DurationNanosecondType, DurationMicrosecondType>(array, ty, failures, |v| {
                Some(v.div_euclid(1_000))
            })
        }
        DataType::Time32(TimeUnit::Second) => {
            checked::<Time32SecondType, DurationMicrosecondType>(array, ty, failures, |v| {
                Some(i64::from(v) * 1_000_000)
            })
        }
        DataType::Time32(_) => checked::<Time32MillisecondType, DurationMicrosecondType>(array, ty, failures, |v| {
            Some(i64::from(v) * 1_000)
        }),
        DataType::Time64(TimeUnit::Nanosecond) => {
            checked::<Time64NanosecondType, DurationMicrosecondType>(array, ty, failures, |v| Some(v.div_euclid(1_000)))
        }
        DataType::Time64(_) => checked::<Time64MicrosecondType, DurationMicrosecondType>(array, ty, failures, Some),
        DataType::Date64 => checked::<Date64Type, Date32Type>(array, ty, failures, |millis| {
            i32::try_from(millis.div_euclid(86_400_000)).ok()
        }),
        DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) | DataType::Decimal256(..) => {
            decimal(array, ty, failures)?
        }
        DataType::Interval(IntervalUnit::YearMonth | IntervalUnit::DayTime | IntervalUnit::MonthDayNano) => {
            plain(array, &DataType::Utf8)?
        }
        DataType::FixedSizeBinary(16) if *ty == Type::Text => uuids(array.as_fixed_size_binary()),
        DataType::ListView(item) | DataType::LargeListView(item) | DataType::LargeList(item) => {
            to_natural(&plain(array, &DataType::List(item.clone()))?, ty, failures)?
        }
        DataType::Map(..) => {
            let map = array.as_map();
            let pairs: ArrayRef = Arc::new(map.entries().clone());
            list(map.offsets(), &pairs, map.nulls(), ty, failures)?
        }
        DataType::List(_) => {
            let lists = array.as_list::<i32>();
            list(lists.offsets(), lists.values(), lists.nulls(), ty, failures)?
        }
        DataType::FixedSizeList(item, _) => match ty {
            Type::Vector(size) => vector(array.as_fixed_size_list(), *size, ty, failures)?,
            _ => to_natural(&plain(array, &DataType::List(item.clone()))?, ty, failures)?,
        },
        DataType::Struct(_) => record(array.as_struct(), ty, failures)?,
        own if *own == ty.to_arrow() => array.clone(),
        _ => plain(array, &ty.to_arrow())?,
    })
}

/// UUIDs as everybody writes them. The order of the texts is that of the bytes.
fn uuids(array: &FixedSizeBinaryArray) -> ArrayRef {
    let text = |bytes: &[u8]| {
        let mut text = String::with_capacity(36);
        for (at, byte) in bytes.iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                text.push('-');
            }
            text.push_str(&format!("{byte:02x}"));
        }
        text
    };
    let texts: StringArray = array.iter().map(|bytes| bytes.map(text)).collect();
    Arc::new(texts)
}

/// A cast that every value survives.
fn plain(array: &ArrayRef, to: &DataType) -> Result<ArrayRef, ArrowError> {
    cast_with_options(array, to, &CastOptions { safe: false, ..CastOptions::default() })
}

/// Computes values one by one; those without a result are failures.
fn checked<I, O>(
    array: &ArrayRef,
    ty: &Type,
    failures: &mut Vec<Failure>,
    compute: impl Fn(I::Native) -> Option<O::Native>,
) -> ArrayRef
where
    I: ArrowPrimitiveType,
    O: ArrowPrimitiveType,
    I::Native: std::fmt::Display,
{
    let from = array.as_primitive::<I>();
    let result: PrimitiveArray<O> = from.unary_opt(compute);
    if result.null_count() > from.null_count() {
        let failed = (0..from.len()).filter(|row| from.is_valid(*row) && result.is_null(*row));
        failures.extend(failed.map(|row| Failure { row, message: out_of_range(&from.value(row), ty) }));
    }
    Arc::new(result)
}

fn out_of_range(value: &dyn std::fmt::Display, ty: &Type) -> String {
    format!("{value} is out of the range of {ty}")
}

/// Any unit and zone as microseconds UTC. Without a zone a timestamp is taken for UTC; parts of a microsecond are cut.
fn timestamp(array: &ArrayRef, failures: &mut Vec<Failure>) -> ArrayRef {
    let DataType::Timestamp(unit, zone) = array.data_type() else {
        panic!("invariant: only timestamps are read as timestamps");
    };
    let ty = &Type::Timestamp;
    match (unit, zone) {
        (TimeUnit::Microsecond, None) => array.clone(),
        (TimeUnit::Microsecond, Some(_)) => {
            Arc::new(array.as_primitive::<TimestampMicrosecondType>().clone().with_timezone_opt(None::<&str>))
        }
        (TimeUnit::Second, _) => {
            checked::<TimestampSecondType, TimestampMicrosecondType>(array, ty, failures, |v| v.checked_mul(1_000_000))
        }
        (TimeUnit::Millisecond, _) => {
            checked::<TimestampMillisecondType, TimestampMicrosecondType>(array, ty, failures, |v| v.checked_mul(1_000))
        }
        (TimeUnit::Nanosecond, _) => {
            checked::<TimestampNanosecondType, TimestampMicrosecondType>(array, ty, failures, |v| {
                Some(v.div_euclid(1_000))
            })
        }
    }
}

/// A fixed-point number of any width; what has more digits than Tide's 38 fails.
fn decimal(array: &ArrayRef, ty: &Type, failures: &mut Vec<Failure>) -> Result<ArrayRef, ArrowError> {
    let Type::Decimal { precision, scale } = ty else {
        panic!("invariant: the natural type of a decimal is a decimal");
    };
    let to = DataType::Decimal128(*precision, *scale);
    if *array.data_type() == to {
        return Ok(array.clone());
    }
    // The natural type has at least the digits and the scale of the column: nothing is rounded.
    let result = cast_with_options(array, &to, &CastOptions { safe: true, ..CastOptions::default() })?;
    lost(array, &result, ty, failures);
    Ok(result)
}

/// Tells values that became null.
pub fn lost(before: &ArrayRef, after: &ArrayRef, ty: &Type, failures: &mut Vec<Failure>) {
    if after.null_count() == before.null_count() {
        return;
    }
    for row in (0..before.len()).filter(|row| before.is_valid(*row) && after.is_null(*row)) {
        let value = arrow_cast::display::array_value_to_string(before, row).unwrap_or_default();
        failures.push(Failure { row, message: out_of_range(&value, ty) });
    }
}

/// Floats with one zero and one NaN; shared if they have no other.
fn normalised(array: &ArrayRef) -> ArrayRef {
    let floats = array.as_primitive::<Float64Type>();
    let odd = |value: &f64| value.to_bits() != normal(*value).to_bits();
    if !floats.values().iter().any(odd) {
        return array.clone();
    }
    let normal: Float64Array = floats.unary(normal);
    Arc::new(normal)
}

fn list(
    offsets: &OffsetBuffer<i32>,
    values: &ArrayRef,
    nulls: Option<&NullBuffer>,
    ty: &Type,
    failures: &mut Vec<Failure>,
) -> Result<ArrayRef, ArrowError> {
    let Type::List(item) = ty else { panic!("invariant: the natural type of a list is a list") };
    let DataType::List(field) = ty.to_arrow() else { panic!("invariant: a list is an Arrow list") };
    // A slice keeps the values of all rows.
    let (first, last) = (offsets[0], offsets[offsets.len() - 1]);
    let used = values.slice(first as usize, (last - first) as usize);
    let rebased = if first == 0 {
        offsets.clone()
    } else {
        OffsetBuffer::new(ScalarBuffer::from(offsets.iter().map(|offset| offset - first).collect::<Vec<_>>()))
    };
    let mut inner = Vec::new();
    let items = to_natural(&used, &item.ty, &mut inner)?;
    for failure in inner {
        let row = rebased.partition_point(|offset| *offset as usize <= failure.row) - 1;
        if nulls.is_none_or(|nulls| nulls.is_valid(row)) {
            failures.push(Failure { row, ..failure });
        }
    }
    Ok(Arc::new(ListArray::try_new(field, rebased, items, nulls.cloned())?))
}

fn record(structs: &StructArray, ty: &Type, failures: &mut Vec<Failure>) -> Result<ArrayRef, ArrowError> {
    let Type::Record(fields) = ty else { panic!("invariant: the natural type of a struct is a record") };
    let DataType::Struct(arrow) = ty.to_arrow() else { panic!("invariant: a record is a struct") };
    let mut columns = Vec::with_capacity(fields.len());
    for ((name, ty), column) in fields.iter().zip(structs.columns()) {
        let mut inner = Vec::new();
        columns.push(to_natural(column, &ty.ty, &mut inner)?);
        let seen = inner.into_iter().filter(|failure| structs.is_valid(failure.row));
        failures.extend(seen.map(|failure| Failure { message: format!("`{name}`: {}", failure.message), ..failure }));
    }
    Ok(Arc::new(StructArray::try_new_with_length(arrow, columns, structs.nulls().cloned(), structs.len())?))
}

fn vector(
    lists: &FixedSizeListArray,
    size: i32,
    ty: &Type,
    failures: &mut Vec<Failure>,
) -> Result<ArrayRef, ArrowError> {
    let DataType::FixedSizeList(field, _) = ty.to_arrow() else { panic!("invariant: a vector is an Arrow list") };
    let width = size.max(1) as usize;
    let start = lists.value_offset(0).max(0) as usize;
    let items = lists.values().slice(start, lists.len() * width);
    let items = plain(&items, &DataType::Float32)?;
    if items.null_count() > 0 {
        let mut failed = None;
        for item in (0..items.len()).filter(|item| items.is_null(*item)) {
            let row = item / width;
            if lists.is_valid(row) && failed != Some(row) {
                failed = Some(row);
                failures.push(Failure { row, message: format!("an element of a {ty} is null") });
            }
        }
    }
    Ok(Arc::new(FixedSizeListArray::try_new_with_length(field, size, items, lists.nulls().cloned(), lists.len())?))
}

/// The rows at which a column holds null where its type has none, the null of a record's field or a list's element
/// included.
pub fn nulls_within(array: &ArrayRef, ty: &ColumnType, failures: &mut Vec<Failure>) {
    if !ty.nullable && array.null_count() > 0 {
        let rows = (0..array.len()).filter(|row| array.is_null(*row));
        failures.extend(rows.map(|row| Failure { row, message: format!("is null, and {ty} is not `{ty}?`") }));
    }
    let mut inner = Vec::new();
    match &ty.ty {
        Type::List(item) if has_required(item) => {
            let lists = array.as_list::<i32>();
            nulls_within(lists.values(), item, &mut inner);
            for failure in inner {
                let row = lists.offsets().partition_point(|offset| *offset as usize <= failure.row);
                // Values before the first offset and behind the last one belong to no row.
                if row > 0 && row <= lists.len() && lists.is_valid(row - 1) {
                    failures.push(Failure { row: row - 1, message: format!("an element {}", failure.message) });
                }
            }
        }
        Type::Record(fields) if fields.iter().any(|(_, ty)| has_required(ty)) => {
            let structs = array.as_struct();
            for ((name, ty), column) in fields.iter().zip(structs.columns()) {
                nulls_within(column, ty, &mut inner);
                let seen = inner.drain(..).filter(|failure| structs.is_valid(failure.row));
                failures.extend(
                    seen.map(|failure| Failure { message: format!("`{name}` {}", failure.message), ..failure }),
                );
            }
        }
        _ => {}
    }
}

fn has_required(ty: &ColumnType) -> bool {
    !ty.nullable
        || match &ty.ty {
            Type::List(item) => has_required(item),
            Type::Record(fields) => fields.iter().any(|(_, ty)| has_required(ty)),
            _ => false,
        }
}
