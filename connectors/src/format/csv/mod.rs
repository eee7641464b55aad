//! Delimited text into typed columns.
//!
//! An unquoted empty field (or one with a text of the option `nulls`) has no value: it takes the default, else null,
//! else it is the empty text in a text column and an error in any other. A quoted empty field is the empty text. Spaces
//! around numbers, booleans and times are passed over; in text they are kept, unless they are trimmed. Values of the types
//! `json`, `vector`, list and record are JSON in their field; bytes are base64.

mod convert;
mod dialect;
mod header;
mod infer;
mod scan;
#[cfg(test)]
mod tests;

use tidebook_plan::connector::{ConnectorError, Options, SourceField, SourceSpec};
use tidebook_plan::{ColumnType, Type};

pub(super) use convert::Conversion;
pub use dialect::{Dialect, options};
pub use header::{Layout, check_header};
pub use infer::infer;

use self::header::{header, is_passed_over};
use self::scan::{Field, UNCLOSED};
use super::column::{ColumnBuilder, Values};
use super::jsonl::{expected, fill_missing, read_value};
use super::shape::{self, Shape};
use super::{Decode, DecoderState, MARK, Position, RowBuffer, Sample, StreamFormat, first_invalid};

/// The format CSV.
pub struct Csv;

impl StreamFormat for Csv {
    fn decoder(&self, spec: &SourceSpec) -> Result<Box<dyn Decode>, ConnectorError> {
        Ok(Box::new(CsvDecoder::new(Dialect::new(&spec.options)?)))
    }

    fn infer(&self, sample: &Sample<'_>, options: &Options) -> Result<Vec<SourceField>, ConnectorError> {
        infer(sample, &Dialect::new(options)?)
    }

    fn check(&self, sample: &Sample<'_>, options: &Options, shape: &Shape) -> Result<(), ConnectorError> {
        check_header(sample.bytes, sample.whole, &Dialect::new(options)?, shape)
            .map_err(|message| sample.fault(message))
    }
}

/// Decodes CSV.
pub struct CsvDecoder {
    dialect: Dialect,
}

/// How a record ends.
enum RecordEnd {
    /// The data ends before it does.
    Open,
    /// It has no content.
    Blank { next: usize },
    /// It is a row, which is in the columns.
    Row { next: usize, newlines: i64 },
    /// It is none.
    Faulty { next: usize, newlines: i64, message: String },
}

impl CsvDecoder {
    /// A decoder for a dialect.
    pub fn new(dialect: Dialect) -> CsvDecoder {
        CsvDecoder { dialect }
    }

    /// Reads the header, or does without one. `None` where the data ends before it.
    fn layout(
        &self,
        data: &[u8],
        at: &mut usize,
        last: bool,
        position: &mut Position,
        out: &mut RowBuffer,
    ) -> Option<Layout> {
        let header = header(&self.dialect, data, *at, last)?;
        if header.start == data.len() {
            return None;
        }
        let layout = if self.dialect.header {
            Layout::new(&header.names, &out.shape)
        } else {
            Layout::without_header(header.names.len(), &out.shape)
        };
        let layout = layout.unwrap_or_else(|message| {
            let text = data[header.start..].split(|byte| *byte == b'\n').next();
            let (what, line) =
                if self.dialect.header { ("the header", header.lines) } else { ("the first record", header.lines + 1) };
            out.push_error(Some(line), text, format!("{what} {message}; the file is not read"));
            Layout::unreadable()
        });
        *at = header.next;
        position.line += header.lines;
        Some(layout)
    }

    /// The record that begins at `at`, into the columns.
    #[inline]
    fn record(
        &self,
        data: &[u8],
        at: usize,
        last: bool,
        layout: &Layout,
        out: &mut RowBuffer,
        scratch: &mut Vec<u8>,
    ) -> RecordEnd {
        let mut next = at;
        let mut count = 0;
        let mut newlines = 1;
        let mut fault = None;
        // A field with something in it behind the last column.
        let mut surplus = false;
        loop {
            let Some(field) = Field::scan(&self.dialect, data, next, last) else {
                return RecordEnd::Open;
            };
            next = field.next;
            newlines += field.newlines();
            if field.ends_record && count == 0 && field.raw.is_empty() && !field.quoted && self.dialect.skip_blank_lines
            {
                return RecordEnd::Blank { next };
            }
            if let Some(message) = field.fault {
                fault = Some(message.to_string());
                if message == UNCLOSED {
                    // Only the first line is lost: what follows may well be whole records.
                    next = memchr::memchr(b'\n', &data[at..]).map_or(data.len(), |length| at + length + 1);
                    return RecordEnd::Faulty { next, newlines: 1, message: message.to_string() };
                }
            } else if let (None, Some(Some(column))) = (&fault, layout.columns.get(count)) {
                let target = &out.shape.fields[*column];
                if let Err(message) = self.push(&field, &mut out.columns[*column], target, scratch) {
                    fault = Some(format!("column `{}`: {message}", target.column));
                }
            }
            if count >= layout.columns.len() && !field.is_empty(&self.dialect) {
                surplus = true;
            }
            count += 1;
            if field.ends_record {
                break;
            }
        }
        if self.dialect.fill && !surplus {
            let missing = layout.columns.get(count..).unwrap_or_default();
            for column in missing.iter().flatten() {
                let target = &out.shape.fields[*column];
                if let (None, Err(message)) = (&fault, fill_missing(&mut out.columns[*column], target)) {
                    fault = Some(message);
                }
            }
        } else if count != layout.columns.len() {
            let fields = if layout.columns.len() == 1 { "field" } else { "fields" };
            fault = Some(format!("expected {} {fields}, found {count}", layout.columns.len()));
        }
        if fault.is_none() {
            fault = out.fill_absent(&layout.absent).err();
        }
        match fault {
            None => RecordEnd::Row { next, newlines },
            Some(message) => RecordEnd::Faulty { next, newlines, message },
        }
    }

