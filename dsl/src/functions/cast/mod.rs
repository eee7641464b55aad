//! Casts: the type's name as a function, and the conversions that happen silently.
//!
//! `int` of a float or decimal drops the fraction; `date` of a timestamp drops the time; reading text is strict.

mod document;
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
    // A document that is a text is read as that text; a JSON null is a null.
    if arg.ty.ty == Type::Json && matches!(to, Type::Text | Type::Bool | Type::Int | Type::Float | Type::Decimal { .. })
    {
        let text = Kernel::new("text", Type::Text.to_arrow(), false, text::of_document);
        return cast(text.call(vec![arg], ColumnType::nullable(Type::Text)), to);
    }
    if reads_document(&arg.ty.ty, to) {
        return Ok(document::read_as(arg, to));
    }
    let Some((name, evaluate, fallible)) = find(&arg.ty.ty, to) else {
        return Err(CallFault::new(FaultKind::Type, format!("{} cannot be cast to {to}", arg.ty.ty)).at(0));
    };
    let nullable = arg.ty.nullable;
    let ty = ColumnType { ty: to.clone(), nullable };
    Ok(Kernel::new(name, to.to_arrow(), fallible, evaluate).call(vec![arg], ty))
}

/// True where a JSON document, or text that is one, is read as what it holds.
fn reads_document(from: &Type, to: &Type) -> bool {
    match from {
        Type::Json => matches!(
            to,
            Type::List(_)
                | Type::Record(_)
                | Type::Vector(_)
                | Type::Date
                | Type::Timestamp
                | Type::Duration
                | Type::Bytes
        ),
        Type::Text => matches!(to, Type::List(_) | Type::Record(_) | Type::Vector(_)),
        _ => false,
    }
}

/// Name, evaluation and fallibility of a cast.
fn find(from: &Type, to: &Type) -> Option<(&'static str, Evaluate, bool)> {
    use Type::{Bool, Bytes, Date, Decimal, Duration, Float, Int, Json, List, Text, Timestamp, Vector};
    Some(match (from, to) {
        (Float, Int) => ("int", values::float_to_int, true),
        (Decimal { precision, scale }, Int) => {
            ("int", values::decimal_to_int, i16::from(*precision) - i16::from(*scale) > 18)
        }
        (Bool, Int) => ("int", values::bool_to_int, false),
        (Text, Int) => ("int", values::text_to_int, true),
        (Bool, Float) => ("float", values::bool_to_float, false),
        (Text, Float) => ("float", values::text_to_float, true),
        (Int | Decimal { .. }, Decimal { .. }) => ("decimal", values::decimal_to_decimal, true),
        (Float, Decimal { .. }) => ("decimal", values::float_to_decimal, true),
        (Text, Decimal { .. }) => ("decimal", values::text_to_decimal, true),
        (Int, Bool) => ("bool", values::int_to_bool, false),
        (Text, Bool) => ("bool", values::text_to_bool, true),
        (Text, Date) => ("date", values::text_to_date, true),
        (Timestamp, Date) => ("date", values::timestamp_to_date, false),
        (Text, Timestamp) => ("timestamp", values::text_to_timestamp, true),
        (Text, Duration) => ("duration", values::text_to_duration, true),
        (Text, Bytes) => ("bytes", values::text_to_bytes, false),
        (List(item), Vector(_)) if item.ty.is_numeric() || item.ty == Type::Null => {
            ("vector", document::list_to_vector, true)
        }
        (Vector(_), List(item)) if item.ty == Float => ("list", document::vector_to_list, false),
        (Bytes, Text) => ("text", values::bytes_to_text, true),
        (_, Text) => ("text", text::evaluate, false),
        (Text, Json) => ("json", text::check_json, true),
        (_, Json) => ("json", text::to_document, false),
        _ => return None,
    })
}
