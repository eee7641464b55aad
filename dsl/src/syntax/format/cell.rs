//! The statements of a cell, and what stands between them.

use pest::Parser;
use tidebook_plan::Span;

use super::super::grammar::{Grammar, Rule};
use super::super::scan::Scan;
use super::super::tree::{Statement, StatementKind};
use super::super::{foreign, parse};
use super::layout::Layout;
use super::print::print;
use super::{Formatted, gaps, shape};
use crate::limits::CELL_BYTES;

/// A piece of a cell that is laid out as a whole.
struct Piece {
    span: Span,
    /// False for what is left as it is, whole lines.
    formatted: bool,
}

/// See [`super::format`].
pub(super) fn format(text: &str) -> Formatted {
    if foreign(text).is_some() {
        return Formatted { text: text.to_string(), diagnostics: Vec::new() };
    }
    let parsed = parse(text);
    if text.len() > CELL_BYTES {
        return Formatted { text: text.to_string(), diagnostics: parsed.diagnostics };
    }
    let scan = Scan::new(text);
    let out = join(text, &pieces(&scan, &parsed.statements));
    // Where a broken statement ends is guessed from what stands around it.
    if !parsed.diagnostics.is_empty() && out != text && !same_statements(text, &parsed.statements, &out) {
        return Formatted { text: text.to_string(), diagnostics: parsed.diagnostics };
    }
    Formatted { text: out, diagnostics: parsed.diagnostics }
}

fn same_statements(before: &str, statements: &[Statement], after: &str) -> bool {
    let again = parse(after).statements;
    let shape = |text, statement: &Statement| shape::of(statement.span.of(text));
    let same = |(a, b): (&Statement, &Statement)| match (shape(before, a), shape(after, b)) {
        (Some(a), Some(b)) => a == b,
        // Commands have no shape of their own.
        _ => a.span.of(before) == b.span.of(after),
    };
    again.len() == statements.len() && statements.iter().zip(&again).all(same)
}

/// The pieces of a cell, in order; between them are blanks and comments.
fn pieces(scan: &Scan<'_>, statements: &[Statement]) -> Vec<Piece> {
    let mut good: Vec<&Statement> = statements.iter().collect();
    good.sort_by_key(|statement| statement.span);
    let mut pieces: Vec<Piece> = Vec::new();
    let mut at = 0;
    for statement in good {
        let start = scan.token_at(statement.span.start);
        add_left(scan, &mut pieces, at, start);
        let formatted = !matches!(statement.kind, StatementKind::Command(_));
        add(scan.text, &mut pieces, without_last_comma(scan, Piece { span: statement.span, formatted }));
        at = scan.token_at(statement.span.end).max(at);
    }
    add_left(scan, &mut pieces, at, scan.tokens.len());
    pieces
}

/// A piece without the comma that it ends with, where comments stand before that: the layout leaves the comma out, and then
/// these comments follow the statement. One that follows the comma has no place then, and the piece stays as it is.
fn without_last_comma(scan: &Scan<'_>, piece: Piece) -> Piece {
    let end = scan.token_at(piece.span.end);
    let tokens = scan.tokens.get(..end).unwrap_or_default();
    let [.., last, comma] = tokens else { return piece };
    let between = Span::new(last.span.end, comma.span.start);
    if !piece.formatted || comma.span.of(scan.text) != "," || !between.of(scan.text).contains('#') {
        return piece;
    }
    match gaps::trailing(scan.text.get(piece.span.end..).unwrap_or("")) {
        Some(_) => Piece { formatted: false, ..piece },
        None => Piece { span: Span::new(piece.span.start, last.span.end), ..piece },
    }
}

/// Adds the tokens `from..to`, which belong to no statement.
fn add_left(scan: &Scan<'_>, pieces: &mut Vec<Piece>, from: usize, to: usize) {
    if let Some([first, rest @ ..]) = scan.tokens.get(from..to) {
        let span = rest.last().map_or(first.span, |last| first.span.to(last.span));
        add(scan.text, pieces, Piece { span, formatted: false });
    }
}

/// Adds a piece, together with those on its lines if one of them is left as it is.
fn add(text: &str, pieces: &mut Vec<Piece>, mut piece: Piece) {
    while let Some(before) = pieces.last() {
        let one_line = !Span::new(before.span.end, piece.span.start).of(text).contains('\n');
        if !one_line || before.formatted && piece.formatted {
            break;
        }
        piece = Piece { span: before.span.to(piece.span), formatted: false };
        pieces.pop();
    }
    if !piece.formatted {
        piece.span = whole_lines(text, piece.span);
    }
    pieces.push(piece);
}

/// The span with all that stands on its lines.
fn whole_lines(text: &str, span: Span) -> Span {
    let start = text[..span.start].rfind('\n').map_or(0, |newline| newline + 1);
    let end = text[span.end..].find('\n').map_or(text.len(), |newline| span.end + newline);
    Span::new(start, end)
}

/// The pieces, each laid out, with the comments between them.
fn join(text: &str, pieces: &[Piece]) -> String {
    let mut out = String::new();
    let mut end = 0;
    for piece in pieces {
        between(text.get(end..piece.span.start).unwrap_or(""), &mut out, true);
        match piece.formatted {
            true => out.push_str(&statement(text, piece.span)),
            false => out.push_str(piece.span.of(text).trim_end()),
        }
        out.push('\n');
        end = piece.span.end;
    }
    between(text.get(end..).unwrap_or(""), &mut out, false);
    out
}

/// Adds what stands in the gap before a piece, or after the last one.
fn between(gap: &str, out: &mut String, goes_on: bool) {
    let first = out.is_empty();
    let (comments, blank_after) = gaps::comments(gap);
    // What begins on the line of the statement before belongs to it; before the first statement there is none.
    let own = comments.iter().filter(|comment| comment.own_line || first);
    // A comment right under a statement that is indented likely is a step that was taken out.
    let mut beside = !first;
    for comment in own {
        beside &= comment.indented && !comment.blank_before;
        if comment.blank_before && !out.is_empty() {
            out.push('\n');
        }
        out.push_str(if beside { "  " } else { "" });
        out.push_str(comment.text);
        out.push('\n');
    }
    if blank_after && goes_on && !out.is_empty() {
        out.push('\n');
    }
}

/// A statement in its layout, or as it is where the layout would change what it means.
fn statement(text: &str, span: Span) -> String {
    let piece = span.of(text);
    let pairs = Grammar::parse(Rule::statement, piece).ok().and_then(|mut pairs| pairs.next());
    let out = pairs.map(|pair| print(&Layout::new(text, span.start).doc(pair))).unwrap_or_default();
    let before = shape::of(piece);
    if before.is_some() && before == shape::of(&out) {
        return out;
    }
    let comment = gaps::trailing(text.get(span.end..).unwrap_or(""));
    comment.map_or_else(|| piece.to_string(), |comment| format!("{piece}  {comment}"))
}
