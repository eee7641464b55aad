//! Rows as the bytes of a record.

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use tidebook_plan::{Column, Schema, Type};

use crate::format::value::{text_value, write_json, write_json_row};

/// The format of the file that a sink writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// A header and comma-separated records.
    Csv,
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
        if self.encoding == Encoding::Csv {
            for (i, name) in
                self.columns.iter().map(|column| column.name.as_str()).chain(extra.iter().copied()).enumerate()
            {
                if i > 0 {
                    out.push(b',');
                }
                push_field(&mut out, name);
            }
            out.push(b'\n');
        }
        out
    }

    /// Writes row `row`, and behind its columns the `extra` ones.
    pub fn record(&self, out: &mut Vec<u8>, rows: &RecordBatch, row: usize, extra: &[(&str, i64)]) {
        match self.encoding {
            Encoding::Csv => {
                for (i, (column, array)) in self.columns.iter().zip(rows.columns()).enumerate() {
                    if i > 0 {
                        out.push(b',');
                    }
                    match &column.ty.ty {
                        Type::Text if array.is_valid(row) => push_field(out, array.as_string::<i32>().value(row)),
                        ty => {
                            if let Some(text) = text_value(array.as_ref(), row, ty) {
                                push_field(out, &text);
                            }
                        }
                    }
                }
                for (i, (_, value)) in extra.iter().enumerate() {
                    if i > 0 || !self.columns.is_empty() {
                        out.push(b',');
                    }
                    out.extend_from_slice(value.to_string().as_bytes());
                }
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
            }
        }
        out.push(b'\n');
    }
}

/// A field, quoted where it must be. Empty text is quoted, since an empty field is null.
fn push_field(out: &mut Vec<u8>, text: &str) {
    if !text.is_empty() && !text.contains([',', '"', '\n', '\r']) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.push(b'"');
    for byte in text.bytes() {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}
