//! The shape of an expression: precedence and associativity.
//!
//! The grammar gives operands and operators as one flat list. They are put together by climbing the levels of
//! the language, loosest first: `or`, `and`, `not`, comparison (which does not chain), `??`, `+ -`, `* / %`,
//! unary `-`. Chains of `and` and `or` become balanced trees, so that a generated condition of thousands of
//! parts stays shallow; other chains are bounded.

use std::iter::Peekable;
use std::vec::IntoIter;

use pest::iterators::Pair;
use tidebook_plan::{Diagnostic, Span};

use super::super::grammar::Rule;
use super::super::tree::{BinaryOperator, Expr, ExprKind, UnaryOperator};
use super::expression::{too_deep, too_long};
use super::{Builder, Built, Parts, words};
use crate::diagnostics::syntax as codes;
use crate::limits::{CHAIN, EXPRESSION_DEPTH};

impl Builder<'_> {
    /// The tree of an `expr`.
    pub fn expr(&self, pair: Pair<'_, Rule>) -> Built<Expr> {
        let span = self.span(&pair);
        let items: Vec<Pair<'_, Rule>> = Parts::of(pair).collect();
        if let [only] = items.as_slice() {
            return self.deeper(0, span, || self.primary(only.clone()));
        }
        let bounded = |item: &&Pair<'_, Rule>| match item.as_rule() {
            Rule::prefix => true,
            Rule::infix => !matches!(item.as_str(), "and" | "or"),
            _ => false,
        };
        // Parts between `and` and `or` count each on their own.
        let parts = items.split(|item| item.as_rule() == Rule::infix && !bounded(&item));
        let longest = parts.map(|part| part.iter().filter(bounded).count()).max().unwrap_or(0);
        if longest > CHAIN {
            return Err(too_long(span));
        }
        self.deeper(longest, span, || self.climb(items))
    }

    /// Builds what has so many operators around it, more than before.
    fn deeper(&self, by: usize, span: Span, build: impl FnOnce() -> Built<Expr>) -> Built<Expr> {
        let before = self.depth.get();
        let here = before + by + 1;
        if here > EXPRESSION_DEPTH {
            return Err(too_deep(span));
        }
        self.depth.set(here);
        let built = build();
        self.depth.set(before);
        built
    }

    fn climb(&self, items: Vec<Pair<'_, Rule>>) -> Built<Expr> {
        let mut climb = Climb { builder: self, items: items.into_iter().peekable() };
        let expr = climb.either()?;
        match climb.items.next() {
            None => Ok(expr),
            Some(item) => Err(climb.misused(&item)),
        }
    }
}

struct Climb<'b, 'a, 'i> {
    builder: &'b Builder<'a>,
    items: Peekable<IntoIter<Pair<'i, Rule>>>,
}

impl<'i> Climb<'_, '_, 'i> {
    fn span(&self, pair: &Pair<'i, Rule>) -> Span {
        self.builder.span(pair)
    }

