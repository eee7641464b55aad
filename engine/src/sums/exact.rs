//! Exact sums of floats, of their squares, and of integers of any width.
//!
//! A finite double is a whole multiple of 2^-1074 below 2^2098, so a sum of doubles is a (long) integer. It is kept in
//! digits of 32 bits in 64-bit words, whose spare bits put carries off, as in the small superaccumulator of R. M. Neal,
//! "Fast exact summation using small and large superaccumulators" (2015, arXiv:1505.05571); only the digits that are in
//! use are stored. It is rounded once, when read, to nearest with ties to even.

use std::borrow::Cow;

use num_bigint::BigInt;
use serde::{Deserialize, Serialize};

/// Bits of a digit.
const DIGIT: u32 = 32;
const BASE: i64 = 1 << DIGIT;
/// A word holds this many additions of digits before carries must be passed on.
const MAX_PENDING: u32 = 1 << 29;
/// The least exponent of a double: bit 0 of digit 0 is worth 2^-1074.
pub(super) const LEAST_EXPONENT: i64 = -1074;

/// An exact sum: Σ `digits[i]` · 2^(32·(`first` + i)), counted in 2^-1074 for floats, in 2^-2148 for their squares, and in ones
/// for integers.
///
/// *Invariant:* with `pending == 0` all digits but the last are in 0..2^32, and neither the first nor the last is
/// zero; then equal sums have equal representations, and zero has no digits.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct ExactSum {
    first: u32,
    digits: Vec<i64>,
    /// Additions since carries were last passed on.
    pending: u32,
}

impl ExactSum {
    /// Adds a finite value `diff` times. Call [`ExactSum::settle`] before comparing or storing.
    #[inline]
    pub fn add(&mut self, value: f64, diff: i64) {
        let (mantissa, position) = parts(value);
        if mantissa == 0 || diff == 0 {
            return;
        }
        let negative = value.is_sign_negative() != (diff < 0);
        if diff.unsigned_abs() != 1 {
            return self.add_often(mantissa, position, diff, negative);
        }
        // 53 bits, shifted by at most 31, are three digits.
        let shifted = u128::from(mantissa) << (position % DIGIT);
        let place = position / DIGIT;
        let part = |i: u32| i64::from((shifted >> (DIGIT * i)) as u32);
        let parts = [part(0), part(1), part(2)];
        if place < self.first || (place - self.first) as usize + parts.len() > self.digits.len() {
            self.reach(place, place + parts.len() as u32);
        }
        let start = (place - self.first) as usize;
        if let Some(words) = self.digits.get_mut(start..start + parts.len()) {
            for (word, part) in words.iter_mut().zip(parts) {
                *word += if negative { -part } else { part };
            }
        }
        self.added();
    }

    fn add_often(&mut self, mantissa: u64, position: u32, diff: i64, negative: bool) {
        let magnitude = u128::from(mantissa) * u128::from(diff.unsigned_abs());
        let low_bits = position % DIGIT;
        // 53 bits times 63 bits, shifted by at most 31: the part above 128 bits goes on by itself.
        let low = magnitude << low_bits;
        let high = if low_bits == 0 { 0 } else { magnitude >> (128 - low_bits) };
        let digit = position / DIGIT;
        let mut parts = [0i64; 5];
        for (i, part) in parts.iter_mut().take(4).enumerate() {
            *part = ((low >> (DIGIT as usize * i)) as u64 & (BASE as u64 - 1)) as i64;
        }
        parts[4] = high as i64;
        self.add_digits(digit, &parts, negative);
    }

    /// Adds the square of a finite value `diff` times. Call [`ExactSum::settle`] before comparing or storing.
    pub fn add_square(&mut self, value: f64, diff: i64) {
        let (mantissa, position) = parts(value);
        let square = u128::from(mantissa) * u128::from(mantissa);
        let digits = multiplied(square, [1, u128::from(diff.unsigned_abs())], 2 * position % DIGIT);
        self.add_digits(2 * position / DIGIT, &digits, diff < 0);
    }

    /// Adds the product of two integers `diff` times. Call [`ExactSum::settle`] before comparing or storing.
    pub fn add_product(&mut self, left: i128, right: i128, diff: i64) {
        let factors = [right.unsigned_abs(), u128::from(diff.unsigned_abs())];
        let negative = (left < 0) != (right < 0);
        self.add_digits(0, &multiplied(left.unsigned_abs(), factors, 0), negative != (diff < 0));
    }

