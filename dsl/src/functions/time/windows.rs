//! Windows in time: the record of start and end in which an instant lies.
//!
//! Windows are half open and counted from 1970 in UTC, as `truncate` counts. Their lengths are constants, so that a
//! wrong one is a diagnostic.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ListArray, StructArray, TimestampMicrosecondArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Fields};
use datafusion_common::{DataFusionError, Result, ScalarValue};
use tidebook_plan::{ColumnType, Type};

use super::super::arguments::Arguments;
use super::super::cast::show::timestamp_text;
use super::super::entry::{Function, fallible};
use super::super::kernel::row_error;
use super::super::prepare::constant;
use super::super::takes::{Gives, Simple, Takes};
use super::super::typed::{CallFault, FaultKind, Typed};
use super::{TIMESTAMP, entry};

const DURATION: Takes = Takes::Value(Simple::Duration);

/// The most windows that `hop` puts a row into.
pub const MOST_WINDOWS: i64 = 10_000;

/// The entries.
pub const LIBRARY: &[Function] = &[
    entry(
        "tumble",
        "The window of that length in which the timestamp lies, `{start: timestamp, end: timestamp}`: windows follow each \
         other without a gap, from `start` up to and without `end`, counted from 1970 in UTC. As a key it groups rows by \
         time, `summarize n: count() by w: tumble(at, 1m)`, with `w.start` and `w.end` from then on. A date counts as its \
         midnight; rows without a time have the window null, a group of its own. The length is a constant.",
        &[
            ("tumble(@2026-11-22T10:20:30Z, 15m).start", "2026-11-22T10:15:00"),
            ("tumble(@2026-11-22T10:20:30Z, 15m).end", "2026-11-22T10:30:00"),
        ],
        &[fallible(
            &[("at", TIMESTAMP), ("length", DURATION)],
            Gives::Found("{start: timestamp, end: timestamp}", one),
            tumble,
        )],
    ),
    entry(
        "hop",
        "The windows of that length in which the timestamp lies, one beginning every so often, counted from 1970 in UTC: a \
         list of `{start: timestamp, end: timestamp}`, the earliest first. As a key of `summarize` a row counts in each of \
         them: `summarize n: count() by w: hop(at, 10m, every: 1m)`. Where `every` is longer than the windows, a row may lie \
         in none. Without a time the list holds one null, so that such rows are a group. Length and `every` are constants.",
        &[
            ("length(hop(@2026-11-22T10:20:30Z, 10m, every: 1m))", "10"),
            ("hop(@2026-11-22T10:20:30Z, 10m, every: 4m)[0].start", "2026-11-22T10:12:00"),
            ("length(hop(@2026-11-22T10:20:30Z, 1m, every: 1h))", "0"),
        ],
        &[fallible(
            &[("at", TIMESTAMP), ("length", DURATION), ("every", DURATION)],
            Gives::Found("[{start: timestamp, end: timestamp}]", many),
            hop,
        )],
    ),
];

/// The type of a window.
pub fn window_type() -> Type {
    let instant = ColumnType::required(Type::Timestamp);
    Type::Record(vec![("start".to_string(), instant.clone()), ("end".to_string(), instant)])
}

/// The microseconds of a length that is known now, and longer than nothing.
pub fn length(what: &str, args: &[Typed], index: usize) -> std::result::Result<i64, CallFault> {
    let fault = |message: String| CallFault::new(FaultKind::Value, message).at(index);
    match args.get(index).and_then(constant) {
        Some(ScalarValue::DurationMicrosecond(Some(length))) if length > 0 => Ok(length),
        Some(ScalarValue::DurationMicrosecond(Some(_))) => {
            Err(fault(format!("{what} is longer than nothing"))
                .with_help("write a duration such as `30s`, `5m` or `1h`"))
        }
        _ => Err(fault(format!("{what} is a duration that is the same for all rows"))
            .with_help("write a duration such as `30s`, `5m` or `1h`, or use a `param`")),
    }
}

fn one(args: &[Typed]) -> std::result::Result<ColumnType, CallFault> {
    length("the length of a window", args, 1)?;
    Ok(ColumnType { ty: window_type(), nullable: args[0].ty.nullable })
}

