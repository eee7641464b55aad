//! Rounding. Ints stay as they are, decimals keep their type, floats give floats.

use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, Float64Array, Int64Array};
use arrow::datatypes::DataType;
use datafusion_common::Result;
use tidebook_plan::Type;

use super::super::arguments::Arguments;
use super::super::entry::{Function, Parameters, fallible};
use super::super::group::Group;
use super::super::kernel::row_error;
use super::super::takes::{Gives, Simple, Takes};
use super::super::typed::Typed;

/// How to come to a multiple of a unit.
#[derive(Clone, Copy)]
enum Mode {
    /// To the nearest, halves away from zero.
    Nearest,
    /// Down.
    Floor,
    /// Up.
    Ceil,
    /// Toward zero.
    Trunc,
}

const NUMBER: Parameters = &[("x", Takes::Number)];
const DIGITS: Parameters = &[("x", Takes::Number), ("digits", Takes::Value(Simple::Int))];

/// The entries.
pub const LIBRARY: &[Function] = &[
    Function {
        name: "round",
        group: Group::Numbers,
        doc: "The nearest whole number, or the nearest number with so many digits after the point (before it, where \
              `digits` is negative); halves go away from zero. The type stays.",
        examples: &[
            ("round(2.5)", "3.0"),
            ("round(-2.5)", "-3.0"),
            ("round(1.256, 2)", "1.26"),
            ("round(1234, -2)", "1200"),
        ],
        overloads: &[
            fallible(NUMBER, Gives::First, |args| whole(args, Mode::Nearest)).failing_if(is_decimal),
            fallible(DIGITS, Gives::First, digits).failing_if(is_no_float),
        ],
    },
    Function {
        name: "floor",
        group: Group::Numbers,
        doc: "The largest whole number that is not larger. The type stays.",
        examples: &[("floor(-1.5)", "-2.0"), ("floor(7)", "7")],
        overloads: &[fallible(NUMBER, Gives::First, |args| whole(args, Mode::Floor)).failing_if(is_decimal)],
    },
    Function {
        name: "ceil",
        group: Group::Numbers,
        doc: "The smallest whole number that is not smaller. The type stays.",
        examples: &[("ceil(1.2)", "2.0"), ("ceil(-0.5)", "0.0")],
        overloads: &[fallible(NUMBER, Gives::First, |args| whole(args, Mode::Ceil)).failing_if(is_decimal)],
    },
    Function {
        name: "trunc",
        group: Group::Numbers,
        doc: "The whole number toward zero. The type stays.",
        examples: &[("trunc(-1.9)", "-1.0")],
        overloads: &[fallible(NUMBER, Gives::First, |args| whole(args, Mode::Trunc)).failing_if(is_decimal)],
    },
];

/// A decimal may need a digit more than it has.
fn is_decimal(args: &[Typed]) -> bool {
    matches!(args.first().map(|arg| &arg.ty.ty), Some(Type::Decimal { .. }))
}

fn is_no_float(args: &[Typed]) -> bool {
    !matches!(args.first().map(|arg| &arg.ty.ty), Some(Type::Float))
}

fn whole(args: &Arguments<'_>, mode: Mode) -> Result<ArrayRef> {
    match args.output() {
        DataType::Float64 => super::map(args, |value| match mode {
            Mode::Nearest => value.round(),
            Mode::Floor => value.floor(),
            Mode::Ceil => value.ceil(),
            Mode::Trunc => value.trunc(),
        }),
        DataType::Decimal128(_, scale) => {
            let unit = 10i128.pow(u32::from(scale.unsigned_abs()));
            decimals(args, |value, _| Some(multiple(value, unit, mode)))
        }
        _ => args.array(0),
    }
}

/// The multiple of `unit` that `mode` leads to.
fn multiple(value: i128, unit: i128, mode: Mode) -> i128 {
    let down = value.div_euclid(unit) * unit;
    let rest = value - down;
    let up = down + if rest == 0 { 0 } else { unit };
    match mode {
        Mode::Floor => down,
        Mode::Ceil => up,
        Mode::Trunc => {
            if value < 0 {
                up
            } else {
                down
            }
        }
        // Compared without doubling, which could overflow.
        Mode::Nearest => match rest.cmp(&(unit - rest)) {
            std::cmp::Ordering::Less => down,
            std::cmp::Ordering::Greater => up,
            std::cmp::Ordering::Equal => {
                if value < 0 {
                    down
                } else {
                    up
                }
            }
        },
    }
}

fn decimals(args: &Arguments<'_>, f: impl Fn(i128, usize) -> Option<i128>) -> Result<ArrayRef> {
    let values = args.decimal(0)?;
    let precision = values.precision();
    let nulls = args.nulls()?;
    let cell = |row: usize| {
        if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            return Ok(None);
        }
        let rounded = f(values.value(row), row).filter(|value| value.unsigned_abs() < 10u128.pow(u32::from(precision)));
        rounded.map(Some).ok_or_else(|| row_error("decimal overflow in rounding"))
    };
    let array = (0..args.rows()).map(cell).collect::<Result<Decimal128Array>>()?;
    Ok(Arc::new(array.with_data_type(args.output().clone())))
}

