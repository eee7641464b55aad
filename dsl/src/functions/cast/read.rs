//! Text as values. White space around a value is passed over; anything else that is too much makes it unreadable.

use arrow_cast::parse::string_to_datetime;
use chrono::{Datelike, NaiveDate, Utc};

/// A whole number.
pub fn int(text: &str) -> Option<i64> {
    text.trim().parse().ok()
}

/// A number, `NaN` and `inf` included.
pub fn float(text: &str) -> Option<f64> {
    text.trim().parse().ok()
}

/// `true` or `false`, in any case.
pub fn bool(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// A decimal, unscaled; digits beyond the scale are rounded half away from zero.
pub fn decimal(text: &str, precision: u8, scale: u8) -> Option<i128> {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let kept = fraction.len().min(usize::from(scale));
    let padding = std::iter::repeat_n(b'0', usize::from(scale) - kept);
    let mut value: i128 = 0;
    for digit in whole.bytes().chain(fraction[..kept].bytes()).chain(padding) {
        value = value.checked_mul(10)?.checked_add(i128::from(digit - b'0'))?;
    }
    if fraction.as_bytes().get(kept).is_some_and(|digit| *digit >= b'5') {
        value = value.checked_add(1)?;
    }
    let fits = value.unsigned_abs() < 10u128.pow(u32::from(precision));
    fits.then_some(if negative { -value } else { value })
}

/// `2026-11-22`, as days since 1970-01-01.
pub fn date(text: &str) -> Option<i32> {
    NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d").ok().map(days)
}

/// Days since 1970-01-01.
pub fn days(date: NaiveDate) -> i32 {
    date.num_days_from_ce() - 719_163
}

/// ISO 8601 with or without a zone, or a date; microseconds since 1970 in UTC.
pub fn timestamp(text: &str) -> Option<i64> {
    string_to_datetime(&Utc, text.trim()).ok().map(|at| at.timestamp_micros())
}

/// Numbers with units, `1h30m`, `-250ms`; microseconds.
pub fn duration(text: &str) -> Option<i64> {
    let text = text.trim();
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1i128, rest),
        None => (1, text),
    };
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, after) = rest.split_at(number_end);
        let unit_end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        let size: i128 = match unit {
            "us" => 1,
            "ms" => 1_000,
            "s" => 1_000_000,
            "m" => 60_000_000,
            "h" => 3_600_000_000,
            "d" => 86_400_000_000,
            _ => return None,
        };
        total = total.checked_add(number.parse::<i128>().ok()?.checked_mul(size)?)?;
        rest = after;
    }
    if text.is_empty() || text == "-" {
        return None;
    }
    i64::try_from(sign * total).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_is_whole_and_nothing_else() {
        assert_eq!(int(" 7 "), Some(7));
        assert_eq!(int("7.0"), None);
        assert_eq!(int("9223372036854775808"), None);
        assert_eq!(decimal("-1.255", 5, 2), Some(-126));
        assert_eq!(decimal("1000", 5, 2), None);
        assert_eq!(decimal(".", 5, 2), None);
        assert_eq!(decimal("5", 5, 2), Some(500));
        assert_eq!(date("1969-12-31"), Some(-1));
        assert_eq!(date("1969-13-31"), None);
        assert_eq!(timestamp("1970-01-01T00:00:01.5Z"), Some(1_500_000));
        assert_eq!(timestamp("1970-01-01T01:00:00+01:00"), Some(0));
        assert_eq!(timestamp("1970-01-02"), Some(86_400_000_000));
        assert_eq!(duration("1h30m"), Some(5_400_000_000));
        assert_eq!(duration("-250ms"), Some(-250_000));
        assert_eq!(duration(""), None);
        assert_eq!(duration("5"), None);
    }
}
