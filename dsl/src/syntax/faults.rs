//! What is wrong with a piece of text, in the user's words.
//!
//! pest tells how far it came and which rules it tried there. The common slips are recognised first, by the
//! tokens around that place (`habits` of other languages, `slips` of the hand); for the rest, `expected` turns rules into words.

mod expected;
mod habits;
mod slips;

use std::ops::Range;

use pest::error::{Error, ErrorVariant, InputLocation};
use tidebook_plan::{Diagnostic, Span};

use super::grammar::Rule;
use super::scan::{Scan, Token, TokenKind, closing};
use super::{RESERVED, steps};
use crate::diagnostics::syntax as codes;
use crate::limits::CELL_BYTES;

/// Where pest could not go on.
#[derive(Debug)]
pub(super) struct Stop {
    /// Offset in the cell.
    pub at: usize,
    /// The rules that were tried there.
    pub tried: Vec<Rule>,
}

impl Stop {
    /// The place of an error in a piece that begins at `offset`.
    pub fn of(error: &Error<Rule>, offset: usize) -> Self {
        let (InputLocation::Pos(at) | InputLocation::Span((at, _))) = error.location;
        let tried = match &error.variant {
            ErrorVariant::ParsingError { positives, .. } => positives.clone(),
            ErrorVariant::CustomError { .. } => Vec::new(),
        };
        Stop { at: at + offset, tried }
    }
}

/// A piece with a fault, as the slips look at it.
struct Site<'s> {
    scan: &'s Scan<'s>,
    /// The tokens of the piece.
    tokens: &'s [Token],
    /// The first token of the statement with the fault.
    start: usize,
    /// The token at which pest stopped; the number of tokens at the end of the piece.
    found: usize,
    stop: &'s Stop,
}

impl<'s> Site<'s> {
    fn word(&self, index: usize) -> &'s str {
        self.tokens.get(index).map_or("", |token| self.scan.word(token))
    }

    fn is_word(&self, index: usize) -> bool {
        self.tokens.get(index).is_some_and(|token| token.kind == TokenKind::Word)
    }

    /// Where the token stands; at the end, the place just after the last one.
    fn span(&self, index: usize) -> Span {
        match (self.tokens.get(index), self.tokens.last()) {
            (Some(token), _) => token.span,
            (None, Some(last)) => Span::new(last.span.end, last.span.end),
            (None, None) => Span::default(),
        }
    }

    /// What was found, for a message.
    fn found_text(&self) -> String {
        if self.found >= self.tokens.len() {
            return "the end of the statement".to_string();
        }
        let word = self.word(self.found);
        let short: String = word.chars().take(40).collect();
        let dots = if short.len() < word.len() { "…" } else { "" };
        format!("`{}{dots}`", short.lines().next().unwrap_or(""))
    }

    /// The brackets that are open where pest stopped.
    fn open(&self) -> Vec<Token> {
        let from = self.scan.token_at(self.span(0).start);
        self.scan.open_brackets(from, from + self.found)
    }
}

/// The diagnostic for the tokens `piece`, of which the statement that begins at token `statement` has a fault.
pub(super) fn explain(scan: &Scan<'_>, piece: Range<usize>, statement: usize, stop: &Stop) -> Diagnostic {
    let tokens = scan.tokens.get(piece.clone()).unwrap_or(&[]);
    let found = scan.token_at(stop.at).clamp(piece.start, piece.end) - piece.start;
    let start = statement.clamp(piece.start, piece.end) - piece.start;
    let site = Site { scan, tokens, start, found, stop };
    unpaired(&site)
        .or_else(|| habits::find(&site))
        .or_else(|| slips::find(&site))
        .unwrap_or_else(|| expected::describe(&site))
}

/// More than the limit of something.
pub(super) fn too_many(what: &str, limit: usize, found: usize, span: Span) -> Diagnostic {
    codes::LIMIT.error(format!("there are at most {limit} {what}, found {found}"), span)
}

/// A cell that is too large to be looked at.
pub(super) fn too_large(text: &str) -> Diagnostic {
    let (limit, found) = (CELL_BYTES >> 20, text.len() >> 20);
    let fault = codes::LIMIT.error(format!("a cell has at most {limit} MiB, this one has {found}"), Span::default());
    fault.with_help("put long lists of rows into a file and read it: `read csv(…)`, `read jsonl(…)`")
}

/// The first bracket that does not pair, unless the fault comes before it.
fn unpaired(site: &Site<'_>) -> Option<Diagnostic> {
    let mut open: Vec<usize> = Vec::new();
    for index in 0..site.tokens.len() {
        if site.tokens[index].kind != TokenKind::Symbol {
            continue;
        }
        let word = site.word(index);
        match word {
            "(" | "[" | "{" => open.push(index),
            ")" | "]" | "}" => match open.pop() {
                Some(before) if closing(site.word(before)) == word => {}
                Some(before) if site.found >= before => {
                    let wanted = closing(site.word(before));
                    let message = format!("expected `{wanted}`, found `{word}`");
                    let fault = codes::UNPAIRED_BRACKET.error(message, site.span(index));
                    let fault = fault.with_help(format!("put the `{wanted}` before it, or remove it"));
                    return Some(fault.with_label(site.span(before), format!("this is closed by `{wanted}`")));
                }
                None if site.found >= index => {
                    let fault = codes::UNPAIRED_BRACKET.error(format!("`{word}` closes nothing"), site.span(index));
                    return Some(fault.with_help("remove it, or open its bracket before"));
                }
                _ => return None,
            },
            _ => {}
        }
    }
    let last = open.pop()?;
    if site.found < last {
        return None;
    }
    let word = site.word(last);
    if let Some(fault) = hole(site, last) {
        return Some(fault);
    }
    let fault = codes::UNPAIRED_BRACKET.error(format!("this `{word}` is never closed"), site.span(last));
    let help = format!("put the `{}` where it belongs", closing(word));
    if site.found < site.tokens.len() {
        let note = format!("expected `{}` before this", closing(word));
        return Some(fault.with_label(site.span(site.found), note).with_help(help));
    }
    Some(fault.with_help(help))
}

