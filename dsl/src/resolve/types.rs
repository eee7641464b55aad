//! Types as written.

use tidebook_plan::{ColumnType, Diagnostic, Span, Type};

use crate::diagnostics::names;
use crate::functions;
use crate::resolve::fault::{self, Resolved};
use crate::syntax::tree::{TypeExpr, TypeExprKind};

/// The types that are one word.
pub(crate) const TYPE_NAMES: &[&str] =
    &["bool", "int", "float", "decimal", "text", "bytes", "date", "timestamp", "duration", "json", "vector"];

/// What other languages call a type.
const FOREIGN: &[(&str, &str)] = &[
    ("string", "text"),
    ("str", "text"),
    ("varchar", "text"),
    ("integer", "int"),
    ("bigint", "int"),
    ("i64", "int"),
    ("double", "float"),
    ("real", "float"),
    ("f64", "float"),
    ("boolean", "bool"),
    ("datetime", "timestamp"),
    ("time", "timestamp"),
    ("interval", "duration"),
    ("numeric", "decimal"),
    ("blob", "bytes"),
];

/// The type that is written.
pub(crate) fn column_type(written: &TypeExpr) -> Resolved<ColumnType> {
    let ty = match &written.kind {
        TypeExprKind::Named { name, parameters } => named(&name.text, parameters, name.span, written.span)?,
        TypeExprKind::List(item) => Type::List(Box::new(column_type(item)?)),
        TypeExprKind::Record(fields) => {
            let mut out: Vec<(String, ColumnType)> = Vec::with_capacity(fields.len());
            for field in fields {
                if out.iter().any(|(name, _)| *name == field.name.text) {
                    let message = format!("the record has two fields called `{}`", field.name.text);
                    return Err(names::SAME_NAME.error(message, field.name.span).into());
                }
                out.push((field.name.text.clone(), column_type(&field.ty)?));
            }
            Type::Record(out)
        }
    };
    Ok(ColumnType { ty, nullable: written.nullable })
}

/// A type by its name and the numbers in its parentheses.
pub(crate) fn named(name: &str, parameters: &[i64], name_span: Span, span: Span) -> Resolved<Type> {
    let simple = match name {
        "bool" => Type::Bool,
        "int" => Type::Int,
        "float" => Type::Float,
        "text" => Type::Text,
        "bytes" => Type::Bytes,
        "date" => Type::Date,
        "timestamp" => Type::Timestamp,
        "duration" => Type::Duration,
        "json" => Type::Json,
        "decimal" => {
            return match parameters {
                [] => Ok(functions::DEFAULT_DECIMAL),
                [precision @ 1..=38] => Ok(Type::Decimal { precision: *precision as u8, scale: 0 }),
                [precision @ 1..=38, scale] if *scale >= 0 && scale <= precision => {
                    Ok(Type::Decimal { precision: *precision as u8, scale: *scale as i8 })
                }
                _ => Err(parameter_fault(
                    "a decimal has 1 to 38 digits, so many of them after the point: `decimal(10, 2)`",
                    span,
                )),
            };
        }
        "vector" => {
            return match parameters {
                [size @ 1..=65_536] => Ok(Type::Vector(*size as i32)),
                _ => Err(parameter_fault("a vector has 1 to 65536 elements: `vector(384)`", span)),
            };
        }
        _ => {
            let diagnostic = names::UNKNOWN_TYPE.error(format!("unknown type `{name}`"), name_span);
            let made_of_others = match name.to_ascii_lowercase().as_str() {
                "list" | "array" | "sequence" => {
                    Some("the type of a list is written `[int]`, with that of its elements")
                }
                "record" | "struct" | "object" | "dict" | "map" | "row" => {
                    Some("the type of a record is written `{a: int, b: text?}`")
                }
                _ => None,
            };
            if let Some(help) = made_of_others {
                return Err(diagnostic.with_help(help).into());
            }
            let foreign = FOREIGN.iter().find(|(word, _)| word.eq_ignore_ascii_case(name));
            return Err(match foreign {
                Some((_, ours)) => {
                    diagnostic.with_help(format!("did you mean `{ours}`?")).with_edit(name_span, *ours).into()
                }
                None => fault::suggest(diagnostic, name, TYPE_NAMES, "the types are").into(),
            });
        }
    };
    if parameters.is_empty() {
        Ok(simple)
    } else {
        Err(parameter_fault(&format!("`{name}` takes no parameters"), span))
    }
}

fn parameter_fault(message: &str, span: Span) -> fault::Fault {
    let diagnostic: Diagnostic = names::UNKNOWN_TYPE.error(message, span);
    diagnostic.into()
}
