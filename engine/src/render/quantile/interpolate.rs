//! Values between two others.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, DurationMicrosecondType, Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{ArrayRef, ArrowPrimitiveType, Float64Array, PrimitiveArray};
use arrow_schema::DataType;
use tidebook_plan::flow::Fraction;

/// Where the quantile of so many values stands: the rank of the value below it, from 0, and the part of the way to the
/// next one. `None` without values.
pub(in crate::render) fn place(fraction: Fraction, count: u64) -> Option<(u64, f64)> {
    let last = count.checked_sub(1)?;
    let at = fraction.value() * last as f64;
    let rank = (at.floor() as u64).min(last);
    Some((rank, if rank == last { 0.0 } else { (at - rank as f64).clamp(0.0, 1.0) }))
}

/// For each pair of positions in `values` and part of the way between them, the value there; null where there is none.
/// Numbers give floats; durations and timestamps stay what they are, to the nearest microsecond.
pub(in crate::render) fn interpolate(
    values: &ArrayRef,
    between: impl Iterator<Item = Option<(usize, usize, f64)>>,
    output: &DataType,
) -> ArrayRef {
    match (values.data_type(), output) {
        (DataType::Duration(_), DataType::Duration(_)) => instants::<DurationMicrosecondType>(values, between),
        (DataType::Timestamp(_, _), DataType::Timestamp(_, _)) => instants::<TimestampMicrosecondType>(values, between),
        (DataType::Int64, DataType::Float64) => {
            let values = values.as_primitive::<Int64Type>();
            floats(between, |low, high, part| ints(values.value(low), values.value(high), part))
        }
        (DataType::Float64, DataType::Float64) => {
            let values = values.as_primitive::<Float64Type>();
            floats(between, |low, high, part| numbers(values.value(low), values.value(high), part))
        }
        (DataType::Decimal128(_, scale), DataType::Float64) => {
            // In whole units, so that halves and tenths of them lose nothing.
            let unit = 10f64.powi(i32::from(*scale));
            let values = values.as_primitive::<Decimal128Type>();
            let value = |at: usize| values.value(at) as f64;
            floats(between, |low, high, part| numbers(value(low), value(high), part) / unit)
        }
        (input, output) => unreachable!("{input} has no quantiles of {output}"),
    }
}

fn floats(
    between: impl Iterator<Item = Option<(usize, usize, f64)>>,
    value: impl Fn(usize, usize, f64) -> f64,
) -> ArrayRef {
    // Adding zero turns -0.0 into 0.0.
    let values = between.map(|place| place.map(|(low, high, part)| value(low, high, part) + 0.0));
    Arc::new(values.collect::<Float64Array>())
}

fn instants<T: ArrowPrimitiveType<Native = i64>>(
    values: &ArrayRef,
    between: impl Iterator<Item = Option<(usize, usize, f64)>>,
) -> ArrayRef {
    let values = values.as_primitive::<T>();
    let value = |(low, high, part): (usize, usize, f64)| {
        let (low, high) = (i128::from(values.value(low)), i128::from(values.value(high)));
        let between = low + ((high - low) as f64 * part).round() as i128;
        // Rounding may pass the upper one where the two lie centuries apart.
        i64::try_from(between.min(high)).unwrap_or(i64::MAX)
    };
    Arc::new(between.map(|place| place.map(value)).collect::<PrimitiveArray<T>>())
}

fn ints(low: i64, high: i64, part: f64) -> f64 {
    if part == 0.5 {
        // Exact, and so rounded once.
        return (i128::from(low) + i128::from(high)) as f64 / 2.0;
    }
    low as f64 + (i128::from(high) - i128::from(low)) as f64 * part
}

fn numbers(low: f64, high: f64, part: f64) -> f64 {
    if low == high || part == 0.0 {
        return low;
    }
    let sum = low + high;
    if part == 0.5 && sum.is_finite() {
        return sum / 2.0;
    }
    let way = high - low;
    // A difference that is too large, or not finite: each end by its own part.
    if way.is_finite() { low + way * part } else { low * (1.0 - part) + high * part }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fraction(value: f64) -> Fraction {
        Fraction::new(value).unwrap()
    }

    #[test]
    fn places_lie_within_the_values() {
        assert_eq!(place(Fraction::HALF, 0), None);
        assert_eq!(place(Fraction::HALF, 1), Some((0, 0.0)));
        assert_eq!(place(Fraction::HALF, 4), Some((1, 0.5)));
        assert_eq!(place(fraction(0.9), 11), Some((9, 0.0)));
        assert_eq!(place(fraction(1.0), 5), Some((4, 0.0)));
        assert_eq!(place(fraction(0.0), 5), Some((0, 0.0)));
    }

    #[test]
    fn ends_and_extremes() {
        assert_eq!(numbers(1.0, 3.0, 0.25), 1.5);
        assert_eq!(numbers(-f64::MAX, f64::MAX, 0.5), 0.0);
        assert_eq!(numbers(f64::MAX, f64::MAX, 0.5), f64::MAX);
        assert_eq!(numbers(1.0, f64::INFINITY, 0.5), f64::INFINITY);
        assert_eq!(numbers(f64::NEG_INFINITY, 1.0, 0.5), f64::NEG_INFINITY);
        assert!(numbers(1.0, f64::NAN, 0.5).is_nan());
        assert_eq!(numbers(1.0, f64::NAN, 0.0), 1.0);
        assert_eq!(ints(i64::MAX, i64::MAX, 0.5), i64::MAX as f64);
        assert_eq!(ints(1, 2, 0.5), 1.5);
    }
}
