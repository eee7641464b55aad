//! `param` and `set`.

use datafusion_common::ScalarValue;
use tidebook_plan::{ColumnType, Type};

use crate::catalog::ParamDefinition;
use crate::diagnostics::names;
use crate::functions::{self, Typed};
use crate::resolve::fault::{self, Resolved};
use crate::resolve::types::column_type;
use crate::resolve::{Reach, Resolver, Scope};
use crate::syntax::parse_expression;
use crate::syntax::tree::{Expr, Name, TypeExpr};

/// Settings of the language, each with whether this build has it.
const SETTINGS: &[(&str, bool)] = &[("workers", true), ("state", false), ("embedder", false), ("llm", false)];

/// The most threads that `set workers` takes.
const MAX_WORKERS: i64 = 1024;

impl Resolver<'_> {
    /// A parameter with its value: the one given from outside, or the default.
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
        let value = match self.env.parameter(&name.text) {
            Some(text) => self.given(name, &declared, &text)?,
            None => match default {
                Some(value) => value,
                None => {
                    return Err(names::PARAMETER
                        .error(format!("the parameter `{}` has no value", name.text), name.span)
                        .with_help(format!(
                            "give it one from outside (`--set {0}=…`), or a default: `param {0}: {declared} = …`",
                            name.text
                        ))
                        .into());
                }
            },
        };
        let shown = show(&value, &declared);
        Ok(ParamDefinition { cell: cell.to_string(), ty: declared, value, shown })
    }

    fn default_of(&self, name: &Name, declared: &ColumnType, default: &Expr) -> Resolved<ScalarValue> {
        let scope = Scope::default();
        let typed = self.expression(default, Reach::constant(&scope, "the default of a parameter"))?;
        let found = typed.ty.clone();
        let Some(typed) =
            functions::coerce(typed, &declared.ty).filter(|typed| declared.nullable || !typed.ty.nullable)
        else {
            let message = format!("`{}` is {declared}, but its default is {found}", name.text);
            return Err(names::PARAMETER.error(message, default.span).into());
        };
        functions::evaluate(&typed)
            .map_err(|message| names::NOT_CONSTANT.error(format!("this has no value: {message}"), default.span).into())
    }

    /// A value from outside: plain text for a text, else what a cast of the text gives, else an expression of Tide.
    fn given(&self, name: &Name, declared: &ColumnType, text: &str) -> Resolved<ScalarValue> {
        let literal =
            |text: &str| Typed::literal(ScalarValue::Utf8(Some(text.to_string())), ColumnType::required(Type::Text));
        if declared.ty == Type::Text {
            return Ok(ScalarValue::Utf8(Some(text.to_string())));
        }
        let bare = match declared.ty {
            Type::Date | Type::Timestamp => text.trim().trim_start_matches('@'),
            _ => text.trim(),
        };
        let cast = functions::cast(literal(bare), &declared.ty).ok().and_then(|typed| functions::evaluate(&typed).ok());
        if let Some(value) = cast.filter(|value| !value.is_null()) {
            return Ok(value);
        }
        let written = parse_expression(text).ok().and_then(|expr| {
            let scope = Scope::default();
            let typed = self.expression(&expr, Reach::constant(&scope, "a parameter")).ok()?;
            let typed =
                functions::coerce(typed, &declared.ty).filter(|typed| declared.nullable || !typed.ty.nullable)?;
            functions::evaluate(&typed).ok()
        });
        written.ok_or_else(|| {
            names::PARAMETER
                .error(
                    format!("`{}` is {declared}, but the value given from outside is `{text}`", name.text),
                    name.span,
                )
                .with_help(format!("give it as `--set {}=…` with a value of type {declared}", name.text))
                .into()
        })
    }

    /// A setting with its value.
    pub(crate) fn setting(&self, name: &Name, value: &Expr) -> Resolved<ScalarValue> {
        match SETTINGS.iter().find(|(known, _)| *known == name.text) {
            None => {
                let known: Vec<&str> = SETTINGS.iter().map(|(known, _)| *known).collect();
                let diagnostic = names::UNKNOWN_SETTING.error(format!("unknown setting `{}`", name.text), name.span);
                Err(fault::suggest(diagnostic, &name.text, &known, "the settings are").into())
            }
            Some((_, false)) => Err(fault::not_available(&format!("the setting `{}`", name.text), name.span).into()),
            Some((_, true)) => match self.constant(value, "a setting")? {
                (ScalarValue::Int64(Some(count)), _) if (1..=MAX_WORKERS).contains(&count) => {
                    Ok(ScalarValue::Int64(Some(count)))
                }
                (ScalarValue::Int64(Some(count)), _) => {
                    let message = format!("`workers` is a number from 1 to {MAX_WORKERS}, not {count}");
                    Err(names::WRONG_VALUE.error(message, value.span).into())
                }
                (_, ty) => Err(names::WRONG_TYPE
                    .error(format!("`workers` is a whole number, found {ty}"), value.span)
                    .with_help("write `set workers = 4`")
                    .into()),
            },
        }
    }
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
