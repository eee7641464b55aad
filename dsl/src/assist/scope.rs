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
}

/// What is defined where the cell stands.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Tables and their columns, side tables (`orders.errors`) included if they are to be offered.
    pub tables: Vec<(String, Schema)>,
    /// Functions, aggregates and those of `fn`.
    pub functions: Vec<FunctionDoc>,
    /// Sources and sinks.
    pub connectors: Vec<ConnectorSpec>,
    /// Parameters of `param`.
    pub params: Vec<(String, ColumnType)>,
}

impl Scope {
    pub(super) fn table(&self, name: &str) -> Option<&Schema> {
        self.tables.iter().find(|(table, _)| table == name).map(|(_, schema)| schema)
    }

    pub(super) fn function(&self, name: &str) -> Option<&FunctionDoc> {
        self.functions.iter().find(|function| function.name == name)
    }

    pub(super) fn connector(&self, name: &str, direction: Direction) -> Option<&ConnectorSpec> {
        self.connectors.iter().find(|connector| connector.name == name && connector.direction == direction)
    }
}
