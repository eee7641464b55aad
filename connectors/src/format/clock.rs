//! Dates, timestamps and durations as text. One place, so that what a sink writes, a source reads back unchanged.

const DAY: i64 = 86_400_000_000;
const UNITS: [(&str, i64); 6] =
    [("d", DAY), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000), ("ms", 1_000), ("us", 1)];

/// Days since 1970-01-01 of a day of the proleptic Gregorian calendar; `None` where there is no such day.
pub fn days_from_civil(year: i64, month: u32, day: u32) -> Option<i64> {
    if !(1..=12).contains(&month) || day == 0 || day > days_in_month(year, month) {
        return None;
    }
    // Years begin in March here, so that the leap day is the last one of its year.
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let month_index = i64::from((month + 9) % 12);
    let day_of_year = (153 * month_index + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

/// Year, month and day of a number of days since 1970-01-01.
pub fn civil_from_days(days: i64) -> (i64, u32, u32) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * month_index + 2) / 5 + 1) as u32;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 } as u32;
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

fn days_in_month(year: i64, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Exactly `count` digits at the front, as a number.
fn digits(text: &[u8], count: usize) -> Option<i64> {
    let text = text.get(..count)?;
    let mut value = 0;
    for byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(value)
}

/// The day at the front of `text` (`YYYY-MM-DD` or `YYYY/MM/DD`), and the rest.
fn leading_day(text: &[u8]) -> Option<(i64, &[u8])> {
    let separator = text.get(4)?;
    if !matches!(separator, b'-' | b'/') || text.get(7) != Some(separator) {
        return None;
    }
    let day = days_from_civil(digits(text, 4)?, digits(&text[5..], 2)? as u32, digits(&text[8..], 2)? as u32)?;
    Some((day, &text[10..]))
}

/// Days since 1970-01-01 of `YYYY-MM-DD`, also with slashes.
pub fn parse_date(text: &[u8]) -> Option<i32> {
    match leading_day(text)? {
        (day, []) => i32::try_from(day).ok(),
        _ => None,
    }
}

/// Microseconds UTC of an ISO 8601 instant: `YYYY-MM-DD` (also with slashes), then optionally `T` or a space and `HH:MM[:SS[.fraction]]`,
/// then optionally `Z` or an offset (`+02:00`, `+0200`, `+02`). Without a zone it is UTC; digits past the microsecond are cut.
pub fn parse_timestamp(text: &[u8]) -> Option<i64> {
    let (day, rest) = leading_day(text)?;
    let midnight = day * DAY;
    let Some((separator, rest)) = rest.split_first() else {
        return Some(midnight);
    };
    if !matches!(separator, b'T' | b't' | b' ') || rest.get(2) != Some(&b':') {
        return None;
    }
    let (hour, minute) = (digits(rest, 2)?, digits(&rest[3..], 2)?);
    let mut rest = &rest[5..];
    let mut second = 0;
    let mut fraction = 0;
    if let [b':', tail @ ..] = rest {
        second = digits(tail, 2)?;
        rest = &tail[2..];
        if let [b'.' | b',', tail @ ..] = rest {
            let count = tail.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if count == 0 {
                return None;
            }
            let mut unit = 100_000;
            for byte in &tail[..count] {
                fraction += i64::from(byte - b'0') * unit;
                unit /= 10;
            }
            rest = &tail[count..];
        }
    }
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let offset_minutes = parse_zone(rest)?;
    Some(midnight + ((hour * 60 + minute - offset_minutes) * 60 + second) * 1_000_000 + fraction)
}

/// Minutes east of UTC.
fn parse_zone(text: &[u8]) -> Option<i64> {
    let (sign, rest) = match text {
        [] | b"Z" | b"z" => return Some(0),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let minutes = match rest.len() {
        2 => 0,
        4 => digits(&rest[2..], 2)?,
        5 if rest[2] == b':' => digits(&rest[3..], 2)?,
        _ => return None,
    };
    let hours = digits(rest, 2)?;
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 60 + minutes))
}

/// Microseconds of a duration: numbers with units (`90s`, `1h30m`, `250ms`, `1.5s`), or a bare number of seconds.
/// A part finer than a microsecond is no duration.
pub fn parse_duration(text: &[u8]) -> Option<i64> {
    let (negative, mut rest) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let mut total: i128 = 0;
    let mut first = true;
    while first || !rest.is_empty() {
        let number = rest.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
        let tail = &rest[number..];
        let letters = tail.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let unit = match &tail[..letters] {
            b"" if first && tail.is_empty() => 1_000_000,
            name => UNITS.iter().find(|(unit, _)| unit.as_bytes() == name)?.1,
        };
        // Six digits after the point are enough for every unit: a seventh would have to be zero anyway.
        let scaled = super::scalar::parse_decimal(&rest[..number], 38, 6)?.checked_mul(i128::from(unit))?;
        if scaled % 1_000_000 != 0 {
            return None;
        }
        total = total.checked_add(scaled / 1_000_000)?;
        rest = &tail[letters..];
        first = false;
    }
    i64::try_from(if negative { -total } else { total }).ok()
}