    /// The next operator, if it is one of these.
    fn infix(&mut self, symbols: &[&str]) -> Option<Pair<'i, Rule>> {
        self.items.next_if(|item| item.as_rule() == Rule::infix && symbols.contains(&item.as_str()))
    }

    fn either(&mut self) -> Built<Expr> {
        self.balanced("or", BinaryOperator::Or, Self::both)
    }

    fn both(&mut self) -> Built<Expr> {
        self.balanced("and", BinaryOperator::And, Self::negation)
    }

    fn balanced(&mut self, word: &str, operator: BinaryOperator, next: fn(&mut Self) -> Built<Expr>) -> Built<Expr> {
        let mut operands = vec![next(self)?];
        let mut places = Vec::new();
        while let Some(symbol) = self.infix(&[word]) {
            places.push(self.span(&symbol));
            operands.push(next(self)?);
        }
        Ok(balance(operator, operands, &places))
    }

    fn negation(&mut self) -> Built<Expr> {
        match self.items.next_if(|item| item.as_rule() == Rule::prefix && item.as_str() == "not") {
            Some(word) => {
                let operand = self.negation()?;
                let span = self.span(&word).to(operand.span);
                Ok(Expr { kind: ExprKind::Unary { operator: UnaryOperator::Not, operand: Box::new(operand) }, span })
            }
            None => self.comparison(),
        }
    }

    fn comparison(&mut self) -> Built<Expr> {
        let left = self.arithmetic(0)?;
        let expr = match self.items.next_if(|item| is_comparison(item)) {
            None => return Ok(left),
            Some(symbol) => self.compared(left, &symbol)?,
        };
        match self.items.next_if(|item| is_comparison(item)) {
            None => Ok(expr),
            Some(second) => Err(Box::new(
                codes::CHAINED_COMPARISON
                    .error("comparisons do not chain", expr.span.to(self.span(&second)))
                    .with_help("join two comparisons with `and`, or put one of them in parentheses"),
            )),
        }
    }

    fn compared(&mut self, left: Expr, symbol: &Pair<'i, Rule>) -> Built<Expr> {
        let place = self.span(symbol);
        let words = words(symbol);
        let value = Box::new(left);
        let start = value.span;
        if symbol.as_rule() == Rule::suffix {
            let negated = words.contains(&"not");
            return Ok(Expr { kind: ExprKind::IsNull { value, negated }, span: start.to(place) });
        }
        let negated = words.len() > 1;
        let (kind, end) = match words.last().copied().unwrap_or("") {
            "in" => {
                let options = match self.items.next_if(|item| item.as_rule() == Rule::operand) {
                    Some(operand) if !self.more_arithmetic() => self.builder.options(operand)?,
                    Some(operand) => {
                        let first = self.builder.primary(operand)?;
                        self.arithmetic_from(first, 0)?
                    }
                    None => self.arithmetic(0)?,
                };
                let end = options.span;
                (ExprKind::In { value, options: Box::new(options), negated }, end)
            }
            "like" => {
                let pattern = self.arithmetic(0)?;
                let end = pattern.span;
                (ExprKind::Like { value, pattern: Box::new(pattern), negated }, end)
            }
            "between" => {
                let low = self.arithmetic(0)?;
                if self.infix(&["and"]).is_none() {
                    let fault =
                        codes::UNEXPECTED.error("expected `and` and the upper end of `between`", place.to(low.span));
                    return Err(Box::new(fault.with_help("write `x between 1 and 5`; both ends are included")));
                }
                let high = self.arithmetic(0)?;
                let end = high.span;
                (ExprKind::Between { value, low: Box::new(low), high: Box::new(high), negated }, end)
            }
            symbol => {
                let right = self.arithmetic(0)?;
                let end = right.span;
                let operator = operator(symbol);
                (ExprKind::Binary { operator, operator_span: place, left: value, right: Box::new(right) }, end)
            }
        };
        Ok(Expr { kind, span: start.to(end) })
    }

    fn more_arithmetic(&mut self) -> bool {
        let symbols = ARITHMETIC.concat();
        self.items.peek().is_some_and(|item| item.as_rule() == Rule::infix && symbols.contains(&item.as_str()))
    }

    fn arithmetic(&mut self, level: usize) -> Built<Expr> {
        let first = if level == ARITHMETIC.len() { return self.unary() } else { self.arithmetic(level + 1)? };
        self.chain(first, level)
    }

    /// Goes on after an operand that is already read.
    fn arithmetic_from(&mut self, first: Expr, level: usize) -> Built<Expr> {
        let first = if level + 1 < ARITHMETIC.len() { self.arithmetic_from(first, level + 1)? } else { first };
        self.chain(first, level)
    }

    fn chain(&mut self, first: Expr, level: usize) -> Built<Expr> {
        let mut left = first;
        while let Some(symbol) = self.infix(ARITHMETIC[level]) {
            let right = self.arithmetic(level + 1)?;
            let span = left.span.to(right.span);
            let (operator, operator_span) = (operator(symbol.as_str()), self.span(&symbol));
            let kind = ExprKind::Binary { operator, operator_span, left: Box::new(left), right: Box::new(right) };
            left = Expr { kind, span };
        }
        Ok(left)
    }

    fn unary(&mut self) -> Built<Expr> {
        let Some(item) = self.items.next() else { panic!("the grammar ends an expression with an operand") };
        match item.as_rule() {
            Rule::operand => self.builder.primary(item),
            Rule::prefix if item.as_str() == "-" => {
                let start = self.span(&item);
                if let Some(literal) = self.negative_literal(start)? {
                    return Ok(literal);
                }
                let operand = self.unary()?;
                let span = start.to(operand.span);
                Ok(Expr { kind: ExprKind::Unary { operator: UnaryOperator::Negate, operand: Box::new(operand) }, span })
            }
            _ => Err(self.misused(&item)),
        }
    }

    /// A bare number or duration after `-` is a literal, so that the smallest int can be written.
    fn negative_literal(&mut self, start: Span) -> Built<Option<Expr>> {
        let Some(operand) = self.items.peek().filter(|item| item.as_rule() == Rule::operand) else { return Ok(None) };
        let mut parts = operand.clone().into_inner();
        let (Some(base), None) = (parts.next(), parts.next()) else { return Ok(None) };
        let literal = match base.as_rule() {
            Rule::number => self.builder.number(&base, true)?,
            Rule::duration => self.builder.duration(&base, true)?,
            _ => return Ok(None),
        };
        self.items.next();
        Ok(Some(Expr { kind: ExprKind::Literal(literal), span: start.to(self.span(&base)) }))
    }

    /// An operator where it has no meaning: `1 + not a`.
    fn misused(&self, item: &Pair<'i, Rule>) -> Box<Diagnostic> {
        let message = format!("expected an expression, found `{}`", item.as_str().trim_end());
        let help = format!("`{}` binds loosely: put parentheses around its part", item.as_str().trim_end());
        Box::new(codes::UNEXPECTED.error(message, self.span(item)).with_help(help))
    }
}

