//! Completion.

use std::collections::HashSet;

use tidebook_plan::ColumnType;
use tidebook_plan::connector::{Direction, OptionKind, OptionSpec};

use super::columns::{Finder, Known, Visible, field_type};
use super::commands::{COMMANDS, SETTINGS, STATEMENTS, TYPES};
use super::place::{Place, Wanted, locate};
use super::rank::ranked;
use super::{Completion, FunctionDoc, Item, ItemKind, Scope, Surroundings};
use crate::diagnostics;
use crate::syntax::tree::{Pipeline, StatementKind};
use crate::syntax::{RESERVED, parse, steps};

/// What could stand at byte `offset` of `text`.
pub fn complete(text: &str, offset: usize, scope: &Scope, surroundings: &dyn Surroundings) -> Completion {
    let place = locate(text, offset);
    let before = &text[..place.statement];
    let local = parse(before).statements;
    let finder = Finder { scope, before, local: &local, surroundings };
    let visible = visible(text, &place, &finder);
    let mut list = List::default();
    list.wanted(&place, &visible, &finder);
    let items = ranked(list.items, &text[place.word.start..place.cursor]);
    Completion { start: place.word.start, end: place.word.end, items }
}

/// What the step at the cursor can use.
pub(super) fn visible(text: &str, place: &Place, finder: &Finder<'_>) -> Visible {
    let Some(before) = place.before else { return Visible::default() };
    let written = before.of(text);
    let mut visible =
        pipeline_of(written).map_or_else(Visible::default, |pipeline| finder.pipeline(&pipeline, written));
    // The table of a join that is being written: `join products as p on …`.
    let words: Vec<&str> = place.step.iter().map(String::as_str).collect();
    if let Some(at) = words.iter().position(|word| *word == "join") {
        let end = words.iter().position(|word| matches!(*word, "on" | "using")).unwrap_or(words.len());
        let table: String = words[(at + 1).min(end)..end].iter().take_while(|word| **word != "as").copied().collect();
        let alias = words.iter().position(|word| *word == "as").and_then(|alias| words.get(alias + 1));
        if let Some(columns) = finder.table(&table) {
            for column in &columns {
                if visible.column(&column.name).is_none() {
                    visible.columns.push(column.clone());
                }
            }
            visible.tables.push((alias.map_or(table, |alias| (*alias).to_string()), columns));
        }
    }
    if words.first() == Some(&"dedupe") {
        let columns = visible.columns.clone();
        visible.tables.push(("previous".to_string(), columns));
    }
    visible
}

fn pipeline_of(text: &str) -> Option<Pipeline> {
    let mut parsed = parse(&format!("completed = {text}"));
    match parsed.statements.pop()?.kind {
        StatementKind::Define { pipeline, .. } if parsed.diagnostics.is_empty() => Some(pipeline),
        _ => None,
    }
}

/// Everything that could stand at the cursor, whatever has been typed.
#[derive(Default)]
struct List {
    items: Vec<Item>,
    labels: HashSet<String>,
}

impl List {
    fn push(&mut self, label: &str, kind: ItemKind, detail: impl Into<String>, doc: impl Into<String>) {
        if self.labels.insert(label.to_string()) {
            self.items.push(Item { label: label.to_string(), kind, detail: detail.into(), doc: doc.into() });
        }
    }

    fn wanted(&mut self, place: &Place, visible: &Visible, finder: &Finder<'_>) {
        match &place.wanted {
            Wanted::Nothing => {}
            Wanted::Statement => {
                self.tables(finder);
                self.statements(|_| true);
                self.commands("%");
            }
            Wanted::Head => {
                self.tables(finder);
                self.statements(|is_head| is_head);
            }
            Wanted::Table => self.tables(finder),
            Wanted::Step => {
                for step in steps::STEPS.iter().filter(|step| step.runs()) {
                    self.push(step.name, ItemKind::Step, step.signature, step.doc);
                }
            }
            Wanted::Words(words) => self.words(words),
            Wanted::Column => self.columns(&visible.columns),
            Wanted::Expression(words) => self.expression(words, visible, finder, false),
            Wanted::Aggregate(words) => self.expression(words, visible, finder, true),
            Wanted::Field(path) => self.fields(path, visible, finder),
            Wanted::Connector(direction) => {
                for connector in finder.scope.connectors.iter().filter(|connector| connector.direction == *direction) {
                    self.push(connector.name, ItemKind::Connector, connector.summary, connector.doc);
                }
            }
            Wanted::Option { connector, direction, given, value_of } => {
                self.options(connector, *direction, given, value_of.as_deref(), visible, finder);
            }
            Wanted::Type => {
                for (name, doc) in TYPES {
                    self.push(name, ItemKind::Type, "", *doc);
                }
            }
            Wanted::Command => self.commands(""),
            Wanted::Topic => self.topics(finder),
            Wanted::File { connector, direction, folder } => self.files(connector, *direction, folder, finder),
            Wanted::Setting => {
                for setting in SETTINGS {
                    self.push(setting.name, ItemKind::Setting, setting.signature, setting.doc);
                }
            }
        }
    }

