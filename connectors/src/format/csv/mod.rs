//! CSV into typed columns.
//!
//! An unquoted empty field (or one with the text of the option `null`) has no value: it takes the default, else null,
//! else it is the empty text in a text column and an error in any other. A quoted empty field is the empty text. Spaces
//! around numbers, booleans and times are passed over; in text they are kept. Values of the types `json`, `vector`, list
//! and record are JSON in their field; bytes are base64. Blank lines are passed over.

mod infer;
mod scan;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use tidebook_plan::connector::{ConnectorError, Options, SourceField, SourceSpec};
use tidebook_plan::{ColumnType, Type};

pub use infer::infer;
pub use scan::Dialect;

use self::scan::{Field, UNCLOSED};
use super::clock::{parse_date, parse_duration, parse_timestamp};
use super::column::{ColumnBuilder, Values};
use super::jsonl::{expected, fill_missing, read_value};
use super::scalar::{parse_base64, parse_decimal, parse_float, parse_int, parse_special_float};
use super::shape::{self, Shape};
use super::{Decode, MARK, Position, RowBuffer, Sample, StreamFormat, first_invalid};

/// How the records of one input map to columns, as its header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// For each field of a record the position of its column.
    columns: Arc<[Option<usize>]>,
    /// Columns that the records do not have.
    absent: Arc<[usize]>,
    /// False if a column is missing that has to be there.
    readable: bool,
}

/// The format CSV.
pub struct Csv;

impl StreamFormat for Csv {
    fn decoder(&self, spec: &SourceSpec) -> Result<Box<dyn Decode>, ConnectorError> {
        Ok(Box::new(CsvDecoder::new(Dialect::new(&spec.options)?)))
    }

