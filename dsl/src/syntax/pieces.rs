//! Runs of statements, and what is saved of a run with a fault.
//!
//! A right run is parsed in one go. A wrong one is first cut where a statement surely or likely begins, then
//! each piece is parsed on its own. In a piece with a fault, the statements before it stay, unless the fault
//! shows that the last of them was meant to go on.

use pest::Parser;
use tidebook_plan::Span;

use super::build::Builder;
use super::faults::{self, Stop};
use super::grammar::{Grammar, Rule};
use super::scan::{Scan, Token, TokenKind};
use super::{Parsed, RESERVED, Untold, steps, suspects};
use crate::limits;

/// Parses the tokens `from..to`, which contain no command.
pub(super) fn parse_run(scan: &Scan<'_>, from: usize, to: usize, parsed: &mut Parsed) {
    if scan.faults.is_empty() && parse_statements(scan, from, to, parsed).is_ok() {
        return;
    }
    for (from, to) in cut(scan, from, to) {
        parse_piece(scan, from, to, parsed);
    }
}

/// Parses a piece; of a piece with a fault, the statements before it and one diagnostic are kept.
fn parse_piece(scan: &Scan<'_>, from: usize, to: usize, parsed: &mut Parsed) {
    let span = extent(scan, from, to);
    // The faults of the scan are in the order of the text.
    let fault = scan.faults.partition_point(|fault| fault.span.start < span.start);
    if let Some(fault) = scan.faults.get(fault).filter(|fault| fault.span.start < span.end) {
        match parsed.diagnostics.len() < limits::DIAGNOSTICS {
            true => parsed.diagnostics.push(fault.clone()),
            false => parsed.untold.get_or_insert(Untold { count: 0, first: fault.span }).count += 1,
        }
        return;
    }
    let Err(stop) = parse_statements(scan, from, to, parsed) else { return };
    // Statement by statement, up to the one with the fault.
    let mut at = from;
    let mut ends = vec![from];
    while let Some(next) = statement_end(scan, at, to) {
        at = next;
        ends.push(at);
    }
    let sure = |index: usize| {
        let token = &scan.tokens[index];
        if begins_definition(scan, index) {
            // `param since = 1` is no definition of `since`, nor is `summarize n = count()` one of `n`.
            let before = scan.word(&scan.tokens[index - 1]);
            return token.first || !(faults::is_statement_word(before) || before == "summarize");
        }
        token.first && begins_statement(scan, index, from) && !steps::is_step_word(scan.word(token))
    };
    while at > from && (at >= to || !sure(at)) {
        ends.pop();
        at = ends.last().copied().unwrap_or(from);
    }
    // One by one they have parsed; should they not together, they are told with the rest.
    if at > from && parse_statements(scan, from, at, parsed).is_err() {
        at = from;
    }
    if parsed.diagnostics.len() >= limits::DIAGNOSTICS {
        let first = Span::new(stop.at, stop.at);
        parsed.untold.get_or_insert(Untold { count: 0, first }).count += 1;
        return;
    }
    parsed.diagnostics.push(faults::explain(scan, from..to, at, &stop));
}

/// The index of the first token after the statement that begins at token `at`, if there is a whole one.
fn statement_end(scan: &Scan<'_>, at: usize, to: usize) -> Option<usize> {
    if at >= to {
        return None;
    }
    let span = extent(scan, at, to);
    let pairs = Grammar::parse(Rule::statement, span.of(scan.text)).ok()?;
    let end = pairs.map(|pair| pair.as_span().end()).max()?;
    let next = scan.token_at(scan.trim(Span::new(span.start, span.start + end)).end);
    // pest may stop inside of a token (`naïve`); then there is no whole statement.
    (next > at).then_some(next)
}

