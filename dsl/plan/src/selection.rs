//! What of a source a program needs.
//!
//! A selection is a hint: a source that honours it reads less. The plan above the source still filters exactly, so
//! that a source may give rows that a predicate refuses, but never lacks one that all predicates accept.
//!
//! *Invariant:* a selection never hides an error. A source that cannot be sure that a row or a value which it leaves
//! out is sound has to look at it.

use std::fmt;

pub use datafusion_common::ScalarValue;

use crate::schema::Column;

/// The part of a source's columns and rows that is read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selection {
    /// True if the source may be asked for less than everything.
    pub allowed: bool,
    /// Positions among the source's fields, ascending; `None` for all. The source's rows have these columns.
    pub columns: Option<Vec<usize>>,
    /// Rows for which one of these is not true may be left out.
    pub predicates: Vec<Predicate>,
}

/// A simple condition on one field.
#[derive(Clone, Debug, PartialEq)]
pub struct Predicate {
    /// Position among the source's fields.
    pub field: usize,
    /// What its value has to be.
    pub test: Test,
}

/// A condition on a value. Values are of the field's type and not null; NaN equals NaN and is the largest number.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// Compares so with the value.
    Is(Comparison, ScalarValue),
    /// Is one of these.
    In(Vec<ScalarValue>),
    /// Is null.
    Null,
    /// Is not null.
    NotNull,
}

/// How a value compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Comparison {
    /// The same with its sides exchanged.
    #[must_use]
    pub fn exchanged(self) -> Comparison {
        match self {
            Comparison::Less => Comparison::Greater,
            Comparison::LessOrEqual => Comparison::GreaterOrEqual,
            Comparison::Greater => Comparison::Less,
            Comparison::GreaterOrEqual => Comparison::LessOrEqual,
            same => same,
        }
    }
}

impl Selection {
    /// True if everything is read.
    pub fn is_everything(&self) -> bool {
        self.columns.is_none() && self.predicates.is_empty()
    }

    /// A text that is the same exactly if two selections are.
    pub fn identity(&self) -> String {
        if self.is_everything() { String::new() } else { format!("{:?} {:?}", self.columns, self.predicates) }
    }

    /// For explanations: `columns day, amount of 14 where day >= 2026-01-01`; nothing where everything is read.
    pub fn explain(&self, fields: &[Column]) -> String {
        let name = |place: &usize| fields.get(*place).map_or("?", |field| field.name.as_str());
        let mut text = String::new();
        if let Some(columns) = &self.columns {
            let names: Vec<&str> = columns.iter().map(name).collect();
            let names = if names.is_empty() { "none".to_string() } else { names.join(", ") };
            text.push_str(&format!(" columns {names} of {}", fields.len()));
        }
        for (i, predicate) in self.predicates.iter().enumerate() {
            let word = if i == 0 { "where" } else { "and" };
            text.push_str(&format!(" {word} {} {}", name(&predicate.field), predicate.test));
        }
        text
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Comparison::Equal => "==",
            Comparison::NotEqual => "!=",
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
        })
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Test::Is(comparison, value) => write!(f, "{comparison} {value}"),
            Test::In(values) => {
                let values: Vec<String> = values.iter().map(ToString::to_string).collect();
                write!(f, "in [{}]", values.join(", "))
            }
            Test::Null => f.write_str("is null"),
            Test::NotNull => f.write_str("is not null"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{ColumnType, Type};

    #[test]
    fn an_explanation_names_columns_and_conditions() {
        let column = |name: &str| Column { name: name.to_string(), ty: ColumnType::nullable(Type::Int) };
        let fields = [column("a"), column("b"), column("c")];
        let at_least = Test::Is(Comparison::GreaterOrEqual, ScalarValue::Int64(Some(5)));
        let one_of = Test::In(vec![ScalarValue::Int64(Some(1)), ScalarValue::Int64(Some(2))]);
        let selection = Selection {
            allowed: true,
            columns: Some(vec![0, 2]),
            predicates: vec![Predicate { field: 2, test: at_least }, Predicate { field: 0, test: one_of }],
        };
        assert_eq!(selection.explain(&fields), " columns a, c of 3 where c >= 5 and a in [1, 2]");
        assert_eq!(Selection::default().explain(&fields), "");
        let other = Selection { predicates: Vec::new(), ..selection.clone() };
        assert_ne!(selection.identity(), other.identity());
    }
}
