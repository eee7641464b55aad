//! Angles, in radians.

use std::f64::consts::PI;
use std::sync::Arc;

use arrow::array::Float64Array;

use super::super::entry::{Function, fallible, total};
use super::super::takes::{Simple, Takes};
use super::{FLOAT, TO_FLOAT, entry, map, map2, within};

/// The entries.
pub const LIBRARY: &[Function] = &[
    entry(
        "pi",
        "The ratio of a circle's circumference to its diameter.",
        &[("pi()", "3.141592653589793")],
        &[total(&[], TO_FLOAT, |args| Ok(Arc::new(Float64Array::from_value(PI, args.rows()))))],
    ),
    entry(
        "degrees",
        "The angle in degrees.",
        &[("degrees(pi())", "180.0")],
        &[total(FLOAT, TO_FLOAT, |args| map(args, f64::to_degrees))],
    ),
    entry(
        "radians",
        "The angle, given in degrees, in radians.",
        &[("radians(180)", "3.141592653589793")],
        &[total(FLOAT, TO_FLOAT, |args| map(args, f64::to_radians))],
    ),
    entry("sin", "The sine.", &[("sin(0)", "0.0")], &[total(FLOAT, TO_FLOAT, |args| map(args, f64::sin))]),
    entry("cos", "The cosine.", &[("cos(0)", "1.0")], &[total(FLOAT, TO_FLOAT, |args| map(args, f64::cos))]),
    entry("tan", "The tangent.", &[("tan(0)", "0.0")], &[total(FLOAT, TO_FLOAT, |args| map(args, f64::tan))]),
    entry(
        "cot",
        "The cotangent; at zero a row error.",
        &[("round(cot(1), 6)", "0.642093")],
        &[fallible(FLOAT, TO_FLOAT, |args| within(args, "the cotangent", |x| x != 0.0, |x| 1.0 / x.tan()))],
    ),
    entry(
        "asin",
        "The angle of this sine; beyond -1 to 1 a row error.",
        &[("asin(1)", "1.5707963267948966")],
        &[fallible(FLOAT, TO_FLOAT, |args| within(args, "the arc sine", |x| x.abs() <= 1.0, f64::asin))],
    ),
    entry(
        "acos",
        "The angle of this cosine; beyond -1 to 1 a row error.",
        &[("acos(1)", "0.0")],
        &[fallible(FLOAT, TO_FLOAT, |args| within(args, "the arc cosine", |x| x.abs() <= 1.0, f64::acos))],
    ),
    entry(
        "atan",
        "The angle of this tangent.",
        &[("atan(0)", "0.0")],
        &[total(FLOAT, TO_FLOAT, |args| map(args, f64::atan))],
    ),
    entry(
        "atan2",
        "The angle of the point (x, y).",
        &[("atan2(0, 1)", "0.0")],
        &[total(&[("y", Takes::Value(Simple::Float)), ("x", Takes::Value(Simple::Float))], TO_FLOAT, |args| {
            map2(args, f64::atan2)
        })],
    ),
    entry(
        "sinh",
        "The hyperbolic sine.",
        &[("sinh(0)", "0.0")],
        &[total(FLOAT, TO_FLOAT, |args| map(args, f64::sinh))],
    ),
    entry(
        "cosh",
        "The hyperbolic cosine.",
        &[("cosh(0)", "1.0")],
        &[total(FLOAT, TO_FLOAT, |args| map(args, f64::cosh))],
    ),
    entry(
        "tanh",
        "The hyperbolic tangent.",
        &[("tanh(0)", "0.0")],
        &[total(FLOAT, TO_FLOAT, |args| map(args, f64::tanh))],
    ),
    entry(
        "asinh",
        "The number of this hyperbolic sine.",
        &[("asinh(0)", "0.0")],
        &[total(FLOAT, TO_FLOAT, |args| map(args, f64::asinh))],
    ),
    entry(
        "acosh",
        "The number of this hyperbolic cosine; below 1 a row error.",
        &[("acosh(1)", "0.0")],
        &[fallible(FLOAT, TO_FLOAT, |args| within(args, "the area hyperbolic cosine", |x| x >= 1.0, f64::acosh))],
    ),
    entry(
        "atanh",
        "The number of this hyperbolic tangent; a row error unless between -1 and 1.",
        &[("atanh(0)", "0.0")],
        &[fallible(FLOAT, TO_FLOAT, |args| within(args, "the area hyperbolic tangent", |x| x.abs() < 1.0, f64::atanh))],
    ),
];
