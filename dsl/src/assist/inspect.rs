//! Inspection: what the word at the cursor is.

use tidebook_plan::Span;
use tidebook_plan::connector::{ConnectorSpec, Direction};

use super::columns::{Finder, Known, field_type};
use super::commands::{COMMANDS, SETTINGS, STATEMENTS, TYPES};
use super::complete::{option_form, shown, visible};
use super::place::{Wanted, locate};
use super::{FunctionDoc, Inspection, Scope};
use crate::diagnostics;
use crate::syntax::scan::{Scan, Token, TokenKind};
use crate::syntax::{parse, steps};

/// What the word at byte `offset` of `text` is, if it is known.
pub fn inspect(text: &str, offset: usize, scope: &Scope, _detailed: bool) -> Option<Inspection> {
    let scan = Scan::new(text);
    let index =
        scan.tokens.iter().position(|token| token.span.start <= offset && offset <= token.span.end && named(token))?;
    let token = scan.tokens[index];
    if token.kind == TokenKind::Command {
        return command(scan.word(&token));
    }
    let place = locate(text, token.span.start);
    let local = parse(&text[..place.statement]).statements;
    let finder = Finder { scope, local: &local };
    let word = scan.word(&token).trim_matches('`');
    let next = scan.tokens.get(index + 1).map_or("", |next| scan.word(next));
    let before = index.checked_sub(1).map_or("", |before| scan.word(&scan.tokens[before]));
    let called = next == "(";
    match &place.wanted {
        Wanted::Step | Wanted::Words(_) => {
            if let Some(step) = step(&scan, index) {
                return Some(step);
            }
        }
        Wanted::Connector(direction) => return connector(scope, &dotted(&scan, index), *direction),
        Wanted::Option { connector: name, direction, .. } if next == ":" => {
            let option = scope.connector(name, *direction)?.options.iter().find(|option| option.name == word)?;
            return Some(entry(word, &format!("{word}: {}", option_form(option)), option.doc, &[]));
        }
        Wanted::Setting => {
            let setting = SETTINGS.iter().find(|setting| setting.name == word)?;
            return Some(entry(word, setting.signature, setting.doc, &[]));
        }
        Wanted::Type => {
            let (name, doc) = TYPES.iter().find(|(name, _)| *name == word)?;
            return Some(entry(name, name, doc, &[]));
        }
        Wanted::Field(path) => {
            let read = connector(scope, &dotted(&scan, index), Direction::Source);
            if let Some(found) = read.or_else(|| connector(scope, &dotted(&scan, index), Direction::Sink)) {
                return Some(found);
            }
            let visible = visible(text, &place, &finder);
            let whole = path.join(".");
            let table = visible.tables.iter().find(|(name, _)| *name == whole).map(|(_, columns)| columns.clone());
            if let Some(columns) = table.or_else(|| finder.table(&whole)) {
                return Some(column(columns.iter().find(|column| column.name == word)?, &whole));
            }
            let ty = visible.column(path.first()?)?.ty.clone()?;
            let ty = path.iter().skip(1).try_fold(ty, |ty, field| field_type(&ty, field))?;
            let known = Known { name: word.to_string(), ty: field_type(&ty, word) };
            return Some(column(&known, &whole));
        }
        _ => {}
    }
    let visible = visible(text, &place, &finder);
    if !called && let Some(known) = visible.column(word) {
        return Some(column(known, "this table"));
    }
    if called && let Some(found) = scope.function(word).map(function) {
        return Some(found);
    }
    let statement = STATEMENTS.iter().find(|statement| statement.name == word);
    if matches!(place.wanted, Wanted::Statement | Wanted::Head)
        && let Some(statement) = statement
    {
        let begins = !matches!(next, "=" | "|" | "");
        if begins {
            return Some(entry(word, statement.signature, statement.doc, &[]));
        }
    }
    table(&finder, &dotted(&scan, index))
        .or_else(|| table(&finder, word))
        .or_else(|| param(scope, word))
        .or_else(|| scope.function(word).map(function))
        .or_else(|| step(&scan, index))
        .or_else(|| if before == "." { None } else { statement.map(|s| entry(word, s.signature, s.doc, &[])) })
}

fn named(token: &Token) -> bool {
    matches!(token.kind, TokenKind::Word | TokenKind::Quoted | TokenKind::Command)
}

/// The dotted path that the token is a part of, up to its end.
fn dotted(scan: &Scan<'_>, index: usize) -> String {
    let word = |index: usize| scan.tokens.get(index).map_or("", |token| scan.word(token));
    let mut first = index;
    while first >= 2 && word(first - 1) == "." && named(&scan.tokens[first - 2]) {
        first -= 2;
    }
    let mut last = index;
    while word(last + 1) == "." && scan.tokens.get(last + 2).is_some_and(named) {
        last += 2;
    }
    let span = Span::new(scan.tokens[first].span.start, scan.tokens[last].span.end);
    span.of(scan.text).replace('`', "")
}

