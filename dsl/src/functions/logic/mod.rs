//! Comparison, logic and choice. These are DataFusion's own expressions: its order of values is ours, since floats
//! are normalised when they are made (NaN equals NaN and is the largest number).

mod choice;
mod library;
mod membership;

use std::ops::Not;

use datafusion_common::ScalarValue;
use datafusion_expr::{BinaryExpr, Expr, Operator};
use tidebook_plan::{ColumnType, Type};

use super::convert::{coerce, unify};
use super::json::{canonical, of_equals};
use super::typed::{CallFault, FaultKind, Typed};
pub use choice::{case, coalesce};
pub(super) use library::LIBRARY;
pub use membership::{between, in_list, in_value, like};

/// A comparison operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Comparison {
    /// How it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            Comparison::Equal => "==",
            Comparison::NotEqual => "!=",
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
        }
    }

    fn operator(self) -> Operator {
        match self {
            Comparison::Equal => Operator::Eq,
            Comparison::NotEqual => Operator::NotEq,
            Comparison::Less => Operator::Lt,
            Comparison::LessOrEqual => Operator::LtEq,
            Comparison::Greater => Operator::Gt,
            Comparison::GreaterOrEqual => Operator::GtEq,
        }
    }

    fn is_order(self) -> bool {
        !matches!(self, Comparison::Equal | Comparison::NotEqual)
    }
}

fn binary(left: Typed, op: Operator, right: Typed) -> Typed {
    let nullable = left.ty.nullable || right.ty.nullable;
    let fallible = left.fallible || right.fallible;
    let expr = Expr::BinaryExpr(BinaryExpr::new(Box::new(left.expr), op, Box::new(right.expr)));
    Typed { expr, ty: ColumnType { ty: Type::Bool, nullable }, fallible }
}

/// The null of type bool.
fn null_bool() -> Typed {
    Typed::literal(ScalarValue::Boolean(None), ColumnType::nullable(Type::Bool))
}

/// `left op right`; null where a side is null.
pub fn compare(op: Comparison, left: Typed, right: Typed) -> Result<Typed, CallFault> {
    let types = (left.ty.ty.clone(), right.ty.ty.clone());
    let Some((left, right, ty)) = unify(left, right) else {
        let message = format!("`{}` cannot compare {} with {}", op.symbol(), types.0, types.1);
        let fault = CallFault::new(FaultKind::Type, message);
        return Err(match compared_instead(&types.0, &types.1) {
            Some(help) => fault.with_help(help),
            None => fault,
        });
    };
    match ty {
        Type::Null => Ok(null_bool()),
        Type::Json if op.is_order() => {
            let fault = CallFault::new(FaultKind::Type, format!("`{}` does not take json", op.symbol()));
            Err(fault.with_help("cast both sides to the type that the documents hold"))
        }
        // Equal documents may be written in several ways.
        Type::Json => Ok(binary(canonical(left), op.operator(), canonical(right))),
        Type::Vector(_) if op.is_order() => {
            Err(CallFault::new(FaultKind::Type, format!("`{}` does not take {ty}", op.symbol())))
        }
        _ => Ok(binary(left, op.operator(), right)),
    }
}

/// Both sides of `left == right` so that equal values are the same values; `None` if they cannot be compared.
pub fn equal_values(left: Typed, right: Typed) -> Option<(Typed, Typed)> {
    let (left, right, _) = unify(left, right)?;
    Some((of_equals(left), of_equals(right)))
}

/// What to write where values of these types are to be compared.
pub(super) fn compared_instead(left: &Type, right: &Type) -> Option<String> {
    let (known, other) = match (left, right) {
        (Type::Json | Type::Text, other) => (left, other),
        (other, known) => (known, other),
    };
    let cast = match other {
        Type::Decimal { .. } => "decimal".to_string(),
        Type::List(_) | Type::Record(_) | Type::Vector(_) => return None,
        other => other.to_string(),
    };
    Some(match (known, other) {
        (Type::Json, _) => format!("read what the document holds: `{cast}(…)`"),
        (Type::Text, Type::Date | Type::Timestamp) => {
            format!("read the text with `{cast}(…)`; a literal is written `@2026-11-22` or `@2026-11-22T10:00:00Z`")
        }
        (Type::Text, Type::Duration) => {
            "read the text with `duration(…)`; a literal is written `5s` or `2h`".to_string()
        }
        (Type::Text, _) if other.is_numeric() || *other == Type::Bool => {
            format!("read the text with `{cast}(…)`, or leave the quotes of a literal out")
        }
        _ if [left, right].contains(&&Type::Duration) && (left.is_numeric() || right.is_numeric()) => {
            "give the number a unit: `5s`, `n * 1s`".to_string()
        }
        _ if matches!(known, Type::Date | Type::Timestamp) && other.is_numeric()
            || matches!(other, Type::Date | Type::Timestamp) && known.is_numeric() =>
        {
            "compare a part of it, `year(at)`, or write a date: `@2026-11-22`".to_string()
        }
        _ if [left, right].contains(&&Type::Bool) && (left.is_numeric() || right.is_numeric()) => {
            "a bool is compared with `true` or `false`".to_string()
        }
        _ => return None,
    })
}

fn condition(arg: Typed, index: usize, word: &str) -> Result<Typed, CallFault> {
    let found = arg.ty.ty.clone();
    coerce(arg, &Type::Bool)
        .ok_or_else(|| CallFault::new(FaultKind::Type, format!("`{word}` takes bool, not {found}")).at(index))
}

/// `left and right`: false if one is false, else null if one is null. The right side is not asked where the left
/// one is false.
pub fn and(left: Typed, right: Typed) -> Result<Typed, CallFault> {
    Ok(binary(condition(left, 0, "and")?, Operator::And, condition(right, 1, "and")?))
}

/// `left or right`: true if one is true, else null if one is null. The right side is not asked where the left one
/// is true.
pub fn or(left: Typed, right: Typed) -> Result<Typed, CallFault> {
    Ok(binary(condition(left, 0, "or")?, Operator::Or, condition(right, 1, "or")?))
}

/// `not arg`.
pub fn not(arg: Typed) -> Result<Typed, CallFault> {
    let arg = condition(arg, 0, "not")?;
    Ok(Typed { expr: arg.expr.not(), ty: arg.ty, fallible: arg.fallible })
}

/// `arg is null`, or with `negated` `arg is not null`.
pub fn is_null(arg: Typed, negated: bool) -> Typed {
    let expr = Box::new(arg.expr);
    let expr = if negated { Expr::IsNotNull(expr) } else { Expr::IsNull(expr) };
    Typed { expr, ty: ColumnType::required(Type::Bool), fallible: arg.fallible }
}