/// `YYYY-MM-DD`.
pub fn format_date(days: i32) -> String {
    let (year, month, day) = civil_from_days(i64::from(days));
    format!("{}-{month:02}-{day:02}", Year(year))
}

/// `YYYY-MM-DDTHH:MM:SS`, with a fraction only where it is not zero, without a zone: it is UTC.
pub fn format_timestamp(micros: i64) -> String {
    let (year, month, day) = civil_from_days(micros.div_euclid(DAY));
    let in_day = micros.rem_euclid(DAY);
    let (seconds, fraction) = (in_day / 1_000_000, in_day % 1_000_000);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let mut text = format!("{}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}", Year(year));
    if fraction != 0 {
        let digits = format!(".{fraction:06}");
        text.push_str(digits.trim_end_matches('0'));
    }
    text
}

/// A duration in the largest unit that divides it, as Tide writes it: `90s`, `1h`, `1500ms`.
pub fn format_duration(micros: i64) -> String {
    if micros == 0 {
        return "0s".to_string();
    }
    for (unit, size) in UNITS {
        if micros % size == 0 {
            return format!("{}{unit}", micros / size);
        }
    }
    unreachable!("one microsecond divides every duration")
}

/// A year of at least four digits, signed where it would be ambiguous.
struct Year(i64);

impl std::fmt::Display for Year {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            0..=9999 => write!(f, "{:04}", self.0),
            year => write!(f, "{year:+05}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_agree_with_chrono() {
        let epoch = chrono::NaiveDate::from_ymd_opt(1970, 1, 1).unwrap();
        for days in (-800_000..800_000).step_by(97) {
            let (year, month, day) = civil_from_days(days);
            assert_eq!(days_from_civil(year, month, day), Some(days));
            let date = chrono::NaiveDate::from_ymd_opt(year as i32, month, day).unwrap();
            assert_eq!((date - epoch).num_days(), days);
        }
        assert_eq!(days_from_civil(2023, 2, 29), None);
        assert_eq!(days_from_civil(2024, 13, 1), None);
    }

    #[test]
    fn instants_with_and_without_zone_and_fraction() {
        let noon = 1_767_268_800_000_000;
        for text in [
            "2026-01-01T12:00:00",
            "2026-01-01 12:00",
            "2026-01-01T12:00:00Z",
            "2026-01-01T13:30:00.000+01:30",
            "2026-01-01T10:00:00-0200",
            "2026/01/01 12:00:00",
        ] {
            assert_eq!(parse_timestamp(text.as_bytes()), Some(noon), "{text}");
        }
        assert_eq!(parse_timestamp(b"2026-01-01"), Some(noon - 12 * 3_600_000_000));
        assert_eq!(parse_timestamp(b"2026-01-01T12:00:00.000001999"), Some(noon + 1));
        for text in [
            "2026-01-01T",
            "2026-01-01T24:00:00",
            "2026-1-1",
            "2026-01-01T12:00:00.",
            "2026-01-01T12:00:00+1",
            "1767268800",
        ] {
            assert_eq!(parse_timestamp(text.as_bytes()), None, "{text}");
        }
        assert_eq!(format_timestamp(noon), "2026-01-01T12:00:00");
        assert_eq!(format_timestamp(noon + 250_000), "2026-01-01T12:00:00.25");
        assert_eq!(format_timestamp(-1), "1969-12-31T23:59:59.999999");
    }

    #[test]
    fn durations_come_back() {
        for micros in [0, 1, 1_500, 90_000_000, -5_400_000_000, DAY * 3, i64::MAX] {
            assert_eq!(parse_duration(format_duration(micros).as_bytes()), Some(micros));
        }
        assert_eq!(parse_duration(b"1h30m"), Some(5_400_000_000));
        assert_eq!(parse_duration(b"1.5"), Some(1_500_000));
        assert_eq!(format_duration(90_000_000), "90s");
        for text in ["", "s", "5x", "1h30", "0.0000001s", "-"] {
            assert_eq!(parse_duration(text.as_bytes()), None, "{text}");
        }
    }
}
