//! From sums to the columns of a result.

use std::sync::Arc;

use arrow_array::builder::{
    Decimal128Builder, DurationMicrosecondBuilder, Float64Builder, Int64Builder, TimestampMicrosecondBuilder,
};
use arrow_array::{ArrayRef, new_null_array};
use arrow_buffer::i256;
use arrow_schema::{DataType, SchemaRef};
use num_bigint::{BigInt, BigUint, Sign};
use tidebook_plan::flow::{SumAggregate, SumFunction};

use super::exact::LEAST_EXPONENT;
use super::moments::Spread;
use super::ratio::{ratio, small_ratio};
use super::{FloatSum, Slot, SlotPlan, Sums};

/// Reads the results of a node's aggregates.
pub(crate) struct Reader {
    aggregates: Vec<SumAggregate>,
    slots: Vec<Option<usize>>,
    /// Digits after the point of each aggregate's input, for means of decimals.
    scales: Vec<i32>,
}

/// One result value.
enum Value {
    Null,
    Int(i64),
    Float(f64),
    Decimal(i128),
}

impl Reader {
    /// For `aggregates` over rows of `schema`.
    pub fn new(schema: &SchemaRef, aggregates: &[SumAggregate], plan: &SlotPlan) -> Self {
        let scale = |aggregate: &SumAggregate| match aggregate.input.map(|column| schema.field(column).data_type()) {
            Some(DataType::Decimal128(_, scale)) => i32::from(*scale),
            _ => 0,
        };
        Reader {
            slots: plan.of_aggregate.clone(),
            scales: aggregates.iter().map(scale).collect(),
            aggregates: aggregates.to_vec(),
        }
    }

    /// What is wrong with these sums, if anything is.
    pub fn error(&self, sums: &Sums) -> Option<String> {
        // Only sums of whole numbers have a range.
        let ranged = |i: &usize| {
            self.aggregates[*i].function == SumFunction::Sum && self.aggregates[*i].output != DataType::Float64
        };
        (0..self.aggregates.len()).filter(ranged).find_map(|i| self.value(i, sums).err())
    }

    /// One column for each aggregate. Rows with an error must have been taken out; they would read as null.
    pub fn columns(&self, sums: &[&Sums]) -> Vec<ArrayRef> {
        self.aggregates.iter().enumerate().map(|(i, aggregate)| self.column(i, &aggregate.output, sums)).collect()
    }

    fn column(&self, aggregate: usize, ty: &DataType, sums: &[&Sums]) -> ArrayRef {
        let values = sums.iter().map(|sums| self.value(aggregate, sums).unwrap_or(Value::Null));
        macro_rules! build {
            ($builder:expr, $kind:ident) => {{
                let mut builder = $builder;
                for value in values {
                    match value {
                        Value::$kind(value) => builder.append_value(value),
                        _ => builder.append_null(),
                    }
                }
                Arc::new(builder.finish())
            }};
        }
        match ty {
            DataType::Int64 => build!(Int64Builder::with_capacity(sums.len()), Int),
            DataType::Duration(_) => build!(DurationMicrosecondBuilder::with_capacity(sums.len()), Int),
            DataType::Timestamp(_, _) => build!(TimestampMicrosecondBuilder::with_capacity(sums.len()), Int),
            DataType::Float64 => build!(Float64Builder::with_capacity(sums.len()), Float),
            DataType::Decimal128(_, _) => {
                build!(Decimal128Builder::with_capacity(sums.len()).with_data_type(ty.clone()), Decimal)
            }
            ty => new_null_array(ty, sums.len()),
        }
    }

    fn value(&self, i: usize, sums: &Sums) -> Result<Value, String> {
        let aggregate = &self.aggregates[i];
        let Some(slot) = self.slots[i] else { return Ok(Value::Int(sums.rows)) };
        // Sums of no rows have no slots.
        let Some(slot) = sums.slots.get(slot) else {
            return Ok(match aggregate.function {
                SumFunction::CountRows | SumFunction::Count => Value::Int(0),
                SumFunction::Sum | SumFunction::Avg | SumFunction::Variance | SumFunction::StandardDeviation => {
                    Value::Null
                }
            });
        };
        let count = match slot {
            Slot::Count(count) | Slot::Int(count, _) | Slot::Wide(count, _, _) => *count,
            Slot::Float(sum) => sum.count,
            Slot::Moments(sums) => sums.values.count,
        };
        match aggregate.function {
            SumFunction::CountRows | SumFunction::Count => Ok(Value::Int(count)),
            SumFunction::Sum | SumFunction::Avg if count == 0 => Ok(Value::Null),
            SumFunction::Sum => total(slot, &aggregate.output),
            SumFunction::Avg => Ok(mean(slot, count, self.scales[i], &aggregate.output)),
            SumFunction::Variance | SumFunction::StandardDeviation if count < 2 => Ok(Value::Null),
            SumFunction::Variance => Ok(spread(slot, |spread| Value::Float(spread.variance()), self.scales[i])),
            SumFunction::StandardDeviation if matches!(aggregate.output, DataType::Duration(_)) => {
                Ok(spread(slot, |spread| Value::Int(spread.whole_deviation()), self.scales[i]))
            }
            SumFunction::StandardDeviation => {
                Ok(spread(slot, |spread| Value::Float(spread.deviation()), self.scales[i]))
            }
        }
    }
}