/// The step whose words the token is among; the longest name counts.
fn step(scan: &Scan<'_>, index: usize) -> Option<Inspection> {
    let word = |index: usize| scan.tokens.get(index).map_or("", |token| scan.word(token));
    let start = (index.saturating_sub(2)..=index).find(|start| *start > 0 && word(start - 1) == "|").unwrap_or(index);
    let longest = [3, 2, 1].into_iter().filter(|count| start + count > index).find_map(|count| {
        let name: Vec<&str> = (start..start + count).map(word).collect();
        steps::find(&name.join(" "))
    })?;
    Some(entry(longest.name, longest.signature, longest.doc, &[longest.example.to_string()]))
}

fn command(line: &str) -> Option<Inspection> {
    let mut words = line.trim_start_matches('%').split_whitespace();
    let name = words.next()?;
    if name == "help"
        && let Some(explanation) = words.next().and_then(diagnostics::explain)
    {
        let title = explanation.code.to_string();
        return Some(Inspection { title, text: explanation.text.to_string(), markdown: explanation.to_markdown() });
    }
    let command = COMMANDS.iter().find(|command| command.name == name)?;
    Some(entry(command.name, command.signature, command.doc, &[]))
}

fn connector(scope: &Scope, name: &str, direction: Direction) -> Option<Inspection> {
    Some(describe_connector(scope.connector(name, direction)?))
}

fn describe_connector(spec: &ConnectorSpec) -> Inspection {
    let word = match spec.direction {
        Direction::Source => "read",
        Direction::Sink => "write",
    };
    let mut text = format!("{word} {}(…)\n{}\n", spec.name, spec.summary);
    let mut markdown = format!("**`{word} {}(…)`**: {}\n\n{}\n", spec.name, spec.summary, spec.doc);
    if !spec.options.is_empty() {
        markdown.push_str("\n| option | value | meaning |\n| --- | --- | --- |\n");
    }
    for option in &spec.options {
        let form = option_form(option);
        text.push_str(&format!("  {}: {form}. {}\n", option.name, option.doc));
        markdown.push_str(&format!("| `{}` | {} | {} |\n", option.name, form.replace('|', "\\|"), option.doc));
    }
    for example in spec.examples {
        text.push_str(&format!("example: {example}\n"));
        markdown.push_str(&format!("\n```tide\n{example}\n```\n"));
    }
    Inspection { title: spec.name.to_string(), text, markdown }
}

fn function(function: &FunctionDoc) -> Inspection {
    entry(&function.name, &function.signature, &function.doc, &function.examples)
}

fn param(scope: &Scope, name: &str) -> Option<Inspection> {
    let (name, ty) = scope.params.iter().find(|(param, _)| param == name)?;
    Some(entry(name, &format!("param {name}: {ty}"), "A parameter of the notebook.", &[]))
}

fn table(finder: &Finder<'_>, name: &str) -> Option<Inspection> {
    let columns = finder.table(name)?;
    let key = |column: &str| {
        let schema = finder.scope.table(name)?;
        schema.key.contains(&schema.index_of(column)?).then_some(" key")
    };
    let mut text = format!("{name}: a table\n");
    let mut markdown = format!("**`{name}`**: a table\n\n| column | type |\n| --- | --- |\n");
    for known in &columns {
        let ty = format!("{}{}", shown(known.ty.as_ref()), key(&known.name).unwrap_or(""));
        text.push_str(&format!("  {}: {ty}\n", known.name));
        markdown.push_str(&format!("| `{}` | {ty} |\n", known.name));
    }
    Some(Inspection { title: name.to_string(), text, markdown })
}

fn column(known: &Known, of: &str) -> Inspection {
    let ty = shown(known.ty.as_ref());
    let form = if ty.is_empty() { known.name.clone() } else { format!("{}: {ty}", known.name) };
    entry(&known.name, &form, &format!("A column of {of}."), &[])
}

/// A name, its form, what it does, and examples.
fn entry(title: &str, form: &str, doc: &str, examples: &[String]) -> Inspection {
    let mut text = format!("{form}\n{doc}\n");
    let mut markdown = format!("```tide\n{form}\n```\n\n{doc}\n");
    for example in examples {
        text.push_str(&format!("example: {example}\n"));
        markdown.push_str(&format!("\n```tide\n{example}\n```\n"));
    }
    Inspection { title: title.to_string(), text, markdown }
}
