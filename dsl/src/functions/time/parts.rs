//! Parts of an instant: its year, its hour, its week. With a time zone, as the clocks and calendars there show it.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, DurationMicrosecondArray, Int64Array};
use datafusion_common::Result;

use super::super::arguments::Arguments;
use super::super::entry::{Function, Overload, fallible, total};
use super::super::prepare::Readings;
use super::super::takes::{Gives, Simple};
use super::calendar::{DAY, HOUR, MINUTE, SECOND, civil, days_from_civil, days_in_month, iso_week};
use super::zone::Zone;
use super::{AT, AT_ZONE, TO_INT, ZONE_SECOND, entry};

/// A part of a day (since 1970-01-01) and of the time since its midnight, in microseconds.
type Part = fn(i64, i64) -> i64;

/// The two ways to ask for a part: in UTC, and in a zone.
const fn ways(
    utc: fn(&Arguments<'_>) -> Result<ArrayRef>,
    zoned: fn(&Arguments<'_>) -> Result<ArrayRef>,
) -> [Overload; 2] {
    [total(AT, TO_INT, utc), fallible(AT_ZONE, TO_INT, zoned).reading(ZONE_SECOND).unless_constant()]
}

/// The entries.
pub const LIBRARY: &[Function] = &[
    entry("year", "The year.", &[("year(@2026-11-22)", "2026")], &ways(|a| utc(a, year), |a| zoned(a, year))),
    entry(
        "quarter",
        "The quarter of the year, 1 to 4.",
        &[("quarter(@2026-11-22)", "4")],
        &ways(|a| utc(a, quarter), |a| zoned(a, quarter)),
    ),
    entry(
        "month",
        "The month, 1 to 12.",
        &[("month(@2026-11-22)", "11")],
        &ways(|a| utc(a, month), |a| zoned(a, month)),
    ),
    entry(
        "day",
        "The day of the month, from 1.",
        &[("day(@2026-11-22)", "22"), ("day(@2026-11-22T23:30:00Z, \"Asia/Tokyo\")", "23")],
        &ways(|a| utc(a, day), |a| zoned(a, day)),
    ),
    entry(
        "day_of_year",
        "The day of the year, from 1.",
        &[("day_of_year(@2026-02-01)", "32")],
        &ways(|a| utc(a, day_of_year), |a| zoned(a, day_of_year)),
    ),
    entry(
        "weekday",
        "The day of the week, 1 (Monday) to 7 (Sunday).",
        &[("weekday(@2026-11-22)", "7")],
        &ways(|a| utc(a, weekday), |a| zoned(a, weekday)),
    ),
    entry(
        "iso_week",
        "The week by ISO 8601, 1 to 53: weeks begin on Monday, and the first one of a year has its first Thursday.",
        &[("iso_week(@2026-01-01)", "1"), ("iso_week(@2027-01-01)", "53")],
        &ways(|a| utc(a, |days, _| iso_week(days).1), |a| zoned(a, |days, _| iso_week(days).1)),
    ),
    entry(
        "iso_year",
        "The year that the week by ISO 8601 belongs to.",
        &[("iso_year(@2027-01-01)", "2026")],
        &ways(|a| utc(a, |days, _| iso_week(days).0), |a| zoned(a, |days, _| iso_week(days).0)),
    ),
    entry(
        "hour",
        "The hour, 0 to 23.",
        &[("hour(@2026-11-22T10:20:30Z)", "10"), ("hour(@2026-11-22T10:20:30Z, \"Europe/Berlin\")", "11")],
        &ways(|a| utc(a, |_, time| time / HOUR), |a| zoned(a, |_, time| time / HOUR)),
    ),
    entry(
        "minute",
        "The minute, 0 to 59.",
        &[("minute(@2026-11-22T10:20:30Z)", "20")],
        &ways(|a| utc(a, |_, time| time % HOUR / MINUTE), |a| zoned(a, |_, time| time % HOUR / MINUTE)),
    ),
    entry(
        "second",
        "The second, 0 to 59.",
        &[("second(@2026-11-22T10:20:30Z)", "30")],
        &[total(AT, TO_INT, |args| utc(args, |_, time| time % MINUTE / SECOND))],
    ),
    entry(
        "millisecond",
        "The whole milliseconds after the second.",
        &[("millisecond(timestamp(\"2026-11-22T10:20:30.256\"))", "256")],
        &[total(AT, TO_INT, |args| utc(args, |_, time| time % SECOND / 1_000))],
    ),
    entry(
        "microsecond",
        "The microseconds after the second.",
        &[("microsecond(timestamp(\"2026-11-22T10:20:30.256\"))", "256000")],
        &[total(AT, TO_INT, |args| utc(args, |_, time| time % SECOND))],
    ),
    entry(
        "time_of_day",
        "The time since midnight.",
        &[("time_of_day(@2026-11-22T10:20:30Z)", "10h20m30s")],
        &[
            total(AT, Gives::Value(Simple::Duration), |args| {
                let instants = args.timestamp(0)?;
                args.collect::<DurationMicrosecondArray, _>(|row| Ok(instants.value(row).rem_euclid(DAY)))
            }),
            fallible(AT_ZONE, Gives::Value(Simple::Duration), |args| {
                let (instants, zones) = (args.timestamp(0)?, Readings::new(args, 1, Zone::read)?);
                args.collect::<DurationMicrosecondArray, _>(|row| Ok(local(instants.value(row), *zones.get(row)?).1))
            })
            .reading(ZONE_SECOND)
            .unless_constant(),
        ],
    ),
    entry(
        "days_in_month",
        "How many days the month has.",
        &[("days_in_month(@2024-02-10)", "29")],
        &ways(|a| utc(a, month_days), |a| zoned(a, month_days)),
    ),
    entry(
        "is_leap_year",
        "True if the year has 366 days.",
        &[("is_leap_year(@2024-02-10)", "true"), ("is_leap_year(@2026-02-10)", "false")],
        &[total(AT, Gives::Value(Simple::Bool), |args| {
            let instants = args.timestamp(0)?;
            args.collect::<BooleanArray, _>(|row| {
                let (year, _, _) = civil(instants.value(row).div_euclid(DAY));
                Ok(days_in_month(year, 2) == 29)
            })
        })],
    ),
];

fn year(days: i64, _: i64) -> i64 {
    civil(days).0
}

fn quarter(days: i64, _: i64) -> i64 {
    (civil(days).1 + 2) / 3
}

fn month(days: i64, _: i64) -> i64 {
    civil(days).1
}

fn day(days: i64, _: i64) -> i64 {
    civil(days).2
}

fn day_of_year(days: i64, _: i64) -> i64 {
    days - days_from_civil(civil(days).0, 1, 1) + 1
}

/// 1970-01-01 was a Thursday.
fn weekday(days: i64, _: i64) -> i64 {
    (days + 3).rem_euclid(7) + 1
}

fn month_days(days: i64, _: i64) -> i64 {
    let (year, month, _) = civil(days);
    days_in_month(year, month)
}

fn utc(args: &Arguments<'_>, part: Part) -> Result<ArrayRef> {
    let parts: Int64Array = args.timestamp(0)?.unary(|at| part(at.div_euclid(DAY), at.rem_euclid(DAY)));
    Ok(Arc::new(parts))
}

fn zoned(args: &Arguments<'_>, part: Part) -> Result<ArrayRef> {
    let (instants, zones) = (args.timestamp(0)?, Readings::new(args, 1, Zone::read)?);
    args.collect::<Int64Array, _>(|row| {
        let (days, time) = local(instants.value(row), *zones.get(row)?);
        Ok(part(days, time))
    })
}

/// The day and the time of day that clocks show, also where the two together are beyond a timestamp.
fn local(at: i64, zone: Zone) -> (i64, i64) {
    let offset = zone.offset(at);
    let (days, time) = (at.div_euclid(DAY), at.rem_euclid(DAY) + offset);
    (days + time.div_euclid(DAY), time.rem_euclid(DAY))
}
