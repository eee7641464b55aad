//! Columns that are found by JSON pointers (RFC 6901): `from "/user/name"`.

use std::fmt;

use super::Fault;
use super::cursor::{Cursor, unescape};
use super::decode::Filling;

/// A pointer: the names and indexes on the way to a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pointer {
    tokens: Vec<String>,
}

impl Pointer {
    /// Reads a pointer; an empty one points at everything. `None` where the text is none.
    pub fn new(text: &str) -> Option<Pointer> {
        if text.is_empty() {
            return Some(Pointer::default());
        }
        let tokens = text.strip_prefix('/')?.split('/').map(|token| token.replace("~1", "/").replace("~0", "~"));
        Some(Pointer { tokens: tokens.collect() })
    }

    /// True if it points at everything.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Names and indexes, outermost first.
    pub fn tokens(&self) -> &[String] {
        &self.tokens
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tokens.iter().try_for_each(|token| write!(f, "/{}", token.replace('~', "~0").replace('/', "~1")))
    }
}

/// The pointers of a schema as a tree: what is wanted of a value and of what is inside it.
#[derive(Debug, Default)]
pub struct Wanted {
    /// Positions of the columns that the value itself fills.
    columns: Vec<usize>,
    inside: Vec<(String, Wanted)>,
}

impl Wanted {
    /// The tree of the fields whose names are pointers; `None` where there is none.
    pub fn of<'a>(names: impl Iterator<Item = &'a str>) -> Option<Wanted> {
        let mut tree = Wanted::default();
        for (column, name) in names.enumerate() {
            let Some(pointer) = Pointer::new(name).filter(|pointer| !pointer.is_empty()) else { continue };
            let mut node = &mut tree;
            for token in pointer.tokens {
                let known = node.inside.iter().position(|(name, _)| *name == token);
                let index = known.unwrap_or_else(|| {
                    node.inside.push((token, Wanted::default()));
                    node.inside.len() - 1
                });
                node = &mut node.inside[index].1;
            }
            node.columns.push(column);
        }
        (!tree.inside.is_empty()).then_some(tree)
    }

    /// What is wanted of the value called `name`.
    pub fn get(&self, name: &[u8]) -> Option<&Wanted> {
        self.inside.iter().find(|(known, _)| known.as_bytes() == name).map(|(_, wanted)| wanted)
    }

    /// Takes what is wanted of the value at the cursor, and passes it.
    pub fn take(&self, cursor: &mut Cursor<'_>, filling: &mut Filling<'_>) -> Result<(), Fault> {
        cursor.peek_token();
        let start = cursor.position;
        // Of a name that stands twice the last value counts, with all that is inside it.
        self.clear(filling);
        for column in &self.columns {
            cursor.position = start;
            filling.put(cursor, *column)?;
        }
        if self.inside.is_empty() {
            return Ok(());
        }
        cursor.position = start;
        match cursor.peek_token() {
            b'{' => cursor.sequence(b'}', |cursor| {
                if cursor.peek_token() != b'"' {
                    return Err(cursor.unexpected("expected a name in quotes"));
                }
                let key = cursor.string()?;
                let mut text = Vec::new();
                let name = if key.escaped {
                    if !unescape(key.raw, &mut text) {
                        return Err(cursor.half_character());
                    }
                    text.as_slice()
                } else {
                    key.raw
                };
                cursor.expect(b':')?;
                match self.get(name) {
                    Some(wanted) => wanted.take(cursor, filling),
                    None => cursor.skip_value().map(|_| ()),
                }
            }),
            b'[' => {
                let mut index = 0_usize;
                cursor.sequence(b']', |cursor| {
                    let wanted = self.get(index.to_string().as_bytes());
                    index += 1;
                    match wanted {
                        Some(wanted) => wanted.take(cursor, filling),
                        None => cursor.skip_value().map(|_| ()),
                    }
                })
            }
            _ => cursor.skip_value().map(|_| ()),
        }
    }

    fn clear(&self, filling: &mut Filling<'_>) {
        self.columns.iter().for_each(|column| filling.clear(*column));
        self.inside.iter().for_each(|(_, wanted)| wanted.clear(filling));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_come_back() {
        for text in ["", "/a", "/a/b~1c/0", "/~0", "/"] {
            assert_eq!(Pointer::new(text).unwrap().to_string(), text);
        }
        assert_eq!(Pointer::new("a"), None);
        assert_eq!(Pointer::new("/a~1b").unwrap().tokens(), ["a/b"]);
    }
}
