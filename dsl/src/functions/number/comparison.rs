//! The smallest, the largest, between two bounds; kinds of floats; numbers as text.

use arrow::array::{Array, ArrayRef, BooleanArray};
use arrow::compute::kernels::cmp::{gt, lt};
use arrow::compute::kernels::zip::zip;
use arrow::compute::{is_null, nullif, or_kleene, prep_null_mask_filter};
use datafusion_common::Result;

use super::super::arguments::Arguments;
use super::super::cast::show::decimal_text;
use super::super::entry::{Function, Parameters, fallible, total};
use super::super::kernel::row_error;
use super::super::takes::{Gives, Simple, Takes};
use super::rounding::round_float;
use super::{FLOAT, INT, TO_BOOL, TO_TEXT, entry};

const TWO: Parameters = &[("x", Takes::Ordered), ("y", Takes::Ordered)];

/// The entries.
pub const LIBRARY: &[Function] = &[
    entry(
        "least",
        "The smallest argument that is not null, of numbers, texts, times.",
        &[("least(3, 1, 2)", "1"), ("least(null, 2)", "2"), ("least(\"b\", \"a\")", "a")],
        &[total(TWO, Gives::Shared, |args| extreme(args, true)).repeating()],
    ),
    entry(
        "greatest",
        "The largest argument that is not null, of numbers, texts, times; NaN is larger than every number.",
        &[("greatest(3, 1, 2)", "3"), ("greatest(null, 2)", "2")],
        &[total(TWO, Gives::Shared, |args| extreme(args, false)).repeating()],
    ),
    entry(
        "clamp",
        "The value, but no less than `low` and no more than `high`; where these cross, `high`.",
        &[("clamp(12, 0, 10)", "10"), ("clamp(-0.5, 0, 1)", "0.0")],
        &[total(&[("x", Takes::Ordered), ("low", Takes::Ordered), ("high", Takes::Ordered)], Gives::First, clamp)],
    ),
    entry(
        "is_nan",
        "True for the float that is no number.",
        &[("is_nan(float(\"NaN\"))", "true"), ("is_nan(1.0)", "false")],
        &[total(FLOAT, TO_BOOL, |args| test(args, f64::is_nan))],
    ),
    entry(
        "is_finite",
        "True for a float that is neither infinite nor NaN.",
        &[("is_finite(1.0)", "true"), ("is_finite(float(\"inf\"))", "false")],
        &[total(FLOAT, TO_BOOL, |args| test(args, f64::is_finite))],
    ),
    entry(
        "is_infinite",
        "True for infinity and its negative.",
        &[("is_infinite(float(\"-inf\"))", "true")],
        &[total(FLOAT, TO_BOOL, |args| test(args, f64::is_infinite))],
    ),
    entry(
        "fixed",
        "The number as text with exactly so many digits after the point, at most 100; halves go away from zero.",
        &[("fixed(2, 2)", "2.00"), ("fixed(1234.565, 2)", "1234.57"), ("fixed(decimal(\"0.5\", 3, 1), 3)", "0.500")],
        &[
            fallible(&[("x", Takes::Decimal), ("digits", INT)], TO_TEXT, fixed_decimal),
            fallible(&[("x", Takes::Value(Simple::Float)), ("digits", INT)], TO_TEXT, |args| {
                let (values, digits) = (args.float(0)?, args.int(1)?);
                args.write(|row, out| {
                    let (value, digits) = (values.value(row), places(digits.value(row))?);
                    if !value.is_finite() {
                        out.push_str(&format!("{value:?}"));
                        return Ok(());
                    }
                    let rounded = round_float(value, i64::try_from(digits).unwrap_or(i64::MAX));
                    out.push_str(&format!("{rounded:.digits$}"));
                    Ok(())
                })
            }),
        ],
    ),
];

/// The smallest or largest argument of each row, nulls passed over.
fn extreme(args: &Arguments<'_>, smallest: bool) -> Result<ArrayRef> {
    let mut best = args.array(0)?;
    for index in 1..args.len() {
        best = better(&best, &args.array(index)?, smallest)?;
    }
    Ok(best)
}

/// The smaller or larger of two values a row, the one that is not null.
fn better(best: &ArrayRef, next: &ArrayRef, smallest: bool) -> Result<ArrayRef> {
    let better = if smallest { lt(next, best)? } else { gt(next, best)? };
    let better = or_kleene(&better, &is_null(best)?)?;
    // Null where the new one is null: the best so far stays.
    let better = if better.null_count() > 0 { prep_null_mask_filter(&better) } else { better };
    Ok(zip(&better, next, best)?)
}

fn clamp(args: &Arguments<'_>) -> Result<ArrayRef> {
    let raised = better(&args.array(0)?, &args.array(1)?, false)?;
    let held = better(&raised, &args.array(2)?, true)?;
    match args.nulls()? {
        None => Ok(held),
        Some(nulls) => Ok(nullif(&held, &BooleanArray::new(!nulls.inner(), None))?),
    }
}

fn test(args: &Arguments<'_>, f: impl Fn(f64) -> bool) -> Result<ArrayRef> {
    let values = args.float(0)?;
    args.collect::<BooleanArray, _>(|row| Ok(f(values.value(row))))
}

/// Digits after the point.
fn places(digits: i64) -> Result<usize> {
    let fits = usize::try_from(digits).ok().filter(|digits| *digits <= 100);
    fits.ok_or_else(|| row_error(format!("a number is written with 0 to 100 digits after the point, not {digits}")))
}

fn fixed_decimal(args: &Arguments<'_>) -> Result<ArrayRef> {
    let (values, digits) = (args.decimal(0)?, args.int(1)?);
    let scale = usize::from(values.scale().unsigned_abs());
    args.write(|row, out| {
        let (value, digits) = (values.value(row), places(digits.value(row))?);
        if digits >= scale {
            out.push_str(&decimal_text(value, i16::from(values.scale())));
            if scale == 0 && digits > 0 {
                out.push('.');
            }
            out.extend(std::iter::repeat_n('0', digits - scale));
            return Ok(());
        }
        let unit = 10i128.pow(u32::try_from(scale - digits).unwrap_or_default());
        let (whole, rest) = (value / unit, (value % unit).abs());
        let rounded = if rest >= unit - rest { whole + value.signum() } else { whole };
        out.push_str(&decimal_text(rounded, i16::try_from(digits).unwrap_or_default()));
        Ok(())
    })
}
