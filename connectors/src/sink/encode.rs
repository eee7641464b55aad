//! Rows as the bytes of a record.

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use tidebook_plan::{Column, Schema, Type};

use super::style::Style;
use crate::format::value::{text_value, write_json, write_json_row};

/// The format of the file that a sink writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// A header and delimited records.
    Delimited(Style),
    /// One object a line.
    Jsonl,
}

/// Turns the rows of one table into records.
pub struct Encoder {
    encoding: Encoding,
    columns: Vec<Column>,
}

impl Encoder {
    /// An encoder for rows of `schema`.
    pub fn new(encoding: Encoding, schema: &Schema) -> Encoder {
        Encoder { encoding, columns: schema.columns.clone() }
    }

    /// What stands before the first record; `extra` are names of columns that are added behind.
    pub fn header(&self, extra: &[&str]) -> Vec<u8> {
        let mut out = Vec::new();
        if let Encoding::Delimited(style) = &self.encoding
            && style.header
        {
            let names = self.columns.iter().map(|column| column.name.as_str()).chain(extra.iter().copied());
            for (i, name) in names.enumerate() {
                if i > 0 {
                    out.extend_from_slice(style.delimiter.as_bytes());
                }
                style.push_field(&mut out, name);
            }
            out.extend_from_slice(style.line_end.as_bytes());
        }
        out
    }

    /// Writes row `row`, and behind its columns the `extra` ones.
    pub fn record(&self, out: &mut Vec<u8>, rows: &RecordBatch, row: usize, extra: &[(&str, i64)]) {
        match &self.encoding {
            Encoding::Delimited(style) => {
                for (i, (column, array)) in self.columns.iter().zip(rows.columns()).enumerate() {
                    if i > 0 {
                        out.extend_from_slice(style.delimiter.as_bytes());
                    }
                    push_value(out, style, array.as_ref(), row, &column.ty.ty);
                }
                for (i, (_, value)) in extra.iter().enumerate() {
                    if i > 0 || !self.columns.is_empty() {
                        out.extend_from_slice(style.delimiter.as_bytes());
                    }
                    style.push_field(out, &value.to_string());
                }
                out.extend_from_slice(style.line_end.as_bytes());
            }
            Encoding::Jsonl => {
                write_json_row(out, &self.columns, rows, row);
                for (name, value) in extra {
                    out.pop();
                    if out.last() != Some(&b'{') {
                        out.push(b',');
                    }
                    write_json(out, *name);
                    out.extend_from_slice(format!(":{value}}}").as_bytes());
                }
                out.push(b'\n');
            }
        }
    }
}

/// A value as a field.
fn push_value(out: &mut Vec<u8>, style: &Style, array: &dyn Array, row: usize, ty: &Type) {
    if array.is_null(row) {
        out.extend_from_slice(style.null.as_bytes());
        return;
    }
    let text = match (ty, &style.date, &style.timestamp) {
        (Type::Text, _, _) => return style.push_field(out, array.as_string::<i32>().value(row)),
        (Type::Date, Some(format), _) => format.format_date(array.as_primitive::<Date32Type>().value(row)),
        (Type::Timestamp, _, Some(format)) => {
            format.format(array.as_primitive::<TimestampMicrosecondType>().value(row))
        }
        _ => text_value(array, row, ty).unwrap_or_default(),
    };
    if style.decimal != '.' && matches!(ty, Type::Float | Type::Decimal { .. }) {
        return style.push_field(out, &text.replace('.', &style.decimal.to_string()));
    }
    style.push_field(out, &text);
}
