//! A smooth curve that looks like a price: the same value for the same number, on every machine.

/// Levels of the curve: its period in ticks and its height. Long waves are high, short ones low.
const LEVELS: [(i64, f64); 5] = [(100_000, 30.0), (10_000, 10.0), (1_000, 4.0), (100, 1.5), (10, 0.4)];

/// The value of tick `n`: 100 and the sum of the levels, each a line through random points, rounded off at the points.
pub fn value(n: i64) -> f64 {
    let levels = LEVELS.iter().zip(1u64..).map(|((period, height), level)| {
        let (cell, step) = (n.div_euclid(*period), n.rem_euclid(*period));
        let part = step as f64 / *period as f64;
        let eased = part * part * (3.0 - 2.0 * part);
        let (from, to) = (point(level, cell), point(level, cell + 1));
        height * (from + (to - from) * eased)
    });
    // Four digits are what prices have, and short in print.
    ((100.0 + levels.sum::<f64>()) * 10_000.0).round() / 10_000.0
}

/// A number from -1 to 1 that belongs to a point (the finaliser of splitmix64).
fn point(level: u64, cell: i64) -> f64 {
    let mut bits =
        (cell as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(level.wrapping_mul(0xD1B5_4A32_D192_ED03));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^= bits >> 31;
    (bits >> 11) as f64 / (1u64 << 52) as f64 - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_moves_smoothly_and_stays_in_its_range() {
        let values: Vec<f64> = (0..200_000).map(value).collect();
        assert!(values.windows(2).all(|pair| (pair[0] - pair[1]).abs() < 0.5));
        assert!(values.iter().all(|value| (50.0..150.0).contains(value)));
        let lowest = values.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        assert!(highest - lowest > 5.0, "it does move: {lowest} to {highest}");
    }
}
