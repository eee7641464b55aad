//! Random scalar expressions.

use super::library::random_call;
use super::{Column, Kind, LIBRARY, Random};

/// A scalar expression. Its kind follows from its form.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// A column.
    Column(String, Kind),
    /// A whole number.
    Int(i64),
    /// A float.
    Float(f64),
    /// A text without quotes and escapes.
    Text(&'static str),
    /// A truth value.
    Bool(bool),
    /// A null decimal: every other would be a cast that might fail.
    NoDecimal,
    /// A null float that is not computed with.
    NoMean,
    /// A duration, in microseconds.
    Duration(i64),
    /// Arithmetic on two whole numbers, two floats, or one of each, which gives a float.
    Arithmetic(Arithmetic, Box<Expression>, Box<Expression>),
    /// `-e`
    Negate(Box<Expression>),
    /// `float(e)` of a whole number.
    ToFloat(Box<Expression>),
    /// Two texts, one after the other; null if either is.
    Concatenate(Box<Expression>, Box<Expression>),
    /// An f-string of two parts with a dash between; a null is empty.
    Format(Box<Expression>, Box<Expression>),
    /// A comparison.
    Compare(Comparison, Box<Expression>, Box<Expression>),
    /// `a and b`
    And(Box<Expression>, Box<Expression>),
    /// `a or b`
    Or(Box<Expression>, Box<Expression>),
    /// `not a`
    Not(Box<Expression>),
    /// `e is null`
    IsNull(Box<Expression>),
    /// `e in [a, b, …]`
    In(Box<Expression>, Vec<Expression>),
    /// `a ?? b`
    Coalesce(Box<Expression>, Box<Expression>),
    /// `try(a / b, c)` of whole numbers.
    Attempt(Box<Expression>, Box<Expression>, Box<Expression>),
    /// `[a, b, …][i]`; there may be no such element.
    Element(Vec<Expression>, i64),
    /// `{a: e, b: f}.a`
    Part(Box<Expression>, Box<Expression>),
    /// `case { c => a, else => b }`; `None` is null.
    Case(Box<Expression>, Box<Expression>, Option<Box<Expression>>),
    /// A call of a function, by its place in [`LIBRARY`].
    Call(usize, Vec<Expression>),
}

/// Arithmetic that cannot fail on the values in use: division and remainder have a literal on the right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arithmetic {
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

/// The six comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    Unequal,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

const COMPARISONS: [Comparison; 6] = [
    Comparison::Equal,
    Comparison::Unequal,
    Comparison::Less,
    Comparison::AtMost,
    Comparison::Greater,
    Comparison::AtLeast,
];

impl Expression {
    /// The kind of its values.
    pub fn kind(&self) -> Kind {
        match self {
            Expression::Column(_, kind) => *kind,
            Expression::Int(_) => Kind::Int,
            Expression::NoDecimal => Kind::Decimal,
            Expression::NoMean => Kind::Mean,
            Expression::Duration(_) => Kind::Duration,
            Expression::Float(_) | Expression::ToFloat(_) => Kind::Float,
            Expression::Text(_) | Expression::Concatenate(..) | Expression::Format(..) => Kind::Text,
            Expression::Bool(_)
            | Expression::Compare(..)
            | Expression::And(..)
            | Expression::Or(..)
            | Expression::Not(_)
            | Expression::IsNull(_)
            | Expression::In(..) => Kind::Bool,
            Expression::Arithmetic(_, left, right) => {
                if left.kind() == Kind::Float {
                    Kind::Float
                } else {
                    right.kind()
                }
            }
            Expression::Attempt(..) => Kind::Int,
            Expression::Element(elements, _) => elements[0].kind(),
            Expression::Part(inner, _) => inner.kind(),
            Expression::Call(place, _) => LIBRARY[*place].gives,
            Expression::Negate(inner) | Expression::Coalesce(inner, _) | Expression::Case(_, inner, _) => inner.kind(),
        }
    }
}

fn boxed(random: &mut Random, columns: &[Column], kind: Kind, depth: usize) -> Box<Expression> {
    Box::new(random_expression(random, columns, kind, depth))
}

/// An expression of the kind over the columns, at most so deep.
pub fn random_expression(random: &mut Random, columns: &[Column], kind: Kind, depth: usize) -> Expression {
    if depth == 0 || random.percent(30) {
        return leaf(random, columns, kind);
    }
    if random.percent(12) {
        let argument = |random: &mut Random, kind| random_expression(random, columns, kind, depth - 1);
        if let Some(call) = random_call(random, kind, argument) {
            return call;
        }
    }
    match random.below(10) {
        8 => {
            let elements =
                (0..1 + random.below(3)).map(|_| random_expression(random, columns, kind, depth - 1)).collect();
            Expression::Element(elements, random.between(-1, 2))
        }
        9 => {
            let beside = *random.pick(&Kind::ALL);
            Expression::Part(boxed(random, columns, kind, depth - 1), boxed(random, columns, beside, depth - 1))
        }
        0 => Expression::Coalesce(boxed(random, columns, kind, depth - 1), boxed(random, columns, kind, depth - 1)),
        1 => {
            let condition = boxed(random, columns, Kind::Bool, depth - 1);
            let value = boxed(random, columns, kind, depth - 1);
            let otherwise = random.percent(70).then(|| boxed(random, columns, kind, depth - 1));
            Expression::Case(condition, value, otherwise)
        }
        _ => match kind {
            Kind::Int => int(random, columns, depth),
            Kind::Float => float(random, columns, depth),
            Kind::Text => text(random, columns, depth),
            Kind::Bool => condition(random, columns, depth),
            Kind::Decimal | Kind::Duration | Kind::Mean => leaf(random, columns, kind),
        },
    }
}