    fn tables(&mut self, finder: &Finder<'_>) {
        for name in finder.local_tables() {
            let columns = finder.table(name).unwrap_or_default();
            let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
            self.push(&quoted(name), ItemKind::Table, format!("{{{}}}", names.join(", ")), "");
        }
        for table in &finder.scope.tables {
            let label: Vec<String> = table.name.split('.').map(quoted).collect();
            self.push(&label.join("."), ItemKind::Table, table.schema.to_string(), "");
        }
    }

    fn statements(&mut self, wanted: impl Fn(bool) -> bool) {
        for statement in STATEMENTS.iter().filter(|statement| wanted(statement.is_head)) {
            self.push(statement.name, ItemKind::Keyword, statement.signature, statement.doc);
        }
    }

    /// The commands, with their `sign` where it is not written yet.
    fn commands(&mut self, sign: &str) {
        for command in COMMANDS {
            self.push(&format!("{sign}{}", command.name), ItemKind::Command, command.signature, command.doc);
        }
    }

    fn topics(&mut self, finder: &Finder<'_>) {
        for step in steps::STEPS {
            self.push(step.name, ItemKind::Step, step.signature, step.doc);
        }
        for function in &finder.scope.functions {
            self.push(&function.name, ItemKind::Function, function.signature.clone(), function.doc.clone());
        }
        for connector in &finder.scope.connectors {
            self.push(connector.name, ItemKind::Connector, connector.summary, connector.doc);
        }
        self.statements(|_| true);
        self.commands("%");
        for setting in SETTINGS {
            self.push(setting.name, ItemKind::Setting, setting.signature, setting.doc);
        }
        for explanation in diagnostics::all() {
            self.push(explanation.code, ItemKind::Diagnostic, explanation.title, explanation.text);
        }
    }

    fn files(&mut self, connector: &str, direction: Direction, folder: &str, finder: &Finder<'_>) {
        let spec = finder.scope.connector(connector, direction);
        let first = spec.and_then(|spec| spec.options.iter().find(|option| option.positional));
        if first.is_none_or(|option| option.name != "path") {
            return;
        }
        for file in finder.surroundings.folder(folder) {
            match file.is_folder {
                true => self.push(&format!("{}/", file.name), ItemKind::Folder, "", ""),
                false => self.push(&file.name, ItemKind::File, "", ""),
            }
        }
    }

    fn words(&mut self, words: &[&str]) {
        for word in words {
            self.push(word, ItemKind::Keyword, "", "");
        }
    }

    fn columns(&mut self, columns: &[Known]) {
        for column in columns {
            self.push(&quoted(&column.name), ItemKind::Column, shown(column.ty.as_ref()), "");
        }
    }

    fn expression(&mut self, words: &[&str], visible: &Visible, finder: &Finder<'_>, aggregates_first: bool) {
        if aggregates_first {
            self.functions(finder, |function| function.is_aggregate);
        }
        self.columns(&visible.columns);
        for (name, columns) in &visible.tables {
            let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
            self.push(name, ItemKind::Table, format!("{{{}}}", names.join(", ")), "");
        }
        for (name, ty) in &finder.scope.params {
            self.push(&quoted(name), ItemKind::Parameter, format!("param: {ty}"), "");
        }
        self.words(words);
        self.functions(finder, |function| !function.is_aggregate);
        self.words(&["case", "true", "false", "null"]);
        self.functions(finder, |_| true);
    }

