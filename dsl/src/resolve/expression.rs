//! Expressions: names to columns, operators and calls to typed functions.

use std::collections::HashMap;

use datafusion_common::ScalarValue;
use tidebook_plan::{ColumnType, Span, Type};

use crate::diagnostics::{doubts, names};
use crate::functions::{self, CallFault, FaultKind, Typed};
use crate::resolve::Resolver;
use crate::resolve::aggregate::Aggregation;
use crate::resolve::fault::{self, Fault, Resolved};
use crate::resolve::names::take_field;
use crate::resolve::pattern::Matched;
use crate::resolve::scope::Scope;
use crate::resolve::window::WindowPlace;
use crate::syntax::tree::{BinaryOperator, CaseArm, Expr, ExprKind, Literal, Name, TextPart, UnaryOperator};

/// What an expression can name.
#[derive(Clone, Copy)]
pub(crate) struct Reach<'a> {
    /// The columns.
    pub scope: &'a Scope,
    /// Parameters of the `fn` whose body this is; the kept row in the condition of `dedupe … when`.
    pub locals: Option<&'a HashMap<String, Local>>,
    /// Inside `summarize`: where its aggregates are gathered. `scope` then holds the keys.
    pub aggregation: Option<&'a Aggregation<'a>>,
    /// True inside of an aggregate.
    pub aggregated: bool,
    /// Whether window functions can stand here, and where they are gathered.
    pub windows: WindowPlace<'a>,
    /// In the `select` of a match: its elements, for aggregates over their rows.
    pub matched: Option<&'a Matched>,
    /// Where no columns are in reach: what the expression is part of.
    pub constant_in: Option<&'static str>,
}

/// What a name that is no column stands for.
#[derive(Clone, Debug)]
pub(crate) struct Local {
    /// Its value, or why it has none here.
    pub value: Resolved<Typed>,
    /// Its value inside of an aggregate, where that differs.
    pub inside: Option<Resolved<Typed>>,
}

impl Local {
    /// The same value everywhere.
    pub fn new(value: Typed) -> Self {
        Local { value: Ok(value), inside: None }
    }

    /// What these stand for inside of an aggregate.
    pub fn inside(locals: &HashMap<String, Local>) -> HashMap<String, Local> {
        let inside = |local: &Local| local.inside.clone().unwrap_or_else(|| local.value.clone());
        locals.iter().map(|(name, local)| (name.clone(), Local { value: inside(local), inside: None })).collect()
    }
}

impl<'a> Reach<'a> {
    /// The columns of a relation.
    pub fn columns(scope: &'a Scope) -> Self {
        let windows = WindowPlace::Nowhere;
        Reach { scope, locals: None, aggregation: None, aggregated: false, windows, matched: None, constant_in: None }
    }

    /// Nothing but parameters.
    pub fn constant(scope: &'a Scope, place: &'static str) -> Self {
        Reach { constant_in: Some(place), ..Reach::columns(scope) }
    }
}

