//! From one instant to another: truncated, moved by months, seen in another zone; made of numbers, and counted.

use arrow::array::{
    ArrayRef, Date32Array, DurationMicrosecondArray, Float64Array, Int64Array, TimestampMicrosecondArray,
};
use datafusion_common::{DataFusionError, Result};

use super::super::arguments::Arguments;
use super::super::arithmetic::normalise;
use super::super::cast::show::{date_text, timestamp_text};
use super::super::entry::{Function, Parameters, fallible, total};
use super::super::kernel::row_error;
use super::super::prepare::{Prepare, Readings, prepared};
use super::super::takes::{Gives, Simple, Takes};
use super::calendar::{DAY, HOUR, MINUTE, SECOND, add_months, civil, days_from_civil, days_in_month};
use super::unit::Unit;
use super::zone::Zone;
use super::{AT, AT_ZONE, INT, TEXT, TIMESTAMP, TO_INT, TO_TIMESTAMP, ZONE_SECOND, entry};

const DATE: Takes = Takes::Value(Simple::Date);
const DURATION: Takes = Takes::Value(Simple::Duration);
const FLOAT: Takes = Takes::Value(Simple::Float);
const TO_DATE: Gives = Gives::Value(Simple::Date);
const UNIT: Prepare = Prepare { argument: 1, read: |text| prepared(Unit::read(text)) };
const UNIT_THIRD: Prepare = Prepare { argument: 2, read: |text| prepared(Unit::read(text)) };
const ZONE_THIRD: Prepare = Prepare { argument: 2, read: |text| prepared(Zone::read(text)) };
const DATE_AND_NUMBER: Parameters = &[("at", DATE), ("number", INT)];
const AT_AND_NUMBER: Parameters = &[("at", TIMESTAMP), ("number", INT)];

