//! One entry for each thing that has a name, written from the value that documents it.

use std::fmt::Write;

use tidebook_plan::connector::{ConnectorSpec, Direction};

use super::chapters::Chapter;
use super::expressions::{ExpressionDoc, OPERATORS, TYPES};
use super::queries::QUERIES;
use crate::assist::{COMMANDS, SETTINGS, STATEMENTS, option_form};
use crate::diagnostics;
use crate::functions::{self, Function, Group};
use crate::syntax::steps::STEPS;

/// A thing that has a name.
pub(super) struct Entry {
    /// Its heading.
    pub title: String,
    /// What it is asked for by.
    pub names: Vec<String>,
    /// Its chapter.
    pub chapter: Chapter,
    /// Its group, if it is a function.
    pub group: Option<Group>,
    /// Its text in Markdown, with a heading of the second level.
    pub text: String,
}

impl Entry {
    fn new(chapter: Chapter, title: impl Into<String>, names: Vec<String>, body: &str) -> Self {
        let title = title.into();
        let text = format!("## {title}\n\n{}\n", body.trim_end());
        Entry { title, names, chapter, group: None, text }
    }

    /// The anchor of its heading, as code forges make it.
    pub fn anchor(&self) -> String {
        let kept = self.title.to_lowercase();
        kept.chars()
            .filter(|c| c.is_alphanumeric() || "_- ".contains(*c))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect()
    }
}

/// Every entry, chapter by chapter.
pub(super) fn all(connectors: &[&ConnectorSpec]) -> Vec<Entry> {
    let mut entries = Vec::new();
    for statement in STATEMENTS {
        let body = described(&[statement.signature], statement.doc, &[]);
        entries.push(Entry::new(Chapter::Statements, statement.name, vec![statement.name.to_string()], &body));
    }
    for step in STEPS {
        let body = described(&[step.signature], step.doc, &[step.example.to_string()]);
        entries.push(Entry::new(Chapter::Steps, step.name, vec![step.name.to_string()], &body));
    }
    entries.extend(TYPES.iter().map(|doc| expression(Chapter::Types, doc)));
    entries.extend(OPERATORS.iter().map(|doc| expression(Chapter::Operators, doc)));
    for aggregate in functions::AGGREGATES {
        let body = described(aggregate.signatures, aggregate.doc, &[aggregate.example.to_string()]);
        entries.push(Entry::new(Chapter::Aggregates, aggregate.name, vec![aggregate.name.to_string()], &body));
    }
    for window in [&functions::OVER, &functions::SESSION].into_iter().chain(functions::WINDOWS) {
        let body = described(window.signatures, window.doc, &[window.example.to_string()]);
        entries.push(Entry::new(Chapter::Windows, window.name, vec![window.name.to_string()], &body));
    }
    for query in QUERIES {
        let names = std::iter::once(&query.title).chain(query.names).map(ToString::to_string).collect();
        let body = described(&[query.form], query.doc, &[query.example.to_string()]);
        entries.push(Entry::new(Chapter::Sql, query.title, names, &body));
    }
    for group in Group::ALL {
        let mut functions: Vec<&Function> = functions::functions().filter(|entry| entry.group == group).collect();
        functions.sort_by_key(|function| function.name);
        entries.extend(functions.into_iter().map(function));
    }
    entries.extend(connectors.iter().map(|spec| connector(spec)));
    for command in COMMANDS {
        let names = vec![command.name.to_string(), format!("%{}", command.name)];
        let body = described(&[command.signature], command.doc, &[]);
        entries.push(Entry::new(Chapter::Commands, format!("%{}", command.name), names, &body));
    }
    for setting in SETTINGS {
        let body = described(&[setting.signature], setting.doc, &[]);
        entries.push(Entry::new(Chapter::Settings, setting.name, vec![setting.name.to_string()], &body));
    }
    for explanation in diagnostics::all() {
        let names = vec![explanation.code.to_string()];
        let (chapter, title, text) = (Chapter::Diagnostics, explanation.code.to_string(), explanation.to_markdown());
        entries.push(Entry { title, names, chapter, group: None, text });
    }
    entries
}

/// True if both are the same code of a diagnostic, in upper or lower case.
pub(super) fn is_code(name: &str, topic: &str) -> bool {
    name.len() == 5 && name.starts_with('D') && name.eq_ignore_ascii_case(topic)
}

/// `read csv`, `write csv`.
pub(super) fn connector_name(spec: &ConnectorSpec) -> String {
    let verb = match spec.direction {
        Direction::Source => "read",
        Direction::Sink => "write",
    };
    format!("{verb} {}", spec.name)
}

/// Forms, what it does, and examples.
fn described(forms: &[&str], doc: &str, examples: &[String]) -> String {
    let mut text = format!("```tide\n{}\n```\n\n{}\n", forms.join("\n"), doc.trim());
    if !examples.is_empty() {
        let _ = write!(text, "\n```tide\n{}\n```\n", examples.join("\n"));
    }
    text
}

/// An expression with what it gives.
fn gives((expression, result): &(&str, &str)) -> String {
    // A result of several lines would end the comment.
    let result = if result.contains('\n') { format!("{result:?}") } else { (*result).to_string() };
    format!("{expression}  # {}", if result.is_empty() { "(empty)" } else { &result })
}

fn expression(chapter: Chapter, doc: &ExpressionDoc) -> Entry {
    let examples: Vec<String> = doc.examples.iter().map(gives).collect();
    let names = doc.names.iter().map(ToString::to_string).collect();
    Entry::new(chapter, doc.title, names, &described(&[doc.form], doc.doc, &examples))
}

fn function(function: &Function) -> Entry {
    let signatures = function.signatures();
    let signatures: Vec<&str> = signatures.iter().map(String::as_str).collect();
    let examples: Vec<String> = function.examples.iter().map(gives).collect();
    let body = described(&signatures, function.doc, &examples);
    let entry = Entry::new(Chapter::Functions, function.name, vec![function.name.to_string()], &body);
    Entry { group: Some(function.group), ..entry }
}

fn connector(spec: &ConnectorSpec) -> Entry {
    let name = connector_name(spec);
    let mut body = format!("{}\n\n{}\n", spec.summary.trim(), spec.doc.trim());
    if !spec.options.is_empty() {
        body.push_str("\n| option | value | meaning |\n| --- | --- | --- |\n");
    }
    for option in &spec.options {
        let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
        let _ = writeln!(body, "| `{}` | {} | {} |", option.name, cell(&option_form(option)), cell(option.doc));
    }
    for example in spec.examples {
        let _ = write!(body, "\n```tide\n{}\n```\n", example.trim());
    }
    Entry::new(Chapter::Connectors, name.clone(), vec![spec.name.to_string(), name], &body)
}
