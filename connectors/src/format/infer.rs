//! What a sample says about the types of columns.
//!
//! A guess starts as nothing and is widened by every value: int to float, date to timestamp, and where two values have
//! nothing in common, to text (CSV) or json (JSON). Every inferred column may be null: a sample cannot promise that the
//! rest has no gaps, and a gap should not be an error row.

use serde_json::Value;
use tidebook_plan::connector::SourceField;
use tidebook_plan::{ColumnType, Type};

use super::clock::{parse_date, parse_timestamp};
use super::scalar::{parse_float, parse_int};

/// Rows that a sample is looked at for.
pub const SAMPLE_ROWS: usize = 1_000;
/// Bytes that a sample has at most.
pub const SAMPLE_BYTES: usize = 1 << 20;

/// What the values seen so far have in common.
#[derive(Clone, Debug, PartialEq)]
pub enum Guess {
    /// Nothing but nulls was seen.
    None,
    /// A type without parts.
    Scalar(Type),
    /// Lists.
    List(Box<Guess>),
    /// Objects, with their fields in order of appearance.
    Record(Vec<(String, Guess)>),
    /// Things with nothing in common.
    Mixed,
}

impl Guess {
    /// What one JSON value says.
    pub fn of_json(value: &Value) -> Guess {
        match value {
            Value::Null => Guess::None,
            Value::Bool(_) => Guess::Scalar(Type::Bool),
            Value::Number(number) if number.is_i64() => Guess::Scalar(Type::Int),
            // A whole number that is too long for int: as a float it would lose digits.
            Value::Number(number) if number.is_u64() => Guess::Scalar(LONG),
            Value::Number(number) if number.as_f64().is_some_and(|value| (1e19..1e37).contains(&value.abs())) => {
                Guess::Scalar(LONG)
            }
            Value::Number(_) => Guess::Scalar(Type::Float),
            Value::String(text) => Guess::Scalar(time_type(text.as_bytes()).unwrap_or(Type::Text)),
            Value::Array(items) => {
                Guess::List(Box::new(items.iter().fold(Guess::None, |seen, item| seen.merge(Guess::of_json(item)))))
            }
            Value::Object(object) => {
                Guess::Record(object.iter().map(|(name, value)| (name.clone(), Guess::of_json(value))).collect())
            }
        }
    }

    /// What one field of CSV says.
    pub fn of_text(text: &[u8]) -> Guess {
        let trimmed = text.trim_ascii();
        // Leading zeros carry meaning (postal codes, identifiers), which a number would lose.
        let padded = {
            let digits = trimmed.strip_prefix(b"-").unwrap_or(trimmed);
            digits.len() > 1 && digits[0] == b'0' && digits[1].is_ascii_digit()
        };
        Guess::Scalar(if padded {
            Type::Text
        } else if trimmed.eq_ignore_ascii_case(b"true") || trimmed.eq_ignore_ascii_case(b"false") {
            Type::Bool
        } else if parse_int(trimmed).is_some() {
            Type::Int
        } else if is_long(trimmed) {
            LONG
        } else if parse_float(trimmed).is_some() {
            Type::Float
        } else {
            time_type(trimmed).unwrap_or(Type::Text)
        })
    }

    /// What both say together.
    #[must_use]
    pub fn merge(self, other: Guess) -> Guess {
        use Guess::{List, Mixed, None, Record, Scalar};
        match (self, other) {
            (None, other) | (other, None) => other,
            (Scalar(a), Scalar(b)) => match merge_scalars(&a, &b) {
                Some(ty) => Scalar(ty),
                Option::None => Mixed,
            },
            (List(a), List(b)) => List(Box::new(a.merge(*b))),
            (Record(mut fields), Record(others)) => {
                for (name, guess) in others {
                    match fields.iter_mut().find(|(known, _)| *known == name) {
                        Some((_, known)) => *known = std::mem::replace(known, None).merge(guess),
                        Option::None => fields.push((name, guess)),
                    }
                }
                Record(fields)
            }
            _ => Mixed,
        }
    }

    /// The type to read, where values that have nothing in common are read as `mixed`.
    pub fn into_type(self, mixed: &Type) -> Type {
        match self {
            Guess::None | Guess::Mixed => mixed.clone(),
            Guess::Scalar(ty) => ty,
            Guess::List(item) => Type::List(Box::new(ColumnType::nullable(item.into_type(mixed)))),
            // An object without fields says nothing about those to come.
            Guess::Record(fields) if fields.is_empty() => mixed.clone(),
            Guess::Record(fields) => Type::Record(
                fields.into_iter().map(|(name, guess)| (name, ColumnType::nullable(guess.into_type(mixed)))).collect(),
            ),
        }
    }
}

/// The type of whole numbers that are too long for int.
const LONG: Type = Type::Decimal { precision: 38, scale: 0 };

/// True for a whole number of at most 38 digits.
fn is_long(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    digits.len() <= 38 && !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

fn merge_scalars(a: &Type, b: &Type) -> Option<Type> {
    let time = |ty: &Type| matches!(ty, Type::Date | Type::Timestamp | Type::Text);
    match (a, b) {
        _ if a == b => Some(a.clone()),
        (Type::Int | Type::Float, Type::Float) | (Type::Float, Type::Int) => Some(Type::Float),
        (Type::Int, Type::Decimal { .. }) | (Type::Decimal { .. }, Type::Int) => Some(LONG),
        (Type::Float, Type::Decimal { .. }) | (Type::Decimal { .. }, Type::Float) => Some(Type::Float),
        (Type::Date, Type::Timestamp) | (Type::Timestamp, Type::Date) => Some(Type::Timestamp),
        _ if time(a) && time(b) => Some(Type::Text),
        _ => None,
    }
}

fn time_type(text: &[u8]) -> Option<Type> {
    if parse_date(text).is_some() { Some(Type::Date) } else { parse_timestamp(text).map(|_| Type::Timestamp) }
}

/// The columns of guessed fields of JSON.
pub fn fields_of(fields: Vec<(String, Guess)>) -> Vec<SourceField> {
    fields.into_iter().map(|(name, guess)| field(name, guess.into_type(&Type::Json))).collect()
}

/// A column that may be null.
pub fn field(name: String, ty: Type) -> SourceField {
    SourceField { name, ty: ColumnType::nullable(ty), wire_name: None, default: None }
}
