//! Literals: numbers, texts, dates, intervals, and operations of them, which are done here.
//!
//! A number with a point is a decimal in SQL: `0.06 + 0.01` is 0.07, not the sum of two doubles. What is known now must
//! not be left to a row either: a condition that cannot fail may be moved.

use datafusion_common::ScalarValue;
use datafusion_sql::sqlparser::ast::{
    DataType, DateTimeField, Expr as SqlExpr, Interval, TypedString, Value, ValueWithSpan,
};
use tidebook_plan::Span;

use super::Sql;
use super::expression::{binary, call, int};
use crate::diagnostics::{names, syntax};
use crate::resolve::Resolver;
use crate::resolve::fault::Resolved;
use crate::syntax::tree::{BinaryOperator, Expr, ExprKind, Literal};

/// A length of time; months have no length of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Length {
    months: i64,
    micros: i64,
}

const DAY_MICROS: i64 = 86_400_000_000;

impl Sql<'_, '_> {
    pub(super) fn literal(&self, value: &ValueWithSpan) -> Resolved<Literal> {
        let span = self.places.span(value.span);
        Ok(match &value.value {
            Value::Number(digits, _) => return self.number(digits, span),
            Value::SingleQuotedString(text)
            | Value::EscapedStringLiteral(text)
            | Value::UnicodeStringLiteral(text)
            | Value::NationalStringLiteral(text)
            | Value::DoubleQuotedString(text) => Literal::Text(text.clone()),
            Value::DollarQuotedString(text) => Literal::Text(text.value.clone()),
            Value::Boolean(value) => Literal::Bool(*value),
            Value::Null => Literal::Null,
            Value::Placeholder(name) => {
                let help = "write the name of a `param` as if it were a column";
                return Err(self.unsupported(&format!("the placeholder `{name}`"), help, span));
            }
            other => return Err(self.unsupported(&format!("the literal `{other}`"), "", span)),
        })
    }

    fn number(&self, digits: &str, span: Span) -> Resolved<Literal> {
        if digits.contains(['.', 'e', 'E']) {
            return match digits.parse::<f64>() {
                Ok(value) if value.is_finite() => Ok(Literal::Float(value)),
                _ => Err(syntax::BAD_LITERAL.error(format!("`{digits}` is too large for a float"), span).into()),
            };
        }
        digits.parse::<i64>().map(Literal::Int).map_err(|_| {
            syntax::BAD_LITERAL
                .error(format!("`{digits}` is too large for an int"), span)
                .with_help(
                    "an int goes from -9223372036854775808 to 9223372036854775807; for a float, write a point: `1.0`",
                )
                .into()
        })
    }

    /// `date '2026-01-01'`
    pub(super) fn typed_text(&self, typed: &TypedString, span: Span) -> Resolved<Literal> {
        let text = Expr { kind: ExprKind::Literal(self.literal(&typed.value)?), span };
        let ty = self.data_type(&typed.data_type, span)?;
        let what = if matches!(typed.data_type, DataType::Date) { "a date" } else { "a literal" };
        let cast = call("cast", vec![text, Expr { kind: ExprKind::Type(ty), span }], span);
        let (value, _) = self.resolver.constant(&cast, what)?;
        written(&value).ok_or_else(|| {
            let message = format!("{} has no literal of this kind", typed.data_type);
            names::NOT_CONSTANT.error(message, span).into()
        })
    }

    /// An interval that stands for itself.
    pub(super) fn duration(&self, interval: &Interval, span: Span) -> Resolved<Literal> {
        match self.interval(interval, span)? {
            Length { months: 0, micros } => Ok(Literal::Duration(micros)),
            _ => Err(self.unsupported(
                "a length of months",
                "months are of different lengths: add them to a date, or use `add_months(at, n)`",
                span,
            )),
        }
    }

