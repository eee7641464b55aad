//! Ratios of long integers, and their roots, rounded once to the nearest double.

use num_bigint::BigUint;

use super::exact::scale;

/// Bits that a quotient is computed to: those of a double and enough to round by.
const QUOTIENT_BITS: i64 = 66;

/// `above` / `below` · 2^`exponent`, rounded to nearest, ties to even; too large is infinite. `below` is not zero.
pub(super) fn ratio(above: &BigUint, below: &BigUint, exponent: i64) -> f64 {
    let shift = QUOTIENT_BITS - bits(above) + bits(below);
    let (quotient, is_exact) = quotient(above, below, shift);
    rounded(&quotient, is_exact, exponent - shift)
}

/// As [`ratio`] for what fits into machine words, which most means do.
pub(super) fn small_ratio(above: u128, below: u64, exponent: i64) -> f64 {
    let shift = above.leading_zeros();
    if shift == u128::BITS {
        return 0.0;
    }
    // A quotient of 65 bits or more: those of a double, the one to round by, and whether something is left.
    let (shifted, divisor) = (above << shift, u128::from(below));
    let (quotient, left) = (shifted / divisor, shifted % divisor);
    let exponent_of_quotient = exponent - i64::from(shift);
    let lowest = i64::from(u128::BITS - 1 - quotient.leading_zeros()) + exponent_of_quotient - 52;
    if lowest < -1074 {
        // Fewer bits are kept of a result that small.
        return ratio(&BigUint::from(above), &BigUint::from(below), exponent);
    }
    let drop = lowest - exponent_of_quotient;
    let (kept, rest, half) = (quotient >> drop, quotient & ((1 << drop) - 1), 1 << (drop - 1));
    let up = rest > half || (rest == half && (left != 0 || kept & 1 == 1));
    scale((kept + u128::from(up)) as f64, i32::try_from(lowest).unwrap_or(i32::MAX))
}

/// The square root of `above` / `below` · 2^`exponent`, rounded like [`ratio`].
pub(super) fn root(above: &BigUint, below: &BigUint, exponent: i64) -> f64 {
    let mut shift = 2 * QUOTIENT_BITS - bits(above) + bits(below);
    shift += (exponent - shift).rem_euclid(2);
    let (quotient, is_exact) = quotient(above, below, shift);
    let root = quotient.sqrt();
    let is_exact = is_exact && &root * &root == quotient;
    rounded(&root, is_exact, (exponent - shift) / 2)
}

/// The whole number nearest to the square root of `above` / `below`; the larger one of two.
pub(super) fn nearest_root(above: &BigUint, below: &BigUint) -> BigUint {
    let halves = ((above << 2u8) / below).sqrt();
    (halves + 1u8) >> 1u8
}

fn bits(value: &BigUint) -> i64 {
    i64::try_from(value.bits()).unwrap_or(i64::MAX)
}

/// `above` · 2^`shift` / `below` rounded down, and whether that is exact.
fn quotient(above: &BigUint, below: &BigUint, shift: i64) -> (BigUint, bool) {
    let (mut above, mut below) = (above.clone(), below.clone());
    if shift >= 0 {
        above <<= shift.unsigned_abs()
    } else {
        below <<= shift.unsigned_abs()
    }
    let quotient = &above / &below;
    let is_exact = &quotient * &below == above;
    (quotient, is_exact)
}

/// `value` · 2^`exponent`, where `value` has bits enough to round by or is zero; unless it `is_exact`, a little more.
fn rounded(value: &BigUint, is_exact: bool, exponent: i64) -> f64 {
    if value.bits() == 0 {
        return 0.0;
    }
    // Where the lowest bit of the result stands: below the 53rd, but never below that of the least double.
    let top = bits(value) - 1 + exponent;
    let lowest = (top - 52).max(-1074);
    let drop = (lowest - exponent).unsigned_abs();
    let mut kept = value >> drop;
    let half = BigUint::from(1u8) << (drop - 1);
    let rest = value - (&kept << drop);
    let is_odd = kept.bit(0);
    if rest > half || (rest == half && (is_odd || !is_exact)) {
        kept += 1u8;
    }
    let digits = kept.to_u64_digits();
    let kept = digits.first().copied().unwrap_or(0);
    scale(kept as f64, i32::try_from(lowest).unwrap_or(i32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn big(value: u64) -> BigUint {
        BigUint::from(value)
    }

    #[test]
    fn quotients_round_as_doubles_do() {
        let mut state = 3u64;
        for _ in 0..20_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let above = state >> (11 + state % 40);
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let below = (state >> (11 + state % 50)).max(1);
            // Both are exact as doubles, so one division rounds once.
            assert_eq!(ratio(&big(above), &big(below), 0), above as f64 / below as f64, "{above} / {below}");
            assert_eq!(small_ratio(u128::from(above), below, 0), above as f64 / below as f64, "{above} / {below}");
            let (wide, exponent) =
                (u128::from(above) << (state % 64) | u128::from(below), (state % 2_200) as i64 - 1_200);
            let exact = ratio(&BigUint::from(wide), &big(below), exponent);
            assert_eq!(small_ratio(wide, below, exponent), exact, "{wide} / {below} · 2^{exponent}");
            assert_eq!(root(&big(above), &big(1), 0), (above as f64).sqrt(), "root of {above}");
        }
    }

    #[test]
    fn ties_go_to_even_and_ends_are_kept() {
        let one = 1u64 << 53;
        assert_eq!(ratio(&big(one + 1), &big(1), 0), one as f64);
        assert_eq!(ratio(&big(one + 3), &big(1), 0), (one + 4) as f64);
        assert_eq!(ratio(&big((one + 1) * 3 + 1), &big(3), 0), (one + 2) as f64, "a little above the tie");
        assert_eq!(ratio(&big(1), &big(1), -1074), 5e-324);
        assert_eq!(ratio(&big(1), &big(2), -1074), 0.0, "half of the least double");
        assert_eq!(ratio(&big(3), &big(4), -1074), 5e-324);
        assert_eq!(ratio(&big(1), &big(1), 1024), f64::INFINITY);
        assert_eq!(ratio(&big(0), &big(7), 0), 0.0);
        assert_eq!(root(&big(1), &big(1), -2148), 5e-324);
        assert_eq!(nearest_root(&big(2), &big(1)), big(1));
        assert_eq!(nearest_root(&big(3), &big(1)), big(2));
        assert_eq!(nearest_root(&big(50), &big(1)), big(7));
    }
}
