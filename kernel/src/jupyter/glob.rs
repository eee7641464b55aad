//! Patterns of a history search: those of a shell, as IPython's history (SQLite's GLOB) has them.

/// True if `text` as a whole matches `pattern`: `*` stands for any text, `?` for one character, `[abc]`, `[a-z]` and
/// `[^a]` for one character of a set. A set without end is a plain `[`.
pub fn matches(pattern: &str, text: &str) -> bool {
    let pattern = units(pattern);
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    // Where the last `*` stands, and how much of the text it has taken: on a mismatch it takes one character more.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(Unit::Any) => {
                star = Some((p, t));
                p += 1;
            }
            Some(unit) if unit.takes(text[t]) => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((at, taken)) = star else { return false };
                star = Some((at, taken + 1));
                p = at + 1;
                t = taken + 1;
            }
        }
    }
    pattern[p..].iter().all(|unit| *unit == Unit::Any)
}

/// A piece of a pattern.
#[derive(Debug, PartialEq)]
enum Unit {
    /// `*`
    Any,
    /// `?`
    One,
    Plain(char),
    /// Ranges of characters, and whether it takes those or all others.
    Set(Vec<(char, char)>, bool),
}

impl Unit {
    fn takes(&self, c: char) -> bool {
        match self {
            Unit::Any => false,
            Unit::One => true,
            Unit::Plain(plain) => *plain == c,
            Unit::Set(ranges, inside) => ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) == *inside,
        }
    }
}

fn units(pattern: &str) -> Vec<Unit> {
    let chars: Vec<char> = pattern.chars().collect();
    let mut units = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let (unit, length) = match chars[at] {
            '*' => (Unit::Any, 1),
            '?' => (Unit::One, 1),
            '[' => set(&chars[at..]).unwrap_or((Unit::Plain('['), 1)),
            plain => (Unit::Plain(plain), 1),
        };
        units.push(unit);
        at += length;
    }
    units
}

/// The set that begins with `[`, and its length in the pattern.
fn set(chars: &[char]) -> Option<(Unit, usize)> {
    let inside = chars.get(1) != Some(&'^');
    let first = if inside { 1 } else { 2 };
    // A `]` that comes first is one of the set.
    let end = first + 1 + chars.get(first + 1..)?.iter().position(|c| *c == ']')?;
    let members = &chars[first..end];
    let mut ranges = Vec::new();
    let mut at = 0;
    while at < members.len() {
        match (members.get(at + 1), members.get(at + 2)) {
            (Some('-'), Some(high)) => {
                ranges.push((members[at], *high));
                at += 3;
            }
            _ => {
                ranges.push((members[at], members[at]));
                at += 1;
            }
        }
    }
    Some((Unit::Set(ranges, inside), end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_texts() {
        let cases = [
            ("*", "", true),
            ("", "a", false),
            ("a*b*c", "aXbXbc", true),
            ("a*b", "ac", false),
            ("?é*", "xé", true),
            ("*x", "xy", false),
            ("**", "anything", true),
            ("[a-c]x", "bx", true),
            ("[^a-c]x", "bx", false),
            ("[]]", "]", true),
            ("*[0-9]", "t1", true),
            ("rows [*", "rows [ {a: 1} ]", true),
            ("[abc", "[abc", true),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(matches(pattern, text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn a_long_pattern_of_stars_takes_no_time() {
        let (pattern, text) = ("*a".repeat(50), "a".repeat(20_000));
        assert!(!matches(&format!("{pattern}b"), &text));
    }
}