fn total(slot: &Slot, output: &DataType) -> Result<Value, String> {
    match slot {
        Slot::Count(_) | Slot::Moments(_) => Ok(Value::Null),
        Slot::Int(_, sum) => {
            let what = if matches!(output, DataType::Duration(_)) { "duration" } else { "integer" };
            i64::try_from(*sum).map(Value::Int).map_err(|_| format!("{what} overflow: sum"))
        }
        Slot::Wide(_, low, high) => {
            let digits = if let DataType::Decimal128(precision, _) = output { u32::from(*precision) } else { 38 };
            i256::from_parts(*low, *high)
                .to_i128()
                .filter(|sum| sum.unsigned_abs() < 10u128.pow(digits))
                .map(Value::Decimal)
                .ok_or_else(|| "decimal overflow: sum".to_string())
        }
        Slot::Float(sum) => Ok(Value::Float(special(sum).unwrap_or_else(|| sum.sum.round()))),
    }
}

/// What is read from the deviations of a slot's values; NaN where one of them is not finite.
fn spread(slot: &Slot, read: impl FnOnce(&Spread) -> Value, scale: i32) -> Value {
    match slot {
        Slot::Moments(sums) if special(&sums.values).is_some() => Value::Float(f64::NAN),
        Slot::Moments(sums) => read(&sums.spread(scale)),
        _ => Value::Null,
    }
}

/// The value where some of the summands are not finite.
fn special(sum: &FloatSum) -> Option<f64> {
    if sum.nan != 0 || (sum.infinite != 0 && sum.negative_infinite != 0) {
        Some(f64::NAN)
    } else if sum.infinite != 0 {
        Some(f64::INFINITY)
    } else if sum.negative_infinite != 0 {
        Some(f64::NEG_INFINITY)
    } else {
        None
    }
}

/// The exact sum divided by the count, rounded once; of durations and timestamps the nearest one.
fn mean(slot: &Slot, count: i64, scale: i32, output: &DataType) -> Value {
    if let (Slot::Int(_, sum), DataType::Duration(_) | DataType::Timestamp(_, _)) = (slot, output) {
        // A mean lies between its values.
        return i64::try_from(nearest(*sum, i128::from(count))).map_or(Value::Null, Value::Int);
    }
    let mean = match slot {
        Slot::Count(_) | Slot::Moments(_) => return Value::Null,
        Slot::Int(_, sum) => small_quotient(*sum, count, 0),
        Slot::Wide(_, low, high) => {
            let sum = i256::from_parts(*low, *high);
            let unit = 10u64.checked_pow(scale.unsigned_abs()).and_then(|unit| unit.checked_mul(count.unsigned_abs()));
            match (sum.to_i128(), unit.and_then(|unit| i64::try_from(unit).ok())) {
                (Some(sum), Some(unit)) => small_quotient(sum, if count < 0 { -unit } else { unit }, 0),
                _ => {
                    let unit = BigUint::from(10u8).pow(scale.unsigned_abs()) * BigUint::from(count.unsigned_abs());
                    quotient(&BigInt::from_signed_bytes_le(&sum.to_le_bytes()), &unit, count < 0, 0)
                }
            }
        }
        Slot::Float(sum) => match (special(sum), sum.sum.to_small()) {
            (Some(special), _) => special,
            (None, Some((whole, exponent))) => small_quotient(whole, count, exponent + LEAST_EXPONENT),
            (None, None) => {
                let count_size = BigUint::from(count.unsigned_abs());
                quotient(&sum.sum.to_integer(), &count_size, count < 0, LEAST_EXPONENT)
            }
        },
    };
    Value::Float(mean)
}

/// `above` / `below` · 2^`exponent`, rounded once.
fn small_quotient(above: i128, below: i64, exponent: i64) -> f64 {
    let size = small_ratio(above.unsigned_abs(), below.unsigned_abs(), exponent);
    // Tide has no negative zero.
    if (above < 0) != (below < 0) { 0.0 - size } else { size }
}

/// As [`small_quotient`], of any size.
fn quotient(above: &BigInt, below: &BigUint, negated: bool, exponent: i64) -> f64 {
    let size = ratio(above.magnitude(), below, exponent);
    if (above.sign() == Sign::Minus) != negated { 0.0 - size } else { size }
}

/// The whole number nearest to a ratio, the larger one of two.
fn nearest(sum: i128, count: i128) -> i128 {
    let below = sum.div_euclid(count);
    if 2 * sum.rem_euclid(count) >= count { below + 1 } else { below }
}