/// The entries.
pub const LIBRARY: &[Function] = &[
    entry(
        "truncate",
        "The start of the unit that the timestamp lies in (`microsecond`, `millisecond`, `second`, `minute`, `hour`, \
         `day`, `week` from Monday, `month`, `quarter`, `year`, `decade`, `century`), by the clocks of a zone if one is \
         given; or of the window of that length, counted from 1970.",
        &[
            ("truncate(@2026-11-22T10:20:30Z, \"month\")", "2026-11-01T00:00:00"),
            ("truncate(@2026-11-22T23:30:00Z, \"day\", \"Europe/Berlin\")", "2026-11-22T23:00:00"),
            ("truncate(@2026-11-22T10:20:30Z, 15m)", "2026-11-22T10:15:00"),
        ],
        &[
            fallible(&[("at", TIMESTAMP), ("unit", TEXT)], TO_TIMESTAMP, truncate).reading(&[UNIT]),
            fallible(&[("at", TIMESTAMP), ("unit", TEXT), ("zone", TEXT)], TO_TIMESTAMP, truncate)
                .reading(&[UNIT, ZONE_THIRD]),
            fallible(&[("at", TIMESTAMP), ("length", DURATION)], TO_TIMESTAMP, truncate_length),
        ],
    ),
    entry(
        "to_zone",
        "What the clocks of a zone show at this instant.",
        &[("to_zone(@2026-07-01T10:00:00Z, \"Europe/Berlin\")", "2026-07-01T12:00:00")],
        &[fallible(AT_ZONE, TO_TIMESTAMP, |args| by_zone(args, Zone::clock)).reading(ZONE_SECOND)],
    ),
    entry(
        "from_zone",
        "The instant at which the clocks of a zone show this. Of two, where they are set back, the earlier; a time that \
         they skip counts from before they are set forward.",
        &[("from_zone(timestamp(\"2026-07-01T12:00:00\"), \"Europe/Berlin\")", "2026-07-01T10:00:00")],
        &[fallible(AT_ZONE, TO_TIMESTAMP, |args| by_zone(args, Zone::instant)).reading(ZONE_SECOND)],
    ),
    entry(
        "zone_offset",
        "How far the clocks of a zone are ahead of UTC at this instant.",
        &[("zone_offset(@2026-07-01T10:00:00Z, \"America/New_York\")", "-4h")],
        &[fallible(AT_ZONE, Gives::Value(Simple::Duration), |args| {
            let (instants, zones) = (args.timestamp(0)?, Readings::new(args, 1, Zone::read)?);
            args.collect::<DurationMicrosecondArray, _>(|row| Ok(zones.get(row)?.offset(instants.value(row))))
        })
        .reading(ZONE_SECOND)
        .unless_constant()],
    ),
    entry(
        "add_days",
        "The same time so many days later.",
        &[("add_days(@2026-11-22, 10)", "2026-12-02")],
        &[
            fallible(DATE_AND_NUMBER, TO_DATE, |args| move_dates(args, |days, number| days.checked_add(number))),
            fallible(AT_AND_NUMBER, TO_TIMESTAMP, |args| move_instants(args, |days, number| days.checked_add(number))),
        ],
    ),
    entry(
        "add_months",
        "The same day and time so many months later, or the last day of a month that is too short.",
        &[
            ("add_months(@2026-01-31, 1)", "2026-02-28"),
            ("add_months(@2026-03-01T08:00:00Z, -1)", "2026-02-01T08:00:00"),
        ],
        &[
            fallible(DATE_AND_NUMBER, TO_DATE, |args| move_dates(args, add_months)),
            fallible(AT_AND_NUMBER, TO_TIMESTAMP, |args| move_instants(args, add_months)),
        ],
    ),
    entry(
        "add_years",
        "The same day and time so many years later; 29 February becomes 28 where it must.",
        &[("add_years(@2024-02-29, 1)", "2025-02-28")],
        &[
            fallible(DATE_AND_NUMBER, TO_DATE, |args| move_dates(args, add_years)),
            fallible(AT_AND_NUMBER, TO_TIMESTAMP, |args| move_instants(args, add_years)),
        ],
    ),
    entry(
        "last_day",
        "The last day of the month.",
        &[("last_day(@2024-02-10)", "2024-02-29")],
        &[
            fallible(&[("at", DATE)], TO_DATE, |args| {
                let dates = args.date(0)?;
                args.collect::<Date32Array, _>(|row| last_day(i64::from(dates.value(row))))
            }),
            fallible(AT, TO_DATE, |args| {
                let instants = args.timestamp(0)?;
                args.collect::<Date32Array, _>(|row| last_day(instants.value(row).div_euclid(DAY)))
            }),
        ],
    ),
    entry(
        "difference",
        "How many whole units lie between two instants, as `end - start` would say it: negative where `end` is the \
         earlier. Months and years are those of the calendar.",
        &[
            ("difference(@2026-11-22, @2026-01-31, \"month\")", "9"),
            ("difference(@2026-11-22T10:00:00Z, @2026-11-22T08:30:00Z, \"hour\")", "1"),
        ],
        &[fallible(&[("end", TIMESTAMP), ("start", TIMESTAMP), ("unit", TEXT)], TO_INT, difference)
            .reading(&[UNIT_THIRD])],
    ),
    entry(
        "make_date",
        "The date of a year, a month and a day; one that does not exist is a row error.",
        &[("make_date(2026, 11, 22)", "2026-11-22")],
        &[fallible(&[("year", INT), ("month", INT), ("day", INT)], TO_DATE, make_date)],
    ),
    entry(
        "make_timestamp",
        "The timestamp of a year, a month, a day, an hour, a minute and a second with its fraction, as the clocks of a \
         zone show them if one is given; one that does not exist is a row error.",
        &[
            ("make_timestamp(2026, 11, 22, 10, 20, 30.5)", "2026-11-22T10:20:30.500"),
            ("make_timestamp(2026, 7, 1, 12, 0, 0, \"Europe/Berlin\")", "2026-07-01T10:00:00"),
        ],
        &[
            fallible(CIVIL, TO_TIMESTAMP, make_timestamp),
            fallible(CIVIL_AND_ZONE, TO_TIMESTAMP, make_timestamp)
                .reading(&[Prepare { argument: 6, read: |text| prepared(Zone::read(text)) }]),
        ],
    ),
    entry(
        "seconds",
        "The duration in seconds. A duration divided by another one is a float too: `d / 1h`.",
        &[("seconds(1m)", "60.0"), ("seconds(250ms)", "0.25")],
        &[total(&[("d", DURATION)], Gives::Value(Simple::Float), |args| {
            let lengths = args.duration(0)?;
            args.collect::<Float64Array, _>(|row| Ok(normalise(lengths.value(row) as f64 / SECOND as f64)))
        })],
    ),
    entry(
        "from_seconds",
        "The duration of so many seconds, to the nearest microsecond.",
        &[("from_seconds(90)", "1m30s")],
        &[fallible(&[("seconds", FLOAT)], Gives::Value(Simple::Duration), |args| {
            let seconds = args.float(0)?;
            args.collect::<DurationMicrosecondArray, _>(|row| super::micros(seconds.value(row), "duration"))
        })],
    ),
];

