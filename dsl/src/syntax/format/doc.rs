//! A document: text with the places where a line may break, and how the printer chooses among them.
//!
//! A group stands on one line where it fits, and breaks at all its places where it does not. A comment ends its line, so a
//! group that holds one always breaks.

use std::borrow::Cow;

/// A part of a document.
#[derive(Clone, Debug)]
pub(super) enum Doc<'a> {
    /// Text as it is. A text literal may hold line ends.
    Text(Cow<'a, str>),
    /// A place where a broken group goes on in the next line; in a group on one line, this text.
    Line(&'static str),
    /// A comment on a line of its own.
    Comment {
        /// From the `#`.
        text: &'a str,
        /// True if a blank line precedes it.
        blank_before: bool,
    },
    /// A comment at the end of the line on which this stands.
    Trailing(&'a str),
    /// One after the other.
    Concat(Vec<Doc<'a>>),
    /// Lines that begin inside are indented so many columns further.
    Indent(usize, Box<Doc<'a>>),
    /// On one line or broken.
    Group {
        /// What is in it.
        doc: Box<Doc<'a>>,
        /// What the comments in it ask for.
        comments: Comments,
    },
    /// On one line, or each on its own line under the first, or, where one of them is too long for that, one after the
    /// other and each broken as it has to be.
    Aligned(Vec<Doc<'a>>),
}

/// What the comments of a document ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Comments {
    /// It cannot stand on one line.
    pub broken: bool,
    /// A comment waits for the end of the line that the document ends on, or of an earlier one.
    pub trailing: bool,
}

impl<'a> Doc<'a> {
    /// Nothing.
    pub fn nothing() -> Self {
        Doc::Concat(Vec::new())
    }

    /// Text as it is.
    pub fn text(text: &'a str) -> Self {
        Doc::Text(Cow::Borrowed(text))
    }

    /// A group; broken from the start if comments in it ask for that.
    pub fn group(doc: Doc<'a>) -> Self {
        let comments = doc.comments();
        Doc::Group { doc: Box::new(doc), comments }
    }

    /// A group that never stands on one line.
    pub fn broken(doc: Doc<'a>) -> Self {
        let comments = Comments { broken: true, ..doc.comments() };
        Doc::Group { doc: Box::new(doc), comments }
    }

    /// `doc`, its further lines indented by two columns.
    pub fn indent(doc: Doc<'a>) -> Self {
        Doc::Indent(2, Box::new(doc))
    }

    /// What the comments in it ask for.
    pub fn comments(&self) -> Comments {
        let mut comments = Comments::default();
        self.survey(&mut comments);
        comments
    }

    fn survey(&self, seen: &mut Comments) {
        match self {
            Doc::Text(_) => {}
            // What follows a comment at the end of a line stands in the next one, so that the comment stays in its place.
            Doc::Line(_) => seen.broken |= seen.trailing,
            Doc::Comment { .. } => seen.broken = true,
            Doc::Trailing(_) => seen.trailing = true,
            Doc::Concat(parts) => parts.iter().for_each(|part| part.survey(seen)),
            Doc::Indent(_, doc) => doc.survey(seen),
            Doc::Group { comments, .. } => {
                seen.broken |= comments.broken;
                seen.trailing |= comments.trailing;
            }
            Doc::Aligned(parts) => {
                for part in parts {
                    seen.broken |= seen.trailing;
                    part.survey(seen);
                }
            }
        }
    }
}
