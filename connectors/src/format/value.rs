//! Values of a table as JSON and as text: the one place that decides how a timestamp, a decimal or a float looks, for
//! sinks, views and the runner's output alike.
//!
//! | type | JSON | text |
//! | --- | --- | --- |
//! | float | number (`4.0`); `"NaN"`, `"inf"`, `"-inf"` | the same without quotes |
//! | decimal | text (`"12.50"`) | `12.50` |
//! | date, timestamp | ISO 8601 text, UTC without a zone, fraction only where not zero | the same |
//! | duration | text in the largest unit that divides it (`"90s"`) | the same |
//! | bytes | base64 text | the same |
//! | json | the document | its text |
//! | vector, list, record | array, array, object | their JSON |

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, DurationMicrosecondType, Float32Type, Float64Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{Array, RecordBatch};
use serde_json::{Map, Number, Value};
use tidebook_plan::{Column, Type};

use super::clock::{format_date, format_duration, format_timestamp};
use super::scalar::{format_base64, format_decimal};

/// Row `row` of `array`, which has the Arrow type of `ty`, as JSON.
pub fn json_value(array: &dyn Array, row: usize, ty: &Type) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    match ty {
        Type::Null => Value::Null,
        Type::Bool => Value::Bool(array.as_boolean().value(row)),
        Type::Int => Value::from(array.as_primitive::<Int64Type>().value(row)),
        Type::Float => json_float(array.as_primitive::<Float64Type>().value(row)),
        Type::Text => Value::from(array.as_string::<i32>().value(row)),
        Type::Json => {
            let text = array.as_string::<i32>().value(row);
            serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
        }
        Type::Vector(_) => {
            let items = array.as_fixed_size_list().value(row);
            let items = items.as_primitive::<Float32Type>();
            (0..items.len()).map(|i| json_float32(items.value(i))).collect()
        }
        Type::List(item) => {
            let items = array.as_list::<i32>().value(row);
            (0..items.len()).map(|i| json_value(items.as_ref(), i, &item.ty)).collect()
        }
        Type::Record(fields) => {
            let columns = array.as_struct().columns();
            let pairs = fields.iter().zip(columns);
            let object: Map<_, _> =
                pairs.map(|((name, ty), column)| (name.clone(), json_value(column.as_ref(), row, &ty.ty))).collect();
            Value::Object(object)
        }
        Type::Decimal { .. } | Type::Bytes | Type::Date | Type::Timestamp | Type::Duration => {
            scalar_text(array, row, ty).map_or(Value::Null, Value::String)
        }
    }
}

/// Row `row` of `array`, which has the Arrow type of `ty`, as text for people and for CSV; `None` for null.
pub fn text_value(array: &dyn Array, row: usize, ty: &Type) -> Option<String> {
    if array.is_null(row) {
        return None;
    }
    match ty {
        Type::Vector(_) | Type::List(_) | Type::Record(_) => Some(json_value(array, row, ty).to_string()),
        _ => scalar_text(array, row, ty),
    }
}

/// A value that is there, of a type without parts.
fn scalar_text(array: &dyn Array, row: usize, ty: &Type) -> Option<String> {
    Some(match ty {
        Type::Bool => array.as_boolean().value(row).to_string(),
        Type::Int => array.as_primitive::<Int64Type>().value(row).to_string(),
        Type::Float => float_text(array.as_primitive::<Float64Type>().value(row)),
        Type::Decimal { scale, .. } => format_decimal(array.as_primitive::<Decimal128Type>().value(row), *scale),
        Type::Text | Type::Json => array.as_string::<i32>().value(row).to_string(),
        Type::Bytes => format_base64(array.as_binary::<i32>().value(row)),
        Type::Date => format_date(array.as_primitive::<Date32Type>().value(row)),
        Type::Timestamp => format_timestamp(array.as_primitive::<TimestampMicrosecondType>().value(row)),
        Type::Duration => format_duration(array.as_primitive::<DurationMicrosecondType>().value(row)),
        Type::Null | Type::Vector(_) | Type::List(_) | Type::Record(_) => return None,
    })
}

/// A float as the shortest text that reads back as the same float.
pub fn float_text(value: f64) -> String {
    match Number::from_f64(value) {
        Some(number) => number.to_string(),
        None if value.is_nan() => "NaN".to_string(),
        None if value > 0.0 => "inf".to_string(),
        None => "-inf".to_string(),
    }
}

