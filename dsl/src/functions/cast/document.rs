//! Reading JSON documents as lists, records, vectors and times: what the user says that a document holds.
//!
//! A reading is strict: a document that is not what its type says fails its row, and says where. Numbers and bools may be
//! written as texts, as for a cast of a text. Fields that the type does not name are passed over; a missing one is null where
//! the type allows it.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Date32Array, Decimal128Array, DurationMicrosecondArray,
    FixedSizeListArray, Float32Array, Float64Array, Int64Array, ListArray, StringArray, StructArray,
    TimestampMicrosecondArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field};
use datafusion_common::{DataFusionError, Result, ScalarValue};
use serde_json::Value;
use tidebook_plan::{ColumnType, Type};

use super::super::arguments::Arguments;
use super::super::arithmetic::normalise;
use super::super::kernel::{Kernel, row_error};
use super::super::typed::Typed;
use super::read;
use super::show::quoted;

/// `document` (JSON, or text that is JSON) as a `ty`.
pub fn read_as(document: Typed, ty: &Type) -> Typed {
    let Ok(written) = serde_json::to_string(ty) else { unreachable!("a type is written as JSON") };
    let written = Typed::literal(ScalarValue::from(written), ColumnType::required(Type::Text));
    let kernel = Kernel::new("read_json", ty.to_arrow(), true, evaluate);
    // A JSON null is a null.
    kernel.call(vec![document, written], ColumnType::nullable(ty.clone()))
}

fn evaluate(args: &Arguments<'_>) -> Result<ArrayRef> {
    let types = args.text(1)?;
    if args.rows() == 0 {
        return Ok(arrow::array::new_empty_array(args.output()));
    }
    let ty: Type = serde_json::from_str(types.value(0))
        .map_err(|error| DataFusionError::Internal(format!("a type is written as JSON: {error}")))?;
    read_column(&args.array(0)?, &ty)
}

/// Documents, or texts that are documents, as a `ty`.
pub fn read_column(documents: &ArrayRef, ty: &Type) -> Result<ArrayRef> {
    let read = |text: &str| {
        let read = serde_json::from_str::<Value>(text);
        read.map_err(|_| row_error(format!("cannot read {} as json", quoted(text))))
    };
    let texts = documents.as_string::<i32>().iter();
    let values = texts.map(|text| text.map(read).transpose()).collect::<Result<Vec<_>>>()?;
    let values: Vec<Option<&Value>> = values.iter().map(Option::as_ref).collect();
    column(&values, &ColumnType::nullable(ty.clone()), "")
}

