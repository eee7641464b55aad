//! The value of a `param`: from outside (`--set`), from a `%param` of the notebook, or its default, in this order.
//!
//! A value may be given before the parameter is declared and after; tools that run notebooks with parameters put a
//! cell of them where they like. So a value is kept as text, and read once the type is known.

use datafusion_common::ScalarValue;
use tidebook_plan::{ColumnType, Diagnostic, Span, Type};

use crate::catalog::{GivenValue, ParamDefinition};
use crate::diagnostics::names;
use crate::functions::{self, Typed};
use crate::resolve::fault::Resolved;
use crate::resolve::types::column_type;
use crate::resolve::{Reach, Resolver, Scope};
use crate::syntax::parse_expression;
use crate::syntax::tree::{Command, Expr, Name, TypeExpr};

/// What `%param` says.
pub(crate) struct Giving {
    /// The parameter.
    pub name: String,
    /// The expression, as text.
    pub text: String,
    /// Where the expression stands.
    pub span: Span,
}

/// Reads the arguments of `%param`: a name, `=` and an expression.
///
/// # Errors
/// Where they are something else, or the expression does not parse.
pub(crate) fn giving(command: &Command) -> Result<Giving, Box<Diagnostic>> {
    let (arguments, span) = (command.arguments.as_str(), command.arguments_span);
    let malformed = |message: String| {
        let place = if arguments.is_empty() { command.name.span } else { span };
        Box::new(names::PARAMETER.error(message, place).with_help("write `%param since = @2026-01-01`"))
    };
    let Some((name, text)) = arguments.split_once('=') else {
        return Err(malformed("`%param` takes a name, `=` and a value".to_string()));
    };
    let start = span.start + name.len() + 1 + (text.len() - text.trim_start().len());
    let (name, text) = (name.trim(), text.trim());
    let is_word = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !is_word {
        return Err(malformed(format!("`{name}` cannot be the name of a parameter")));
    }
    if text.is_empty() {
        return Err(malformed(format!("`%param {name} =` lacks the value")));
    }
    let value = Span::new(start, start + text.len());
    match parse_expression(text) {
        Ok(_) => Ok(Giving { name: name.to_string(), text: text.to_string(), span: value }),
        Err(fault) => Err(Box::new(Diagnostic {
            span: Span::new(start + fault.span.start, start + fault.span.end),
            edit: None,
            ..*fault
        })),
    }
}

