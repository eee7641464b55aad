//! Units of time by name: to truncate by, and to count in.

use super::super::cast::show::quoted;
use super::calendar::{DAY, HOUR, MINUTE, SECOND, civil, days_from_civil};

/// A unit of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A unit of a fixed length below a day, in microseconds.
    Length(i64),
    /// A day.
    Day,
    /// A week, from Monday.
    Week,
    /// So many months: a month, a quarter, a year, a decade, a century.
    Months(i64),
}

impl Unit {
    /// The names of the units, for messages and documentation.
    pub const NAMES: &'static str =
        "microsecond, millisecond, second, minute, hour, day, week, month, quarter, year, decade, century";

    /// The unit of this name.
    pub fn read(text: &str) -> Result<Unit, String> {
        Ok(match text {
            "microsecond" => Unit::Length(1),
            "millisecond" => Unit::Length(1_000),
            "second" => Unit::Length(SECOND),
            "minute" => Unit::Length(MINUTE),
            "hour" => Unit::Length(HOUR),
            "day" => Unit::Day,
            "week" => Unit::Week,
            "month" => Unit::Months(1),
            "quarter" => Unit::Months(3),
            "year" => Unit::Months(12),
            "decade" => Unit::Months(120),
            "century" => Unit::Months(1_200),
            _ => return Err(format!("unknown unit of time {}; the units are {}", quoted(text), Unit::NAMES)),
        })
    }

    /// The start of the unit that an instant lies in; `None` before the first timestamp.
    pub fn start(self, at: i64) -> Option<i64> {
        let days = at.div_euclid(DAY);
        match self {
            Unit::Length(length) => at.checked_sub(at.rem_euclid(length)),
            Unit::Day => days.checked_mul(DAY),
            // 1970-01-01 was a Thursday, the fourth day of its week.
            Unit::Week => (days - (days + 3).rem_euclid(7)).checked_mul(DAY),
            Unit::Months(months) => {
                let (year, month, _) = civil(days);
                let first = (year * 12 + month - 1).div_euclid(months) * months;
                days_from_civil(first.div_euclid(12), first.rem_euclid(12) + 1, 1).checked_mul(DAY)
            }
        }
    }

    /// How many whole units lie between two instants; negative where `end` is the earlier. `None` where they are too
    /// many for an int.
    pub fn between(self, end: i64, start: i64) -> Option<i64> {
        let micros = i128::from(end) - i128::from(start);
        let of_length = |length: i64| i64::try_from(micros / i128::from(length)).ok();
        match self {
            Unit::Length(length) => of_length(length),
            Unit::Day => of_length(DAY),
            Unit::Week => of_length(7 * DAY),
            Unit::Months(months) => Some(whole_months(end, start) / months),
        }
    }
}

/// Whole months between two instants, toward zero.
fn whole_months(end: i64, start: i64) -> i64 {
    let parts = |at: i64| {
        let (year, month, day) = civil(at.div_euclid(DAY));
        (year * 12 + month, (day, at.rem_euclid(DAY)))
    };
    let ((end_month, end_rest), (start_month, start_rest)) = (parts(end), parts(start));
    let months = end_month - start_month;
    match months {
        1.. if end_rest < start_rest => months - 1,
        ..=-1 if end_rest > start_rest => months + 1,
        _ => months,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(year: i64, month: i64, day: i64) -> i64 {
        days_from_civil(year, month, day) * DAY
    }

    #[test]
    fn units_begin_where_the_calendar_says() {
        let noon = at(2026, 11, 22) + 12 * HOUR;
        let start = |name: &str| Unit::read(name).unwrap().start(noon).unwrap();
        assert_eq!(start("week"), at(2026, 11, 16));
        assert_eq!(start("quarter"), at(2026, 10, 1));
        assert_eq!(start("decade"), at(2020, 1, 1));
        assert_eq!(start("century"), at(2000, 1, 1));
        assert_eq!(Unit::Week.start(i64::MIN), None);
    }

    #[test]
    fn differences_count_whole_units() {
        let month = Unit::Months(1);
        assert_eq!(month.between(at(2026, 3, 1), at(2026, 1, 31)), Some(1));
        assert_eq!(month.between(at(2026, 1, 31), at(2026, 3, 1)), Some(-1));
        assert_eq!(Unit::Months(12).between(at(2026, 2, 27), at(2024, 2, 28)), Some(1));
        assert_eq!(Unit::Day.between(at(2026, 1, 2), at(2026, 1, 1) + 1), Some(0));
    }
}
