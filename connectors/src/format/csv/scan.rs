//! Where the fields and records of delimited text end (RFC 4180, with any delimiter, quote and escape).

use super::dialect::Dialect;

/// A field of a record.
pub struct Field<'a> {
    /// Its bytes, without the quotes around them.
    pub raw: &'a [u8],
    /// True if it was quoted.
    pub quoted: bool,
    /// True if characters inside it are doubled or escaped.
    pub escaped: bool,
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
        let mut at = at;
        if dialect.trim {
            while data.get(at).is_some_and(|byte| dialect.is_space(*byte)) {
                at += 1;
            }
        }
        match dialect.quote {
            Some(quote) if data.get(at) == Some(&quote) => Field::scan_quoted(dialect, quote, data, at, last),
            _ => Field::scan_plain(dialect, data, at, last),
        }
    }

    #[inline]
    fn scan_plain(dialect: &Dialect, data: &'a [u8], at: usize, last: bool) -> Option<Field<'a>> {
        if !dialect.simple {
            return Field::scan_unusual(dialect, data, at, last);
        }
        let end = find_either(data, at, dialect.delimiter[0], b'\n');
        let ends_record = match data.get(end) {
            None if !last => return None,
            None | Some(b'\n') => true,
            Some(_) => false,
        };
        let raw = &data[at..end];
        let raw = if ends_record { raw.strip_suffix(b"\r").unwrap_or(raw) } else { raw };
        Some(Field { raw, quoted: false, escaped: false, ends_record, next: (end + 1).min(data.len()), fault: None })
    }

    /// An unquoted field with a delimiter of several bytes, escaped characters or spaces around it.
    fn scan_unusual(dialect: &Dialect, data: &'a [u8], at: usize, last: bool) -> Option<Field<'a>> {
        let delimiter = dialect.delimiter.as_slice();
        let mut escaped = false;
        let mut search = at;
        let (end, next, ends_record) = loop {
            // Without an escape the newline is looked for twice.
            let stop = dialect.escape.unwrap_or(b'\n');
            let Some(found) = memchr::memchr3(delimiter[0], b'\n', stop, &data[search..]).map(|found| search + found)
            else {
                if !last {
                    return None;
                }
                break (data.len(), data.len(), true);
            };
            if data[found] == b'\n' {
                break (found, found + 1, true);
            }
            if Some(data[found]) == dialect.escape {
                if found + 1 == data.len() && !last {
                    return None;
                }
                escaped = true;
                search = (found + 2).min(data.len());
                continue;
            }
            let rest = &data[found..];
            if rest.starts_with(delimiter) {
                break (found, found + delimiter.len(), false);
            }
            if !last && rest.len() < delimiter.len() && delimiter.starts_with(rest) {
                return None;
            }
            search = found + 1;
        };
        let raw = &data[at..end];
        let raw = if ends_record { raw.strip_suffix(b"\r").unwrap_or(raw) } else { raw };
        let raw = if dialect.trim { dialect.trimmed(raw) } else { raw };
        Some(Field { raw, quoted: false, escaped, ends_record, next, fault: None })
    }

    fn scan_quoted(dialect: &Dialect, quote: u8, data: &'a [u8], at: usize, last: bool) -> Option<Field<'a>> {
        let start = at + 1;
        let mut escaped = false;
        let mut search = start;
        let close = loop {
            let found = memchr::memchr2(quote, dialect.escape.unwrap_or(quote), &data[search.min(data.len())..]);
            let Some(found) = found.map(|found| search + found) else {
                let (raw, next, fault) = (&data[start..], data.len(), Some(UNCLOSED));
                return last.then_some(Field { raw, quoted: true, escaped, ends_record: true, next, fault });
            };
            match data.get(found + 1) {
                None if !last => return None,
                Some(_) if data[found] != quote => {
                    escaped = true;
                    search = found + 2;
                }
                Some(byte) if *byte == quote => {
                    escaped = true;
                    search = found + 2;
                }
                // An escape character at the very end stands for itself.
                None if data[found] != quote => search = found + 1,
                _ => break found,
            }
        };
        // What is between the closing quote and the delimiter should be nothing, or the first half of a CRLF.
        let rest = Field::scan_plain(dialect, data, close + 1, last)?;
        let fault = (!rest.raw.is_empty()).then_some("text after a closing quote");
        Some(Field { raw: &data[start..close], quoted: true, escaped, fault, ..rest })
    }

    /// The text of the field, for which `scratch` is room if characters are doubled or escaped.
    #[inline]
    pub fn text<'b>(&'b self, dialect: &Dialect, scratch: &'b mut Vec<u8>) -> &'b [u8] {
        if !self.escaped {
            return self.raw;
        }
        scratch.clear();
        let mut bytes = self.raw.iter();
        while let Some(byte) = bytes.next() {
            // Inside quotes a quote is never alone; everywhere an escape is followed by what it means, unless it ends the field.
            let is_double = self.quoted && Some(*byte) == dialect.quote;
            let byte = if is_double || Some(*byte) == dialect.escape { bytes.next().unwrap_or(byte) } else { byte };
            scratch.push(*byte);
        }
        scratch
    }

    /// Newlines inside the field.
    #[inline]
    pub fn newlines(&self) -> i64 {
        if self.quoted || self.escaped { memchr::memchr_iter(b'\n', self.raw).count() as i64 } else { 0 }
    }

    /// True for an unquoted field that stands for no value.
    #[inline]
    pub fn is_empty(&self, dialect: &Dialect) -> bool {
        !self.quoted && (self.raw.is_empty() || dialect.nulls.iter().any(|null| self.raw == null.as_slice()))
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
