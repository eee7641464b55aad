//! How a sink writes delimited text: the options that its source reads as well.

use tidebook_plan::connector::{ConnectorError, OptionKind, OptionSpec, OptionValue, Options};

use crate::format::time_format::TimeFormat;

/// How records and values are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether the first record has the names of the columns.
    pub header: bool,
    /// Between fields.
    pub delimiter: String,
    /// Around fields that need it.
    quote: char,
    /// Before a quote inside quotes; without it, quotes are doubled.
    escape: Option<char>,
    /// What stands for no value.
    pub null: String,
    /// Behind a record.
    pub line_end: &'static str,
    /// Before the fraction of a number.
    pub decimal: char,
    /// Of dates.
    pub date: Option<TimeFormat>,
    /// Of timestamps.
    pub timestamp: Option<TimeFormat>,
}

/// The options that [`Style`] reads, with `delimiter` between fields where nothing is said.
pub fn options(delimiter: &str) -> Vec<OptionSpec> {
    use OptionKind::{Bool, OneOf, Text};
    let text = |text: &str| OptionValue::Text(text.to_string());
    let option = OptionSpec::optional;
    vec![
        option("header", Bool, "Whether the first record has the names of the columns.").or(OptionValue::Bool(true)),
        option("delimiter", Text, "The text between fields, often one character.").or(text(delimiter)),
        option("quote", Text, "The character around fields that need it.").or(text("\"")),
        option("escape", Text, "The character before quotes inside quotes; without it they are doubled."),
        option("nulls", Text, "What stands for no value.").or(text("")),
        option("decimal", Text, "The character before the fraction of a number.").or(text(".")),
        option("date_format", Text, "How dates are written, as in `%d.%m.%Y`; without it `2026-01-31`."),
        option("timestamp_format", Text, "How timestamps are written, as in `%d.%m.%Y %H:%M`; without it ISO 8601."),
        option("newline", OneOf(&["lf", "crlf"]), "What ends a line.").or(text("lf")),
    ]
}

impl Style {
    /// What the options say.
    ///
    /// # Errors
    /// Where a character is none or stands for two things, or a pattern makes no sense.
    pub fn new(options: &Options) -> Result<Style, ConnectorError> {
        let fault = |option, message: String| ConnectorError::Option { option, message };
        let character = |option: &'static str, default: Option<char>| match options.text(option) {
            None => Ok(default),
            Some(text) => {
                let mut all = text.chars();
                match (all.next(), all.next()) {
                    (Some(character), None) if character.is_ascii() && !matches!(character, '\n' | '\r') => {
                        Ok(Some(character))
                    }
                    _ => Err(fault(option, format!("expected one ASCII character, found `{text}`"))),
                }
            }
        };
        let delimiter = options.text("delimiter").unwrap_or(",").to_string();
        let quote = character("quote", Some('"'))?.unwrap_or('"');
        let escape = character("escape", None)?.filter(|escape| *escape != quote);
        if delimiter.is_empty() || delimiter.contains(['\n', '\r']) {
            return Err(fault("delimiter", "expected one or more characters other than line ends".to_string()));
        }
        if delimiter.contains(quote) || escape.is_some_and(|escape| delimiter.contains(escape)) {
            return Err(fault("delimiter", "contains the quote or the escape".to_string()));
        }
        let null = options.text("nulls").unwrap_or_default().to_string();
        if null.contains([quote, '\n', '\r']) || null.contains(&delimiter) {
            return Err(fault("nulls", "contains the delimiter, the quote or a line end".to_string()));
        }
        let format = |option: &'static str| {
            options.text(option).map(TimeFormat::new).transpose().map_err(|message| fault(option, message))
        };
        Ok(Style {
            header: options.get("header").is_none() || options.flag("header"),
            quote,
            escape,
            null,
            line_end: if options.text("newline") == Some("crlf") { "\r\n" } else { "\n" },
            decimal: character("decimal", Some('.'))?.unwrap_or('.'),
            date: format("date_format")?,
            timestamp: format("timestamp_format")?,
            delimiter,
        })
    }

    /// A field, quoted where it must be: so is what would be read as no value.
    pub fn push_field(&self, out: &mut Vec<u8>, text: &str) {
        let special = |character: char| {
            character == self.quote || matches!(character, '\n' | '\r') || Some(character) == self.escape
        };
        let plain = !text.is_empty() && text != self.null && !text.contains(special);
        if plain && !text.contains(&self.delimiter) {
            out.extend_from_slice(text.as_bytes());
            return;
        }
        let (quote, escape) = (self.quote as u8, self.escape.map_or(self.quote as u8, |escape| escape as u8));
        out.push(quote);
        for byte in text.bytes() {
            if byte == quote || byte == escape {
                out.push(escape);
            }
            out.push(byte);
        }
        out.push(quote);
    }
}
