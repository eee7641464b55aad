//! Random expressions that fail on some rows, and rows on which they do: for the law that a batch gives what its rows
//! give one by one. They are text only: nothing here says what is right.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};

use super::Random;

/// The columns that the expressions read, as a schema in Tide.
pub const SCHEMA: &str = "{ n: int?, a: int?, b: int?, s: text? }";

/// A whole number that now and then fails: division by zero, overflow, a cast of a text that is no number, inside
/// branches that may or may not be taken.
pub fn fallible_int(random: &mut Random, depth: usize) -> String {
    if depth == 0 {
        return (*random.pick(&["a", "b", "n", "int(s)", "9223372036854775807", "0", "3"])).to_string();
    }
    let inner = |random: &mut Random| fallible_int(random, depth - 1);
    match random.below(10) {
        0 => format!("(-({}))", inner(random)),
        1 => format!("({} / {})", inner(random), inner(random)),
        2 => format!("({} % {})", inner(random), inner(random)),
        3 => format!("({} * {})", inner(random), inner(random)),
        4 => format!("({} + {})", inner(random), inner(random)),
        5 => format!("({} - {})", inner(random), inner(random)),
        6 => format!("({} ?? {})", inner(random), inner(random)),
        7 => format!("try({}, {})", inner(random), inner(random)),
        _ => {
            format!(
                "case {{ {} => {}, else => {} }}",
                fallible_condition(random, depth - 1),
                inner(random),
                inner(random)
            )
        }
    }
}

/// A condition over such numbers.
pub fn fallible_condition(random: &mut Random, depth: usize) -> String {
    let left = fallible_int(random, depth);
    let right = fallible_int(random, depth);
    match random.below(5) {
        0 => format!("({left} > {right} and {} != 0)", fallible_int(random, 0)),
        1 => format!("({left} > {right} or {} == 0)", fallible_int(random, 0)),
        2 => format!("({left} is null)"),
        3 => format!("({left} in [0, 1, {right}])"),
        _ => format!("({left} <= {right})"),
    }
}

/// Rows with zeros, nulls, extremes and texts that are no numbers; column `n` counts them.
pub fn rows(random: &mut Random, count: usize) -> RecordBatch {
    let extreme = |random: &mut Random| {
        let values = [Some(0), Some(1), Some(-1), Some(7), None, Some(i64::MAX), Some(i64::MIN), Some(3_037_000_500)];
        *random.pick(&values)
    };
    let texts = [Some("12"), Some("x"), Some(""), None, Some("-5"), Some("99999999999999999999"), Some("1.5")];
    let n = Int64Array::from_iter_values(0..count as i64);
    let a: Int64Array = (0..count).map(|_| extreme(random)).collect();
    let b: Int64Array = (0..count).map(|_| extreme(random)).collect();
    let s: StringArray = (0..count).map(|_| texts[random.below(texts.len())]).collect();
    let columns: [(&str, ArrayRef); 4] =
        [("n", Arc::new(n)), ("a", Arc::new(a)), ("b", Arc::new(b)), ("s", Arc::new(s))];
    match RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true))) {
        Ok(batch) => batch,
        Err(error) => unreachable!("four columns of one length: {error}"),
    }
}
