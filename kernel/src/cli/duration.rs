//! Lengths of time as Tide writes them.

use std::time::Duration;

/// Reads `250ms`, `5s`, `1m`, `2h` or `3d`.
///
/// # Errors
/// With a sentence that says what is expected.
pub fn parse(text: &str) -> Result<Duration, String> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let scale = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err("expected a number and a unit, such as `250ms`, `30s`, `5m`, `2h` or `1d`".to_string()),
    };
    let number: u64 = number.parse().map_err(|_| "expected a whole number before the unit".to_string())?;
    let millis = number.checked_mul(scale).ok_or("the time is too long")?;
    Ok(Duration::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unit() {
        let cases = [("250ms", 250), ("5s", 5_000), ("2m", 120_000), ("1h", 3_600_000), ("1d", 86_400_000)];
        for (text, millis) in cases {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "5", "s", "-1s", "1.5s", "5 s", "5w", "99999999999999999d", "999999999999999999999s"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
