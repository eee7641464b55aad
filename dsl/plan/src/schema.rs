//! Columns of a table.

use std::fmt;
use std::sync::Arc;

use arrow_schema::{Schema as ArrowSchema, SchemaRef};
use serde::{Deserialize, Serialize};

use crate::types::ColumnType;

/// A named, typed column.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Column {
    /// The name that the user sees; any text.
    pub name: String,
    /// Type and nullability.
    pub ty: ColumnType,
}

/// The columns of a table in order, and its key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Schema {
    /// Columns in order; names are unique.
    pub columns: Vec<Column>,
    /// Positions of the key's columns; empty where the table has no key.
    pub key: Vec<usize>,
}

impl Schema {
    /// A schema without a key.
    pub fn new(columns: impl IntoIterator<Item = (String, ColumnType)>) -> Self {
        Schema { columns: columns.into_iter().map(|(name, ty)| Column { name, ty }).collect(), key: Vec::new() }
    }

    /// Position of the column called `name`.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// Number of columns.
    pub fn len(&self) -> usize {
        self.columns.len()
    }

    /// True if there is no column.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// The Arrow schema with the user's column names.
    pub fn to_arrow(&self) -> SchemaRef {
        Arc::new(ArrowSchema::new(self.columns.iter().map(|c| c.ty.to_field(&c.name)).collect::<Vec<_>>()))
    }
}

impl fmt::Display for Schema {
    /// `{id: int key, name: text?}`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (i, column) in self.columns.iter().enumerate() {
            let comma = if i > 0 { ", " } else { "" };
            let key = if self.key.contains(&i) { " key" } else { "" };
            write!(f, "{comma}{}: {}{key}", column.name, column.ty)?;
        }
        f.write_str("}")
    }
}
