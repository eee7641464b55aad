//! JSON lines: one object a line, decoded straight into typed columns. Ingestion speed is what this module is for:
//! keys are expected in the order of the schema, strings without escapes are copied once, and nothing is allocated
//! for a row.
//!
//! Fields that the schema does not name are checked and passed over. A missing field takes its default, else null, else
//! the line is an error. Of a key that stands twice in an object the last one counts, as in most readers of JSON.

mod cursor;
mod decode;
mod infer;
mod pointer;
#[cfg(test)]
mod tests;

use tidebook_plan::ColumnType;
use tidebook_plan::connector::{ConnectorError, Options, SourceField, SourceSpec};

use super::column::ColumnBuilder;
use super::shape::Field;
use super::{Decode, MARK, Position, RowBuffer, Sample, StreamFormat, first_invalid};

pub(super) use cursor::Cursor;
pub(super) use decode::expected;
pub use infer::infer;
pub(super) use pointer::{Pointer, Wanted};

/// The format JSON lines.
pub struct Jsonl;

impl StreamFormat for Jsonl {
    fn decoder(&self, _: &SourceSpec) -> Result<Box<dyn Decode>, ConnectorError> {
        Ok(Box::new(JsonlDecoder))
    }

    fn infer(&self, sample: &Sample<'_>, _: &Options) -> Result<Vec<SourceField>, ConnectorError> {
        infer(sample.bytes, sample.whole).map_err(|message| sample.fault(message))
    }
}

/// Decodes JSON lines.
pub struct JsonlDecoder;

/// Why a record is no row.
#[derive(Debug)]
pub enum Fault {
    /// The text is no JSON.
    Syntax {
        /// What is wrong.
        message: &'static str,
        /// Where in the bytes.
        position: usize,
    },
    /// A value has the wrong type.
    Type(Box<TypeFault>),
}

/// A value of the wrong type.
#[derive(Debug)]
pub struct TypeFault {
    /// The column and the names of the record fields below it, innermost first.
    pub path: Vec<String>,
    /// What was expected and found.
    pub message: String,
}

impl Fault {
    /// What is wrong with the record that starts at `start`, which should be `what`.
    pub(super) fn message(self, what: &str, data: &[u8], start: usize) -> String {
        match self {
            Fault::Syntax { message, position } => {
                let before = String::from_utf8_lossy(&data[start..position.min(data.len())]);
                format!("not {what}: {message} (character {})", before.chars().count() + 1)
            }
            Fault::Type(fault) => fault.message(),
        }
    }

    /// The same fault, found inside the field `name`.
    fn within(mut self, name: &str) -> Fault {
        if let Fault::Type(fault) = &mut self {
            fault.path.push(name.to_string());
        }
        self
    }
}

impl TypeFault {
    fn message(&self) -> String {
        if self.path.is_empty() {
            return self.message.clone();
        }
        let path: Vec<_> = self.path.iter().rev().map(String::as_str).collect();
        format!("column `{}`: {}", path.join("."), self.message)
    }
}

impl Decode for JsonlDecoder {
    fn decode(&self, data: &[u8], last: bool, position: &mut Position, out: &mut RowBuffer) -> usize {
        let whole = if last { data.len() } else { memchr::memrchr(b'\n', data).map_or(0, |end| end + 1) };
        let data = &data[..whole];
        let mut invalid = first_invalid(data, 0);
        let mut at = if position.offset == 0 && data.starts_with(MARK) { MARK.len() } else { 0 };
        while at < data.len() && !out.is_full() {
            position.line += 1;
            let start = at;
            let mut cursor = Cursor::new(data, start);
            if cursor.peek_token() == b'\n' {
                at = cursor.position + 1;
                continue;
            }
            let result = out.decode_row(&mut cursor);
            let end = match &result {
                Ok(()) => cursor.position,
                Err(_) => memchr::memchr(b'\n', &data[start..]).map_or(data.len(), |length| start + length),
            };
            at = end + 1;
            let message = if end > invalid {
                invalid = first_invalid(data, at.min(data.len()));
                out.invalid_text()
            } else if let Err(fault) = result {
                fault.message("a JSON object", data, start)
            } else {
                out.row_done(position.line);
                continue;
            };
            out.cut_row();
            out.push_error(Some(position.line), Some(&data[start..end]), message);
        }
        let taken = at.min(data.len());
        position.offset += taken as u64;
        taken
    }
}

impl RowBuffer {
    /// One object and the spaces up to the end of its line, into the columns.
    #[inline]
    pub(super) fn decode_row(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        let row = self.rows();
        if cursor.peek() != b'{' {
            return Err(cursor.unexpected("expected `{`"));
        }
        decode::fields(cursor, &self.shape, &mut self.columns, row)?;
        cursor.end()
    }
}

/// What stands in for a field that the input does not have, into one more row of its column.
///
/// # Errors
/// Where nothing does.
pub(super) fn fill_missing(column: &mut ColumnBuilder, field: &Field) -> Result<(), String> {
    decode::missing(column, field)
        .map_err(|fault| fault.message("JSON", field.default.as_deref().unwrap_or_default(), 0))
}

/// Reads one JSON text into a column.
///
/// # Errors
/// What is wrong with it, as a message; the column may then hold a part of it, which [`ColumnBuilder::truncate`] drops.
pub(super) fn read_value(text: &[u8], column: &mut ColumnBuilder, ty: &ColumnType) -> Result<(), String> {
    let mut cursor = Cursor::new(text, 0);
    let result = decode::value(&mut cursor, column, ty).and_then(|()| cursor.end());
    result.map_err(|fault| fault.message("JSON", text, 0))
}
