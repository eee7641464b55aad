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

/// The start of the unit that `at` lies in, `None` inside where it is before the first timestamp; `None` for an
/// unknown unit.
pub fn truncate_to(at: i64, unit: &str) -> Option<Option<i64>> {
    let days = at.div_euclid(DAY);
    let (year, month, _) = civil(days);
    let of_length = |length: i64| at.checked_sub(at.rem_euclid(length));
    let of_day = |day: i64| day.checked_mul(DAY);
    Some(match unit {
        "second" => of_length(SECOND),
        "minute" => of_length(MINUTE),
        "hour" => of_length(HOUR),
        "day" => of_length(DAY),
        // 1970-01-01 was a Thursday, the fourth day of its week.
        "week" => of_day(days - (days + 3).rem_euclid(7)),
        "month" => of_day(days_from_civil(year, month, 1)),
        "quarter" => of_day(days_from_civil(year, (month - 1) / 3 * 3 + 1, 1)),
        "year" => of_day(days_from_civil(year, 1, 1)),
        _ => return None,
    })
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
}