impl Resolver<'_> {
    /// The expression with its type, however large.
    pub(super) fn typed(&self, expr: &Expr, reach: Reach<'_>) -> Resolved<Typed> {
        let one = |e: &Expr| self.expression(e, reach);
        match &expr.kind {
            ExprKind::Literal(value) => {
                self.warn_of_braces(value, expr.span, reach);
                Ok(literal(value))
            }
            ExprKind::Name(name) => self.name(name, reach),
            ExprKind::Field { base, field } => self.field(expr, base, field, reach),
            ExprKind::FString(parts) => {
                let typed = parts.iter().map(|part| match part {
                    TextPart::Text(text) => Ok(text_literal(text)),
                    TextPart::Value(e) => one(e),
                });
                Ok(functions::interpolate(self.all(typed)?))
            }
            ExprKind::List(items) => {
                let typed = self.all(items.iter().map(one))?;
                functions::list(typed).map_err(|f| call_fault(f, expr.span, &spans(items)))
            }
            ExprKind::Record(fields) => {
                let typed = fields.iter().enumerate().map(|(place, field)| {
                    if fields[..place].iter().any(|earlier| earlier.name.text == field.name.text) {
                        let message = format!("the record has two fields called `{}`", field.name.text);
                        return Err(names::SAME_NAME.error(message, field.name.span).into());
                    }
                    Ok((field.name.text.clone(), one(&field.value)?))
                });
                Ok(functions::record(self.all(typed)?))
            }
            ExprKind::Index { base, index } => {
                let (base_typed, index_typed) = self.both(one(base), one(index))?;
                // `r["name"]` is a field where the name is written there: then its type is known.
                if let (Type::Record(_), ExprKind::Literal(Literal::Text(name))) = (&base_typed.ty.ty, &index.kind) {
                    return take_field(base_typed, &Name { text: name.clone(), span: index.span }, base.span);
                }
                functions::index(base_typed, index_typed)
                    .map_err(|f| call_fault(f, expr.span, &[base.span, index.span]))
            }
            ExprKind::Call(call) => self.call(call, expr.span, reach),
            ExprKind::Unary { operator: UnaryOperator::Negate, operand } => {
                functions::negate(one(operand)?).map_err(|f| call_fault(f, expr.span, &[operand.span]))
            }
            ExprKind::Unary { operator: UnaryOperator::Not, operand } => {
                functions::not(one(operand)?).map_err(|f| call_fault(f, expr.span, &[operand.span]))
            }
            ExprKind::Binary { operator, left, right, .. } => {
                let (left_typed, right_typed) = match (one(left), one(right)) {
                    (Err(fault), Ok(text)) if text.ty.ty == Type::Text => (Err(without_quotes(fault, left)), Ok(text)),
                    (Ok(text), Err(fault)) if text.ty.ty == Type::Text => (Ok(text), Err(without_quotes(fault, right))),
                    sides => sides,
                };
                let (left_typed, right_typed) = self.both(left_typed, right_typed)?;
                self.warn_of_null(*operator, left, right);
                self.warn_of_date(*operator, expr.span);
                binary(*operator, left_typed, right_typed)
                    .map_err(|f| call_fault(f, expr.span, &[left.span, right.span]))
            }
            ExprKind::Between { value, low, high, negated } => {
                functions::between(one(value)?, one(low)?, one(high)?, *negated)
                    .map_err(|f| call_fault(f, expr.span, &[value.span, low.span, high.span]))
            }
            ExprKind::In { value, options, negated } => self.in_options(expr, value, options, *negated, reach),
            ExprKind::Like { value, pattern, negated } => functions::like(one(value)?, one(pattern)?, *negated)
                .map_err(|f| call_fault(f, expr.span, &[value.span, pattern.span])),
            ExprKind::IsNull { value, negated } => Ok(functions::is_null(one(value)?, *negated)),
            ExprKind::Case { arms, otherwise } => self.case(expr, arms, otherwise.as_deref(), reach),
            ExprKind::Type(_) => {
                let message = "a type stands where a value is expected";
                Err(names::WRONG_TYPE.error(message, expr.span).into())
            }
        }
    }

    /// A comparison with a bare null, which is never true.
    fn warn_of_null(&self, operator: BinaryOperator, left: &Expr, right: &Expr) {
        let is_null = |expr: &Expr| matches!(expr.kind, ExprKind::Literal(Literal::Null));
        let test = match operator {
            BinaryOperator::Equal => "is null",
            BinaryOperator::NotEqual => "is not null",
            _ => return,
        };
        let value = match (is_null(left), is_null(right)) {
            (false, true) => left,
            (true, false) => right,
            _ => return,
        };
        let span = left.span.to(right.span);
        let written = format!("{} {test}", value.span.of(self.text));
        let warning = doubts::NULL_COMPARED
            .warning("a comparison with null is null, never true", span)
            .with_help(format!("write `{written}`"))
            .with_edit(span, written);
        self.warnings.borrow_mut().push(warning);
    }

    /// `2026-01-01`: two subtractions that nobody means.
    fn warn_of_date(&self, operator: BinaryOperator, span: Span) {
        if operator != BinaryOperator::Subtract || span.end - span.start != 10 {
            return;
        }
        // The text of a function's body stands in another cell.
        let written = self.text.get(span.start..span.end).unwrap_or("");
        let is_date =
            written.char_indices().all(|(at, c)| if matches!(at, 4 | 7) { c == '-' } else { c.is_ascii_digit() });
        if is_date && written.len() == 10 {
            let warning = doubts::BARE_DATE
                .warning(format!("`{written}` is two subtractions, not a date"), span)
                .with_help(format!("write `@{written}`"))
                .with_edit(span, format!("@{written}"));
            self.warnings.borrow_mut().push(warning);
        }
    }

    /// `"hello {name}"` where `name` is a column: likely an f-string.
    fn warn_of_braces(&self, value: &Literal, span: Span, reach: Reach<'_>) {
        let Literal::Text(text) = value else { return };
        let written = self.text.get(span.start..span.end).unwrap_or("");
        let mut names = written.split('{').skip(1).filter_map(|part| Some(part.split_once('}')?.0));
        let known = |name: &&str| {
            text.contains(&format!("{{{name}}}")) && reach.scope.visible().any(|column| column.name == *name)
        };
        if let Some(name) = names.find(known) {
            let warning = doubts::BARE_BRACES
                .warning(format!("`{{{name}}}` stands for no value: this text is no f-string"), span)
                .with_help(format!("write `f{written}`"))
                .with_edit(Span::new(span.start, span.start), "f");
            self.warnings.borrow_mut().push(warning);
        }
    }

    /// An expression that must be true or false.
    pub(crate) fn condition(&self, expr: &Expr, reach: Reach<'_>) -> Resolved<Typed> {
        let typed = self.expression(expr, reach)?;
        self.as_bool(typed, expr.span)
    }

    pub(crate) fn as_bool(&self, typed: Typed, span: Span) -> Resolved<Typed> {
        let found = typed.ty.clone();
        functions::coerce(typed, &Type::Bool).ok_or_else(|| {
            let diagnostic = fault::wrong_type("bool", &found, span);
            let help = match found.ty {
                Type::Int | Type::Float | Type::Decimal { .. } => Some("compare it: `… != 0`"),
                Type::Text => Some("compare it: `… == \"…\"`"),
                _ => None,
            };
            match help {
                Some(help) => diagnostic.with_help(help).into(),
                None => diagnostic.into(),
            }
        })
    }

    /// The value of an expression in which no column is in reach.
    pub(crate) fn constant(&self, expr: &Expr, place: &'static str) -> Resolved<(ScalarValue, ColumnType)> {
        let scope = Scope::default();
        let typed = self.expression(expr, Reach::constant(&scope, place))?;
        let ty = typed.ty.clone();
        match functions::evaluate(&typed) {
            Ok(value) => Ok((value, ty)),
            Err(message) => Err(names::NOT_CONSTANT.error(format!("this has no value: {message}"), expr.span).into()),
        }
    }

    fn in_options(
        &self,
        expr: &Expr,
        value: &Expr,
        options: &Expr,
        negated: bool,
        reach: Reach<'_>,
    ) -> Resolved<Typed> {
        let typed = self.expression(value, reach)?;
        let (options_typed, option_spans) = match &options.kind {
            ExprKind::List(items) => (self.all(items.iter().map(|item| self.expression(item, reach)))?, spans(items)),
            _ => {
                let list = self.expression(options, reach)?;
                if matches!(list.ty.ty, Type::List(_)) {
                    return functions::in_value(typed, list, negated)
                        .map_err(|f| call_fault(f, expr.span, &[value.span, options.span]));
                }
                if list.is_null_type() {
                    return functions::in_list(typed, vec![list], negated)
                        .map_err(|f| call_fault(f, expr.span, &[value.span, options.span]));
                }
                let message = format!("`in` takes a list, found {}", list.ty.ty);
                let fault = names::WRONG_TYPE.error(message, options.span);
                return Err(match list.ty.ty {
                    Type::Text => fault.with_help("write `x in [\"a\", \"b\"]`; whether a part stands in a text is asked with `contains(text, part)`"),
                    _ => fault.with_help("write `x in [1, 2]`"),
                }
                .into());
            }
        };
        // `x in (xs)`: parentheses around a list.
        if let [only] = options_typed.as_slice()
            && matches!(only.ty.ty, Type::List(_))
            && functions::common_type(&typed.ty, &only.ty).is_none()
        {
            return functions::in_value(typed, only.clone(), negated)
                .map_err(|f| call_fault(f, expr.span, &[value.span, options.span]));
        }
        let mut all = vec![value.span];
        all.extend(option_spans);
        functions::in_list(typed, options_typed, negated).map_err(|f| call_fault(f, expr.span, &all))
    }

    fn case(&self, expr: &Expr, arms: &[CaseArm], otherwise: Option<&Expr>, reach: Reach<'_>) -> Resolved<Typed> {
        let value_spans: Vec<Span> = arms.iter().flat_map(|arm| [arm.condition.span, arm.value.span]).collect();
        let branches = self.all(
            arms.iter().map(|arm| self.both(self.condition(&arm.condition, reach), self.expression(&arm.value, reach))),
        )?;
        let last = otherwise.map(|e| self.expression(e, reach)).transpose()?;
        functions::case(branches, last).map_err(|f| call_fault(f, expr.span, &value_spans))
    }
}

