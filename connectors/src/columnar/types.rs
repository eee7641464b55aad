//! Which Tide type a column of a file has, and whether its values can fail to have it.

use arrow_schema::{DataType, Field, TimeUnit};
use tidebook_plan::{ColumnType, Type};

/// Digits of the widest decimal.
const DIGITS: u8 = 38;
/// Whole units of time whose microseconds are 64 bits.
const MOST_SECONDS: i64 = i64::MAX / 1_000_000;
const MOST_MILLIS: i64 = i64::MAX / 1_000;

/// The Tide type of a column.
///
/// # Errors
/// What the column is, where Tide has no type for it.
pub fn natural(field: &Field) -> Result<ColumnType, String> {
    let extension = field.metadata().get(EXTENSION).map(String::as_str);
    let ty = match (extension, field.data_type()) {
        (Some(JSON_EXTENSION), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) => Type::Json,
        (Some(UUID_EXTENSION), DataType::FixedSizeBinary(16)) => Type::Text,
        (_, ty) => natural_type(ty)?,
    };
    Ok(ColumnType { ty, nullable: field.is_nullable() || field.data_type() == &DataType::Null })
}

/// The metadata of a field that says what its values stand for.
pub const EXTENSION: &str = "ARROW:extension:name";
/// Arrow's name for text that is JSON.
pub const JSON_EXTENSION: &str = "arrow.json";
/// Arrow's name for 16 bytes that are a UUID.
pub const UUID_EXTENSION: &str = "arrow.uuid";

fn natural_type(ty: &DataType) -> Result<Type, String> {
    Ok(match ty {
        DataType::Dictionary(_, values) => natural_type(values)?,
        DataType::RunEndEncoded(_, values) => natural_type(values.data_type())?,
        // All values are null; text takes every use of them.
        DataType::Null => Type::Text,
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => decimal(*precision, *scale)?,
        DataType::Time32(_) | DataType::Time64(_) => Type::Duration,
        DataType::Interval(_) => Type::Text,
        DataType::FixedSizeList(item, size) if is_vector(item, *size) => Type::Vector(*size),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _) => Type::List(Box::new(natural(item)?)),
        DataType::Map(entries, _) => {
            let DataType::Struct(pair) = entries.data_type() else { return Err(unsupported(ty)) };
            let [key, value] = pair.as_ref() else { return Err(unsupported(ty)) };
            let pair = Type::Record(vec![("key".to_string(), natural(key)?), ("value".to_string(), natural(value)?)]);
            Type::List(Box::new(ColumnType::required(pair)))
        }
        DataType::Struct(fields) => {
            let fields = fields.iter().map(|field| Ok((field.name().clone(), natural(field)?)));
            Type::Record(fields.collect::<Result<_, String>>()?)
        }
        other => Type::from_arrow(other).ok_or_else(|| unsupported(other))?,
    })
}

fn unsupported(ty: &DataType) -> String {
    format!("is of the Arrow type {ty}, which Tide does not have")
}

/// True for lists that are vectors: of floats that 32 bits hold.
fn is_vector(item: &Field, size: i32) -> bool {
    size > 0 && matches!(item.data_type(), DataType::Float16 | DataType::Float32)
}

/// The decimal that holds all values of one with any scale, as far as 38 digits go.
fn decimal(precision: u8, scale: i8) -> Result<Type, String> {
    if scale < 0 {
        let precision = precision.saturating_add(scale.unsigned_abs()).min(DIGITS);
        return Ok(Type::Decimal { precision, scale: 0 });
    }
    if scale.unsigned_abs() > DIGITS {
        return Err(format!("is a decimal with {scale} digits after the point, and Tide has {DIGITS} at most"));
    }
    Ok(Type::Decimal { precision: precision.max(scale.unsigned_abs()).min(DIGITS), scale })
}

/// How the values of a column can fail to have a Tide type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Risk {
    /// They cannot.
    None,
    /// Those outside of these bounds do, both ends included in what is sound. In the column's own unit.
    Outside(i128, i128),
    /// Parts that are null do.
    Nulls,
    /// It takes a look at each.
    Unknown,
}

