//! One value of a list: sums, extremes, all in one text. Nulls are passed over, as aggregates do.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array};
use arrow::datatypes::{Float64Type, Int64Type};
use datafusion_common::Result;
use tidebook_plan::{ColumnType, Type};

use super::super::arguments::Arguments;
use super::super::arithmetic::normalise;
use super::super::cast::{cast, cell_text};
use super::super::entry::{Function, fallible, rewritten, total};
use super::super::kernel::row_error;
use super::super::takes::{Gives, Simple, Takes};
use super::super::written::LONGEST;
use super::{LIST, Pool, entry};

const INTS: Takes = Takes::ListOf(Simple::Int);
const FLOATS: Takes = Takes::ListOf(Simple::Float);
const BOOLS: Takes = Takes::ListOf(Simple::Bool);

/// The entries.
pub const LIBRARY: &[Function] = &[
    entry(
        "list_sum",
        "The sum of the elements; null without any. A sum of floats is exact and rounded once, like the aggregate's; a \
         sum of ints that leaves their range is a row error.",
        &[("list_sum([1, 2, null])", "3"), ("list_sum([0.1, 0.2, 0.3])", "0.6")],
        &[
            fallible(&[("x", INTS)], Gives::Nullable(Simple::Int), sum_ints),
            total(&[("x", FLOATS)], Gives::Nullable(Simple::Float), |args| {
                floats(args, |values| (!values.is_empty()).then(|| exact_sum(values)))
            }),
        ],
    ),
    entry(
        "list_avg",
        "The mean of the elements as a float; null without any.",
        &[("list_avg([1, 2])", "1.5"), ("list_avg([null])", "null")],
        &[total(&[("x", FLOATS)], Gives::Nullable(Simple::Float), |args| {
            floats(args, |values| (!values.is_empty()).then(|| exact_sum(values) / values.len() as f64))
        })],
    ),
    entry(
        "list_min",
        "The smallest element; null without any.",
        &[("list_min([3, 1, 2])", "1"), ("list_min([\"b\", \"a\"])", "a")],
        &[total(LIST, Gives::Item, |args| extreme(args, true))],
    ),
    entry(
        "list_max",
        "The largest element; null without any. NaN is larger than every number.",
        &[("list_max([3, 1, null])", "3")],
        &[total(LIST, Gives::Item, |args| extreme(args, false))],
    ),
    entry(
        "list_any",
        "True if an element is true; null without any element.",
        &[("list_any([false, true])", "true")],
        &[total(&[("x", BOOLS)], Gives::Nullable(Simple::Bool), |args| bools(args, |values| values.contains(&true)))],
    ),
    entry(
        "list_all",
        "True if all elements are true; null without any element.",
        &[("list_all([true, false])", "false"), ("list_all([true, null])", "true")],
        &[total(&[("x", BOOLS)], Gives::Nullable(Simple::Bool), |args| bools(args, |values| !values.contains(&false)))],
    ),
    entry(
        "list_join",
        "The elements as one text, with the separator between them. A result beyond 16 MiB is a row error.",
        &[("list_join([\"a\", null, \"b\"], \", \")", "a, b"), ("list_join([1, 2], \"-\")", "1-2")],
        &[
            // Documents that are texts stand without their quotes.
            rewritten(
                &[("x", Takes::ListOf(Simple::Json)), ("separator", Takes::Value(Simple::Text))],
                Gives::Value(Simple::Text),
                |mut args| {
                    let texts = Type::List(Box::new(ColumnType::nullable(Type::Text)));
                    args[0] = cast(args[0].clone(), &texts)?;
                    super::super::call("list_join", args)
                },
            ),
            fallible(
                &[("x", Takes::Items), ("separator", Takes::Value(Simple::Text))],
                Gives::Value(Simple::Text),
                join,
            ),
        ],
    ),
];

fn sum_ints(args: &Arguments<'_>) -> Result<ArrayRef> {
    let lists = args.list(0)?;
    args.collect_nullable::<Int64Array, _>(|row| {
        let values = lists.value(row);
        let values = values.as_primitive::<Int64Type>();
        if values.null_count() == values.len() {
            return Ok(None);
        }
        let sum: i128 = values.iter().flatten().map(i128::from).sum();
        let sum = i64::try_from(sum).map_err(|_| row_error(format!("integer overflow: the sum of a list is {sum}")))?;
        Ok(Some(sum))
    })
}