/// An operator between two typed operands.
pub(crate) fn binary(operator: BinaryOperator, left: Typed, right: Typed) -> Result<Typed, CallFault> {
    use functions::{Arithmetic, Comparison};
    match operator {
        BinaryOperator::Or => functions::or(left, right),
        BinaryOperator::And => functions::and(left, right),
        BinaryOperator::Coalesce => functions::coalesce(left, right),
        BinaryOperator::Equal => functions::compare(Comparison::Equal, left, right),
        BinaryOperator::NotEqual => functions::compare(Comparison::NotEqual, left, right),
        BinaryOperator::Less => functions::compare(Comparison::Less, left, right),
        BinaryOperator::LessOrEqual => functions::compare(Comparison::LessOrEqual, left, right),
        BinaryOperator::Greater => functions::compare(Comparison::Greater, left, right),
        BinaryOperator::GreaterOrEqual => functions::compare(Comparison::GreaterOrEqual, left, right),
        BinaryOperator::Add => functions::arithmetic(Arithmetic::Add, left, right),
        BinaryOperator::Subtract => functions::arithmetic(Arithmetic::Subtract, left, right),
        BinaryOperator::Multiply => functions::arithmetic(Arithmetic::Multiply, left, right),
        BinaryOperator::Divide => functions::arithmetic(Arithmetic::Divide, left, right),
        BinaryOperator::Remainder => functions::arithmetic(Arithmetic::Remainder, left, right),
    }
}