/// The expression kept small: the value of a column that later steps compute with.
pub fn random_column_value(random: &mut Random, columns: &[Column], kind: Kind) -> Expression {
    let depth = random.below(3);
    let value = random_expression(random, columns, kind, depth);
    match kind {
        Kind::Int if depth > 0 => {
            Expression::Arithmetic(Arithmetic::Remainder, Box::new(value), Box::new(Expression::Int(97)))
        }
        _ => value,
    }
}

fn leaf(random: &mut Random, columns: &[Column], kind: Kind) -> Expression {
    let fitting: Vec<&Column> = columns.iter().filter(|column| column.kind == kind).collect();
    if !fitting.is_empty() && random.percent(92) {
        return Expression::Column(random.pick(&fitting).name.clone(), kind);
    }
    match kind {
        Kind::Int => Expression::Int(random.between(-3, 5)),
        Kind::Float => Expression::Float(random.between(-4, 4) as f64 * 0.5 + 0.0),
        Kind::Text => {
            let texts: [&'static str; 5] = ["", "a", "b", "\u{e9}", "zz"];
            Expression::Text(texts[random.below(texts.len())])
        }
        Kind::Bool => Expression::Bool(random.percent(50)),
        Kind::Decimal => Expression::NoDecimal,
        Kind::Mean => Expression::NoMean,
        Kind::Duration => Expression::Duration(random.between(0, 6) * 250_000),
    }
}

fn int(random: &mut Random, columns: &[Column], depth: usize) -> Expression {
    let left = boxed(random, columns, Kind::Int, depth - 1);
    match random.below(7) {
        6 => Expression::Attempt(
            left,
            boxed(random, columns, Kind::Int, depth - 1),
            boxed(random, columns, Kind::Int, depth - 1),
        ),
        0 => Expression::Negate(left),
        1 => Expression::Arithmetic(Arithmetic::Divide, left, divisor(random)),
        2 => Expression::Arithmetic(Arithmetic::Remainder, left, divisor(random)),
        // Products of products would overflow; one of two leaves cannot.
        3 if depth > 1 => Expression::Arithmetic(Arithmetic::Multiply, left, divisor(random)),
        3 => Expression::Arithmetic(Arithmetic::Multiply, left, boxed(random, columns, Kind::Int, 0)),
        n => {
            let operator = if n == 4 { Arithmetic::Add } else { Arithmetic::Subtract };
            Expression::Arithmetic(operator, left, boxed(random, columns, Kind::Int, depth - 1))
        }
    }
}

fn divisor(random: &mut Random) -> Box<Expression> {
    Box::new(Expression::Int(*random.pick(&[-3, -2, 2, 3, 5])))
}

/// Multiplication of floats only by powers of two, so that sums stay exact.
fn float(random: &mut Random, columns: &[Column], depth: usize) -> Expression {
    let left = boxed(random, columns, Kind::Float, depth - 1);
    match random.below(5) {
        0 => Expression::Negate(left),
        1 => {
            let factor = Expression::Float(*random.pick(&[-1.0, 0.5, 2.0, -0.5]));
            Expression::Arithmetic(Arithmetic::Multiply, left, Box::new(factor))
        }
        2 => Expression::ToFloat(boxed(random, columns, Kind::Int, depth - 1)),
        3 => Expression::Arithmetic(Arithmetic::Add, left, boxed(random, columns, Kind::Int, depth - 1)),
        _ => Expression::Arithmetic(Arithmetic::Subtract, left, boxed(random, columns, Kind::Float, depth - 1)),
    }
}

fn text(random: &mut Random, columns: &[Column], depth: usize) -> Expression {
    let left = boxed(random, columns, Kind::Text, depth - 1);
    if random.percent(50) {
        return Expression::Concatenate(left, boxed(random, columns, Kind::Text, depth - 1));
    }
    let other = *random.pick(&[Kind::Int, Kind::Text]);
    Expression::Format(left, boxed(random, columns, other, depth - 1))
}

fn condition(random: &mut Random, columns: &[Column], depth: usize) -> Expression {
    let kind = *random.pick(&[
        Kind::Int,
        Kind::Int,
        Kind::Int,
        Kind::Float,
        Kind::Text,
        Kind::Text,
        Kind::Decimal,
        Kind::Duration,
    ]);
    match random.below(10) {
        0 => Expression::And(
            boxed(random, columns, Kind::Bool, depth - 1),
            boxed(random, columns, Kind::Bool, depth - 1),
        ),
        1 => {
            Expression::Or(boxed(random, columns, Kind::Bool, depth - 1), boxed(random, columns, Kind::Bool, depth - 1))
        }
        2 => Expression::Not(boxed(random, columns, Kind::Bool, depth - 1)),
        3 => {
            let any = *random.pick(&Kind::ALL);
            Expression::IsNull(boxed(random, columns, any, depth - 1))
        }
        4 => {
            let kind = *random.pick(&[Kind::Int, Kind::Text]);
            let count = 1 + random.below(3);
            let choices = (0..count).map(|_| leaf(random, &[], kind)).collect();
            Expression::In(boxed(random, columns, kind, depth - 1), choices)
        }
        _ => {
            let comparison = *random.pick(&COMPARISONS);
            let left = boxed(random, columns, kind, depth - 1);
            Expression::Compare(comparison, left, boxed(random, columns, kind, depth - 1))
        }
    }
}
