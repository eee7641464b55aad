//! Functions of numbers.

mod comparison;
mod elementary;
mod integers;
mod rounding;
mod trigonometry;

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array};
use datafusion_common::Result;

use super::arguments::Arguments;
use super::arithmetic::normalise;
use super::entry::{Function, Overload, Parameters};
use super::group::Group;
use super::kernel::row_error;
use super::takes::{Gives, Simple, Takes};

/// The entries, file by file.
pub(super) const LIBRARY: [&[Function]; 5] =
    [elementary::LIBRARY, rounding::LIBRARY, trigonometry::LIBRARY, integers::LIBRARY, comparison::LIBRARY];

const INT: Takes = Takes::Value(Simple::Int);
const FLOAT: Parameters = &[("x", Takes::Value(Simple::Float))];
const TO_INT: Gives = Gives::Value(Simple::Int);
const TO_FLOAT: Gives = Gives::Value(Simple::Float);
const TO_BOOL: Gives = Gives::Value(Simple::Bool);
const TO_TEXT: Gives = Gives::Value(Simple::Text);

const fn entry(
    name: &'static str,
    doc: &'static str,
    examples: &'static [(&'static str, &'static str)],
    overloads: &'static [Overload],
) -> Function {
    Function { name, group: Group::Numbers, doc, examples, overloads }
}

/// A function of floats that is defined everywhere.
fn map(args: &Arguments<'_>, f: impl Fn(f64) -> f64) -> Result<ArrayRef> {
    let result: Float64Array = args.float(0)?.unary(|value| normalise(f(value)));
    Ok(Arc::new(result))
}

fn map2(args: &Arguments<'_>, f: impl Fn(f64, f64) -> f64) -> Result<ArrayRef> {
    try_map2(args, |left, right| Ok(f(left, right)))
}

fn try_map2(args: &Arguments<'_>, f: impl Fn(f64, f64) -> Result<f64>) -> Result<ArrayRef> {
    let (left, right) = (args.float(0)?, args.float(1)?);
    args.collect::<Float64Array, _>(|row| Ok(normalise(f(left.value(row), right.value(row))?)))
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
