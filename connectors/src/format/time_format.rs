//! Dates and timestamps by a pattern of `%` letters, as `strptime` and `strftime` of C have it.

use super::clock::{civil_from_days, days_from_civil};

const DAY: i64 = 86_400_000_000;
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// What documentation says of the letters.
macro_rules! time_format_letters {
    () => {
        "`%Y` `%y` `%m` `%d` (leading zeros may lack), `%b` `%B` (English names), `%H` `%I` `%M` `%S` `%p`, `%f` (fraction), \
`%z` (offset), `%s` (seconds since 1970), `%j` (day of the year), `%a` `%A` (weekday), `%F` `%T` `%D`, `%%`"
    };
}

/// A pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeFormat {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Literal(u8),
    Letter(u8),
}

/// What a text has said so far.
#[derive(Default)]
struct Parts {
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    hour: i64,
    /// Hours of half a day, and whether it is the second half.
    half_hour: Option<i64>,
    afternoon: Option<bool>,
    minute: i64,
    second: i64,
    micros: i64,
    offset_minutes: i64,
    epoch_seconds: Option<i64>,
}

impl TimeFormat {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Names the letter that means nothing, or says that the day is missing.
    pub fn new(pattern: &str) -> Result<TimeFormat, String> {
        let mut pieces = Vec::new();
        let mut bytes = pattern.bytes();
        while let Some(byte) = bytes.next() {
            if byte != b'%' {
                pieces.push(Piece::Literal(byte));
                continue;
            }
            let letter = bytes.next().ok_or_else(|| format!("`{pattern}` ends with a lone `%`"))?;
            // `%-d` and `%#d` are how some systems write a day without a leading zero, which reads the same here.
            let letter = if matches!(letter, b'-' | b'#') { bytes.next().unwrap_or(b'-') } else { letter };
            let several: &[u8] = match letter {
                b'F' => b"Y-m-d",
                b'D' => b"m/d/y",
                b'T' => b"H:M:S",
                b'R' => b"H:M",
                b'e' => b"d",
                b'h' => b"b",
                b'%' => {
                    pieces.push(Piece::Literal(b'%'));
                    continue;
                }
                b'Y' | b'y' | b'm' | b'd' | b'b' | b'B' | b'H' | b'I' | b'M' | b'S' | b'p' | b'f' | b'z' | b's'
                | b'j' | b'a' | b'A' => {
                    pieces.push(Piece::Letter(letter));
                    continue;
                }
                other => return Err(format!("`%{}` means nothing in `{pattern}`", char::from(other))),
            };
            let expanded = several
                .iter()
                .map(|byte| if byte.is_ascii_alphabetic() { Piece::Letter(*byte) } else { Piece::Literal(*byte) });
            pieces.extend(expanded);
        }
        let format = TimeFormat { pieces };
        let has = |letters: &[u8]| letters.iter().any(|letter| format.pieces.contains(&Piece::Letter(*letter)));
        let month_and_day = has(b"mbB") && has(b"d") || has(b"j");
        if !has(b"s") && !(has(b"Yy") && month_and_day) {
            return Err(format!("`{pattern}` does not say the whole day: it needs `%Y`, `%m` and `%d`"));
        }
        Ok(format)
    }

    /// Microseconds since 1970, UTC, of a text; without an offset it is UTC.
    pub fn parse(&self, text: &[u8]) -> Option<i64> {
        let mut parts = Parts::default();
        let mut rest = text;
        for piece in &self.pieces {
            match piece {
                // One space stands for any number of them.
                Piece::Literal(b' ') => {
                    let after = rest.trim_ascii_start();
                    if after.len() == rest.len() {
                        return None;
                    }
                    rest = after;
                }
                Piece::Literal(byte) => rest = rest.strip_prefix(&[*byte])?,
                Piece::Letter(letter) => rest = parts.read(*letter, rest)?,
            }
        }
        if rest.is_empty() { parts.micros() } else { None }
    }

    /// The day of a text, in days since 1970.
    pub fn parse_date(&self, text: &[u8]) -> Option<i32> {
        i32::try_from(self.parse(text)?.div_euclid(DAY)).ok()
    }

