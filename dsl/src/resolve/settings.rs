//! `set`.

use datafusion_common::ScalarValue;

use crate::diagnostics::names;
use crate::resolve::Resolver;
use crate::resolve::fault::{self, Resolved};
use crate::syntax::tree::{Expr, Name};

/// Settings of the language, each with whether this build has it.
const SETTINGS: &[(&str, bool)] = &[("workers", true), ("state", false), ("embedder", false), ("llm", false)];

/// The most threads that `set workers` takes.
const MAX_WORKERS: i64 = 1024;

impl Resolver<'_> {
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
