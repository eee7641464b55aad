//! Text of a cell to its syntax tree.
//!
//! [`parse`] never fails: it gives the statements that are right and one diagnostic for each that is not. A
//! light [scan](scan) cuts commands out and bounds nesting; pest parses whole runs of statements with the
//! grammar of `tide.pest`; only where that fails is the run cut into pieces (`pieces`), so that a bad statement
//! hides no other. `faults` says what is wrong in the user's words.
//!
//! *Invariant:* no text, however long, deep or broken, makes the parser panic or overflow its stack.

mod build;
mod completeness;
mod faults;
mod format;
mod grammar;
mod pieces;
pub(crate) mod scan;
pub mod steps;
mod suspects;
#[cfg(test)]
mod tests;
pub mod tree;

use pest::Parser;
use tidebook_plan::{Diagnostic, Span};

use crate::diagnostics::syntax as codes;
use crate::limits;
use build::Builder;
pub(crate) use build::text_places;
pub use completeness::{Completeness, is_complete};
pub use format::{Formatted, format};
use grammar::{Grammar, Rule};
pub(crate) use pieces::cut;
use scan::{Scan, TokenKind};
use tree::{Command, Expr, Name, Statement, StatementKind};

/// The words that are never a plain name.
pub const RESERVED: [&str; 15] =
    ["and", "or", "not", "in", "is", "like", "between", "null", "true", "false", "case", "else", "by", "on", "as"];

/// What [`parse`] gives.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parsed {
    /// The statements without a fault, in the order of the text.
    pub statements: Vec<Statement>,
    /// One for each statement with a fault, in the order of the text; for those after the first hundred one for all.
    pub diagnostics: Vec<Diagnostic>,
    /// The faults that are only counted.
    pub(crate) untold: Option<Untold>,
}

/// Faults that are only counted: nobody reads them all, and making them takes its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Untold {
    /// How many.
    pub count: usize,
    /// Where the first is.
    pub first: Span,
}

impl Untold {
    /// Cuts off what is not told one by one; `later` are counted already.
    pub fn cut(diagnostics: &mut Vec<Diagnostic>, later: Option<Untold>) -> Option<Untold> {
        let Some(first) = diagnostics.get(limits::DIAGNOSTICS).map(|fault| fault.span) else { return later };
        let count = diagnostics.len() - limits::DIAGNOSTICS;
        diagnostics.truncate(limits::DIAGNOSTICS);
        Some(Untold { count: count + later.map_or(0, |untold| untold.count), first })
    }

    /// One diagnostic for all.
    pub fn diagnostic(self) -> Diagnostic {
        let Untold { count, first } = self;
        let more = if count == 1 { "1 more fault is".to_string() } else { format!("{count} more faults are") };
        let fault = codes::LIMIT.error(format!("{more} not told one by one; the first of them is here"), first);
        fault.with_help("mend what was told, and run the cell again")
    }
}

/// Parses the text of a cell.
pub fn parse(text: &str) -> Parsed {
    let mut parsed = Parsed::default();
    if text.len() > limits::CELL_BYTES {
        parsed.diagnostics.push(faults::too_large(text));
        return parsed;
    }
    if let Some(statement) = foreign(text) {
        parsed.statements.push(statement);
        return parsed;
    }
    let scan = Scan::new(text);
    let tokens = &scan.tokens;
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at].kind == TokenKind::Command {
            command(&scan, tokens[at].span, &mut parsed);
            at += 1;
            continue;
        }
        let run = tokens[at..].iter().take_while(|token| token.kind != TokenKind::Command).count();
        pieces::parse_run(&scan, at, at + run, &mut parsed);
        at += run;
    }
    parsed.diagnostics.sort_by_key(|diagnostic| diagnostic.span);
    if let Some(first) = parsed.statements.get(limits::STATEMENTS) {
        let fault = faults::too_many("statements in a cell", limits::STATEMENTS, parsed.statements.len(), first.span);
        parsed.statements.clear();
        parsed.diagnostics.push(fault.with_help("split the cell, or read long lists of rows from a file"));
    }
    parsed.untold = Untold::cut(&mut parsed.diagnostics, parsed.untold);
    parsed.diagnostics.extend(parsed.untold.map(Untold::diagnostic));
    parsed
}

/// Parses one expression, as `%eval` and `--set` take it. The spans are those of `text`.
///
/// # Errors
/// The fault of the expression.
pub fn parse_expression(text: &str) -> Result<Expr, Box<Diagnostic>> {
    if text.len() > limits::CELL_BYTES {
        return Err(Box::new(faults::too_large(text)));
    }
    let scan = Scan::new(text);
    if let Some(fault) = scan.faults.first() {
        return Err(Box::new(fault.clone()));
    }
    match Grammar::parse(Rule::expression, text) {
        Ok(mut pairs) => {
            let Some(expr) = pairs.next().and_then(|pair| pair.into_inner().next()) else {
                panic!("the grammar gives an expression its `expr`")
            };
            Builder::new(&scan, 0).expr(expr)
        }
        Err(error) => Err(Box::new(faults::explain(&scan, 0..scan.tokens.len(), 0, &faults::Stop::of(&error, 0)))),
    }
}

/// A cell whose first line begins with `%%` is code in another language.
fn foreign(text: &str) -> Option<Statement> {
    let start = text.find(|c: char| !c.is_whitespace() && c != '\u{FEFF}')?;
    let rest = text[start..].strip_prefix("%%")?;
    let line_end = text[start..].find('\n').map_or(text.len(), |newline| start + newline);
    let length = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
    let language = Name { text: rest[..length].to_string(), span: Span::new(start, start + 2 + length) };
    if length == 0 {
        return None;
    }
    let arguments = text[start + 2 + length..line_end].trim().to_string();
    let body_span = Span::new((line_end + 1).min(text.len()), text.len());
    let body = body_span.of(text).to_string();
    let kind = StatementKind::Foreign { language, arguments, body, body_span };
    Some(Statement { kind, span: Span::new(start, text.len()) })
}

/// A line that begins with `%`.
fn command(scan: &Scan<'_>, span: Span, parsed: &mut Parsed) {
    let line = span.of(scan.text);
    let rest = &line[1..];
    let length = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
    if length == 0 {
        parsed.diagnostics.push(faults::nameless_command(line, span));
        return;
    }
    let name = Name { text: rest[..length].to_string(), span: Span::new(span.start, span.start + 1 + length) };
    let arguments = rest[length..].trim().to_string();
    let arguments_span = Span::new(span.end - arguments.len(), span.end);
    let kind = StatementKind::Command(Command { name, arguments, arguments_span });
    parsed.statements.push(Statement { kind, span });
}
