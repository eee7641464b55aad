//! Decimals: exact in 256 bits, then rounded half away from zero to the scale of the result.
//!
//! The result has all digits that it can need, as in SQL; where that is more than 38, digits after the point are
//! given up first (but six are kept), and a result that still does not fit is a row error.

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Decimal128Type, i256};
use datafusion_common::Result;
use tidebook_plan::Type;

use super::super::arguments::{Arguments, zip};
use super::super::cast::show::decimal_text;
use super::super::convert::MAX_DIGITS;
use super::super::kernel::Evaluate;
use super::{Arithmetic, Failure};

/// Digits after the point that a result keeps even at the cost of digits before it.
const KEPT_SCALE: i16 = 6;

/// Digits before and after the point that `op` needs.
fn needed(op: Arithmetic, left: &Type, right: &Type) -> Option<(i16, i16)> {
    let (Type::Decimal { precision: p1, scale: s1 }, Type::Decimal { precision: p2, scale: s2 }) = (left, right) else {
        return None;
    };
    let (p1, s1, p2, s2) = (i16::from(*p1), i16::from(*s1), i16::from(*p2), i16::from(*s2));
    Some(match op {
        Arithmetic::Add | Arithmetic::Subtract => ((p1 - s1).max(p2 - s2) + 1, s1.max(s2)),
        Arithmetic::Multiply => (p1 - s1 + p2 - s2, s1 + s2),
        Arithmetic::Divide => (p1 - s1 + s2, (s1 + p2 + 1).max(KEPT_SCALE)),
        Arithmetic::Remainder => ((p1 - s1).min(p2 - s2), s1.max(s2)),
    })
}

/// Type of `left op right`; `None` if they are not decimals.
pub fn result_type(op: Arithmetic, left: &Type, right: &Type) -> Option<Type> {
    let (whole, scale) = needed(op, left, right)?;
    let most = i16::from(MAX_DIGITS);
    let scale = if whole + scale > most { (most - whole).max(scale.min(KEPT_SCALE)) } else { scale };
    let precision = (whole + scale).clamp(1, most);
    Some(Type::Decimal { precision: u8::try_from(precision).ok()?, scale: i8::try_from(scale).ok()? })
}

/// True if some operands fail.
pub fn is_fallible(op: Arithmetic, left: &Type, right: &Type) -> bool {
    let fits = needed(op, left, right).is_some_and(|(whole, scale)| whole + scale <= i16::from(MAX_DIGITS));
    op.divides() || !fits
}

/// 10 to the power of `digits`; `None` beyond 256 bits.
fn power_of_ten(digits: i16) -> Option<i256> {
    i256::from_i128(10).checked_pow(u32::try_from(digits).ok()?)
}

/// `dividend / divisor`, rounded half away from zero; the divisor is not zero.
fn divide_rounded(dividend: i256, divisor: i256) -> Option<i256> {
    let (quotient, rest) = (dividend.checked_div(divisor)?, dividend.checked_rem(divisor)?);
    let doubled = rest.checked_mul(i256::from_i128(2))?.wrapping_abs();
    if doubled < divisor.wrapping_abs() {
        return Some(quotient);
    }
    let away = if dividend.is_negative() == divisor.is_negative() { i256::ONE } else { i256::MINUS_ONE };
    quotient.checked_add(away)
}

/// The unscaled value brought from one scale to another.
fn rescale(value: i256, from: i16, to: i16) -> Option<i256> {
    if to >= from {
        value.checked_mul(power_of_ten(to - from)?)
    } else {
        divide_rounded(value, power_of_ten(from - to)?)
    }
}

/// The value if it has at most `precision` digits.
fn fit(value: i256, precision: u8) -> Option<i128> {
    let value = value.to_i128()?;
    (value.unsigned_abs() < 10u128.pow(u32::from(precision))).then_some(value)
}

/// Scale of argument `index`.
fn scale_of(args: &Arguments<'_>, index: usize) -> i16 {
    match args.data_type(index) {
        DataType::Decimal128(_, scale) => i16::from(scale),
        _ => 0,
    }
}

fn run(args: &Arguments<'_>, op: Arithmetic) -> Result<ArrayRef> {
    let (s1, s2) = (scale_of(args, 0), scale_of(args, 1));
    let (precision, scale) = match args.output() {
        DataType::Decimal128(precision, scale) => (*precision, i16::from(*scale)),
        _ => (MAX_DIGITS, 0),
    };
    let both = s1.max(s2);
    let exact = |l: i128, r: i128| -> Option<i256> {
        let (l, r) = (i256::from_i128(l), i256::from_i128(r));
        match op {
            Arithmetic::Add => rescale(rescale(l, s1, both)?.checked_add(rescale(r, s2, both)?)?, both, scale),
            Arithmetic::Subtract => rescale(rescale(l, s1, both)?.checked_sub(rescale(r, s2, both)?)?, both, scale),
            Arithmetic::Multiply => rescale(l.checked_mul(r)?, s1 + s2, scale),
            // l / 10^s1 divided by r / 10^s2, at `scale` digits: l * 10^(scale - s1 + s2) / r.
            Arithmetic::Divide => {
                let shift = scale - s1 + s2;
                if shift >= 0 {
                    divide_rounded(l.checked_mul(power_of_ten(shift)?)?, r)
                } else {
                    divide_rounded(l, r.checked_mul(power_of_ten(-shift)?)?)
                }
            }
            Arithmetic::Remainder => rescale(rescale(l, s1, both)?.checked_rem(rescale(r, s2, both)?)?, both, scale),
        }
    };
    let checked = |l: i128, r: i128| {
        if op.divides() && r == 0 {
            return Err(Failure::DivisionByZero);
        }
        exact(l, r).and_then(|value| fit(value, precision)).ok_or(Failure::Overflow)
    };
    zip::<Decimal128Type, Decimal128Type, Decimal128Type, Failure>(args, checked, |failure, l, r| {
        failure.explain("decimal", decimal_text(l, s1), op.symbol(), decimal_text(r, s2))
    })
}

/// The evaluation of `op` on two decimals.
pub fn evaluate(op: Arithmetic) -> Evaluate {
    match op {
        Arithmetic::Add => |args| run(args, Arithmetic::Add),
        Arithmetic::Subtract => |args| run(args, Arithmetic::Subtract),
        Arithmetic::Multiply => |args| run(args, Arithmetic::Multiply),
        Arithmetic::Divide => |args| run(args, Arithmetic::Divide),
        Arithmetic::Remainder => |args| run(args, Arithmetic::Remainder),
    }
}