    fn functions(&mut self, finder: &Finder<'_>, wanted: impl Fn(&FunctionDoc) -> bool) {
        for function in finder.scope.functions.iter().filter(|function| wanted(function)) {
            self.push(&function.name, ItemKind::Function, function.signature.clone(), function.doc.clone());
        }
    }

    fn fields(&mut self, path: &[String], visible: &Visible, finder: &Finder<'_>) {
        let whole = path.join(".");
        if let Some((_, columns)) = visible.tables.iter().find(|(name, _)| *name == whole) {
            return self.columns(columns);
        }
        let mut ty = path.first().and_then(|first| visible.column(first)).and_then(|column| column.ty.clone());
        for field in path.iter().skip(1) {
            ty = ty.and_then(|ty| field_type(&ty, field));
        }
        if let Some(tidebook_plan::Type::Record(fields)) = ty.map(|ty| ty.ty) {
            for (name, ty) in fields {
                self.push(&quoted(&name), ItemKind::Column, ty.to_string(), "");
            }
            return;
        }
        // A connector with a dot in its name, a side table, or a table that the step does not know yet.
        let prefix = format!("{whole}.");
        for connector in &finder.scope.connectors {
            if let Some(rest) = connector.name.strip_prefix(&prefix) {
                self.push(rest, ItemKind::Connector, connector.summary, connector.doc);
            }
        }
        for table in &finder.scope.tables {
            if let Some(rest) = table.name.strip_prefix(&prefix) {
                self.push(rest, ItemKind::Table, table.schema.to_string(), "");
            }
        }
        if let Some(columns) = finder.table(&whole) {
            self.columns(&columns);
        }
    }

    fn options(
        &mut self,
        connector: &str,
        direction: Direction,
        given: &[String],
        value_of: Option<&str>,
        visible: &Visible,
        finder: &Finder<'_>,
    ) {
        let Some(spec) = finder.scope.connector(connector, direction) else { return };
        match value_of {
            Some(name) => match spec.options.iter().find(|option| option.name == name).map(|option| option.kind) {
                Some(OptionKind::OneOf(words)) => self.words(words),
                Some(OptionKind::Bool) => self.words(&["true", "false"]),
                Some(OptionKind::Column | OptionKind::Columns) => self.columns(&visible.columns),
                Some(OptionKind::Text) => {
                    if let Some(function) = finder.scope.function("env") {
                        self.push(&function.name, ItemKind::Function, function.signature.clone(), function.doc.clone());
                    }
                }
                _ => {}
            },
            None => {
                for option in spec.options.iter().filter(|option| !given.iter().any(|name| name == option.name)) {
                    self.push(&format!("{}: ", option.name), ItemKind::Option, option_form(option), option.doc);
                }
            }
        }
    }
}

/// The kind of value, whether it is needed, and the default of an option.
pub(crate) fn option_form(option: &OptionSpec) -> String {
    let kind = match option.kind {
        OptionKind::Text => "text".to_string(),
        OptionKind::Texts => "text|[text]".to_string(),
        OptionKind::Columns => "column|[column]".to_string(),
        OptionKind::Int => "int".to_string(),
        OptionKind::Float => "float".to_string(),
        OptionKind::Bool => "bool".to_string(),
        OptionKind::Duration => "duration".to_string(),
        OptionKind::Column => "column".to_string(),
        OptionKind::OneOf(words) => words.join("|"),
    };
    match (&option.default, option.required) {
        (Some(default), _) => format!("{kind}, default {default:?}"),
        (None, true) => format!("{kind}, required"),
        (None, false) => kind,
    }
}

pub(super) fn shown(ty: Option<&ColumnType>) -> String {
    ty.map_or_else(String::new, ToString::to_string)
}

/// The name as it is written: in backticks where it must be.
pub(super) fn quoted(name: &str) -> String {
    let plain =
        name.chars().enumerate().all(|(at, c)| c == '_' || c.is_ascii_alphabetic() || at > 0 && c.is_ascii_digit());
    if plain && !name.is_empty() && !RESERVED.contains(&name) {
        name.to_string()
    } else {
        format!("`{}`", name.replace('`', "``"))
    }
}
