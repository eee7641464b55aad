//! The proleptic Gregorian calendar over all of 64 bits, beyond what calendar libraries hold.
//! The algorithms are Howard Hinnant's ("chrono-Compatible Low-Level Date Algorithms").

/// Microseconds in a second.
pub const SECOND: i64 = 1_000_000;
/// Microseconds in a minute.
pub const MINUTE: i64 = 60 * SECOND;
/// Microseconds in an hour.
pub const HOUR: i64 = 60 * MINUTE;
/// Microseconds in a day.
pub const DAY: i64 = 24 * HOUR;

/// Year, month and day of the day so many days after 1970-01-01.
pub fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// Days from 1970-01-01 to this day.
pub fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted_month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Days of a month.
pub fn days_in_month(year: i64, month: i64) -> i64 {
    let next = if month == 12 { days_from_civil(year + 1, 1, 1) } else { days_from_civil(year, month + 1, 1) };
    next - days_from_civil(year, month, 1)
}

/// The day so many months later, or the last one of its month where that is shorter; `None` beyond the calendar of
/// an int.
pub fn add_months(days: i64, months: i64) -> Option<i64> {
    let (year, month, day) = civil(days);
    let all = (year * 12 + month - 1).checked_add(months)?;
    // Far beyond every date and timestamp, and far from overflow.
    if all.unsigned_abs() > 12 * 10_000_000 {
        return None;
    }
    let (year, month) = (all.div_euclid(12), all.rem_euclid(12) + 1);
    Some(days_from_civil(year, month, day.min(days_in_month(year, month))))
}

/// Year and week by ISO 8601: weeks begin on Monday, and the first one of a year has its first Thursday.
pub fn iso_week(days: i64) -> (i64, i64) {
    let thursday = days - (days + 3).rem_euclid(7) + 3;
    let (year, _, _) = civil(thursday);
    (year, (thursday - days_from_civil(year, 1, 1)) / 7 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calendar_goes_both_ways() {
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(-1), (1969, 12, 31));
        assert_eq!(civil(days_from_civil(2024, 2, 29)), (2024, 2, 29));
        for days in (-1_000_000..1_000_000).step_by(997) {
            let (year, month, day) = civil(days);
            assert_eq!(days_from_civil(year, month, day), days);
        }
        assert!(civil(i64::MIN / DAY).0 < -290_000);
    }

    #[test]
    fn months_end_where_they_end() {
        let day = days_from_civil;
        assert_eq!(add_months(day(2026, 1, 31), 1), Some(day(2026, 2, 28)));
        assert_eq!(add_months(day(2024, 2, 29), -12), Some(day(2023, 2, 28)));
        assert_eq!(add_months(0, i64::MAX), None);
        assert_eq!(iso_week(day(2027, 1, 1)), (2026, 53));
        assert_eq!(iso_week(day(2026, 1, 1)), (2026, 1));
    }
}
