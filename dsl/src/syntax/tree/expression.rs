//! Expressions, literals and types as written.

use tidebook_plan::Span;

use super::{Name, Path};

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it says.
    pub kind: ExprKind,
    /// Its text; parentheses around it are included.
    pub span: Span,
}

/// What an expression says.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// A value.
    Literal(Literal),
    /// `f"…"`
    FString(Vec<TextPart>),
    /// `[1, 2]`
    List(Vec<Expr>),
    /// `{a: 1, b: "x"}`
    Record(Vec<RecordField>),
    /// A bare name: a column, a table's or element's alias, a parameter, or a word of an option.
    Name(Name),
    /// `base.field`; `orders.id` is the field `id` of the name `orders`.
    Field {
        /// What it is taken from.
        base: Box<Expr>,
        /// The field.
        field: Name,
    },
    /// `base[index]`
    Index {
        /// A list, a record or JSON.
        base: Box<Expr>,
        /// Which element, from 0.
        index: Box<Expr>,
    },
    /// A function, an aggregate or a window function.
    Call(Box<Call>),
    /// `not x`, `-x`
    Unary {
        /// The operator.
        operator: UnaryOperator,
        /// Its operand.
        operand: Box<Expr>,
    },
    /// `a + b`
    Binary {
        /// The operator.
        operator: BinaryOperator,
        /// Where the operator stands.
        operator_span: Span,
        /// The left operand.
        left: Box<Expr>,
        /// The right operand.
        right: Box<Expr>,
    },
    /// `x between low and high`, both ends included
    Between {
        /// What is tested.
        value: Box<Expr>,
        /// The lower end.
        low: Box<Expr>,
        /// The upper end.
        high: Box<Expr>,
        /// True with `not`.
        negated: bool,
    },
    /// `x in options`
    In {
        /// What is tested.
        value: Box<Expr>,
        /// A list. `x in (1, 2)` gives a [`ExprKind::List`], and so does `x in (xs)`: where its one element is a list of what
        /// is tested, that is meant.
        options: Box<Expr>,
        /// True with `not`.
        negated: bool,
    },
    /// `x like pattern`
    Like {
        /// What is tested.
        value: Box<Expr>,
        /// The pattern, with `%` and `_`.
        pattern: Box<Expr>,
        /// True with `not`.
        negated: bool,
    },
    /// `x is null`
    IsNull {
        /// What is tested.
        value: Box<Expr>,
        /// True with `not`.
        negated: bool,
    },
    /// `case { cond => value, else => value }`
    Case {
        /// In order; the first whose condition is true counts.
        arms: Vec<CaseArm>,
        /// The value otherwise; null where it is left out.
        otherwise: Option<Box<Expr>>,
    },
    /// A type where a value may stand: `extract(body, {price: float?})`. A type that is also an expression
    /// (`{price: float}`) comes as that expression; [`Expr::as_type`] reads both.
    Type(TypeExpr),
}

/// A value as written.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// `1_000`
    Int(i64),
    /// `1.5e3`
    Float(f64),
    /// `"text"`, escapes resolved
    Text(String),
    /// `5s`, in microseconds
    Duration(i64),
    /// `@2026-11-22`, in days since 1970-01-01
    Date(i32),
    /// `@2026-11-22T10:00:00Z`, in microseconds since 1970-01-01T00:00:00Z
    Timestamp(i64),
}

/// A piece of an f-string.
#[derive(Clone, Debug, PartialEq)]
pub enum TextPart {
    /// Text as it is.
    Text(String),
    /// `{e}`
    Value(Expr),
}

/// `name: value` in a record.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordField {
    /// The field.
    pub name: Name,
    /// Its value.
    pub value: Expr,
}

/// `condition => value`
#[derive(Clone, Debug, PartialEq)]
pub struct CaseArm {
    /// When.
    pub condition: Expr,
    /// Then.
    pub value: Expr,
}

/// What stands in the parentheses of a call or a connector.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Arguments {
    /// Values by position; they come first.
    pub positional: Vec<Expr>,
    /// Values by name.
    pub named: Vec<NamedArgument>,
    /// From `(` to `)`.
    pub span: Span,
}

/// `name: value`
#[derive(Clone, Debug, PartialEq)]
pub struct NamedArgument {
    /// The option or parameter.
    pub name: Name,
    /// Its value.
    pub value: Expr,
}

/// `name(args by k sort by s) filter (where c) over (…)`
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The function.
    pub function: Path,
    /// Its arguments.
    pub arguments: Arguments,
    /// `by at` in `first(e by at)`
    pub by: Vec<SortKey>,
    /// `sort by at` in `list(e sort by at)`
    pub sort: Vec<SortKey>,
    /// `filter (where c)`: the aggregate sees only these rows.
    pub filter: Option<Expr>,
    /// `over (…)`: a window function.
    pub over: Option<Over>,
}

/// `over (by k sort at last 5 rows)`
#[derive(Clone, Debug, PartialEq)]
pub struct Over {
    /// The partition; the whole table where it is empty.
    pub by: Vec<Expr>,
    /// The order in a partition.
    pub sort: Vec<SortKey>,
    /// Which rows up to the current one.
    pub frame: Option<Frame>,
    /// The whole text, from `over`.
    pub span: Span,
}

/// `last 5 rows`, `last 10m`; the current row is included.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// A number of rows or a duration.
    pub extent: Expr,
    /// True if `rows` is written.
    pub rows: bool,
    /// The whole text.
    pub span: Span,
}

/// `e desc`
#[derive(Clone, Debug, PartialEq)]
pub struct SortKey {
    /// What to sort by.
    pub expr: Expr,
    /// True with `desc`.
    pub descending: bool,
    /// The whole text.
    pub span: Span,
}