const CIVIL: Parameters =
    &[("year", INT), ("month", INT), ("day", INT), ("hour", INT), ("minute", INT), ("second", FLOAT)];
const CIVIL_AND_ZONE: Parameters =
    &[("year", INT), ("month", INT), ("day", INT), ("hour", INT), ("minute", INT), ("second", FLOAT), ("zone", TEXT)];

fn overflow(at: i64) -> DataFusionError {
    row_error(format!("timestamp overflow: {}", timestamp_text(at)))
}

fn truncate(args: &Arguments<'_>) -> Result<ArrayRef> {
    let (instants, units) = (args.timestamp(0)?, Readings::new(args, 1, Unit::read)?);
    let zones = if args.len() > 2 { Some(Readings::new(args, 2, Zone::read)?) } else { None };
    args.collect::<TimestampMicrosecondArray, _>(|row| {
        let (at, unit) = (instants.value(row), *units.get(row)?);
        let start = match &zones {
            None => unit.start(at),
            Some(zones) => truncate_in(at, unit, *zones.get(row)?),
        };
        start.ok_or_else(|| overflow(at))
    })
}

/// The start of the unit by the clocks of a zone.
fn truncate_in(at: i64, unit: Unit, zone: Zone) -> Option<i64> {
    let clock = zone.clock(at)?;
    match unit {
        // Within a day the clocks run as they do now: an hour that comes twice stays the one that it is.
        Unit::Length(length) => at.checked_sub(clock.rem_euclid(length)),
        unit => zone.instant(unit.start(clock)?),
    }
}

fn truncate_length(args: &Arguments<'_>) -> Result<ArrayRef> {
    let (instants, lengths) = (args.timestamp(0)?, args.duration(1)?);
    args.collect::<TimestampMicrosecondArray, _>(|row| {
        let (at, length) = (instants.value(row), lengths.value(row));
        if length <= 0 {
            return Err(row_error("the length of a window must be positive"));
        }
        at.checked_sub(at.rem_euclid(length)).ok_or_else(|| overflow(at))
    })
}

fn by_zone(args: &Arguments<'_>, f: fn(Zone, i64) -> Option<i64>) -> Result<ArrayRef> {
    let (instants, zones) = (args.timestamp(0)?, Readings::new(args, 1, Zone::read)?);
    args.collect::<TimestampMicrosecondArray, _>(|row| {
        let at = instants.value(row);
        f(*zones.get(row)?, at).ok_or_else(|| overflow(at))
    })
}

fn add_years(days: i64, years: i64) -> Option<i64> {
    add_months(days, years.checked_mul(12)?)
}

