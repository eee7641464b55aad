//! Values as text: what `text(…)`, f-strings and row errors show.

use chrono::{DateTime, NaiveDate};

const MICROS_PER_SECOND: i64 = 1_000_000;

/// The shortest text that reads back as the same float, always with a point or an exponent.
pub fn float_text(value: f64) -> String {
    format!("{value:?}")
}

/// An unscaled decimal with its point.
pub fn decimal_text(value: i128, scale: i16) -> String {
    let Ok(scale) = usize::try_from(scale) else { return value.to_string() };
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let sign = if value < 0 { "-" } else { "" };
    if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// Days since 1970-01-01 as the date that they are.
pub fn date_text(days: i32) -> String {
    match to_date(days) {
        Some(date) => date.format("%Y-%m-%d").to_string(),
        None => format!("{days} days after 1970-01-01"),
    }
}

/// Days since 1970-01-01 as a date of the calendar, if it reaches so far.
pub fn to_date(days: i32) -> Option<NaiveDate> {
    // 719,163 days lie between the calendar's first day and 1970-01-01.
    NaiveDate::from_num_days_from_ce_opt(days.checked_add(719_163)?)
}

/// Microseconds since 1970 as ISO 8601 in UTC, with a fraction only where there is one.
pub fn timestamp_text(micros: i64) -> String {
    match DateTime::from_timestamp_micros(micros) {
        Some(at) => at.format("%Y-%m-%dT%H:%M:%S%.f").to_string(),
        None => format!("{micros} microseconds after 1970-01-01"),
    }
}

/// Microseconds as a sum of units, largest first: `1d2h30m`, `250ms`, `-5s`, `0s`.
pub fn duration_text(micros: i64) -> String {
    let mut rest = micros.unsigned_abs();
    if rest == 0 {
        return "0s".to_string();
    }
    let second = MICROS_PER_SECOND.unsigned_abs();
    let units =
        [(86_400 * second, "d"), (3_600 * second, "h"), (60 * second, "m"), (second, "s"), (1_000, "ms"), (1, "us")];
    let mut text = if micros < 0 { "-".to_string() } else { String::new() };
    for (size, name) in units {
        if rest >= size {
            text.push_str(&format!("{}{name}", rest / size));
            rest %= size;
        }
    }
    text
}

/// Text in quotes for an error, shortened where it is long.
pub fn quoted(text: &str) -> String {
    const SHOWN: usize = 100;
    if text.chars().count() <= SHOWN {
        return format!("{text:?}");
    }
    let start: String = text.chars().take(SHOWN).collect();
    format!("{start:?}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_values() {
        assert_eq!(float_text(1.0), "1.0");
        assert_eq!(float_text(f64::NAN), "NaN");
        assert_eq!(decimal_text(-5, 2), "-0.05");
        assert_eq!(decimal_text(12345, 2), "123.45");
        assert_eq!(decimal_text(7, 0), "7");
        assert_eq!(date_text(0), "1970-01-01");
        assert_eq!(date_text(-1), "1969-12-31");
        assert_eq!(timestamp_text(1_500_000), "1970-01-01T00:00:01.500");
        assert_eq!(duration_text(5_400_000_000), "1h30m");
        assert_eq!(duration_text(-250_000), "-250ms");
        assert_eq!(duration_text(i64::MIN).chars().next(), Some('-'));
    }
}
