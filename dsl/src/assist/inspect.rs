//! Inspection: what the word at the cursor is.

use tidebook_plan::Span;
use tidebook_plan::connector::{ConnectorSpec, Direction, OptionSpec};

use super::columns::{Finder, Known, field_type};
use super::commands::{COMMANDS, SETTINGS, STATEMENTS, TYPES};
use super::complete::{option_form, shown, visible};
use super::place::{Wanted, locate};
use super::{FunctionDoc, Inspection, Scope, Surroundings};
use crate::diagnostics;
use crate::syntax::scan::{Scan, Token, TokenKind};
use crate::syntax::{parse, steps};

/// What the word at byte `offset` of `text` is, if it is known: its form, what it does and an example; with `detailed` all
/// that is written about it, and of a table how it is made.
pub fn inspect(
    text: &str,
    offset: usize,
    scope: &Scope,
    surroundings: &dyn Surroundings,
    detailed: bool,
) -> Option<Inspection> {
    Some(about(text, offset, scope, surroundings)?.written(detailed))
}

fn about(text: &str, offset: usize, scope: &Scope, surroundings: &dyn Surroundings) -> Option<About> {
    let scan = Scan::new(text);
    let index =
        scan.tokens.iter().position(|token| token.span.start <= offset && offset <= token.span.end && named(token))?;
    let token = scan.tokens[index];
    if token.kind == TokenKind::Command {
        return command(scan.word(&token), offset - token.span.start, scope, surroundings);
    }
    let place = locate(text, token.span.start);
    let before = &text[..place.statement];
    let local = parse(before).statements;
    let finder = Finder { scope, before, local: &local, surroundings };
    let word = scan.word(&token).trim_matches('`');
    let next = scan.tokens.get(index + 1).map_or("", |next| scan.word(next));
    let previous = index.checked_sub(1).map_or("", |before| scan.word(&scan.tokens[before]));
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
            return Some(About::new(word, format!("{word}: {}", option_form(option)), option.doc));
        }
        Wanted::Setting => {
            let setting = SETTINGS.iter().find(|setting| setting.name == word)?;
            return Some(About::new(word, setting.signature, setting.doc));
        }
        Wanted::Type => {
            let (name, doc) = TYPES.iter().find(|(name, _)| *name == word)?;
            return Some(About::new(name, *name, *doc));
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
                return Some(column(columns.iter().find(|column| column.name == word)?, &[&whole]));
            }
            let ty = visible.column(path.first()?)?.ty.clone()?;
            let ty = path.iter().skip(1).try_fold(ty, |ty, field| field_type(&ty, field))?;
            let known = Known { name: word.to_string(), ty: field_type(&ty, word) };
            return Some(column(&known, &[&whole]));
        }
        _ => {}
    }
    let visible = visible(text, &place, &finder);
    if !called && let Some(known) = visible.column(word) {
        let holds = |(_, columns): &&(String, Vec<Known>)| columns.iter().any(|column| column.name == word);
        let tables: Vec<&str> = visible.tables.iter().filter(holds).map(|(name, _)| name.as_str()).collect();
        return Some(column(known, &tables));
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
            return Some(About::new(word, statement.signature, statement.doc));
        }
    }
    table(&finder, &dotted(&scan, index))
        .or_else(|| table(&finder, word))
        .or_else(|| param(scope, word))
        .or_else(|| scope.function(word).map(function))
        .or_else(|| step(&scan, index))
        .or_else(|| if previous == "." { None } else { statement.map(|s| About::new(word, s.signature, s.doc)) })
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
fn step(scan: &Scan<'_>, index: usize) -> Option<About> {
    let word = |index: usize| scan.tokens.get(index).map_or("", |token| scan.word(token));
    let start = (index.saturating_sub(2)..=index).find(|start| *start > 0 && word(start - 1) == "|").unwrap_or(index);
    let longest = [3, 2, 1].into_iter().filter(|count| start + count > index).find_map(|count| {
        let name: Vec<&str> = (start..start + count).map(word).collect();
        steps::find(&name.join(" "))
    })?;
    Some(describe_step(longest))
}

fn describe_step(step: &steps::StepDoc) -> About {
    About { examples: vec![step.example.to_string()], ..About::new(step.name, step.signature, step.doc) }
}

/// What stands at `offset` of a command's line: its name, or what it is asked about.
fn command(line: &str, offset: usize, scope: &Scope, surroundings: &dyn Surroundings) -> Option<About> {
    let rest = line.trim_start_matches('%');
    let name = rest.split_whitespace().next()?;
    let end = line.len() - rest.len() + name.len();
    let describe = |name: &str| {
        let command = COMMANDS.iter().find(|command| command.name == name)?;
        Some(About::new(command.name, command.signature, command.doc))
    };
    if offset <= end {
        return describe(name);
    }
    let argument = line[end..].trim();
    if name == "help" {
        let explained = diagnostics::explain(argument).map(|explanation| About {
            note: Some(explanation.to_markdown()),
            ..About::new(explanation.code, format!("{}: {}", explanation.code, explanation.title), explanation.text)
        });
        return explained
            .or_else(|| steps::find(argument).map(describe_step))
            .or_else(|| scope.function(argument).map(function))
            .or_else(|| connector(scope, argument, Direction::Source))
            .or_else(|| connector(scope, argument, Direction::Sink))
            .or_else(|| describe(argument.trim_start_matches('%')));
    }
    let finder = Finder { scope, before: "", local: &[], surroundings };
    let word = argument.split_whitespace().next_back()?;
    table(&finder, word).or_else(|| param(scope, word)).or_else(|| scope.function(word).map(function))
}

