//! Documents taken apart into records, by brackets and strings alone.

use std::ops::Range;

use crate::format::jsonl::Pointer;

/// What is expected next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// A document.
    Between,
    /// In an array: its first record or its end.
    First,
    /// In an array: a comma or its end.
    After,
    /// In an array: a record.
    Next,
    /// Nothing: the rest is passed over.
    Over,
}

/// A part of documents.
pub enum Piece {
    /// A record.
    Record(Range<usize>),
    /// What is wrong, and where: nothing behind it can be told apart.
    Fault(String, usize),
    /// The data ends, or has to go on.
    Open,
}

/// Documents on their way into pieces.
pub struct Pieces<'a> {
    /// The bytes.
    pub data: &'a [u8],
    /// Bytes that were taken.
    pub at: usize,
    /// True if nothing follows the data.
    pub last: bool,
    /// What is expected at `at`.
    pub stage: Stage,
    /// Where in a document the records are.
    pub records: &'a Pointer,
}

impl Pieces<'_> {
    /// The next piece.
    pub fn next(&mut self) -> Piece {
        loop {
            if self.stage == Stage::Over {
                self.at = self.data.len();
                return Piece::Open;
            }
            self.at = pass_space(self.data, self.at);
            let Some(byte) = self.data.get(self.at).copied() else {
                return match self.stage {
                    Stage::Between | Stage::Over => Piece::Open,
                    _ if self.last => Piece::Fault("it ends inside an array".to_string(), self.at),
                    _ => Piece::Open,
                };
            };
            match (self.stage, byte) {
                (Stage::Between, _) if !self.records.is_empty() => {
                    if let Some(piece) = self.find_records() {
                        return piece;
                    }
                }
                (Stage::Between, b'[') => {
                    self.at += 1;
                    self.stage = Stage::First;
                }
                (Stage::Between, b'{') => return self.record(Stage::Between),
                (Stage::Between, _) => {
                    let expected = "an object or an array of objects";
                    return Piece::Fault(format!("expected {expected}, found `{}`", self.shown()), self.at);
                }
                (Stage::First | Stage::After, b']') => {
                    self.at += 1;
                    self.stage = if self.records.is_empty() { Stage::Between } else { Stage::Over };
                }
                (Stage::After, b',') => {
                    self.at += 1;
                    self.stage = Stage::Next;
                }
                (Stage::After, _) => {
                    return Piece::Fault(format!("expected `,` or `]`, found `{}`", self.shown()), self.at);
                }
                (Stage::Next, b']' | b',') | (Stage::First, b',') => {
                    return Piece::Fault(format!("expected a record, found `{}`", self.shown()), self.at);
                }
                (Stage::First | Stage::Next, _) => return self.record(Stage::After),
                (Stage::Over, _) => return Piece::Open,
            }
        }
    }

    /// The character here.
    fn shown(&self) -> char {
        // Of a longer one the rest may not have arrived.
        self.data
            .get(self.at)
            .filter(|byte| byte.is_ascii())
            .map_or(char::REPLACEMENT_CHARACTER, |byte| char::from(*byte))
    }

    /// The record here, after which comes `after`.
    fn record(&mut self, after: Stage) -> Piece {
        let start = self.at;
        let Some(end) = value_end(self.data, start, self.last) else {
            return if self.last { Piece::Fault("it ends inside a record".to_string(), start) } else { Piece::Open };
        };
        self.at = end;
        self.stage = after;
        Piece::Record(start..end)
    }

    /// Goes to the records of the document here; a piece where they are not found.
    fn find_records(&mut self) -> Option<Piece> {
        let start = self.at;
        match locate(self.data, start, self.records.tokens()) {
            Found::At(at) => {
                self.at = at;
                match self.data[at] {
                    b'[' => {
                        self.at += 1;
                        self.stage = Stage::First;
                        None
                    }
                    b'{' => {
                        let piece = self.record(Stage::Over);
                        if let Piece::Open = piece {
                            // Looked for again when there is more.
                            self.at = start;
                        }
                        Some(piece)
                    }
                    _ => {
                        let message = format!("`{}` is neither an array nor an object", self.records);
                        Some(Piece::Fault(message, at))
                    }
                }
            }
            Found::Open if self.last => Some(Piece::Fault(format!("it ends before `{}`", self.records), start)),
            Found::Open => Some(Piece::Open),
            Found::Nowhere => Some(Piece::Fault(format!("there is no `{}`", self.records), start)),
        }
    }
}

/// Where a pointer leads.
enum Found {
    At(usize),
    /// The data ends before that is known.
    Open,
    Nowhere,
}

/// Follows the tokens of a pointer into the value at `at`.
fn locate(data: &[u8], at: usize, tokens: &[String]) -> Found {
    let at = pass_space(data, at);
    let Some((token, rest)) = tokens.split_first() else {
        return if at < data.len() { Found::At(at) } else { Found::Open };
    };
    let is_object = match data.get(at) {
        Some(b'{') => true,
        Some(b'[') => false,
        Some(_) => return Found::Nowhere,
        None => return Found::Open,
    };
    let mut next = at + 1;
    for index in 0_usize.. {
        next = pass_space(data, next);
        match data.get(next) {
            None => return Found::Open,
            Some(b'}' | b']') => return Found::Nowhere,
            Some(_) => {}
        }
        let matches = if is_object {
            let Some(end) = value_end(data, next, false) else { return Found::Open };
            // What is no name in quotes matches nothing.
            let name = serde_json::from_slice::<String>(&data[next..end]).ok();
            next = pass_space(data, end);
            match data.get(next) {
                None => return Found::Open,
                Some(b':') => next += 1,
                Some(_) => return Found::Nowhere,
            }
            name.as_ref() == Some(token)
        } else {
            token.parse() == Ok(index)
        };
        if matches {
            return locate(data, next, rest);
        }
        let Some(end) = value_end(data, pass_space(data, next), false) else { return Found::Open };
        next = pass_space(data, end);
        match data.get(next) {
            None => return Found::Open,
            Some(b',') => next += 1,
            Some(_) => return Found::Nowhere,
        }
    }
    Found::Nowhere
}

fn pass_space(data: &[u8], at: usize) -> usize {
    let space =
        data[at.min(data.len())..].iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).count();
    at + space
}

/// The end of the value at `at`, by brackets and strings alone; `None` where the data ends before it does. A value without
/// brackets or quotes ends with the data if that is the last.
fn value_end(data: &[u8], at: usize, last: bool) -> Option<usize> {
    let mut depth = 0_usize;
    let mut next = at;
    loop {
        match data.get(next) {
            None if depth == 0 && last && next > at => return Some(next),
            None => return None,
            Some(b'"') => {
                next = string_end(data, next)?;
                if depth == 0 {
                    return Some(next);
                }
                continue;
            }
            Some(b'{' | b'[') => depth += 1,
            Some(b'}' | b']') if depth <= 1 => return Some(if depth == 1 { next + 1 } else { next }),
            Some(b'}' | b']') => depth -= 1,
            Some(b',' | b':' | b' ' | b'\t' | b'\r' | b'\n') if depth == 0 => return Some(next.max(at + 1)),
            Some(_) => {}
        }
        next += 1;
    }
}

/// The end of the string whose opening quote is at `at`.
fn string_end(data: &[u8], at: usize) -> Option<usize> {
    let mut next = at + 1;
    loop {
        let found = next + memchr::memchr2(b'"', b'\\', data.get(next..)?)?;
        if data[found] == b'"' {
            return Some(found + 1);
        }
        next = found + 2;
    }
}
