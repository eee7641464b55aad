//! Files that are read once, from the first to the last.

use std::collections::HashSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tidebook_plan::ChangeBatch;
use tidebook_plan::connector::{ConnectorError, OpenRequest, Resume, Source, SourceBatch, SourceEvent};

use super::input::Progress;
use super::opening::{FileFormat, NamedFile, OpenFile, Opener, ReadError};
use super::pattern::FilePattern;
use super::stamp::{Stamp, fingerprint};
use crate::format::{FileFacts, RowBuffer};

/// Bytes that make a batch; smaller files share one.
const BATCH_BYTES: u64 = 512 << 10;
/// Bytes at the start of a file that tell it apart.
const HEAD: u64 = 4 << 10;

/// Where a reader stands: the files that it has opened, of which all but the last are done.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Progressed {
    files: Vec<Mark>,
    complete: bool,
}

/// A file as it was when it was opened, and how far it has been read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Mark {
    path: String,
    size: u64,
    modified: i64,
    head: u64,
    taken: u64,
    /// True if it could not be read, which is an error among its rows.
    unreadable: bool,
}

/// Reads a list of files.
pub struct BoundedFiles {
    opener: Opener,
    out: RowBuffer,
    /// Files that are not yet open.
    waiting: std::vec::IntoIter<PathBuf>,
    current: Option<OpenFile>,
    done: Progressed,
    /// What an earlier reader has given, which this one repeats.
    repeats: Progressed,
}

impl BoundedFiles {
    /// A reader at the start of the first file.
    ///
    /// # Errors
    /// Where there is no file, the first one lacks a column, or a file is not what an earlier reader has read.
    pub fn open(
        request: OpenRequest,
        format: FileFormat,
        pattern: FilePattern,
    ) -> Result<BoundedFiles, ConnectorError> {
        let spec = &request.spec;
        let repeats = match request.repeats {
            Some(resume) => serde_json::from_value(resume).map_err(|error| ConnectorError::Format {
                what: pattern.text().to_string(),
                message: format!("the saved position is not one of this source: {error}"),
            })?,
            None => Progressed::default(),
        };
        let mut files: Vec<PathBuf> = repeats.files.iter().map(|mark| PathBuf::from(&mark.path)).collect();
        for mark in &repeats.files {
            mark.check(&pattern)?;
        }
        if !repeats.complete {
            let more = if files.is_empty() { pattern.list_some()? } else { pattern.list() };
            let known: HashSet<PathBuf> = files.iter().cloned().collect();
            files.extend(more.into_iter().filter(|path| !known.contains(path)));
        }
        let (opener, out) = Opener::new(spec, format, pattern)?;
        if let (Some(first), FileFormat::Stream(format)) = (files.first(), format) {
            super::sampling::check(first, format, spec, out.shape(), opener.pattern())?;
        }
        Ok(BoundedFiles {
            opener,
            out,
            waiting: files.into_iter(),
            current: None,
            done: Progressed::default(),
            repeats,
        })
    }

    /// Opens the next file, if there is one.
    fn open_next(&mut self) -> Result<bool, ConnectorError> {
        let Some(path) = self.waiting.next() else {
            return Ok(false);
        };
        // A reader that repeats stops where the first one stood, so that one of its batches ends exactly there; a
        // file that has grown since ends for it where it ended before.
        let repeated = self.repeats.files.get(self.done.files.len()).cloned();
        let facts = repeated.as_ref().map(|mark| mark.facts(self.opener.pattern()));
        let opened = self.opener.open(&path, facts, &mut self.out);
        let opened = opened.and_then(|mut file| {
            let mark = match repeated {
                Some(mark) => {
                    file.set_limit(mark.taken);
                    Mark { taken: 0, ..mark }
                }
                None => Mark::new(&file.named)?,
            };
            Ok((file, mark))
        });
        match opened {
            Ok((file, mark)) => {
                self.done.files.push(mark);
                self.current = Some(file);
            }
            Err(error) => {
                self.done.files.push(Mark::unreadable(&path));
                self.fail(&path, error)?;
            }
        }
        Ok(true)
    }

    /// A file that cannot be read: of many, it is one error among the rows; alone, it ends the source.
    fn fail(&mut self, path: &Path, error: ReadError) -> Result<(), ConnectorError> {
        let shown = self.opener.pattern().shown(path);
        if !self.opener.pattern().is_wild() {
            return Err(error.of(&shown));
        }
        tracing::warn!(%error, "cannot read file");
        self.out.set_origin(&shown);
        self.out.push_error(None, None, format!("cannot be read: {error}"));
        Ok(())
    }