/// The risk that a value of a column is no value of type `to`. Nulls are another matter.
pub fn risk(field: &Field, to: &ColumnType) -> Risk {
    match natural(field) {
        Ok(natural) if fits(&natural.ty, &to.ty) => own_risk(field.data_type()),
        _ => Risk::Unknown,
    }
}

/// True if every value of `from` is one of `to`.
fn fits(from: &Type, to: &Type) -> bool {
    match (from, to) {
        (Type::Int, Type::Float) | (Type::Date, Type::Timestamp) => true,
        (Type::List(from), Type::List(to)) => fits(&from.ty, &to.ty) && (to.nullable || !from.nullable),
        (Type::Record(from), Type::Record(to)) => {
            from.len() == to.len()
                && from
                    .iter()
                    .zip(to)
                    .all(|((a, from), (b, to))| a == b && fits(&from.ty, &to.ty) && (to.nullable || !from.nullable))
        }
        (from, to) => from == to,
    }
}

/// The risk that lies in bringing values to the natural type.
fn own_risk(ty: &DataType) -> Risk {
    let within = |most: i64| Risk::Outside(-i128::from(most), i128::from(most));
    match ty {
        DataType::UInt64 => Risk::Outside(0, i128::from(i64::MAX)),
        DataType::Timestamp(TimeUnit::Second, _) | DataType::Duration(TimeUnit::Second) => within(MOST_SECONDS),
        DataType::Timestamp(TimeUnit::Millisecond, _) | DataType::Duration(TimeUnit::Millisecond) => {
            within(MOST_MILLIS)
        }
        DataType::FixedSizeList(item, size) if is_vector(item, *size) => {
            if item.is_nullable() {
                Risk::Nulls
            } else {
                Risk::None
            }
        }
        DataType::FixedSizeList(item, _) => nested(item),
        DataType::Decimal256(..) | DataType::Date64 => Risk::Unknown,
        DataType::Decimal32(_, scale) | DataType::Decimal64(_, scale) | DataType::Decimal128(_, scale)
            if *scale < 0 =>
        {
            Risk::Unknown
        }
        DataType::Dictionary(_, values) => own_risk(values),
        DataType::RunEndEncoded(_, values) => own_risk(values.data_type()),
        DataType::List(item) | DataType::LargeList(item) | DataType::ListView(item) | DataType::LargeListView(item) => {
            nested(item)
        }
        DataType::Map(entries, _) => nested(entries),
        DataType::Struct(fields) => {
            if fields.iter().all(|field| nested(field) == Risk::None) {
                Risk::None
            } else {
                Risk::Unknown
            }
        }
        _ => Risk::None,
    }
}

fn nested(field: &Field) -> Risk {
    if own_risk(field.data_type()) == Risk::None { Risk::None } else { Risk::Unknown }
}