    /// A moment as text.
    pub fn format(&self, micros: i64) -> String {
        let days = micros.div_euclid(DAY);
        let (year, month, day) = civil_from_days(days);
        let in_day = micros.rem_euclid(DAY);
        let (hour, minute, second) = (in_day / 3_600_000_000, in_day / 60_000_000 % 60, in_day / 1_000_000 % 60);
        let month_name = MONTHS[month as usize - 1];
        // 1970-01-01 was a Thursday.
        let weekday = WEEKDAYS[(days + 3).rem_euclid(7) as usize];
        let mut out = Vec::new();
        for piece in &self.pieces {
            let text = match piece {
                Piece::Literal(byte) => {
                    out.push(*byte);
                    continue;
                }
                Piece::Letter(b'Y') => format!("{year:04}"),
                Piece::Letter(b'y') => format!("{:02}", year.rem_euclid(100)),
                Piece::Letter(b'm') => format!("{month:02}"),
                Piece::Letter(b'd') => format!("{day:02}"),
                Piece::Letter(b'b') => month_name[..3].to_string(),
                Piece::Letter(b'B') => month_name.to_string(),
                Piece::Letter(b'H') => format!("{hour:02}"),
                Piece::Letter(b'I') => format!("{:02}", (hour + 11) % 12 + 1),
                Piece::Letter(b'M') => format!("{minute:02}"),
                Piece::Letter(b'S') => format!("{second:02}"),
                Piece::Letter(b'p') => if hour < 12 { "AM" } else { "PM" }.to_string(),
                Piece::Letter(b'f') => format!("{:06}", in_day % 1_000_000),
                Piece::Letter(b'z') => "+0000".to_string(),
                Piece::Letter(b's') => micros.div_euclid(1_000_000).to_string(),
                Piece::Letter(b'j') => {
                    let first = days_from_civil(year, 1, 1).unwrap_or(days);
                    format!("{:03}", days - first + 1)
                }
                Piece::Letter(b'a') => weekday[..3].to_string(),
                Piece::Letter(_) => weekday.to_string(),
            };
            out.extend_from_slice(text.as_bytes());
        }
        String::from_utf8_lossy(&out).into_owned()
    }

    /// A day as text.
    pub fn format_date(&self, days: i32) -> String {
        self.format(i64::from(days) * DAY)
    }
}

impl Parts {
    /// What `letter` stands for, from the front of `text`; gives the rest.
    fn read<'a>(&mut self, letter: u8, text: &'a [u8]) -> Option<&'a [u8]> {
        let digits = match letter {
            b'Y' => 4,
            b'j' => 3,
            b'f' => 9,
            b's' => 19,
            _ => 2,
        };
        match letter {
            b'b' | b'B' => {
                let (index, rest) = name(text, &MONTHS)?;
                self.month = Some(index + 1);
                return Some(rest);
            }
            // A weekday adds nothing: it is passed over.
            b'a' | b'A' => return name(text, &WEEKDAYS).map(|(_, rest)| rest),
            b'p' => {
                let (half, rest) = text.split_at_checked(2)?;
                self.afternoon = Some(match half.to_ascii_lowercase().as_slice() {
                    b"am" => false,
                    b"pm" => true,
                    _ => return None,
                });
                return Some(rest);
            }
            b'z' => {
                let (minutes, rest) = offset(text)?;
                self.offset_minutes = minutes;
                return Some(rest);
            }
            _ => {}
        }
        let (negative, text) = match text {
            [b'-', rest @ ..] if letter == b's' => (true, rest),
            _ => (false, text),
        };
        let count = text.iter().take(digits).take_while(|byte| byte.is_ascii_digit()).count();
        let (number, rest) = text.split_at(count);
        if letter == b'f' {
            let shift = 10_i64.pow(6_u32.saturating_sub(u32::try_from(count).ok()?));
            self.micros = super::scalar::parse_int(&number[..count.min(6)])? * shift;
            return Some(rest);
        }
        let value = super::scalar::parse_int(number)?;
        match letter {
            b'Y' if count == 4 => self.year = Some(value),
            // As POSIX splits the centuries.
            b'y' if count == 2 => self.year = Some(if value < 69 { 2_000 + value } else { 1_900 + value }),
            b'm' => self.month = Some(value),
            b'd' => self.day = Some(value),
            b'j' => self.day_of_year = Some(value),
            b'H' => self.hour = value,
            b'I' => self.half_hour = Some(value),
            b'M' => self.minute = value,
            b'S' => self.second = value,
            b's' => self.epoch_seconds = Some(if negative { -value } else { value }),
            _ => return None,
        }
        Some(rest)
    }

    fn micros(&self) -> Option<i64> {
        if let Some(seconds) = self.epoch_seconds {
            return seconds.checked_mul(1_000_000)?.checked_add(self.micros);
        }
        let year = self.year?;
        let days = match (self.month, self.day, self.day_of_year) {
            (Some(month), Some(day), _) => days_from_civil(year, u32::try_from(month).ok()?, u32::try_from(day).ok()?)?,
            (_, _, Some(day)) => {
                let days = days_from_civil(year, 1, 1)? + day - 1;
                if civil_from_days(days).0 != year {
                    return None;
                }
                days
            }
            _ => return None,
        };
        let hour = match (self.half_hour, self.afternoon) {
            (Some(1..=12), None) | (None, Some(_)) | (None, None) => self.half_hour.unwrap_or(self.hour),
            (Some(hour @ 1..=12), Some(afternoon)) => hour % 12 + if afternoon { 12 } else { 0 },
            _ => return None,
        };
        if hour > 23 || self.minute > 59 || self.second > 59 {
            return None;
        }
        let minutes = hour * 60 + self.minute - self.offset_minutes;
        Some(days * DAY + (minutes * 60 + self.second) * 1_000_000 + self.micros)
    }
}

