//! Where the fields and records of CSV end (RFC 4180, with any delimiter and quote).

use tidebook_plan::connector::{ConnectorError, Options};

/// The options of the format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// Between fields.
    pub delimiter: u8,
    /// Around fields that contain delimiters, newlines or, doubled, itself; `None` where nothing is quoted.
    pub quote: Option<u8>,
    /// True if the first record has the names of the columns.
    pub header: bool,
    /// An unquoted field with this text counts as empty.
    pub null: Vec<u8>,
}

impl Dialect {
    /// Reads the options `delimiter`, `quote`, `header` and `null`.
    ///
    /// # Errors
    /// Where one of the first two is no single ASCII character, or both are the same.
    pub fn new(options: &Options) -> Result<Dialect, ConnectorError> {
        let delimiter = character(options, "delimiter", b',')?.ok_or_else(|| ConnectorError::Option {
            option: "delimiter",
            message: "expected one character, found none".to_string(),
        })?;
        let quote = character(options, "quote", b'"')?;
        if quote == Some(delimiter) {
            let message = "is the delimiter as well".to_string();
            return Err(ConnectorError::Option { option: "quote", message });
        }
        let header = options.get("header").is_none() || options.flag("header");
        let null = options.text("null").unwrap_or_default().as_bytes().to_vec();
        Ok(Dialect { delimiter, quote, header, null })
    }
}

fn character(options: &Options, option: &'static str, default: u8) -> Result<Option<u8>, ConnectorError> {
    match options.text(option).map(str::as_bytes) {
        None => Ok(Some(default)),
        Some([]) => Ok(None),
        Some([byte]) if byte.is_ascii() && !matches!(byte, b'\n' | b'\r') => Ok(Some(*byte)),
        Some(text) => {
            let message = format!("expected one ASCII character, found `{}`", String::from_utf8_lossy(text));
            Err(ConnectorError::Option { option, message })
        }
    }
}

/// A field of a record.
pub struct Field<'a> {
    /// Its bytes, without the quotes around them.
    pub raw: &'a [u8],
    /// True if it was quoted.
    pub quoted: bool,
    /// True if quotes inside it are doubled.
    pub doubled: bool,
    /// True if it is the last of its record.
    pub ends_record: bool,
    /// Where the next field, or the next record, begins.
    pub next: usize,
    /// Why it is no field.
    pub fault: Option<&'static str>,
}

/// A quoted field without an end: the record's first line is all that can be said to belong to it.
pub const UNCLOSED: &str = "a quoted field is not closed";

impl<'a> Field<'a> {
    /// The field that begins at `at`; `None` where `data` ends before it does and more may follow (`last` is false).
    #[inline]
    pub fn scan(dialect: &Dialect, data: &'a [u8], at: usize, last: bool) -> Option<Field<'a>> {
        match dialect.quote {
            Some(quote) if data.get(at) == Some(&quote) => Field::scan_quoted(dialect, quote, data, at, last),
            _ => Field::scan_plain(dialect, data, at, last),
        }
    }

    #[inline]
    fn scan_plain(dialect: &Dialect, data: &'a [u8], at: usize, last: bool) -> Option<Field<'a>> {
        let end = find_either(data, at, dialect.delimiter, b'\n');
        let ends_record = match data.get(end) {
            None if !last => return None,
            None | Some(b'\n') => true,
            Some(_) => false,
        };
        let raw = &data[at..end];
        let raw = if ends_record { raw.strip_suffix(b"\r").unwrap_or(raw) } else { raw };
        Some(Field { raw, quoted: false, doubled: false, ends_record, next: (end + 1).min(data.len()), fault: None })
    }

    fn scan_quoted(dialect: &Dialect, quote: u8, data: &'a [u8], at: usize, last: bool) -> Option<Field<'a>> {
        let start = at + 1;
        let mut doubled = false;
        let mut search = start;
        let close = loop {
            let Some(found) = memchr::memchr(quote, &data[search..]).map(|found| search + found) else {
                let raw = &data[start..];
                let fault = Some(UNCLOSED);
                return last.then_some(Field {
                    raw,
                    quoted: true,
                    doubled,
                    ends_record: true,
                    next: data.len(),
                    fault,
                });
            };
            match data.get(found + 1) {
                Some(byte) if *byte == quote => {
                    doubled = true;
                    search = found + 2;
                }
                None if !last => return None,
                _ => break found,
            }
        };
        // What is between the closing quote and the delimiter should be nothing, or the first half of a CRLF.
        let rest = Field::scan_plain(dialect, data, close + 1, last)?;
        let fault = (!rest.raw.is_empty()).then_some("text after a closing quote");
        Some(Field { raw: &data[start..close], quoted: true, doubled, fault, ..rest })
    }

    /// The text of the field, for which `scratch` is room if quotes have to be undoubled.
    #[inline]
    pub fn text<'b>(&'b self, dialect: &Dialect, scratch: &'b mut Vec<u8>) -> &'b [u8] {
        let (true, Some(quote)) = (self.doubled, dialect.quote) else {
            return self.raw;
        };
        scratch.clear();
        let mut rest = self.raw;
        while let Some(found) = memchr::memchr(quote, rest) {
            scratch.extend_from_slice(&rest[..=found]);
            rest = &rest[(found + 2).min(rest.len())..];
        }
        scratch.extend_from_slice(rest);
        scratch
    }

    /// True for an unquoted field that stands for no value.
    #[inline]
    pub fn is_empty(&self, dialect: &Dialect) -> bool {
        !self.quoted && (self.raw.is_empty() || self.raw == dialect.null)
    }
}

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Position of the next `a` or `b` from `at` on, eight bytes at a time.
#[inline]
fn find_either(bytes: &[u8], mut at: usize, a: u8, b: u8) -> usize {
    while let Some(word) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*word);
        let (first, second) = (word ^ (LOW * u64::from(a)), word ^ (LOW * u64::from(b)));
        let marks = ((first.wrapping_sub(LOW) & !first) | (second.wrapping_sub(LOW) & !second)) & HIGH;
        if marks != 0 {
            return at + marks.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while bytes.get(at).is_some_and(|byte| *byte != a && *byte != b) {
        at += 1;
    }
    at.min(bytes.len())
}