    fn infer(&self, sample: &Sample<'_>, options: &Options) -> Result<Vec<SourceField>, ConnectorError> {
        infer(sample.bytes, sample.whole, &Dialect::new(options)?).map_err(|message| sample.fault(message))
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

    /// Reads the header, or does without one.
    fn layout(
        &self,
        data: &[u8],
        at: &mut usize,
        last: bool,
        position: &mut Position,
        out: &mut RowBuffer,
    ) -> Option<Layout> {
        if !self.dialect.header {
            let columns = (0..out.shape.fields.len()).map(Some).collect();
            return Some(Layout { columns, absent: Arc::new([]), readable: true });
        }
        let (names, next, newlines) = header(&self.dialect, data, *at, last)?;
        let layout = Layout::new(&names, &out.shape);
        if let Err(missing) = &layout {
            let text = &data[*at..next.min(data.len())];
            let message = format!("the header has no column `{missing}`; the file is not read");
            out.push_error(Some(position.line + 1), Some(text), message);
        }
        *at = next;
        position.line += newlines;
        let unreadable = Layout { columns: Arc::new([]), absent: Arc::new([]), readable: false };
        Some(layout.unwrap_or(unreadable))
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
        loop {
            let Some(field) = Field::scan(&self.dialect, data, next, last) else {
                return RecordEnd::Open;
            };
            next = field.next;
            if field.quoted {
                newlines += memchr::memchr_iter(b'\n', field.raw).count() as i64;
            } else if count == 0 && field.ends_record && field.raw.is_empty() {
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
            count += 1;
            if field.ends_record {
                break;
            }
        }
        if count != layout.columns.len() {
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
        if !push_scalar(&mut column.values, text.trim_ascii()) {
            let found = format!("{:?}", String::from_utf8_lossy(text));
            return Err(expected(&target.ty.ty, found.as_bytes()));
        }
        column.valid();
        Ok(())
    }
}

/// A scalar's text into its column; false where it is none.
#[inline]
pub(super) fn push_scalar(values: &mut Values, text: &[u8]) -> bool {
    fn push<T>(values: &mut Vec<T>, value: Option<T>) -> bool {
        let fits = value.is_some();
        values.extend(value);
        fits
    }
    match values {
        Values::Int(values) => push(values, parse_int(text)),
        Values::Float(values) => push(values, parse_float(text).or_else(|| parse_special_float(text))),
        Values::Decimal { values, precision, scale } => push(values, parse_decimal(text, *precision, *scale)),
        Values::Date(values) => push(values, parse_date(text)),
        Values::Timestamp(values) => push(values, parse_timestamp(text)),
        Values::Duration(values) => push(values, parse_duration(text)),
        Values::Bool(values) => {
            let value = text.eq_ignore_ascii_case(b"true");
            let fits = value || text.eq_ignore_ascii_case(b"false");
            if fits {
                values.append(value);
            }
            fits
        }
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

impl RowBuffer {
    fn fill_absent(&mut self, absent: &[usize]) -> Result<(), String> {
        absent.iter().try_for_each(|column| fill_missing(&mut self.columns[*column], &self.shape.fields[*column]))
    }
}

impl Layout {
    /// The layout that a header gives, or the name of a column that it lacks.
    fn new(names: &[String], shape: &Shape) -> Result<Layout, String> {
        let column = |name: &String| shape.fields.iter().position(|field| field.name == *name);
        let columns: Arc<[Option<usize>]> = names.iter().map(column).collect();
        let absent: Arc<[usize]> = (0..shape.fields.len()).filter(|i| !columns.contains(&Some(*i))).collect();
        let needed = absent.iter().map(|i| &shape.fields[*i]).find(|f| f.default.is_none() && !f.ty.nullable);
        match needed {
            Some(field) => Err(field.name.clone()),
            None => Ok(Layout { columns, absent, readable: true }),
        }
    }
}

/// Checks that the header at the start of `sample` has every column that has to be there.
///
/// # Errors
/// Names the first that is missing.
pub fn check_header(sample: &[u8], whole: bool, dialect: &Dialect, shape: &Shape) -> Result<(), String> {
    let sample = sample.strip_prefix(MARK).unwrap_or(sample);
    if !dialect.header || sample.is_empty() {
        return Ok(());
    }
    let Some((names, _, _)) = header(dialect, sample, 0, whole) else {
        return Ok(());
    };
    match Layout::new(&names, shape) {
        Ok(_) => Ok(()),
        Err(missing) => Err(format!("has no column `{missing}`; its header has `{}`", names.join("`, `"))),
    }
}

/// The names of a header, each of them once, where the first record begins, and the lines between. `None` where the
/// data ends before the header does.
fn header(dialect: &Dialect, data: &[u8], at: usize, last: bool) -> Option<(Vec<String>, usize, i64)> {
    let mut names: Vec<String> = Vec::new();
    let mut next = at;
    let mut newlines = 1;
    let mut scratch = Vec::new();
    loop {
        let field = Field::scan(dialect, data, next, last)?;
        next = field.next;
        newlines += memchr::memchr_iter(b'\n', field.raw).count() as i64;
        let text = String::from_utf8_lossy(field.text(dialect, &mut scratch));
        let base = match text.trim() {
            "" => format!("column{}", names.len()),
            name => name.to_string(),
        };
        let taken = |name: &String| names.contains(name);
        let again = (1..).map(|count| format!("{base}_{count}"));
        names.extend(std::iter::once(base.clone()).chain(again).find(|name| !taken(name)));
        if field.ends_record {
            return Some((names, next, newlines));
        }
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
        let layout = match &position.layout {
            Some(layout) => layout.clone(),
            None => {
                let Some(layout) = self.layout(data, &mut at, last, position, out) else {
                    return 0;
                };
                position.layout.insert(layout).clone()
            }
        };
        if !layout.readable {
            at = data.len();
        }
        let mut invalid = first_invalid(data, at.min(data.len()));
        let mut scratch = Vec::new();
        while at < data.len() && !out.is_full() {
            let start = at;
            let (end, newlines, message) = match self.record(data, start, last, &layout, out, &mut scratch) {
                RecordEnd::Open => {
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
            if at > invalid {
                invalid = first_invalid(data, at);
            }
            out.cut_row();
            out.push_error(Some(position.line + 1), Some(&data[start..at]), message);
            position.line += newlines;
        }
        let taken = at.min(data.len());
        position.offset += taken as u64;
        taken
    }
}