/// The values as a column. `path` leads to them in the document.
fn column(values: &[Option<&Value>], ty: &ColumnType, path: &str) -> Result<ArrayRef> {
    let values: Vec<Option<&Value>> = values.iter().map(|value| value.filter(|value| !value.is_null())).collect();
    let wrong = |value: &Value| {
        let place = if path.is_empty() { String::new() } else { format!("`{path}`: ") };
        row_error(format!("{place}cannot read {} as {}", quoted(&value.to_string()), ty.ty))
    };
    match &ty.ty {
        Type::Null => Ok(arrow::array::new_null_array(&Type::Null.to_arrow(), values.len())),
        Type::Bool => cells::<BooleanArray, _>(&values, wrong, |value| match value {
            Value::String(text) => read::bool(text),
            value => value.as_bool(),
        }),
        Type::Int => cells::<Int64Array, _>(&values, wrong, int),
        Type::Float => cells::<Float64Array, _>(&values, wrong, |value| match value {
            Value::String(text) => read::float(text).map(normalise),
            value => value.as_f64().map(normalise),
        }),
        Type::Decimal { precision, scale } => {
            let text = |value: &Value| match value {
                Value::Number(number) => Some(number.to_string()),
                Value::String(text) => Some(text.clone()),
                _ => None,
            };
            let digits = |value: &Value| read::decimal(&text(value)?, *precision, scale.unsigned_abs());
            let array = cells::<Decimal128Array, _>(&values, wrong, digits)?;
            let array = array.as_primitive::<arrow::datatypes::Decimal128Type>().clone();
            Ok(Arc::new(array.with_data_type(ty.ty.to_arrow())))
        }
        Type::Text => cells::<StringArray, _>(&values, wrong, |value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
            _ => None,
        }),
        Type::Json => cells::<StringArray, _>(&values, wrong, |value| Some(value.to_string())),
        Type::Bytes => cells::<BinaryArray, _>(&values, wrong, |value| match value {
            Value::String(text) => Some(text.clone().into_bytes()),
            Value::Array(bytes) => bytes.iter().map(|byte| u8::try_from(byte.as_u64()?).ok()).collect(),
            _ => None,
        }),
        Type::Date => cells::<Date32Array, _>(&values, wrong, |value| read::date(value.as_str()?)),
        Type::Timestamp => {
            cells::<TimestampMicrosecondArray, _>(&values, wrong, |value| read::timestamp(value.as_str()?))
        }
        Type::Duration => cells::<DurationMicrosecondArray, _>(&values, wrong, |value| read::duration(value.as_str()?)),
        Type::Vector(size) => {
            let mut elements = Vec::new();
            for value in &values {
                match value {
                    None => elements.extend(std::iter::repeat_n(0.0, usize::try_from(*size).unwrap_or(0))),
                    Some(value) => {
                        let numbers = value.as_array().map(|list| list.iter().map(Value::as_f64).collect());
                        let Some(Some(numbers)) = numbers else { return Err(wrong(value)) };
                        elements.extend(vector_elements(numbers, *size)?);
                    }
                }
            }
            vector_array(elements, *size, nulls_of(&values))
        }
        Type::List(item) => {
            let mut elements = Vec::new();
            let mut lengths = Vec::with_capacity(values.len());
            for value in &values {
                let list: &[Value] = match value {
                    None => &[],
                    Some(value) => value.as_array().ok_or_else(|| wrong(value))?,
                };
                if !item.nullable && list.iter().any(Value::is_null) {
                    let place = if path.is_empty() { String::new() } else { format!("`{path}`: ") };
                    let message = format!("{place}an element of {} is null", quoted(&Value::from(list).to_string()));
                    return Err(row_error(message));
                }
                lengths.push(list.len());
                elements.extend(list.iter().map(Some));
            }
            let inner = column(&elements, item, &format!("{path}[]"))?;
            let offsets = OffsetBuffer::from_lengths(lengths);
            let field = Arc::new(item.to_field("item"));
            Ok(Arc::new(ListArray::try_new(field, offsets, inner, nulls_of(&values))?))
        }
        Type::Record(fields) => {
            for value in values.iter().flatten() {
                let Some(object) = value.as_object() else { return Err(wrong(value)) };
                let missing = |name: &str| object.get(name).is_none_or(Value::is_null);
                if let Some((name, _)) = fields.iter().find(|(name, ty)| !ty.nullable && missing(name)) {
                    let place = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    return Err(row_error(format!("`{place}` is missing in {}", quoted(&value.to_string()))));
                }
            }
            let mut columns = Vec::with_capacity(fields.len());
            for (name, ty) in fields {
                let parts: Vec<Option<&Value>> =
                    values.iter().map(|value| value.and_then(|value| value.get(name))).collect();
                let place = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                columns.push(column(&parts, ty, &place)?);
            }
            let DataType::Struct(arrow_fields) = ty.ty.to_arrow() else { unreachable!("a record is a struct") };
            if columns.is_empty() {
                return Ok(Arc::new(StructArray::new_empty_fields(values.len(), nulls_of(&values))));
            }
            Ok(Arc::new(StructArray::try_new(arrow_fields, columns, nulls_of(&values))?))
        }
    }
}

