//! Columns of JSON documents from a sample.

use serde_json::Value;
use tidebook_plan::connector::SourceField;

use super::pieces::{Piece, Pieces, Stage};
use crate::format::infer::{Guess, SAMPLE_ROWS, fields_of};
use crate::format::jsonl::Pointer;
use crate::format::{MARK, Sample};

/// The columns that a sample shows, in the order in which their names first appear.
///
/// # Errors
/// Where no record of the sample is an object.
pub fn infer(sample: &Sample<'_>, records: &Pointer) -> Result<Vec<SourceField>, String> {
    let data = sample.bytes.strip_prefix(MARK).unwrap_or(sample.bytes);
    let mut pieces = Pieces { data, at: 0, last: sample.whole, stage: Stage::Between, records };
    let mut row = Guess::None;
    let mut fault = None;
    for _ in 0..SAMPLE_ROWS {
        match pieces.next() {
            Piece::Record(range) => {
                // A record that is no object will be an error row; it says nothing about the columns.
                if let Ok(value @ Value::Object(_)) = serde_json::from_slice::<Value>(&data[range]) {
                    row = row.merge(Guess::of_json(&value));
                }
            }
            Piece::Fault(message, _) => {
                fault = Some(message);
                break;
            }
            Piece::Open => break,
        }
    }
    match (row, fault) {
        (Guess::Record(fields), _) if !fields.is_empty() => Ok(fields_of(fields)),
        (_, Some(fault)) => Err(fault),
        _ => Err("has no object to infer the columns from; declare them: `read json(…) { name: type, … }`".to_string()),
    }
}
