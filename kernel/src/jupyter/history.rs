//! The inputs of this session, for `history_request`.

use serde_json::{Value, json};

/// The number of the only session there is. Session 0 means the current one in a request.
const SESSION: i64 = 1;

/// Inputs in order; input `i` has the execution count `i + 1`.
#[derive(Debug, Default)]
pub struct History {
    inputs: Vec<String>,
}

impl History {
    /// Notes an input; gives its execution count.
    pub fn push(&mut self, code: &str) -> usize {
        self.inputs.push(code.to_string());
        self.inputs.len()
    }

    /// Inputs so far.
    pub fn len(&self) -> usize {
        self.inputs.len()
    }

    /// True before the first input.
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty()
    }

    /// The `history` list that answers a request's content.
    pub fn answer(&self, content: &Value) -> Value {
        let number = |name: &str| content.get(name).and_then(Value::as_i64);
        let flag = |name: &str| content.get(name).and_then(Value::as_bool).unwrap_or(false);
        let all = self.inputs.iter().enumerate().map(|(i, code)| (i as i64 + 1, code.as_str()));
        let limit = number("n").map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(0));
        let mut entries: Vec<(i64, &str)> = match content.get("hist_access_type").and_then(Value::as_str) {
            Some("range") if !matches!(number("session").unwrap_or(0), 0 | SESSION) => Vec::new(),
            Some("range") => {
                let start = number("start").unwrap_or(0);
                let stop = number("stop").unwrap_or(i64::MAX);
                all.filter(|(line, _)| (start..stop).contains(line)).collect()
            }
            Some("search") => {
                let pattern = content.get("pattern").and_then(Value::as_str).unwrap_or("*");
                let mut found: Vec<(i64, &str)> = all.filter(|(_, code)| glob_matches(pattern, code)).collect();
                if flag("unique") {
                    let last_of = |code: &str| self.inputs.iter().rposition(|other| other == code);
                    found.retain(|(line, code)| last_of(code) == usize::try_from(line - 1).ok());
                }
                found
            }
            _ => all.collect(),
        };
        if content.get("hist_access_type").and_then(Value::as_str) != Some("range") && entries.len() > limit {
            entries.drain(..entries.len() - limit);
        }
        let entry = |(line, code): (i64, &str)| {
            if flag("output") { json!([SESSION, line, [code, null]]) } else { json!([SESSION, line, code]) }
        };
        Value::Array(entries.into_iter().map(entry).collect())
    }
}

/// True if `text` as a whole matches `pattern`, in which `*` stands for any text and `?` for one character.
pub fn glob_matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    // Where the last `*` stands, and how much of the text it has taken: on a mismatch it takes one character more.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some('?') => {
                p += 1;
                t += 1;
            }
            Some(c) if *c == text[t] => {
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
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history() -> History {
        let mut history = History::default();
        for code in ["a = 1", "b = 2", "a = 1", "c"] {
            history.push(code);
        }
        history
    }

    #[test]
    fn the_three_ways_to_ask() {
        let history = history();
        let range = json!({"hist_access_type": "range", "session": 0, "start": 2, "stop": 4});
        assert_eq!(history.answer(&range), json!([[1, 2, "b = 2"], [1, 3, "a = 1"]]));
        let earlier = json!({"hist_access_type": "range", "session": -1});
        assert_eq!(history.answer(&earlier), json!([]));
        let tail = json!({"hist_access_type": "tail", "n": 1, "output": true});
        assert_eq!(history.answer(&tail), json!([[1, 4, ["c", null]]]));
        let search = json!({"hist_access_type": "search", "pattern": "* = ?", "n": 2});
        assert_eq!(history.answer(&search), json!([[1, 2, "b = 2"], [1, 3, "a = 1"]]));
        let unique = json!({"hist_access_type": "search", "pattern": "a*", "unique": true});
        assert_eq!(history.answer(&unique), json!([[1, 3, "a = 1"]]));
    }

    #[test]
    fn globs() {
        let cases = [
            ("*", "", true),
            ("", "a", false),
            ("a*b*c", "aXbXbc", true),
            ("a*b", "ac", false),
            ("?é*", "xé", true),
            ("*x", "xy", false),
            ("**", "anything", true),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(glob_matches(pattern, text), expected, "{pattern} on {text}");
        }
    }
}
