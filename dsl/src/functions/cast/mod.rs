//! Casts: the type's name as a function, and the conversions that happen silently.
//!
//! `int` of a float or decimal drops the fraction; `date` of a timestamp drops the time; reading text is strict. Lists and
//! records are cast part by part ([`parts`]).

mod document;
pub mod json;
mod parts;
pub mod read;
pub mod show;
mod silent;
mod text;
mod values;

use datafusion_common::ScalarValue;
use tidebook_plan::{ColumnType, Type};

use super::kernel::{Evaluate, Kernel};
use super::typed::{CallFault, FaultKind, Typed};
pub(super) use text::cell_text;

/// The type `decimal` without digits.
pub const DEFAULT_DECIMAL: Type = Type::Decimal { precision: 38, scale: 10 };

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
    if parts::has_parts(&arg.ty.ty, to) {
        return parts::cast(arg, to);
    }
    // A document that is a text is read as that text; a JSON null is a null.
    if arg.ty.ty == Type::Json && *to == Type::Int {
        let int = Kernel::new("json_int", Type::Int.to_arrow(), true, text::document_to_int);
        return Ok(int.call(vec![arg], ColumnType::nullable(Type::Int)));
    }
    if arg.ty.ty == Type::Json && through_text(to) {
        let text = Kernel::new("text", Type::Text.to_arrow(), false, text::of_document);
        return cast(text.call(vec![arg], ColumnType::nullable(Type::Text)), to);
    }
    if reads_document(&arg.ty.ty, to) {
        return Ok(document::read_as(arg, to));
    }
    if matches!(to, Type::Text | Type::Json)
        && let Some(document) = parts::nested_documents(&arg, to)
    {
        return Ok(document);
    }
    let Some((name, evaluate, fallible)) = find(&arg.ty.ty, to) else {
        let fault = CallFault::new(FaultKind::Type, format!("{} cannot be cast to {to}", arg.ty.ty)).at(0);
        return Err(match instead(&arg.ty.ty, to) {
            Some(help) => fault.with_help(help),
            None => fault,
        });
    };
    let nullable = arg.ty.nullable;
    let ty = ColumnType { ty: to.clone(), nullable };
    Ok(Kernel::new(name, to.to_arrow(), fallible, evaluate).call(vec![arg], ty))
}

/// The type of `decimal(arg)`: that of the digits which a literal writes out, that of all ints for an int; of anything
/// else, where the digits are in the data, the widest that leaves room on both sides of the point.
pub fn natural_decimal(arg: &Typed) -> Type {
    let written = match arg.constant() {
        Some(ScalarValue::Utf8(Some(text))) => read::natural_decimal(text),
        Some(ScalarValue::Float64(Some(float))) => read::natural_decimal(&format!("{float}")),
        Some(ScalarValue::Int64(Some(int))) => read::natural_decimal(&int.to_string()),
        _ => None,
    };
    match (written, &arg.ty.ty) {
        (Some((precision, scale)), _) => Type::Decimal { precision, scale: i8::try_from(scale).unwrap_or_default() },
        (None, ty @ Type::Decimal { .. }) => ty.clone(),
        (None, Type::Int) => super::convert::int_as_decimal(),
        (None, Type::Bool) => Type::Decimal { precision: 1, scale: 0 },
        (None, _) => DEFAULT_DECIMAL,
    }
}

/// The value as its text is written: a document that is a text without its quotes, documents inside of lists and records as
/// they are.
pub(super) fn readable(arg: Typed) -> Typed {
    if arg.ty.ty == Type::Json {
        return cast(arg.clone(), &Type::Text).unwrap_or(arg);
    }
    parts::nested_documents(&arg, &Type::Text).unwrap_or(arg)
}

/// What is written where a cast is refused but something else gives what was likely meant.
fn instead(from: &Type, to: &Type) -> Option<&'static str> {
    use Type::{Bytes, Date, Decimal, Duration, Float, Int, Json, List, Record, Text, Timestamp, Vector};
    Some(match (from, to) {
        (Duration, Int | Float | Decimal { .. }) => "divide it by a unit: `d / 1s` is its seconds, as a float",
        (Int | Float | Decimal { .. }, Duration) => "multiply a unit by it: `n * 1s`",
        (Timestamp, Int | Float | Decimal { .. }) => "write `unix_seconds(at)`, `unix_millis(at)` or `unix_micros(at)`",
        (Int | Float | Decimal { .. }, Timestamp) => {
            "write `from_unix_seconds(n)`, `from_unix_millis(n)` or `from_unix_micros(n)`"
        }
        (Date, Int | Float | Decimal { .. }) => {
            "write a part of it, `year(d)` or `day_of_year(d)`, or a number of days: `(d - @1970-01-01) / 1d`"
        }
        (Int | Float | Decimal { .. }, Date) => "write `make_date(year, month, day)`, or `add_days(@1970-01-01, n)`",
        (Bytes, Int | Float | Decimal { .. } | Date | Timestamp | Duration) => {
            "read the bytes as text first: `int(text(b))`"
        }
        (Int | Float | Decimal { .. } | Date | Timestamp | Duration, Bytes) => {
            "write the text's bytes: `bytes(text(x))`"
        }
        (Json | Text, List(_)) => return None,
        (Record(_), _) => "read one of its fields: `r.field`",
        (List(_), _) => "read one of its elements, `xs[0]`, or use a function of lists: `%help lists`",
        (Vector(_), _) => "make it a list first: `cast(v, [float])`",
        (_, List(_)) => "a list of one value is written `[x]`",
        _ => return None,
    })
}

/// True for what the text of a document is read as.
fn through_text(to: &Type) -> bool {
    matches!(to, Type::Text | Type::Bool | Type::Int | Type::Float | Type::Decimal { .. })
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
        (Bool, Decimal { precision, scale }) => {
            ("decimal", values::bool_to_decimal, i16::from(*precision) <= i16::from(*scale))
        }
        (Int, Bool) => ("bool", values::int_to_bool, false),
        (Float, Bool) => ("bool", values::float_to_bool, false),
        (Decimal { .. }, Bool) => ("bool", values::decimal_to_bool, false),
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