fn many(args: &[Typed]) -> std::result::Result<ColumnType, CallFault> {
    let (length, every) =
        (length("the length of a window", args, 1)?, length("what lies between the starts of two windows", args, 2)?);
    if length / every >= MOST_WINDOWS {
        let message = format!("a row would count in {} windows, the most are {MOST_WINDOWS}", length / every);
        return Err(CallFault::new(FaultKind::Value, message).at(2).with_help("let windows begin less often"));
    }
    let item = ColumnType { ty: window_type(), nullable: args[0].ty.nullable };
    Ok(ColumnType::required(Type::List(Box::new(item))))
}

fn overflow(at: i64) -> DataFusionError {
    row_error(format!("timestamp overflow: a window around {}", timestamp_text(at)))
}

/// The constant at `index`, as it was looked at when the call was bound.
fn micros(args: &Arguments<'_>, index: usize) -> Result<Option<i64>> {
    let lengths = args.duration(index)?;
    Ok((!lengths.is_empty()).then(|| lengths.value(0)))
}

/// Windows from their starts and ends.
pub fn windows(fields: &Fields, starts: Vec<i64>, ends: Vec<i64>, nulls: Option<NullBuffer>) -> Result<StructArray> {
    let column = |values: Vec<i64>| Arc::new(TimestampMicrosecondArray::new(values.into(), nulls.clone())) as ArrayRef;
    Ok(StructArray::try_new(fields.clone(), vec![column(starts), column(ends)], nulls.clone())?)
}

fn fields_of(ty: &DataType) -> Result<&Fields> {
    match ty {
        DataType::Struct(fields) => Ok(fields),
        other => Err(DataFusionError::Internal(format!("a window is a struct, not {other}"))),
    }
}

fn tumble(args: &Arguments<'_>) -> Result<ArrayRef> {
    let instants = args.timestamp(0)?;
    let length = micros(args, 1)?.unwrap_or(1);
    let (mut starts, mut ends) = (Vec::with_capacity(args.rows()), Vec::with_capacity(args.rows()));
    for (row, at) in instants.values().iter().enumerate() {
        if instants.is_null(row) {
            starts.push(0);
            ends.push(0);
            continue;
        }
        let start = at.checked_sub(at.rem_euclid(length)).ok_or_else(|| overflow(*at))?;
        starts.push(start);
        ends.push(start.checked_add(length).ok_or_else(|| overflow(*at))?);
    }
    Ok(Arc::new(windows(fields_of(args.output())?, starts, ends, instants.nulls().cloned())?))
}

fn hop(args: &Arguments<'_>) -> Result<ArrayRef> {
    let DataType::List(item) = args.output() else {
        return Err(DataFusionError::Internal("the windows of a row are a list".to_string()));
    };
    let instants = args.timestamp(0)?;
    let (length, every) = (micros(args, 1)?.unwrap_or(1), micros(args, 2)?.unwrap_or(1));
    let (mut starts, mut ends, mut valid) = (Vec::new(), Vec::new(), Vec::new());
    let mut counts = Vec::with_capacity(args.rows());
    for (row, at) in instants.values().iter().enumerate() {
        let before = starts.len();
        if instants.is_null(row) {
            starts.push(0);
            ends.push(0);
            valid.push(false);
        } else {
            let last = at.checked_sub(at.rem_euclid(every)).ok_or_else(|| overflow(*at))?;
            // The earliest start whose window has not ended by then.
            let mut start = last;
            while let Some(earlier) = start.checked_sub(every)
                && i128::from(earlier) + i128::from(length) > i128::from(*at)
            {
                start = earlier;
            }
            while start <= last && i128::from(start) + i128::from(length) > i128::from(*at) {
                starts.push(start);
                ends.push(start.checked_add(length).ok_or_else(|| overflow(*at))?);
                valid.push(true);
                let Some(next) = start.checked_add(every) else { break };
                start = next;
            }
        }
        counts.push(starts.len() - before);
    }
    if i32::try_from(starts.len()).is_err() {
        return Err(row_error("the windows of a batch are too many"));
    }
    let nulls = valid.contains(&false).then(|| NullBuffer::from(valid));
    let values = windows(fields_of(item.data_type())?, starts, ends, nulls)?;
    Ok(Arc::new(ListArray::try_new(Arc::clone(item), OffsetBuffer::from_lengths(counts), Arc::new(values), None)?))
}
