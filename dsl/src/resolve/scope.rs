//! The user's names for the columns of a relation.
//!
//! The logical plan knows a column only by its id (`qty#7`); aliases, qualifiers and ambiguity are settled here, so
//! that no plan rewrite can lose or mix them.

use tidebook_plan::{ColumnType, Diagnostic, Span};

use crate::resolve::fault;
use crate::resolve::watermark::Mark;

/// A column that the user can name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ScopeColumn {
    /// Tables that it can be addressed by: one for a table's column, two for a `using` column, none for a new one.
    pub qualifiers: Vec<String>,
    /// The bare name.
    pub name: String,
    /// The plan's name for it, unique in the session.
    pub id: String,
    /// Its type.
    pub ty: ColumnType,
    /// True for a column that only an order needs; it cannot be named and ends with the definition.
    pub hidden: bool,
    /// True for a hidden column that an expression can still name with its table: a side's own value of a `using` column.
    pub aside: bool,
    /// How far the time that it tells has come, for a column that was marked with `watermark`.
    pub mark: Option<Mark>,
}

impl ScopeColumn {
    /// A column without a qualifier.
    pub fn new(name: impl Into<String>, id: impl Into<String>, ty: ColumnType) -> Self {
        ScopeColumn {
            qualifiers: Vec::new(),
            name: name.into(),
            id: id.into(),
            ty,
            hidden: false,
            aside: false,
            mark: None,
        }
    }

    /// `orders.id`, or the bare name of a column without a qualifier.
    pub fn full_name(&self) -> String {
        match self.qualifiers.first() {
            Some(table) => {
                // `t.errors` is two names.
                let parts = table.split('.').chain([self.name.as_str()]).map(quoted);
                parts.collect::<Vec<_>>().join(".")
            }
            None => quoted(&self.name),
        }
    }
}

/// A name as the user must write it: in backticks unless it is a plain word.
pub(crate) fn quoted(name: &str) -> String {
    let plain = name.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if plain { name.to_string() } else { format!("`{name}`") }
}

/// The columns in reach of an expression.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    /// In the order of the table.
    pub columns: Vec<ScopeColumn>,
    /// What the pipeline began with: its name also reaches columns that later steps have added.
    pub head: Option<String>,
}

impl Scope {
    /// The columns that the user sees.
    pub fn visible(&self) -> impl Iterator<Item = &ScopeColumn> {
        self.columns.iter().filter(|column| !column.hidden)
    }

    /// True if `name` stands for a table in this scope.
    pub fn is_qualifier(&self, name: &str) -> bool {
        self.head.as_deref() == Some(name) || self.columns.iter().any(|c| c.qualifiers.iter().any(|q| q == name))
    }

    /// Every table name in reach that a user can write.
    pub fn qualifiers(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.head.iter().map(String::as_str).collect();
        for qualifier in self.visible().flat_map(|column| &column.qualifiers) {
            if !names.contains(&qualifier.as_str()) {
                names.push(qualifier);
            }
        }
        names
    }

    /// The column with the bare name, if there is exactly one; `None` if there is none.
    ///
    /// # Errors
    /// Where two sides have it: the diagnostic names both.
    pub fn find(&self, name: &str, span: Span) -> Result<Option<&ScopeColumn>, Diagnostic> {
        let found: Vec<&ScopeColumn> = self.visible().filter(|column| column.name == name).collect();
        match found.as_slice() {
            [] => Ok(None),
            [column] => Ok(Some(column)),
            several => Err(fault::ambiguous_column(name, several, span)),
        }
    }

    /// The value of `qualifier.name` in an expression: of a `using` column that of the side, which an outer join leaves null
    /// where the side has no row.
    ///
    /// # Errors
    /// As [`Scope::find_qualified`].
    pub fn find_value(
        &self,
        qualifier: &str,
        name: &str,
        span: Span,
        name_span: Span,
    ) -> Result<&ScopeColumn, Diagnostic> {
        let own = |column: &&ScopeColumn| {
            column.aside && column.name == name && column.qualifiers.iter().any(|own| own == qualifier)
        };
        match self.columns.iter().find(own) {
            Some(column) => Ok(column),
            None => self.find_qualified(qualifier, name, span, name_span),
        }
    }

    /// The column `qualifier.name`.
    ///
    /// # Errors
    /// Where the table has no such column.
    pub fn find_qualified(
        &self,
        qualifier: &str,
        name: &str,
        span: Span,
        name_span: Span,
    ) -> Result<&ScopeColumn, Diagnostic> {
        let own = |column: &&ScopeColumn| column.qualifiers.iter().any(|q| q == qualifier);
        let added = |column: &&ScopeColumn| self.is_added(column, qualifier);
        let found: Vec<&ScopeColumn> = self.visible().filter(|c| c.name == name && own(c)).collect();
        match found.as_slice() {
            [column] => return Ok(column),
            [] => {}
            several => return Err(fault::ambiguous_column(name, several, span)),
        }
        let found: Vec<&ScopeColumn> = self.visible().filter(|c| c.name == name && added(c)).collect();
        match found.as_slice() {
            [column] => Ok(column),
            [] => {
                let names: Vec<&str> = self.visible().filter(|c| own(c) || added(c)).map(|c| c.name.as_str()).collect();
                Err(fault::unknown_column(name, Some(qualifier), names, name_span))
            }
            several => Err(fault::ambiguous_column(name, several, span)),
        }
    }

    /// True if the column can be addressed by the table's name.
    pub fn belongs(&self, column: &ScopeColumn, qualifier: &str) -> bool {
        column.qualifiers.iter().any(|own| own == qualifier) || self.is_added(column, qualifier)
    }

    /// True for a column that a step has added to the table that the pipeline began with.
    fn is_added(&self, column: &ScopeColumn, qualifier: &str) -> bool {
        self.head.as_deref() == Some(qualifier) && column.qualifiers.is_empty()
    }

    /// The first bare name that stands twice.
    pub fn twice(&self) -> Option<(&ScopeColumn, &ScopeColumn)> {
        let visible: Vec<&ScopeColumn> = self.visible().collect();
        visible.iter().enumerate().find_map(|(i, second)| {
            visible[..i].iter().find(|first| first.name == second.name).map(|first| (*first, *second))
        })
    }
}
