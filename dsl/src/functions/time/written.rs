//! Instants as text by a pattern, read back by one, and as numbers since 1970.

use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Int64Array, TimestampMicrosecondArray};
use chrono::format::{Item, Parsed, StrftimeItems, parse};
use chrono::{DateTime, FixedOffset, NaiveDateTime};
use datafusion_common::{DataFusionError, Result};

use super::super::arguments::Arguments;
use super::super::cast::read::days;
use super::super::cast::show::{quoted, timestamp_text};
use super::super::entry::{Function, fallible, total};
use super::super::kernel::row_error;
use super::super::prepare::{Prepare, Readings, prepared};
use super::super::takes::{Gives, Simple, Takes};
use super::calendar::SECOND;
use super::zone::Zone;
use super::{AT, INT, TEXT, TIMESTAMP, TO_INT, TO_TIMESTAMP, entry};

const PATTERN: Prepare = Prepare { argument: 1, read: |text| prepared(pattern(text)) };
const ZONE: Prepare = Prepare { argument: 2, read: |text| prepared(Zone::read(text)) };

/// The entries.
pub const LIBRARY: &[Function] = &[
    entry(
        "format",
        "The timestamp written by a pattern of `%Y %m %d %H %M %S %f %j %a %b %V` and the like (those of strftime), by \
         the clocks of a zone if one is given.",
        &[
            ("format(@2026-11-22T10:20:30Z, \"%d.%m.%Y %H:%M\")", "22.11.2026 10:20"),
            ("format(@2026-11-22T10:20:30Z, \"%H:%M %z\", \"Europe/Berlin\")", "11:20 +0100"),
        ],
        &[
            fallible(&[("at", TIMESTAMP), ("pattern", TEXT)], Gives::Value(Simple::Text), format).reading(&[PATTERN]),
            fallible(&[("at", TIMESTAMP), ("pattern", TEXT), ("zone", TEXT)], Gives::Value(Simple::Text), format)
                .reading(&[PATTERN, ZONE]),
        ],
    ),
    entry(
        "parse_timestamp",
        "The timestamp that a text shows by a pattern like that of `format`; what the pattern leaves out is the first of \
         its kind (day 1, midnight). The time is that of the clocks of a zone if one is given, else UTC, unless the \
         text itself says (`%z`). ISO 8601 needs no pattern: `timestamp(x)`.",
        &[
            ("parse_timestamp(\"22.11.2026 10:20\", \"%d.%m.%Y %H:%M\")", "2026-11-22T10:20:00"),
            ("parse_timestamp(\"07/01/2026\", \"%m/%d/%Y\", \"Europe/Berlin\")", "2026-06-30T22:00:00"),
        ],
        &[
            fallible(&[("x", TEXT), ("pattern", TEXT)], TO_TIMESTAMP, parse_timestamp).reading(&[PATTERN]),
            fallible(&[("x", TEXT), ("pattern", TEXT), ("zone", TEXT)], TO_TIMESTAMP, parse_timestamp)
                .reading(&[PATTERN, ZONE]),
        ],
    ),
    entry(
        "parse_date",
        "The date that a text shows by a pattern like that of `format`. ISO 8601 needs no pattern: `date(x)`.",
        &[
            ("parse_date(\"22.11.2026\", \"%d.%m.%Y\")", "2026-11-22"),
            ("parse_date(\"Nov 2026\", \"%b %Y\")", "2026-11-01"),
        ],
        &[fallible(&[("x", TEXT), ("pattern", TEXT)], Gives::Value(Simple::Date), parse_date).reading(&[PATTERN])],
    ),
    entry(
        "unix_seconds",
        "Whole seconds since 1970-01-01T00:00:00Z.",
        &[("unix_seconds(@1970-01-02)", "86400")],
        &[total(AT, TO_INT, |args| since_1970(args, SECOND))],
    ),
    entry(
        "unix_millis",
        "Whole milliseconds since 1970-01-01T00:00:00Z.",
        &[("unix_millis(@1970-01-01T00:00:01Z)", "1000")],
        &[total(AT, TO_INT, |args| since_1970(args, 1_000))],
    ),
    entry(
        "unix_micros",
        "Microseconds since 1970-01-01T00:00:00Z.",
        &[("unix_micros(@1970-01-01T00:00:01Z)", "1000000")],
        &[total(AT, TO_INT, |args| since_1970(args, 1))],
    ),
    entry(
        "from_unix_seconds",
        "The timestamp so many seconds after 1970-01-01T00:00:00Z, to the nearest microsecond.",
        &[("from_unix_seconds(86400)", "1970-01-02T00:00:00"), ("from_unix_seconds(0.5)", "1970-01-01T00:00:00.500")],
        &[
            fallible(&[("seconds", INT)], TO_TIMESTAMP, |args| after_1970(args, SECOND)),
            fallible(&[("seconds", Takes::Value(Simple::Float))], TO_TIMESTAMP, |args| {
                let seconds = args.float(0)?;
                args.collect::<TimestampMicrosecondArray, _>(|row| super::micros(seconds.value(row), "timestamp"))
            }),
        ],
    ),
    entry(
        "from_unix_millis",
        "The timestamp so many milliseconds after 1970-01-01T00:00:00Z.",
        &[("from_unix_millis(1500)", "1970-01-01T00:00:01.500")],
        &[fallible(&[("millis", INT)], TO_TIMESTAMP, |args| after_1970(args, 1_000))],
    ),
    entry(
        "from_unix_micros",
        "The timestamp so many microseconds after 1970-01-01T00:00:00Z.",
        &[("from_unix_micros(1000000)", "1970-01-01T00:00:01")],
        &[total(&[("micros", INT)], TO_TIMESTAMP, |args| after_1970(args, 1))],
    ),
];

