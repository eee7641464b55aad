//! What a piece of text is to the grammar, whatever its layout: enough to tell that two texts mean the same.

use pest::Parser;
use pest::iterators::Pair;

use super::super::grammar::{Grammar, Rule};

/// The rules and tokens of a statement without its commas. (No list needs one to be told from another: the rules tell.)
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shape<'a>(Vec<(Rule, &'a str)>);

/// The shape of a text that is one statement.
pub(super) fn of(text: &str) -> Option<Shape<'_>> {
    let mut pairs = Grammar::parse(Rule::program, text).ok()?.next()?.into_inner();
    let statement = pairs.next().filter(|pair| pair.as_rule() == Rule::statement)?;
    if pairs.next().is_some_and(|pair| pair.as_rule() == Rule::statement) {
        return None;
    }
    let mut parts = Vec::new();
    collect(statement, &mut parts);
    Some(Shape(parts))
}

fn collect<'a>(pair: Pair<'a, Rule>, parts: &mut Vec<(Rule, &'a str)>) {
    let (rule, text) = (pair.as_rule(), pair.as_str());
    if rule == Rule::comma {
        return;
    }
    let before = parts.len();
    parts.push((rule, ""));
    for part in pair.into_inner() {
        collect(part, parts);
    }
    if parts.len() == before + 1 {
        parts[before].1 = text;
    } else {
        // Where the parts of a rule end is part of its shape.
        parts.push((rule, ")"));
    }
}
