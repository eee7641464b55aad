//! Unary minus.

use std::sync::Arc;

use arrow::array::{ArrayRef, PrimitiveArray};
use arrow::datatypes::{ArrowPrimitiveType, Decimal128Type, DurationMicrosecondType, Float64Type, Int64Type};
use datafusion_common::{Result, ScalarValue};
use tidebook_plan::Type;

use super::super::arguments::Arguments;
use super::super::kernel::{Evaluate, Kernel, row_error};
use super::super::typed::{CallFault, FaultKind, Typed};
use super::float::normalise;

fn map<T: ArrowPrimitiveType>(
    args: &Arguments<'_>,
    f: impl Fn(T::Native) -> Option<T::Native>,
    overflow: impl Fn(T::Native) -> String,
) -> Result<ArrayRef> {
    let input = args.primitive::<T>(0)?;
    let output: PrimitiveArray<T> = input.try_unary(|value| f(value).ok_or_else(|| row_error(overflow(value))))?;
    Ok(Arc::new(output.with_data_type(args.output().clone())))
}

fn no_overflow<T>(_: T) -> String {
    // Only reached if the operation above it gives `None`, which for this type it does not.
    String::new()
}

/// `-arg`, typed.
pub fn negate(arg: Typed) -> std::result::Result<Typed, CallFault> {
    if let Some(literal) = negate_literal(&arg) {
        return Ok(literal);
    }
    let (evaluate, fallible): (Evaluate, bool) = match arg.ty.ty {
        Type::Int => {
            (|args| map::<Int64Type>(args, i64::checked_neg, |value| format!("integer overflow: -({value})")), true)
        }
        Type::Float => (|args| map::<Float64Type>(args, |value| Some(normalise(-value)), no_overflow), false),
        // 38 digits leave room in 128 bits for either sign.
        Type::Decimal { .. } => (|args| map::<Decimal128Type>(args, |value| Some(-value), no_overflow), false),
        Type::Duration => {
            (|args| map::<DurationMicrosecondType>(args, i64::checked_neg, |_| "duration overflow".to_string()), true)
        }
        Type::Null => return Ok(arg),
        ref other => {
            return Err(CallFault::new(FaultKind::Type, format!("`-` does not take {other}")).at(0));
        }
    };
    let ty = arg.ty.clone();
    Ok(Kernel::new("-", ty.ty.to_arrow(), fallible, evaluate).call(vec![arg], ty))
}

/// A negative number is written as minus a number: it stays a literal.
fn negate_literal(arg: &Typed) -> Option<Typed> {
    let value = match arg.constant()? {
        ScalarValue::Int64(Some(value)) => ScalarValue::Int64(Some(value.checked_neg()?)),
        ScalarValue::Float64(Some(value)) => ScalarValue::Float64(Some(normalise(-value))),
        ScalarValue::Decimal128(Some(value), p, s) => ScalarValue::Decimal128(Some(-value), *p, *s),
        ScalarValue::DurationMicrosecond(Some(value)) => ScalarValue::DurationMicrosecond(Some(value.checked_neg()?)),
        _ => return None,
    };
    Some(Typed::literal(value, arg.ty.clone()))
}