/// A type that holds the values of both, for columns that differ from file to file.
pub fn widened(a: &Type, b: &Type) -> Option<Type> {
    match (a, b) {
        _ if a == b => Some(a.clone()),
        (Type::Int, Type::Float) | (Type::Float, Type::Int) => Some(Type::Float),
        (Type::Date, Type::Timestamp) | (Type::Timestamp, Type::Date) => Some(Type::Timestamp),
        (Type::Decimal { precision, scale }, Type::Decimal { precision: other, scale: others }) => {
            let most = *scale.max(others);
            let before = |precision: u8, scale: i8| i16::from(precision) - i16::from(scale);
            let whole = before(*precision, *scale).max(before(*other, *others));
            let precision = u8::try_from(whole + i16::from(most)).ok().filter(|digits| *digits <= DIGITS)?;
            Some(Type::Decimal { precision, scale: most })
        }
        (Type::List(a), Type::List(b)) => {
            let item = ColumnType { ty: widened(&a.ty, &b.ty)?, nullable: a.nullable || b.nullable };
            Some(Type::List(Box::new(item)))
        }
        (Type::Record(a), Type::Record(b)) => {
            let mut fields = a.clone();
            for (_, field) in &mut fields {
                field.nullable = true;
            }
            for (name, other) in b {
                match fields.iter_mut().find(|(known, _)| known == name) {
                    Some((_, field)) => field.ty = widened(&field.ty, &other.ty)?,
                    None => fields.push((name.clone(), ColumnType::nullable(other.ty.clone()))),
                }
            }
            Some(Type::Record(fields))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn of(ty: DataType) -> Result<String, String> {
        natural(&Field::new("x", ty, true)).map(|ty| ty.ty.to_string())
    }

    #[test]
    fn arrow_types_have_tide_types() {
        let float = Arc::new(Field::new("item", DataType::Float32, true));
        let double = Arc::new(Field::new("item", DataType::Float64, true));
        let key = Field::new("keys", DataType::Utf8, false);
        let pair = DataType::Struct(vec![key, Field::new("values", DataType::UInt8, true)].into());
        let map = DataType::Map(Arc::new(Field::new("entries", pair, false)), false);
        let dictionary = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::LargeUtf8));
        for (arrow, tide) in [
            (DataType::UInt64, "int"),
            (DataType::Float16, "float"),
            (DataType::Decimal256(76, 10), "decimal(38, 10)"),
            (DataType::Decimal128(5, -2), "decimal(7, 0)"),
            (DataType::Time64(TimeUnit::Nanosecond), "duration"),
            (DataType::Timestamp(TimeUnit::Second, Some("Europe/Berlin".into())), "timestamp"),
            (DataType::FixedSizeList(float, 3), "vector(3)"),
            (DataType::FixedSizeList(double, 3), "[float?]"),
            (map, "[{key: text, value: int?}]"),
            (dictionary, "text"),
            (DataType::Null, "text"),
        ] {
            assert_eq!(of(arrow).as_deref(), Ok(tide));
        }
        assert!(of(DataType::Decimal256(76, 50)).is_err());
        let marked = |ty, mark: &str| {
            let metadata = [(EXTENSION.to_string(), mark.to_string())].into_iter().collect();
            natural(&Field::new("x", ty, true).with_metadata(metadata)).map(|ty| ty.ty)
        };
        assert_eq!(marked(DataType::LargeUtf8, JSON_EXTENSION), Ok(Type::Json));
        assert_eq!(marked(DataType::FixedSizeBinary(16), UUID_EXTENSION), Ok(Type::Text));
        assert_eq!(marked(DataType::FixedSizeBinary(16), "somebody.else"), Ok(Type::Bytes));
    }

    #[test]
    fn what_can_fail_is_known_from_the_type() {
        let risk_of = |ty: DataType, to: Type| risk(&Field::new("x", ty, true), &ColumnType::nullable(to));
        assert_eq!(risk_of(DataType::Int8, Type::Int), Risk::None);
        assert_eq!(risk_of(DataType::Int64, Type::Float), Risk::None);
        assert_eq!(risk_of(DataType::UInt64, Type::Int), Risk::Outside(0, i128::from(i64::MAX)));
        assert_eq!(risk_of(DataType::Utf8, Type::Int), Risk::Unknown);
        let list = DataType::List(Arc::new(Field::new("item", DataType::UInt64, true)));
        let ints = Type::List(Box::new(ColumnType::nullable(Type::Int)));
        assert_eq!(risk_of(list, ints), Risk::Unknown);
    }

    #[test]
    fn types_of_several_files_are_widened() {
        assert_eq!(widened(&Type::Int, &Type::Float), Some(Type::Float));
        assert_eq!(widened(&Type::Int, &Type::Text), None);
        let decimal = |precision, scale| Type::Decimal { precision, scale };
        assert_eq!(widened(&decimal(10, 2), &decimal(6, 4)), Some(decimal(12, 4)));
        assert_eq!(widened(&decimal(38, 0), &decimal(38, 10)), None);
    }
}
