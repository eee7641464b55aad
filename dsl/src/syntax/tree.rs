//! The syntax tree: what the text says, before any name or type is looked up.
//!
//! Every node carries the [`Span`] of its text in the cell, so that each later stage can point at the exact
//! words. The tree keeps the user's structure (a `join` stays a `join`, parentheses are gone), and holds
//! nothing that a later stage computes.
//!
//! *Invariant:* a tree is never deeper than [`NESTING`](crate::limits::NESTING) brackets, and an expression never deeper than
//! [`EXPRESSION_DEPTH`](crate::limits::EXPRESSION_DEPTH), so that a stage may walk it recursively.

mod expression;
mod pipeline;
mod statement;
mod step;

pub use expression::{
    Arguments, BinaryOperator, Call, CaseArm, Expr, ExprKind, Frame, Literal, NamedArgument, Over, RecordField,
    SortKey, TextPart, TypeExpr, TypeExprKind, TypeField, UnaryOperator,
};
pub use pipeline::{ConnectorUse, FieldDecl, Head, HeadKind, Pipeline, RowField, RowLiteral};
pub use statement::{Command, Expect, ExpectCondition, FnParam, Statement, StatementKind};
pub use step::{
    DedupeRule, Emit, Iterate, Join, JoinCondition, JoinKind, Keep, Match, MatchElement, NamedExpr, OperandTable,
    Pivot, Quantifier, Rename, Sample, Search, SelectItem, SetOperation, Step, StepKind, Summarize, TableOperand, Top,
};

use tidebook_plan::Span;

/// A name as written; backticks are already taken off.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Name {
    /// The name itself.
    pub text: String,
    /// Where it stands, backticks included.
    pub span: Span,
}

/// Names joined by dots: `orders`, `orders.errors`, `demo.ticks`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Path {
    /// At least one name.
    pub parts: Vec<Name>,
    /// From the first name to the last.
    pub span: Span,
}

impl Path {
    /// The whole path as one text, `orders.errors`.
    pub fn text(&self) -> String {
        let parts: Vec<&str> = self.parts.iter().map(|part| part.text.as_str()).collect();
        parts.join(".")
    }

    /// The only name, if there is just one.
    pub fn single(&self) -> Option<&Name> {
        match self.parts.as_slice() {
            [name] => Some(name),
            _ => None,
        }
    }

    /// The last name.
    pub fn last(&self) -> &Name {
        match self.parts.last() {
            Some(name) => name,
            None => unreachable!("a path has at least one name"),
        }
    }
}
