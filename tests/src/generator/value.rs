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
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 4] = [Kind::Int, Kind::Float, Kind::Text, Kind::Bool];

    /// The type's name in Tide.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Int => "int",
            Kind::Float => "float",
            Kind::Text => "text",
            Kind::Bool => "bool",
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
    }
}
