//! Texts of single values, as a dialect writes them.

use tidebook_plan::Type;
use tidebook_plan::connector::{ConnectorError, Options};

use super::dialect::character;
use crate::format::clock::{parse_date, parse_duration, parse_timestamp};
use crate::format::column::Values;
use crate::format::infer::Guess;
use crate::format::scalar::{parse_base64, parse_decimal, parse_float, parse_int, parse_special_float};
use crate::format::time_format::TimeFormat;

/// How the texts of values are written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conversion {
    /// Before the fraction, and between groups of three digits, where they are not as usual.
    numbers: Option<(u8, Option<u8>)>,
    date: Option<TimeFormat>,
    timestamp: Option<TimeFormat>,
    truths: Vec<String>,
    falsehoods: Vec<String>,
}

impl Conversion {
    /// Reads the options `decimal`, `thousands`, `date_format`, `timestamp_format`, `true_values`, `false_values`.
    ///
    /// # Errors
    /// Where a character is none or stands for two things, or a pattern makes no sense.
    pub fn new(options: &Options) -> Result<Conversion, ConnectorError> {
        let fault = |option, message: String| ConnectorError::Option { option, message };
        let decimal = character(options, "decimal", Some(b'.'))?.unwrap_or(b'.');
        let thousands = character(options, "thousands", None)?;
        if thousands == Some(decimal) {
            return Err(fault("thousands", "is what stands before the fraction as well: set `decimal`".to_string()));
        }
        for (option, byte) in [("decimal", Some(decimal)), ("thousands", thousands)] {
            if byte.is_some_and(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-')) {
                return Err(fault(option, "cannot be a digit or a sign".to_string()));
            }
        }
        let format = |option: &'static str| {
            options.text(option).map(TimeFormat::new).transpose().map_err(|message| fault(option, message))
        };
        let words = |option| options.texts(option).into_iter().map(str::to_string).collect::<Vec<_>>();
        let (truths, falsehoods) = (words("true_values"), words("false_values"));
        if let Some(word) = truths.iter().find(|word| falsehoods.contains(word)) {
            return Err(fault("false_values", format!("`{word}` is one of `true_values` as well")));
        }
        Ok(Conversion {
            numbers: (decimal != b'.' || thousands.is_some()).then_some((decimal, thousands)),
            date: format("date_format")?,
            timestamp: format("timestamp_format")?,
            truths,
            falsehoods,
        })
    }

    /// A scalar's text into its column; false where it is none.
    #[inline]
    pub(in crate::format) fn push(&self, values: &mut Values, text: &[u8], scratch: &mut Vec<u8>) -> bool {
        fn push<T>(values: &mut Vec<T>, value: Option<T>) -> bool {
            let fits = value.is_some();
            values.extend(value);
            fits
        }
        let text = match (&self.numbers, &*values) {
            (Some(numbers), Values::Int(_) | Values::Float(_) | Values::Decimal { .. }) => {
                if !usual_number(text, *numbers, scratch) {
                    return false;
                }
                scratch.as_slice()
            }
            _ => text,
        };
        match values {
            Values::Int(values) => push(values, parse_int(text)),
            Values::Float(values) => push(values, parse_float(text).or_else(|| parse_special_float(text))),
            Values::Decimal { values, precision, scale } => push(values, parse_decimal(text, *precision, *scale)),
            Values::Date(values) => push(values, self.date(text)),
            Values::Timestamp(values) => push(values, self.timestamp(text)),
            Values::Duration(values) => push(values, parse_duration(text)),
            Values::Bool(values) => match self.truth(text) {
                Some(value) => {
                    values.append(value);
                    true
                }
                None => false,
            },
            Values::Bytes(runs) => match parse_base64(text) {
                Some(bytes) => {
                    runs.push(&bytes);
                    true
                }
                None => false,
            },
            _ => false,
        }
    }

    fn date(&self, text: &[u8]) -> Option<i32> {
        self.date.as_ref().map_or_else(|| parse_date(text), |format| format.parse_date(text))
    }

    fn timestamp(&self, text: &[u8]) -> Option<i64> {
        self.timestamp.as_ref().map_or_else(|| parse_timestamp(text), |format| format.parse(text))
    }

    fn truth(&self, text: &[u8]) -> Option<bool> {
        let is_in = |words: &[String]| words.iter().any(|word| word.as_bytes() == text);
        if text.eq_ignore_ascii_case(b"true") || is_in(&self.truths) {
            Some(true)
        } else if text.eq_ignore_ascii_case(b"false") || is_in(&self.falsehoods) {
            Some(false)
        } else {
            None
        }
    }

    /// What a text that is no value of its type should rather look like, if an option may help.
    pub(super) fn hint(&self, ty: &Type) -> &'static str {
        match ty {
            Type::Date if self.date.is_none() => " (`date_format` says how dates are written)",
            Type::Timestamp if self.timestamp.is_none() => " (`timestamp_format` says how timestamps are written)",
            _ => "",
        }
    }

    /// What one field says about the type of its column.
    pub fn guess(&self, text: &[u8]) -> Guess {
        let text = text.trim_ascii();
        if self.truth(text).is_some() {
            return Guess::Scalar(Type::Bool);
        }
        if self.date.as_ref().is_some_and(|format| format.parse(text).is_some()) {
            return Guess::Scalar(Type::Date);
        }
        if self.timestamp.as_ref().is_some_and(|format| format.parse(text).is_some()) {
            return Guess::Scalar(Type::Timestamp);
        }
        let mut usual = Vec::new();
        let guess = match self.numbers {
            Some(numbers) if usual_number(text, numbers, &mut usual) => Guess::of_text(&usual),
            // A point is none in a number here, so what has one is text.
            Some(_) if !matches!(Guess::of_text(text), Guess::Scalar(Type::Date | Type::Timestamp)) => {
                Guess::Scalar(Type::Text)
            }
            _ => Guess::of_text(text),
        };
        match guess {
            // With a format, ISO 8601 is not read.
            Guess::Scalar(Type::Date) if self.date.is_some() => Guess::Scalar(Type::Text),
            Guess::Scalar(Type::Timestamp) if self.timestamp.is_some() => Guess::Scalar(Type::Text),
            guess => guess,
        }
    }
}

