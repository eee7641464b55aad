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

/// A number in text: its digits without leading zeros, and how many of them stand after the point (fewer than none where
/// an exponent puts zeros at the end).
struct Digits {
    negative: bool,
    digits: Vec<u8>,
    scale: i64,
}

/// `-1.25`, `1.5e3`.
fn digits(text: &str) -> Option<Digits> {
    let text = text.trim();
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, i64::from(exponent.parse::<i32>().ok()?)),
        None => (rest, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = || whole.bytes().chain(fraction.bytes());
    if all().next().is_none() || !all().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = all().map(|byte| byte - b'0').skip_while(|digit| *digit == 0).collect();
    Some(Digits { negative, digits, scale: i64::try_from(fraction.len()).ok()? - exponent })
}

/// A decimal, unscaled; digits beyond the scale are rounded half away from zero.
pub fn decimal(text: &str, precision: u8, scale: u8) -> Option<i128> {
    let number = digits(text)?;
    let length = i64::try_from(number.digits.len()).ok()?;
    // How many of the digits are kept; more than there are where zeros follow. A first digit is not zero, so that a number
    // that is too large is known to be within a few steps.
    let kept = if length == 0 { 0 } else { length - number.scale + i64::from(scale) };
    let digit = |place: i64| usize::try_from(place).ok().and_then(|place| number.digits.get(place)).copied();
    let mut value: i128 = 0;
    for place in 0..kept {
        value = value.checked_mul(10)?.checked_add(i128::from(digit(place).unwrap_or(0)))?;
    }
    if digit(kept).is_some_and(|digit| digit >= 5) {
        value = value.checked_add(1)?;
    }
    let fits = value.unsigned_abs() < 10u128.pow(u32::from(precision));
    fits.then_some(if number.negative { -value } else { value })
}

/// The precision and scale of the decimal that a text writes out, if it is one of at most 38 digits.
pub fn natural_decimal(text: &str) -> Option<(u8, u8)> {
    let number = digits(text)?;
    let scale = number.scale.max(0);
    let whole = (i64::try_from(number.digits.len()).ok()? - number.scale).max(0);
    let precision = (whole + scale).max(1);
    (precision <= 38).then_some((u8::try_from(precision).ok()?, u8::try_from(scale).ok()?))
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
    let text = text.trim();
    let read = string_to_datetime(&Utc, text).ok().or_else(|| {
        // `2026-11-22T10:00` with or without a zone: the seconds are 0, as in a literal.
        let (minutes, zone) = (text.get(..16)?, text.get(16..)?);
        let is_zone = zone.is_empty() || zone.starts_with(['Z', 'z', '+', '-', ' ']);
        if is_zone { string_to_datetime(&Utc, &format!("{minutes}:00{zone}")).ok() } else { None }
    });
    read.map(|at| at.timestamp_micros())
}

/// Numbers with units, `1h30m`, `-250ms`, `1.5h`; microseconds, what is less being dropped.
pub fn duration(text: &str) -> Option<i64> {
    let text = text.trim();
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1i128, rest),
        None => (1, text),
    };
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
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
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let is_number =
            !whole.is_empty() && !number.ends_with('.') && fraction.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number {
            return None;
        }
        let digits = format!("{whole}{fraction}").parse::<i128>().ok()?;
        let unit = 10i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
        total = total.checked_add(digits.checked_mul(size)? / unit)?;
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
        assert_eq!(decimal("+.5", 5, 2), Some(50));
        assert_eq!(decimal("1.5e2", 5, 2), Some(15_000));
        assert_eq!(decimal("-126E-3", 5, 2), Some(-13));
        assert_eq!(decimal("4e-3", 5, 2), Some(0));
        assert_eq!(decimal("1e-99999", 5, 2), Some(0));
        assert_eq!(decimal("0e99999", 5, 2), Some(0));
        assert_eq!(decimal("1e2147483647", 38, 2), None);
        assert_eq!(decimal("1e2147483648", 38, 2), None);
        assert_eq!(decimal("e5", 5, 2), None);
        assert_eq!(natural_decimal("-001.50"), Some((3, 2)));
        assert_eq!(natural_decimal("0.05"), Some((2, 2)));
        assert_eq!(natural_decimal("0"), Some((1, 0)));
        assert_eq!(natural_decimal("1.5e3"), Some((4, 0)));
        assert_eq!(natural_decimal("1e38"), None);
        assert_eq!(natural_decimal("x"), None);
        assert_eq!(date("1969-12-31"), Some(-1));
        assert_eq!(date("1969-13-31"), None);
        assert_eq!(timestamp("1970-01-01T00:00:01.5Z"), Some(1_500_000));
        assert_eq!(timestamp("1970-01-01T01:00:00+01:00"), Some(0));
        assert_eq!(timestamp("1970-01-02"), Some(86_400_000_000));
        assert_eq!(duration("1h30m"), Some(5_400_000_000));
        assert_eq!(duration("-250ms"), Some(-250_000));
        assert_eq!(duration("1.5h"), Some(5_400_000_000));
        assert_eq!(duration("1m0.25s"), Some(60_250_000));
        assert_eq!(duration("1.s"), None);
        assert_eq!(duration(".5s"), None);
        assert_eq!(duration("1.2.3s"), None);
        assert_eq!(timestamp("1970-01-01T00:01"), Some(60_000_000));
        assert_eq!(timestamp("1970-01-01T00:01Z"), Some(60_000_000));
        assert_eq!(timestamp("1970-01-01 01:01+01:00"), Some(60_000_000));
        assert_eq!(timestamp("1970-01-01T00:0"), None);
        assert_eq!(duration(""), None);
        assert_eq!(duration("5"), None);
    }
}
