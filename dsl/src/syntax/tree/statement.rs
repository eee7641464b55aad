//! Statements: the top level of a cell.

use tidebook_plan::Span;

use super::{Expr, Name, Path, Pipeline, TypeExpr};

/// One statement of a cell.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// What it says.
    pub kind: StatementKind,
    /// Its text.
    pub span: Span,
}

/// What a statement says.
#[derive(Clone, Debug, PartialEq)]
pub enum StatementKind {
    /// `name = pipeline`
    Define {
        /// The table that it defines.
        name: Name,
        /// Its rows.
        pipeline: Pipeline,
    },
    /// A bare pipeline.
    Show(Pipeline),
    /// `param name: type = default`
    Param {
        /// The parameter.
        name: Name,
        /// Its type.
        ty: TypeExpr,
        /// The value where none is given from outside; without one, it must be given.
        default: Option<Expr>,
    },
    /// `set name = value`
    Set {
        /// The setting.
        name: Name,
        /// Its value, often a call such as `store("state/")`.
        value: Expr,
    },
    /// `fn name(params) -> type = body`
    Fn {
        /// The function.
        name: Name,
        /// Its parameters.
        params: Vec<FnParam>,
        /// The type that it gives; inferred where it is left out.
        returns: Option<TypeExpr>,
        /// What is put in the call's place.
        body: Expr,
    },
    /// `expect …`
    Expect(Expect),
    /// `reply table with answers`
    Reply {
        /// The served table.
        table: Path,
        /// The rows to send back.
        with: Path,
    },
    /// `drop a, b`
    Drop(Vec<Name>),
    /// `%name arguments`, one line.
    Command(Command),
    /// `%%name arguments` and the rest of the cell: code in another language.
    Foreign {
        /// The language (`rust`).
        language: Name,
        /// The rest of the first line.
        arguments: String,
        /// Everything after the first line, unchanged.
        body: String,
        /// Where the body stands.
        body_span: Span,
    },
}

/// A parameter of a `fn`.
#[derive(Clone, Debug, PartialEq)]
pub struct FnParam {
    /// Its name.
    pub name: Name,
    /// Its type; any where it is left out.
    pub ty: Option<TypeExpr>,
    /// From the name to the type.
    pub span: Span,
}

/// `expect subject [within d] condition`
#[derive(Clone, Debug, PartialEq)]
pub struct Expect {
    /// The table that is looked at.
    pub subject: Pipeline,
    /// How long it may take to come true.
    pub within: Option<Expr>,
    /// What has to hold.
    pub condition: ExpectCondition,
}

/// What has to hold of the subject of an `expect`.
#[derive(Clone, Debug, PartialEq)]
pub enum ExpectCondition {
    /// `is empty`, `is not empty`
    IsEmpty {
        /// True with `not`.
        negated: bool,
    },
    /// `equals pipeline`
    Equals(Pipeline),
    /// `all condition`
    All(Expr),
}

/// A line `%name arguments`. What the arguments mean is the command's own business.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// The name without `%`.
    pub name: Name,
    /// The rest of the line, without surrounding blanks.
    pub arguments: String,
    /// Where the arguments stand; empty, at the end of the line, where there are none.
    pub arguments_span: Span,
}