/// The index of the name, full or of three letters, that `text` begins with, and the rest.
fn name<'a>(text: &'a [u8], names: &[&str]) -> Option<(i64, &'a [u8])> {
    let begins = |word: &str| text.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word.as_bytes()));
    let full = (0..).zip(names).find(|(_, name)| begins(name)).map(|(i, name)| (i, name.len()));
    let (index, length) =
        full.or_else(|| (0..).zip(names).find(|(_, name)| begins(&name[..3])).map(|(i, _)| (i, 3)))?;
    Some((index, &text[length..]))
}

/// Minutes east of UTC, and the rest: `Z`, `+01`, `+0100` or `+01:00`.
fn offset(text: &[u8]) -> Option<(i64, &[u8])> {
    if let [b'Z' | b'z', rest @ ..] = text {
        return Some((0, rest));
    }
    let (sign, text) = match text {
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let two = |text: &[u8]| {
        text.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_digit)).and_then(super::scalar::parse_int)
    };
    let hours = two(text)?;
    let rest = &text[2..];
    let tail = rest.strip_prefix(b":").unwrap_or(rest);
    let (minutes, rest) = match two(tail) {
        Some(minutes) => (minutes, &tail[2..]),
        None if tail.len() == rest.len() => (0, rest),
        None => return None,
    };
    (hours <= 23 && minutes <= 59).then_some((sign * (hours * 60 + minutes), rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::clock::{format_timestamp, parse_timestamp};

    #[test]
    fn patterns_read_and_write() {
        for (pattern, text, moment) in [
            ("%d.%m.%Y", "31.01.2026", "2026-01-31T00:00:00"),
            ("%m/%d/%y", "01/31/26", "2026-01-31T00:00:00"),
            ("%d-%b-%Y", "05-Mar-1999", "1999-03-05T00:00:00"),
            ("%B %d, %Y", "March 05, 1999", "1999-03-05T00:00:00"),
            ("%d/%m/%Y %H:%M:%S", "31/01/2026 23:59:58", "2026-01-31T23:59:58"),
            ("%Y%m%d%H%M", "202601312359", "2026-01-31T23:59:00"),
            ("%F %I:%M %p", "2026-01-31 12:05 AM", "2026-01-31T00:05:00"),
            ("%F %T.%f", "2026-01-31 10:00:00.250000", "2026-01-31T10:00:00.25"),
            ("%a, %d %b %Y %T %z", "Sat, 31 Jan 2026 10:00:00 +0000", "2026-01-31T10:00:00"),
            ("%s", "-1", "1969-12-31T23:59:59"),
            ("%Y-%j", "2024-366", "2024-12-31T00:00:00"),
        ] {
            let format = TimeFormat::new(pattern).unwrap();
            let micros = format.parse(text.as_bytes());
            assert_eq!(micros, parse_timestamp(moment.as_bytes()), "{text} by {pattern}");
            assert_eq!(format.format(micros.unwrap()), text, "{moment} by {pattern}");
        }
        let offset = TimeFormat::new("%d.%m.%Y %H:%M%z").unwrap();
        for text in ["1.2.2026 12:00+02:00", "01.02.2026 12:00+0200", "1.2.2026 12:00+02", "01.02.2026 10:00Z"] {
            assert_eq!(offset.parse(text.as_bytes()).map(format_timestamp).unwrap(), "2026-02-01T10:00:00", "{text}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let day = TimeFormat::new("%d.%m.%Y").unwrap();
        for text in ["", "31.02.2026", "32.1.2026", "1.13.2026", "1.1.26", "1.1.2026 ", "1/1/2026", "x1.1.2026"] {
            assert_eq!(day.parse(text.as_bytes()), None, "{text}");
        }
        let half = TimeFormat::new("%F %I %p").unwrap();
        assert_eq!(half.parse(b"2026-01-01 13 PM"), None);
        assert_eq!(TimeFormat::new("%Y-%j").unwrap().parse(b"2023-366"), None);
        for pattern in ["%Q", "%", "%Y-%m", "%H:%M", ""] {
            assert!(TimeFormat::new(pattern).is_err(), "{pattern}");
        }
    }
}
