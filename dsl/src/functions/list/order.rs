//! Lists made of the elements of a list, by their places and their order.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, ListArray, StructArray, TimestampMicrosecondArray, UInt32Array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field};
use datafusion_common::{DataFusionError, Result};
use tidebook_plan::{ColumnType, Type};

use super::super::arguments::Arguments;
use super::super::entry::{Function, fallible, total};
use super::super::kernel::row_error;
use super::super::takes::{Gives, Simple, Takes};
use super::super::typed::{CallFault, FaultKind, Typed};
use super::{INT, LIST, LIST_AND_ITEM, Pool, count, entry, index, size};

/// Most elements of a list that is made of nothing.
const MOST: i64 = 1_000_000;

/// The entries.
pub const LIBRARY: &[Function] = &[
    entry(
        "range",
        "The whole numbers from `start` up to but without `end`, or the timestamps, `step` apart; a negative step counts \
         down. More than a million elements, and a step of zero, are a row error.",
        &[
            ("range(0, 3)", "[0,1,2]"),
            ("range(10, 0, -5)", "[10,5]"),
            (
                "range(@2026-01-01T00:00:00Z, @2026-01-01T02:00:00Z, 1h)",
                "[\"2026-01-01T00:00:00\",\"2026-01-01T01:00:00\"]",
            ),
        ],
        &[
            fallible(&[("start", INT), ("end", INT)], Gives::ListOf(Simple::Int), range),
            fallible(&[("start", INT), ("end", INT), ("step", INT)], Gives::ListOf(Simple::Int), range),
            fallible(
                &[
                    ("start", Takes::Value(Simple::Timestamp)),
                    ("end", Takes::Value(Simple::Timestamp)),
                    ("step", Takes::Value(Simple::Duration)),
                ],
                Gives::ListOf(Simple::Timestamp),
                range,
            ),
        ],
    ),
    entry(
        "list_repeat",
        "A list of the value so many times; more than a million elements are a row error.",
        &[("list_repeat(\"a\", 2)", "[\"a\",\"a\"]")],
        &[fallible(&[("item", Takes::Same), ("times", INT)], Gives::Items, repeat)],
    ),
    entry(
        "list_first",
        "The first element; null for an empty list.",
        &[("list_first([3, 1])", "3"), ("list_first(range(0, 0))", "null")],
        &[total(LIST, Gives::Item, |args| {
            let pool = Pool::new(args, 1, 0)?;
            pool.items(|row| pool.list(0, row).next())
        })],
    ),
    entry(
        "list_last",
        "The last element; null for an empty list.",
        &[("list_last([3, 1])", "1")],
        &[total(LIST, Gives::Item, |args| {
            let pool = Pool::new(args, 1, 0)?;
            pool.items(|row| pool.list(0, row).next_back())
        })],
    ),
    entry(
        "list_slice",
        "The elements from `start`, counted from 0, at most `count` of them. A negative start counts from the end.",
        &[("list_slice([1, 2, 3, 4], 1, 2)", "[2,3]"), ("list_slice([1, 2, 3], -2)", "[2,3]")],
        &[
            total(&[("x", Takes::Items), ("start", INT)], Gives::Items, slice),
            total(&[("x", Takes::Items), ("start", INT), ("count", INT)], Gives::Items, slice),
        ],
    ),
    entry(
        "list_append",
        "The list with the value as its last element, also where that is null.",
        &[("list_append([1, 2], 3)", "[1,2,3]"), ("list_append([1], null)", "[1,null]")],
        &[total(LIST_AND_ITEM, Gives::Found("[T]", appended), |args| {
            let pool = Pool::new(args, 1, 1)?;
            pool.lists(|row, picked| {
                picked.extend(pool.list(0, row).map(index));
                picked.push(index(pool.item(1, row)));
                Ok(())
            })
        })],
    ),
    entry(
        "list_sort",
        "The elements in order, nulls last; with `descending` true the other way round.",
        &[("list_sort([2, 3, 1])", "[1,2,3]"), ("list_sort([2, 3, 1], descending: true)", "[3,2,1]")],
        &[
            total(LIST, Gives::Items, sort),
            total(&[("x", Takes::Items), ("descending", Takes::Value(Simple::Bool))], Gives::Items, sort),
        ],
    ),
    entry(
        "list_flatten",
        "The elements of the lists in a list, one after the other; one level is taken away.",
        &[("list_flatten([[1], [2, 3]])", "[1,2,3]")],
        &[total(&[("x", Takes::Lists)], Gives::Found("[T]", flattened), flatten)],
    ),
    entry(
        "list_zip",
        "The elements at the same place in two lists as records `{first, second}`; where one list is shorter, with null.",
        &[("list_zip([1, 2], [\"a\"])", "[{\"first\":1,\"second\":\"a\"},{\"first\":2,\"second\":null}]")],
        &[total(&[("x", Takes::List), ("y", Takes::List)], Gives::Found("[{first, second}]", zipped), zip)],
    ),
];

