//! The inputs of this session and of earlier ones in the same folder, for `history_request`.
//!
//! The counter of executions is the number of inputs of this session, so these are kept in memory as well: where the
//! file cannot be written, the history is that of this session alone.

use serde_json::{Value, json};

use super::glob;
use super::history_file::{Entry, HistoryFile};

/// Inputs in order; input `i` of this session has the execution count `i + 1`.
#[derive(Debug)]
pub struct History {
    /// Earlier sessions' numbers are lower.
    session: i64,
    inputs: Vec<String>,
    file: Option<HistoryFile>,
}

impl Default for History {
    fn default() -> Self {
        History { session: 1, inputs: Vec::new(), file: None }
    }
}

impl History {
    /// A history that goes on in `file`, under the next free session number. Where the file cannot be used, that is
    /// logged, and the history is kept in memory.
    pub fn in_file(file: HistoryFile) -> Self {
        match file.begin_session() {
            Ok(session) => History { session, inputs: Vec::new(), file: Some(file) },
            Err(error) => {
                tracing::warn!(%error, file = %file.path().display(), "the history is not kept");
                History::default()
            }
        }
    }

    /// Notes an input; gives its execution count.
    pub fn push(&mut self, code: &str) -> usize {
        self.inputs.push(code.to_string());
        let line = self.inputs.len();
        if let Some(file) = &self.file
            && let Err(error) =
                file.append(&Entry { session: self.session, line: line as i64, input: code.to_string() })
        {
            tracing::warn!(%error, file = %file.path().display(), "the history is no longer kept");
            self.file = None;
        }
        line
    }

    /// Inputs of this session so far.
    pub fn len(&self) -> usize {
        self.inputs.len()
    }

    /// True before the first input.
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty()
    }

    /// The `history` list that answers a request's content. Inputs are not transformed, so that `raw` makes no
    /// difference; outputs are not kept, so that `output` gives null beside each input.
    pub fn answer(&self, content: &Value) -> Value {
        let number = |name: &str| content.get(name).and_then(Value::as_i64);
        let flag = |name: &str| content.get(name).and_then(Value::as_bool).unwrap_or(false);
        let kind = content.get("hist_access_type").and_then(Value::as_str).unwrap_or("tail");
        let mut entries = match kind {
            "range" => {
                let session = match number("session").unwrap_or(0) {
                    // Counted from this session, which is 0.
                    relative @ ..=0 => self.session + relative,
                    absolute => absolute,
                };
                let (start, stop) = (number("start").unwrap_or(0), number("stop").unwrap_or(i64::MAX));
                let all = if session == self.session { self.own() } else { self.all() };
                let wanted = |entry: &Entry| entry.session == session && (start..stop).contains(&entry.line);
                all.into_iter().filter(wanted).collect()
            }
            "search" => {
                let pattern = content.get("pattern").and_then(Value::as_str).unwrap_or("*");
                let mut found = self.all();
                found.retain(|entry| glob::matches(pattern, &entry.input));
                if flag("unique") {
                    let mut seen = std::collections::HashSet::new();
                    let last: Vec<bool> = found.iter().rev().map(|entry| seen.insert(entry.input.clone())).collect();
                    let mut last = last.into_iter().rev();
                    found.retain(|_| last.next().unwrap_or(false));
                }
                found
            }
            _ => self.all(),
        };
        let limit = number("n").map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(0));
        if kind != "range" && entries.len() > limit {
            entries.drain(..entries.len() - limit);
        }
        let shown = |entry: Entry| {
            let input = if flag("output") { json!([entry.input, null]) } else { json!(entry.input) };
            json!([entry.session, entry.line, input])
        };
        Value::Array(entries.into_iter().map(shown).collect())
    }

    /// The inputs of this session.
    fn own(&self) -> Vec<Entry> {
        let numbered = self.inputs.iter().zip(1..);
        numbered.map(|(input, line)| Entry { session: self.session, line, input: input.clone() }).collect()
    }

    /// The inputs of all sessions, in the order in which they came; this session's are whole even where the file is not.
    fn all(&self) -> Vec<Entry> {
        let read = self.file.as_ref().map(HistoryFile::read);
        let mut entries = match read {
            Some(Ok(entries)) => entries,
            Some(Err(error)) => {
                tracing::warn!(%error, "the history of earlier sessions cannot be read");
                Vec::new()
            }
            None => Vec::new(),
        };
        let own = self.own();
        let kept = entries.iter().filter(|entry| entry.session == self.session).count();
        if kept != own.len() {
            entries.retain(|entry| entry.session != self.session);
            entries.extend(own);
        }
        entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(mut history: History) -> History {
        for code in ["a = 1", "b = 2", "a = 1", "c"] {
            history.push(code);
        }
        history
    }

    #[test]
    fn the_three_ways_to_ask() {
        let history = filled(History::default());
        let range = json!({"hist_access_type": "range", "session": 0, "start": 2, "stop": 4});
        assert_eq!(history.answer(&range), json!([[1, 2, "b = 2"], [1, 3, "a = 1"]]));
        let open = json!({"hist_access_type": "range", "session": 1, "start": 3, "stop": null});
        assert_eq!(history.answer(&open), json!([[1, 3, "a = 1"], [1, 4, "c"]]));
        let earlier = json!({"hist_access_type": "range", "session": -1});
        assert_eq!(history.answer(&earlier), json!([]));
        let tail = json!({"hist_access_type": "tail", "n": 1, "output": true});
        assert_eq!(history.answer(&tail), json!([[1, 4, ["c", null]]]));
        let search = json!({"hist_access_type": "search", "pattern": "* = ?", "n": 2});
        assert_eq!(history.answer(&search), json!([[1, 2, "b = 2"], [1, 3, "a = 1"]]));
        let unique = json!({"hist_access_type": "search", "pattern": "a*", "unique": true});
        assert_eq!(history.answer(&unique), json!([[1, 3, "a = 1"]]));
        let none = json!({"hist_access_type": "search", "pattern": "a"});
        assert_eq!(history.answer(&none), json!([]));
    }

    #[test]
    fn a_later_session_has_the_inputs_of_earlier_ones() {
        let folder = tempfile::tempdir().unwrap();
        let open =
            || History::in_file(HistoryFile::new(folder.path().join("deep/history.jsonl"), folder.path().into()));
        filled(open());
        let mut second = open();
        // Two kernels at once: each has a number and a counter of its own.
        let mut third = open();
        assert_eq!((second.push("x"), third.push("y"), second.push("z")), (1, 1, 2));
        let tail = second.answer(&json!({"hist_access_type": "tail", "n": 4}));
        assert_eq!(tail, json!([[1, 4, "c"], [2, 1, "x"], [3, 1, "y"], [2, 2, "z"]]));
        let relative = second.answer(&json!({"hist_access_type": "range", "session": -1, "start": 4}));
        assert_eq!(relative, json!([[1, 4, "c"]]));
        let found = third.answer(&json!({"hist_access_type": "search", "pattern": "a*", "unique": true}));
        assert_eq!(found, json!([[1, 3, "a = 1"]]));
    }

    #[test]
    fn without_a_usable_file_the_session_has_its_own_inputs() {
        let folder = tempfile::tempdir().unwrap();
        let blocked = folder.path().join("file");
        std::fs::write(&blocked, "not a folder").unwrap();
        let history = filled(History::in_file(HistoryFile::new(blocked.join("history.jsonl"), folder.path().into())));
        assert_eq!(history.answer(&json!({"hist_access_type": "tail", "n": 1})), json!([[1, 4, "c"]]));
    }
}
