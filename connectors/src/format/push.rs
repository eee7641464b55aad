//! One value into a column, for formats that have values but no records of text.

use tidebook_plan::{ColumnType, Type};

use super::column::ColumnBuilder;
use super::csv::Conversion;
use super::jsonl::{expected, read_value};

/// Reads a text as a value, as a field of CSV is read.
///
/// # Errors
/// What was expected and what was found; the column is then to be cut back.
pub fn push_text(text: &[u8], column: &mut ColumnBuilder, ty: &ColumnType) -> Result<(), String> {
    if matches!(ty.ty, Type::Json | Type::Vector(_) | Type::List(_) | Type::Record(_)) {
        return push_json(text, column, ty);
    }
    if Conversion::default().push(&mut column.values, text.trim_ascii(), &mut Vec::new()) {
        column.valid();
        return Ok(());
    }
    Err(expected(&ty.ty, format!("{:?}", String::from_utf8_lossy(text)).as_bytes()))
}

/// Reads a JSON text as a value, as a field of JSON lines is read.
///
/// # Errors
/// What was expected and what was found; the column is then to be cut back.
pub fn push_json(text: &[u8], column: &mut ColumnBuilder, ty: &ColumnType) -> Result<(), String> {
    read_value(text, column, ty)
}