/// The whole number that a document is, written as a number (`7`, `7.0`) or as text.
pub fn int(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => read::int(text),
        Value::Number(number) => number.as_i64().or_else(|| {
            let float = number.as_f64().filter(|float| float.fract() == 0.0)?;
            // Both bounds are floats; the upper one is the first float that does not fit.
            let fits = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&float);
            // A larger whole number is a float of the wrong value.
            (fits && !number.is_u64()).then_some(float as i64)
        }),
        _ => None,
    }
}

fn nulls_of(values: &[Option<&Value>]) -> Option<NullBuffer> {
    values.iter().any(Option::is_none).then(|| values.iter().map(Option::is_some).collect())
}

fn cells<A, T>(
    values: &[Option<&Value>],
    wrong: impl Fn(&Value) -> DataFusionError,
    read: impl Fn(&Value) -> Option<T>,
) -> Result<ArrayRef>
where
    A: Array + FromIterator<Option<T>> + 'static,
{
    let cells = values.iter().map(|value| value.map(|value| read(value).ok_or_else(|| wrong(value))).transpose());
    Ok(Arc::new(cells.collect::<Result<A>>()?))
}

/// A list of numbers as a vector. A list of another length, and one with a null in it, fail.
pub fn list_to_vector(args: &Arguments<'_>) -> Result<ArrayRef> {
    let DataType::FixedSizeList(_, size) = args.output() else {
        return Err(DataFusionError::Internal("a vector is a fixed list".to_string()));
    };
    let array = args.array(0)?;
    let Some(lists) = array.as_list_opt::<i32>() else {
        return Err(DataFusionError::Internal("a list is a list array".to_string()));
    };
    let numbers = arrow::compute::cast(lists.values(), &DataType::Float64)?;
    let numbers = numbers.as_primitive::<arrow::datatypes::Float64Type>();
    let mut elements = Vec::new();
    for row in 0..lists.len() {
        if lists.is_null(row) {
            elements.extend(std::iter::repeat_n(0.0, usize::try_from(*size).unwrap_or(0)));
            continue;
        }
        let (start, end) = (lists.value_offsets()[row], lists.value_offsets()[row + 1]);
        let part = numbers.slice(start.unsigned_abs() as usize, (end - start).unsigned_abs() as usize);
        let Some(part) = part.iter().collect::<Option<Vec<f64>>>() else {
            return Err(row_error("a vector has no nulls in it"));
        };
        elements.extend(vector_elements(part, *size)?);
    }
    vector_array(elements, *size, lists.nulls().cloned())
}

fn vector_elements(numbers: Vec<f64>, size: i32) -> Result<impl Iterator<Item = f32>> {
    if i32::try_from(numbers.len()) != Ok(size) {
        return Err(row_error(format!("a vector({size}) has {size} elements, found {}", numbers.len())));
    }
    // Adding zero turns -0.0 into 0.0. Vectors hold 32-bit floats: the nearest one is meant.
    Ok(numbers.into_iter().map(|number| number as f32 + 0.0))
}

fn vector_array(elements: Vec<f32>, size: i32, nulls: Option<NullBuffer>) -> Result<ArrayRef> {
    let item = Arc::new(Field::new("item", DataType::Float32, true));
    Ok(Arc::new(FixedSizeListArray::try_new(item, size, Arc::new(Float32Array::from(elements)), nulls)?))
}

/// A vector as a list of floats.
pub fn vector_to_list(args: &Arguments<'_>) -> Result<ArrayRef> {
    let DataType::List(item) = args.output() else {
        return Err(DataFusionError::Internal("a list is a list array".to_string()));
    };
    let array = args.array(0)?;
    let Some(vectors) = array.as_fixed_size_list_opt() else {
        return Err(DataFusionError::Internal("a vector is a fixed list".to_string()));
    };
    let size = usize::try_from(vectors.value_length()).unwrap_or(0);
    let numbers = arrow::compute::cast(vectors.values(), &DataType::Float64)?;
    let offsets = OffsetBuffer::from_lengths(std::iter::repeat_n(size, vectors.len()));
    Ok(Arc::new(ListArray::try_new(Arc::clone(item), offsets, numbers, vectors.nulls().cloned())?))
}