    /// `interval '90' day`, `interval '1 year 2 days'`
    pub(super) fn interval(&self, interval: &Interval, span: Span) -> Resolved<Length> {
        let wrong = |text: &str| {
            names::WRONG_VALUE
                .error(format!("`{text}` is no length of time"), span)
                .with_help("write `interval '90' day`, `interval '3 months'` or `interval '1 hour 30 minutes'`")
        };
        let (sign, value) = match &*interval.value {
            SqlExpr::UnaryOp { op: datafusion_sql::sqlparser::ast::UnaryOperator::Minus, expr } => (-1, &**expr),
            value => (1, value),
        };
        let SqlExpr::Value(value) = value else { return Err(wrong(&interval.value.to_string()).into()) };
        let text = match self.literal(value)? {
            Literal::Text(text) => text,
            Literal::Int(number) => number.to_string(),
            _ => return Err(wrong(&value.to_string()).into()),
        };
        let length = match (&interval.leading_field, &interval.last_field) {
            (Some(field), None) => unit(&field.to_string()).and_then(|unit| times(text.trim(), unit)),
            (None, None) => words(&text),
            _ => return Err(self.unsupported("an interval of two units", "write `interval '1 day 2 hours'`", span)),
        };
        let length = length.ok_or_else(|| wrong(&text))?;
        Ok(Length { months: sign * length.months, micros: sign * length.micros })
    }
}

/// The unit as months or microseconds.
fn unit(word: &str) -> Option<Length> {
    let word = word.to_lowercase();
    let months = |months| Some(Length { months, micros: 0 });
    let micros = |micros| Some(Length { months: 0, micros });
    match word.strip_suffix('s').unwrap_or(&word) {
        "century" | "centurie" => months(1200),
        "decade" => months(120),
        "year" | "y" => months(12),
        "quarter" => months(3),
        "month" | "mon" => months(1),
        "week" | "w" => micros(7 * DAY_MICROS),
        "day" | "d" => micros(DAY_MICROS),
        "hour" | "h" | "hr" => micros(3_600_000_000),
        "minute" | "min" | "m" => micros(60_000_000),
        "second" | "sec" => micros(1_000_000),
        "millisecond" => micros(1_000),
        "microsecond" => micros(1),
        _ => None,
    }
}

/// So many of a unit.
fn times(number: &str, unit: Length) -> Option<Length> {
    if let Ok(number) = number.parse::<i64>() {
        return Some(Length { months: unit.months.checked_mul(number)?, micros: unit.micros.checked_mul(number)? });
    }
    let number: f64 = number.parse().ok()?;
    let micros = (number * unit.micros as f64).round();
    (unit.months == 0 && micros.abs() < 9e15).then_some(Length { months: 0, micros: micros as i64 })
}

/// `1 year 2 days`, `01:30:00`
fn words(text: &str) -> Option<Length> {
    let mut total = Length::default();
    let mut words = text.split_whitespace();
    let mut found = false;
    while let Some(number) = words.next() {
        let part = match number.split(':').collect::<Vec<_>>()[..] {
            [hours, minutes, seconds] => {
                let parts = [(hours, "hour"), (minutes, "minute"), (seconds, "second")];
                let mut sum = 0i64;
                for (number, word) in parts {
                    sum = sum.checked_add(times(number, unit(word)?)?.micros)?;
                }
                Length { months: 0, micros: sum }
            }
            _ => times(number, unit(words.next()?)?)?,
        };
        total.months = total.months.checked_add(part.months)?;
        total.micros = total.micros.checked_add(part.micros)?;
        found = true;
    }
    found.then_some(total)
}

/// A time moved by a length. A date that is moved by whole days or months stays one.
pub(super) fn moved(resolver: &Resolver<'_>, at: Expr, length: Length, sign: i64, span: Span) -> Expr {
    let constant = matches!(at.kind, ExprKind::Literal(_));
    // A length is added to a length.
    if length.months == 0 && matches!(at.kind, ExprKind::Literal(Literal::Duration(_))) {
        let duration = Expr { kind: ExprKind::Literal(Literal::Duration(sign * length.micros)), span };
        return folded(resolver, binary(BinaryOperator::Add, at, duration));
    }
    let mut moved = at;
    if length.months != 0 {
        moved = call("add_months", vec![moved, int(sign * length.months, span)], span);
    }
    if length.micros != 0 {
        moved = if length.micros % DAY_MICROS == 0 {
            call("add_days", vec![moved, int(sign * (length.micros / DAY_MICROS), span)], span)
        } else {
            let duration = Expr { kind: ExprKind::Literal(Literal::Duration(sign * length.micros)), span };
            Expr { span, ..binary(BinaryOperator::Add, moved, duration) }
        };
    }
    if constant { folded(resolver, moved) } else { moved }
}

