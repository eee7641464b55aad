//! The types of Tide. Each has exactly one Arrow representation, to which every source, function result and
//! literal is brought at a table's boundary, so that no operator meets two spellings of one type.

use std::fmt;
use std::sync::Arc;

use arrow_schema::{DataType, Field, FieldRef, TimeUnit};
use serde::{Deserialize, Serialize};

/// The type of a value, without the question whether it may be null.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Type {
    /// The type of a bare `null`, and of a column of which only nulls are known; unifies with every other type.
    Null,
    /// `true` or `false`.
    Bool,
    /// 64-bit signed integer.
    Int,
    /// 64-bit float; no negative zero, one NaN.
    Float,
    /// Fixed point: at most 38 digits, `scale` of them after the point.
    Decimal {
        /// All digits, 1 to 38.
        precision: u8,
        /// Digits after the point, 0 to `precision`.
        scale: i8,
    },
    /// Unicode text.
    Text,
    /// Any bytes.
    Bytes,
    /// A day of the proleptic Gregorian calendar.
    Date,
    /// An instant, in microseconds UTC.
    Timestamp,
    /// A length of time in microseconds.
    Duration,
    /// A JSON document, kept as its text.
    Json,
    /// A vector of so many 32-bit floats.
    Vector(i32),
    /// A list of elements of one type.
    List(Box<ColumnType>),
    /// Named fields in order.
    Record(Vec<(String, ColumnType)>),
}

/// A type with nullability: what a column has.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ColumnType {
    /// The type of the values.
    pub ty: Type,
    /// True if a value may be null.
    pub nullable: bool,
}

impl ColumnType {
    /// The type without nulls.
    pub fn required(ty: Type) -> Self {
        ColumnType { ty, nullable: false }
    }

    /// The type with nulls.
    pub fn nullable(ty: Type) -> Self {
        ColumnType { ty, nullable: true }
    }

    /// The Arrow field of this type. Arrow's own nullability flag is always true: the dsl guarantees
    /// nullability, and Arrow kernels must never reject a batch over it.
    pub fn to_field(&self, name: &str) -> Field {
        Field::new(name, self.ty.to_arrow(), true)
    }
}

impl Type {
    /// The one Arrow type of this type.
    pub fn to_arrow(&self) -> DataType {
        match self {
            // Nulls need an array that says so: that of Arrow's own null type denies it.
            Type::Null | Type::Bool => DataType::Boolean,
            Type::Int => DataType::Int64,
            Type::Float => DataType::Float64,
            Type::Decimal { precision, scale } => DataType::Decimal128(*precision, *scale),
            Type::Text | Type::Json => DataType::Utf8,
            Type::Bytes => DataType::Binary,
            Type::Date => DataType::Date32,
            Type::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            Type::Duration => DataType::Duration(TimeUnit::Microsecond),
            Type::Vector(size) => DataType::FixedSizeList(Arc::new(Field::new("item", DataType::Float32, true)), *size),
            Type::List(item) => DataType::List(Arc::new(item.to_field("item"))),
            Type::Record(fields) => {
                DataType::Struct(fields.iter().map(|(name, ty)| Arc::new(ty.to_field(name)) as FieldRef).collect())
            }
        }
    }

    /// The Tide type that stands for an Arrow type, whichever of its spellings it has; `None` where there is none.
    pub fn from_arrow(ty: &DataType) -> Option<Type> {
        Some(match ty {
            DataType::Null => Type::Null,
            DataType::Boolean => Type::Bool,
            DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => Type::Int,
            DataType::UInt8 | DataType::UInt16 | DataType::UInt32 | DataType::UInt64 => Type::Int,
            DataType::Float16 | DataType::Float32 | DataType::Float64 => Type::Float,
            DataType::Decimal32(p, s) | DataType::Decimal64(p, s) | DataType::Decimal128(p, s) => {
                Type::Decimal { precision: *p, scale: *s }
            }
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Type::Text,
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
                Type::Bytes
            }
            DataType::Date32 | DataType::Date64 => Type::Date,
            DataType::Timestamp(_, _) => Type::Timestamp,
            DataType::Duration(_) => Type::Duration,
            DataType::FixedSizeList(item, size) if item.data_type().is_floating() => Type::Vector(*size),
            DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
                Type::List(Box::new(ColumnType {
                    ty: Type::from_arrow(item.data_type())?,
                    nullable: item.is_nullable(),
                }))
            }
            DataType::Struct(fields) => Type::Record(
                fields
                    .iter()
                    .map(|field| {
                        let ty = Type::from_arrow(field.data_type())?;
                        Some((field.name().clone(), ColumnType { ty, nullable: field.is_nullable() }))
                    })
                    .collect::<Option<Vec<_>>>()?,
            ),
            DataType::Dictionary(_, value) => Type::from_arrow(value)?,
            _ => return None,
        })
    }

    /// True for int, float and decimal.
    pub fn is_numeric(&self) -> bool {
        matches!(self, Type::Int | Type::Float | Type::Decimal { .. })
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Null => f.write_str("null"),
            Type::Bool => f.write_str("bool"),
            Type::Int => f.write_str("int"),
            Type::Float => f.write_str("float"),
            Type::Decimal { precision, scale } => write!(f, "decimal({precision}, {scale})"),
            Type::Text => f.write_str("text"),
            Type::Bytes => f.write_str("bytes"),
            Type::Date => f.write_str("date"),
            Type::Timestamp => f.write_str("timestamp"),
            Type::Duration => f.write_str("duration"),
            Type::Json => f.write_str("json"),
            Type::Vector(size) => write!(f, "vector({size})"),
            Type::List(item) => write!(f, "[{item}]"),
            Type::Record(fields) => {
                f.write_str("{")?;
                for (i, (name, ty)) in fields.iter().enumerate() {
                    if i > 0 {
                        f.write_str(", ")?;
                    }
                    let is_word = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                        && name.starts_with(|c: char| !c.is_ascii_digit());
                    match is_word {
                        true => write!(f, "{name}: {ty}")?,
                        false => write!(f, "`{}`: {ty}", name.replace('`', "``"))?,
                    }
                }
                f.write_str("}")
            }
        }
    }
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.ty, if self.nullable && self.ty != Type::Null { "?" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_comes_back_from_arrow_except_json() {
        let types = [
            Type::Bool,
            Type::Int,
            Type::Float,
            Type::Decimal { precision: 10, scale: 2 },
            Type::Text,
            Type::Bytes,
            Type::Date,
            Type::Timestamp,
            Type::Duration,
            Type::Vector(3),
            Type::List(Box::new(ColumnType::nullable(Type::Int))),
            Type::Record(vec![("a".into(), ColumnType::nullable(Type::Text))]),
        ];
        for ty in types {
            assert_eq!(Type::from_arrow(&ty.to_arrow()), Some(ty));
        }
        assert_eq!(Type::from_arrow(&Type::Json.to_arrow()), Some(Type::Text));
    }
}
