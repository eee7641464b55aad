//! Conversions that keep every value.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, StructArray, TimestampMicrosecondArray, new_null_array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Date32Type, FieldRef};
use datafusion_common::{DataFusionError, Result};

use super::super::arguments::Arguments;

/// Microseconds in a day.
const DAY: i64 = 86_400_000_000;

/// The first argument as the declared result.
pub fn evaluate(args: &Arguments<'_>) -> Result<ArrayRef> {
    convert(&args.array(0)?, args.output())
}

/// The array as a `to`, which holds all its values.
pub fn convert(array: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    if array.data_type() == to {
        return Ok(Arc::clone(array));
    }
    // Nulls alone become anything, whatever they are nulls of.
    if array.logical_null_count() == array.len() {
        return Ok(new_null_array(to, array.len()));
    }
    match (array.data_type(), to) {
        (DataType::Date32, DataType::Timestamp(_, _)) => {
            // Saturated, since a conversion that nobody wrote does not fail; the calendar ends long before.
            let midnight = |days: i32| i64::from(days).saturating_mul(DAY);
            let instants: TimestampMicrosecondArray = array.as_primitive::<Date32Type>().unary(midnight);
            Ok(Arc::new(instants))
        }
        (DataType::List(_), DataType::List(item)) => {
            let list = array.as_list::<i32>();
            let values = convert(list.values(), item.data_type())?;
            let converted =
                ListArray::try_new(Arc::clone(item), list.offsets().clone(), values, list.nulls().cloned())?;
            Ok(Arc::new(converted))
        }
        (DataType::Struct(_), DataType::Struct(fields)) => {
            let record = array.as_struct();
            let column = |field: &FieldRef| match record.column_by_name(field.name()) {
                Some(column) => convert(column, field.data_type()),
                None => Err(DataFusionError::Internal(format!("the record has no field `{}`", field.name()))),
            };
            let columns = fields.iter().map(column).collect::<Result<Vec<_>>>()?;
            Ok(Arc::new(StructArray::try_new(fields.clone(), columns, record.nulls().cloned())?))
        }
        _ => Ok(cast_with_options(array, to, &CastOptions { safe: false, ..CastOptions::default() })?),
    }
}
