//! Statements and pipelines: a short pipeline stands on one line, a longer one with a step a line.

use pest::iterators::Pair;

use super::super::grammar::Rule;
use super::doc::Doc;
use super::layout::Layout;

/// The most steps of a statement's pipeline on one line.
const STEPS_ON_ONE_LINE: usize = 3;

impl<'a> Layout<'a> {
    /// `name = pipeline`
    pub fn define(&mut self, pair: Pair<'a, Rule>) -> Doc<'a> {
        let mut out = Vec::new();
        for part in pair.into_inner() {
            let space = if out.is_empty() { Doc::nothing() } else { Doc::text(" ") };
            out.push(space);
            out.push(match part.as_rule() {
                Rule::pipeline => self.pipeline(part, STEPS_ON_ONE_LINE),
                _ => self.doc(part),
            });
        }
        Doc::Concat(out)
    }

    /// A bare pipeline.
    pub fn shown(&mut self, pair: Pair<'a, Rule>) -> Doc<'a> {
        let parts = pair.into_inner().map(|part| self.pipeline(part, STEPS_ON_ONE_LINE)).collect();
        Doc::Concat(parts)
    }

    /// A pipeline; with more than `most` steps it never stands on one line.
    pub fn pipeline(&mut self, pair: Pair<'a, Rule>, most: usize) -> Doc<'a> {
        let mut parts = pair.into_inner();
        let head = parts.next().map_or_else(Doc::nothing, |head| self.doc(head));
        let (mut steps, mut count) = (Vec::new(), 0);
        for part in parts {
            if part.as_rule() == Rule::bar {
                steps.push(Doc::Line(" "));
                steps.push(self.token(&part));
                steps.push(Doc::text(" "));
                count += 1;
            } else {
                // A step's own lines stand under its first word.
                steps.push(Doc::indent(self.doc(part)));
            }
        }
        let doc = Doc::Concat(vec![head, Doc::indent(Doc::Concat(steps))]);
        if count > most { Doc::broken(doc) } else { Doc::group(doc) }
    }

    /// `rows […] then […]`
    pub fn rows(&mut self, pair: Pair<'a, Rule>) -> Doc<'a> {
        let mut lists = Vec::new();
        let mut word = Doc::nothing();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::row_list => {
                    let list = self.doc(part);
                    let word = std::mem::replace(&mut word, Doc::nothing());
                    lists.push(Doc::Concat(vec![word, Doc::text(" "), list]));
                }
                _ => word = self.doc(part),
            }
        }
        Doc::Aligned(lists)
    }

    /// `expect pipeline condition`
    pub fn expect(&mut self, pair: Pair<'a, Rule>) -> Doc<'a> {
        let mut out = Vec::new();
        for (index, part) in pair.into_inner().enumerate() {
            match index {
                0 => out.push(self.doc(part)),
                1 => {
                    out.push(Doc::text(" "));
                    out.push(self.doc(part));
                }
                _ => out.push(Doc::indent(Doc::Concat(vec![Doc::Line(" "), self.doc(part)]))),
            }
        }
        Doc::group(Doc::Concat(out))
    }

    /// `fn name(x: float) -> float = body`
    pub fn function(&mut self, pair: Pair<'a, Rule>) -> Doc<'a> {
        let mut parts: Vec<_> = pair.into_inner().collect();
        let body = parts.pop();
        let mut out = vec![self.sequence(Rule::function, parts)];
        if let Some(body) = body {
            out.push(Doc::indent(Doc::Concat(vec![Doc::Line(" "), self.doc(body)])));
        }
        Doc::group(Doc::Concat(out))
    }

    /// A step with one list: where it is long, each item has its line.
    pub fn list_step(&mut self, pair: Pair<'a, Rule>) -> Doc<'a> {
        let (words, items) = keywords(pair.into_inner().collect());
        let words = self.sequence(Rule::step, words);
        let items = self.items(items);
        Doc::group(Doc::Concat(vec![words, items]))
    }

    /// `summarize aggregates by keys emit …`
    pub fn summarize(&mut self, pair: Pair<'a, Rule>) -> Doc<'a> {
        let mut out = Vec::new();
        for part in pair.into_inner() {
            let first = out.is_empty();
            match part.as_rule() {
                Rule::aggregates => {
                    let items = part.into_inner().collect();
                    out.push(self.items(items));
                }
                _ if first => out.push(self.doc(part)),
                _ => {
                    out.push(Doc::Line(" "));
                    out.push(self.doc(part));
                }
            }
        }
        Doc::group(Doc::Concat(out))
    }

    /// The items of a list after its keyword: one goes on beside it, several each on a line of its own where the group breaks.
    fn items(&mut self, parts: Vec<Pair<'a, Rule>>) -> Doc<'a> {
        let several = parts.iter().filter(|part| part.as_rule() != Rule::comma).count() > 1;
        let mut out = Vec::new();
        let mut parts = parts.into_iter().peekable();
        while let Some(part) = parts.next() {
            if part.as_rule() == Rule::comma {
                let (comma, comments) = self.comma(&part);
                out.extend(parts.peek().is_some().then_some(comma));
                out.push(comments);
                continue;
            }
            out.push(if several { Doc::Line(" ") } else { Doc::text(" ") });
            out.push(self.doc(part));
        }
        let out = Doc::Concat(out);
        if several { Doc::indent(out) } else { out }
    }
}

/// The words that a step begins with, and the parts of its list.
fn keywords(parts: Vec<Pair<'_, Rule>>) -> (Vec<Pair<'_, Rule>>, Vec<Pair<'_, Rule>>) {
    let mut flat = Vec::new();
    for part in parts {
        match part.as_rule() {
            Rule::select_items | Rule::sort_keys => flat.extend(part.into_inner()),
            _ => flat.push(part),
        }
    }
    let is_item =
        |rule| matches!(rule, Rule::select_item | Rule::derive_item | Rule::rename_item | Rule::path | Rule::sort_key);
    let at = flat.iter().position(|part| is_item(part.as_rule())).unwrap_or(flat.len());
    let items = flat.split_off(at);
    (flat, items)
}
