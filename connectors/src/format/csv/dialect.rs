//! How delimited text is written: the options of the format.

use tidebook_plan::connector::{ConnectorError, OptionKind, OptionSpec, OptionValue, Options};

use super::convert::Conversion;

/// The options of the format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// Between fields; not empty.
    pub delimiter: Vec<u8>,
    /// Around fields that contain delimiters, newlines or, doubled, itself; `None` where nothing is quoted.
    pub quote: Option<u8>,
    /// Before a character that is meant as it stands; `None` where only quotes are doubled.
    pub escape: Option<u8>,
    /// What a line that is passed over begins with.
    pub comment: Option<Vec<u8>>,
    /// Lines that are passed over at the start.
    pub skip: usize,
    /// True if the first record has the names of the columns.
    pub header: bool,
    /// Unquoted fields with these texts count as empty.
    pub nulls: Vec<Vec<u8>>,
    /// True if a line without anything is no record.
    pub skip_blank_lines: bool,
    /// True if spaces and tabs around unquoted fields do not belong to them.
    pub trim: bool,
    /// True if a record may have fewer fields than the header.
    pub fill: bool,
    /// How the texts of values are written.
    pub conversion: Conversion,
    /// True if one byte ends a field and no character is escaped: the usual case, which is read fastest.
    pub(super) simple: bool,
}

impl Dialect {
    /// Reads the options of the format.
    ///
    /// # Errors
    /// Where a character is none, or stands for two things.
    pub fn new(options: &Options) -> Result<Dialect, ConnectorError> {
        let fault = |option, message: &str| ConnectorError::Option { option, message: message.to_string() };
        let delimiter = options.text("delimiter").unwrap_or(",").as_bytes().to_vec();
        if delimiter.is_empty() {
            return Err(fault("delimiter", "expected one or more characters, found none"));
        }
        if delimiter.iter().any(|byte| matches!(byte, b'\n' | b'\r')) {
            return Err(fault("delimiter", "a line end cannot stand between fields"));
        }
        let quote = character(options, "quote", Some(b'"'))?;
        if quote.is_some_and(|quote| delimiter.contains(&quote)) {
            return Err(fault("quote", "is part of the delimiter as well"));
        }
        let escape = character(options, "escape", None)?.filter(|escape| Some(*escape) != quote);
        if escape.is_some_and(|escape| delimiter.contains(&escape)) {
            return Err(fault("escape", "is part of the delimiter as well"));
        }
        let comment = options.text("comment").filter(|text| !text.is_empty()).map(|text| text.as_bytes().to_vec());
        if comment.as_ref().is_some_and(|comment| comment.first() == quote.as_ref() || *comment == delimiter) {
            return Err(fault("comment", "is the quote or the delimiter as well"));
        }
        let skip = usize::try_from(options.int("skip").unwrap_or(0)).map_err(|_| fault("skip", "is less than none"))?;
        let trim = options.flag("trim");
        let or_true = |name| options.get(name).is_none() || options.flag(name);
        let nulls = options.texts("nulls").into_iter().filter(|text| !text.is_empty());
        let simple = delimiter.len() == 1 && escape.is_none() && !trim;
        Ok(Dialect {
            conversion: Conversion::new(options)?,
            delimiter,
            quote,
            escape,
            comment,
            skip,
            header: or_true("header"),
            nulls: nulls.map(|text| text.as_bytes().to_vec()).collect(),
            skip_blank_lines: or_true("skip_blank_lines"),
            trim,
            fill: options.text("ragged") == Some("fill"),
            simple,
        })
    }

    /// True if `text` is a space that is trimmed.
    #[inline]
    pub(super) fn is_space(&self, byte: u8) -> bool {
        matches!(byte, b' ' | b'\t') && self.delimiter != [byte]
    }

    /// The field without spaces around it.
    pub(super) fn trimmed<'a>(&self, mut field: &'a [u8]) -> &'a [u8] {
        while let [first, rest @ ..] = field
            && self.is_space(*first)
        {
            field = rest;
        }
        while let [rest @ .., last] = field
            && self.is_space(*last)
        {
            field = rest;
        }
        field
    }
}

/// One ASCII character, or none where the option is empty.
pub(super) fn character(
    options: &Options,
    option: &'static str,
    default: Option<u8>,
) -> Result<Option<u8>, ConnectorError> {
    match options.text(option).map(str::as_bytes) {
        None => Ok(default),
        Some([]) => Ok(None),
        Some([byte]) if byte.is_ascii() && !matches!(byte, b'\n' | b'\r') => Ok(Some(*byte)),
        Some(text) => {
            let message = format!("expected one ASCII character, found `{}`", String::from_utf8_lossy(text));
            Err(ConnectorError::Option { option, message })
        }
    }
}

/// The options that [`Dialect`] reads, with `delimiter` between fields where nothing is said.
pub fn options(delimiter: &str) -> Vec<OptionSpec> {
    use OptionKind::{Bool, Int, OneOf, Text, Texts};
    let text = |text: &str| OptionValue::Text(text.to_string());
    let option = OptionSpec::optional;
    vec![
        option("header", Bool, "Whether the first record has the names of the columns.").or(OptionValue::Bool(true)),
        option("delimiter", Text, "The text between fields, often one character.").or(text(delimiter)),
        option("quote", Text, "The character around fields that contain delimiters; empty if there is none.")
            .or(text("\"")),
        option("escape", Text, "A character that makes the next one mean itself; quotes may be doubled in any case."),
        option("comment", Text, "Lines that begin with this text are passed over."),
        option("skip", Int, "Lines that are passed over before the header.").or(OptionValue::Int(0)),
        option("skip_blank_lines", Bool, "Whether lines without anything are passed over, not records.")
            .or(OptionValue::Bool(true)),
        option("nulls", Texts, "Unquoted fields with this text, or one of these, count as empty.").or(text("")),
        option("trim", Bool, "Whether spaces and tabs around fields are passed over in text as well.")
            .or(OptionValue::Bool(false)),
        option("ragged", OneOf(&["error", "fill"]), "What a record with too few fields is: an error, or filled up.")
            .or(text("error")),
        option("decimal", Text, "The character before the fraction of a number.").or(text(".")),
        option("thousands", Text, "The character between groups of three digits, if there is one."),
        option("date_format", Text, "How dates are written, as in `%d.%m.%Y`; without it `2026-01-31`."),
        option("timestamp_format", Text, "How timestamps are written, as in `%d.%m.%Y %H:%M`; without it ISO 8601."),
        option("true_values", Texts, "Texts that are true besides `true`."),
        option("false_values", Texts, "Texts that are false besides `false`."),
        option("newline", OneOf(&["auto", "lf", "crlf", "cr"]), "What ends a line; `auto` goes by the file.")
            .or(text("auto")),
    ]
}