/// A pattern of strftime, taken apart.
struct Pattern {
    text: String,
    items: Vec<Item<'static>>,
}

fn pattern(text: &str) -> std::result::Result<Pattern, String> {
    match StrftimeItems::new(text).parse_to_owned() {
        Ok(items) => Ok(Pattern { text: text.to_string(), items }),
        Err(_) => Err(format!("cannot read {} as a pattern of time", quoted(text))),
    }
}

fn format(args: &Arguments<'_>) -> Result<ArrayRef> {
    let (instants, patterns) = (args.timestamp(0)?, Readings::new(args, 1, pattern)?);
    let zones = if args.len() > 2 { Some(Readings::new(args, 2, Zone::read)?) } else { None };
    args.write(|row, out| {
        let (at, pattern) = (instants.value(row), patterns.get(row)?);
        let beyond = || row_error(format!("{} is beyond the calendar", timestamp_text(at)));
        let instant = DateTime::from_timestamp_micros(at).ok_or_else(beyond)?;
        let unfit = |_| row_error(format!("a timestamp cannot be written by {}", quoted(&pattern.text)));
        let zone = zones.as_ref().map(|zones| zones.get(row)).transpose()?;
        match zone {
            None => write!(out, "{}", instant.format_with_items(pattern.items.iter())).map_err(unfit),
            Some(zone) => {
                let offset = zone.offset(at);
                // The clocks show something in chrono's calendar too, or formatting would panic.
                at.checked_add(offset).and_then(DateTime::from_timestamp_micros).ok_or_else(beyond)?;
                let seconds = i32::try_from(offset / SECOND).ok().and_then(FixedOffset::east_opt);
                let instant = instant.with_timezone(&seconds.ok_or_else(beyond)?);
                write!(out, "{}", instant.format_with_items(pattern.items.iter())).map_err(unfit)
            }
        }
    })
}

/// What a text shows by a pattern: the clock, and how many seconds it is ahead of UTC if the text says so.
fn read_clock(text: &str, pattern: &Pattern) -> Option<(NaiveDateTime, Option<i32>)> {
    let mut parsed = Parsed::new();
    parse(&mut parsed, text.trim(), pattern.items.iter()).ok()?;
    let offset = parsed.offset();
    // What the pattern leaves out is the first of its kind.
    if parsed.timestamp().is_none() {
        let by_week = [parsed.isoweek(), parsed.week_from_sun(), parsed.week_from_mon()].iter().any(Option::is_some);
        if parsed.ordinal().is_none() && !by_week {
            if parsed.month().is_none() && parsed.day().is_none() {
                parsed.set_month(1).ok()?;
            }
            if parsed.day().is_none() {
                parsed.set_day(1).ok()?;
            }
        }
        if parsed.hour_div_12().is_none() && parsed.hour_mod_12().is_none() {
            parsed.set_hour(0).ok()?;
        }
        if parsed.minute().is_none() {
            parsed.set_minute(0).ok()?;
        }
    }
    let clock = parsed.to_naive_datetime_with_offset(offset.unwrap_or(0)).ok()?;
    Some((clock, offset))
}

fn unreadable(text: &str, pattern: &Pattern) -> DataFusionError {
    row_error(format!("cannot read {} by the pattern {}", quoted(text), quoted(&pattern.text)))
}

fn parse_timestamp(args: &Arguments<'_>) -> Result<ArrayRef> {
    let (texts, patterns) = (args.text(0)?, Readings::new(args, 1, pattern)?);
    let zones = if args.len() > 2 { Some(Readings::new(args, 2, Zone::read)?) } else { None };
    args.collect::<TimestampMicrosecondArray, _>(|row| {
        let (text, pattern) = (texts.value(row), patterns.get(row)?);
        let zone = zones.as_ref().map(|zones| zones.get(row)).transpose()?;
        let at = read_clock(text, &pattern).and_then(|(clock, offset)| {
            let clock = clock.and_utc().timestamp_micros();
            match (offset, zone) {
                (Some(offset), _) => clock.checked_sub(i64::from(offset) * SECOND),
                (None, Some(zone)) => zone.instant(clock),
                (None, None) => Some(clock),
            }
        });
        at.ok_or_else(|| unreadable(text, &pattern))
    })
}

fn parse_date(args: &Arguments<'_>) -> Result<ArrayRef> {
    let (texts, patterns) = (args.text(0)?, Readings::new(args, 1, pattern)?);
    args.collect::<Date32Array, _>(|row| {
        let (text, pattern) = (texts.value(row), patterns.get(row)?);
        let (clock, _) = read_clock(text, &pattern).ok_or_else(|| unreadable(text, &pattern))?;
        Ok(days(clock.date()))
    })
}

fn since_1970(args: &Arguments<'_>, unit: i64) -> Result<ArrayRef> {
    let numbers: Int64Array = args.timestamp(0)?.unary(|at| at.div_euclid(unit));
    Ok(Arc::new(numbers))
}

fn after_1970(args: &Arguments<'_>, unit: i64) -> Result<ArrayRef> {
    let numbers = args.int(0)?;
    args.collect::<TimestampMicrosecondArray, _>(|row| {
        let number = numbers.value(row);
        number.checked_mul(unit).ok_or_else(|| row_error(format!("timestamp overflow: {number} units after 1970")))
    })
}
