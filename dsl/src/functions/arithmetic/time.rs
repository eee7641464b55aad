//! Dates, timestamps and durations. All count in microseconds; a date is converted to its midnight before.

use arrow::array::ArrayRef;
use arrow::datatypes::{ArrowPrimitiveType, DurationMicrosecondType, Float64Type, Int64Type, TimestampMicrosecondType};
use datafusion_common::Result;
use tidebook_plan::Type;

use super::super::arguments::{Arguments, zip};
use super::super::cast::show::{duration_text, float_text, timestamp_text};
use super::super::kernel::Evaluate;
use super::{Arithmetic, Failure};

type Duration = DurationMicrosecondType;
type Timestamp = TimestampMicrosecondType;

/// How an operand reads in an error.
trait Shown: ArrowPrimitiveType {
    fn shown(value: Self::Native) -> String;
}
impl Shown for Duration {
    fn shown(value: i64) -> String {
        duration_text(value)
    }
}
impl Shown for Timestamp {
    fn shown(value: i64) -> String {
        timestamp_text(value)
    }
}
impl Shown for Int64Type {
    fn shown(value: i64) -> String {
        value.to_string()
    }
}
impl Shown for Float64Type {
    fn shown(value: f64) -> String {
        float_text(value)
    }
}

fn run<L: Shown, R: Shown, O: ArrowPrimitiveType>(
    args: &Arguments<'_>,
    what: &str,
    op: &str,
    f: impl Fn(L::Native, R::Native) -> std::result::Result<O::Native, Failure>,
) -> Result<ArrayRef> {
    zip::<L, R, O, Failure>(args, f, |failure, l, r| failure.explain(what, L::shown(l), op, R::shown(r)))
}

fn some<T>(value: Option<T>) -> std::result::Result<T, Failure> {
    value.ok_or(Failure::Overflow)
}

/// The float as whole microseconds, rounded, if it has any.
fn micros(value: f64) -> std::result::Result<i64, Failure> {
    let rounded = value.round();
    // 2^63 is a float; every float below it fits.
    if rounded >= -9_223_372_036_854_775_808.0 && rounded < 9_223_372_036_854_775_808.0 {
        Ok(rounded as i64)
    } else {
        Err(Failure::Overflow)
    }
}

fn nonzero(divisor: f64) -> std::result::Result<f64, Failure> {
    if divisor == 0.0 { Err(Failure::DivisionByZero) } else { Ok(divisor) }
}

/// Types to convert the operands to, type of the result, evaluation, and whether it can fail.
pub fn find(op: Arithmetic, left: &Type, right: &Type) -> Option<(Type, Type, Type, Evaluate, bool)> {
    use Arithmetic::{Add, Divide, Multiply, Remainder, Subtract};
    use Type::{Date, Duration as Length, Float, Int, Timestamp as Instant};
    // A length of time is multiplied and divided by decimals as by floats.
    let as_factor = |ty: &Type, other: &Type| match (ty, other) {
        (Type::Decimal { .. }, Length) => Float,
        (ty, _) => ty.clone(),
    };
    let (left, right) = (&as_factor(left, right), &as_factor(right, left));
    let found: (Type, Type, Type, Evaluate) = match (op, left, right) {
        (Add, Instant | Date, Length) => (Instant, Length, Instant, |args| {
            run::<Timestamp, Duration, Timestamp>(args, "timestamp", "+", |l, r| some(l.checked_add(r)))
        }),
        (Add, Length, Instant | Date) => (Length, Instant, Instant, |args| {
            run::<Duration, Timestamp, Timestamp>(args, "timestamp", "+", |l, r| some(l.checked_add(r)))
        }),
        (Subtract, Instant | Date, Length) => (Instant, Length, Instant, |args| {
            run::<Timestamp, Duration, Timestamp>(args, "timestamp", "-", |l, r| some(l.checked_sub(r)))
        }),
        (Subtract, Instant | Date, Instant | Date) => (Instant, Instant, Length, |args| {
            run::<Timestamp, Timestamp, Duration>(args, "duration", "-", |l, r| some(l.checked_sub(r)))
        }),
        (Add, Length, Length) => (Length, Length, Length, |args| {
            run::<Duration, Duration, Duration>(args, "duration", "+", |l, r| some(l.checked_add(r)))
        }),
        (Subtract, Length, Length) => (Length, Length, Length, |args| {
            run::<Duration, Duration, Duration>(args, "duration", "-", |l, r| some(l.checked_sub(r)))
        }),
        (Multiply, Length, Int) => (Length, Int, Length, |args| {
            run::<Duration, Int64Type, Duration>(args, "duration", "*", |l, r| some(l.checked_mul(r)))
        }),
        (Multiply, Int, Length) => (Int, Length, Length, |args| {
            run::<Int64Type, Duration, Duration>(args, "duration", "*", |l, r| some(l.checked_mul(r)))
        }),
        (Multiply, Length, Float) => (Length, Float, Length, |args| {
            run::<Duration, Float64Type, Duration>(args, "duration", "*", |l, r| micros(l as f64 * r))
        }),
        (Multiply, Float, Length) => (Float, Length, Length, |args| {
            run::<Float64Type, Duration, Duration>(args, "duration", "*", |l, r| micros(l * r as f64))
        }),
        (Divide, Length, Int) => (Length, Int, Length, |args| {
            run::<Duration, Int64Type, Duration>(args, "duration", "/", |l, r| {
                if r == 0 { Err(Failure::DivisionByZero) } else { some(l.checked_div(r)) }
            })
        }),
        (Divide, Length, Float) => (Length, Float, Length, |args| {
            run::<Duration, Float64Type, Duration>(args, "duration", "/", |l, r| micros(l as f64 / nonzero(r)?))
        }),
        (Divide, Length, Length) => (Length, Length, Float, |args| {
            run::<Duration, Duration, Float64Type>(args, "duration", "/", |l, r| {
                Ok(super::float::normalise(l as f64 / nonzero(r as f64)?))
            })
        }),
        (Remainder, Length, Length) => (Length, Length, Length, |args| {
            run::<Duration, Duration, Duration>(args, "duration", "%", |l, r| {
                if r == 0 { Err(Failure::DivisionByZero) } else { Ok(l.wrapping_rem(r)) }
            })
        }),
        _ => return None,
    };
    let (left, right, result, evaluate) = found;
    Some((left, right, result, evaluate, true))
}
