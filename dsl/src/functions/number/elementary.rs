//! Signs, roots, powers and logarithms.

use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, Int64Array};
use datafusion_common::{Result, ScalarValue};

use super::super::arguments::Arguments;
use super::super::entry::{Function, Parameters, fallible, total};
use super::super::kernel::row_error;
use super::super::prepare::constant;
use super::super::takes::{Gives, Simple, Takes};
use super::super::typed::Typed;
use super::{FLOAT, INT, TO_FLOAT, TO_INT, entry, map, try_map2, within};

const DECIMAL: Parameters = &[("x", Takes::Decimal)];
const VALUE_FLOAT: Takes = Takes::Value(Simple::Float);

/// The entries.
pub const LIBRARY: &[Function] = &[
    entry(
        "abs",
        "The number without its sign. The smallest int has no positive counterpart: it is a row error.",
        &[("abs(-3)", "3"), ("abs(-1.5)", "1.5"), ("abs(decimal(\"-1.20\", 5, 2))", "1.20")],
        &[
            fallible(&[("x", INT)], TO_INT, abs_int),
            total(DECIMAL, Gives::First, |args| {
                let values: Decimal128Array = args.decimal(0)?.unary(i128::wrapping_abs);
                Ok(Arc::new(values.with_data_type(args.output().clone())))
            }),
            total(FLOAT, TO_FLOAT, |args| map(args, f64::abs)),
        ],
    ),
    entry(
        "sign",
        "-1, 0 or 1; NaN for NaN.",
        &[("sign(-7)", "-1"), ("sign(0.0)", "0.0"), ("sign(decimal(\"2.50\", 5, 2))", "1")],
        &[
            total(&[("x", INT)], TO_INT, |args| {
                let result: Int64Array = args.int(0)?.unary(i64::signum);
                Ok(Arc::new(result))
            }),
            total(DECIMAL, TO_INT, |args| {
                let values = args.decimal(0)?;
                args.collect::<Int64Array, _>(|row| Ok(values.value(row).signum() as i64))
            }),
            total(FLOAT, TO_FLOAT, |args| map(args, |x| if x == 0.0 { 0.0 } else { x.signum() })),
        ],
    ),
    entry(
        "sqrt",
        "The square root; a negative number is a row error.",
        &[("sqrt(9)", "3.0")],
        &[fallible(FLOAT, TO_FLOAT, |args| within(args, "the square root", |x| x >= 0.0, f64::sqrt))],
    ),
    entry("cbrt", "The cube root.", &[("cbrt(-27)", "-3.0")], &[total(FLOAT, TO_FLOAT, |args| map(args, f64::cbrt))]),
    entry("exp", "e to the power of x.", &[("exp(0)", "1.0")], &[total(FLOAT, TO_FLOAT, |args| map(args, f64::exp))]),
    entry(
        "ln",
        "The natural logarithm; a number that is not positive is a row error.",
        &[("ln(1)", "0.0")],
        &[fallible(FLOAT, TO_FLOAT, |args| within(args, "the logarithm", |x| x > 0.0, f64::ln))],
    ),
    entry(
        "log10",
        "The logarithm to base 10; a number that is not positive is a row error.",
        &[("log10(1000)", "3.0")],
        &[fallible(FLOAT, TO_FLOAT, |args| within(args, "the logarithm", |x| x > 0.0, f64::log10))],
    ),
    entry(
        "log2",
        "The logarithm to base 2; a number that is not positive is a row error.",
        &[("log2(8)", "3.0")],
        &[fallible(FLOAT, TO_FLOAT, |args| within(args, "the logarithm", |x| x > 0.0, f64::log2))],
    ),
    entry(
        "log",
        "The logarithm of x to the given base; where either is not positive, or the base is 1, a row error.",
        &[("log(3, 9)", "2.0")],
        &[fallible(&[("base", VALUE_FLOAT), ("x", VALUE_FLOAT)], TO_FLOAT, |args| try_map2(args, log))],
    ),
    entry(
        "power",
        "x to the power of y, as floats. Zero to a negative power, and a negative number to a power that is not whole, \
         are a row error.",
        &[("power(2, 10)", "1024.0"), ("power(4, 0.5)", "2.0")],
        &[fallible(&[("x", VALUE_FLOAT), ("y", VALUE_FLOAT)], TO_FLOAT, |args| try_map2(args, power))
            .failing_if(may_be_undefined)],
    ),
];

fn abs_int(args: &Arguments<'_>) -> Result<ArrayRef> {
    let overflow = |value| row_error(format!("integer overflow: abs({value})"));
    let result: Int64Array = args.int(0)?.try_unary(|value: i64| value.checked_abs().ok_or_else(|| overflow(value)))?;
    Ok(Arc::new(result))
}

fn log(base: f64, x: f64) -> Result<f64> {
    if base <= 0.0 || base == 1.0 || x <= 0.0 {
        return Err(row_error(format!("the logarithm of {x:?} to base {base:?} is not defined")));
    }
    // These two are exact where the quotient may be off by a digit.
    Ok(match base {
        2.0 => x.log2(),
        10.0 => x.log10(),
        _ => x.ln() / base.ln(),
    })
}

fn power(x: f64, y: f64) -> Result<f64> {
    let undefined = (x == 0.0 && y < 0.0) || (x < 0.0 && x.is_finite() && y.is_finite() && y.fract() != 0.0);
    if undefined {
        return Err(row_error(format!("{x:?} to the power of {y:?} is not defined")));
    }
    Ok(x.powf(y))
}

/// False for a constant exponent that suits every number.
fn may_be_undefined(args: &[Typed]) -> bool {
    match args.get(1).and_then(constant) {
        Some(ScalarValue::Float64(Some(y))) => !(y >= 0.0 && (y.fract() == 0.0 || y.is_infinite())),
        _ => true,
    }
}
