//! From pest's pairs to a document.
//!
//! The pairs hold every token of a statement in its order, so that no token can get lost, and what the grammar takes up later
//! is laid out by the rules for all: tokens with a space between, lists one item a line where they are long, a clause on a
//! line of its own. What looks different has its function here, in `expression` or in `pipeline`.

use pest::iterators::Pair;

use super::super::grammar::Rule;
use super::doc::Doc;
use super::gaps;

/// Lays one statement out.
pub(super) struct Layout<'a> {
    /// The whole cell.
    text: &'a str,
    /// Where in the cell the statement begins.
    offset: usize,
    /// Where the last token ended that was laid out.
    end: usize,
}

/// What stands between two parts of a rule.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Glue {
    Nothing,
    Space,
    Line,
    /// Two spaces on one line.
    WideLine,
}

/// A comma with the comments around it.
type Comma<'a> = (Doc<'a>, Doc<'a>);

impl<'a> Layout<'a> {
    /// For a statement that begins at `offset` of `text`.
    pub fn new(text: &'a str, offset: usize) -> Self {
        Layout { text, offset, end: offset }
    }

    /// The document of any pair.
    pub fn doc(&mut self, pair: Pair<'a, Rule>) -> Doc<'a> {
        match pair.as_rule() {
            Rule::fstring => self.fstring(pair),
            Rule::expr => self.expr(pair),
            Rule::pipeline => self.pipeline(pair, usize::MAX),
            Rule::rows => self.rows(pair),
            Rule::define => self.define(pair),
            Rule::shown => self.shown(pair),
            Rule::expect => self.expect(pair),
            Rule::function => self.function(pair),
            Rule::derive_step | Rule::rename_step | Rule::drop_step | Rule::select_step | Rule::sort_step => {
                self.list_step(pair)
            }
            Rule::summarize_step => self.summarize(pair),
            rule if is_atom(rule) || pair.clone().into_inner().next().is_none() => self.token(&pair),
            rule => self.sequence(rule, pair.into_inner().collect()),
        }
    }

    /// For what stands inside of a token, from `pair` on.
    pub fn inside(&self, pair: &Pair<'a, Rule>) -> Self {
        Layout { text: self.text, offset: self.offset, end: self.offset + pair.as_span().start() }
    }

    /// A token with the comments before it and the one that ends its line.
    pub fn token(&mut self, pair: &Pair<'a, Rule>) -> Doc<'a> {
        self.token_as(pair, Doc::text(pair.as_str()))
    }

    /// A token, written as `text`.
    pub fn token_as(&mut self, pair: &Pair<'a, Rule>, text: Doc<'a>) -> Doc<'a> {
        let mut parts = self.own_comments(pair);
        let end = self.offset + pair.as_span().end();
        parts.push(text);
        parts.extend(gaps::trailing(self.text.get(end..).unwrap_or("")).map(Doc::Trailing));
        self.end = end;
        match parts.pop() {
            Some(only) if parts.is_empty() => only,
            last => Doc::Concat(parts.into_iter().chain(last).collect()),
        }
    }

    /// The comments on lines of their own before a token.
    fn own_comments(&mut self, pair: &Pair<'a, Rule>) -> Vec<Doc<'a>> {
        let start = self.offset + pair.as_span().start();
        let (found, _) = gaps::comments(self.text.get(self.end..start).unwrap_or(""));
        self.end = self.end.max(start);
        let own = found.into_iter().filter(|comment| comment.own_line);
        own.map(|comment| Doc::Comment { text: comment.text, blank_before: comment.blank_before }).collect()
    }

    /// A comma, and the comments around it.
    pub fn comma(&mut self, pair: &Pair<'a, Rule>) -> Comma<'a> {
        let mut comments = self.own_comments(pair);
        let end = self.offset + pair.as_span().end();
        self.end = end;
        // What stood before the comma stands after it now: no line begins with a comma.
        let own_line = !comments.is_empty();
        comments.extend(gaps::trailing(self.text.get(end..).unwrap_or("")).map(|text| match own_line {
            true => Doc::Comment { text, blank_before: false },
            false => Doc::Trailing(text),
        }));
        (Doc::text(","), Doc::Concat(comments))
    }

    /// Parts in their order, lists in brackets among them; what begins a line of its own is indented.
    pub fn sequence(&mut self, rule: Rule, parts: Vec<Pair<'a, Rule>>) -> Doc<'a> {
        // Each line after the first begins with its place to break.
        let mut lines: Vec<Vec<Doc<'a>>> = vec![Vec::new()];
        let mut before: Option<(Rule, &'a str)> = None;
        let mut parts = parts.into_iter().peekable();
        while let Some(part) = parts.next() {
            let here = (part.as_rule(), part.as_str());
            let glue = before.map_or(Glue::Nothing, |before| glue(rule, before, here));
            if let Some(line) = glue.line() {
                lines.push(vec![line]);
            }
            let line = match lines.last_mut() {
                Some(line) => line,
                None => unreachable!("there is a first line"),
            };
            if here.0 == Rule::comma {
                let (comma, comments) = self.comma(&part);
                // The last comma of a list is left out.
                if parts.peek().is_some() {
                    line.push(comma);
                    before = Some(here);
                }
                line.push(comments);
                continue;
            }
            if glue == Glue::Space {
                line.push(Doc::text(" "));
            }
            if is_open(here.0) {
                let mut contents = Vec::new();
                let mut close = None;
                for part in parts.by_ref() {
                    if is_close(part.as_rule()) {
                        close = Some(part);
                        break;
                    }
                    contents.push(part);
                }
                before = Some((Rule::close_paren, ")"));
                line.push(self.bracket(rule, &part, contents, close));
            } else {
                before = Some(here);
                line.push(self.doc(part));
            }
        }
        let grouped = lines.len() > 1;
        let mut lines = lines.into_iter().map(Doc::Concat);
        let first = lines.next().unwrap_or_else(Doc::nothing);
        match grouped {
            false => first,
            true => Doc::group(Doc::Concat(std::iter::once(first).chain(lines.map(Doc::indent)).collect())),
        }
    }

    /// What stands in brackets: on one line, or indented between them.
    pub fn bracket(
        &mut self,
        rule: Rule,
        open: &Pair<'a, Rule>,
        contents: Vec<Pair<'a, Rule>>,
        close: Option<Pair<'a, Rule>>,
    ) -> Doc<'a> {
        let open = self.token(open);
        let empty = contents.is_empty();
        let mut inner = Vec::new();
        let mut items = Vec::new();
        for part in contents {
            if part.as_rule() != Rule::comma {
                items.push(part);
                continue;
            }
            inner.push((std::mem::take(&mut items), Some(part)));
        }
        inner.push((items, None));
        let mut lines = Vec::new();
        let count = inner.len();
        for (index, (items, comma)) in inner.into_iter().enumerate() {
            let last = index + 1 == count;
            if items.is_empty() && last {
                continue;
            }
            if items.first().is_some_and(|item| matches!(item.as_rule(), Rule::by_keys | Rule::sorted_by)) {
                drop_last_comma(&mut lines);
            }
            if !lines.is_empty() {
                lines.push(Doc::Line(" "));
            }
            // Comments before an item stand outside of it: they do not break its own brackets.
            if let Some(first) = items.first() {
                lines.extend(self.own_comments(first));
            }
            lines.push(self.item(rule, items));
            if let Some(comma) = comma {
                let (comma, comments) = self.comma(&comma);
                lines.push(comma);
                lines.push(comments);
            }
        }
        drop_last_comma(&mut lines);
        if let Some(close) = &close {
            lines.extend(self.own_comments(close));
        }
        let close = close.map_or_else(Doc::nothing, |close| self.token(&close));
        if empty && lines.is_empty() {
            return Doc::Concat(vec![open, close]);
        }
        let edge = Doc::Line(if is_spaced(rule) { " " } else { "" });
        let inner = Doc::indent(Doc::Concat(std::iter::once(edge.clone()).chain(lines).collect()));
        Doc::group(Doc::Concat(vec![open, inner, edge, close]))
    }

    /// What stands between two commas: one part, or one with clauses after it.
    fn item(&mut self, rule: Rule, parts: Vec<Pair<'a, Rule>>) -> Doc<'a> {
        let mut out = Vec::new();
        let mut before: Option<(Rule, &'a str)> = None;
        for part in parts {
            let here = (part.as_rule(), part.as_str());
            let glue = before.map_or(Glue::Nothing, |before| glue(rule, before, here));
            out.extend(glue.line());
            out.extend((glue == Glue::Space).then(|| Doc::text(" ")));
            before = Some(here);
            out.push(self.doc(part));
        }
        Doc::Concat(out)
    }
}

impl Glue {
    fn line<'a>(self) -> Option<Doc<'a>> {
        match self {
            Glue::Nothing | Glue::Space => None,
            Glue::Line => Some(Doc::Line(" ")),
            Glue::WideLine => Some(Doc::Line("  ")),
        }
    }
}

/// Takes the comma after the last item away; the comments beside it stay.
fn drop_last_comma(lines: &mut [Doc<'_>]) {
    if let [.., comma @ Doc::Text(_), Doc::Concat(_)] = lines
        && matches!(comma, Doc::Text(text) if text == ",")
    {
        *comma = Doc::nothing();
    }
}

/// Rules whose text stays as it is written.
fn is_atom(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::name
            | Rule::ident
            | Rule::path
            | Rule::callee
            | Rule::field
            | Rule::number
            | Rule::duration
            | Rule::instant
            | Rule::text
            | Rule::constant
            | Rule::quantifier
            | Rule::assign
    )
}

fn is_open(rule: Rule) -> bool {
    matches!(rule, Rule::open_paren | Rule::open_bracket | Rule::open_brace)
}

fn is_close(rule: Rule) -> bool {
    matches!(rule, Rule::close_paren | Rule::close_bracket | Rule::close_brace)
}

/// Brackets with blanks inside: those of rows and columns, of branches and of pipelines, not those of values.
fn is_spaced(rule: Rule) -> bool {
    matches!(rule, Rule::row_list | Rule::schema | Rule::case | Rule::iterate_step | Rule::match_step)
}

/// True for a part of `parent` that begins a line of its own where the whole does not fit on one.
fn is_clause(parent: Rule, part: Rule) -> bool {
    match parent {
        Rule::join_step => matches!(part, Rule::join_on | Rule::join_using),
        Rule::top_step => matches!(part, Rule::kw_by | Rule::kw_per),
        Rule::dedupe_step => matches!(part, Rule::dedupe_keep | Rule::dedupe_when),
        Rule::match_step => matches!(part, Rule::kw_sort | Rule::within | Rule::kw_select),
        Rule::search_step => matches!(
            part,
            Rule::kw_for
                | Rule::search_top
                | Rule::search_mode
                | Rule::search_where
                | Rule::alias
                | Rule::named_argument
        ),
        Rule::arguments => matches!(part, Rule::by_keys | Rule::sorted_by),
        Rule::over => matches!(part, Rule::sorted_by | Rule::frame),
        Rule::call => matches!(part, Rule::filter | Rule::over),
        Rule::case => part == Rule::case_else,
        _ => false,
    }
}

/// What stands between two parts of a rule.
fn glue(parent: Rule, before: (Rule, &str), next: (Rule, &str)) -> Glue {
    match (before.0, next.0) {
        (_, Rule::colon | Rule::comma | Rule::arguments | Rule::quantifier | Rule::nullable) => Glue::Nothing,
        (_, Rule::field | Rule::index) => Glue::Nothing,
        (Rule::comma | Rule::double_arrow, _) => Glue::Line,
        (Rule::minus, _) if !next.1.starts_with('-') => Glue::Nothing,
        (Rule::name, Rule::open_paren) => Glue::Nothing,
        (Rule::element, Rule::element) => Glue::WideLine,
        (_, part) if is_clause(parent, part) => Glue::Line,
        _ => Glue::Space,
    }
}
