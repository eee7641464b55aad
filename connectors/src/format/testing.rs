//! What the tests of the formats share: fields from a few words, and everything a decoder makes of a text.

use serde_json::Value;
use tidebook_plan::connector::{SourceError, SourceField};
use tidebook_plan::{Column, ColumnType, Schema, Type};

use super::value::json_value;
use super::{Decode, Position, RowBuffer, Shape};

/// Required columns.
pub fn required(columns: &[(&str, Type)]) -> Vec<SourceField> {
    columns.iter().map(|(name, ty)| field(name, ColumnType::required(ty.clone()))).collect()
}

/// Columns that may be null.
pub fn nullable(columns: &[(&str, Type)]) -> Vec<SourceField> {
    columns.iter().map(|(name, ty)| field(name, ColumnType::nullable(ty.clone()))).collect()
}

/// One column.
pub fn field(name: &str, ty: ColumnType) -> SourceField {
    SourceField { name: name.to_string(), ty, wire_name: None, default: None }
}

/// All rows and errors of a text that is given in pieces of `piece` bytes.
pub fn decode(
    decoder: &dyn Decode,
    fields: &[SourceField],
    text: &[u8],
    piece: usize,
) -> (Vec<Value>, Vec<SourceError>) {
    let columns = fields.iter().map(|f| Column { name: f.name.clone(), ty: f.ty.clone() }).collect();
    let schema = Schema { columns, key: Vec::new() };
    let mut out = RowBuffer::new(&schema, Shape::of_source("test", fields).unwrap());
    let mut position = Position::default();
    let (mut rows, mut errors) = (Vec::new(), Vec::new());
    let mut take = |out: &mut RowBuffer| {
        let decoded = out.take();
        rows.extend((0..decoded.rows.num_rows()).map(|row| -> Value {
            let columns = schema.columns.iter().zip(decoded.rows.columns());
            columns.map(|(column, array)| json_value(array.as_ref(), row, &column.ty.ty)).collect()
        }));
        errors.extend(decoded.errors);
    };
    let (mut start, mut end) = (0, 0);
    loop {
        let taken = decoder.decode(&text[start..end], end == text.len(), &mut position, &mut out);
        start += taken;
        assert_eq!(position.offset, start as u64, "the position counts what was taken");
        if out.is_full() || taken == 0 {
            take(&mut out);
        }
        if taken == 0 && end == text.len() {
            assert_eq!(start, end, "everything is taken in the end");
            return (rows, errors);
        }
        if taken == 0 {
            end = (end + piece).min(text.len());
        }
    }
}

/// Numbers that only look random, for tests that must give the same result every time (xorshift).
pub struct Dice(pub u64);

impl Dice {
    /// A number below `sides`.
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % sides
    }

    /// One of `choices`.
    pub fn pick<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.roll(choices.len())]
    }
}