/// The numbers from `start` to `end`.
fn steps(start: i64, end: i64, step: i64) -> Result<impl Iterator<Item = i64>> {
    if step == 0 {
        return Err(row_error("the step of a range must not be zero"));
    }
    let width = (i128::from(end) - i128::from(start)) * i128::from(step.signum());
    let length = (width.max(0) + i128::from(step.unsigned_abs()) - 1) / i128::from(step.unsigned_abs());
    match i64::try_from(length) {
        // The last one lies before the end, so nothing overflows.
        Ok(length) if length <= MOST => Ok((0..length).map(move |place| start + place * step)),
        _ => Err(row_error(format!("a range of {length} elements is too long"))),
    }
}

fn range(args: &Arguments<'_>) -> Result<ArrayRef> {
    let DataType::List(item) = args.output() else {
        return Err(DataFusionError::Internal("a range is a list".to_string()));
    };
    let ints = |index: usize| -> Result<ScalarBuffer<i64>> {
        Ok(match args.data_type(index) {
            DataType::Timestamp(_, _) => args.timestamp(index)?.values().clone(),
            DataType::Duration(_) => args.duration(index)?.values().clone(),
            _ => args.int(index)?.values().clone(),
        })
    };
    let (starts, ends) = (ints(0)?, ints(1)?);
    let widths = if args.len() > 2 { Some(ints(2)?) } else { None };
    let nulls = args.nulls()?;
    let mut numbers: Vec<i64> = Vec::new();
    let mut lengths = Vec::with_capacity(args.rows());
    for row in 0..args.rows() {
        let before = numbers.len();
        if nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
            numbers.extend(steps(starts[row], ends[row], widths.as_ref().map_or(1, |widths| widths[row]))?);
        }
        lengths.push(numbers.len() - before);
        if i32::try_from(numbers.len()).is_err() {
            return Err(row_error("the lists of a batch have too many elements"));
        }
    }
    let values: ArrayRef = match item.data_type() {
        DataType::Timestamp(_, _) => Arc::new(TimestampMicrosecondArray::from(numbers)),
        _ => Arc::new(Int64Array::from(numbers)),
    };
    Ok(Arc::new(ListArray::try_new(Arc::clone(item), OffsetBuffer::from_lengths(lengths), values, nulls)?))
}

fn repeat(args: &Arguments<'_>) -> Result<ArrayRef> {
    let (items, times) = (args.array(0)?, args.int(1)?);
    let mut picked: Vec<u32> = Vec::new();
    let mut lengths = Vec::with_capacity(args.rows());
    for row in 0..args.rows() {
        let number = if times.is_null(row) { 0 } else { times.value(row).max(0) };
        if number > MOST {
            return Err(row_error(format!("a list of {number} elements is too long")));
        }
        picked.extend(std::iter::repeat_n(index(row), size(number)));
        lengths.push(size(number));
        if i32::try_from(picked.len()).is_err() {
            return Err(row_error("the lists of a batch have too many elements"));
        }
    }
    let values = take(&items, &UInt32Array::from(picked), None)?;
    let item = Arc::new(Field::new("item", values.data_type().clone(), true));
    let nulls = times.nulls().cloned();
    Ok(Arc::new(ListArray::try_new(item, OffsetBuffer::from_lengths(lengths), values, nulls)?))
}

fn slice(args: &Arguments<'_>) -> Result<ArrayRef> {
    let pool = Pool::new(args, 1, 0)?;
    let starts = args.int(1)?;
    let counts = if args.len() > 2 { Some(args.int(2)?) } else { None };
    let nulls = args.nulls()?;
    let lists = pool.lists(|row, picked| {
        if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            return Ok(());
        }
        let (list, start) = (pool.list(0, row), starts.value(row));
        let start = if start < 0 { count(list.len()).saturating_add(start).max(0) } else { start };
        let taken = counts.as_ref().map_or(usize::MAX, |counts| size(counts.value(row).max(0)));
        picked.extend(list.skip(size(start)).take(taken).map(index));
        Ok(())
    })?;
    with_nulls(&lists, nulls)
}

/// The lists, null as well where these say so.
pub(super) fn with_nulls(lists: &ArrayRef, nulls: Option<NullBuffer>) -> Result<ArrayRef> {
    let (item, offsets, values, _) = lists.as_list::<i32>().clone().into_parts();
    Ok(Arc::new(ListArray::try_new(item, offsets, values, nulls)?))
}

fn appended(args: &[Typed]) -> std::result::Result<ColumnType, CallFault> {
    let (Some(list), Some(item)) = (args.first(), args.get(1)) else {
        return Err(CallFault::new(FaultKind::Arity, "`list_append` takes a list and a value"));
    };
    let Type::List(element) = &list.ty.ty else {
        return Err(CallFault::new(FaultKind::Type, format!("{} is no list", list.ty)).at(0));
    };
    let element = ColumnType { nullable: element.nullable || item.ty.nullable, ..(**element).clone() };
    Ok(ColumnType { ty: Type::List(Box::new(element)), nullable: list.ty.nullable })
}

