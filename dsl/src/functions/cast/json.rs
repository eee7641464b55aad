//! Values as JSON documents.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, DurationMicrosecondType, Float32Type, Float64Type, Int64Type,
    TimestampMicrosecondType,
};
use serde_json::{Map, Number, Value};
use tidebook_plan::Type;

use super::show::{date_text, decimal_text, duration_text, timestamp_text};

/// The value in `row`. Times and decimals are text; a float that JSON cannot write (NaN, infinity) is null.
pub fn to_json(array: &ArrayRef, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    let float = |value: f64| Number::from_f64(value).map_or(Value::Null, Value::Number);
    match array.data_type() {
        // An array of nulls only has no mask that says so.
        DataType::Null => Value::Null,
        DataType::Boolean => Value::Bool(array.as_boolean().value(row)),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).into(),
        DataType::Float64 => float(array.as_primitive::<Float64Type>().value(row)),
        DataType::Float32 => float(f64::from(array.as_primitive::<Float32Type>().value(row))),
        DataType::Decimal128(_, scale) => {
            decimal_text(array.as_primitive::<Decimal128Type>().value(row), i16::from(*scale)).into()
        }
        DataType::Utf8 => array.as_string::<i32>().value(row).into(),
        DataType::Binary => array.as_binary::<i32>().value(row).iter().copied().collect::<Value>(),
        DataType::Date32 => date_text(array.as_primitive::<Date32Type>().value(row)).into(),
        DataType::Timestamp(_, _) => timestamp_text(array.as_primitive::<TimestampMicrosecondType>().value(row)).into(),
        DataType::Duration(_) => duration_text(array.as_primitive::<DurationMicrosecondType>().value(row)).into(),
        DataType::List(_) => elements(&array.as_list::<i32>().value(row)),
        DataType::FixedSizeList(_, _) => elements(&array.as_fixed_size_list().value(row)),
        DataType::Struct(fields) => {
            let columns = array.as_struct().columns();
            let pairs = fields.iter().zip(columns).map(|(field, column)| (field.name().clone(), to_json(column, row)));
            Value::Object(pairs.collect::<Map<_, _>>())
        }
        // No other Arrow type stands for a type of Tide.
        other => unreachable!("{other} is the Arrow type of no Tide type"),
    }
}

fn elements(items: &ArrayRef) -> Value {
    (0..items.len()).map(|item| to_json(items, item)).collect()
}

/// The value in `row`, a `ty`: documents in it are part of the document. (Their Arrow type is that of texts.)
pub fn to_json_of(array: &ArrayRef, row: usize, ty: &Type) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    match ty {
        Type::Json => serde_json::from_str(array.as_string::<i32>().value(row)).unwrap_or(Value::Null),
        Type::List(item) => {
            let items = array.as_list::<i32>().value(row);
            (0..items.len()).map(|place| to_json_of(&items, place, &item.ty)).collect()
        }
        Type::Record(fields) => {
            let columns = array.as_struct().columns();
            let pairs = fields.iter().zip(columns);
            let pairs = pairs.map(|((name, field), column)| (name.clone(), to_json_of(column, row, &field.ty)));
            Value::Object(pairs.collect::<Map<_, _>>())
        }
        _ => to_json(array, row),
    }
}