fn json_float(value: f64) -> Value {
    Number::from_f64(value).map_or_else(|| Value::String(float_text(value)), Value::Number)
}

/// The shortest text of the 32-bit float, not the long one of its 64-bit image.
fn json_float32(value: f32) -> Value {
    match value.to_string().parse::<f64>() {
        Ok(value) => json_float(value),
        Err(_) => json_float(f64::from(value)),
    }
}

/// Writes a row as a JSON object on one line, without its newline.
pub fn write_json_row(out: &mut Vec<u8>, columns: &[Column], rows: &RecordBatch, row: usize) {
    out.push(b'{');
    for (i, column) in columns.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write_json(out, column.name.as_str());
        out.push(b':');
        write_json_cell(out, rows.column(i).as_ref(), row, &column.ty.ty);
    }
    out.push(b'}');
}

/// Writes row `row` of `array` as JSON; the common types without a value in between.
fn write_json_cell(out: &mut Vec<u8>, array: &dyn Array, row: usize, ty: &Type) {
    match ty {
        Type::Int if array.is_valid(row) => write_json(out, &array.as_primitive::<Int64Type>().value(row)),
        Type::Text if array.is_valid(row) => write_json(out, array.as_string::<i32>().value(row)),
        _ => match embedded(array, row, ty) {
            Some(document) => out.extend_from_slice(document.as_bytes()),
            None => write_json(out, &json_value(array, row, ty)),
        },
    }
}

/// The text of a JSON document that can stand in a line as it is, with all the digits of its numbers.
fn embedded<'a>(array: &'a dyn Array, row: usize, ty: &Type) -> Option<&'a str> {
    if *ty != Type::Json || array.is_null(row) {
        return None;
    }
    let text = array.as_string::<i32>().value(row);
    (!text.contains('\n') && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()).then_some(text)
}

/// Writes a value as JSON on one line.
pub fn write_json<T: serde::Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    if let Err(error) = serde_json::to_writer(&mut *out, value) {
        panic!("invariant: a JSON value can always be written to memory: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::column::ColumnBuilder;
    use crate::format::jsonl::read_value;
    use serde_json::json;
    use tidebook_plan::ColumnType;

    /// Reads a JSON value as `ty` and gives it back as JSON and as text.
    fn round(ty: Type, value: &Value) -> (Value, Option<String>) {
        let mut column = ColumnBuilder::new(&ty);
        read_value(value.to_string().as_bytes(), &mut column, &ColumnType::nullable(ty.clone())).unwrap();
        let array = column.finish();
        (json_value(array.as_ref(), 0, &ty), text_value(array.as_ref(), 0, &ty))
    }

    #[test]
    fn every_type_is_read_and_written_alike() {
        let record = Type::Record(vec![
            ("a".into(), ColumnType::nullable(Type::Int)),
            ("b".into(), ColumnType::nullable(Type::List(Box::new(ColumnType::nullable(Type::Text))))),
        ]);
        let cases = [
            (Type::Bool, json!(true), "true"),
            (Type::Int, json!(-7), "-7"),
            (Type::Float, json!(4.0), "4.0"),
            (Type::Float, json!("NaN"), "NaN"),
            (Type::Float, json!("-inf"), "-inf"),
            (Type::Float, json!(1e21), "1e+21"),
            (Type::Decimal { precision: 10, scale: 2 }, json!("12.50"), "12.50"),
            (Type::Text, json!("a \"b\"\n\u{1F600}"), "a \"b\"\n\u{1F600}"),
            (Type::Bytes, json!("AP8="), "AP8="),
            (Type::Date, json!("2024-02-29"), "2024-02-29"),
            (Type::Timestamp, json!("2026-01-01T10:00:00"), "2026-01-01T10:00:00"),
            (Type::Timestamp, json!("1969-12-31T23:59:59.5"), "1969-12-31T23:59:59.5"),
            (Type::Duration, json!("90s"), "90s"),
            (Type::Json, json!({"x": [1, null]}), r#"{"x":[1,null]}"#),
            (Type::Vector(2), json!([0.1, -2.0]), "[0.1,-2.0]"),
            (record, json!({"a": null, "b": ["x", null]}), r#"{"a":null,"b":["x",null]}"#),
        ];
        for (ty, value, text) in cases {
            assert_eq!(round(ty.clone(), &value), (value, Some(text.to_string())), "{ty}");
            assert_eq!(round(ty, &Value::Null), (Value::Null, None));
        }
    }
}
