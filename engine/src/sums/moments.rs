//! Exact sums of values and of their squares, and what they say about how far the values lie apart.
//!
//! The square of a double is a whole multiple of 2^-2148, so that sums of squares are integers like sums of values. The
//! variance is (n·Σx² − (Σx)²) / (n·(n−1)): computed in integers of any length up to the one division, it is rounded once,
//! and nothing is lost however close the two terms are.

use num_bigint::{BigInt, BigUint};
use serde::{Deserialize, Serialize};

use super::FloatSum;
use super::exact::ExactSum;
use super::ratio::{nearest_root, ratio, root};

/// Count, sum and sum of squares. Floats count in 2^-1074 and their squares in 2^-2148, integers and the digits of
/// decimals in ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Moments {
    /// Count and sum.
    pub values: FloatSum,
    squares: ExactSum,
    /// True if floats were added.
    floats: bool,
}

impl Moments {
    /// Adds a value `diff` times.
    pub fn add_float(&mut self, value: f64, diff: i64) {
        self.floats = true;
        self.values.add(value, diff);
        if value.is_finite() {
            self.squares.add_square(value, diff);
        }
    }

    /// Adds an integer, or a decimal without its point, `diff` times.
    pub fn add_integer(&mut self, value: i128, diff: i64) {
        self.values.count += diff;
        self.values.sum.add_product(value, 1, diff);
        self.squares.add_product(value, value, diff);
    }

    /// Brings the sums into the form in which they are compared and stored.
    pub fn settle(&mut self) {
        self.values.sum.settle();
        self.squares.settle();
    }

    /// Adds others.
    pub fn plus(&mut self, other: &Moments) {
        self.values.plus(&other.values);
        self.squares.plus(&other.squares);
        self.floats |= other.floats;
    }

    /// Multiplies by a whole number.
    pub fn times(&mut self, factor: i64) {
        self.values.times(factor);
        self.squares.times(factor);
    }

    /// True if nothing is left of what was added.
    pub fn is_zero(&self) -> bool {
        self.values.is_zero() && self.squares.is_zero()
    }

    /// How far the values lie apart, of which there are two or more, all finite; `scale` is the number of digits after the
    /// point of decimals.
    pub fn spread(&self, scale: i32) -> Spread {
        let (count, sum) = (BigInt::from(self.values.count), self.values.sum.to_integer());
        let squares = &count * self.squares.to_integer() - &sum * &sum;
        let unit = BigUint::from(10u8).pow(2 * scale.unsigned_abs());
        let pairs =
            BigUint::from(self.values.count.unsigned_abs()) * BigUint::from((self.values.count - 1).unsigned_abs());
        // It is negative only where more rows were taken back than there were.
        let above = squares.to_biguint().unwrap_or_default();
        Spread { above, below: pairs * unit, exponent: if self.floats { -2148 } else { 0 } }
    }
}

/// A variance: `above` / `below` · 2^`exponent`.
pub(crate) struct Spread {
    above: BigUint,
    below: BigUint,
    exponent: i64,
}

impl Spread {
    /// The variance, rounded once.
    pub fn variance(&self) -> f64 {
        ratio(&self.above, &self.below, self.exponent)
    }

    /// Its root, rounded once.
    pub fn deviation(&self) -> f64 {
        root(&self.above, &self.below, self.exponent)
    }

    /// The whole number nearest to its root, of values that are whole.
    pub fn whole_deviation(&self) -> i64 {
        i64::try_from(nearest_root(&self.above, &self.below)).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_floats(values: &[f64]) -> Moments {
        let mut moments = Moments::default();
        values.iter().for_each(|value| moments.add_float(*value, 1));
        moments.settle();
        moments
    }

    fn of_ints(values: &[i64]) -> Moments {
        let mut moments = Moments::default();
        values.iter().for_each(|value| moments.add_integer(i128::from(*value), 1));
        moments.settle();
        moments
    }

    #[test]
    fn close_values_far_from_zero_lose_nothing() {
        assert_eq!(of_floats(&[1e15, 1e15 + 1.0, 1e15 + 2.0]).spread(0).variance(), 1.0);
        assert_eq!(of_floats(&[1e300, 1e300]).spread(0).variance(), 0.0);
        assert_eq!(of_ints(&[i64::MAX, i64::MAX - 2]).spread(0).variance(), 2.0);
        assert_eq!(of_ints(&[i64::MAX, i64::MIN]).spread(0).variance(), 2f64.powi(127));
        assert_eq!(of_ints(&[150, 250]).spread(2).variance(), 0.5);
    }

    #[test]
    fn extremes_neither_overflow_nor_vanish_in_the_root() {
        let large = of_floats(&[f64::MAX, -f64::MAX]).spread(0);
        assert_eq!(large.variance(), f64::INFINITY);
        assert_eq!(large.deviation(), f64::INFINITY, "the root of two times the largest double");
        let far = 2f64.powi(700);
        assert_eq!(of_floats(&[far, 3.0 * far, 5.0 * far]).spread(0).deviation(), 2.0 * far);
        assert_eq!(of_floats(&[5e-324, 15e-324, 25e-324]).spread(0).deviation(), 10e-324);
        assert_eq!(of_floats(&[5e-324, 15e-324]).spread(0).variance(), 0.0);
    }

    #[test]
    fn whole_deviations_are_the_nearest() {
        assert_eq!(of_ints(&[0, 10]).spread(0).whole_deviation(), 7);
        assert_eq!(of_ints(&[0, 2, 4]).spread(0).whole_deviation(), 2);
        assert_eq!(of_ints(&[i64::MIN, i64::MAX]).spread(0).whole_deviation(), i64::MAX);
        assert_eq!(of_ints(&[i64::MIN / 2, i64::MAX / 2]).spread(0).whole_deviation(), 6_521_908_912_666_391_105);
    }

    #[test]
    fn what_is_taken_back_leaves_nothing() {
        let mut moments = of_floats(&[0.1, 1e308, -5e-324, f64::NAN, f64::INFINITY]);
        let mut back = moments.clone();
        back.times(-1);
        moments.plus(&back);
        moments.settle();
        assert!(moments.is_zero());
        let mut ints = of_ints(&[i64::MAX, i64::MAX, i64::MIN]);
        ints.add_integer(i128::from(i64::MAX), -2);
        ints.add_integer(i128::from(i64::MIN), -1);
        ints.settle();
        assert!(ints.is_zero());
    }
}
