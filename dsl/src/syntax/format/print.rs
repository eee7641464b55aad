//! Prints a document at a width.

use super::doc::Doc;

/// The columns of a line.
pub(super) const WIDTH: usize = 100;

/// The document as text, without a line end at its end.
pub(super) fn print(doc: &Doc<'_>) -> String {
    print_at(doc, WIDTH)
}

/// The document on one line.
pub(super) fn print_flat(doc: &Doc<'_>) -> String {
    print_at(doc, usize::MAX)
}

fn print_at(doc: &Doc<'_>, width: usize) -> String {
    let todo = vec![Item { indent: 0, flat: false, doc }];
    let mut printer =
        Printer { width, out: String::new(), column: 0, indent: Some(0), trailing: Vec::new(), ends: false, todo };
    while let Some(item) = printer.todo.pop() {
        printer.step(item);
    }
    printer.flush_trailing();
    printer.out
}

#[derive(Clone, Copy)]
struct Item<'d, 'a> {
    indent: usize,
    flat: bool,
    doc: &'d Doc<'a>,
}

struct Printer<'d, 'a> {
    width: usize,
    out: String,
    column: usize,
    /// The indentation of a line on which nothing stands yet.
    indent: Option<usize>,
    /// Comments that wait for the end of the line.
    trailing: Vec<&'a str>,
    /// True if nothing may follow on this line.
    ends: bool,
    todo: Vec<Item<'d, 'a>>,
}

/// Between aligned parts that stand on one line.
static SPACE: Doc<'static> = Doc::Line(" ");

/// Between aligned parts that stand under each other.
static LINE: Doc<'static> = Doc::Line("");

impl<'d, 'a> Printer<'d, 'a> {
    fn step(&mut self, item: Item<'d, 'a>) {
        let Item { indent, flat, doc } = item;
        match doc {
            Doc::Text(text) => self.text(text, indent),
            Doc::Line(text) if flat => self.text(text, indent),
            Doc::Line(_) => self.line(indent),
            Doc::Comment { text, blank_before } => self.comment(text, *blank_before, indent),
            Doc::Trailing(text) => self.trailing.push(text),
            Doc::Concat(parts) => self.todo.extend(parts.iter().rev().map(|doc| Item { doc, ..item })),
            Doc::Indent(by, doc) => self.todo.push(Item { indent: indent + by, flat, doc }),
            Doc::Group { doc, comments } => {
                let flat = flat || !comments.broken && self.fits(std::slice::from_ref(&**doc), indent);
                self.todo.push(Item { indent, flat, doc });
            }
            Doc::Aligned(parts) => self.aligned(item, parts),
        }
    }