fn connector(scope: &Scope, name: &str, direction: Direction) -> Option<About> {
    Some(describe_connector(scope.connector(name, direction)?))
}

fn describe_connector(spec: &ConnectorSpec) -> About {
    let word = match spec.direction {
        Direction::Source => "read",
        Direction::Sink => "write",
    };
    let option = |option: &OptionSpec| [option.name.to_string(), option_form(option), option.doc.to_string()];
    About {
        headings: ["option", "value", "meaning"],
        rows: spec.options.iter().map(option).collect(),
        examples: spec.examples.iter().map(|example| (*example).to_string()).collect(),
        ..About::new(spec.name, format!("{word} {}(…)", spec.name), format!("{}\n\n{}", spec.summary, spec.doc.trim()))
    }
}

fn function(function: &FunctionDoc) -> About {
    let about = About::new(&function.name, function.signature.as_str(), function.doc.as_str());
    About { examples: function.examples.clone(), ..about }
}

fn param(scope: &Scope, name: &str) -> Option<About> {
    let (name, ty) = scope.params.iter().find(|(param, _)| param == name)?;
    Some(About::new(name, format!("param {name}: {ty}"), "A parameter of the notebook."))
}

fn table(finder: &Finder<'_>, name: &str) -> Option<About> {
    let columns = finder.table(name)?;
    let known = finder.scope.table(name);
    let key = |column: &str| {
        let schema = &known?.schema;
        schema.key.contains(&schema.index_of(column)?).then_some("key")
    };
    let row =
        |column: &Known| [column.name.clone(), shown(column.ty.as_ref()), key(&column.name).unwrap_or("").to_string()];
    let reads = known.filter(|table| !table.reads.is_empty()).map(|table| format!("Reads {}.", table.reads.join(", ")));
    Some(About {
        headings: ["column", "type", ""],
        rows: columns.iter().map(row).collect(),
        note: known.map(|table| format!("```tide\n{}\n```", table.definition)),
        ..About::new(name, format!("{name}: a table"), reads.unwrap_or_default())
    })
}

fn column(known: &Known, tables: &[&str]) -> About {
    let ty = shown(known.ty.as_ref());
    let form = if ty.is_empty() { known.name.clone() } else { format!("{}: {ty}", known.name) };
    let of = match tables {
        [] => "A column that the steps before give.".to_string(),
        tables => format!("A column of `{}`.", tables.join("` and `")),
    };
    About::new(&known.name, form, of)
}

/// What is known of a word.
#[derive(Default)]
struct About {
    title: String,
    /// Its forms, one a line.
    form: String,
    /// Paragraphs of Markdown.
    doc: String,
    /// Columns of a table, options of a connector.
    headings: [&'static str; 3],
    rows: Vec<[String; 3]>,
    examples: Vec<String>,
    /// What only somebody who wants everything wants to see: Markdown.
    note: Option<String>,
}

impl About {
    fn new(title: &str, form: impl Into<String>, doc: impl Into<String>) -> Self {
        About { title: title.to_string(), form: form.into(), doc: doc.into(), ..About::default() }
    }

    /// As Markdown: its form, the first paragraph and the first example, or all of it.
    fn written(self, detailed: bool) -> Inspection {
        let doc = if detailed { self.doc.as_str() } else { self.doc.split("\n\n").next().unwrap_or("") };
        let examples = &self.examples[..if detailed { self.examples.len() } else { self.examples.len().min(1) }];
        let mut markdown = format!("```tide\n{}\n```\n", self.form);
        if !doc.is_empty() {
            markdown.push_str(&format!("\n{doc}\n"));
        }
        if !self.rows.is_empty() {
            let [first, second, third] = self.headings;
            markdown.push_str(&format!("\n| {first} | {second} | {third} |\n| --- | --- | --- |\n"));
        }
        for [name, form, meaning] in &self.rows {
            let form = form.replace('|', "\\|");
            markdown.push_str(&format!("| `{name}` | {form} | {meaning} |\n"));
        }
        for example in examples {
            markdown.push_str(&format!("\n```tide\n{example}\n```\n"));
        }
        if let Some(note) = self.note.filter(|_| detailed) {
            markdown.push_str(&format!("\n{note}\n"));
        }
        Inspection { title: self.title, markdown }
    }
}
