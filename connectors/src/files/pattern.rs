//! Paths with wildcards: `*` and `?` within a name, `**` over folders, `[…]` of characters, `{a,b}` of alternatives.

use std::path::{Path, PathBuf};

use glob::Pattern;
use tidebook_plan::connector::ConnectorError;

use super::listing::{self, OPTIONS, Step};

/// A file or a set of files, as the option `path` names them.
pub struct FilePattern {
    /// What the user wrote.
    text: String,
    base: PathBuf,
    /// Absolute; one for each combination of alternatives.
    choices: Vec<Choice>,
}

enum Choice {
    File(PathBuf),
    Glob { pattern: Pattern, root: PathBuf, steps: Vec<Step> },
}

impl FilePattern {
    /// The files that `text` names, relative to `base`.
    ///
    /// # Errors
    /// Where a wildcard is malformed.
    pub fn new(text: &str, base: &Path) -> Result<FilePattern, ConnectorError> {
        let malformed = |message: String| ConnectorError::Option { option: "path", message };
        if text.is_empty() {
            return Err(malformed("is empty".to_string()));
        }
        let base = std::path::absolute(base).map_err(|error| malformed(error.to_string()))?;
        let literal = clean(&base.join(text));
        let choices = if literal.is_file() || !is_wild(text) {
            vec![Choice::File(literal)]
        } else {
            let choices = alternatives(text).into_iter().map(|text| Choice::new(&text, &base));
            choices.collect::<Result<_, _>>().map_err(malformed)?
        };
        Ok(FilePattern { text: text.to_string(), base, choices })
    }

    /// What the user wrote.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// True if files can appear that were not named.
    pub fn is_wild(&self) -> bool {
        self.choices.iter().any(|choice| matches!(choice, Choice::Glob { .. })) || self.choices.len() > 1
    }

    /// The files that are there now, in the order of their paths.
    pub fn list(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        for choice in &self.choices {
            match choice {
                Choice::File(path) if path.is_file() => files.push(path.clone()),
                Choice::File(_) => {}
                Choice::Glob { root, steps, .. } => files.extend(listing::files(root, steps)),
            }
        }
        files.sort();
        files.dedup();
        files
    }

    /// The files that are there now.
    ///
    /// # Errors
    /// Where there is none.
    pub fn list_some(&self) -> Result<Vec<PathBuf>, ConnectorError> {
        let files = self.list();
        if files.is_empty() {
            return Err(match self.choices.as_slice() {
                [Choice::File(path)] if path.is_dir() => ConnectorError::Option {
                    option: "path",
                    message: format!(
                        "`{0}` is a folder: `{0}/*` means the files in it",
                        self.text.trim_end_matches('/')
                    ),
                },
                [Choice::File(path)] if path.exists() => ConnectorError::Option {
                    option: "path",
                    message: format!("`{}` is no file, but a pipe, a socket or a device", self.text),
                },
                _ => ConnectorError::Missing { what: self.text.clone() },
            });
        }
        Ok(files)
    }

    /// True if the path is one of those meant.
    pub fn matches(&self, path: &Path) -> bool {
        self.choices.iter().any(|choice| match choice {
            Choice::File(file) => file == path,
            Choice::Glob { pattern, .. } => pattern.matches_path_with(path, OPTIONS),
        })
    }

    /// The folders in which files can appear, and whether folders below them count.
    pub fn roots(&self) -> Vec<(PathBuf, bool)> {
        let mut roots: Vec<(PathBuf, bool)> = Vec::new();
        for choice in &self.choices {
            let (root, deep) = match choice {
                Choice::File(path) => (path.parent().unwrap_or(path).to_path_buf(), false),
                Choice::Glob { root, steps, .. } => (root.clone(), steps.len() > 1),
            };
            match roots.iter_mut().find(|(known, _)| *known == root) {
                Some((_, known)) => *known |= deep,
                None => roots.push((root, deep)),
            }
        }
        roots
    }

    /// A path as messages show it: relative to the base where it is below it.
    pub fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.base).unwrap_or(path).display().to_string()
    }
}

