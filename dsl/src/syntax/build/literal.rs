//! Literals: numbers, durations, dates and texts.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use pest::iterators::Pair;
use tidebook_plan::Span;

use super::super::grammar::Rule;
use super::super::tree::Literal;
use super::{Builder, Built};
use crate::diagnostics::syntax as codes;

impl Builder<'_> {
    /// The value of a `number`. `negated` tells that a `-` precedes it: only then is -2^63 in range.
    pub fn number(&self, pair: &Pair<'_, Rule>, negated: bool) -> Built<Literal> {
        let digits: String = pair.as_str().chars().filter(|c| *c != '_').collect();
        let fault = |message: String, help: &str| {
            Err(Box::new(codes::BAD_LITERAL.error(message, self.span(pair)).with_help(help)))
        };
        if digits.contains(['.', 'e', 'E']) {
            return match digits.parse::<f64>() {
                Ok(value) if value.is_finite() => {
                    // Tide has no negative zero.
                    let value = if negated && value != 0.0 { -value } else { value };
                    Ok(Literal::Float(value))
                }
                _ => {
                    fault(format!("`{}` is too large for a float", pair.as_str()), "the largest float is about 1.8e308")
                }
            };
        }
        let signed = if negated { format!("-{digits}") } else { digits };
        match signed.parse::<i64>() {
            Ok(value) => Ok(Literal::Int(value)),
            Err(_) => fault(
                format!("`{}` is too large for an int", pair.as_str()),
                "an int goes from -9223372036854775808 to 9223372036854775807; for a float, write a point: `1.0`",
            ),
        }
    }

    /// The value of a `duration`, in microseconds.
    pub fn duration(&self, pair: &Pair<'_, Rule>, negated: bool) -> Built<Literal> {
        let text: String = pair.as_str().chars().filter(|c| *c != '_').collect();
        let unit_at = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
        let (value, unit) = text.split_at(unit_at);
        let unit_micros: i128 = match unit {
            "ms" => 1_000,
            "s" => 1_000_000,
            "m" => 60_000_000,
            "h" => 3_600_000_000,
            "d" => 86_400_000_000,
            unit => panic!("the grammar gives no duration in {unit:?}"),
        };
        let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
        let scale = u32::try_from(fraction.len()).ok().and_then(|digits| 10i128.checked_pow(digits));
        let micros = format!("{whole}{fraction}")
            .parse::<i128>()
            .ok()
            .and_then(|digits| digits.checked_mul(unit_micros))
            .zip(scale)
            .and_then(|(micros, scale)| i64::try_from(if negated { -(micros / scale) } else { micros / scale }).ok());
        match micros {
            Some(micros) => Ok(Literal::Duration(micros)),
            None => Err(Box::new(
                codes::BAD_LITERAL
                    .error(format!("`{}` is too large for a duration", pair.as_str()), self.span(pair))
                    .with_help("a duration is at most about 292,000 years"),
            )),
        }
    }

    /// The value of an `instant`: a date or a timestamp.
    pub fn instant(&self, pair: &Pair<'_, Rule>) -> Built<Literal> {
        let text = pair.as_str().trim_start_matches('@');
        match parse_instant(text) {
            Some(literal) => Ok(literal),
            None if text.split('.').next_back().is_some_and(|digits| digits.trim_end_matches('Z').len() > 6)
                && text.contains('.') =>
            {
                let fault = codes::BAD_LITERAL.error(format!("`@{text}` is finer than a microsecond"), self.span(pair));
                Err(Box::new(fault.with_help("a timestamp has at most six digits after the point")))
            }
            None => Err(Box::new(
                codes::BAD_LITERAL
                    .error(format!("`@{text}` is not in the calendar"), self.span(pair))
                    .with_help("write a date as `@2026-11-22`, a timestamp as `@2026-11-22T10:00:00.123456Z`"),
            )),
        }
    }

    /// The value of a `text`, escapes resolved.
    pub fn text(&self, pair: &Pair<'_, Rule>) -> Built<String> {
        let raw = pair.as_str();
        let mark = if raw.starts_with("\"\"\"") { 3 } else { 1 };
        let inner = &raw[mark..raw.len() - mark];
        self.unescape(inner, pair.as_span().start() + self.offset + mark, false)
    }

    /// Resolves the escapes of a piece of text that stands at `start`; in an f-string `{{` and `}}` too.
    pub fn unescape(&self, raw: &str, start: usize, formatted: bool) -> Built<String> {
        let mut out = String::with_capacity(raw.len());
        let mut at = 0;
        while let Some(c) = raw[at..].chars().next() {
            let rest = &raw[at..];
            if c == '\\' {
                let (value, length) = escape(rest).ok_or_else(|| {
                    let end = rest.char_indices().nth(2).map_or(rest.len(), |(index, _)| index);
                    let span = Span::new(start + at, start + at + end);
                    let help =
                        "escapes are \\n \\r \\t \\0 \\\\ \\\" \\' \\{ \\} \\u{1F600}; a backslash itself is \\\\";
                    Box::new(codes::BAD_LITERAL.error(format!("`{}` is no escape", &rest[..end]), span).with_help(help))
                })?;
                out.extend(value);
                at += length;
            } else if formatted && (rest.starts_with("{{") || rest.starts_with("}}")) {
                out.push(c);
                at += 2;
            } else {
                out.push(c);
                at += c.len_utf8();
            }
        }
        Ok(out)
    }
}

