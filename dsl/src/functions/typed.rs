//! A typed expression, and what can be wrong with a call.

use datafusion_common::{Column, ScalarValue};
use datafusion_expr::Expr;
use tidebook_plan::{ColumnType, Type};

/// An expression over columns `name#id` with its Tide type. DataFusion knows only Arrow types, in which `json` and
/// `text` are one and nothing is required; so the Tide type travels beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct Typed {
    /// The expression.
    pub expr: Expr,
    /// Its type.
    pub ty: ColumnType,
    /// True if a row can make it fail.
    pub fallible: bool,
}

impl Typed {
    /// A column by its unique name.
    pub fn column(name: impl Into<String>, ty: ColumnType) -> Self {
        Typed { expr: Expr::Column(Column::new_unqualified(name)), ty, fallible: false }
    }

    /// A value known now.
    pub fn literal(value: ScalarValue, ty: ColumnType) -> Self {
        Typed { expr: Expr::Literal(value, None), ty, fallible: false }
    }

    /// A bare `null`.
    pub fn null() -> Self {
        Typed::literal(ScalarValue::Boolean(None), ColumnType::nullable(Type::Null))
    }

    /// The value, if the expression is a literal.
    pub fn constant(&self) -> Option<&ScalarValue> {
        match &self.expr {
            Expr::Literal(value, _) => Some(value),
            _ => None,
        }
    }

    /// True for a bare `null` and anything else of which only null is known.
    pub fn is_null_type(&self) -> bool {
        self.ty.ty == Type::Null
    }
}

/// Which kind of mistake a call makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// No function has that name.
    Unknown,
    /// Too few or too many arguments.
    Arity,
    /// An argument has a type that the function does not take.
    Type,
    /// A literal argument has a value that the function does not take.
    Value,
}

/// Why a call is wrong. It has no span: the resolver knows where the call and its arguments stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallFault {
    /// What kind.
    pub kind: FaultKind,
    /// Index of the argument at fault; `None` where it is the call.
    pub argument: Option<usize>,
    /// The fact, in the style of a diagnostic's message.
    pub message: String,
    /// A sentence that can be acted on.
    pub help: Option<String>,
}

impl CallFault {
    /// A fault of the whole call.
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        CallFault { kind, argument: None, message: message.into(), help: None }
    }

    /// Says which argument is at fault.
    #[must_use]
    pub fn at(mut self, argument: usize) -> Self {
        self.argument = Some(argument);
        self
    }

    /// Adds help, where there is some.
    #[must_use]
    pub fn with_some_help(self, help: Option<&str>) -> Self {
        match help {
            Some(help) => self.with_help(help),
            None => self,
        }
    }

    /// Adds help.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
