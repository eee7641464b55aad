//! Anything as text, anything as a JSON document.

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringArray};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, DurationMicrosecondType, Float64Type, Int64Type, TimestampMicrosecondType,
};
use datafusion_common::Result;
use serde_json::Value;

use super::super::arguments::Arguments;
use super::super::kernel::row_error;
use super::document::int;
use super::json::to_json;
use super::show::{date_text, decimal_text, duration_text, float_text, quoted, timestamp_text};

/// The text of the value in `row`, which is not null.
pub fn cell_text(array: &ArrayRef, row: usize) -> String {
    match array.data_type() {
        DataType::Boolean => array.as_boolean().value(row).to_string(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Float64 => float_text(array.as_primitive::<Float64Type>().value(row)),
        DataType::Decimal128(_, scale) => {
            decimal_text(array.as_primitive::<Decimal128Type>().value(row), i16::from(*scale))
        }
        DataType::Utf8 => array.as_string::<i32>().value(row).to_string(),
        DataType::Date32 => date_text(array.as_primitive::<Date32Type>().value(row)),
        DataType::Timestamp(_, _) => timestamp_text(array.as_primitive::<TimestampMicrosecondType>().value(row)),
        DataType::Duration(_) => duration_text(array.as_primitive::<DurationMicrosecondType>().value(row)),
        _ => to_json(array, row).to_string(),
    }
}

/// Any value as text; lists and records as JSON.
pub fn evaluate(args: &Arguments<'_>) -> Result<ArrayRef> {
    let array = args.array(0)?;
    args.collect::<StringArray, _>(|row| Ok(cell_text(&array, row)))
}

/// The content of a document that is a JSON string, any other as it is written; of a JSON null nothing.
pub fn of_document(args: &Arguments<'_>) -> Result<ArrayRef> {
    let documents = args.text(0)?;
    args.collect_nullable::<StringArray, _>(|row| {
        let text = documents.value(row);
        // Only strings and null are not what they look like.
        let read = match text.trim_start().as_bytes().first() {
            Some(b'"' | b'n') => serde_json::from_str(text).ok(),
            _ => None,
        };
        Ok(match read {
            Some(Value::String(content)) => Some(content),
            Some(Value::Null) => None,
            _ => Some(text.to_string()),
        })
    })
}

/// The whole number that a document is; of a JSON null nothing.
pub fn document_to_int(args: &Arguments<'_>) -> Result<ArrayRef> {
    let documents = args.text(0)?;
    args.collect_nullable::<Int64Array, _>(|row| {
        let text = documents.value(row);
        if let Ok(int) = text.parse() {
            return Ok(Some(int));
        }
        let value = serde_json::from_str(text).unwrap_or(Value::Null);
        let shown = value.as_str().unwrap_or(text);
        let unreadable = || row_error(format!("cannot read {} as int", quoted(shown)));
        if value.is_null() { Ok(None) } else { int(&value).map(Some).ok_or_else(unreadable) }
    })
}

/// A text that must be a JSON document.
pub fn check_json(args: &Arguments<'_>) -> Result<ArrayRef> {
    let texts = args.text(0)?;
    for text in texts.each() {
        if serde_json::from_str::<Value>(text).is_err() {
            return Err(row_error(format!("cannot read {} as json", quoted(text))));
        }
    }
    args.array(0)
}

/// Any value but a text as a JSON document.
pub fn to_document(args: &Arguments<'_>) -> Result<ArrayRef> {
    let array = args.array(0)?;
    args.collect::<StringArray, _>(|row| Ok(to_json(&array, row).to_string()))
}
