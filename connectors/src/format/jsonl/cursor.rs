//! A cursor over JSON text: finds where values end and checks their grammar, eight bytes at a time where it matters.
//!
//! *Invariant:* a newline is never passed. It ends a record, whatever the record looks like, so a faulty record cannot
//! swallow the next one. Past the end of the bytes the cursor sees newlines.

use super::Fault;

/// Nesting that is followed at most.
const DEPTH: u32 = 128;

/// A position in JSON text.
pub struct Cursor<'a> {
    /// The text.
    pub bytes: &'a [u8],
    /// The next byte to look at.
    pub position: usize,
}

/// A string of the text, without its quotes.
pub struct Span<'a> {
    /// The bytes as they stand there.
    pub raw: &'a [u8],
    /// True if some of them are escapes.
    pub escaped: bool,
}

impl<'a> Cursor<'a> {
    /// A cursor at `position`.
    #[inline]
    pub fn new(bytes: &'a [u8], position: usize) -> Cursor<'a> {
        Cursor { bytes, position }
    }

    /// The byte here.
    #[inline]
    pub fn peek(&self) -> u8 {
        self.bytes.get(self.position).copied().unwrap_or(b'\n')
    }

    /// Passes spaces, and gives the byte after them.
    #[inline]
    pub fn peek_token(&mut self) -> u8 {
        loop {
            let byte = self.peek();
            if !matches!(byte, b' ' | b'\t' | b'\r') {
                return byte;
            }
            self.position += 1;
        }
    }

    /// Passes spaces and `byte`.
    #[inline]
    pub fn expect(&mut self, byte: u8) -> Result<(), Fault> {
        if self.peek_token() == byte {
            self.position += 1;
            return Ok(());
        }
        Err(self.unexpected(match byte {
            b':' => "expected `:`",
            b'"' => "expected a name in quotes",
            b'{' => "expected an object",
            _ => "unexpected character",
        }))
    }

    /// A fault here: the text ends too early, or has something else than it should.
    #[cold]
    pub fn unexpected(&self, message: &'static str) -> Fault {
        let message = if self.peek() == b'\n' { "it ends too early" } else { message };
        Fault::Syntax { message, position: self.position }
    }

    /// Passes a string; the cursor is at its opening quote.
    #[inline]
    pub fn string(&mut self) -> Result<Span<'a>, Fault> {
        let start = self.position + 1;
        let mut at = start;
        let mut escaped = false;
        loop {
            at = plain_end(self.bytes, at);
            match self.bytes.get(at) {
                Some(b'"') => {
                    self.position = at + 1;
                    return Ok(Span { raw: &self.bytes[start..at], escaped });
                }
                Some(b'\\') => {
                    self.position = at;
                    at = self.escape(at)?;
                    escaped = true;
                }
                _ => {
                    self.position = at;
                    return Err(self.unexpected("control character in a string"));
                }
            }
        }
    }

