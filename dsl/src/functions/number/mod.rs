//! Functions of numbers.

mod rounding;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Float64Array, Int64Array};
use arrow::compute::kernels::cmp::{gt, lt};
use arrow::compute::kernels::zip::zip;
use arrow::compute::{is_null, or_kleene, prep_null_mask_filter};
use datafusion_common::Result;

use super::arguments::Arguments;
use super::arithmetic::normalise;
use super::entry::{Function, Gives, Group, Overload, Simple, Takes};
use super::kernel::row_error;

/// The entries.
pub const LIBRARY: &[Function] = &[
    Function {
        name: "abs",
        group: Group::Numbers,
        doc: "The number without its sign. The smallest int has no positive counterpart: it is a row error.",
        examples: &[("abs(-3)", "3"), ("abs(-1.5)", "1.5")],
        overloads: &[
            Overload {
                parameters: &[("x", Takes::Int)],
                repeats: false,
                gives: Gives::Value(Simple::Int),
                fallible: true,
                evaluate: abs_int,
            },
            Overload {
                parameters: &[("x", Takes::Float)],
                repeats: false,
                gives: Gives::Value(Simple::Float),
                fallible: false,
                evaluate: |args| map(args, f64::abs),
            },
        ],
    },
    Function {
        name: "sign",
        group: Group::Numbers,
        doc: "-1, 0 or 1; NaN for NaN.",
        examples: &[("sign(-7)", "-1"), ("sign(0.0)", "0.0")],
        overloads: &[
            Overload {
                parameters: &[("x", Takes::Int)],
                repeats: false,
                gives: Gives::Value(Simple::Int),
                fallible: false,
                evaluate: sign_int,
            },
            Overload {
                parameters: &[("x", Takes::Float)],
                repeats: false,
                gives: Gives::Value(Simple::Float),
                fallible: false,
                evaluate: |args| map(args, sign),
            },
        ],
    },
    rounding::ROUND,
    rounding::FLOOR,
    rounding::CEIL,
    rounding::TRUNC,
    Function {
        name: "sqrt",
        group: Group::Numbers,
        doc: "The square root; a negative number is a row error.",
        examples: &[("sqrt(9)", "3.0")],
        overloads: &[Overload {
            parameters: &[("x", Takes::Float)],
            repeats: false,
            gives: Gives::Value(Simple::Float),
            fallible: true,
            evaluate: |args| within(args, "the square root", |x| x >= 0.0, f64::sqrt),
        }],
    },
    Function {
        name: "exp",
        group: Group::Numbers,
        doc: "e to the power of x.",
        examples: &[("exp(0)", "1.0")],
        overloads: &[Overload {
            parameters: &[("x", Takes::Float)],
            repeats: false,
            gives: Gives::Value(Simple::Float),
            fallible: false,
            evaluate: |args| map(args, f64::exp),
        }],
    },
    Function {
        name: "ln",
        group: Group::Numbers,
        doc: "The natural logarithm; a number that is not positive is a row error.",
        examples: &[("ln(1)", "0.0")],
        overloads: &[Overload {
            parameters: &[("x", Takes::Float)],
            repeats: false,
            gives: Gives::Value(Simple::Float),
            fallible: true,
            evaluate: |args| within(args, "the logarithm", |x| x > 0.0, f64::ln),
        }],
    },
    Function {
        name: "log10",
        group: Group::Numbers,
        doc: "The logarithm to base 10; a number that is not positive is a row error.",
        examples: &[("log10(1000)", "3.0")],
        overloads: &[Overload {
            parameters: &[("x", Takes::Float)],
            repeats: false,
            gives: Gives::Value(Simple::Float),
            fallible: true,
            evaluate: |args| within(args, "the logarithm", |x| x > 0.0, f64::log10),
        }],
    },
    Function {
        name: "log2",
        group: Group::Numbers,
        doc: "The logarithm to base 2; a number that is not positive is a row error.",
        examples: &[("log2(8)", "3.0")],
        overloads: &[Overload {
            parameters: &[("x", Takes::Float)],
            repeats: false,
            gives: Gives::Value(Simple::Float),
            fallible: true,
            evaluate: |args| within(args, "the logarithm", |x| x > 0.0, f64::log2),
        }],
    },
    Function {
        name: "power",
        group: Group::Numbers,
        doc: "x to the power of y, as floats.",
        examples: &[("power(2, 10)", "1024.0"), ("power(4, 0.5)", "2.0")],
        overloads: &[Overload {
            parameters: &[("x", Takes::Float), ("y", Takes::Float)],
            repeats: false,
            gives: Gives::Value(Simple::Float),
            fallible: false,
            evaluate: |args| map2(args, f64::powf),
        }],
    },
    Function {
        name: "sin",
        group: Group::Numbers,
        doc: "The sine of an angle in radians.",
        examples: &[("sin(0)", "0.0")],
        overloads: &[Overload {
            parameters: &[("x", Takes::Float)],
            repeats: false,
            gives: Gives::Value(Simple::Float),
            fallible: false,
            evaluate: |args| map(args, f64::sin),
        }],
    },
    Function {
        name: "cos",
        group: Group::Numbers,
        doc: "The cosine of an angle in radians.",
        examples: &[("cos(0)", "1.0")],
        overloads: &[Overload {
            parameters: &[("x", Takes::Float)],
            repeats: false,
            gives: Gives::Value(Simple::Float),
            fallible: false,
            evaluate: |args| map(args, f64::cos),
        }],
    },
    Function {
        name: "atan2",
        group: Group::Numbers,
        doc: "The angle, in radians, of the point (x, y).",
        examples: &[("atan2(0, 1)", "0.0")],
        overloads: &[Overload {
            parameters: &[("y", Takes::Float), ("x", Takes::Float)],
            repeats: false,
            gives: Gives::Value(Simple::Float),
            fallible: false,
            evaluate: |args| map2(args, f64::atan2),
        }],
    },
    Function {
        name: "is_nan",
        group: Group::Numbers,
        doc: "True for the float that is no number.",
        examples: &[("is_nan(float(\"NaN\"))", "true"), ("is_nan(1.0)", "false")],
        overloads: &[Overload {
            parameters: &[("x", Takes::Float)],
            repeats: false,
            gives: Gives::Value(Simple::Bool),
            fallible: false,
            evaluate: is_nan,
        }],
    },
    Function {
        name: "least",
        group: Group::Numbers,
        doc: "The smallest argument that is not null.",
        examples: &[("least(3, 1, 2)", "1"), ("least(null, 2)", "2"), ("least(\"b\", \"a\")", "a")],
        overloads: &[Overload {
            parameters: &[("x", Takes::Same), ("y", Takes::Same)],
            repeats: true,
            gives: Gives::Shared,
            fallible: false,
            evaluate: |args| extreme(args, true),
        }],
    },
    Function {
        name: "greatest",
        group: Group::Numbers,
        doc: "The largest argument that is not null; NaN is larger than every number.",
        examples: &[("greatest(3, 1, 2)", "3"), ("greatest(null, 2)", "2")],
        overloads: &[Overload {
            parameters: &[("x", Takes::Same), ("y", Takes::Same)],
            repeats: true,
            gives: Gives::Shared,
            fallible: false,
            evaluate: |args| extreme(args, false),
        }],
    },
];