/// The braces of an f-string with more or less in them than an expression.
fn hole(site: &Site<'_>, brace: usize) -> Option<Diagnostic> {
    let before = site.tokens.get(brace.checked_sub(1)?)?;
    if site.word(brace) != "{" || before.kind != TokenKind::Text || before.span.end != site.span(brace).start {
        return None;
    }
    let found = site.tokens.get(site.found)?;
    match site.word(site.found) {
        ":" | "!" => {
            let message =
                format!("the braces of an f-string hold an expression only, found `{}`", site.word(site.found));
            let fault = codes::UNEXPECTED.error(message, found.span);
            Some(fault.with_help("a form is given by a function: `{fixed(x, 2)}`, `{pad_start(text(n), 3, \"0\")}`, `{format(at, \"%H:%M\")}`"))
        }
        piece if found.kind == TokenKind::Text && piece.starts_with('}') && site.found == brace + 1 => {
            let fault =
                codes::UNEXPECTED.error("expected an expression in the braces of an f-string", site.span(brace));
            Some(fault.with_help("a brace itself is written `{{` and `}}`"))
        }
        _ => None,
    }
}

/// A `%` that is first on its line and names nothing.
pub(super) fn nameless_command(line: &str, span: Span) -> Diagnostic {
    let fault = codes::NAMELESS_COMMAND.error(format!("expected the name of a command, found `{line}`"), span);
    fault
        .with_help("`%help` lists the commands; for the remainder of a division, put `%` at the end of the line before")
}

/// The word of a step where a new statement would begin.
pub(super) fn missing_bar(word: &str, span: Span) -> Diagnostic {
    codes::MISSING_BAR
        .error(format!("expected `|` before the step `{word}`"), span)
        .with_help(format!("write `| {word} …`"))
        .with_edit(Span::new(span.start, span.start), "| ")
}

/// A statement in SQL.
pub(super) fn sql(span: Span) -> Diagnostic {
    codes::SQL
        .error("this is SQL, expected a pipeline", span)
        .with_help("write `table | where … | select …`, or put the query into `sql \"select …\"`")
}

/// What a word of the language is followed by, as the help of [`unfinished`] says it. Words that only follow
/// something count if `after` something.
pub(super) fn form(word: &str, after: bool) -> Option<&'static str> {
    Some(match word {
        "expect" => "`expect table is empty`, `expect table equals table` or `expect table all condition`",
        "param" => "`param name: type = value`",
        "set" => "`set name = value`",
        "fn" => "`fn name(x: float) -> float = x * 2.0`",
        "reply" => "`reply requests with answers`",
        "read" => "`read connector(…)`",
        "rows" => "`rows [ {a: 1} ]`",
        "sql" => "`sql \"select …\"`",
        "emit" if after => "`emit live`, `emit final` or `emit every 5s`",
        "late" | "keep" | "delay" | "idle" | "within" | "every" if after => "a duration",
        "using" if after => "`using (column, …)`",
        "per" if after => "`per column, …`",
        "over" if after => "`over (by k sort at)`",
        "filter" if after => "`filter (where condition)`",
        "mode" if after => "`mode vector`, `mode text` or `mode hybrid`",
        "then" if after => "`then [ {a: 1} ]`",
        _ => return None,
    })
}

/// True for a word that begins a statement or a head.
pub(super) fn is_statement_word(word: &str) -> bool {
    form(word, false).is_some()
}

/// A word of the language, the rest of which is missing or wrong.
pub(super) fn unfinished(word: &str, form: &str, span: Span) -> Diagnostic {
    let fault = codes::UNEXPECTED.error(format!("`{word}` does not go on as expected"), span);
    fault.with_help(format!("expected {form}"))
}

/// True for a reserved word in capitals, `AND`.
pub(super) fn is_capital_word(word: &str) -> bool {
    word.chars().all(|c| c.is_ascii_uppercase()) && RESERVED.contains(&word.to_ascii_lowercase().as_str())
}

/// True for a word of a step in capitals, `DESC`.
pub(super) fn is_capital_step(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    word.chars().all(|c| c.is_ascii_uppercase())
        && (steps::is_step_word(&lower) || matches!(lower.as_str(), "desc" | "asc"))
}

/// `let t = …`
pub(super) fn declared(word: &str, span: Span) -> Diagnostic {
    let fault = codes::UNEXPECTED.error(format!("`{word}` is no word of Tide"), span);
    fault.with_help("leave it out: a definition is written `name = …`").with_edit(span, "")
}

/// `per name desc`
pub(super) fn misplaced_direction(word: &str, span: Span) -> Diagnostic {
    let fault = codes::UNEXPECTED.error(format!("`{word}` stands where nothing is sorted"), span);
    fault.with_help(format!("it follows a sort key: `sort a {word}`, `top 3 by a {word} per k`"))
}

/// A reserved word in capitals, where a name is hardly meant.
pub(super) fn capital_word(word: &str, span: Span) -> Diagnostic {
    let lower = word.to_ascii_lowercase();
    codes::UNEXPECTED
        .error(format!("`{word}` is a name, expected the word `{lower}`"), span)
        .with_help("the words of the language are in lower case")
        .with_edit(span, lower)
}