/// Arithmetic operators by level, loosest first.
const ARITHMETIC: [&[&str]; 3] = [&["??"], &["+", "-"], &["*", "/", "%"]];

fn is_comparison(item: &Pair<'_, Rule>) -> bool {
    match item.as_rule() {
        Rule::suffix => true,
        Rule::infix => !ARITHMETIC.concat().contains(&item.as_str()) && !matches!(item.as_str(), "and" | "or"),
        _ => false,
    }
}

fn operator(symbol: &str) -> BinaryOperator {
    match symbol {
        "==" => BinaryOperator::Equal,
        "!=" => BinaryOperator::NotEqual,
        "<" => BinaryOperator::Less,
        "<=" => BinaryOperator::LessOrEqual,
        ">" => BinaryOperator::Greater,
        ">=" => BinaryOperator::GreaterOrEqual,
        "??" => BinaryOperator::Coalesce,
        "+" => BinaryOperator::Add,
        "-" => BinaryOperator::Subtract,
        "*" => BinaryOperator::Multiply,
        "/" => BinaryOperator::Divide,
        "%" => BinaryOperator::Remainder,
        symbol => panic!("the grammar gives no operator {symbol:?}"),
    }
}

/// A tree of logarithmic depth over `operands`; `places[i]` is the operator between operands i and i + 1.
fn balance(operator: BinaryOperator, mut operands: Vec<Expr>, places: &[Span]) -> Expr {
    let right = operands.split_off(operands.len().div_ceil(2));
    if right.is_empty() {
        let Some(only) = operands.pop() else { panic!("a chain has at least one operand") };
        return only;
    }
    let middle = operands.len();
    let left = balance(operator, operands, &places[..middle - 1]);
    let right = balance(operator, right, &places[middle..]);
    let span = left.span.to(right.span);
    let kind =
        ExprKind::Binary { operator, operator_span: places[middle - 1], left: Box::new(left), right: Box::new(right) };
    Expr { kind, span }
}