impl Resolver<'_> {
    /// A parameter with its value.
    pub(crate) fn param(
        &self,
        cell: &str,
        name: &Name,
        ty: &TypeExpr,
        default: Option<&Expr>,
    ) -> Resolved<ParamDefinition> {
        let declared = column_type(ty)?;
        // The default is checked even where another value is given.
        let default = default.map(|default| self.default_of(name, &declared, default)).transpose()?;
        let given = self.value_of(&name.text, &declared, name.span, self.catalog.given.get(&name.text))?;
        let Some(value) = given.or_else(|| default.clone()) else {
            return Err(names::PARAMETER
                .error(format!("the parameter `{}` has no value", name.text), name.span)
                .with_help(format!(
                    "give it one from outside (`--set {0}=…`), or a default: `param {0}: {declared} = …`",
                    name.text
                ))
                .into());
        };
        let shown = show(&value, &declared);
        Ok(ParamDefinition { cell: cell.to_string(), ty: declared, default, value, shown })
    }

    /// A declared parameter under another `%param`, or without one; `None` where nothing gives it a value any more. A
    /// fault stands at `span`.
    pub(crate) fn param_again(
        &self,
        name: &str,
        param: &ParamDefinition,
        given: Option<&GivenValue>,
        span: Span,
    ) -> Resolved<Option<ParamDefinition>> {
        let value = self.value_of(name, &param.ty, span, given)?.or_else(|| param.default.clone());
        Ok(value.map(|value| ParamDefinition { shown: show(&value, &param.ty), value, ..param.clone() }))
    }

    /// The value that is given to a parameter, if one is.
    fn value_of(
        &self,
        name: &str,
        declared: &ColumnType,
        span: Span,
        given: Option<&GivenValue>,
    ) -> Resolved<Option<ScalarValue>> {
        let (text, value, form) = match (self.env.parameter(name), given) {
            (Some(text), _) => (text.clone(), self.value_in_text(declared, &text), format!("--set {name}=…")),
            (None, Some(given)) => {
                (given.text.clone(), self.value_in_expression(declared, &given.text), format!("%param {name} = …"))
            }
            (None, None) => return Ok(None),
        };
        let example = match declared.ty {
            Type::Date | Type::Timestamp => ", such as `@2026-02-01`",
            _ => "",
        };
        value.map(Some).ok_or_else(|| {
            names::PARAMETER
                .error(format!("`{name}` is {declared}, but the value given from outside is `{text}`"), span)
                .with_help(format!("give it as `{form}` with a value of type {declared}{example}"))
                .into()
        })
    }

    fn default_of(&self, name: &Name, declared: &ColumnType, default: &Expr) -> Resolved<ScalarValue> {
        let scope = Scope::default();
        let typed = self.expression(default, Reach::constant(&scope, "the default of a parameter"))?;
        let found = typed.ty.clone();
        let Some(typed) = fitting(typed, declared) else {
            let message = format!("`{}` is {declared}, but its default is {found}", name.text);
            let fault = names::PARAMETER.error(message, default.span);
            return Err(match (&declared.ty, &found.ty) {
                (Type::Date, _) => fault.with_help("a date is written `@2026-01-01`"),
                (Type::Timestamp, _) => fault.with_help("a timestamp is written `@2026-01-01T10:00:00Z`"),
                (Type::Duration, _) => fault.with_help("a duration is written `5s`, `2h`, `3d`"),
                (Type::Text, _) => fault.with_help("a text is written in quotes"),
                (_, Type::Text) => fault.with_help("leave the quotes out"),
                (Type::Int, Type::Float) => fault.with_help("write a whole number, or declare a `float`"),
                (_, Type::Null) => {
                    fault.with_help(format!("write `param {}: {declared}?` if it may have no value", name.text))
                }
                _ => fault,
            }
            .into());
        };
        functions::evaluate(&typed)
            .map_err(|message| names::NOT_CONSTANT.error(format!("this has no value: {message}"), default.span).into())
    }

    /// A text from a command line: itself for a text, else what a cast of it gives, else an expression of Tide.
    fn value_in_text(&self, declared: &ColumnType, text: &str) -> Option<ScalarValue> {
        if declared.ty == Type::Text {
            return Some(ScalarValue::Utf8(Some(text.to_string())));
        }
        let bare = match declared.ty {
            Type::Date | Type::Timestamp => text.trim().trim_start_matches('@'),
            _ => text.trim(),
        };
        let literal = Typed::literal(ScalarValue::Utf8(Some(bare.to_string())), ColumnType::required(Type::Text));
        let cast = functions::cast(literal, &declared.ty).ok().and_then(|typed| functions::evaluate(&typed).ok());
        cast.filter(|value| !value.is_null()).or_else(|| {
            let typed = self.constant_of(text)?;
            functions::evaluate(&fitting(typed, declared)?).ok()
        })
    }

    /// An expression of a `%param`. A text may stand for a value of any type, and any value for a text or a document:
    /// who passes parameters on often knows neither type.
    fn value_in_expression(&self, declared: &ColumnType, text: &str) -> Option<ScalarValue> {
        let typed = self.constant_of(text)?;
        if let Some(typed) = fitting(typed.clone(), declared) {
            return functions::evaluate(&typed).ok();
        }
        match (&declared.ty, functions::evaluate(&typed).ok()?) {
            (Type::Text | Type::Json, value) if value.is_null() => None,
            (Type::Text | Type::Json, _) => functions::evaluate(&functions::cast(typed, &declared.ty).ok()?).ok(),
            // A number with a fraction is a float in Tide and in JSON; its digits are what was meant.
            (Type::Decimal { .. }, value @ ScalarValue::Float64(_)) => {
                self.value_in_text(declared, &show(&value, &typed.ty))
            }
            (_, ScalarValue::Utf8(Some(text))) if typed.ty.ty == Type::Text => self.value_in_text(declared, &text),
            _ => None,
        }
    }

    fn constant_of(&self, text: &str) -> Option<Typed> {
        let scope = Scope::default();
        self.expression(&parse_expression(text).ok()?, Reach::constant(&scope, "a parameter")).ok()
    }
}

/// The expression as a value of the declared type, where that needs no word from the user.
fn fitting(typed: Typed, declared: &ColumnType) -> Option<Typed> {
    functions::coerce(typed, &declared.ty).filter(|typed| declared.nullable || !typed.ty.nullable)
}

/// A value as text for people.
pub(crate) fn show(value: &ScalarValue, ty: &ColumnType) -> String {
    if value.is_null() {
        return "null".to_string();
    }
    let typed = Typed::literal(value.clone(), ty.clone());
    let text = functions::cast(typed, &Type::Text).ok().and_then(|typed| functions::evaluate(&typed).ok());
    match text {
        Some(ScalarValue::Utf8(Some(text))) => text,
        _ => value.to_string(),
    }
}