/// A number with a point before the fraction and nothing between its digits; false where its groups have not three digits
/// each, or a point stands where none is used.
fn usual_number(text: &[u8], (decimal, thousands): (u8, Option<u8>), out: &mut Vec<u8>) -> bool {
    out.clear();
    let mut in_fraction = false;
    // Digits since the last separator of groups, if there was one.
    let mut group: Option<usize> = None;
    for byte in text {
        if !in_fraction && Some(*byte) == thousands {
            if group.is_some_and(|digits| digits != 3) || !out.last().is_some_and(u8::is_ascii_digit) {
                return false;
            }
            group = Some(0);
            continue;
        }
        if *byte == decimal && !in_fraction {
            in_fraction = true;
            out.push(b'.');
            if group.take().is_some_and(|digits| digits != 3) {
                return false;
            }
            continue;
        }
        if *byte == b'.' || *byte == decimal || Some(*byte) == thousands {
            return false;
        }
        if let Some(digits) = &mut group {
            *digits += 1;
        }
        out.push(*byte);
    }
    group.is_none_or(|digits| digits == 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_other_countries() {
        let number = |text: &str, decimal: u8, thousands: Option<u8>| {
            let mut out = Vec::new();
            usual_number(text.as_bytes(), (decimal, thousands), &mut out).then(|| String::from_utf8(out).unwrap())
        };
        assert_eq!(number("1.234.567,5", b',', Some(b'.')).as_deref(), Some("1234567.5"));
        assert_eq!(number("-1,234", b'.', Some(b',')).as_deref(), Some("-1234"));
        assert_eq!(number("1 000", b',', Some(b' ')).as_deref(), Some("1000"));
        assert_eq!(number("3,5", b',', None).as_deref(), Some("3.5"));
        for text in ["1.23", "12,34,5", ".234", "1..234", "1.2345,6"] {
            assert_eq!(number(text, b',', Some(b'.')), None, "{text}");
        }
    }
}
