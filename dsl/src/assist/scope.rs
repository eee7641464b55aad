//! What is defined where the cell stands.

use tidebook_plan::connector::{ConnectorSpec, Direction};
use tidebook_plan::{ColumnType, Schema};

/// A function as help shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FunctionDoc {
    /// Its name.
    pub name: String,
    /// Its forms, one a line: `round(x: float, digits: int = 0) -> float`.
    pub signature: String,
    /// What it does, in Markdown.
    pub doc: String,
    /// Calls with what they give.
    pub examples: Vec<String>,
    /// True for one that takes the rows of a group.
    pub is_aggregate: bool,
}

/// A table as help shows it.
#[derive(Clone, Debug, Default)]
pub struct TableDoc {
    /// Its name.
    pub name: String,
    /// Its columns and key.
    pub schema: Schema,
    /// Its pipeline, as it is written.
    pub definition: String,
    /// Tables and sources that it reads directly.
    pub reads: Vec<String>,
}

/// A name in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileName {
    /// The name alone.
    pub name: String,
    /// True for a folder.
    pub is_folder: bool,
}

/// What help has to ask, since this crate reads no files and a session knows its connectors.
pub trait Surroundings {
    /// The names in the folder at `path`, written as in a cell; none where there is no such folder.
    fn folder(&self, path: &str) -> Vec<FileName>;

    /// The columns of `pipeline`, where it and the `statements` before it compile.
    fn schema(&self, statements: &str, pipeline: &str) -> Option<Schema>;
}

/// What is defined where the cell stands.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Tables, side tables (`orders.errors`) included if they are to be offered.
    pub tables: Vec<TableDoc>,
    /// Functions, aggregates and those of `fn`.
    pub functions: Vec<FunctionDoc>,
    /// Sources and sinks.
    pub connectors: Vec<ConnectorSpec>,
    /// Parameters of `param`.
    pub params: Vec<(String, ColumnType)>,
}

impl Scope {
    pub(super) fn table(&self, name: &str) -> Option<&TableDoc> {
        self.tables.iter().find(|table| table.name == name)
    }

    pub(super) fn function(&self, name: &str) -> Option<&FunctionDoc> {
        self.functions.iter().find(|function| function.name == name)
    }

    pub(super) fn connector(&self, name: &str, direction: Direction) -> Option<&ConnectorSpec> {
        self.connectors.iter().find(|connector| connector.name == name && connector.direction == direction)
    }
}