    /// A field into one more row of its column.
    #[inline]
    fn push(
        &self,
        field: &Field<'_>,
        column: &mut ColumnBuilder,
        target: &shape::Field,
        scratch: &mut Vec<u8>,
    ) -> Result<(), String> {
        if field.is_empty(&self.dialect) {
            if target.default.is_some() || target.ty.nullable {
                return fill_missing(column, target);
            }
            if target.ty.ty != Type::Text {
                return Err(format!("is empty, and {} is not `{}?`", target.ty, target.ty));
            }
        }
        let text = field.text(&self.dialect, scratch);
        if let Values::Text(runs) = &mut column.values {
            runs.push(text);
            column.valid();
            return Ok(());
        }
        if matches!(target.ty.ty, Type::Json | Type::Vector(_) | Type::List(_) | Type::Record(_)) {
            // Inside JSON strings newlines are escaped, so those that stand here are spaces.
            let text: Vec<u8> = text.iter().map(|byte| if *byte == b'\n' { b' ' } else { *byte }).collect();
            return read_value(&text, column, &ColumnType::required(target.ty.ty.clone()));
        }
        let mut usual = Vec::new();
        if !self.dialect.conversion.push(&mut column.values, text.trim_ascii(), &mut usual) {
            let found = format!("{:?}", String::from_utf8_lossy(text));
            let hint = self.dialect.conversion.hint(&target.ty.ty);
            return Err(format!("{}{hint}", expected(&target.ty.ty, found.as_bytes())));
        }
        column.valid();
        Ok(())
    }
}

impl RowBuffer {
    fn fill_absent(&mut self, absent: &[usize]) -> Result<(), String> {
        absent.iter().try_for_each(|column| fill_missing(&mut self.columns[*column], &self.shape.fields[*column]))
    }
}

impl Decode for CsvDecoder {
    fn decode(&self, data: &[u8], last: bool, position: &mut Position, out: &mut RowBuffer) -> usize {
        let mut at = if position.offset == 0 && data.starts_with(MARK) { MARK.len() } else { 0 };
        if data.len() == at {
            // Nothing, or a mark with nothing behind it.
            let taken = if last { at } else { 0 };
            position.offset += taken as u64;
            return taken;
        }
        // Only a newline ends a record.
        if !last && (1..=data.len()).contains(&position.open) && memchr::memchr(b'\n', &data[position.open..]).is_none()
        {
            position.open = data.len();
            return 0;
        }
        position.open = 0;
        let layout = match &position.state {
            Some(DecoderState::Delimited(layout)) => layout.clone(),
            _ => {
                let Some(layout) = self.layout(data, &mut at, last, position, out) else {
                    // Of comments and blank lines alone nothing is left at the end.
                    let taken = if last { data.len() } else { 0 };
                    position.open = data.len() - taken;
                    position.offset += taken as u64;
                    return taken;
                };
                position.state = Some(DecoderState::Delimited(layout.clone()));
                layout
            }
        };
        if !layout.readable {
            at = data.len();
        }
        let mut invalid = first_invalid(data, at.min(data.len()));
        let mut scratch = Vec::new();
        while at < data.len() && !out.is_full() {
            let start = at;
            // What was passed over may have held it.
            if start > invalid {
                invalid = first_invalid(data, start);
            }
            if self.dialect.comment.is_some() {
                match is_passed_over(&self.dialect, data, start, last) {
                    None => {
                        position.open = data.len() - start;
                        break;
                    }
                    Some(false) => {}
                    Some(true) => match memchr::memchr(b'\n', &data[start..]) {
                        None if !last => {
                            position.open = data.len() - start;
                            break;
                        }
                        found => {
                            at = found.map_or(data.len(), |length| start + length + 1);
                            position.line += 1;
                            continue;
                        }
                    },
                }
            }
            let (end, newlines, message) = match self.record(data, start, last, &layout, out, &mut scratch) {
                RecordEnd::Open => {
                    position.open = data.len() - start;
                    out.cut_row();
                    break;
                }
                RecordEnd::Blank { next } => {
                    at = next;
                    position.line += 1;
                    continue;
                }
                RecordEnd::Row { next, newlines } if next <= invalid => {
                    at = next;
                    out.row_done(position.line + 1);
                    position.line += newlines;
                    continue;
                }
                RecordEnd::Row { next, newlines } => (next, newlines, out.invalid_text()),
                RecordEnd::Faulty { next, newlines, message } => (next, newlines, message),
            };
            at = end.min(data.len());
            out.cut_row();
            out.push_error(Some(position.line + 1), Some(&data[start..at]), message);
            position.line += newlines;
        }
        let taken = at.min(data.len());
        position.offset += taken as u64;
        taken
    }
}
