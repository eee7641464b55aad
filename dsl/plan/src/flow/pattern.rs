//! Event patterns: what a match consists of, and what is told of it.

use std::fmt;

use super::FlowExpr;

/// An element of a pattern: rows that follow each other and fulfil a condition.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MatchElement {
    /// How many rows at least.
    pub least: u64,
    /// How many at most; `None` for any number.
    pub most: Option<u64>,
    /// Over the columns of the row, followed by [`Pattern::reads`].
    pub condition: FlowExpr,
    /// True if it reads the row alone.
    pub alone: bool,
}

/// What a row of a match tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MatchGive {
    /// How many rows an element has: an int.
    Count {
        /// Which.
        element: usize,
    },
    /// A column of an element's last row; null without one.
    Last {
        /// Which.
        element: usize,
        /// The column of the input.
        column: usize,
    },
    /// A column of all rows of an element, as a list.
    All {
        /// Which.
        element: usize,
        /// The column of the input.
        column: usize,
    },
}

/// A pattern over the rows of a partition in an order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pattern {
    /// Its elements, in order.
    pub elements: Vec<MatchElement>,
    /// What conditions read beside the row: columns of the last row that an element, given first, has taken so far; null
    /// where it has none.
    pub reads: Vec<(usize, usize)>,
    /// How far the first and the last row lie apart at most, in a column that counts (microseconds of timestamps, or ints).
    pub within: Option<(usize, i64)>,
    /// What is told of a match.
    pub gives: Vec<MatchGive>,
}

impl Pattern {
    /// True if a row can make a condition fail.
    pub fn is_fallible(&self) -> bool {
        self.elements.iter().any(|element| element.condition.fallible)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for MatchElement { least, most, condition, .. } in &self.elements {
            let most = most.map(|most| most.to_string()).unwrap_or_default();
            write!(f, " {{{least},{most}}}({})", condition.physical)?;
        }
        if let Some((column, far)) = self.within {
            write!(f, " within {far} of {column}")?;
        }
        Ok(())
    }
}
