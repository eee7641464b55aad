//! What the bounds of many values say about a condition on each of them.

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{Array, ArrayRef, BooleanArray, UInt64Array};
use arrow_schema::{ArrowError, DataType};
use tidebook_plan::Comparison;

use super::wanted::{Check, compare};

/// What is known of the rows of a part of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// None meets the condition.
    Never,
    /// Some may.
    Maybe,
    /// All do.
    Always,
}

impl Verdict {
    /// What is known of both conditions together.
    #[must_use]
    pub fn and(self, other: Verdict) -> Verdict {
        match (self, other) {
            (Verdict::Never, _) | (_, Verdict::Never) => Verdict::Never,
            (Verdict::Always, Verdict::Always) => Verdict::Always,
            _ => Verdict::Maybe,
        }
    }
}

/// Bounds of one column in several parts of a file, in its Tide type. What is not known is null.
#[derive(Debug)]
pub struct Bounds {
    /// No value is smaller.
    pub least: ArrayRef,
    /// No value is larger; of floats NaN does not count.
    pub most: ArrayRef,
    /// How many values are null.
    pub nulls: UInt64Array,
    /// How many rows there are.
    pub rows: Vec<u64>,
}

impl Bounds {
    /// What they say about a condition, for each part.
    ///
    /// # Errors
    /// Where the bounds are of another type than the condition.
    pub fn judge(&self, check: &Check) -> Result<Vec<Verdict>, ArrowError> {
        let parts = 0..self.rows.len();
        let none_null = |part: usize| self.nulls.is_valid(part) && self.nulls.value(part) == 0;
        let all_null = |part: usize| self.nulls.is_valid(part) && self.nulls.value(part) == self.rows[part];
        Ok(match check {
            Check::Null => parts.map(|part| decide(none_null(part), all_null(part))).collect(),
            Check::NotNull => parts.map(|part| decide(all_null(part), none_null(part))).collect(),
            Check::Is(comparison, value) => {
                let (never, always) = self.compared(*comparison, value)?;
                parts
                    .map(|part| decide(all_null(part) || is(&never, part), none_null(part) && is(&always, part)))
                    .collect()
            }
            Check::In(values) => {
                let never = values.iter().map(|value| Ok(self.compared(Comparison::Equal, value)?.0));
                let never = never.collect::<Result<Vec<_>, ArrowError>>()?;
                parts.map(|part| decide(all_null(part) || never.iter().all(|one| is(one, part)), false)).collect()
            }
        })
    }

    /// Where no value compares so, and where all do.
    fn compared(&self, comparison: Comparison, value: &ArrayRef) -> Result<(BooleanArray, BooleanArray), ArrowError> {
        use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
        let least = |comparison| compare(comparison, &self.least, value);
        let most = |comparison| compare(comparison, &self.most, value);
        let unknown = || BooleanArray::new_null(self.rows.len());
        // Bounds leave NaN out, which is larger than all of them.
        if *value.data_type() == DataType::Float64 {
            if value.as_primitive::<Float64Type>().value(0).is_nan() {
                return Ok((unknown(), unknown()));
            }
            return Ok(match comparison {
                Equal => (either(&least(Greater)?, &most(Less)?), unknown()),
                NotEqual => (unknown(), either(&least(Greater)?, &most(Less)?)),
                Less => (least(GreaterOrEqual)?, unknown()),
                LessOrEqual => (least(Greater)?, unknown()),
                Greater => (unknown(), least(Greater)?),
                GreaterOrEqual => (unknown(), least(GreaterOrEqual)?),
            });
        }
        let outside = || Ok::<_, ArrowError>(either(&least(Greater)?, &most(Less)?));
        Ok(match comparison {
            Equal => (outside()?, both(&least(Equal)?, &most(Equal)?)),
            NotEqual => (both(&least(Equal)?, &most(Equal)?), outside()?),
            Less => (least(GreaterOrEqual)?, most(Less)?),
            LessOrEqual => (least(Greater)?, most(LessOrEqual)?),
            Greater => (most(LessOrEqual)?, least(Greater)?),
            GreaterOrEqual => (most(Less)?, least(GreaterOrEqual)?),
        })
    }
}

fn decide(never: bool, always: bool) -> Verdict {
    match (never, always) {
        (true, _) => Verdict::Never,
        (false, true) => Verdict::Always,
        (false, false) => Verdict::Maybe,
    }
}

fn is(known: &BooleanArray, part: usize) -> bool {
    known.is_valid(part) && known.value(part)
}