fn digits(args: &Arguments<'_>) -> Result<ArrayRef> {
    let places = args.int(1)?;
    match args.output() {
        DataType::Float64 => {
            let values = args.float(0)?;
            args.collect::<Float64Array, _>(|row| Ok(round_float(values.value(row), places.value(row))))
        }
        DataType::Decimal128(_, scale) => {
            let scale = i64::from(*scale);
            decimals(args, |value, row| {
                let dropped = scale.saturating_sub(places.value(row));
                round_at(value, dropped)
            })
        }
        _ => {
            let values = args.int(0)?;
            args.collect::<Int64Array, _>(|row| {
                let (value, places) = (values.value(row), places.value(row));
                let rounded = round_at(i128::from(value), places.saturating_neg()).and_then(|r| i64::try_from(r).ok());
                rounded.ok_or_else(|| row_error(format!("integer overflow: round({value}, {places})")))
            })
        }
    }
}

/// The value with its last `dropped` digits rounded away.
fn round_at(value: i128, dropped: i64) -> Option<i128> {
    if dropped <= 0 {
        return Some(value);
    }
    match u32::try_from(dropped).ok().and_then(|digits| 10i128.checked_pow(digits)) {
        Some(unit) => Some(multiple(value, unit, Mode::Nearest)),
        // More digits than there can be.
        None => Some(0),
    }
}

/// The float nearest to the decimal rounding of its shortest text, so that 1.005 rounds as it reads.
pub(super) fn round_float(value: f64, places: i64) -> f64 {
    /// Powers of ten that are floats, and few enough digits for what is checked below.
    const UNITS: [f64; 10] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];
    /// Below this the product is off by less than a thousandth, by its own rounding and by the text's.
    const EXACT_ENOUGH: f64 = (1u64 << 40) as f64;
    if let Some(unit) = usize::try_from(places).ok().and_then(|places| UNITS.get(places)) {
        let scaled = value.abs() * unit;
        // Away from a half the product rounds as the text does; the quotient of two whole floats is the nearest one.
        if scaled < EXACT_ENOUGH && (scaled.fract() - 0.5).abs() > 1e-3 {
            let magnitude = scaled.round() / unit;
            return if value < 0.0 { 0.0 - magnitude } else { magnitude };
        }
    }
    round_text(value, places)
}

fn round_text(value: f64, places: i64) -> f64 {
    /// Beyond this many digits a float has none to round.
    const MOST: i64 = 400;
    if !value.is_finite() {
        return value;
    }
    let text = format!("{}", value.abs());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let places = places.clamp(-MOST, MOST);
    let fraction_digits = i64::try_from(fraction.len()).unwrap_or(MOST);
    if places >= fraction_digits {
        return value;
    }
    let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).map(|byte| byte - b'0').collect();
    let kept = i64::try_from(whole.len()).unwrap_or(MOST) + places;
    if kept < 0 {
        return 0.0;
    }
    let kept = usize::try_from(kept).unwrap_or(0);
    let mut rounded = String::from("0");
    rounded.extend(digits[..kept].iter().map(|digit| char::from(b'0' + digit)));
    let mut number: Vec<u8> = rounded.bytes().collect();
    if digits.get(kept).is_some_and(|digit| *digit >= 5) {
        for digit in number.iter_mut().rev() {
            if *digit == b'9' {
                *digit = b'0';
            } else {
                *digit += 1;
                break;
            }
        }
    }
    let text: String = number.into_iter().map(char::from).collect();
    let magnitude = format!("{text}e{}", -places).parse::<f64>().unwrap_or(value.abs());
    if value < 0.0 { 0.0 - magnitude } else { magnitude }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_round_as_they_read() {
        assert_eq!(round_float(1.005, 2), 1.01);
        assert_eq!(round_float(-1.005, 2), -1.01);
        assert_eq!(round_float(2.675, 2), 2.68);
        assert_eq!(round_float(1e300, 5), 1e300);
        assert_eq!(round_float(1234.5, -2), 1200.0);
        let mut state = 0x5eed_u64;
        for _ in 0..20_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let value =
                (state >> 20) as f64 / f64::from(1u32 << (state % 31)) * if state % 2 == 0 { 1.0 } else { -1.0 };
            for places in 0..10 {
                assert_eq!(round_float(value, places), round_text(value, places), "{value:?} to {places}");
                let short = round_text(value / 1e6, places + 1);
                assert_eq!(round_float(short, places), round_text(short, places), "{short:?} to {places}");
            }
        }
    }
}
