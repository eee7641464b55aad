//! Which files a reader has found, so that a second reader can tell whether they are still the same.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tidebook_plan::connector::{ConnectorError, Resume};

use crate::files::Stamp;

/// A file as it was when it was opened. A columnar file is read from its end, so one that has grown is another one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// Its absolute path.
    pub path: PathBuf,
    size: u64,
    modified: i64,
    inode: u64,
}

impl Mark {
    /// The mark of a file; of one that cannot be opened with the stamp of none.
    pub fn new(path: &Path, stamp: Stamp) -> Mark {
        let Stamp { size, modified, inode } = stamp;
        Mark { path: path.to_path_buf(), size, modified, inode }
    }

    /// Fails unless the file is still the one that was read; `stamp` is that of the file now, if it can be opened.
    ///
    /// # Errors
    /// Says what has happened to the file, which messages call `what`.
    pub fn check(&self, stamp: Option<Stamp>, what: &str) -> Result<(), ConnectorError> {
        let was_readable = *self != Mark::new(&self.path, Stamp::default());
        let message = match stamp {
            None if was_readable => "it was removed",
            Some(stamp) if *self != Mark::new(&self.path, stamp) => "it was written again",
            _ => return Ok(()),
        };
        Err(ConnectorError::Changed { what: what.to_string(), message: message.to_string() })
    }
}

/// The marks of all files that were opened, as text: every batch says how far the reader has come, and copying a text is
/// cheaper than building a document of many thousand files.
#[derive(Debug, Default)]
pub struct Marks {
    files: Vec<PathBuf>,
    /// A line of JSON for each file.
    text: String,
    /// Where the line of each file ends.
    ends: Vec<usize>,
}

impl Marks {
    /// Adds the next file.
    pub fn push(&mut self, mark: Mark) {
        match serde_json::to_string(&mark) {
            Ok(line) => self.text.push_str(&line),
            Err(error) => tracing::warn!(path = %mark.path.display(), %error, "a path cannot be noted"),
        }
        self.text.push('\n');
        self.ends.push(self.text.len());
        self.files.push(mark.path);
    }

    /// How many files there are.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// The path of a file.
    pub fn path(&self, number: usize) -> &Path {
        self.files.get(number).map_or(Path::new(""), PathBuf::as_path)
    }

    /// Where a reader stands in the file with this number.
    pub fn resume(&self, number: usize) -> Resume {
        let end = self.ends.get(number).copied().unwrap_or(self.text.len());
        Resume::String(self.text[..end].to_string())
    }

    /// The marks of an earlier reader.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn read(resume: &Resume) -> Result<Vec<Mark>, String> {
        let text = resume.as_str().ok_or("expected text")?;
        text.lines().map(|line| serde_json::from_str(line).map_err(|error| error.to_string())).collect()
    }
}
