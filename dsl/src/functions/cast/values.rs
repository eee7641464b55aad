//! The casts between single values that the user writes.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, DurationMicrosecondArray, Float64Array,
    Int64Array, StringArray, TimestampMicrosecondArray,
};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::DataType;
use datafusion_common::{DataFusionError, Result};

use super::super::arguments::Arguments;
use super::super::arithmetic::normalise;
use super::super::kernel::row_error;
use super::read;
use super::show::{decimal_text, float_text, quoted};

/// Microseconds in a day.
const DAY: i64 = 86_400_000_000;

fn unreadable(shown: &str, ty: &str) -> DataFusionError {
    row_error(format!("cannot read {shown} as {ty}"))
}

/// Reads each text.
fn read_text<A, T>(args: &Arguments<'_>, ty: &str, read: impl Fn(&str) -> Option<T>) -> Result<ArrayRef>
where
    A: Array + FromIterator<Option<T>> + 'static,
{
    let texts = args.text(0)?;
    args.collect::<A, T>(|row| {
        let text = texts.value(row);
        read(text).ok_or_else(|| unreadable(&quoted(text), ty))
    })
}

/// The fraction is dropped.
pub fn float_to_int(args: &Arguments<'_>) -> Result<ArrayRef> {
    let values = args.float(0)?;
    args.collect::<Int64Array, _>(|row| {
        let value = values.value(row);
        // Both bounds are floats; the upper one is the first float that does not fit.
        let fits = value > -9_223_372_036_854_777_856.0 && value < 9_223_372_036_854_775_808.0;
        if fits { Ok(value as i64) } else { Err(unreadable(&float_text(value), "int")) }
    })
}

/// The fraction is dropped.
pub fn decimal_to_int(args: &Arguments<'_>) -> Result<ArrayRef> {
    let values = args.decimal(0)?;
    let scale = values.scale();
    let unit = 10i128.pow(u32::from(scale.unsigned_abs()));
    args.collect::<Int64Array, _>(|row| {
        let value = values.value(row);
        i64::try_from(value / unit).map_err(|_| unreadable(&decimal_text(value, i16::from(scale)), "int"))
    })
}

/// 0 or 1.
pub fn bool_to_int(args: &Arguments<'_>) -> Result<ArrayRef> {
    let values = args.boolean(0)?;
    args.collect::<Int64Array, _>(|row| Ok(i64::from(values.value(row))))
}

/// A whole number in text.
pub fn text_to_int(args: &Arguments<'_>) -> Result<ArrayRef> {
    read_text::<Int64Array, _>(args, "int", read::int)
}

/// 0.0 or 1.0.
pub fn bool_to_float(args: &Arguments<'_>) -> Result<ArrayRef> {
    let values = args.boolean(0)?;
    args.collect::<Float64Array, _>(|row| Ok(f64::from(u8::from(values.value(row)))))
}

/// A number in text.
pub fn text_to_float(args: &Arguments<'_>) -> Result<ArrayRef> {
    read_text::<Float64Array, _>(args, "float", |text| read::float(text).map(normalise))
}

/// Precision and scale of the result.
fn digits(args: &Arguments<'_>) -> (u8, u8) {
    match args.output() {
        DataType::Decimal128(precision, scale) => (*precision, scale.unsigned_abs()),
        other => unreachable!("a cast to decimal gives a decimal, not {other}"),
    }
}

fn decimals(args: &Arguments<'_>, cell: impl Fn(usize) -> Result<i128>) -> Result<ArrayRef> {
    let nulls = args.nulls()?;
    let is_null = |row| nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
    let cells = (0..args.rows()).map(|row| if is_null(row) { Ok(None) } else { cell(row).map(Some) });
    let array = cells.collect::<Result<Decimal128Array>>()?;
    Ok(Arc::new(array.with_data_type(args.output().clone())))
}

/// A decimal or int with other digits, rounded half away from zero.
pub fn decimal_to_decimal(args: &Arguments<'_>) -> Result<ArrayRef> {
    let options = CastOptions { safe: false, ..CastOptions::default() };
    let (precision, scale) = digits(args);
    cast_with_options(&args.array(0)?, args.output(), &options)
        .map_err(|_| row_error(format!("a value does not fit decimal({precision}, {scale})")))
}

/// The decimal nearest to the float's shortest text.
pub fn float_to_decimal(args: &Arguments<'_>) -> Result<ArrayRef> {
    let values = args.float(0)?;
    let (precision, scale) = digits(args);
    decimals(args, |row| {
        let value = values.value(row);
        // `Display` never writes an exponent, so that the text can be read digit by digit.
        let read = if value.is_finite() { read::decimal(&format!("{value}"), precision, scale) } else { None };
        read.ok_or_else(|| unreadable(&float_text(value), &format!("decimal({precision}, {scale})")))
    })
}

/// A decimal in text.
pub fn text_to_decimal(args: &Arguments<'_>) -> Result<ArrayRef> {
    let texts = args.text(0)?;
    let (precision, scale) = digits(args);
    decimals(args, |row| {
        let text = texts.value(row);
        let read = read::decimal(text, precision, scale);
        read.ok_or_else(|| unreadable(&quoted(text), &format!("decimal({precision}, {scale})")))
    })
}

/// 0 or 1.
pub fn bool_to_decimal(args: &Arguments<'_>) -> Result<ArrayRef> {
    let values = args.boolean(0)?;
    let (precision, scale) = digits(args);
    decimals(args, |row| {
        let one = 10i128.pow(u32::from(scale));
        let value = if values.value(row) { one } else { 0 };
        let fits = value == 0 || precision > scale;
        if fits { Ok(value) } else { Err(unreadable("true", &format!("decimal({precision}, {scale})"))) }
    })
}

/// Zero is false.
pub fn float_to_bool(args: &Arguments<'_>) -> Result<ArrayRef> {
    let values = args.float(0)?;
    args.collect::<BooleanArray, _>(|row| Ok(values.value(row) != 0.0))
}

/// Zero is false.
pub fn decimal_to_bool(args: &Arguments<'_>) -> Result<ArrayRef> {
    let values = args.decimal(0)?;
    args.collect::<BooleanArray, _>(|row| Ok(values.value(row) != 0))
}

/// Zero is false.
pub fn int_to_bool(args: &Arguments<'_>) -> Result<ArrayRef> {
    let values = args.int(0)?;
    args.collect::<BooleanArray, _>(|row| Ok(values.value(row) != 0))
}

/// `true` or `false` in text.
pub fn text_to_bool(args: &Arguments<'_>) -> Result<ArrayRef> {
    read_text::<BooleanArray, _>(args, "bool", read::bool)
}

/// A date in text.
pub fn text_to_date(args: &Arguments<'_>) -> Result<ArrayRef> {
    read_text::<Date32Array, _>(args, "date", read::date)
}

/// The day, in UTC.
pub fn timestamp_to_date(args: &Arguments<'_>) -> Result<ArrayRef> {
    let values = args.timestamp(0)?;
    // Every timestamp lies within 107 million days of 1970, which 32 bits hold.
    args.collect::<Date32Array, _>(|row| Ok(values.value(row).div_euclid(DAY) as i32))
}

/// A timestamp in text.
pub fn text_to_timestamp(args: &Arguments<'_>) -> Result<ArrayRef> {
    read_text::<TimestampMicrosecondArray, _>(args, "timestamp", read::timestamp)
}

/// A duration in text.
pub fn text_to_duration(args: &Arguments<'_>) -> Result<ArrayRef> {
    read_text::<DurationMicrosecondArray, _>(args, "duration", read::duration)
}

/// The bytes of the text in UTF-8.
pub fn text_to_bytes(args: &Arguments<'_>) -> Result<ArrayRef> {
    let texts = args.text(0)?;
    args.collect::<BinaryArray, _>(|row| Ok(texts.value(row).as_bytes().to_vec()))
}

/// Bytes that must be UTF-8.
pub fn bytes_to_text(args: &Arguments<'_>) -> Result<ArrayRef> {
    let array = args.array(0)?;
    let Some(bytes) = array.as_any().downcast_ref::<BinaryArray>() else {
        return Err(DataFusionError::Internal("bytes are a binary array".to_string()));
    };
    args.collect::<StringArray, _>(|row| {
        let text = std::str::from_utf8(bytes.value(row));
        text.map(str::to_string).map_err(|_| row_error("cannot read bytes as text: they are not UTF-8"))
    })
}
