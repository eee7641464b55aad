//! The aggregates that DataFusion has not, or means otherwise: computed by hand over all rows of a group, in the plainest
//! way.

use std::cmp::Ordering;

use datafusion::common::ScalarValue;

use super::AggregateFunction;

/// A row as an aggregate sees it: its argument and its keys. Rows that the filter stops are left out before.
pub struct Seen {
    /// What it is of; null for `count()`.
    pub argument: ScalarValue,
    /// The keys of its order.
    pub keys: Vec<ScalarValue>,
}

/// Values in order: nulls are largest, then NaN.
pub fn compare(a: &ScalarValue, b: &ScalarValue) -> Ordering {
    match (a, b) {
        _ if a.is_null() || b.is_null() => a.is_null().cmp(&b.is_null()),
        (ScalarValue::Float64(Some(a)), ScalarValue::Float64(Some(b))) => {
            a.partial_cmp(b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
        }
        _ => a.partial_cmp(b).unwrap_or(Ordering::Equal),
    }
}

/// The value of an aggregate over the rows; `null` is a null of its type.
pub fn result(function: AggregateFunction, rows: &[Seen], order: &[bool], null: ScalarValue) -> ScalarValue {
    let there: Vec<&Seen> = rows.iter().filter(|row| !row.argument.is_null()).collect();
    let values = || sorted(there.clone(), order);
    let count = |count: usize| ScalarValue::Int64(Some(count as i64));
    match function {
        AggregateFunction::CountRows => count(rows.len()),
        AggregateFunction::Count => count(there.len()),
        AggregateFunction::CountDistinct(_) => count(once(values()).len()),
        AggregateFunction::Sum => sum(&values()).unwrap_or(null),
        AggregateFunction::Average => average(&values()).unwrap_or(null),
        AggregateFunction::Least | AggregateFunction::All => values().into_iter().next().unwrap_or(null),
        AggregateFunction::Most | AggregateFunction::Any => values().pop().unwrap_or(null),
        AggregateFunction::First | AggregateFunction::ArgMin | AggregateFunction::Last | AggregateFunction::ArgMax => {
            let placed = there.into_iter().filter(|row| row.keys.iter().all(|key| !key.is_null())).collect();
            let mut values = sorted(placed, order);
            let first = matches!(function, AggregateFunction::First | AggregateFunction::ArgMin);
            if first { values.into_iter().next() } else { values.pop() }.unwrap_or(null)
        }
        AggregateFunction::ListElement(place) => values().into_iter().nth(place).unwrap_or(null),
        AggregateFunction::SetElement(place) => once(values()).into_iter().nth(place).unwrap_or(null),
        AggregateFunction::Join(_) if there.is_empty() => null,
        AggregateFunction::Join(separator) => {
            let texts: Vec<String> = values().iter().map(text).collect();
            ScalarValue::Utf8(Some(texts.join(separator)))
        }
        AggregateFunction::Median => quantile(&values(), 0.5).unwrap_or(null),
        AggregateFunction::Quantile(fraction) => quantile(&values(), fraction).unwrap_or(null),
        AggregateFunction::Variance => spread(&values(), false).unwrap_or(null),
        AggregateFunction::Deviation => spread(&values(), true).unwrap_or(null),
    }
}

/// Arguments by the keys, each with whether it is descending, and then by themselves.
fn sorted(mut rows: Vec<&Seen>, order: &[bool]) -> Vec<ScalarValue> {
    rows.sort_by(|a, b| {
        for ((a, b), descending) in a.keys.iter().zip(&b.keys).zip(order) {
            let by = if *descending { compare(b, a) } else { compare(a, b) };
            if by != Ordering::Equal {
                return by;
            }
        }
        compare(&a.argument, &b.argument)
    });
    rows.into_iter().map(|row| row.argument.clone()).collect()
}

fn once(values: Vec<ScalarValue>) -> Vec<ScalarValue> {
    let mut seen: Vec<ScalarValue> = Vec::new();
    for value in values {
        if seen.iter().all(|other| compare(other, &value) != Ordering::Equal) {
            seen.push(value);
        }
    }
    seen
}

fn text(value: &ScalarValue) -> String {
    match value {
        ScalarValue::Utf8(Some(text)) => text.clone(),
        ScalarValue::Int64(Some(value)) => value.to_string(),
        ScalarValue::Float64(Some(value)) => format!("{value:?}"),
        ScalarValue::Boolean(Some(value)) => value.to_string(),
        value => unreachable!("{value:?} is not joined"),
    }
}

/// Whole numbers as they are, with how many of them make one: decimals have two digits, durations are microseconds.
fn whole(values: &[ScalarValue]) -> Option<Vec<i128>> {
    let whole = |value: &ScalarValue| match value {
        ScalarValue::Int64(Some(value)) | ScalarValue::DurationMicrosecond(Some(value)) => Some(i128::from(*value)),
        ScalarValue::Decimal128(Some(value), _, _) => Some(*value),
        _ => None,
    };
    values.iter().map(whole).collect()
}

fn floats(values: &[ScalarValue]) -> Vec<f64> {
    let float = |value: &ScalarValue| match value {
        ScalarValue::Float64(Some(value)) => *value,
        value => unreachable!("{value:?} is no number"),
    };
    values.iter().map(float).collect()
}

/// How many of a kind's whole numbers make one.
fn unit(value: &ScalarValue) -> f64 {
    if matches!(value, ScalarValue::Decimal128(..)) { 100.0 } else { 1.0 }
}

fn sum(values: &[ScalarValue]) -> Option<ScalarValue> {
    Some(match (values.first()?, whole(values)) {
        (ScalarValue::DurationMicrosecond(_), Some(all)) => {
            ScalarValue::DurationMicrosecond(Some(all.iter().sum::<i128>() as i64))
        }
        (_, Some(all)) => ScalarValue::Int64(Some(all.iter().sum::<i128>() as i64)),
        (_, None) => ScalarValue::Float64(Some(floats(values).iter().sum::<f64>() + 0.0)),
    })
}

fn average(values: &[ScalarValue]) -> Option<ScalarValue> {
    let (first, count) = (values.first()?, values.len());
    Some(match (first, whole(values)) {
        (ScalarValue::DurationMicrosecond(_), Some(all)) => {
            // The nearest, the larger one of two.
            let doubled = 2 * all.iter().sum::<i128>() + count as i128;
            ScalarValue::DurationMicrosecond(Some(doubled.div_euclid(2 * count as i128) as i64))
        }
        (_, Some(all)) => ScalarValue::Float64(Some(all.iter().sum::<i128>() as f64 / (unit(first) * count as f64))),
        (_, None) => ScalarValue::Float64(Some(floats(values).iter().sum::<f64>() / count as f64 + 0.0)),
    })
}

fn quantile(values: &[ScalarValue], fraction: f64) -> Option<ScalarValue> {
    let last = values.len().checked_sub(1)?;
    let place = fraction * last as f64;
    let (low, part) = (place.floor() as usize, place.fract());
    let high = if part == 0.0 { low } else { low + 1 };
    Some(match whole(values) {
        Some(all) => {
            let between = all[low] as f64 + (all[high] - all[low]) as f64 * part;
            match &values[0] {
                ScalarValue::DurationMicrosecond(_) => {
                    ScalarValue::DurationMicrosecond(Some(all[low] as i64 + (between - all[low] as f64).round() as i64))
                }
                first => ScalarValue::Float64(Some(between / unit(first))),
            }
        }
        None => {
            let all = floats(values);
            let way = all[high] - all[low];
            ScalarValue::Float64(Some(if part == 0.0 { all[low] } else { all[low] + way * part } + 0.0))
        }
    })
}

/// Variance or deviation, in whole numbers up to the last step.
fn spread(values: &[ScalarValue], root: bool) -> Option<ScalarValue> {
    let count = values.len() as i128;
    if count < 2 {
        return None;
    }
    let (all, unit) = match whole(values) {
        Some(all) => (all, unit(&values[0]) as u128),
        None => {
            let floats = floats(values);
            if floats.iter().any(|value| !value.is_finite()) {
                return Some(ScalarValue::Float64(Some(f64::NAN)));
            }
            // The largest part of one of which all are multiples.
            let part = |bits: &i32| floats.iter().all(|value| (value * 2f64.powi(*bits)).fract() == 0.0);
            let Some(bits) = (0..40).find(part) else { panic!("{floats:?} are finer than this test knows") };
            let part = 2f64.powi(bits);
            (floats.iter().map(|value| (value * part) as i128).collect(), part as u128)
        }
    };
    let (sum, squares) = (all.iter().sum::<i128>(), all.iter().map(|value| value * value).sum::<i128>());
    // Dividing by a power of two rounds nothing; any other unit has to be part of the one division. A root has no bits
    // left for that here, so deviations are asked of whole numbers and floats alone.
    let (divided, unit) = if unit.is_power_of_two() { (1, unit) } else { (unit * unit, 1) };
    let (above, below) = ((count * squares - sum * sum) as u128, (count * (count - 1)) as u128 * divided);
    Some(match (&values[0], root) {
        (ScalarValue::DurationMicrosecond(_), _) => {
            ScalarValue::DurationMicrosecond(Some((((4 * above) / below).isqrt() as i64 + 1) / 2))
        }
        (_, false) => ScalarValue::Float64(Some(ratio(above, below) / (unit * unit) as f64)),
        (_, true) => ScalarValue::Float64(Some(ratio_root(above, below) / unit as f64)),
    })
}

/// The quotient rounded to the nearest double: long enough to round by, with one bit more for what is left.
fn ratio(above: u128, below: u128) -> f64 {
    if above == 0 {
        return 0.0;
    }
    let shift = above.leading_zeros();
    let quotient = (above << shift) / below;
    let is_exact = quotient * below == above << shift;
    (quotient | u128::from(!is_exact)) as f64 / 2f64.powi(shift as i32)
}

fn ratio_root(above: u128, below: u128) -> f64 {
    if above == 0 {
        return 0.0;
    }
    let shift = above.leading_zeros() & !1;
    let quotient = (above << shift) / below;
    let root = quotient.isqrt();
    let is_exact = root * root == quotient && quotient * below == above << shift;
    (root * 2 + u128::from(!is_exact)) as f64 / 2f64.powi(shift as i32 / 2 + 1)
}
