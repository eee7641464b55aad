//! `set`.

use datafusion_common::ScalarValue;
use tidebook_plan::{ColumnType, Span};

use crate::diagnostics::names;
use crate::resolve::Resolver;
use crate::resolve::fault::{self, Resolved};
use crate::syntax::tree::{Expr, Name};

/// Settings of the language, each with whether this build has it.
const SETTINGS: &[(&str, bool)] =
    &[("workers", true), ("memory", true), ("state", false), ("embedder", false), ("llm", false)];

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
            Some(("memory", true)) => memory(self.constant(value, "a setting")?, value.span),
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

/// The least that `set memory` takes: less than this the program itself needs.
const MIN_MEMORY: i64 = 64_000_000;

/// A number of bytes, or a text with a unit.
fn memory((value, ty): (ScalarValue, ColumnType), span: Span) -> Resolved<ScalarValue> {
    let help = "write `set memory = \"8GB\"`; the units are kB, MB, GB, TB and KiB, MiB, GiB, TiB";
    let bytes = match &value {
        ScalarValue::Int64(Some(bytes)) => Some(*bytes),
        ScalarValue::Utf8(Some(text)) => bytes_of(text),
        _ => {
            let message = format!("`memory` is a text with a number and a unit, or a number of bytes, found {ty}");
            return Err(names::WRONG_TYPE.error(message, span).with_help(help).into());
        }
    };
    match bytes {
        Some(bytes) if bytes >= MIN_MEMORY => Ok(ScalarValue::Int64(Some(bytes))),
        Some(bytes) => {
            let message = format!("`memory` is at least 64MB, not {bytes} bytes");
            Err(names::WRONG_VALUE.error(message, span).with_help(help).into())
        }
        None => Err(names::WRONG_VALUE.error("this is no amount of memory", span).with_help(help).into()),
    }
}

/// `8GB`, `1.5 GiB`, `500 MB` in bytes.
fn bytes_of(text: &str) -> Option<i64> {
    let text = text.trim();
    let at = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = (text[..at].trim().parse::<f64>().ok()?, text[at..].to_ascii_lowercase());
    let factor: f64 = match unit.as_str() {
        "b" => 1.0,
        "k" | "kb" => 1e3,
        "m" | "mb" => 1e6,
        "g" | "gb" => 1e9,
        "t" | "tb" => 1e12,
        "kib" => 1024.0,
        "mib" => 1024f64.powi(2),
        "gib" => 1024f64.powi(3),
        "tib" => 1024f64.powi(4),
        _ => return None,
    };
    let bytes = number * factor;
    (bytes >= 0.0 && bytes < 9e18).then_some(bytes as i64)
}

#[cfg(test)]
mod tests {
    use super::bytes_of;

    #[test]
    fn amounts_of_memory_have_units() {
        assert_eq!(bytes_of("8GB"), Some(8_000_000_000));
        assert_eq!(bytes_of(" 1.5 GiB "), Some(1_610_612_736));
        assert_eq!(bytes_of("500m"), Some(500_000_000));
        for wrong in ["", "8", "GB", "-1GB", "8 XB", "1e99GB", "NaNGB"] {
            assert_eq!(bytes_of(wrong), None, "{wrong}");
        }
    }
}