/// Operators with one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOperator {
    /// `not`
    Not,
    /// `-`
    Negate,
}

/// Operators with two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOperator {
    /// `or`
    Or,
    /// `and`
    And,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `??`: the right operand where the left is null
    Coalesce,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Remainder,
}

impl BinaryOperator {
    /// The operator as written.
    pub fn symbol(self) -> &'static str {
        match self {
            BinaryOperator::Or => "or",
            BinaryOperator::And => "and",
            BinaryOperator::Equal => "==",
            BinaryOperator::NotEqual => "!=",
            BinaryOperator::Less => "<",
            BinaryOperator::LessOrEqual => "<=",
            BinaryOperator::Greater => ">",
            BinaryOperator::GreaterOrEqual => ">=",
            BinaryOperator::Coalesce => "??",
            BinaryOperator::Add => "+",
            BinaryOperator::Subtract => "-",
            BinaryOperator::Multiply => "*",
            BinaryOperator::Divide => "/",
            BinaryOperator::Remainder => "%",
        }
    }
}

/// A type as written.
#[derive(Clone, Debug, PartialEq)]
pub struct TypeExpr {
    /// The type without nullability.
    pub kind: TypeExprKind,
    /// True with `?`.
    pub nullable: bool,
    /// The whole text.
    pub span: Span,
}

/// A type as written, without nullability.
#[derive(Clone, Debug, PartialEq)]
pub enum TypeExprKind {
    /// `int`, `decimal(10, 2)`, `vector(384)`
    Named {
        /// The type's name.
        name: Name,
        /// Numbers in parentheses.
        parameters: Vec<i64>,
    },
    /// `[T]`
    List(Box<TypeExpr>),
    /// `{a: T, b: U}`
    Record(Vec<TypeField>),
}

/// `name: type` in a record type.
#[derive(Clone, Debug, PartialEq)]
pub struct TypeField {
    /// The field.
    pub name: Name,
    /// Its type.
    pub ty: TypeExpr,
}

impl Expr {
    /// The calls in the expression, those inside of others among them.
    pub fn calls(&self) -> Vec<&Call> {
        let mut calls = Vec::new();
        let mut waiting = vec![self];
        while let Some(expr) = waiting.pop() {
            match &expr.kind {
                ExprKind::Literal(_) | ExprKind::Name(_) | ExprKind::Type(_) => {}
                ExprKind::FString(parts) => waiting.extend(parts.iter().filter_map(|part| match part {
                    TextPart::Text(_) => None,
                    TextPart::Value(value) => Some(value),
                })),
                ExprKind::List(items) => waiting.extend(items),
                ExprKind::Record(fields) => waiting.extend(fields.iter().map(|field| &field.value)),
                ExprKind::Field { base: value, .. }
                | ExprKind::Unary { operand: value, .. }
                | ExprKind::IsNull { value, .. } => waiting.push(value),
                ExprKind::Index { base: one, index: other }
                | ExprKind::Binary { left: one, right: other, .. }
                | ExprKind::In { value: one, options: other, .. }
                | ExprKind::Like { value: one, pattern: other, .. } => waiting.extend([&**one, &**other]),
                ExprKind::Between { value, low, high, .. } => waiting.extend([&**value, &**low, &**high]),
                ExprKind::Case { arms, otherwise } => {
                    waiting.extend(arms.iter().flat_map(|arm| [&arm.condition, &arm.value]));
                    waiting.extend(otherwise.as_deref());
                }
                ExprKind::Call(call) => {
                    waiting.extend(&call.arguments.positional);
                    waiting.extend(call.arguments.named.iter().map(|argument| &argument.value));
                    calls.push(&**call);
                }
            }
        }
        calls
    }

    /// The expression as a dotted path, if it is one (`orders.id`).
    pub fn as_path(&self) -> Option<Path> {
        match &self.kind {
            ExprKind::Name(name) => Some(Path { parts: vec![name.clone()], span: name.span }),
            ExprKind::Field { base, field } => {
                let mut path = base.as_path()?;
                path.parts.push(field.clone());
                path.span = path.span.to(field.span);
                Some(path)
            }
            _ => None,
        }
    }

    /// The expression read as a type, if it can be (`{product: text, price: decimal(10, 2)}`).
    pub fn as_type(&self) -> Option<TypeExpr> {
        let kind = match &self.kind {
            ExprKind::Type(ty) => return Some(ty.clone()),
            ExprKind::Name(name) => TypeExprKind::Named { name: name.clone(), parameters: Vec::new() },
            ExprKind::Call(call) => {
                let parameters = call.arguments.positional.iter().map(|argument| match argument.kind {
                    ExprKind::Literal(Literal::Int(value)) => Some(value),
                    _ => None,
                });
                let plain = call.arguments.named.is_empty() && call.filter.is_none() && call.over.is_none();
                if !plain || !call.by.is_empty() || !call.sort.is_empty() {
                    return None;
                }
                TypeExprKind::Named {
                    name: call.function.single()?.clone(),
                    parameters: parameters.collect::<Option<_>>()?,
                }
            }
            ExprKind::List(items) => match items.as_slice() {
                [item] => TypeExprKind::List(Box::new(item.as_type()?)),
                _ => return None,
            },
            ExprKind::Record(fields) => TypeExprKind::Record(
                fields
                    .iter()
                    .map(|field| Some(TypeField { name: field.name.clone(), ty: field.value.as_type()? }))
                    .collect::<Option<_>>()?,
            ),
            _ => return None,
        };
        Some(TypeExpr { kind, nullable: false, span: self.span })
    }
}
