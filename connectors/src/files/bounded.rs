//! Files that are read once, from the first to the last.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tidebook_plan::ChangeBatch;
use tidebook_plan::connector::{ConnectorError, OpenRequest, Resume, Source, SourceBatch, SourceEvent};

use super::input::{InputFile, Progress};
use super::pattern::FilePattern;
use super::stamp::{Stamp, fingerprint};
use crate::format::{Decode, FileFormat, RowBuffer, Shape};

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
}

/// Reads a list of files.
pub struct BoundedFiles {
    pattern: FilePattern,
    decoder: Box<dyn Decode>,
    out: RowBuffer,
    /// Files that are not yet open.
    waiting: std::vec::IntoIter<PathBuf>,
    current: Option<InputFile>,
    buffer: Vec<u8>,
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
            let known = files.len();
            let more = if known == 0 { pattern.list_some()? } else { pattern.list() };
            files.extend(
                more.into_iter().filter(|path| !repeats.files.iter().any(|mark| Path::new(&mark.path) == path)),
            );
        }
        if let Some(first) = files.first() {
            super::check_header(first, format, spec, &pattern)?;
        }
        let shape = Shape::of_source(&spec.connector, &spec.fields)?;
        Ok(BoundedFiles {
            decoder: format.decoder(spec)?,
            out: RowBuffer::new(&spec.schema(), shape),
            pattern,
            waiting: files.into_iter(),
            current: None,
            buffer: Vec::new(),
            done: Progressed::default(),
            repeats,
        })
    }

    /// Opens the next file, if there is one.
    fn open_next(&mut self) -> Result<bool, ConnectorError> {
        let Some(path) = self.waiting.next() else {
            return Ok(false);
        };
        let shown = self.pattern.shown(&path);
        let mut input =
            InputFile::open(&path, std::mem::take(&mut self.buffer)).map_err(|error| super::io_error(error, &shown))?;
        // A reader that repeats stops where the first one stood, so that one of its batches ends exactly there; a
        // file that has grown since ends for it where it ended before.
        let mark = match self.repeats.files.get(self.done.files.len()) {
            Some(mark) => {
                input.set_limit(mark.taken);
                Mark { taken: 0, ..mark.clone() }
            }
            None => Mark::new(&path, input.file()).map_err(|error| super::io_error(error, &shown))?,
        };
        self.done.files.push(mark);
        self.out.set_origin(&shown);
        self.current = Some(input);
        Ok(true)
    }

    /// True if the earlier reader stood in the file that is open, and this one has come there.
    fn is_where_it_repeats(&self) -> bool {
        !self.repeats.complete && !self.repeats.files.is_empty() && self.done.files == self.repeats.files
    }

    /// Looks ahead, so that the last batch already says that it is the last: who repeats it will then read no further,
    /// even if the file has grown.
    fn note_completion(&mut self) {
        let over = self.current.as_ref().is_none_or(InputFile::is_exhausted);
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
}

impl Source for BoundedFiles {
    fn next(&mut self, _wait: Duration) -> Result<SourceEvent, ConnectorError> {
        let mut bytes = 0;
        loop {
            let Some(input) = &mut self.current else {
                if self.open_next()? {
                    continue;
                }
                self.done.complete = true;
                return Ok(if self.out.is_empty() { SourceEvent::End } else { self.batch() });
            };
            let before = input.position.offset;
            let progress = input.step(self.decoder.as_ref(), true, &mut self.out);
            let shown =
                || self.done.files.last().map_or_else(String::new, |mark| self.pattern.shown(mark.path.as_ref()));
            let progress = progress.map_err(|error| super::io_error(error, &shown()))?;
            let taken = input.position.offset;
            bytes += taken - before;
            if let Some(mark) = self.done.files.last_mut() {
                mark.taken = taken;
            }
            if progress == Progress::End {
                if self.is_where_it_repeats() {
                    self.repeats = Progressed::default();
                    if let Some(input) = &mut self.current {
                        input.set_limit(u64::MAX);
                        input.look_again();
                    }
                    if !self.out.is_empty() {
                        return Ok(self.batch());
                    }
                    continue;
                }
                if let Some(input) = self.current.take() {
                    self.buffer = input.into_buffer();
                }
            }
            if !self.out.is_empty() && (self.out.is_full() || bytes >= BATCH_BYTES) {
                self.note_completion();
                return Ok(self.batch());
            }
        }
    }
}

impl Mark {
    fn new(path: &Path, file: &File) -> std::io::Result<Mark> {
        let stamp = Stamp::of(&file.metadata()?);
        let head = fingerprint(file, stamp.size.min(HEAD))?;
        // The fingerprint has moved the file's position.
        std::io::Seek::rewind(&mut &*file)?;
        Ok(Mark {
            path: path.to_string_lossy().into_owned(),
            size: stamp.size,
            modified: stamp.modified,
            head,
            taken: 0,
        })
    }

    /// Fails unless the file still begins as it did.
    fn check(&self, pattern: &FilePattern) -> Result<(), ConnectorError> {
        let what = pattern.shown(self.path.as_ref());
        let changed = |message: &str| ConnectorError::Changed { what: what.clone(), message: message.to_string() };
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(changed("it was removed")),
            Err(error) => return Err(super::io_error(error, &what)),
        };
        let stamp = Stamp::of(&file.metadata().map_err(|error| super::io_error(error, &what))?);
        if stamp.size < self.size.max(self.taken) {
            return Err(changed("it has become shorter"));
        }
        if stamp.size == self.size && stamp.modified != self.modified {
            return Err(changed("it was written again"));
        }
        let head = fingerprint(&file, self.size.min(HEAD)).map_err(|error| super::io_error(error, &what))?;
        if head != self.head {
            return Err(changed("it begins differently"));
        }
        Ok(())
    }
}
