//! Columns of JSON lines from a sample.

use serde_json::Value;
use tidebook_plan::connector::SourceField;

use crate::format::MARK;
use crate::format::infer::{Guess, SAMPLE_ROWS, fields_of};

/// The columns that a sample of JSON lines shows, in the order in which their names first appear.
///
/// # Errors
/// Where no line of the sample is an object.
pub fn infer(sample: &[u8], whole: bool) -> Result<Vec<SourceField>, String> {
    let end = if whole { sample.len() } else { memchr::memrchr(b'\n', sample).map_or(sample.len(), |end| end + 1) };
    let sample = &sample[..end];
    let sample = sample.strip_prefix(MARK).unwrap_or(sample);
    let mut row = Guess::None;
    let mut objects = 0;
    let lines = sample.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    for line in lines.take(SAMPLE_ROWS) {
        // A line that is no object will be an error row; it says nothing about the columns.
        if let Ok(value @ Value::Object(_)) = serde_json::from_slice::<Value>(line) {
            row = row.merge(Guess::of_json(&value));
            objects += 1;
        }
    }
    match row {
        Guess::Record(fields) if objects > 0 && !fields.is_empty() => Ok(fields_of(fields)),
        _ if matches!(sample.trim_ascii_start().first(), Some(b'[' | b'{')) => {
            Err("has no line that is an object; arrays, and objects over several lines, are read with `json`"
                .to_string())
        }
        _ => {
            Err("has no object to infer the columns from; declare them: `read jsonl(…) { name: type, … }`".to_string())
        }
    }
}