    /// The end of the escape at `at`, whose letters are checked.
    fn escape(&self, at: usize) -> Result<usize, Fault> {
        match self.bytes.get(at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
            Some(b'u') if self.bytes.get(at + 2..at + 6).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)) => {
                Ok(at + 6)
            }
            _ => Err(Fault::Syntax { message: "invalid escape in a string", position: at }),
        }
    }

    /// Passes a number.
    #[inline]
    pub fn number(&mut self) -> Result<&'a [u8], Fault> {
        let start = self.position;
        if self.peek() == b'-' {
            self.position += 1;
        }
        match self.peek() {
            b'0' => self.position += 1,
            b'1'..=b'9' => self.pass_digits(),
            _ => return Err(self.unexpected("expected a value")),
        }
        if self.peek() == b'.' {
            self.position += 1;
            self.need_digits()?;
        }
        if matches!(self.peek(), b'e' | b'E') {
            self.position += 1;
            if matches!(self.peek(), b'+' | b'-') {
                self.position += 1;
            }
            self.need_digits()?;
        }
        Ok(&self.bytes[start..self.position])
    }

    #[inline]
    fn pass_digits(&mut self) {
        while self.peek().is_ascii_digit() {
            self.position += 1;
        }
    }

    fn need_digits(&mut self) -> Result<(), Fault> {
        if !self.peek().is_ascii_digit() {
            return Err(self.unexpected("expected a digit"));
        }
        self.pass_digits();
        Ok(())
    }

    /// Passes `word` (`true`, `false`, `null`).
    pub fn word(&mut self, word: &'static [u8]) -> Result<(), Fault> {
        if self.bytes[self.position..].starts_with(word) {
            self.position += word.len();
            return Ok(());
        }
        Err(self.unexpected("expected a value"))
    }

    /// Passes any value, checking its grammar, and gives its text.
    pub fn skip_value(&mut self) -> Result<&'a [u8], Fault> {
        self.peek_token();
        let start = self.position;
        self.skip(0)?;
        Ok(&self.bytes[start..self.position])
    }

    fn skip(&mut self, depth: u32) -> Result<(), Fault> {
        match self.peek_token() {
            b'"' => self.skip_string(),
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'n' => self.word(b"null"),
            b'{' | b'[' if depth == DEPTH => Err(self.unexpected("nested too deeply")),
            b'{' => self.sequence(b'}', |cursor| {
                if cursor.peek_token() != b'"' {
                    return Err(cursor.unexpected("expected a name in quotes"));
                }
                cursor.skip_string()?;
                cursor.expect(b':')?;
                cursor.skip(depth + 1)
            }),
            b'[' => self.sequence(b']', |cursor| cursor.skip(depth + 1)),
            _ => self.number().map(|_| ()),
        }
    }

    /// Passes a string that is only checked.
    fn skip_string(&mut self) -> Result<(), Fault> {
        let span = self.string()?;
        if span.escaped && !unescape(span.raw, &mut Vec::new()) {
            return Err(self.half_character());
        }
        Ok(())
    }

    /// The fault of a string that is no Unicode text, which has just been passed.
    #[cold]
    pub fn half_character(&self) -> Fault {
        Fault::Syntax { message: "half of a surrogate pair in a string", position: self.position }
    }

    /// Passes the parts of an array or object, separated by commas; the cursor is at its opening bracket.
    #[inline]
    pub fn sequence(&mut self, close: u8, mut part: impl FnMut(&mut Self) -> Result<(), Fault>) -> Result<(), Fault> {
        self.position += 1;
        if self.peek_token() == close {
            self.position += 1;
            return Ok(());
        }
        loop {
            part(self)?;
            let byte = self.peek_token();
            if byte != b',' && byte != close {
                return Err(self.unexpected("expected `,` or a closing bracket"));
            }
            self.position += 1;
            if byte == close {
                return Ok(());
            }
        }
    }

    /// Fails unless the text ends here; spaces may follow.
    #[inline]
    pub fn end(&mut self) -> Result<(), Fault> {
        if self.peek_token() == b'\n' {
            return Ok(());
        }
        Err(self.unexpected("unexpected text after the value"))
    }
}

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Position of the next quote, backslash or control character from `at` on, eight bytes at a time: a byte of `x - 1`
/// borrows exactly where it was zero, and borrows spread only upwards, so the lowest mark is right.
#[inline]
fn plain_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(word) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*word);
        let quote = word ^ (LOW * u64::from(b'"'));
        let backslash = word ^ (LOW * u64::from(b'\\'));
        let marks = (quote.wrapping_sub(LOW) & !quote)
            | (backslash.wrapping_sub(LOW) & !backslash)
            | (word.wrapping_sub(LOW * 0x20) & !word);
        let marks = marks & HIGH;
        if marks != 0 {
            return at + marks.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while let Some(byte) = bytes.get(at) {
        if matches!(byte, b'"' | b'\\' | 0..0x20) {
            return at;
        }
        at += 1;
    }
    at
}

/// Appends the text of a string with escapes, which [`Cursor::string`] has checked; false where it is no Unicode text
/// (half of a surrogate pair).
pub fn unescape(raw: &[u8], out: &mut Vec<u8>) -> bool {
    let mut at = 0;
    while at < raw.len() {
        let plain = memchr::memchr(b'\\', &raw[at..]).map_or(raw.len(), |found| at + found);
        out.extend_from_slice(&raw[at..plain]);
        let Some(letter) = raw.get(plain + 1) else {
            return true;
        };
        at = plain + 2;
        match letter {
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'u' => {
                let mut code = hex(&raw[at..]);
                at += 4;
                if (0xD800..0xDC00).contains(&code) && raw[at..].starts_with(b"\\u") {
                    let low = hex(&raw[at + 2..]);
                    if (0xDC00..0xE000).contains(&low) {
                        code = 0x1_0000 + ((code - 0xD800) << 10) + (low - 0xDC00);
                        at += 6;
                    }
                }
                let Some(character) = char::from_u32(code) else {
                    return false;
                };
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            other => out.push(*other),
        }
    }
    true
}

/// The number of four hexadecimal digits, which have been checked.
fn hex(text: &[u8]) -> u32 {
    text.iter().take(4).fold(0, |code, byte| code * 16 + char::from(*byte).to_digit(16).unwrap_or(0))
}
