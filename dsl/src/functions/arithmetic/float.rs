//! Floats: only division by zero fails; results are normalised.

use std::convert::Infallible;

use arrow::array::ArrayRef;
use arrow::datatypes::Float64Type;
use datafusion_common::{Result, ScalarValue};

use super::super::arguments::{Arguments, zip};
use super::super::kernel::Evaluate;
use super::super::typed::Typed;
use super::{Arithmetic, Failure};

/// The one form of a float: no negative zero, one NaN.
pub fn normalise(value: f64) -> f64 {
    if value.is_nan() { f64::NAN } else { value + 0.0 }
}

fn total(args: &Arguments<'_>, f: impl Fn(f64, f64) -> f64) -> Result<ArrayRef> {
    zip::<Float64Type, Float64Type, Float64Type, Infallible>(
        args,
        |l, r| Ok(normalise(f(l, r))),
        |never, _, _| match never {},
    )
}

fn divided(args: &Arguments<'_>, f: impl Fn(f64, f64) -> f64) -> Result<ArrayRef> {
    let checked = |l: f64, r: f64| if r == 0.0 { Err(Failure::DivisionByZero) } else { Ok(normalise(f(l, r))) };
    zip::<Float64Type, Float64Type, Float64Type, Failure>(args, checked, |failure, l, r| {
        failure.explain("float", l, "/", r)
    })
}

/// The evaluation of `op` on two floats.
pub fn evaluate(op: Arithmetic) -> Evaluate {
    match op {
        Arithmetic::Add => |args| total(args, |l, r| l + r),
        Arithmetic::Subtract => |args| total(args, |l, r| l - r),
        Arithmetic::Multiply => |args| total(args, |l, r| l * r),
        Arithmetic::Divide => |args| divided(args, |l, r| l / r),
        Arithmetic::Remainder => |args| divided(args, |l, r| l % r),
    }
}

/// True for a literal divisor other than zero.
pub fn is_safe_divisor(divisor: &Typed) -> bool {
    matches!(divisor.constant(), Some(ScalarValue::Float64(Some(value))) if *value != 0.0)
}
