//! Functions of dates, timestamps and durations. Everything is in UTC.

mod calendar;

use std::fmt::Write;

use arrow::array::{
    ArrayRef, DurationMicrosecondArray, Float64Array, Int64Array, StringArray, TimestampMicrosecondArray,
};
use chrono::DateTime;
use datafusion_common::Result;

use super::arguments::Arguments;
use super::arithmetic::normalise;
use super::cast::show::{quoted, timestamp_text};
use super::entry::{Function, Gives, Group, Overload, Simple, Takes};
use super::kernel::row_error;
use calendar::{DAY, HOUR, MINUTE, SECOND, civil, days_from_civil, truncate_to};

const AT: &[(&str, Takes)] = &[("at", Takes::Timestamp)];

const fn part(
    name: &'static str,
    doc: &'static str,
    examples: &'static [(&'static str, &'static str)],
    overloads: &'static [Overload],
) -> Function {
    Function { name, group: Group::Time, doc, examples, overloads }
}

const fn of_instant(evaluate: fn(&Arguments<'_>) -> Result<ArrayRef>) -> Overload {
    Overload { parameters: AT, repeats: false, gives: Gives::Value(Simple::Int), fallible: false, evaluate }
}

/// The entries.
pub const LIBRARY: &[Function] = &[
    part(
        "year",
        "The year.",
        &[("year(@2026-11-22)", "2026")],
        &[of_instant(|args| ints(args, |at| civil(at.div_euclid(DAY)).0))],
    ),
    part(
        "quarter",
        "The quarter of the year, 1 to 4.",
        &[("quarter(@2026-11-22)", "4")],
        &[of_instant(|args| ints(args, |at| (civil(at.div_euclid(DAY)).1 + 2) / 3))],
    ),
    part(
        "month",
        "The month, 1 to 12.",
        &[("month(@2026-11-22)", "11")],
        &[of_instant(|args| ints(args, |at| civil(at.div_euclid(DAY)).1))],
    ),
    part(
        "day",
        "The day of the month, from 1.",
        &[("day(@2026-11-22)", "22")],
        &[of_instant(|args| ints(args, |at| civil(at.div_euclid(DAY)).2))],
    ),
    part(
        "day_of_year",
        "The day of the year, from 1.",
        &[("day_of_year(@2026-02-01)", "32")],
        &[of_instant(|args| {
            ints(args, |at| {
                let days = at.div_euclid(DAY);
                days - days_from_civil(civil(days).0, 1, 1) + 1
            })
        })],
    ),
    // 1970-01-01 was a Thursday.
    part(
        "weekday",
        "The day of the week, 1 (Monday) to 7 (Sunday).",
        &[("weekday(@2026-11-22)", "7")],
        &[of_instant(|args| ints(args, |at| (at.div_euclid(DAY) + 3).rem_euclid(7) + 1))],
    ),
    part(
        "hour",
        "The hour, 0 to 23.",
        &[("hour(@2026-11-22T10:20:30Z)", "10")],
        &[of_instant(|args| ints(args, |at| at.rem_euclid(DAY) / HOUR))],
    ),
    part(
        "minute",
        "The minute, 0 to 59.",
        &[("minute(@2026-11-22T10:20:30Z)", "20")],
        &[of_instant(|args| ints(args, |at| at.rem_euclid(HOUR) / MINUTE))],
    ),
    part(
        "second",
        "The second, 0 to 59.",
        &[("second(@2026-11-22T10:20:30Z)", "30")],
        &[of_instant(|args| ints(args, |at| at.rem_euclid(MINUTE) / SECOND))],
    ),
    part(
        "microsecond",
        "The microseconds after the second.",
        &[("microsecond(@2026-11-22T10:20:30Z)", "0")],
        &[of_instant(|args| ints(args, |at| at.rem_euclid(SECOND)))],
    ),
    part(
        "unix_micros",
        "Microseconds since 1970-01-01T00:00:00Z.",
        &[("unix_micros(@1970-01-01T00:00:01Z)", "1000000")],
        &[of_instant(|args| ints(args, |at| at))],
    ),
    part(
        "from_unix_micros",
        "The timestamp so many microseconds after 1970-01-01T00:00:00Z.",
        &[("from_unix_micros(1000000)", "1970-01-01T00:00:01")],
        &[Overload {
            parameters: &[("micros", Takes::Int)],
            repeats: false,
            gives: Gives::Value(Simple::Timestamp),
            fallible: false,
            evaluate: from_unix_micros,
        }],
    ),
    part(
        "truncate",
        "The start of the unit that the timestamp lies in, or of the window of that length: \
         `second`, `minute`, `hour`, `day`, `week` (from Monday), \
         `month`, `quarter`, `year`, or a duration.",
        &[
            ("truncate(@2026-11-22T10:20:30Z, \"month\")", "2026-11-01T00:00:00"),
            ("truncate(@2026-11-22T10:20:30Z, 15m)", "2026-11-22T10:15:00"),
        ],
        &[
            Overload {
                parameters: &[("at", Takes::Timestamp), ("unit", Takes::Text)],
                repeats: false,
                gives: Gives::Value(Simple::Timestamp),
                fallible: true,
                evaluate: truncate,
            },
            Overload {
                parameters: &[("at", Takes::Timestamp), ("length", Takes::Duration)],
                repeats: false,
                gives: Gives::Value(Simple::Timestamp),
                fallible: true,
                evaluate: truncate_length,
            },
        ],
    ),
    part(
        "format",
        "The timestamp written by a pattern of `%Y %m %d %H %M %S %f %j %a %b` and the like (those of strftime). \
         A pattern that cannot be read is a row error.",
        &[("format(@2026-11-22T10:20:30Z, \"%d.%m.%Y %H:%M\")", "22.11.2026 10:20")],
        &[Overload {
            parameters: &[("at", Takes::Timestamp), ("pattern", Takes::Text)],
            repeats: false,
            gives: Gives::Value(Simple::Text),
            fallible: true,
            evaluate: format,
        }],
    ),
    part(
        "seconds",
        "The duration in seconds.",
        &[("seconds(1m)", "60.0"), ("seconds(250ms)", "0.25")],
        &[Overload {
            parameters: &[("d", Takes::Duration)],
            repeats: false,
            gives: Gives::Value(Simple::Float),
            fallible: false,
            evaluate: seconds,
        }],
    ),
    part(
        "from_seconds",
        "The duration of so many seconds, to the nearest microsecond.",
        &[("from_seconds(90)", "1m30s")],
        &[Overload {
            parameters: &[("seconds", Takes::Float)],
            repeats: false,
            gives: Gives::Value(Simple::Duration),
            fallible: true,
            evaluate: from_seconds,
        }],
    ),
];

fn ints(args: &Arguments<'_>, f: impl Fn(i64) -> i64) -> Result<ArrayRef> {
    let instants = args.timestamp(0)?;
    args.collect::<Int64Array, _>(|row| Ok(f(instants.value(row))))
}

fn from_unix_micros(args: &Arguments<'_>) -> Result<ArrayRef> {
    let micros = args.int(0)?;
    args.collect::<TimestampMicrosecondArray, _>(|row| Ok(micros.value(row)))
}

fn truncate(args: &Arguments<'_>) -> Result<ArrayRef> {
    let (instants, units) = (args.timestamp(0)?, args.text(1)?);
    args.collect::<TimestampMicrosecondArray, _>(|row| {
        let (at, unit) = (instants.value(row), units.value(row));
        match truncate_to(at, unit) {
            Some(start) => {
                start.ok_or_else(|| row_error(format!("timestamp overflow: {} by {unit}", timestamp_text(at))))
            }
            None => Err(row_error(format!("unknown unit of time {}", quoted(unit)))),
        }
    })
}

fn truncate_length(args: &Arguments<'_>) -> Result<ArrayRef> {
    let (instants, lengths) = (args.timestamp(0)?, args.duration(1)?);
    args.collect::<TimestampMicrosecondArray, _>(|row| {
        let (at, length) = (instants.value(row), lengths.value(row));
        if length <= 0 {
            return Err(row_error("the length of a window must be positive"));
        }
        let start = at.checked_sub(at.rem_euclid(length));
        start.ok_or_else(|| row_error(format!("timestamp overflow: the window of {}", timestamp_text(at))))
    })
}

fn format(args: &Arguments<'_>) -> Result<ArrayRef> {
    let (instants, patterns) = (args.timestamp(0)?, args.text(1)?);
    args.collect::<StringArray, _>(|row| {
        let (at, pattern) = (instants.value(row), patterns.value(row));
        let Some(instant) = DateTime::from_timestamp_micros(at) else {
            return Err(row_error(format!("{} is beyond the calendar", timestamp_text(at))));
        };
        let mut text = String::new();
        match write!(text, "{}", instant.format(pattern)) {
            Ok(()) => Ok(text),
            Err(_) => Err(row_error(format!("cannot read {} as a pattern of time", quoted(pattern)))),
        }
    })
}

fn seconds(args: &Arguments<'_>) -> Result<ArrayRef> {
    let lengths = args.duration(0)?;
    args.collect::<Float64Array, _>(|row| Ok(normalise(lengths.value(row) as f64 / SECOND as f64)))
}

fn from_seconds(args: &Arguments<'_>) -> Result<ArrayRef> {
    let seconds = args.float(0)?;
    args.collect::<DurationMicrosecondArray, _>(|row| {
        let micros = (seconds.value(row) * SECOND as f64).round();
        // 2^63 is a float, and the first that does not fit.
        if micros >= -9_223_372_036_854_775_808.0 && micros < 9_223_372_036_854_775_808.0 {
            Ok(micros as i64)
        } else {
            Err(row_error(format!("duration overflow: {:?} seconds", seconds.value(row))))
        }
    })
}
