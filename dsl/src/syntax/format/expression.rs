//! Expressions break at their loosest operators first; f-strings stay on one line.

use pest::iterators::Pair;

use super::super::grammar::Rule;
use super::doc::{Comments, Doc};
use super::layout::Layout;
use super::print::print_flat;

/// An operand with its prefixes, or an operator.
type Items<'a> = Vec<Pair<'a, Rule>>;

/// How tightly an operator binds; 0 is the loosest.
const LEVELS: usize = 6;

fn level(symbol: &str) -> usize {
    match symbol {
        "or" => 0,
        "and" => 1,
        "??" => 3,
        "+" | "-" => 4,
        "*" | "/" | "%" => 5,
        _ => 2,
    }
}

impl<'a> Layout<'a> {
    /// An `expr`.
    pub fn expr(&mut self, pair: Pair<'a, Rule>) -> Doc<'a> {
        let items: Items<'a> = pair.into_inner().collect();
        let levels = levels(&items);
        let doc = self.operators(items, &levels, 0);
        Doc::group(doc)
    }

    /// Items with the levels of those that are operators; none is looser than `loosest`.
    fn operators(&mut self, items: Items<'a>, levels: &[Option<usize>], loosest: usize) -> Doc<'a> {
        let Some(here) = (loosest..LEVELS).find(|level| levels.contains(&Some(*level))) else {
            return self.unary(items);
        };
        let mut parts: Vec<(Option<Pair<'a, Rule>>, Items<'a>, Vec<Option<usize>>)> =
            vec![(None, Vec::new(), Vec::new())];
        for (item, level) in items.into_iter().zip(levels) {
            if *level == Some(here) {
                parts.push((Some(item), Vec::new(), Vec::new()));
            } else if let Some((_, items, levels)) = parts.last_mut() {
                items.push(item);
                levels.push(*level);
            }
        }
        let (mut first, mut rest) = (Doc::nothing(), Vec::new());
        for (operator, items, levels) in parts {
            match operator {
                None => first = self.part(items, &levels, here + 1),
                Some(operator) => {
                    // A `%` that is first on its line would be a command.
                    let trails = operator.as_str() == "%";
                    let spaces =
                        if trails { [Doc::text(" "), Doc::Line(" ")] } else { [Doc::Line(" "), Doc::text(" ")] };
                    let [before, after] = spaces;
                    rest.push(before);
                    rest.push(self.doc(operator));
                    if !items.is_empty() {
                        rest.push(after);
                        rest.push(self.part(items, &levels, here + 1));
                    }
                }
            }
        }
        Doc::Concat(vec![first, Doc::indent(Doc::Concat(rest))])
    }

    fn part(&mut self, items: Items<'a>, levels: &[Option<usize>], loosest: usize) -> Doc<'a> {
        match items.len() {
            0 | 1 => self.operators(items, levels, loosest),
            _ => Doc::group(self.operators(items, levels, loosest)),
        }
    }

    /// Prefixes and their operand.
    fn unary(&mut self, items: Items<'a>) -> Doc<'a> {
        let mut out = Vec::new();
        let mut items = items.into_iter().peekable();
        while let Some(item) = items.next() {
            let minus = item.as_rule() == Rule::prefix && item.as_str() == "-";
            let tight = minus && !items.peek().is_some_and(|next| next.as_str().starts_with('-'));
            let last = items.peek().is_none();
            out.push(self.doc(item));
            if !last && !tight {
                out.push(Doc::text(" "));
            }
        }
        Doc::Concat(out)
    }

    /// An f-string: as it is, but for the blanks in its braces.
    pub fn fstring(&mut self, pair: Pair<'a, Rule>) -> Doc<'a> {
        let (text, start) = (pair.as_str(), pair.as_span().start());
        let mut out = String::new();
        let mut at = 0;
        for hole in pair.clone().into_inner().filter(|piece| piece.as_rule() == Rule::hole) {
            let (from, to) = (hole.as_span().start() - start, hole.as_span().end() - start);
            let Some(expr) = hole.into_inner().find(|part| part.as_rule() == Rule::expr) else { continue };
            let mut inner = self.inside(&expr);
            let doc = inner.doc(expr);
            if doc.comments() != Comments::default() {
                continue;
            }
            let value = print_flat(&doc);
            out.push_str(text.get(at..from).unwrap_or(""));
            // `{{` would be a brace of the text.
            out.push_str(if value.starts_with('{') { "{ " } else { "{" });
            out.push_str(&value);
            out.push('}');
            at = to;
        }
        out.push_str(text.get(at..).unwrap_or(""));
        self.token_as(&pair, Doc::Text(out.into()))
    }
}

/// The level of each operator; none for operands and prefixes.
fn levels(items: &[Pair<'_, Rule>]) -> Vec<Option<usize>> {
    let mut open_between = false;
    let one = |item: &Pair<'_, Rule>| match item.as_rule() {
        Rule::infix if open_between && item.as_str() == "and" => {
            open_between = false;
            Some(level("between"))
        }
        Rule::infix => {
            open_between |= item.as_str().ends_with("between");
            Some(level(item.as_str()))
        }
        Rule::suffix => Some(level("is")),
        // `not` binds looser than a comparison, so that what it negates stays together.
        Rule::prefix | Rule::operand => None,
        _ => None,
    };
    items.iter().map(one).collect()
}