/// For each byte of what a text literal says, and for its end, the byte of the literal where it is written.
pub(crate) fn text_places(literal: &str) -> Vec<usize> {
    let mark = if literal.starts_with("\"\"\"") { 3 } else { 1 };
    let inner = literal.get(mark..literal.len().saturating_sub(mark)).unwrap_or("");
    let (mut places, mut at) = (Vec::with_capacity(inner.len() + 1), 0);
    while let Some(c) = inner[at..].chars().next() {
        let (value, length) = match c {
            '\\' => escape(&inner[at..]).unwrap_or((Some(c), c.len_utf8())),
            c => (Some(c), c.len_utf8()),
        };
        let bytes = value.map_or(0, char::len_utf8);
        places.extend(std::iter::repeat_n(mark + at, bytes));
        // Of a character that stands for itself, each byte is where it is.
        if length == bytes {
            let start = places.len() - bytes;
            for (offset, place) in places[start..].iter_mut().enumerate() {
                *place += offset;
            }
        }
        at += length;
    }
    places.push(mark + at);
    places
}

/// The character that an escape at the start of `rest` stands for (none for an escaped line end), and its length.
fn escape(rest: &str) -> Option<(Option<char>, usize)> {
    let value = match rest[1..].chars().next()? {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        '0' => '\0',
        c @ ('\\' | '"' | '\'' | '{' | '}') => c,
        '\n' => return Some((None, 2)),
        'u' => {
            let digits = rest[2..].strip_prefix('{')?.split_once('}')?.0;
            if digits.is_empty() || digits.len() > 6 {
                return None;
            }
            let value = char::from_u32(u32::from_str_radix(digits, 16).ok()?)?;
            return Some((Some(value), digits.len() + 4));
        }
        _ => return None,
    };
    Some((Some(value), 2))
}

/// `2026-11-22`, or with a time `T10:00`, `T10:00:00`, `T10:00:00.5` and a zone `Z`, `+01:00`, none for UTC.
fn parse_instant(text: &str) -> Option<Literal> {
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let date = NaiveDate::parse_from_str(date, "%Y-%m-%d").ok()?;
    let Some(time) = time else {
        let epoch = NaiveDate::from_ymd_opt(1970, 1, 1)?;
        return i32::try_from(date.signed_duration_since(epoch).num_days()).ok().map(Literal::Date);
    };
    let (time, offset_minutes) = match time.strip_suffix('Z') {
        Some(time) => (time, 0),
        None => match time.rfind(['+', '-']) {
            Some(at) => {
                let (hours, minutes) = time[at + 1..].split_once(':')?;
                let (hours, minutes) = (hours.parse::<i64>().ok()?, minutes.parse::<i64>().ok()?);
                if hours > 23 || minutes > 59 {
                    return None;
                }
                let sign = if time[at..].starts_with('-') { -1 } else { 1 };
                (&time[..at], sign * (hours * 60 + minutes))
            }
            None => (time, 0),
        },
    };
    let (clock, fraction) = time.split_once('.').unwrap_or((time, ""));
    let mut fields = clock.split(':').map(|field| field.parse::<u32>().ok());
    let (hour, minute, second) = (fields.next()??, fields.next()??, fields.next().unwrap_or(Some(0))?);
    if fraction.len() > 6 {
        return None;
    }
    let micros = if fraction.is_empty() { 0 } else { format!("{fraction:0<6}").parse::<u32>().ok()? };
    let time = NaiveTime::from_hms_micro_opt(hour, minute, second, micros)?;
    let local = NaiveDateTime::new(date, time).and_utc().timestamp_micros();
    local.checked_sub(offset_minutes * 60_000_000).map(Literal::Timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_utc_and_checked_against_the_calendar() {
        assert_eq!(parse_instant("1970-01-02"), Some(Literal::Date(1)));
        assert_eq!(parse_instant("1969-12-31"), Some(Literal::Date(-1)));
        assert_eq!(parse_instant("1970-01-01T00:00:01.5Z"), Some(Literal::Timestamp(1_500_000)));
        assert_eq!(parse_instant("1970-01-01T01:00+01:00"), Some(Literal::Timestamp(0)));
        assert_eq!(parse_instant("1969-12-31T23:00:00-01:00"), Some(Literal::Timestamp(0)));
        for wrong in ["2026-02-29", "2026-13-01", "2026-01-01T24:00:00Z", "2026-01-01T00:00:00.1234567Z"] {
            assert_eq!(parse_instant(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn escapes_have_their_length() {
        assert_eq!(escape("\\u{1F600}x"), Some((Some('😀'), 9)));
        assert_eq!(escape("\\n"), Some((Some('\n'), 2)));
        assert_eq!(escape("\\d"), None);
        assert_eq!(escape("\\u{110000}"), None);
    }
}
