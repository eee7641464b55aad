//! Casts: the type's name as a function, and the conversions that happen silently.
//!
//! `int` of a float or decimal drops the fraction; `date` of a timestamp drops the time; reading text is strict.

pub mod json;
pub mod read;
pub mod show;
mod silent;
mod text;
mod values;

use tidebook_plan::{ColumnType, Type};

use super::kernel::{Evaluate, Kernel};
use super::typed::{CallFault, FaultKind, Typed};
pub(super) use text::cell_text;

/// The conversion of `arg` to a type that holds its values; `fallible` where a literal was found to fit.
pub(super) fn convert(arg: Typed, to: &Type, fallible: bool) -> Typed {
    let ty = ColumnType { ty: to.clone(), nullable: arg.ty.nullable };
    Kernel::new("convert", to.to_arrow(), fallible, silent::evaluate).call(vec![arg], ty)
}

/// `to(arg)`, typed.
pub fn cast(arg: Typed, to: &Type) -> Result<Typed, CallFault> {
    if arg.ty.ty == *to {
        return Ok(arg);
    }
    if let Some(converted) = super::convert::coerce(arg.clone(), to) {
        return Ok(converted);
    }
    let Some((name, evaluate, fallible)) = find(&arg.ty.ty, to) else {
        return Err(CallFault::new(FaultKind::Type, format!("{} cannot be cast to {to}", arg.ty.ty)).at(0));
    };
    let nullable = arg.ty.nullable;
    let ty = ColumnType { ty: to.clone(), nullable };
    Ok(Kernel::new(name, to.to_arrow(), fallible, evaluate).call(vec![arg], ty))
}

/// Name, evaluation and fallibility of a cast.
fn find(from: &Type, to: &Type) -> Option<(&'static str, Evaluate, bool)> {
    use Type::{Bool, Bytes, Date, Decimal, Duration, Float, Int, Json, Text, Timestamp};
    Some(match (from, to) {
        (Float, Int) => ("int", values::float_to_int, true),
        (Decimal { precision, scale }, Int) => {
            ("int", values::decimal_to_int, i16::from(*precision) - i16::from(*scale) > 18)
        }
        (Bool, Int) => ("int", values::bool_to_int, false),
        (Text | Json, Int) => ("int", values::text_to_int, true),
        (Bool, Float) => ("float", values::bool_to_float, false),
        (Text | Json, Float) => ("float", values::text_to_float, true),
        (Int | Decimal { .. }, Decimal { .. }) => ("decimal", values::decimal_to_decimal, true),
        (Float, Decimal { .. }) => ("decimal", values::float_to_decimal, true),
        (Text | Json, Decimal { .. }) => ("decimal", values::text_to_decimal, true),
        (Int, Bool) => ("bool", values::int_to_bool, false),
        (Text | Json, Bool) => ("bool", values::text_to_bool, true),
        (Text, Date) => ("date", values::text_to_date, true),
        (Timestamp, Date) => ("date", values::timestamp_to_date, false),
        (Text, Timestamp) => ("timestamp", values::text_to_timestamp, true),
        (Text, Duration) => ("duration", values::text_to_duration, true),
        (Text, Bytes) => ("bytes", values::text_to_bytes, false),
        (Bytes, Text) => ("text", values::bytes_to_text, true),
        (Json, Text) => ("text", text::same, false),
        (_, Text) => ("text", text::evaluate, false),
        (Text, Json) => ("json", text::check_json, true),
        (_, Json) => ("json", text::to_document, false),
        _ => return None,
    })
}