    /// Adds digits from a place on, or takes them away.
    #[inline]
    fn add_digits(&mut self, place: u32, parts: &[i64], negative: bool) {
        let Some(last) = parts.iter().rposition(|part| *part != 0) else { return };
        let used = last + 1;
        self.reach(place, place + used as u32);
        let start = (place - self.first) as usize;
        for (word, part) in self.digits[start..].iter_mut().zip(&parts[..used]) {
            *word += if negative { -part } else { *part };
        }
        self.added();
    }

    /// Counts an addition, and passes carries on in good time.
    #[inline]
    fn added(&mut self) {
        self.pending += 1;
        if self.pending >= MAX_PENDING {
            self.settle();
        }
    }

    /// The sum as an integer, in its units.
    pub fn to_integer(&self) -> BigInt {
        let mut sum = Cow::Borrowed(self);
        if sum.pending != 0 {
            sum.to_mut().settle();
        }
        let digits = sum.digits.iter().rev();
        let whole = digits.fold(BigInt::ZERO, |whole, digit| (whole << DIGIT) + BigInt::from(*digit));
        whole << (sum.first as usize * DIGIT as usize)
    }

    /// The sum as `whole` · 2^`exponent` of its units, if it has few digits.
    pub fn to_small(&self) -> Option<(i128, i64)> {
        // Three digits leave room for the sign and for carries that are pending in the last one.
        if self.digits.len() > 3 || self.pending != 0 {
            return None;
        }
        let whole = self.digits.iter().rev().fold(0i128, |whole, digit| (whole << DIGIT) + i128::from(*digit));
        Some((whole, i64::from(self.first * DIGIT)))
    }

    /// Makes room for the digits `from..to`.
    fn reach(&mut self, from: u32, to: u32) {
        if self.digits.is_empty() {
            self.first = from;
        }
        if from < self.first {
            let missing = (self.first - from) as usize;
            self.digits.splice(0..0, std::iter::repeat_n(0, missing));
            self.first = from;
        }
        let length = (to - self.first) as usize;
        if length > self.digits.len() {
            self.digits.resize(length, 0);
        }
    }

    /// Passes carries on and drops digits that are not in use.
    pub fn settle(&mut self) {
        let mut carry = 0i64;
        for digit in &mut self.digits {
            let sum = *digit + carry;
            carry = sum >> DIGIT;
            *digit = sum & (BASE - 1);
        }
        // The last digit carries the sign: it is the only one that may be negative or large.
        while carry != 0 && carry != -1 {
            self.digits.push(carry & (BASE - 1));
            carry >>= DIGIT;
        }
        if carry == -1 {
            self.digits.push(-1);
        }
        // …ffff -1 is -1 one place lower.
        while let [.., before, last] = &mut self.digits[..] {
            if *last != -1 || *before != BASE - 1 {
                break;
            }
            *before = -1;
            self.digits.pop();
        }
        while self.digits.last() == Some(&0) {
            self.digits.pop();
        }
        let zeros = self.digits.iter().take_while(|digit| **digit == 0).count();
        self.digits.drain(..zeros);
        self.first = if self.digits.is_empty() { 0 } else { self.first + zeros as u32 };
        self.pending = 0;
    }

    /// Adds another sum.
    pub fn plus(&mut self, other: &ExactSum) {
        if other.digits.is_empty() {
            return;
        }
        self.reach(other.first, other.first + other.digits.len() as u32);
        let start = (other.first - self.first) as usize;
        for (word, digit) in self.digits[start..].iter_mut().zip(&other.digits) {
            *word += digit;
        }
        self.settle();
    }

    /// Multiplies by a whole number.
    pub fn times(&mut self, factor: i64) {
        self.settle();
        let mut carry = 0i128;
        for digit in &mut self.digits {
            let product = i128::from(*digit) * i128::from(factor) + carry;
            *digit = (product & i128::from(BASE - 1)) as i64;
            carry = product >> DIGIT;
        }
        while carry != 0 && carry != -1 {
            self.digits.push((carry & i128::from(BASE - 1)) as i64);
            carry >>= DIGIT;
        }
        if carry == -1 {
            self.digits.push(-1);
        }
        self.settle();
    }

    /// True if the sum is zero.
    pub fn is_zero(&self) -> bool {
        if self.pending == 0 {
            return self.digits.is_empty();
        }
        let mut settled = self.clone();
        settled.settle();
        settled.digits.is_empty()
    }

