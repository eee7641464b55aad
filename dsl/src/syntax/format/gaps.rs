//! What stands between two tokens: blanks, line ends and comments.

/// A comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Comment<'a> {
    /// From the `#`, without blanks at its end.
    pub text: &'a str,
    /// True if nothing precedes it on its line.
    pub own_line: bool,
    /// True if it does not begin in the first column.
    pub indented: bool,
    /// True if a blank line precedes it.
    pub blank_before: bool,
}

/// The comments of a gap, and whether a blank line follows the last of them.
pub(super) fn comments(gap: &str) -> (Vec<Comment<'_>>, bool) {
    let mut found = Vec::new();
    let mut blank_lines = 0;
    let mut lines = gap.split('\n').enumerate().peekable();
    while let Some((number, line)) = lines.next() {
        let last = lines.peek().is_none();
        match line.find('#') {
            Some(at) => {
                let (own_line, blank_before) = (number > 0, blank_lines > 0);
                found.push(Comment { text: line[at..].trim_end(), own_line, indented: at > 0, blank_before });
                blank_lines = 0;
            }
            // The first and the last line belong to the tokens around the gap.
            None if number > 0 && !last && line.trim().is_empty() => blank_lines += 1,
            None => {}
        }
    }
    (found, blank_lines > 0)
}

/// The comment that follows on the line on which a token ends.
pub(super) fn trailing(rest: &str) -> Option<&str> {
    let line = rest.split('\n').next().unwrap_or("").trim_end();
    let comment = line.trim_start_matches([' ', '\t', '\r', '\u{FEFF}', '\u{00A0}']);
    comment.starts_with('#').then_some(comment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_know_their_line_and_the_blank_lines_around() {
        let (found, blank) = comments(" # one\n\n  # two \r\n# three\n\n");
        let seen: Vec<_> = found.iter().map(|c| (c.text, c.own_line, c.indented, c.blank_before)).collect();
        assert_eq!(seen, [("# one", false, true, false), ("# two", true, true, true), ("# three", true, false, false)]);
        assert!(blank);
        assert_eq!(comments("\n"), (Vec::new(), false));
        assert_eq!(comments("\n\n"), (Vec::new(), true));
    }

    #[test]
    fn only_a_comment_trails() {
        assert_eq!(trailing("  # a \nb"), Some("# a"));
        assert_eq!(trailing("\n# a"), None);
        assert_eq!(trailing(" b # a"), None);
    }
}
