//! Columns of CSV from a sample.

use tidebook_plan::connector::{ConnectorError, SourceField};
use tidebook_plan::{Type, limits};

use super::dialect::Dialect;
use super::header::{header, is_passed_over, likely_delimiter, too_many};
use super::scan::Field;
use crate::format::infer::{Guess, SAMPLE_ROWS, field};
use crate::format::{MARK, Sample};

/// The columns that a sample of CSV shows: named by the header, or `c1`, `c2`, … without one.
///
/// # Errors
/// Where the sample has no record, has too many columns, or seems to have another delimiter.
pub fn infer(sample: &Sample<'_>, dialect: &Dialect) -> Result<Vec<SourceField>, ConnectorError> {
    let whole = sample.whole;
    let data = sample.bytes.strip_prefix(MARK).unwrap_or(sample.bytes);
    let empty = || {
        sample.fault("has no rows to infer the columns from; declare them: `read csv(…) { name: type, … }`".to_string())
    };
    let names = header(dialect, data, 0, whole).filter(|header| header.start < data.len()).ok_or_else(empty)?;
    if names.names.len() > limits::COLUMNS {
        return Err(sample.fault(too_many(names.names.len())));
    }
    if let Some(likely) = likely_delimiter(dialect, data, &names) {
        let first = data[names.start..].split(|byte| *byte == b'\n').next().unwrap_or_default();
        let shown: String = String::from_utf8_lossy(first.trim_ascii_end()).chars().take(80).collect();
        let what = if dialect.header { "the header" } else { "the first record" };
        let message = format!("{what} of `{}` is one column, `{shown}`: is the delimiter {likely}?", sample.origin);
        return Err(ConnectorError::Option { option: "delimiter", message });
    }
    let mut at = names.next;
    let mut columns: Vec<(String, Guess)> = names.names.into_iter().map(|name| (name, Guess::None)).collect();
    let mut scratch = Vec::new();
    let mut rows = 0;
    while at < data.len() && rows < SAMPLE_ROWS {
        match is_passed_over(dialect, data, at, whole) {
            None => break,
            Some(false) => {}
            Some(true) => {
                at = memchr::memchr(b'\n', &data[at..]).map_or(data.len(), |length| at + length + 1);
                continue;
            }
        }
        let mut seen = Vec::with_capacity(columns.len());
        loop {
            let Some(field) = Field::scan(dialect, data, at, whole) else {
                return Ok(finish(columns));
            };
            at = field.next;
            seen.push(if field.is_empty(dialect) || field.fault.is_some() {
                Guess::None
            } else {
                dialect.conversion.guess(field.text(dialect, &mut scratch))
            });
            if field.ends_record {
                break;
            }
        }
        // A record of another width will be an error row, unless it may be short; it says nothing about the columns.
        if seen.len() == columns.len() || (dialect.fill && seen.len() < columns.len()) {
            for ((_, known), guess) in columns.iter_mut().zip(seen) {
                *known = std::mem::replace(known, Guess::None).merge(guess);
            }
        }
        rows += 1;
    }
    Ok(finish(columns))
}

fn finish(columns: Vec<(String, Guess)>) -> Vec<SourceField> {
    columns.into_iter().map(|(name, guess)| field(name, guess.into_type(&Type::Text))).collect()
}