fn either(a: &BooleanArray, b: &BooleanArray) -> BooleanArray {
    (0..a.len()).map(|part| Some(is(a, part) || is(b, part))).collect()
}

fn both(a: &BooleanArray, b: &BooleanArray) -> BooleanArray {
    (0..a.len()).map(|part| Some(is(a, part) && is(b, part))).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{Float64Array, Int64Array};

    use super::*;

    /// Every part of up to three values out of 0, 1, 2 and null, with the bounds that it has.
    fn parts() -> Vec<Vec<Option<i64>>> {
        let values = [None, Some(0), Some(1), Some(2)];
        let mut parts = Vec::new();
        for a in values {
            for b in values {
                parts.extend(values.map(|c| vec![a, b, c]));
            }
        }
        parts
    }

    fn checks() -> Vec<(Check, fn(Option<i64>) -> bool)> {
        let value = |value: i64| Arc::new(Int64Array::from(vec![value])) as ArrayRef;
        vec![
            (Check::Is(Comparison::Equal, value(1)), |v| v == Some(1)),
            (Check::Is(Comparison::NotEqual, value(1)), |v| v.is_some_and(|v| v != 1)),
            (Check::Is(Comparison::Less, value(1)), |v| v.is_some_and(|v| v < 1)),
            (Check::Is(Comparison::LessOrEqual, value(1)), |v| v.is_some_and(|v| v <= 1)),
            (Check::Is(Comparison::Greater, value(1)), |v| v.is_some_and(|v| v > 1)),
            (Check::Is(Comparison::GreaterOrEqual, value(1)), |v| v.is_some_and(|v| v >= 1)),
            (Check::In(vec![value(0), value(5)]), |v| v == Some(0)),
            (Check::Null, |v| v.is_none()),
            (Check::NotNull, |v| v.is_some()),
        ]
    }

    #[test]
    fn a_verdict_is_true_of_every_value_and_of_nothing_more_than_the_bounds_tell() {
        let parts = parts();
        let bounds = Bounds {
            least: Arc::new(parts.iter().map(|part| part.iter().flatten().min().copied()).collect::<Int64Array>()),
            most: Arc::new(parts.iter().map(|part| part.iter().flatten().max().copied()).collect::<Int64Array>()),
            nulls: parts.iter().map(|part| Some(part.iter().filter(|v| v.is_none()).count() as u64)).collect(),
            rows: vec![3; parts.len()],
        };
        for (check, meets) in checks() {
            let verdicts = bounds.judge(&check).unwrap();
            let mut decided = 0;
            for (part, verdict) in parts.iter().zip(verdicts) {
                match verdict {
                    Verdict::Never => assert!(!part.iter().any(|v| meets(*v)), "{check:?} {part:?}"),
                    Verdict::Always => assert!(part.iter().all(|v| meets(*v)), "{check:?} {part:?}"),
                    Verdict::Maybe => continue,
                }
                decided += 1;
            }
            assert!(decided > 0, "{check:?} is decided for some parts");
        }
    }

    #[test]
    fn bounds_of_floats_leave_nan_out() {
        let float = |value: f64| Arc::new(Float64Array::from(vec![value])) as ArrayRef;
        // The part may hold 1, 2 and NaN.
        let bounds = Bounds { least: float(1.0), most: float(2.0), nulls: vec![0].into(), rows: vec![3] };
        let judge = |comparison, value| bounds.judge(&Check::Is(comparison, float(value))).unwrap()[0];
        assert_eq!(judge(Comparison::Greater, 5.0), Verdict::Maybe);
        assert_eq!(judge(Comparison::Less, 5.0), Verdict::Maybe);
        assert_eq!(judge(Comparison::Less, 1.0), Verdict::Never);
        assert_eq!(judge(Comparison::Greater, 0.5), Verdict::Always);
        assert_eq!(judge(Comparison::Equal, 5.0), Verdict::Never);
        assert_eq!(judge(Comparison::Equal, f64::NAN), Verdict::Maybe);
    }

    #[test]
    fn what_is_not_known_decides_nothing() {
        let unknown: ArrayRef = Arc::new(Int64Array::from(vec![None]));
        let bounds = Bounds { least: unknown.clone(), most: unknown, nulls: vec![None].into(), rows: vec![3] };
        for (check, _) in checks() {
            assert_eq!(bounds.judge(&check).unwrap(), [Verdict::Maybe], "{check:?}");
        }
    }
}
