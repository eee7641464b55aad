//! What the flow plan keeps or computes for each aggregate of a group.

use std::fmt;

use arrow_schema::DataType;

/// An aggregate kept as a sum: any change of the input changes it in constant time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SumFunction {
    /// Number of rows.
    CountRows,
    /// Number of values that are not null.
    Count,
    /// Sum of int, float, decimal or duration; null without values; an error row where it does not fit its type.
    Sum,
    /// Mean of int, float or decimal as float, of duration or timestamp as such; null without values.
    Avg,
    /// Variance of the sample, of int, float or decimal as float; null below two values.
    Variance,
    /// Standard deviation of the sample, of int, float or decimal as float, of duration as such; null below two values.
    StandardDeviation,
}

/// A number from 0 to 1.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fraction(u64);

impl Fraction {
    /// One half.
    pub const HALF: Fraction = Fraction(0.5f64.to_bits());

    /// The fraction, if it lies from 0 to 1.
    pub fn new(value: f64) -> Option<Self> {
        // Adding zero turns -0.0 into 0.0: equal fractions have equal bits.
        (0.0..=1.0).contains(&value).then(|| Fraction((value + 0.0).to_bits()))
    }

    /// The number.
    pub fn value(self) -> f64 {
        f64::from_bits(self.0)
    }
}

impl fmt::Debug for Fraction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.value(), f)
    }
}

/// What is made of all values of a group, in their order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CollectFunction {
    /// A list of them.
    List,
    /// A list in which each stands once, at its first place.
    Set,
    /// Texts, with the separator between them; null without values.
    Join(String),
}

/// One such aggregate of a reduce node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SumAggregate {
    /// What is kept.
    pub function: SumFunction,
    /// Column of the input; `None` for [`SumFunction::CountRows`].
    pub input: Option<usize>,
    /// Boolean column of the input; only rows where it is true count.
    pub filter: Option<usize>,
    /// Type of the result.
    pub output: DataType,
}

impl fmt::Display for CollectFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CollectFunction::List => f.write_str("list"),
            CollectFunction::Set => f.write_str("set"),
            CollectFunction::Join(separator) => write!(f, "join {separator:?}"),
        }
    }
}
