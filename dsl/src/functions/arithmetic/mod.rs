//! `+ - * / %` and unary minus: checked, and typed by Tide's own rules.
//!
//! Ints stay ints (`/` truncates toward zero, `%` takes the dividend's sign), a float on one side makes floats,
//! decimals give decimals wide enough wherever 38 digits allow. Times follow the units: timestamp - timestamp is a
//! duration, timestamp ± duration a timestamp; a date counts as its midnight.

mod decimal;
mod float;
mod int;
mod negate;
mod time;

use tidebook_plan::{ColumnType, Type};

use super::cast::natural_decimal;
use super::convert::{coerce, with_decimal_literals};
use super::kernel::{Evaluate, Kernel};
use super::text::concatenate;
use super::typed::{CallFault, FaultKind, Typed};
pub(super) use float::normalise;
pub use negate::negate;

/// An arithmetic operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Arithmetic {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Remainder,
}

impl Arithmetic {
    /// How it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            Arithmetic::Add => "+",
            Arithmetic::Subtract => "-",
            Arithmetic::Multiply => "*",
            Arithmetic::Divide => "/",
            Arithmetic::Remainder => "%",
        }
    }

    fn divides(self) -> bool {
        matches!(self, Arithmetic::Divide | Arithmetic::Remainder)
    }
}

/// Why an operation has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    Overflow,
    DivisionByZero,
}

impl Failure {
    /// The row error: `what` is the type's name, the operands are shown for an overflow.
    fn explain(self, what: &str, left: impl std::fmt::Display, op: &str, right: impl std::fmt::Display) -> String {
        match self {
            Failure::Overflow => format!("{what} overflow: {left} {op} {right}"),
            Failure::DivisionByZero => "division by zero".to_string(),
        }
    }
}

/// `left op right`, typed.
pub fn arithmetic(op: Arithmetic, left: Typed, right: Typed) -> Result<Typed, CallFault> {
    let (left, right) = give_null_a_type(op, left, right);
    let [left, right] = with_decimal_literals([left, right]);
    let nullable = left.ty.nullable || right.ty.nullable;
    let result = |ty: Type| ColumnType { ty, nullable };
    let fault = || refuse(op, &left.ty.ty, &right.ty.ty);
    let kernel =
        |evaluate: Evaluate, fallible: bool, ty: &Type| Kernel::new(op.symbol(), ty.to_arrow(), fallible, evaluate);
    match (&left.ty.ty, &right.ty.ty) {
        (Type::Null, Type::Null) => Ok(Typed::null()),
        (Type::Int, Type::Int) => {
            let fallible = !op.divides() || !int::is_safe_divisor(&right);
            Ok(kernel(int::evaluate(op), fallible, &Type::Int).call(vec![left, right], result(Type::Int)))
        }
        (Type::Text, Type::Text) if op == Arithmetic::Add => Ok(concatenate(left, right)),
        (a, b) if a.is_numeric() && b.is_numeric() => {
            if *a == Type::Float || *b == Type::Float {
                let (Some(left), Some(right)) =
                    (coerce(left.clone(), &Type::Float), coerce(right.clone(), &Type::Float))
                else {
                    return Err(fault());
                };
                let fallible = op.divides() && !float::is_safe_divisor(&right);
                return Ok(
                    kernel(float::evaluate(op), fallible, &Type::Float).call(vec![left, right], result(Type::Float))
                );
            }
            // An int that is written has the digits that are written, any other those of all ints.
            let wide = |arg: &Typed| match arg.ty.ty {
                Type::Int => coerce(arg.clone(), &natural_decimal(arg)),
                _ => Some(arg.clone()),
            };
            let (Some(left), Some(right)) = (wide(&left), wide(&right)) else { return Err(fault()) };
            let ty = decimal::result_type(op, &left.ty.ty, &right.ty.ty).ok_or_else(fault)?;
            let fallible = decimal::is_fallible(op, &left.ty.ty, &right.ty.ty);
            Ok(kernel(decimal::evaluate(op), fallible, &ty).call(vec![left, right], result(ty)))
        }
        _ => {
            let Some((left_ty, right_ty, ty, evaluate, fallible)) = time::find(op, &left.ty.ty, &right.ty.ty) else {
                return Err(fault());
            };
            let (Some(left), Some(right)) = (coerce(left.clone(), &left_ty), coerce(right.clone(), &right_ty)) else {
                return Err(fault());
            };
            Ok(kernel(evaluate, fallible, &ty).call(vec![left, right], result(ty)))
        }
    }
}

/// The fault of operands that `op` does not take.
fn refuse(op: Arithmetic, left: &Type, right: &Type) -> CallFault {
    let fault = CallFault::new(FaultKind::Type, format!("`{}` does not take {left} and {right}", op.symbol()));
    let one_is = |wanted: fn(&Type) -> bool| wanted(left) || wanted(right);
    let is_time = |ty: &Type| matches!(ty, Type::Date | Type::Timestamp | Type::Duration);
    let help = if one_is(|ty| *ty == Type::Text) && one_is(is_time) {
        "read the text first: `duration(…)`, `timestamp(…)`; a literal has no quotes: `3d`, `@2026-11-22`"
    } else if op == Arithmetic::Add && one_is(|ty| *ty == Type::Text) {
        "convert the other side with `text(…)`, or write an f-string"
    } else if one_is(|ty| *ty == Type::Text) && one_is(Type::is_numeric) {
        "read the text as a number first: `int(…)`, `float(…)` or `decimal(…)`"
    } else if one_is(|ty| *ty == Type::Json) {
        "read what the document holds first: `int(…)`, `float(…)`, `text(…)`"
    } else if op == Arithmetic::Add && matches!((left, right), (Type::List(_), Type::List(_))) {
        "lists are joined with `concat(xs, ys)`"
    } else if matches!(op, Arithmetic::Add | Arithmetic::Subtract)
        && one_is(|ty| matches!(ty, Type::Date | Type::Timestamp))
        && one_is(Type::is_numeric)
    {
        "add a duration: `at + 3d`, or `at + n * 1d`; months are added with `add_months(at, n)`"
    } else if one_is(|ty| *ty == Type::Duration) && one_is(Type::is_numeric) {
        "a number becomes a duration where a unit is multiplied by it: `n * 1s`; `d / 1s` is a number again"
    } else if one_is(|ty| *ty == Type::Bool) {
        "a bool becomes a number with `int(…)`"
    } else {
        return fault;
    };
    fault.with_help(help)
}

/// A bare null takes the type of the other side.
fn give_null_a_type(op: Arithmetic, left: Typed, right: Typed) -> (Typed, Typed) {
    let typed = |arg: &Typed, other: &Type| match other {
        // A null date or timestamp beside a time would make one time too many: it is a length of time.
        Type::Date | Type::Timestamp => coerce(arg.clone(), &Type::Duration),
        Type::Duration if op == Arithmetic::Multiply => coerce(arg.clone(), &Type::Int),
        other => coerce(arg.clone(), other),
    };
    if left.is_null_type() && !right.is_null_type() {
        let converted = match (op, &right.ty.ty) {
            // Nothing but an instant has one taken from it.
            (Arithmetic::Subtract, Type::Date | Type::Timestamp) => coerce(left.clone(), &Type::Timestamp),
            _ => typed(&left, &right.ty.ty),
        };
        return (converted.unwrap_or(left), right);
    }
    if right.is_null_type() && !left.is_null_type() {
        let converted = typed(&right, &left.ty.ty);
        return (left, converted.unwrap_or(right));
    }
    (left, right)
}