/// A literal of the text.
pub(crate) fn literal(value: &Literal) -> Typed {
    let (value, ty) = match value {
        Literal::Null => return Typed::null(),
        Literal::Bool(value) => (ScalarValue::Boolean(Some(*value)), Type::Bool),
        Literal::Int(value) => (ScalarValue::Int64(Some(*value)), Type::Int),
        // Adding zero turns -0.0 into 0.0.
        Literal::Float(value) => (ScalarValue::Float64(Some(*value + 0.0)), Type::Float),
        Literal::Text(text) => return text_literal(text),
        Literal::Duration(micros) => (ScalarValue::DurationMicrosecond(Some(*micros)), Type::Duration),
        Literal::Date(days) => (ScalarValue::Date32(Some(*days)), Type::Date),
        Literal::Timestamp(micros) => (ScalarValue::TimestampMicrosecond(Some(*micros), None), Type::Timestamp),
    };
    Typed::literal(value, ColumnType::required(ty))
}

fn text_literal(text: &str) -> Typed {
    Typed::literal(ScalarValue::Utf8(Some(text.to_string())), ColumnType::required(Type::Text))
}

/// The fault of a name beside a text, which was likely meant to be one too.
fn without_quotes(fault: Fault, expr: &Expr) -> Fault {
    let ExprKind::Name(name) = &expr.kind else { return fault };
    match fault {
        Fault::Said(fault) if fault.code == names::UNKNOWN_COLUMN.code && fault.edit.is_none() => {
            let text = format!("\"{}\"", name.text);
            fault.with_help(format!("a text stands in quotes: `{text}`")).with_edit(expr.span, text).into()
        }
        fault => fault,
    }
}

/// The spans of expressions.
pub(crate) fn spans(exprs: &[Expr]) -> Vec<Span> {
    exprs.iter().map(|e| e.span).collect()
}

/// A mistake in a call, where it stands.
pub(crate) fn call_fault(fault: CallFault, span: Span, arguments: &[Span]) -> Fault {
    let code = match fault.kind {
        FaultKind::Unknown => &names::UNKNOWN_FUNCTION,
        FaultKind::Arity => &names::ARGUMENT_COUNT,
        FaultKind::Type => &names::WRONG_TYPE,
        FaultKind::Value => &names::WRONG_VALUE,
    };
    let at = fault.argument.and_then(|index| arguments.get(index).copied()).unwrap_or(span);
    let diagnostic = code.error(fault.message, at);
    match fault.help {
        Some(help) => diagnostic.with_help(help).into(),
        None => diagnostic.into(),
    }
}