    /// The sum, rounded to the nearest double, ties to even; too large is infinite.
    pub fn round(&self) -> f64 {
        let mut sum = Cow::Borrowed(self);
        if sum.pending != 0 {
            sum.to_mut().settle();
        }
        let negative = sum.digits.last().is_some_and(|last| *last < 0);
        if negative {
            let sum = sum.to_mut();
            sum.digits.iter_mut().for_each(|digit| *digit = -*digit);
            sum.settle();
        }
        let Some(last) = sum.digits.last() else { return 0.0 };
        // Position of the highest bit, counted from 2^-1074.
        let top = (sum.first as usize + sum.digits.len() - 1) as i64 * i64::from(DIGIT)
            + i64::from(63 - last.leading_zeros());
        // 53 bits are kept; fewer where the result is subnormal.
        let lowest = if top < 53 { 0 } else { top - 52 };
        let mut kept = 0u64;
        for position in (lowest..=top).rev() {
            kept = kept << 1 | sum.bit(position);
        }
        if lowest > 0 && sum.bit(lowest - 1) == 1 && (kept & 1 == 1 || sum.any_below(lowest - 1)) {
            kept += 1;
        }
        // 53 bits that became 2^53 by rounding are still exact as a double.
        let value = scale(kept as f64, (lowest + LEAST_EXPONENT) as i32);
        if negative { -value } else { value }
    }

    fn bit(&self, position: i64) -> u64 {
        let digit = position / i64::from(DIGIT) - i64::from(self.first);
        usize::try_from(digit)
            .ok()
            .and_then(|digit| self.digits.get(digit))
            .map_or(0, |word| (*word as u64 >> (position % i64::from(DIGIT))) & 1)
    }

    /// True if a bit below the position is set.
    fn any_below(&self, position: i64) -> bool {
        let low = |digit: usize| (self.first as usize + digit) as i64 * i64::from(DIGIT);
        self.digits.iter().enumerate().any(|(digit, word)| {
            let bits = position - low(digit);
            if bits <= 0 {
                false
            } else if bits >= i64::from(DIGIT) {
                *word != 0
            } else {
                *word & ((1 << bits) - 1) != 0
            }
        })
    }
}

/// Mantissa and exponent of a finite double: its size is `mantissa` · 2^(`exponent` − 1074).
#[inline]
fn parts(value: f64) -> (u64, u32) {
    let bits = value.to_bits();
    let exponent = ((bits >> 52) & 0x7ff) as u32;
    let fraction = bits & ((1 << 52) - 1);
    if exponent == 0 { (fraction, 0) } else { (fraction | 1 << 52, exponent - 1) }
}

/// Digits of `value` times the factors times 2^`shift`, which is less than a digit.
fn multiplied(value: u128, factors: [u128; 2], shift: u32) -> [i64; 13] {
    let digit = |value: u128, place: usize| (value >> (DIGIT as usize * place)) as u64 & (BASE as u64 - 1);
    let mut product = [0u64; 13];
    (0..4).for_each(|place| product[place] = digit(value, place));
    for factor in factors {
        let mut next = [0u64; 13];
        for (i, left) in product.into_iter().enumerate().filter(|(_, left)| *left != 0) {
            let mut carry = 0;
            for (place, sum) in next[i..].iter_mut().enumerate() {
                let right = if place < 4 { digit(factor, place) } else { 0 };
                let word = left * right + *sum + carry;
                *sum = word & (BASE as u64 - 1);
                carry = word >> DIGIT;
            }
        }
        product = next;
    }
    let mut carry = 0;
    product.map(|part| {
        let word = part << shift | carry;
        carry = word >> DIGIT;
        (word & (BASE as u64 - 1)) as i64
    })
}

