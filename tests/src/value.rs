//! A value of an Arrow array as JSON, as `tidebook run --format json` is to print it: written anew from the issue's
//! words, so that a fault of the program's own printing shows.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, DurationMicrosecondType, Float32Type, Float64Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, TimeUnit};
use serde_json::{Map, Value, json};

/// The row as JSON values.
pub fn json_row(batch: &RecordBatch, row: usize) -> Vec<Value> {
    batch.columns().iter().map(|column| json_value(column.as_ref(), row)).collect()
}

/// The value at `row`. A float that JSON has no number for is its name.
///
/// # Panics
/// On Arrow types that no Tide type has.
pub fn json_value(array: &dyn Array, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        DataType::Null => Value::Null,
        DataType::Boolean => json!(array.as_boolean().value(row)),
        DataType::Int64 => json!(array.as_primitive::<Int64Type>().value(row)),
        DataType::Float64 => float(array.as_primitive::<Float64Type>().value(row)),
        DataType::Float32 => float(f64::from(array.as_primitive::<Float32Type>().value(row))),
        DataType::Utf8 => json!(array.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => json!(array.as_string::<i64>().value(row)),
        DataType::Utf8View => json!(array.as_string_view().value(row)),
        DataType::Decimal128(_, scale) => {
            json!(decimal(array.as_primitive::<Decimal128Type>().value(row), *scale))
        }
        DataType::Binary => json!(base64(array.as_binary::<i32>().value(row))),
        DataType::Date32 => json!(date(i64::from(array.as_primitive::<Date32Type>().value(row)))),
        DataType::Timestamp(TimeUnit::Microsecond, None) => {
            json!(timestamp(array.as_primitive::<TimestampMicrosecondType>().value(row)))
        }
        DataType::Duration(TimeUnit::Microsecond) => {
            json!(duration(array.as_primitive::<DurationMicrosecondType>().value(row)))
        }
        DataType::List(_) => list(array.as_list::<i32>().value(row).as_ref()),
        DataType::FixedSizeList(_, _) => list(array.as_fixed_size_list().value(row).as_ref()),
        DataType::Struct(fields) => {
            let columns = array.as_struct().columns();
            let pairs =
                fields.iter().zip(columns).map(|(f, column)| (f.name().clone(), json_value(column.as_ref(), row)));
            Value::Object(pairs.collect::<Map<_, _>>())
        }
        other => panic!("no Tide type is kept as {other}"),
    }
}

/// Bytes as text (RFC 4648, with padding).
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for part in bytes.chunks(3) {
        let bits = part.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - part.len()));
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place)) as usize & 63];
            text.push(if place <= part.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

fn list(items: &dyn Array) -> Value {
    Value::Array((0..items.len()).map(|i| json_value(items, i)).collect())
}

fn float(value: f64) -> Value {
    if value.is_nan() {
        // The sign and payload of a NaN are no part of its value.
        json!("NaN")
    } else if value.is_infinite() {
        json!(if value > 0.0 { "inf" } else { "-inf" })
    } else {
        json!(value)
    }
}

fn decimal(value: i128, scale: i8) -> String {
    let scale = usize::try_from(scale).unwrap_or(0);
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = scale + 1);
    let (whole, part) = digits.split_at(digits.len() - scale);
    let sign = if value < 0 { "-" } else { "" };
    if part.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") }
}

/// A length of time in the largest unit of which it is a whole number: `1500ms`, `36h`.
fn duration(micros: i64) -> String {
    let (mut count, mut unit) = (micros, "us");
    // Each unit with how many of the one before it make one.
    for (size, larger) in [(1_000, "ms"), (1_000, "s"), (60, "m"), (60, "h"), (24, "d")] {
        if count % size != 0 {
            break;
        }
        (count, unit) = (count / size, larger);
    }
    if micros == 0 { "0s".to_string() } else { format!("{count}{unit}") }
}

/// A day, counted from 1970-01-01, as `YYYY-MM-DD` (Howard Hinnant's `civil_from_days`).
fn date(days: i64) -> String {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Microseconds from 1970 as ISO 8601, with a fraction only where it is not zero.
fn timestamp(micros: i64) -> String {
    const DAY: i64 = 86_400_000_000;
    let (days, within) = (micros.div_euclid(DAY), micros.rem_euclid(DAY));
    let (seconds, fraction) = (within / 1_000_000, within % 1_000_000);
    let clock = format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let whole = format!("{}T{clock}", date(days));
    if fraction == 0 { whole } else { format!("{whole}.{fraction:06}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_times_around_the_epoch_and_leap_days() {
        assert_eq!(date(0), "1970-01-01");
        assert_eq!(date(-1), "1969-12-31");
        assert_eq!(date(19_782), "2024-02-29");
        assert_eq!(date(20_779), "2026-11-22");
        assert_eq!(timestamp(-1_000_000), "1969-12-31T23:59:59");
        assert_eq!(timestamp(1_500_000), "1970-01-01T00:00:01.500000");
    }

    #[test]
    fn durations_are_in_the_largest_whole_unit() {
        assert_eq!(duration(-1_500_000), "-1500ms");
        assert_eq!(duration(2 * 86_400_000_000), "2d");
        assert_eq!(duration(36 * 3_600_000_000), "36h");
        assert_eq!(duration(7), "7us");
    }

    #[test]
    fn decimals_keep_their_scale() {
        assert_eq!(decimal(-5, 2), "-0.05");
        assert_eq!(decimal(1_234, 2), "12.34");
        assert_eq!(decimal(7, 0), "7");
    }
}