/// A function of floats that is defined everywhere.
pub(super) fn map(args: &Arguments<'_>, f: impl Fn(f64) -> f64) -> Result<ArrayRef> {
    let result: Float64Array = args.float(0)?.unary(|value| normalise(f(value)));
    Ok(Arc::new(result))
}

fn map2(args: &Arguments<'_>, f: impl Fn(f64, f64) -> f64) -> Result<ArrayRef> {
    let (left, right) = (args.float(0)?, args.float(1)?);
    args.collect::<Float64Array, _>(|row| Ok(normalise(f(left.value(row), right.value(row)))))
}

/// A function of floats that is defined for some; NaN gives NaN.
fn within(args: &Arguments<'_>, what: &str, defined: impl Fn(f64) -> bool, f: impl Fn(f64) -> f64) -> Result<ArrayRef> {
    let result: Float64Array = args.float(0)?.try_unary(|value| {
        if defined(value) || value.is_nan() {
            return Ok(normalise(f(value)));
        }
        Err(row_error(format!("{what} of {value:?} is not defined")))
    })?;
    Ok(Arc::new(result))
}

fn sign(value: f64) -> f64 {
    if value == 0.0 { 0.0 } else { value.signum() }
}

fn sign_int(args: &Arguments<'_>) -> Result<ArrayRef> {
    let result: Int64Array = args.int(0)?.unary(i64::signum);
    Ok(Arc::new(result))
}

fn abs_int(args: &Arguments<'_>) -> Result<ArrayRef> {
    let overflow = |value| row_error(format!("integer overflow: abs({value})"));
    let result: Int64Array = args.int(0)?.try_unary(|value: i64| value.checked_abs().ok_or_else(|| overflow(value)))?;
    Ok(Arc::new(result))
}

fn is_nan(args: &Arguments<'_>) -> Result<ArrayRef> {
    let values = args.float(0)?;
    args.collect::<BooleanArray, _>(|row| Ok(values.value(row).is_nan()))
}

/// The smallest or largest argument of each row, nulls passed over.
fn extreme(args: &Arguments<'_>, smallest: bool) -> Result<ArrayRef> {
    let mut best = args.array(0)?;
    for index in 1..args.len() {
        let next = args.array(index)?;
        let better = if smallest { lt(&next, &best)? } else { gt(&next, &best)? };
        let better = or_kleene(&better, &is_null(&best)?)?;
        // Null where the new one is null: the best so far stays.
        let better = if better.null_count() > 0 { prep_null_mask_filter(&better) } else { better };
        best = zip(&better, &next, &best)?;
    }
    Ok(best)
}