    /// True if the earlier reader stood in the file that is open, and this one has come there.
    fn is_where_it_repeats(&self) -> bool {
        !self.repeats.complete && !self.repeats.files.is_empty() && self.done.files == self.repeats.files
    }

    /// Looks ahead, so that the last batch already says that it is the last: who repeats it will then read no further,
    /// even if the file has grown.
    fn note_completion(&mut self) {
        let over = self.current.as_ref().is_none_or(OpenFile::is_exhausted);
        if over && self.waiting.as_slice().is_empty() && !self.is_where_it_repeats() {
            self.current = None;
            self.done.complete = true;
        }
    }

    fn batch(&mut self) -> SourceEvent {
        let decoded = self.out.take();
        SourceEvent::Batch(SourceBatch {
            rows: ChangeBatch::inserts(decoded.rows),
            errors: decoded.errors,
            segment: None,
            resume: self.resume(),
        })
    }

    fn resume(&self) -> Resume {
        match serde_json::to_value(&self.done) {
            Ok(value) => value,
            Err(error) => panic!("invariant: a position is plain data: {error}"),
        }
    }

    /// The file that is open has been read to its end, or as far as an earlier reader came.
    fn end_file(&mut self) {
        let Some(file) = self.current.take() else { return };
        // Whoever reads it again will be told that it has changed; whoever reads it now, that something is missing.
        if self.opener.can_continue(&file, &self.out) && file.named.stamp().is_ok_and(|stamp| stamp.size < file.taken())
        {
            self.out.push_error(None, None, "it became shorter while it was read".to_string());
        }
        self.opener.close(file);
    }
}

impl Source for BoundedFiles {
    fn next(&mut self, _wait: Duration) -> Result<SourceEvent, ConnectorError> {
        let mut bytes = 0;
        loop {
            let Some(file) = &mut self.current else {
                if self.open_next()? {
                    continue;
                }
                self.done.complete = true;
                return Ok(if self.out.is_empty() { SourceEvent::End } else { self.batch() });
            };
            let before = file.taken();
            let progress = match self.opener.step(file, true, &mut self.out) {
                Ok(progress) => progress,
                Err(error) => {
                    let path = file.named.path.clone();
                    self.current = None;
                    self.fail(&path, error)?;
                    continue;
                }
            };
            let taken = file.taken();
            bytes += taken - before;
            if let Some(mark) = self.done.files.last_mut() {
                mark.taken = taken;
            }
            if progress == Progress::End {
                if self.is_where_it_repeats() {
                    self.repeats = Progressed::default();
                    if let Some(file) = &mut self.current {
                        file.set_limit(u64::MAX);
                        file.look_again();
                    }
                    if !self.out.is_empty() {
                        return Ok(self.batch());
                    }
                    continue;
                }
                self.end_file();
            }
            if !self.out.is_empty() && (self.out.is_full() || bytes >= BATCH_BYTES) {
                self.note_completion();
                return Ok(self.batch());
            }
        }
    }
}

impl Mark {
    fn new(file: &NamedFile) -> std::io::Result<Mark> {
        let stamp = file.stamp()?;
        let head = file.keeping_position(|file| fingerprint(file, stamp.size.min(HEAD)))?;
        Ok(Mark {
            path: file.path.to_string_lossy().into_owned(),
            size: stamp.size,
            modified: stamp.modified,
            head,
            taken: 0,
            unreadable: false,
        })
    }

    fn unreadable(path: &Path) -> Mark {
        let path = path.to_string_lossy().into_owned();
        Mark { path, size: 0, modified: 0, head: 0, taken: 0, unreadable: true }
    }

    /// What the file gave to its rows.
    fn facts(&self, pattern: &FilePattern) -> Arc<FileFacts> {
        Arc::new(FileFacts::new(pattern.shown(self.path.as_ref()), self.modified, self.size))
    }

    /// Fails unless the file still begins as it did.
    fn check(&self, pattern: &FilePattern) -> Result<(), ConnectorError> {
        if self.unreadable {
            return Ok(());
        }
        let what = pattern.shown(self.path.as_ref());
        let changed = |message: &str| ConnectorError::Changed { what: what.clone(), message: message.to_string() };
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(changed("it was removed")),
            Err(error) => return Err(ReadError::from(error).of(&what)),
        };
        let stamp = Stamp::of(&file.metadata().map_err(|error| ReadError::from(error).of(&what))?);
        if stamp.size < self.size {
            return Err(changed("it has become shorter"));
        }
        if stamp.size == self.size && stamp.modified != self.modified {
            return Err(changed("it was written again"));
        }
        let head = fingerprint(&file, self.size.min(HEAD)).map_err(|error| ReadError::from(error).of(&what))?;
        if head != self.head {
            return Err(changed("it begins differently"));
        }
        Ok(())
    }
}
