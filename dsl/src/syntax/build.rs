//! From pest's pairs to the tree.
//!
//! What the grammar leaves open on purpose is decided here, where a good message can be given: the shape of an
//! expression, the range of a number, the order of arguments. Each statement ends at its first fault.
//!
//! *Invariant:* where a builder meets a pair that the grammar cannot give at that place, it panics and names
//! both; a text never causes that.

mod expression;
mod literal;
pub(crate) use literal::text_places;
mod operators;
mod pipeline;
mod statement;
mod step;
mod types;

use std::cell::Cell;

use pest::iterators::{Pair, Pairs};
use tidebook_plan::{Diagnostic, Span};

use super::faults;
use super::grammar::Rule;
use super::scan::Scan;
use super::tree::{Name, Path};
use crate::limits::COLUMNS;

/// A part of the tree, or the fault that prevents it.
pub(super) type Built<T> = Result<T, Box<Diagnostic>>;

/// Builds trees from the pairs of one piece of text.
pub(super) struct Builder<'a> {
    /// The whole cell.
    pub scan: &'a Scan<'a>,
    /// Where in the cell the piece begins that pest has seen.
    offset: usize,
    /// Operators and brackets around the expression that is being built.
    depth: Cell<usize>,
}

impl<'a> Builder<'a> {
    /// A builder for a piece that begins at `offset`.
    pub fn new(scan: &'a Scan<'a>, offset: usize) -> Self {
        Builder { scan, offset, depth: Cell::new(0) }
    }

    /// Refuses a list that is longer than a table may be wide.
    fn bounded<T>(&self, list: Vec<T>, what: &str, span: Span) -> Built<Vec<T>> {
        match list.len() {
            found if found > COLUMNS => Err(Box::new(faults::too_many(what, COLUMNS, found, span))),
            _ => Ok(list),
        }
    }

    /// Where a pair stands in the cell, without the blanks that pest may have added to its end.
    fn span(&self, pair: &Pair<'_, Rule>) -> Span {
        self.scan.trim(Span::new(pair.as_span().start() + self.offset, pair.as_span().end() + self.offset))
    }

    fn name(&self, pair: &Pair<'_, Rule>) -> Name {
        let span = self.span(pair);
        let text = pair.as_str();
        let text = match text.strip_prefix('`').and_then(|rest| rest.strip_suffix('`')) {
            Some(inner) => inner.replace("``", "`"),
            None => text.to_string(),
        };
        Name { text, span }
    }

    fn path(&self, pair: &Pair<'_, Rule>) -> Path {
        let parts = pair.clone().into_inner().map(|part| self.name(&part)).collect();
        Path { parts, span: self.span(pair) }
    }
}

/// The parts of a pair without its punctuation, taken in the order of the grammar.
struct Parts<'i> {
    of: Rule,
    rest: Pairs<'i, Rule>,
}

impl<'i> Parts<'i> {
    fn of(pair: Pair<'i, Rule>) -> Self {
        let mut parts = Parts { of: pair.as_rule(), rest: pair.into_inner() };
        parts.pass_punctuation();
        parts
    }

    fn pass_punctuation(&mut self) {
        while self.rest.peek().is_some_and(|pair| is_punctuation(pair.as_rule())) {
            self.rest.next();
        }
    }

    /// The next part, which the grammar demands.
    fn must(&mut self) -> Pair<'i, Rule> {
        match self.next() {
            Some(pair) => pair,
            None => panic!("the grammar gives {:?} a further part", self.of),
        }
    }

    /// The next part, if it is a `rule`.
    fn maybe(&mut self, rule: Rule) -> Option<Pair<'i, Rule>> {
        if self.rest.peek()?.as_rule() == rule { self.next() } else { None }
    }

    /// Passes over a keyword.
    fn pass(&mut self, rule: Rule) {
        if self.maybe(rule).is_none() {
            panic!("the grammar gives {:?} a {rule:?} here", self.of);
        }
    }

    /// Every following part that is a `rule`.
    fn every(&mut self, rule: Rule) -> Vec<Pair<'i, Rule>> {
        std::iter::from_fn(|| self.maybe(rule)).collect()
    }
}

/// The words that a pair consists of, whatever blanks and comments stand between them.
fn words<'i>(pair: &Pair<'i, Rule>) -> Vec<&'i str> {
    let words: Vec<&str> = pair.clone().into_inner().map(|word| word.as_str()).collect();
    if words.is_empty() { vec![pair.as_str()] } else { words }
}

fn is_punctuation(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::comma
            | Rule::colon
            | Rule::bar
            | Rule::arrow
            | Rule::double_arrow
            | Rule::open_paren
            | Rule::close_paren
            | Rule::open_bracket
            | Rule::close_bracket
            | Rule::open_brace
            | Rule::close_brace
    )
}

impl<'i> Iterator for Parts<'i> {
    type Item = Pair<'i, Rule>;

    fn next(&mut self) -> Option<Pair<'i, Rule>> {
        let next = self.rest.next();
        self.pass_punctuation();
        next
    }
}

/// A pair that the grammar cannot give at this place.
fn misplaced(pair: &Pair<'_, Rule>, place: &str) -> ! {
    panic!("the grammar gives no {:?} as {place}", pair.as_rule())
}
