//! Conversions that need no word from the user, and the type that two types have in common.
//!
//! Only conversions that keep every value and never fail happen silently; the others are casts, which the user
//! writes. The one loss that we allow is that of an int beyond 2^53 in a float, as in SQL.

use datafusion_common::ScalarValue;
use datafusion_expr::Expr;
use tidebook_plan::{ColumnType, Type};

use super::cast;
use super::typed::Typed;

/// Digits of the largest int.
const INT_DIGITS: u8 = 19;
/// Most digits of a decimal.
pub const MAX_DIGITS: u8 = 38;

/// The expression as a `to`, if that conversion is silent.
pub fn coerce(arg: Typed, to: &Type) -> Option<Typed> {
    if arg.ty.ty == *to {
        return Some(arg);
    }
    if let Some(value) = arg.constant() {
        if value.is_null() {
            let null = ScalarValue::try_from(&to.to_arrow()).ok()?;
            return Some(Typed::literal(null, ColumnType::nullable(to.clone())));
        }
        if let (ScalarValue::Float64(Some(float)), Type::Decimal { precision, scale }) = (value, to) {
            // `1.5` is written where a decimal is meant: it becomes one if no digit is lost.
            let written = format!("{float}");
            let fits =
                written.split_once('.').map_or(0, |(_, fraction)| fraction.len()) <= usize::from(scale.unsigned_abs());
            let digits = cast::read::decimal(&written, *precision, scale.unsigned_abs()).filter(|_| fits)?;
            let value = ScalarValue::Decimal128(Some(digits), *precision, *scale);
            return Some(Typed::literal(value, ColumnType::required(to.clone())));
        }
        if let (ScalarValue::Int64(Some(int)), Type::Decimal { precision, scale }) = (value, to) {
            let digits = int.unsigned_abs().checked_ilog10().map_or(0, |log| log + 1);
            if digits + u32::from(scale.unsigned_abs()) > u32::from(*precision) {
                return None;
            }
            return Some(cast::convert(arg, to, false));
        }
    }
    if !is_silent(&arg.ty.ty, to) {
        return None;
    }
    // Types that differ only in which of their parts may be null have one Arrow type.
    if arg.ty.ty.to_arrow() == to.to_arrow() {
        return Some(Typed { ty: ColumnType { ty: to.clone(), nullable: arg.ty.nullable }, ..arg });
    }
    Some(cast::convert(arg, to, false))
}

/// True if every value of `from` is silently a value of `to`.
pub fn is_silent(from: &Type, to: &Type) -> bool {
    match (from, to) {
        (a, b) if a == b => true,
        (Type::Null, _) | (Type::Int, Type::Float) | (Type::Decimal { .. }, Type::Float) => true,
        (Type::Date, Type::Timestamp) => true,
        (Type::Int, Type::Decimal { precision, scale }) => whole_digits(*precision, *scale) >= i16::from(INT_DIGITS),
        (Type::Decimal { precision: p1, scale: s1 }, Type::Decimal { precision: p2, scale: s2 }) => {
            whole_digits(*p2, *s2) >= whole_digits(*p1, *s1) && s2 >= s1
        }
        (Type::List(a), Type::List(b)) => is_silent(&a.ty, &b.ty) && (b.nullable || !a.nullable),
        // Fields go by name, whatever their order.
        (Type::Record(a), Type::Record(b)) => {
            let own = |name: &String| a.iter().find(|(own, _)| own == name);
            let fits = |b: &ColumnType, a: &ColumnType| is_silent(&a.ty, &b.ty) && (b.nullable || !a.nullable);
            a.len() == b.len() && b.iter().all(|(name, b)| own(name).is_some_and(|(_, a)| fits(b, a)))
        }
        _ => false,
    }
}

fn whole_digits(precision: u8, scale: i8) -> i16 {
    i16::from(precision) - i16::from(scale)
}

/// The type that both become silently: of rows of a literal, branches of a case, inputs of a union, join keys.
pub fn common_type(a: &ColumnType, b: &ColumnType) -> Option<ColumnType> {
    Some(ColumnType { ty: common(&a.ty, &b.ty)?, nullable: a.nullable || b.nullable })
}