/// The value of an operation of literals, as a literal; the operation where it has none, or none that can be written.
pub(super) fn folded(resolver: &Resolver<'_>, expr: Expr) -> Expr {
    if let ExprKind::Binary { operator, left, right, .. } = &expr.kind
        && let (ExprKind::Literal(left), ExprKind::Literal(right)) = (&left.kind, &right.kind)
        && matches!(left, Literal::Float(_)) | matches!(right, Literal::Float(_))
    {
        return match decimals(*operator, left, right) {
            Some(value) => Expr { kind: ExprKind::Literal(Literal::Float(value)), span: expr.span },
            None => expr,
        };
    }
    match resolver.constant(&expr, "a literal") {
        Ok((value, _)) => match written(&value) {
            Some(literal) => Expr { kind: ExprKind::Literal(literal), span: expr.span },
            None => expr,
        },
        Err(_) => expr,
    }
}

fn written(value: &ScalarValue) -> Option<Literal> {
    Some(match value {
        ScalarValue::Boolean(Some(value)) => Literal::Bool(*value),
        ScalarValue::Int64(Some(value)) => Literal::Int(*value),
        ScalarValue::Float64(Some(value)) if value.is_finite() => Literal::Float(*value),
        ScalarValue::Utf8(Some(value)) => Literal::Text(value.clone()),
        ScalarValue::Date32(Some(value)) => Literal::Date(*value),
        ScalarValue::TimestampMicrosecond(Some(value), _) => Literal::Timestamp(*value),
        ScalarValue::DurationMicrosecond(Some(value)) => Literal::Duration(*value),
        _ => return None,
    })
}

/// Digits and how many of them stand after the point.
fn digits(literal: &Literal) -> Option<(i128, u32)> {
    let text = match literal {
        Literal::Int(value) => value.to_string(),
        Literal::Float(value) => format!("{value}"),
        _ => return None,
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let scale = u32::try_from(fraction.len()).ok().filter(|scale| *scale <= 17)?;
    Some((format!("{whole}{fraction}").parse().ok()?, scale))
}

/// `0.06 + 0.01` as decimals: 0.07.
fn decimals(operator: BinaryOperator, left: &Literal, right: &Literal) -> Option<f64> {
    let ((left, left_scale), (right, right_scale)) = (digits(left)?, digits(right)?);
    let scale = left_scale.max(right_scale);
    let (left_even, right_even) = (
        left.checked_mul(10i128.checked_pow(scale - left_scale)?)?,
        right.checked_mul(10i128.checked_pow(scale - right_scale)?)?,
    );
    let (value, scale) = match operator {
        BinaryOperator::Add => (left_even.checked_add(right_even)?, scale),
        BinaryOperator::Subtract => (left_even.checked_sub(right_even)?, scale),
        BinaryOperator::Multiply => (left.checked_mul(right)?, left_scale + right_scale),
        _ => return None,
    };
    let value: f64 = format!("{value}e-{scale}").parse().ok()?;
    value.is_finite().then_some(value + 0.0)
}

/// Units of a field that `extract` and `interval` share have one spelling.
pub(super) fn field_of(word: &str) -> Option<DateTimeField> {
    Some(match word.to_lowercase().as_str() {
        "year" | "years" => DateTimeField::Year,
        "quarter" => DateTimeField::Quarter,
        "month" | "months" => DateTimeField::Month,
        "week" => DateTimeField::IsoWeek,
        "day" | "days" => DateTimeField::Day,
        "doy" => DateTimeField::Doy,
        "dow" => DateTimeField::Dow,
        "isodow" => DateTimeField::Isodow,
        "hour" | "hours" => DateTimeField::Hour,
        "minute" | "minutes" => DateTimeField::Minute,
        "second" | "seconds" => DateTimeField::Second,
        "epoch" => DateTimeField::Epoch,
        _ => return None,
    })
}
