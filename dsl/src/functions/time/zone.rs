//! Time zones: the clocks of a place, and what they show at an instant.

use chrono::offset::LocalResult;
use chrono::{DateTime, NaiveDateTime, Offset, TimeZone};
use chrono_tz::{TZ_VARIANTS, Tz};
use tidebook_plan::diagnostic::near_names;

use super::super::cast::show::quoted;
use super::calendar::{DAY, SECOND};

/// A time zone.
#[derive(Clone, Copy, Debug)]
pub enum Zone {
    /// So many microseconds ahead of UTC, always.
    Fixed(i64),
    /// A zone of the IANA database.
    Named(Tz),
}

impl Zone {
    /// The zone of this name or offset.
    pub fn read(text: &str) -> Result<Zone, String> {
        if let Some(offset) = fixed(text) {
            return Ok(Zone::Fixed(offset));
        }
        if let Ok(zone) = text.parse::<Tz>() {
            return Ok(Zone::Named(zone));
        }
        let near = near_names(text, TZ_VARIANTS.iter().map(|zone| zone.name()));
        Err(match near.first() {
            Some(near) => format!("unknown time zone {} (did you mean \"{near}\"?)", quoted(text)),
            None => format!("unknown time zone {}", quoted(text)),
        })
    }

    /// How many microseconds the clocks are ahead of UTC at an instant. Beyond the calendar of the zone's rules, as at
    /// its end.
    pub fn offset(self, at: i64) -> i64 {
        match self {
            Zone::Fixed(offset) => offset,
            Zone::Named(zone) => {
                let seconds = zone.offset_from_utc_datetime(&calendar(at)).fix().local_minus_utc();
                i64::from(seconds) * SECOND
            }
        }
    }

    /// What the clocks show at an instant, as microseconds; `None` beyond the range of timestamps.
    pub fn clock(self, at: i64) -> Option<i64> {
        at.checked_add(self.offset(at))
    }

    /// The instant at which the clocks show this. Of two, where they were set back, the earlier; where they were set
    /// forward and never show it, the instant at which they would have without that.
    pub fn instant(self, clock: i64) -> Option<i64> {
        let offset = match self {
            Zone::Fixed(offset) => offset,
            Zone::Named(zone) => match zone.offset_from_local_datetime(&calendar(clock)) {
                LocalResult::Single(offset) => i64::from(offset.fix().local_minus_utc()) * SECOND,
                LocalResult::Ambiguous(first, second) => {
                    let seconds = first.fix().local_minus_utc().max(second.fix().local_minus_utc());
                    i64::from(seconds) * SECOND
                }
                // A day before the clocks were set forward they ran as before.
                LocalResult::None => self.offset(clock.saturating_sub(DAY)),
            },
        };
        clock.checked_sub(offset)
    }
}

/// The instant in chrono's calendar, or its first or last one.
fn calendar(at: i64) -> NaiveDateTime {
    match DateTime::from_timestamp_micros(at) {
        Some(at) => at.naive_utc(),
        // A few days inside, so that an offset does not lead out again.
        None if at < 0 => DateTime::<chrono::Utc>::MIN_UTC.naive_utc() + chrono::Days::new(3),
        None => DateTime::<chrono::Utc>::MAX_UTC.naive_utc() - chrono::Days::new(3),
    }
}

/// `Z`, `+02:00`, `-0530`, `+02`, in microseconds.
fn fixed(text: &str) -> Option<i64> {
    if text == "Z" {
        return Some(0);
    }
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match digits.len() {
        2 => (digits, "0"),
        4 => digits.split_at_checked(2)?,
        5 => digits.split_once(':').filter(|(hours, _)| hours.len() == 2)?,
        _ => return None,
    };
    let number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<i64>().ok())?;
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes) * 60 * SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_are_set_forward_and_back() {
        let berlin = Zone::read("Europe/Berlin").unwrap();
        let at = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros();
        assert_eq!(berlin.clock(at("2026-07-01T10:00:00Z")), Some(at("2026-07-01T12:00:00Z")));
        // 02:30 does not exist on the last Sunday of March, and comes twice on that of October.
        assert_eq!(berlin.instant(at("2026-03-29T02:30:00Z")), Some(at("2026-03-29T01:30:00Z")));
        assert_eq!(berlin.instant(at("2026-10-25T02:30:00Z")), Some(at("2026-10-25T00:30:00Z")));
        assert_eq!(berlin.offset(i64::MAX), berlin.offset(i64::MAX - 1));
        assert_eq!(fixed("-05:30"), Some(-(5 * 60 + 30) * 60 * SECOND));
        assert_eq!(fixed("+25"), None);
        assert!(Zone::read("Europe/Berln").unwrap_err().contains("Europe/Berlin"));
    }
}
