//! Pipelines: a head and steps.

use tidebook_plan::Span;

use super::{Arguments, Expr, Name, Path, Step, TypeExpr};

/// `head | step | step`
#[derive(Clone, Debug, PartialEq)]
pub struct Pipeline {
    /// Where the rows come from.
    pub head: Head,
    /// What is done with them, in order.
    pub steps: Vec<Step>,
    /// The whole text.
    pub span: Span,
}

/// The head of a pipeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// Which kind.
    pub kind: HeadKind,
    /// Its text.
    pub span: Span,
}

/// Where rows come from.
#[derive(Clone, Debug, PartialEq)]
pub enum HeadKind {
    /// A table by name: `orders`, `orders.errors`, `clicks.late`.
    Table(Path),
    /// `read connector(…) { schema }`
    Read(ConnectorUse),
    /// `serve connector(…) { schema }`
    Serve(ConnectorUse),
    /// `rows […] then […]`: one list of rows for each epoch.
    Rows(Vec<Vec<RowLiteral>>),
    /// `sql "…"`
    Sql {
        /// The query, escapes resolved.
        text: String,
        /// The literal, quotes included.
        span: Span,
    },
    /// `(pipeline)`
    Nested(Box<Pipeline>),
}

/// `connector(arguments) { schema }`
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectorUse {
    /// `csv`, `demo.ticks`
    pub connector: Path,
    /// What stands in the parentheses.
    pub arguments: Arguments,
    /// The declared columns, if any are declared.
    pub schema: Option<Vec<FieldDecl>>,
    /// The whole text, from the connector's name.
    pub span: Span,
}

/// A column of a declared schema: `id: int? key default 0 from "Id"`.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldDecl {
    /// Name in the table.
    pub name: Name,
    /// Its type.
    pub ty: TypeExpr,
    /// Where `key` stands, if it does.
    pub key: Option<Span>,
    /// Value where the input has none.
    pub default: Option<Expr>,
    /// Name in the input: its text and the literal's place.
    pub from: Option<Name>,
    /// The whole text.
    pub span: Span,
}

/// `{a: 1}` or `-{a: 1}`
#[derive(Clone, Debug, PartialEq)]
pub struct RowLiteral {
    /// True if the row is taken back.
    pub negated: bool,
    /// Its values.
    pub fields: Vec<RowField>,
    /// The whole text.
    pub span: Span,
}

/// `name: value` in a row.
#[derive(Clone, Debug, PartialEq)]
pub struct RowField {
    /// The column.
    pub name: Name,
    /// Its value.
    pub value: Expr,
}