fn sort(args: &Arguments<'_>) -> Result<ArrayRef> {
    let pool = Pool::new(args, 1, 0)?.comparable()?;
    let descending = if args.len() > 1 { Some(args.boolean(1)?) } else { None };
    let lists = pool.lists(|row, picked| {
        let start = picked.len();
        picked.extend(pool.list(0, row).map(index));
        picked[start..].sort_by(|a, b| pool.key(*a as usize).cmp(&pool.key(*b as usize)));
        if descending.as_ref().is_some_and(|descending| descending.is_valid(row) && descending.value(row)) {
            picked[start..].reverse();
        }
        Ok(())
    })?;
    with_nulls(&lists, args.nulls()?)
}

/// The type of a list whose elements are lists, with one level taken away.
fn flattened(args: &[Typed]) -> std::result::Result<ColumnType, CallFault> {
    match args.first().map(|arg| (&arg.ty.ty, arg.ty.nullable)) {
        Some((Type::List(inner), nullable)) if matches!(inner.ty, Type::List(_)) => {
            Ok(ColumnType { ty: inner.ty.clone(), nullable })
        }
        _ => Err(CallFault::new(FaultKind::Type, "`list_flatten` takes a list of lists").at(0)),
    }
}

fn flatten(args: &Arguments<'_>) -> Result<ArrayRef> {
    let outer = args.list(0)?;
    let Some(inner) = outer.values().as_list_opt::<i32>() else {
        return Err(DataFusionError::Internal("the elements of a list of lists are lists".to_string()));
    };
    let mut picked: Vec<u32> = Vec::new();
    let mut lengths = Vec::with_capacity(args.rows());
    let at = |offset: i32| usize::try_from(offset).unwrap_or_default();
    for row in 0..args.rows() {
        let before = picked.len();
        if outer.is_valid(row) {
            let lists = at(outer.value_offsets()[row])..at(outer.value_offsets()[row + 1]);
            for list in lists.filter(|list| inner.is_valid(*list)) {
                picked.extend((at(inner.value_offsets()[list])..at(inner.value_offsets()[list + 1])).map(index));
            }
        }
        lengths.push(picked.len() - before);
    }
    let values = take(inner.values(), &UInt32Array::from(picked), None)?;
    let item = Arc::new(Field::new("item", values.data_type().clone(), true));
    let nulls = outer.nulls().cloned();
    Ok(Arc::new(ListArray::try_new(item, OffsetBuffer::from_lengths(lengths), values, nulls)?))
}

/// The type of two lists side by side.
fn zipped(args: &[Typed]) -> std::result::Result<ColumnType, CallFault> {
    let item = |index: usize| match args.get(index).map(|arg| &arg.ty.ty) {
        Some(Type::List(item)) => Ok(ColumnType::nullable(item.ty.clone())),
        _ => Err(CallFault::new(FaultKind::Type, "`list_zip` takes two lists").at(index)),
    };
    let record = Type::Record(vec![("first".to_string(), item(0)?), ("second".to_string(), item(1)?)]);
    let nullable = args.iter().any(|arg| arg.ty.nullable);
    Ok(ColumnType { ty: Type::List(Box::new(ColumnType::required(record))), nullable })
}

fn zip(args: &Arguments<'_>) -> Result<ArrayRef> {
    let DataType::List(item) = args.output() else {
        return Err(DataFusionError::Internal("lists side by side are a list".to_string()));
    };
    let DataType::Struct(fields) = item.data_type() else {
        return Err(DataFusionError::Internal("elements side by side are a record".to_string()));
    };
    let (left, right, nulls) = (args.list(0)?, args.list(1)?, args.nulls()?);
    let mut lengths = Vec::with_capacity(args.rows());
    let (mut from_left, mut from_right): (Vec<Option<u32>>, Vec<Option<u32>>) = (Vec::new(), Vec::new());
    let at = |list: &ListArray, row: usize, place: i32| {
        (place < list.value_length(row))
            .then(|| list.value_offsets()[row] + place)
            .and_then(|at| u32::try_from(at).ok())
    };
    for row in 0..args.rows() {
        let before = from_left.len();
        if nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
            for place in 0..left.value_length(row).max(right.value_length(row)) {
                from_left.push(at(&left, row, place));
                from_right.push(at(&right, row, place));
            }
        }
        lengths.push(from_left.len() - before);
    }
    let length = from_left.len();
    let columns = vec![
        take(left.values(), &UInt32Array::from(from_left), None)?,
        take(right.values(), &UInt32Array::from(from_right), None)?,
    ];
    let records = StructArray::try_new_with_length(fields.clone(), columns, None, length)?;
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(Arc::new(ListArray::try_new(Arc::clone(item), offsets, Arc::new(records), nulls)?))
}