fn common(a: &Type, b: &Type) -> Option<Type> {
    Some(match (a, b) {
        (a, b) if a == b => a.clone(),
        (Type::Null, other) | (other, Type::Null) => other.clone(),
        (Type::Int | Type::Decimal { .. }, Type::Float) | (Type::Float, Type::Int | Type::Decimal { .. }) => {
            Type::Float
        }
        (Type::Int, decimal @ Type::Decimal { .. }) | (decimal @ Type::Decimal { .. }, Type::Int) => {
            common(&int_as_decimal(), decimal)?
        }
        (Type::Decimal { precision: p1, scale: s1 }, Type::Decimal { precision: p2, scale: s2 }) => {
            let scale = *s1.max(s2);
            let whole = whole_digits(*p1, *s1).max(whole_digits(*p2, *s2));
            let precision = u8::try_from(whole + i16::from(scale)).ok().filter(|digits| *digits <= MAX_DIGITS)?;
            Type::Decimal { precision, scale }
        }
        (Type::Date, Type::Timestamp) | (Type::Timestamp, Type::Date) => Type::Timestamp,
        (Type::List(a), Type::List(b)) => Type::List(Box::new(common_type(a, b)?)),
        (Type::Record(a), Type::Record(b)) => {
            if a.len() != b.len() {
                return None;
            }
            let fields = a.iter().map(|(name, a)| {
                let (_, b) = b.iter().find(|(other, _)| other == name)?;
                Some((name.clone(), common_type(a, b)?))
            });
            Type::Record(fields.collect::<Option<Vec<_>>>()?)
        }
        _ => return None,
    })
}

/// What to write where two types have none in common.
pub fn brought_together(a: &Type, b: &Type) -> Option<&'static str> {
    match (a, b) {
        (Type::Text, _) | (_, Type::Text) => Some("write both as text, with `text(…)`, or both without quotes"),
        (Type::Json, _) | (_, Type::Json) => {
            Some("read what the document holds: `int(…)`, `text(…)`, or make documents of both with `json(…)`")
        }
        (Type::Record(_), Type::Record(_)) => {
            Some("both have the same fields; one that has no value is written `a: null`")
        }
        _ => None,
    }
}

/// The decimal that holds every int.
pub fn int_as_decimal() -> Type {
    Type::Decimal { precision: INT_DIGITS, scale: 0 }
}

/// Both expressions brought to their common type.
pub fn unify(a: Typed, b: Typed) -> Option<(Typed, Typed, Type)> {
    let [a, b] = with_decimal_literals([a, b]);
    let ty = common(&a.ty.ty, &b.ty.ty)?;
    Some((coerce(a, &ty)?, coerce(b, &ty)?, ty))
}

/// Beside decimals, a number like `1.5` is the decimal that is written, as in SQL: it does not make floats of them.
pub fn with_decimal_literals<A: AsMut<[Typed]>>(mut values: A) -> A {
    for (place, literal) in decimal_literals(values.as_mut()) {
        values.as_mut()[place] = literal;
    }
    values
}

/// The floats among `values` that are written there, as decimals. None where a float is computed, and where the digits of
/// all are too many for one type.
fn decimal_literals(values: &[Typed]) -> Vec<(usize, Typed)> {
    let decimals = values.iter().filter(|value| matches!(value.ty.ty, Type::Decimal { .. }));
    let Some(mut together) =
        decimals.map(|value| value.ty.ty.clone()).reduce(|a, b| common(&a, &b).unwrap_or(Type::Float))
    else {
        return Vec::new();
    };
    let mut converted = Vec::new();
    for (place, value) in values.iter().enumerate().filter(|(_, value)| value.ty.ty == Type::Float) {
        let ty = match value.constant() {
            Some(ScalarValue::Float64(Some(float))) if float.is_finite() => cast::natural_decimal(value),
            _ => return Vec::new(),
        };
        match (common(&together, &ty), coerce(value.clone(), &ty)) {
            (Some(common @ Type::Decimal { .. }), Some(literal)) => {
                together = common;
                converted.push((place, literal));
            }
            _ => return Vec::new(),
        }
    }
    converted
}

/// True if the expression may need no evaluation: a column or a literal.
pub fn is_plain(expr: &Expr) -> bool {
    matches!(expr, Expr::Column(_) | Expr::Literal(_, _))
}