/// `value` · 2^`exponent`, where the result is exact or infinite.
pub(super) fn scale(value: f64, exponent: i32) -> f64 {
    let power = |exponent: i32| f64::from_bits(((exponent + 1023) as u64) << 52);
    if exponent < -1022 {
        // In two steps, the second of which may give a subnormal; nothing is lost, since bits below are not in use.
        value * power(exponent + 100) * power(-100)
    } else if exponent > 1023 {
        value * power(1023) * power(exponent.min(2046) - 1023)
    } else {
        value * power(exponent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(values: &[f64]) -> ExactSum {
        let mut sum = ExactSum::default();
        values.iter().for_each(|value| sum.add(*value, 1));
        sum.settle();
        sum
    }

    /// A generator of numbers (xorshift64*, S. Vigna), so that a failure comes again.
    struct Random(u64);

    impl Random {
        fn next(&mut self) -> u64 {
            self.0 ^= self.0 >> 12;
            self.0 ^= self.0 << 25;
            self.0 ^= self.0 >> 27;
            self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
        }

        fn float(&mut self) -> f64 {
            loop {
                let value = match self.next() % 4 {
                    0 => f64::from_bits(self.next()),
                    1 => (self.next() % 1_000) as f64 / 10.0 - 50.0,
                    2 => f64::from_bits(self.next() & 0x800f_ffff_ffff_ffff),
                    _ => (self.next() as i64) as f64,
                };
                if value.is_finite() {
                    return value;
                }
            }
        }
    }

    #[test]
    fn one_value_reads_back() {
        let mut random = Random(7);
        let special = [0.0, f64::MIN_POSITIVE, 5e-324, -5e-324, f64::MAX, f64::MIN, 1.0, -1.5, 4503599627370497.5];
        for value in special.into_iter().chain((0..20_000).map(|_| random.float())) {
            assert_eq!(sum(&[value]).round(), value, "{value:e}");
        }
    }

    #[test]
    fn rounds_once_to_nearest_even() {
        let ulp = 2f64.powi(-52);
        assert_eq!(sum(&[1.0, ulp / 2.0]).round(), 1.0, "a tie goes to even");
        assert_eq!(sum(&[1.0, ulp / 2.0, 5e-324]).round(), 1.0 + ulp, "the least bit breaks the tie");
        assert_eq!(sum(&[1.0 + ulp, ulp / 2.0]).round(), 1.0 + 2.0 * ulp);
        assert_eq!(sum(&[-1.0, -ulp / 2.0, -5e-324]).round(), -1.0 - ulp);
        assert_eq!(sum(&[f64::MAX, f64::MAX]).round(), f64::INFINITY);
        assert_eq!(sum(&[f64::MIN, f64::MIN]).round(), f64::NEG_INFINITY);
        assert_eq!(sum(&[f64::MAX, f64::MAX, -f64::MAX]).round(), f64::MAX, "too large on the way is no matter");
        assert_eq!(sum(&[1e308, 1e308, 1.0, -1e308, -1e308]).round(), 1.0);
        assert_eq!(sum(&[0.1; 10]).round(), 1.0, "exactly ten times the double next to 0.1");
    }

    #[test]
    fn order_and_retraction_leave_no_trace() {
        let mut random = Random(99);
        for round in 0..200 {
            let mut values: Vec<(f64, i64)> =
                (0..50).map(|_| (random.float(), (random.next() % 2_001) as i64 - 1_000)).collect();
            let total = |values: &[(f64, i64)]| {
                let mut sum = ExactSum::default();
                values.iter().for_each(|(value, diff)| sum.add(*value, *diff));
                sum.settle();
                sum
            };
            let expected = total(&values);
            for i in (1..values.len()).rev() {
                values.swap(i, (random.next() % (i as u64 + 1)) as usize);
            }
            let (left, right) = values.split_at(20);
            let mut halves = total(left);
            halves.plus(&total(right));
            assert_eq!(halves, expected, "round {round}");
            assert_eq!(halves.round().to_bits(), expected.round().to_bits());
            let mut negated = total(&values);
            negated.times(-1);
            halves.plus(&negated);
            assert!(halves.is_zero(), "round {round}: {halves:?}");
        }
    }

    #[test]
    fn squares_and_products_are_exact() {
        let mut random = Random(11);
        for _ in 0..2_000 {
            let (left, right) = (random.next() as i64 as i128 * random.next() as i64 as i128, random.next() as i64);
            let diff = random.next() as i64 >> (random.next() % 62);
            let mut sum = ExactSum::default();
            sum.add_product(left, i128::from(right), diff);
            assert_eq!(sum.to_integer(), BigInt::from(left) * right * diff);
            sum.add_product(left, -i128::from(right), diff);
            sum.settle();
            assert!(sum.is_zero());
            let value = random.float();
            let mut squares = ExactSum::default();
            squares.add_square(value, diff);
            let mut once = ExactSum::default();
            once.add(value, 1);
            assert_eq!(squares.to_integer(), once.to_integer() * once.to_integer() * diff, "{value:e} · {diff}");
        }
    }

    #[test]
    fn agrees_with_integers() {
        let mut random = Random(5);
        for _ in 0..2_000 {
            let values: Vec<i64> = (0..20).map(|_| (random.next() as i64) >> (random.next() % 40 + 11)).collect();
            let exact: i128 = values.iter().map(|value| i128::from(*value)).sum();
            let floats: Vec<f64> = values.iter().map(|value| *value as f64).collect();
            assert_eq!(sum(&floats).round(), exact as f64);
            let mut scaled = sum(&floats);
            scaled.times(1_000_003);
            assert_eq!(scaled.round(), (exact * 1_000_003) as f64);
        }
    }
}
