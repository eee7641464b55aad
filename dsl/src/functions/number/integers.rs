//! Whole numbers: divisors, bits, other bases.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};
use datafusion_common::{DataFusionError, Result};

use super::super::arguments::Arguments;
use super::super::cast::show::quoted;
use super::super::entry::{Function, Parameters, fallible, total};
use super::super::kernel::row_error;
use super::super::takes::{Simple, Takes};
use super::{INT, TO_INT, TO_TEXT, entry};

const ONE: Parameters = &[("x", INT)];
const TWO: Parameters = &[("x", INT), ("y", INT)];

/// The entries.
pub const LIBRARY: &[Function] = &[
    entry(
        "gcd",
        "The greatest common divisor; zero only for two zeros.",
        &[("gcd(12, 18)", "6")],
        &[fallible(TWO, TO_INT, |args| {
            try_pairs(args, |x, y| i64::try_from(gcd(x, y)).map_err(|_| overflow("gcd", x, y)))
        })],
    ),
    entry(
        "lcm",
        "The least common multiple; zero if one of them is zero.",
        &[("lcm(4, 6)", "12")],
        &[fallible(TWO, TO_INT, |args| {
            try_pairs(args, |x, y| {
                if x == 0 || y == 0 {
                    return Ok(0);
                }
                let multiple = (x.unsigned_abs() / gcd(x, y)).checked_mul(y.unsigned_abs());
                multiple.and_then(|multiple| i64::try_from(multiple).ok()).ok_or_else(|| overflow("lcm", x, y))
            })
        })],
    ),
    entry(
        "factorial",
        "The product of the numbers from 1 to x. A negative number, and one above 20, are a row error.",
        &[("factorial(5)", "120")],
        &[fallible(ONE, TO_INT, |args| {
            let values = args.int(0)?;
            args.collect::<Int64Array, _>(|row| match values.value(row) {
                x @ 0..=20 => Ok((1..=x).product::<i64>()),
                x if x < 0 => Err(row_error(format!("the factorial of {x} is not defined"))),
                x => Err(row_error(format!("integer overflow: factorial({x})"))),
            })
        })],
    ),
    entry(
        "bit_and",
        "The bits that are set in both.",
        &[("bit_and(12, 10)", "8")],
        &[total(TWO, TO_INT, |args| pairs(args, |x, y| x & y))],
    ),
    entry(
        "bit_or",
        "The bits that are set in one of them.",
        &[("bit_or(12, 10)", "14")],
        &[total(TWO, TO_INT, |args| pairs(args, |x, y| x | y))],
    ),
    entry(
        "bit_xor",
        "The bits that are set in exactly one of them.",
        &[("bit_xor(12, 10)", "6")],
        &[total(TWO, TO_INT, |args| pairs(args, |x, y| x ^ y))],
    ),
    entry(
        "bit_not",
        "All bits the other way round.",
        &[("bit_not(0)", "-1")],
        &[total(ONE, TO_INT, |args| ints(args, |x| !x))],
    ),
    entry(
        "bit_count",
        "How many of the 64 bits are set.",
        &[("bit_count(7)", "3"), ("bit_count(-1)", "64")],
        &[total(ONE, TO_INT, |args| ints(args, |x| i64::from(x.count_ones())))],
    ),
    entry(
        "shift_left",
        "The bits moved up by so many places; those that leave are lost. Places beyond 0 to 63 are a row error.",
        &[("shift_left(1, 10)", "1024")],
        &[fallible(&[("x", INT), ("places", INT)], TO_INT, |args| {
            try_pairs(args, |x, places| Ok(x << within_word(places)?))
        })],
    ),
    entry(
        "shift_right",
        "The bits moved down by so many places, with the sign kept. Places beyond 0 to 63 are a row error.",
        &[("shift_right(1024, 3)", "128"), ("shift_right(-8, 1)", "-4")],
        &[fallible(&[("x", INT), ("places", INT)], TO_INT, |args| {
            try_pairs(args, |x, places| Ok(x >> within_word(places)?))
        })],
    ),
    entry(
        "to_base",
        "The number written with digits of a base from 2 to 36; another base is a row error.",
        &[("to_base(255, 16)", "ff"), ("to_base(-5, 2)", "-101")],
        &[fallible(&[("x", INT), ("base", INT)], TO_TEXT, to_base)],
    ),
    entry(
        "from_base",
        "The number that a text of digits of a base from 2 to 36 stands for; anything else is a row error.",
        &[("from_base(\"ff\", 16)", "255"), ("from_base(\"-101\", 2)", "-5")],
        &[fallible(&[("digits", Takes::Value(Simple::Text)), ("base", INT)], TO_INT, from_base)],
    ),
];

fn ints(args: &Arguments<'_>, f: impl Fn(i64) -> i64) -> Result<ArrayRef> {
    let result: Int64Array = args.int(0)?.unary(f);
    Ok(Arc::new(result))
}

fn pairs(args: &Arguments<'_>, f: impl Fn(i64, i64) -> i64) -> Result<ArrayRef> {
    try_pairs(args, |x, y| Ok(f(x, y)))
}

fn try_pairs(args: &Arguments<'_>, f: impl Fn(i64, i64) -> Result<i64>) -> Result<ArrayRef> {
    let (left, right) = (args.int(0)?, args.int(1)?);
    args.collect::<Int64Array, _>(|row| f(left.value(row), right.value(row)))
}

fn overflow(name: &str, x: i64, y: i64) -> DataFusionError {
    row_error(format!("integer overflow: {name}({x}, {y})"))
}

/// Euclid's algorithm.
fn gcd(x: i64, y: i64) -> u64 {
    let (mut x, mut y) = (x.unsigned_abs(), y.unsigned_abs());
    while y != 0 {
        (x, y) = (y, x % y);
    }
    x
}

fn within_word(places: i64) -> Result<u32> {
    let fits = u32::try_from(places).ok().filter(|places| *places < i64::BITS);
    fits.ok_or_else(|| row_error(format!("bits cannot be moved by {places} places")))
}

fn base(number: i64) -> Result<u32> {
    let fits = u32::try_from(number).ok().filter(|base| (2..=36).contains(base));
    fits.ok_or_else(|| row_error(format!("a base lies between 2 and 36, not {number}")))
}

fn to_base(args: &Arguments<'_>) -> Result<ArrayRef> {
    let (values, bases) = (args.int(0)?, args.int(1)?);
    args.write(|row, out| {
        let (value, base) = (values.value(row), base(bases.value(row))?);
        let mut rest = value.unsigned_abs();
        let mut digits = Vec::new();
        loop {
            let digit = u32::try_from(rest % u64::from(base)).unwrap_or_default();
            digits.extend(char::from_digit(digit, base));
            rest /= u64::from(base);
            if rest == 0 {
                break;
            }
        }
        if value < 0 {
            out.push('-');
        }
        out.extend(digits.into_iter().rev());
        Ok(())
    })
}

fn from_base(args: &Arguments<'_>) -> Result<ArrayRef> {
    let (texts, bases) = (args.text(0)?, args.int(1)?);
    args.collect::<Int64Array, _>(|row| {
        let (text, base) = (texts.value(row), base(bases.value(row))?);
        let read = i64::from_str_radix(text.trim(), base);
        read.map_err(|_| row_error(format!("cannot read {} as an int of base {base}", quoted(text))))
    })
}