impl Choice {
    fn new(text: &str, base: &Path) -> Result<Choice, String> {
        let relative = clean(Path::new(text));
        if !is_wild(text) {
            return Ok(Choice::File(clean(&base.join(relative))));
        }
        let fixed: PathBuf =
            relative.components().take_while(|part| !is_wild(&part.as_os_str().to_string_lossy())).collect();
        let wild = relative.strip_prefix(&fixed).unwrap_or(&relative);
        let root = base.join(fixed);
        // Only the wild part may have wildcards: folders above it can have brackets in their names.
        let full = Path::new(&Pattern::escape(&root.to_string_lossy())).join(wild);
        let compiled = |pattern: &str| Pattern::new(pattern).map_err(|error| format!("`{text}`: {}", error.msg));
        let pattern = compiled(&full.to_string_lossy())?;
        let names = wild.components().map(|part| part.as_os_str().to_string_lossy());
        let steps = names.map(|name| Ok(if name == "**" { Step::Folders } else { Step::Name(compiled(&name)?) }));
        let mut steps = steps.collect::<Result<Vec<_>, String>>()?;
        // `**` at the end means all files below, as in other tools.
        if let Some(Step::Folders) = steps.last() {
            steps.push(Step::Name(compiled("*")?));
        }
        Ok(Choice::Glob { pattern, root, steps })
    }
}

fn is_wild(text: &str) -> bool {
    text.contains(['*', '?', '[', '{'])
}

/// The path without `.` and doubled separators, so that all spellings of a path are one.
fn clean(path: &Path) -> PathBuf {
    path.components().filter(|part| !matches!(part, std::path::Component::CurDir)).collect()
}

/// Every choice of the alternatives in braces.
fn alternatives(text: &str) -> Vec<String> {
    let Some(open) = text.find('{') else {
        return vec![text.to_string()];
    };
    let mut depth = 0;
    let mut commas = vec![open];
    for (at, character) in text[open..].char_indices().map(|(at, character)| (open + at, character)) {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => commas.push(at),
            _ => {}
        }
        if depth == 0 {
            commas.push(at);
            let choices = commas.windows(2).map(|pair| &text[pair[0] + 1..pair[1]]);
            let whole = choices.map(|choice| format!("{}{choice}{}", &text[..open], &text[at + 1..]));
            return whole.flat_map(|text| alternatives(&text)).collect();
        }
    }
    vec![text.to_string()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(pattern: &str, base: &Path) -> Vec<String> {
        let pattern = FilePattern::new(pattern, base).unwrap();
        let list = pattern.list();
        assert!(list.iter().all(|path| pattern.matches(path)), "what is listed also matches");
        list.iter().map(|path| pattern.shown(path)).collect()
    }

    #[test]
    fn wildcards_folders_and_alternatives() {
        let folder = tempfile::tempdir().unwrap();
        // Brackets above the wildcard are no wildcard.
        let base = folder.path().join("a[1]");
        for name in ["b.csv", "a.csv", "c.jsonl", "d.txt", "sub/e.csv", "sub/deep/f.csv", ".hidden.csv"] {
            let path = base.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        }
        assert_eq!(names("*.csv", &base), ["a.csv", "b.csv"]);
        assert_eq!(names("./b.csv", &base), ["b.csv"]);
        assert_eq!(names("*.{csv,jsonl}", &base), ["a.csv", "b.csv", "c.jsonl"]);
        assert_eq!(names("**/*.csv", &base), ["a.csv", "b.csv", "sub/deep/f.csv", "sub/e.csv"]);
        assert_eq!(names("sub/*.csv", &base), ["sub/e.csv"]);
        assert_eq!(names("nothing*", &base), Vec::<String>::new());
        let absolute = base.join("sub/e.csv");
        assert_eq!(names(absolute.to_str().unwrap(), &base), ["sub/e.csv"]);
        assert!(FilePattern::new("[", &base).is_err());
    }

    #[test]
    fn roots_are_the_folders_to_watch() {
        let base = Path::new("/base");
        let roots = |text: &str| FilePattern::new(text, base).unwrap().roots();
        assert_eq!(roots("logs/*.jsonl"), [(PathBuf::from("/base/logs"), false)]);
        assert_eq!(roots("logs/**/*.jsonl"), [(PathBuf::from("/base/logs"), true)]);
        assert_eq!(roots("logs/a.jsonl"), [(PathBuf::from("/base/logs"), false)]);
        assert_eq!(roots("*/a.jsonl"), [(PathBuf::from("/base"), true)]);
    }
}
