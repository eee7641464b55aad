//! Help while writing: completion and inspection at a place of a text that is usually not finished.
//!
//! Both look at the tokens before the cursor (`place`), not at a tree, since there is none for half a
//! statement. What is known of columns comes from the compiler, by way of [`Surroundings`], where what is before the
//! cursor compiles, else from the finished steps (`columns`); and from the [`Scope`], which the session fills with what is
//! defined now.

mod columns;
mod commands;
mod complete;
mod inspect;
mod place;
mod rank;
mod scope;
#[cfg(test)]
mod tests;

pub use commands::{COMMANDS, CommandDoc, SETTINGS, STATEMENTS, SettingDoc, StatementDoc};
pub use complete::complete;
pub(crate) use complete::option_form;
pub use inspect::inspect;
pub use scope::{FileName, FunctionDoc, Scope, Surroundings, TableDoc};

/// What could stand at the cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// Offset of the first byte to replace.
    pub start: usize,
    /// Offset one past the last byte to replace.
    pub end: usize,
    /// What could be put there, most likely first.
    pub items: Vec<Item>,
}

/// One thing that could stand at the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The text to put there.
    pub label: String,
    /// What it is.
    pub kind: ItemKind,
    /// Its type or form; empty where nothing is known.
    pub detail: String,
    /// What it does; may be empty.
    pub doc: String,
}

/// What an [`Item`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemKind {
    /// A table.
    Table,
    /// A column or a field.
    Column,
    /// A step of a pipeline.
    Step,
    /// A function or an aggregate.
    Function,
    /// A parameter of the notebook.
    Parameter,
    /// A source or a sink.
    Connector,
    /// An option of a connector.
    Option,
    /// A word of the language.
    Keyword,
    /// A `%command`.
    Command,
    /// A setting of `set`.
    Setting,
    /// A type.
    Type,
    /// A file.
    File,
    /// A folder.
    Folder,
    /// The code of a diagnostic.
    Diagnostic,
}

impl ItemKind {
    /// The kind in one word, as front ends want it.
    pub fn word(self) -> &'static str {
        match self {
            ItemKind::Table => "table",
            ItemKind::Column => "column",
            ItemKind::Step => "step",
            ItemKind::Function => "function",
            ItemKind::Parameter => "parameter",
            ItemKind::Connector => "connector",
            ItemKind::Option => "option",
            ItemKind::Keyword => "keyword",
            ItemKind::Command => "command",
            ItemKind::Setting => "setting",
            ItemKind::Type => "type",
            ItemKind::File => "file",
            ItemKind::Folder => "folder",
            ItemKind::Diagnostic => "diagnostic",
        }
    }
}

/// What is known of the thing at the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// Its name.
    pub title: String,
    /// What is known, as Markdown: its form comes first, as code.
    pub markdown: String,
}