    fn aligned(&mut self, item: Item<'d, 'a>, parts: &'d [Doc<'a>]) {
        let broken = parts.iter().any(|part| part.comments().broken);
        // A comment after a part ends its line; after the last one it is in nobody's way.
        let ended = parts.iter().rev().skip(1).any(|part| part.comments().trailing);
        let spaces = |item: Item<'d, 'a>| Item { doc: &SPACE, flat: true, ..item };
        let (item, between) = if item.flat || !broken && !ended && self.fits(parts, item.indent) {
            let item = Item { flat: true, ..item };
            (item, spaces(item))
        } else if !broken && parts.iter().all(|part| self.fits_alone(part, item.indent)) {
            let item = Item { indent: self.indent.unwrap_or(self.column), ..item };
            (item, Item { doc: &LINE, ..item })
        } else {
            (item, spaces(item))
        };
        for (index, part) in parts.iter().enumerate().rev() {
            self.todo.push(Item { doc: part, ..item });
            if index > 0 {
                self.todo.push(between);
            }
        }
    }

    fn text(&mut self, text: &str, indent: usize) {
        if text.is_empty() {
            return;
        }
        if self.ends {
            self.line(indent);
        }
        if let Some(indent) = self.indent.take() {
            self.out.extend(std::iter::repeat_n(' ', indent));
            self.column = indent;
        }
        self.out.push_str(text);
        self.column = match text.rfind('\n') {
            Some(at) => text[at + 1..].chars().count(),
            None => self.column + text.chars().count(),
        };
    }

    fn line(&mut self, indent: usize) {
        self.flush_trailing();
        self.ends = false;
        self.out.truncate(self.out.trim_end_matches(' ').len());
        self.out.push('\n');
        self.column = 0;
        self.indent = Some(indent);
    }

    fn comment(&mut self, text: &str, blank_before: bool, indent: usize) {
        if self.ends || self.indent.is_none() {
            self.line(indent);
        }
        if blank_before && !self.out.trim_end().ends_with(['(', '[', '{']) && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
        self.text(text, indent);
        self.ends = true;
    }

    fn flush_trailing(&mut self) {
        for (index, comment) in self.trailing.drain(..).enumerate() {
            self.out.push_str(if index == 0 { "  " } else { " " });
            self.out.push_str(comment);
        }
    }

    /// True if `part` on one line ends within the width, whatever follows it.
    fn fits_alone(&self, part: &Doc<'a>, indent: usize) -> bool {
        self.room(std::slice::from_ref(part), indent, false).is_some()
    }

    /// True if `parts` on one line, and what follows them up to the next place to break, end within the width.
    fn fits(&self, parts: &[Doc<'a>], indent: usize) -> bool {
        self.room(parts, indent, true).is_some()
    }

    /// The columns that are left.
    fn room(&self, parts: &[Doc<'a>], indent: usize, with_rest: bool) -> Option<usize> {
        let column = if self.ends { indent } else { self.indent.unwrap_or(self.column) };
        let mut room = self.width.checked_sub(column)?;
        let mut rest = self.todo.iter().rev().filter(|_| with_rest);
        // Parts that stand beside each other, and whether their places to break are spaces.
        let mut inner = vec![(parts.iter(), true, parts.len() > 1)];
        loop {
            let (doc, flat) = match inner.last_mut() {
                Some((parts, flat, spaced)) => match parts.next() {
                    Some(doc) => {
                        if *spaced && parts.len() > 0 {
                            room = room.checked_sub(1)?;
                        }
                        (doc, *flat)
                    }
                    None => {
                        inner.pop();
                        continue;
                    }
                },
                None => match rest.next() {
                    Some(item) => (item.doc, item.flat),
                    None => return Some(room),
                },
            };
            match doc {
                Doc::Text(text) => match text.find('\n') {
                    Some(at) => return room.checked_sub(text[..at].chars().count()),
                    None => room = room.checked_sub(text.chars().count())?,
                },
                Doc::Line(text) if flat => room = room.checked_sub(text.len())?,
                Doc::Line(_) | Doc::Comment { .. } => return Some(room),
                Doc::Trailing(_) => {}
                Doc::Concat(parts) => inner.push((parts.iter(), flat, false)),
                Doc::Indent(_, doc) => inner.push((std::slice::from_ref(&**doc).iter(), flat, false)),
                Doc::Group { doc, comments } => {
                    inner.push((std::slice::from_ref(&**doc).iter(), flat && !comments.broken, false));
                }
                Doc::Aligned(parts) => inner.push((parts.iter(), flat, true)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list<'a>(items: &[&'a str]) -> Doc<'a> {
        let mut parts = Vec::new();
        for item in items {
            if !parts.is_empty() {
                parts.extend([Doc::text(","), Doc::Line(" ")]);
            }
            parts.push(Doc::text(item));
        }
        let inner = Doc::indent(Doc::Concat(vec![Doc::Line(""), Doc::Concat(parts)]));
        Doc::group(Doc::Concat(vec![Doc::text("["), inner, Doc::Line(""), Doc::text("]")]))
    }

    #[test]
    fn a_group_breaks_where_it_does_not_fit() {
        assert_eq!(print_at(&list(&["a", "b"]), 6), "[a, b]");
        assert_eq!(print_at(&list(&["a", "b"]), 5), "[\n  a,\n  b\n]");
    }

    #[test]
    fn what_follows_counts_too() {
        let doc = Doc::Concat(vec![list(&["a", "b"]), Doc::text(";")]);
        assert_eq!(print_at(&doc, 6), "[\n  a,\n  b\n];");
    }

    #[test]
    fn comments_break_and_stand_at_the_end_of_their_line() {
        let parts = vec![Doc::text("a"), Doc::Trailing("# one"), Doc::text(","), Doc::Line(" "), Doc::text("b")];
        assert_eq!(print_at(&Doc::group(Doc::Concat(parts)), 80), "a,  # one\nb");
        let own = Doc::Comment { text: "# own", blank_before: true };
        assert_eq!(print_at(&Doc::group(Doc::Concat(vec![Doc::text("a"), own, Doc::text("b")])), 80), "a\n\n# own\nb");
    }

    #[test]
    fn aligned_parts_stand_under_the_first() {
        let doc = Doc::Concat(vec![Doc::text("x = "), Doc::Aligned(vec![list(&["aa", "bb"]), list(&["cc"])])]);
        assert_eq!(print_at(&doc, 17), "x = [aa, bb] [cc]");
        assert_eq!(print_at(&doc, 16), "x = [aa, bb]\n    [cc]");
        assert_eq!(print_at(&doc, 11), "x = [\n  aa,\n  bb\n] [cc]");
    }
}
