//! What an interval join is made of: the buckets of time that rows are joined on, and the exact condition.
//!
//! A bucket is as wide as the interval, so that what a row can match lies in at most two of them. Whole numbers are
//! microseconds of times and durations, or ints; all are computed in 128 bits, so that nothing overflows.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Int64Array, ListArray, PrimitiveArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, DurationMicrosecondType, Int64Type, TimeUnit, TimestampMicrosecondType};
use datafusion_common::{DataFusionError, Result, ScalarValue};
use tidebook_plan::{ColumnType, Type};

use super::arguments::Arguments;
use super::kernel::Kernel;
use super::typed::Typed;

/// Name of the condition, by which explanations and rules know an interval join: of the right time, the left time, and what
/// the first may be less the second, both ends included.
pub const INTERVAL_JOIN: &str = "interval join";

/// The ends of an interval, both of which belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// The smallest difference.
    pub low: i64,
    /// The largest.
    pub high: i64,
}

impl Ends {
    /// The interval of the opposite difference.
    pub fn opposite(self) -> Ends {
        Ends { low: self.high.saturating_neg(), high: self.low.saturating_neg() }
    }

    /// Width of a bucket.
    fn width(self) -> i64 {
        i64::try_from((i128::from(self.high) - i128::from(self.low)).max(1)).unwrap_or(i64::MAX)
    }

    fn literals(self) -> [Typed; 2] {
        [self.low, self.high].map(int)
    }
}

fn int(value: i64) -> Typed {
    Typed::literal(ScalarValue::Int64(Some(value)), ColumnType::required(Type::Int))
}

/// The buckets in which a partner of this time can lie, as a list.
pub fn partner_buckets(time: Typed, ends: Ends) -> Typed {
    let ty = Type::List(Box::new(ColumnType::required(Type::Int)));
    let nullable = time.ty.nullable;
    let [low, high] = ends.literals();
    let kernel = Kernel::new("partner_buckets", ty.to_arrow(), false, buckets);
    kernel.call(vec![time, low, high, int(ends.width())], ColumnType { ty, nullable })
}

/// The bucket of this time.
pub fn bucket(time: Typed, ends: Ends) -> Typed {
    let nullable = time.ty.nullable;
    let kernel = Kernel::new("bucket", DataType::Int64, false, |args| {
        let (times, width) = (whole(args, 0)?, args.int(1)?);
        args.collect::<Int64Array, _>(|row| Ok(times.value(row).div_euclid(width.value(row))))
    });
    kernel.call(vec![time, int(ends.width())], ColumnType { ty: Type::Int, nullable })
}

/// Whether `right - left` lies between the ends.
pub fn within(right: Typed, left: Typed, ends: Ends) -> Typed {
    let nullable = right.ty.nullable || left.ty.nullable;
    let [low, high] = ends.literals();
    let kernel = Kernel::new(INTERVAL_JOIN, DataType::Boolean, false, |args| {
        let (right, left, low, high) = (whole(args, 0)?, whole(args, 1)?, args.int(2)?, args.int(3)?);
        args.collect::<BooleanArray, _>(|row| {
            let difference = i128::from(right.value(row)) - i128::from(left.value(row));
            Ok(i128::from(low.value(row)) <= difference && difference <= i128::from(high.value(row)))
        })
    });
    kernel.call(vec![right, left, low, high], ColumnType { ty: Type::Bool, nullable })
}

/// Whether the time `after` lies nearer to a time than `before`, which lies before it; true without one before, false without
/// one after.
pub fn is_nearer(time: Typed, before: Typed, after: Typed) -> Typed {
    let kernel = Kernel::new("is_nearer", DataType::Boolean, false, |args| {
        let (times, before, after) = (whole(args, 0)?, whole(args, 1)?, whole(args, 2)?);
        let nearer = |row: usize| {
            let [time, before, after] = [&times, &before, &after].map(|one| i128::from(one.value(row)));
            after - time < time - before
        };
        let rows = (0..args.rows()).map(|row| after.is_valid(row) && (before.is_null(row) || nearer(row)));
        Ok(Arc::new(BooleanArray::from_iter(rows.map(Some))))
    });
    kernel.call(vec![time, before, after], ColumnType::required(Type::Bool))
}

/// The whole numbers that a column holds.
fn whole(args: &Arguments<'_>, index: usize) -> Result<PrimitiveArray<Int64Type>> {
    match args.data_type(index) {
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            Ok(args.primitive::<TimestampMicrosecondType>(index)?.reinterpret_cast())
        }
        DataType::Duration(_) => Ok(args.primitive::<DurationMicrosecondType>(index)?.reinterpret_cast()),
        DataType::Int64 => args.int(index),
        other => Err(DataFusionError::Internal(format!("an interval join goes by whole numbers, not {other}"))),
    }
}

fn buckets(args: &Arguments<'_>) -> Result<ArrayRef> {
    let DataType::List(item) = args.output() else {
        return Err(DataFusionError::Internal("buckets are a list".to_string()));
    };
    let (times, low, high, width) = (whole(args, 0)?, args.int(1)?, args.int(2)?, args.int(3)?);
    let mut values: Vec<i64> = Vec::with_capacity(args.rows() * 2);
    let mut counts = Vec::with_capacity(args.rows());
    for row in 0..args.rows() {
        let before = values.len();
        if times.is_valid(row) && low.value(row) <= high.value(row) {
            let of = |end: i64| {
                let bucket = (i128::from(times.value(row)) + i128::from(end)).div_euclid(i128::from(width.value(row)));
                // No time lies in buckets beyond.
                bucket.clamp(i64::MIN.into(), i64::MAX.into()) as i64
            };
            values.extend(of(low.value(row))..=of(high.value(row)));
        }
        counts.push(values.len() - before);
    }
    let nulls = times.nulls().map(|nulls| NullBuffer::new(nulls.inner().clone()));
    let offsets = OffsetBuffer::from_lengths(counts);
    Ok(Arc::new(ListArray::try_new(Arc::clone(item), offsets, Arc::new(Int64Array::from(values)), nulls)?))
}
