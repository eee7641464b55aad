//! Columns of a file as the columns that were asked for.
//!
//! Most columns have the type that is wanted, or one that Arrow's kernels bring to it. What is left (a text declared
//! as a number, a list as a vector, anything as json) goes value by value through the same readers that CSV and JSON
//! have, so that a declared schema means the same for every format.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, Float64Array, PrimitiveArray, StringArray};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{ArrowError, DataType};
use serde::de::IgnoredAny;
use tidebook_plan::{ColumnType, Type};

use super::natural::{Failure, lost, nulls_within, to_natural};
use crate::format::ColumnBuilder;
use crate::format::value::{json_value, text_value};
use crate::format::{push_json, push_text};

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// From one column of a file to one of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct Conversion {
    /// The Tide type that the column has by itself.
    natural: ColumnType,
    /// The type that is wanted.
    wanted: ColumnType,
}

impl Conversion {
    /// A conversion between types.
    ///
    /// # Errors
    /// Where no value of the one is ever one of the other.
    pub fn new(natural: ColumnType, wanted: ColumnType) -> Result<Conversion, String> {
        if possible(&natural.ty, &wanted.ty) {
            Ok(Conversion { natural, wanted })
        } else {
            Err(format!("is {}, which cannot be read as {}", natural.ty, wanted.ty))
        }
    }

    /// The column as wanted; a value that it cannot have is null there and told as a failure.
    ///
    /// # Errors
    /// Where Arrow refuses the whole array.
    pub fn apply(&self, array: &ArrayRef, failures: &mut Vec<Failure>) -> Result<ArrayRef, ArrowError> {
        let natural = to_natural(array, &self.natural.ty, failures)?;
        let result = self.adapted(natural, failures)?;
        let before = failures.len();
        nulls_within(&result, &self.wanted, failures);
        // A value that failed is null because of that.
        if before > 0 && failures.len() > before {
            let nulls = failures.split_off(before);
            let new: Vec<_> = nulls.into_iter().filter(|null| !failures.iter().any(|f| f.row == null.row)).collect();
            failures.extend(new);
        }
        Ok(result)
    }

    fn adapted(&self, array: ArrayRef, failures: &mut Vec<Failure>) -> Result<ArrayRef, ArrowError> {
        let wanted = self.wanted.ty.to_arrow();
        Ok(match (&self.natural.ty, &self.wanted.ty) {
            (Type::Text, Type::Json) => {
                let texts = array.as_string::<i32>();
                let fits = |text: &str| serde_json::from_str::<IgnoredAny>(text).is_ok();
                let result: StringArray = texts.iter().map(|text| text.filter(|text| fits(text))).collect();
                let result: ArrayRef = Arc::new(result);
                if result.null_count() > array.null_count() {
                    let failed = (0..array.len()).filter(|row| array.is_valid(*row) && result.is_null(*row));
                    failures.extend(failed.map(|row| Failure { row, message: "is no JSON".to_string() }));
                }
                result
            }
            _ if *array.data_type() == wanted => array,
            (Type::Int, Type::Float) => {
                let floats: Float64Array = array.as_primitive::<Int64Type>().unary(|value| value as f64);
                Arc::new(floats)
            }
            (Type::Date, Type::Timestamp) => {
                let days = array.as_primitive::<Date32Type>();
                let micros: PrimitiveArray<TimestampMicrosecondType> =
                    days.unary_opt(|day| i64::from(day).checked_mul(DAY));
                let result: ArrayRef = Arc::new(micros);
                lost(&array, &result, &self.wanted.ty, failures);
                result
            }
            (Type::Timestamp, Type::Date) => {
                let micros = array.as_primitive::<TimestampMicrosecondType>();
                let days: PrimitiveArray<Date32Type> =
                    micros.unary_opt(|micros| i32::try_from(micros.div_euclid(DAY)).ok());
                Arc::new(days)
            }
            (Type::Decimal { scale, .. }, Type::Decimal { scale: other, .. }) if other >= scale => {
                let result = cast_with_options(&array, &wanted, &CastOptions { safe: true, ..CastOptions::default() })?;
                lost(&array, &result, &self.wanted.ty, failures);
                result
            }
            (Type::Decimal { .. }, Type::Float) => {
                cast_with_options(&array, &DataType::Float64, &CastOptions::default())?
            }
            (natural, Type::Text) => {
                let texts: StringArray = (0..array.len()).map(|row| text_value(array.as_ref(), row, natural)).collect();
                Arc::new(texts)
            }
            (natural, wanted) => one_by_one(&array, natural, wanted, failures),
        })
    }
}

/// True if some value of `from` is one of `to`.
fn possible(from: &Type, to: &Type) -> bool {
    match (from, to) {
        (_, Type::Text | Type::Json) | (Type::Text, _) => true,
        (Type::Int | Type::Float | Type::Decimal { .. }, Type::Int | Type::Float | Type::Decimal { .. }) => true,
        (Type::Date | Type::Timestamp, Type::Date | Type::Timestamp) => true,
        (Type::Int, Type::Duration) | (Type::Json, _) => true,
        (Type::List(from), Type::List(to)) => possible(&from.ty, &to.ty),
        (Type::List(item), Type::Vector(_)) => item.ty.is_numeric(),
        (Type::Vector(_), Type::List(item)) => item.ty.is_numeric(),
        (Type::Record(from), Type::Record(to)) => to.iter().all(|(name, to)| {
            let own = from.iter().find(|(known, _)| known == name);
            own.map_or(to.nullable, |(_, from)| possible(&from.ty, &to.ty))
        }),
        (from, to) => from == to,
    }
}

/// Values by way of their text, or of their JSON.
fn one_by_one(array: &ArrayRef, natural: &Type, wanted: &Type, failures: &mut Vec<Failure>) -> ArrayRef {
    let mut column = ColumnBuilder::new(wanted);
    let ty = ColumnType::required(wanted.clone());
    for row in 0..array.len() {
        if array.is_null(row) {
            column.push_null();
            continue;
        }
        let pushed = match natural {
            Type::Text | Type::Json => push_text(array.as_string::<i32>().value(row).as_bytes(), &mut column, &ty),
            Type::Float if *wanted == Type::Int => {
                let value = json_value(array.as_ref(), row, natural).to_string();
                // `7.0` is the whole number 7; what has a fraction is none.
                push_json(value.strip_suffix(".0").unwrap_or(&value).as_bytes(), &mut column, &ty)
            }
            Type::Decimal { .. } => {
                let text = text_value(array.as_ref(), row, natural).unwrap_or_default();
                let whole = text.split_once('.').filter(|(_, rest)| rest.bytes().all(|byte| byte == b'0'));
                let text = whole.filter(|_| *wanted == Type::Int).map_or(text.as_str(), |(whole, _)| whole);
                push_json(text.as_bytes(), &mut column, &ty)
            }
            _ => push_json(json_value(array.as_ref(), row, natural).to_string().as_bytes(), &mut column, &ty),
        };
        if let Err(message) = pushed {
            column.truncate(row);
            column.push_null();
            failures.push(Failure { row, message });
        }
    }
    column.finish()
}
