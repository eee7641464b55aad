//! Text of a scalar to its value, over bytes. These run once a field: they neither allocate nor look at a byte twice
//! in the usual case.

use arrow_cast::base64::{BASE64_STANDARD, Engine};

const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// The one zero and the one NaN that tables hold.
pub fn normal(value: f64) -> f64 {
    if value == 0.0 {
        0.0
    } else if value.is_nan() {
        f64::NAN
    } else {
        value
    }
}

/// A whole number of 64 bits, with an optional sign and any leading zeros.
pub fn parse_int(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() {
        return None;
    }
    // Negative numbers reach one further, so the sum runs below zero.
    let mut value: i64 = 0;
    if digits.len() <= 18 {
        for byte in digits {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            value = value * 10 - i64::from(digit);
        }
    } else {
        for byte in digits {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            value = value.checked_mul(10)?.checked_sub(i64::from(digit))?;
        }
    }
    if negative { Some(value) } else { value.checked_neg() }
}

/// A finite number, correctly rounded and normalised. The short path (at most 19 digits whose value fits 53 bits, and
/// a power of ten that is exact) is Clinger's: one exact operand times or divided by another, rounded once.
pub fn parse_float(text: &[u8]) -> Option<f64> {
    let mut rest = text;
    let negative = match rest {
        [b'-', tail @ ..] => {
            rest = tail;
            true
        }
        [b'+', tail @ ..] => {
            rest = tail;
            false
        }
        _ => false,
    };
    let mut mantissa: u64 = 0;
    let mut count = 0;
    let mut exponent: i64 = 0;
    let mut position = 0;
    while let Some(digit) = rest.get(position).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit <= 9) {
        mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit));
        position += 1;
        count += 1;
    }
    if rest.get(position) == Some(&b'.') {
        position += 1;
        while let Some(digit) = rest.get(position).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit <= 9) {
            mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit));
            position += 1;
            count += 1;
            exponent -= 1;
        }
    }
    if count == 0 {
        return None;
    }
    if position == rest.len() && count <= 19 && mantissa <= 1 << 53 && exponent >= -22 {
        let value = mantissa as f64 / POWERS[(-exponent) as usize];
        return Some(normal(if negative { -value } else { value }));
    }
    let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    value.is_finite().then(|| normal(value))
}

/// `NaN`, `inf`, `-inf`: how floats that are no numbers are written, since JSON has no spelling of its own.
pub fn parse_special_float(text: &[u8]) -> Option<f64> {
    match text {
        b"NaN" | b"nan" => Some(f64::NAN),
        b"inf" | b"Infinity" | b"+inf" => Some(f64::INFINITY),
        b"-inf" | b"-Infinity" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

/// A fixed-point number as its digits at `scale`. A digit other than zero that does not fit is no rounding: `None`.
pub fn parse_decimal(text: &[u8], precision: u8, scale: i8) -> Option<i128> {
    let (number, exponent) = match text.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        Some(at) => (&text[..at], parse_int(&text[at + 1..])?),
        None => (text, 0),
    };
    let (negative, number) = match number {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, number),
    };
    let mut value: i128 = 0;
    let mut after_point: Option<i64> = None;
    let mut any = false;
    // Zeros wait here until a digit follows them, so that `1.500000` fits any scale.
    let mut zeros: u32 = 0;
    for byte in number {
        match byte {
            b'.' if after_point.is_none() => after_point = Some(0),
            b'0'..=b'9' => {
                any = true;
                if let Some(count) = &mut after_point {
                    *count += 1;
                }
                if *byte == b'0' {
                    zeros += 1;
                    continue;
                }
                let shift = if value == 0 { 1 } else { 10i128.checked_pow(zeros + 1)? };
                value = value.checked_mul(shift)?.checked_add(i128::from(byte - b'0'))?;
                zeros = 0;
            }
            _ => return None,
        }
    }
    if !any {
        return None;
    }
    let shift =
        exponent.checked_sub(after_point.unwrap_or(0))?.checked_add(i64::from(zeros))?.checked_add(i64::from(scale))?;
    if value != 0 {
        let power = 10i128.checked_pow(u32::try_from(shift.unsigned_abs()).ok()?);
        value = match (shift >= 0, power) {
            (true, power) => value.checked_mul(power?)?,
            (false, Some(power)) if value % power == 0 => value / power,
            (false, _) => return None,
        };
    }
    let limit = 10i128.checked_pow(u32::from(precision))?;
    (value < limit).then_some(if negative { -value } else { value })
}

/// The text of a fixed-point number.
pub fn format_decimal(value: i128, scale: i8) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let digits = value.unsigned_abs().to_string();
    let Ok(scale) = usize::try_from(scale) else {
        return format!("{sign}{digits}{}", "0".repeat(usize::from(scale.unsigned_abs())));
    };
    if scale == 0 {
        return format!("{sign}{digits}");
    }
    let padded = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = padded.split_at(padded.len() - scale);
    format!("{sign}{whole}.{fraction}")
}

/// Bytes from standard base64.
pub fn parse_base64(text: &[u8]) -> Option<Vec<u8>> {
    BASE64_STANDARD.decode(text).ok()
}

/// Bytes as standard base64.
pub fn format_base64(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_to_their_ends() {
        for value in [0, 1, -1, 999_999_999_999_999_999, i64::MAX, i64::MIN] {
            assert_eq!(parse_int(value.to_string().as_bytes()), Some(value));
        }
        for text in ["", "-", "+", "1.0", "1 ", "9223372036854775808", "-9223372036854775809", "0x1"] {
            assert_eq!(parse_int(text.as_bytes()), None, "{text}");
        }
        assert_eq!(parse_int(b"007"), Some(7));
    }

    #[test]
    fn floats_round_as_the_standard_library_does() {
        let mut seed = 88_172_645_463_325_252u64;
        for _ in 0..200_000 {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            let texts = [
                format!("{}.{}", seed % 1_000_000, seed >> 40),
                format!("{}.{}", seed >> 3, seed % 10_007),
                format!("{:e}", f64::from_bits(seed)),
            ];
            for text in texts {
                let expected = text.parse::<f64>().unwrap();
                if expected.is_finite() {
                    assert_eq!(
                        parse_float(text.as_bytes()).map(f64::to_bits),
                        Some(normal(expected).to_bits()),
                        "{text}"
                    );
                }
            }
        }
        assert_eq!(parse_float(b"-0.0").map(f64::to_bits), Some(0));
        for text in ["", ".", "-", "1e", "1e400", "abc", "1.2.3", "inf"] {
            assert_eq!(parse_float(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn decimals_are_exact_or_refused() {
        assert_eq!(parse_decimal(b"12.5", 10, 2), Some(1250));
        assert_eq!(parse_decimal(b"-0.01000", 10, 2), Some(-1));
        assert_eq!(parse_decimal(b"1.25e2", 5, 0), Some(125));
        assert_eq!(parse_decimal(b"100", 3, 0), Some(100));
        assert_eq!(parse_decimal(b"0.000", 3, 0), Some(0));
        for text in ["0.001", "1e9", "123456789", "", ".", "1.2.3", "x"] {
            assert_eq!(parse_decimal(text.as_bytes(), 10, 2), None, "{text}");
        }
        for (value, scale, text) in [(1250, 2, "12.50"), (-1, 2, "-0.01"), (7, 0, "7"), (7, -2, "700")] {
            assert_eq!(format_decimal(value, scale), text);
        }
    }
}
