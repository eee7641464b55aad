//! Columns of CSV from a sample.

use tidebook_plan::Type;
use tidebook_plan::connector::SourceField;

use super::header;
use super::scan::{Dialect, Field};
use crate::format::MARK;
use crate::format::infer::{Guess, SAMPLE_ROWS, field};

/// The columns that a sample of CSV shows: named by the header, or `column0`, `column1`, … without one.
///
/// # Errors
/// Where the sample has no record.
pub fn infer(sample: &[u8], whole: bool, dialect: &Dialect) -> Result<Vec<SourceField>, String> {
    let sample = sample.strip_prefix(MARK).unwrap_or(sample);
    let empty = || "has no rows to infer the columns from; declare them: `read csv(…) { name: type, … }`".to_string();
    if sample.trim_ascii().is_empty() {
        return Err(empty());
    }
    let (names, mut at, _) = header(dialect, sample, 0, whole).ok_or_else(empty)?;
    let mut columns: Vec<(String, Guess)> = if dialect.header {
        names.into_iter().map(|name| (name, Guess::None)).collect()
    } else {
        at = 0;
        (0..names.len()).map(|i| (format!("column{i}"), Guess::None)).collect()
    };
    let mut scratch = Vec::new();
    let mut rows = 0;
    while at < sample.len() && rows < SAMPLE_ROWS {
        let mut seen = Vec::with_capacity(columns.len());
        loop {
            let Some(field) = Field::scan(dialect, sample, at, whole) else {
                return Ok(finish(columns));
            };
            at = field.next;
            seen.push(if field.is_empty(dialect) || field.fault.is_some() {
                Guess::None
            } else {
                Guess::of_text(field.text(dialect, &mut scratch))
            });
            if field.ends_record {
                break;
            }
        }
        // A record of another width will be an error row; it says nothing about the columns.
        if seen.len() == columns.len() {
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
