//! Columns and values of generated tables.

use super::Random;

/// The type of a generated column; every column but a key may be null.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Small whole numbers.
    Int,
    /// Multiples of a quarter, and NaN.
    Float,
    /// Short texts, some of them with letters of more than one byte.
    Text,
    /// Truth values.
    Bool,
    /// Decimals of six digits, two of them after the point.
    Decimal,
    /// Multiples of a quarter of a second.
    Duration,
    /// Floats of any value, which are compared and passed on but not computed with: DataFusion would round them on the way.
    Mean,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 7] =
        [Kind::Int, Kind::Float, Kind::Text, Kind::Bool, Kind::Decimal, Kind::Duration, Kind::Mean];

    /// The type's name in Tide.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Int => "int",
            Kind::Float | Kind::Mean => "float",
            Kind::Text => "text",
            Kind::Bool => "bool",
            Kind::Decimal => "decimal(6, 2)",
            Kind::Duration => "duration",
        }
    }
}

/// A column. Names are unique in a whole program, so that no join is ambiguous.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: Kind,
}

/// A value of an input's row.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// A whole number.
    Int(i64),
    /// A float, never -0.0.
    Float(f64),
    /// A text.
    Text(&'static str),
    /// A truth value.
    Bool(bool),
    /// A decimal, in hundredths.
    Decimal(i128),
    /// A duration, in microseconds.
    Duration(i64),
}

/// Composed and decomposed letters, letters of two to four bytes, an empty text, a text that sorts between others.
const TEXTS: [&str; 9] = ["", "a", "b", "ab", "B", "\u{e9}", "e\u{301}", "\u{1f600}", "Stra\u{df}e"];

/// A value of the kind, from so few that rows meet in joins and groups.
pub fn random_value(random: &mut Random, kind: Kind) -> Value {
    if random.percent(15) {
        return Value::Null;
    }
    match kind {
        Kind::Int => Value::Int(random.between(-3, 6)),
        Kind::Float if random.percent(12) => Value::Float(f64::NAN),
        Kind::Float => Value::Float(random.between(-6, 6) as f64 * 0.25 + 0.0),
        Kind::Text => Value::Text(TEXTS[random.below(TEXTS.len())]),
        Kind::Bool => Value::Bool(random.percent(50)),
        Kind::Decimal => Value::Decimal(i128::from(random.between(-5, 5)) * 25),
        Kind::Duration => Value::Duration(random.between(-3, 9) * 250_000),
        Kind::Mean if random.percent(12) => Value::Float(f64::NAN),
        Kind::Mean => Value::Float(random.between(-9, 9) as f64 / 10.0 + 0.0),
    }
}