fn floats(args: &Arguments<'_>, f: impl Fn(&[f64]) -> Option<f64>) -> Result<ArrayRef> {
    let lists = args.list(0)?;
    args.collect_nullable::<Float64Array, _>(|row| {
        let values = lists.value(row);
        let values: Vec<f64> = values.as_primitive::<Float64Type>().iter().flatten().collect();
        Ok(f(&values).map(normalise))
    })
}

fn bools(args: &Arguments<'_>, f: impl Fn(&[bool]) -> bool) -> Result<ArrayRef> {
    let lists = args.list(0)?;
    args.collect_nullable::<BooleanArray, _>(|row| {
        let values = lists.value(row);
        let values: Vec<bool> = values.as_boolean().iter().flatten().collect();
        Ok((!values.is_empty()).then(|| f(&values)))
    })
}

/// The sum of the values, rounded once: it is kept as floats that do not overlap (Shewchuk, "Adaptive precision
/// floating-point arithmetic", 1997).
fn exact_sum(values: &[f64]) -> f64 {
    /// Keeps sums of large values within the range of floats; a power of two, so nothing is lost but the smallest.
    const SCALE: f64 = 1.0 / (1u64 << 63) as f64;
    let plain: f64 = values.iter().sum();
    if values.iter().any(|value| !value.is_finite()) {
        return plain;
    }
    let largest = values.iter().fold(0.0f64, |largest, value| largest.max(value.abs()));
    if largest > 1e290 {
        let scaled: Vec<f64> = values.iter().map(|value| value * SCALE).collect();
        return exact_sum(&scaled) / SCALE;
    }
    let mut parts: Vec<f64> = Vec::new();
    for value in values {
        let mut rest = *value;
        let mut kept = 0;
        for index in 0..parts.len() {
            let part = parts[index];
            let (large, small) = if rest.abs() < part.abs() { (part, rest) } else { (rest, part) };
            let sum = large + small;
            let lost = small - (sum - large);
            if lost != 0.0 {
                parts[kept] = lost;
                kept += 1;
            }
            rest = sum;
        }
        parts.truncate(kept);
        parts.push(rest);
    }
    // From the largest part down, until something is rounded away; what lies below decides a tie.
    let Some(mut sum) = parts.pop() else { return 0.0 };
    while let Some(part) = parts.pop() {
        let before = sum;
        sum = before + part;
        let lost = part - (sum - before);
        if lost != 0.0 {
            if let Some(next) = parts.last()
                && ((lost < 0.0 && *next < 0.0) || (lost > 0.0 && *next > 0.0))
            {
                let doubled = lost * 2.0;
                let rounded = sum + doubled;
                if doubled == rounded - sum {
                    sum = rounded;
                }
            }
            break;
        }
    }
    sum
}

fn extreme(args: &Arguments<'_>, smallest: bool) -> Result<ArrayRef> {
    let pool = Pool::new(args, 1, 0)?.comparable()?;
    let nulls = pool.values().logical_nulls();
    pool.items(|row| {
        let valid = |element: &usize| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(*element));
        let values = pool.list(0, row).filter(valid);
        if smallest { values.min_by_key(|element| pool.key(*element)) } else { values.max_by_key(|e| pool.key(*e)) }
    })
}

fn join(args: &Arguments<'_>) -> Result<ArrayRef> {
    let (lists, separators) = (args.list(0)?, args.text(1)?);
    args.write(|row, out| {
        let (values, separator) = (lists.value(row), separators.value(row));
        let nulls = values.logical_nulls();
        let start = out.len();
        let valid = (0..values.len()).filter(|element| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(*element)));
        for (place, element) in valid.enumerate() {
            if place > 0 {
                out.push_str(separator);
            }
            out.push_str(&cell_text(&values, element));
            if out.len() - start > LONGEST {
                return Err(row_error("joining makes a text that is too long"));
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_rounded_once() {
        assert_eq!(exact_sum(&[0.1; 10]), 1.0);
        assert_eq!(exact_sum(&[1e16, 1.0, -1e16]), 1.0);
        assert_eq!(exact_sum(&[1e308, 1e308, -1e308]), 1e308);
        assert_eq!(exact_sum(&[1e308, 1e308]), f64::INFINITY);
        assert_eq!(exact_sum(&[]), 0.0);
        assert!(exact_sum(&[f64::INFINITY, f64::NEG_INFINITY]).is_nan());
    }
}
