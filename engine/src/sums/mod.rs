//! Sums as the difference of an arrangement: one entry a key, however many rows it has.
//!
//! All sums are exact, so that adding and taking back cancel to the last bit and no order of rows, number of workers or
//! restart can be seen in a result.

mod exact;
mod groups;
mod moments;
mod ratio;
mod read;
mod slots;

pub(crate) use groups::Groups;
pub(crate) use read::Reader;
pub(crate) use slots::{SlotPlan, Slots};

use differential_dataflow::difference::{Abelian, IsZero, Monoid, Multiply, Semigroup};
use serde::{Deserialize, Serialize};

use exact::ExactSum;
use moments::Moments;

/// Row count and sums of one key.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Sums {
    /// Number of rows.
    pub rows: i64,
    /// One for each slot of the node's [`SlotPlan`]; empty stands for all zero.
    pub slots: Box<[Slot]>,
}

/// What is kept for one input column (and filter).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Slot {
    /// Number of values that are not null.
    Count(i64),
    /// Count and sum of 64-bit integers.
    Int(i64, i128),
    /// Count and sum of decimals, 256 bits in two halves, low half first.
    Wide(i64, u128, i128),
    /// Count and sum of floats.
    Float(Box<FloatSum>),
    /// Count, sum and sum of squares of any numbers.
    Moments(Box<Moments>),
}

/// Count and exact sum of floats. What is not finite is counted beside.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct FloatSum {
    /// Number of values, those that are not finite included.
    pub count: i64,
    /// How many of them are NaN.
    pub nan: i64,
    /// How many are positive infinity.
    pub infinite: i64,
    /// How many are negative infinity.
    pub negative_infinite: i64,
    /// Sum of the finite ones.
    pub sum: ExactSum,
}

impl FloatSum {
    /// Adds a value `diff` times.
    #[inline]
    pub fn add(&mut self, value: f64, diff: i64) {
        self.count += diff;
        if value.is_finite() {
            self.sum.add(value, diff);
        } else if value.is_nan() {
            self.nan += diff;
        } else if value > 0.0 {
            self.infinite += diff;
        } else {
            self.negative_infinite += diff;
        }
    }

    fn plus(&mut self, other: &FloatSum) {
        self.count += other.count;
        self.nan += other.nan;
        self.infinite += other.infinite;
        self.negative_infinite += other.negative_infinite;
        self.sum.plus(&other.sum);
    }

    fn times(&mut self, factor: i64) {
        self.count *= factor;
        self.nan *= factor;
        self.infinite *= factor;
        self.negative_infinite *= factor;
        self.sum.times(factor);
    }

    fn is_zero(&self) -> bool {
        self.count == 0 && self.nan == 0 && self.infinite == 0 && self.negative_infinite == 0 && self.sum.is_zero()
    }
}

/// Sum of two 256-bit integers in halves.
fn wide_plus(low: u128, high: i128, other_low: u128, other_high: i128) -> (u128, i128) {
    let (sum, carry) = low.overflowing_add(other_low);
    (sum, high.wrapping_add(other_high).wrapping_add(i128::from(carry)))
}

impl Slot {
    fn plus(&mut self, other: &Slot) {
        match (self, other) {
            (Slot::Count(count), Slot::Count(other)) => *count += other,
            (Slot::Int(count, sum), Slot::Int(other_count, other_sum)) => {
                *count += other_count;
                *sum = sum.wrapping_add(*other_sum);
            }
            (Slot::Wide(count, low, high), Slot::Wide(other_count, other_low, other_high)) => {
                *count += other_count;
                (*low, *high) = wide_plus(*low, *high, *other_low, *other_high);
            }
            (Slot::Float(sum), Slot::Float(other)) => sum.plus(other),
            (Slot::Moments(sums), Slot::Moments(other)) => sums.plus(other),
            (slot, other) => unreachable!("one node's sums have one layout: {slot:?} and {other:?}"),
        }
    }

    fn times(&mut self, factor: i64) {
        match self {
            Slot::Count(count) => *count *= factor,
            Slot::Int(count, sum) => {
                *count *= factor;
                *sum = sum.wrapping_mul(i128::from(factor));
            }
            Slot::Wide(count, low, high) => {
                *count *= factor;
                let product = arrow_buffer::i256::from_parts(*low, *high)
                    .wrapping_mul(arrow_buffer::i256::from_i128(i128::from(factor)));
                (*low, *high) = product.to_parts();
            }
            Slot::Float(sum) => sum.times(factor),
            Slot::Moments(sums) => sums.times(factor),
        }
    }

    fn is_zero(&self) -> bool {
        match self {
            Slot::Count(count) => *count == 0,
            Slot::Int(count, sum) => *count == 0 && *sum == 0,
            Slot::Wide(count, low, high) => *count == 0 && *low == 0 && *high == 0,
            Slot::Float(sum) => sum.is_zero(),
            Slot::Moments(sums) => sums.is_zero(),
        }
    }
}

impl IsZero for Sums {
    fn is_zero(&self) -> bool {
        self.rows == 0 && self.slots.iter().all(Slot::is_zero)
    }
}

impl Semigroup for Sums {
    fn plus_equals(&mut self, other: &Sums) {
        self.rows += other.rows;
        if self.slots.is_empty() {
            self.slots.clone_from(&other.slots);
        } else {
            for (slot, other) in self.slots.iter_mut().zip(&other.slots) {
                slot.plus(other);
            }
        }
    }
}

impl Monoid for Sums {
    fn zero() -> Self {
        Sums::default()
    }
}

impl Abelian for Sums {
    fn negate(&mut self) {
        self.rows = -self.rows;
        self.slots.iter_mut().for_each(|slot| slot.times(-1));
    }
}

impl Multiply<i64> for Sums {
    type Output = Sums;

    fn multiply(mut self, factor: &i64) -> Sums {
        if *factor != 1 {
            self.rows *= factor;
            self.slots.iter_mut().for_each(|slot| slot.times(*factor));
        }
        self
    }
}

impl Sums {
    /// The sums as bytes, from which [`Sums::from_bytes`] makes them again.
    pub fn to_bytes(&self) -> Vec<u8> {
        match bincode::serialize(self) {
            Ok(bytes) => bytes,
            Err(error) => unreachable!("numbers are written into memory: {error}"),
        }
    }

    /// The sums that [`Sums::to_bytes`] has written.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        match bincode::deserialize(bytes) {
            Ok(sums) => sums,
            Err(error) => unreachable!("the bytes were written from sums: {error}"),
        }
    }
}