fn move_dates(args: &Arguments<'_>, f: fn(i64, i64) -> Option<i64>) -> Result<ArrayRef> {
    let (dates, numbers) = (args.date(0)?, args.int(1)?);
    args.collect::<Date32Array, _>(|row| {
        let (date, number) = (dates.value(row), numbers.value(row));
        let moved = f(i64::from(date), number).and_then(|days| i32::try_from(days).ok());
        moved.ok_or_else(|| row_error(format!("date overflow: {} moved by {number}", date_text(date))))
    })
}

fn move_instants(args: &Arguments<'_>, f: fn(i64, i64) -> Option<i64>) -> Result<ArrayRef> {
    let (instants, numbers) = (args.timestamp(0)?, args.int(1)?);
    args.collect::<TimestampMicrosecondArray, _>(|row| {
        let at = instants.value(row);
        let midnight = f(at.div_euclid(DAY), numbers.value(row)).and_then(|days| days.checked_mul(DAY));
        midnight.and_then(|midnight| midnight.checked_add(at.rem_euclid(DAY))).ok_or_else(|| overflow(at))
    })
}

fn last_day(days: i64) -> Result<i32> {
    let (year, month, _) = civil(days);
    let last = days_from_civil(year, month, days_in_month(year, month));
    i32::try_from(last).map_err(|_| row_error(format!("date overflow: the month of day {days}")))
}

fn difference(args: &Arguments<'_>) -> Result<ArrayRef> {
    let (ends, starts, units) = (args.timestamp(0)?, args.timestamp(1)?, Readings::new(args, 2, Unit::read)?);
    args.collect::<Int64Array, _>(|row| {
        let (end, start) = (ends.value(row), starts.value(row));
        let between = units.get(row)?.between(end, start);
        between.ok_or_else(|| {
            let (end, start) = (timestamp_text(end), timestamp_text(start));
            row_error(format!("integer overflow: microseconds from {start} to {end}"))
        })
    })
}

/// The day of a date that exists.
fn civil_day(year: i64, month: i64, day: i64) -> Result<i64> {
    let exists = year.unsigned_abs() < 1_000_000 && (1..=12).contains(&month);
    if !exists || !(1..=days_in_month(year, month)).contains(&day) {
        return Err(row_error(format!("there is no date {year}-{month}-{day}")));
    }
    Ok(days_from_civil(year, month, day))
}

fn make_date(args: &Arguments<'_>) -> Result<ArrayRef> {
    let (years, months, days) = (args.int(0)?, args.int(1)?, args.int(2)?);
    args.collect::<Date32Array, _>(|row| {
        let day = civil_day(years.value(row), months.value(row), days.value(row))?;
        i32::try_from(day).map_err(|_| row_error(format!("date overflow: day {day}")))
    })
}

fn make_timestamp(args: &Arguments<'_>) -> Result<ArrayRef> {
    let (years, months, days) = (args.int(0)?, args.int(1)?, args.int(2)?);
    let (hours, minutes, seconds) = (args.int(3)?, args.int(4)?, args.float(5)?);
    let zones = if args.len() > 6 { Some(Readings::new(args, 6, Zone::read)?) } else { None };
    args.collect::<TimestampMicrosecondArray, _>(|row| {
        let day = civil_day(years.value(row), months.value(row), days.value(row))?;
        let (hour, minute, second) = (hours.value(row), minutes.value(row), seconds.value(row));
        if !(0..24).contains(&hour) || !(0..60).contains(&minute) || !(0.0..60.0).contains(&second) {
            return Err(row_error(format!("there is no time {hour}:{minute}:{second:?}")));
        }
        let time = hour * HOUR + minute * MINUTE + super::micros(second, "timestamp")?;
        let clock = day.checked_mul(DAY).and_then(|midnight| midnight.checked_add(time));
        let zone = zones.as_ref().map(|zones| zones.get(row)).transpose()?;
        let at = match zone {
            None => clock,
            Some(zone) => clock.and_then(|clock| zone.instant(clock)),
        };
        at.ok_or_else(|| row_error(format!("timestamp overflow: the year {}", years.value(row))))
    })
}