/// Parses `from..to` as whole statements and adds what they give; gives where pest stopped otherwise.
fn parse_statements(scan: &Scan<'_>, from: usize, to: usize, parsed: &mut Parsed) -> Result<(), Stop> {
    let span = extent(scan, from, to);
    let pairs = Grammar::parse(Rule::program, span.of(scan.text)).map_err(|error| Stop::of(&error, span.start))?;
    let builder = Builder::new(scan, span.start);
    let first = parsed.statements.len();
    let program = pairs.flat_map(|program| program.into_inner());
    for statement in program.filter(|pair| pair.as_rule() == Rule::statement) {
        match builder.statement(statement) {
            Ok(statement) => parsed.statements.push(statement),
            Err(fault) => parsed.diagnostics.push(*fault),
        }
    }
    suspects::remove(scan, first, parsed);
    Ok(())
}

fn extent(scan: &Scan<'_>, from: usize, to: usize) -> Span {
    match scan.tokens.get(from..to) {
        Some([first, .., last]) => first.span.to(last.span),
        Some([only]) => only.span,
        _ => Span::default(),
    }
}

/// Cuts `from..to` where statements begin.
pub(crate) fn cut(scan: &Scan<'_>, from: usize, to: usize) -> Vec<(usize, usize)> {
    let mut pieces = Vec::new();
    let mut start = from;
    let mut depth = 0usize;
    for index in from..to {
        let token = &scan.tokens[index];
        let begins = token.first && token.embedded == 0 && index > start && {
            let definite = begins_definition(scan, index) || begins_keyword_statement(scan, index);
            let flush = column(scan, token) <= column(scan, &scan.tokens[start]);
            // Even in an open bracket: right text does not go on there with a name that nothing joins to the one before.
            let bare = begins_statement(scan, index, start) && !begins_step(scan, index);
            flush && (definite || bare) || definite && depth == 0
        };
        if begins {
            pieces.push((start, index));
            start = index;
            depth = 0;
        }
        if token.kind == TokenKind::Symbol {
            match scan.word(token) {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
    }
    pieces.push((start, to));
    pieces
}

/// The token's distance from the start of its line, in bytes.
fn column(scan: &Scan<'_>, token: &Token) -> usize {
    token.span.start - scan.text[..token.span.start].rfind('\n').map_or(0, |newline| newline + 1)
}

/// True where the word of a step stands that goes on in its line.
fn begins_step(scan: &Scan<'_>, index: usize) -> bool {
    let goes_on = scan.tokens.get(index + 1).is_some_and(|next| !next.first && scan.word(next) != "|");
    steps::is_step_word(scan.word(&scan.tokens[index])) && goes_on
}

/// True where a name and `=` stand.
pub(super) fn begins_definition(scan: &Scan<'_>, index: usize) -> bool {
    let Some([name, assign]) = scan.tokens.get(index..index + 2) else { return false };
    matches!(name.kind, TokenKind::Word | TokenKind::Quoted) && scan.word(assign) == "="
}

/// True where a statement with a keyword stands, as far as two tokens tell.
fn begins_keyword_statement(scan: &Scan<'_>, index: usize) -> bool {
    let Some([word, next]) = scan.tokens.get(index..index + 2) else { return false };
    let name_follows = matches!(next.kind, TokenKind::Word | TokenKind::Quoted) && !RESERVED.contains(&scan.word(next));
    let after = scan.tokens.get(index + 2).map_or("", |token| scan.word(token));
    word.kind == TokenKind::Word
        && match scan.word(word) {
            "param" => name_follows && after == ":",
            "set" => name_follows && after == "=",
            "fn" => name_follows && after == "(",
            "expect" => name_follows || scan.word(next) == "(",
            "reply" => name_follows && after == "with",
            "drop" => name_follows,
            _ => false,
        }
}

/// True where a bare pipeline may stand: a name after something that can end a statement.
fn begins_statement(scan: &Scan<'_>, index: usize, start: usize) -> bool {
    let token = &scan.tokens[index];
    let named = match token.kind {
        TokenKind::Quoted => true,
        TokenKind::Word => !RESERVED.contains(&scan.word(token)),
        _ => false,
    };
    let ended = index == start || {
        let previous = &scan.tokens[index - 1];
        match previous.kind {
            TokenKind::Symbol => matches!(scan.word(previous), ")" | "]" | "}" | "*"),
            TokenKind::Word => {
                let word = scan.word(previous);
                !RESERVED.contains(&word) || matches!(word, "null" | "true" | "false")
            }
            _ => true,
        }
    };
    named && ended
}
