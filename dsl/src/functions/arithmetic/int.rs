//! Ints: 64 bits, checked.

use arrow::array::ArrayRef;
use arrow::datatypes::Int64Type;
use datafusion_common::{Result, ScalarValue};

use super::super::arguments::{Arguments, zip};
use super::super::kernel::Evaluate;
use super::super::typed::Typed;
use super::{Arithmetic, Failure};

type Checked = std::result::Result<i64, Failure>;

fn divide(l: i64, r: i64) -> Checked {
    if r == 0 {
        return Err(Failure::DivisionByZero);
    }
    l.checked_div(r).ok_or(Failure::Overflow)
}

fn remainder(l: i64, r: i64) -> Checked {
    if r == 0 {
        return Err(Failure::DivisionByZero);
    }
    // The only overflow is that of the quotient; the remainder of the smallest int by -1 is 0.
    Ok(l.wrapping_rem(r))
}

fn run(args: &Arguments<'_>, op: Arithmetic, f: impl Fn(i64, i64) -> Checked) -> Result<ArrayRef> {
    zip::<Int64Type, Int64Type, Int64Type, Failure>(args, f, |failure, l, r| {
        failure.explain("integer", l, op.symbol(), r)
    })
}

/// The evaluation of `op` on two ints.
pub fn evaluate(op: Arithmetic) -> Evaluate {
    match op {
        Arithmetic::Add => |args| run(args, Arithmetic::Add, |l, r| l.checked_add(r).ok_or(Failure::Overflow)),
        Arithmetic::Subtract => {
            |args| run(args, Arithmetic::Subtract, |l, r| l.checked_sub(r).ok_or(Failure::Overflow))
        }
        Arithmetic::Multiply => {
            |args| run(args, Arithmetic::Multiply, |l, r| l.checked_mul(r).ok_or(Failure::Overflow))
        }
        Arithmetic::Divide => |args| run(args, Arithmetic::Divide, divide),
        Arithmetic::Remainder => |args| run(args, Arithmetic::Remainder, remainder),
    }
}

/// True for a literal divisor that no dividend fails on.
pub fn is_safe_divisor(divisor: &Typed) -> bool {
    matches!(divisor.constant(), Some(ScalarValue::Int64(Some(value))) if *value != 0 && *value != -1)
}
