//! Files that are followed for ever: what is in them is the table, at every moment.
//!
//! Each file is a segment. A new file gives its rows; a removed one takes them back; one that has changed takes them
//! back and gives the new ones; one that has only grown is read on. Notices of the file system say where to look, and a
//! slow look at everything catches what they miss. What happened to a file is decided by looking at the file alone,
//! never by the kind of a notice, so that lost, doubled and reordered notices do no harm.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tidebook_plan::ChangeBatch;
use tidebook_plan::connector::{ConnectorError, Source, SourceBatch, SourceEvent, SourceSpec};

use super::input::{Ending, InputFile, Progress};
use super::notices::FolderWatch;
use super::pattern::FilePattern;
use super::stamp::{Stamp, fingerprint, name_hash};
use crate::format::{Decode, FileFormat, Position, RowBuffer, Shape};

/// Between two looks at everything.
const SCAN: Duration = Duration::from_secs(2);
/// The same while a folder cannot be watched.
const SCAN_UNWATCHED: Duration = Duration::from_millis(200);
/// How long a file has to be left alone until its last line counts without a newline.
const QUIET: Duration = Duration::from_millis(200);
/// File systems keep times in steps. Within one, a file can change without showing it.
const TIME_STEP_NANOS: i64 = 50_000_000;

/// Follows files.
pub struct WatchedFiles {
    pattern: FilePattern,
    decoder: Box<dyn Decode>,
    out: RowBuffer,
    watch: FolderWatch,
    known: BTreeMap<PathBuf, Known>,
    /// Paths to look at, in order.
    waiting: BTreeSet<PathBuf>,
    /// Events that are ready.
    ready: VecDeque<SourceEvent>,
    current: Option<Reading>,
    buffer: Vec<u8>,
    next_scan: Instant,
    /// True while last lines count though they have no newline, whatever their age.
    hasty: bool,
}

/// A file that has been read.
struct Known {
    stamp: Stamp,
    position: Position,
    /// Of the bytes up to the position.
    print: u64,
    /// How what was taken ends.
    ending: Ending,
    /// When the bytes after the position count as a line, though they do not end with a newline.
    due: Option<Instant>,
    /// True if the file was last written so shortly before it was read that its time may hide a change.
    fresh: bool,
    /// True if it could not be read: its segment is one error.
    unreadable: bool,
    /// True if a batch of the segment was given since it was last taken back.
    given: bool,
}

/// A file that is being read.
struct Reading {
    path: PathBuf,
    input: InputFile,
    /// True if a batch has been announced, and must come even if it is empty.
    announced: bool,
    /// True if a batch of the segment was given before.
    given: bool,
    /// True if a last line counts without its newline: the file has been left alone for long enough.
    last: bool,
}

impl WatchedFiles {
    /// Follows the files of a pattern, of which there may be none yet.
    ///
    /// # Errors
    /// Where a file that is named without wildcards is not there, or the schema or an option makes no sense.
    pub fn open(spec: &SourceSpec, format: FileFormat, pattern: FilePattern) -> Result<WatchedFiles, ConnectorError> {
        if !pattern.is_wild() {
            pattern.list_some()?;
        }
        let shape = Shape::of_source(&spec.connector, &spec.fields)?;
        let mut files = WatchedFiles {
            decoder: format.decoder(spec)?,
            out: RowBuffer::new(&spec.schema(), shape),
            // Watching begins before the first look, so that nothing falls between.
            watch: FolderWatch::new(pattern.roots()),
            pattern,
            known: BTreeMap::new(),
            waiting: BTreeSet::new(),
            ready: VecDeque::new(),
            current: None,
            buffer: Vec::new(),
            next_scan: Instant::now(),
            hasty: false,
        };
        files.scan();
        Ok(files)
    }

    fn segment(&self, path: &Path) -> u64 {
        name_hash(&self.pattern.shown(path))
    }

    /// Puts every file that is there, or was, on the list of those to look at.
    fn scan(&mut self) {
        self.watch.renew();
        self.waiting.extend(self.pattern.list());
        self.waiting.extend(self.known.keys().cloned());
        self.next_scan = Instant::now() + if self.watch.is_complete() { SCAN } else { SCAN_UNWATCHED };
    }

    /// The next event that needs no waiting.
    fn advance(&mut self) -> Option<SourceEvent> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.current.is_some() {
                self.read_on();
                continue;
            }
            let path = self.waiting.pop_first()?;
            if let Err(error) = self.look(&path) {
                self.fail(&path, &error);
            }
        }
    }

    /// Finds out what has happened to a file.
    fn look(&mut self, path: &Path) -> io::Result<()> {
        let metadata = match std::fs::metadata(path) {
            Ok(metadata) if metadata.is_file() => metadata,
            Ok(_) => {
                self.forget(path);
                return Ok(());
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                self.forget(path);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let stamp = Stamp::of(&metadata);
        let Some(known) = self.known.get(path) else {
            let input = InputFile::new(File::open(path)?, Position::default(), std::mem::take(&mut self.buffer))?;
            self.begin(Reading { path: path.to_path_buf(), input, announced: false, given: false, last: false });
            return Ok(());
        };
        let due = known.due.is_some_and(|due| self.hasty || Instant::now() >= due);
        let quiet = stamp == known.stamp;
        if quiet && !due && !known.fresh {
            return Ok(());
        }
        let file = File::open(path)?;
        if !known.has_only_grown(&file, stamp)? {
            return self.replace(path, file);
        }
        let mut position = known.position.clone();
        if known.ending != Ending::Whole && stamp.size > position.offset {
            // The line that was taken without its newline must have been whole.
            match newline_at(&file, position.offset)? {
                Some(newline) if known.ending == Ending::OpenLine => position.offset += newline,
                _ => return self.replace(path, file),
            }
        }
        if stamp.size <= position.offset || (known.due.is_some() && stamp.size == known.stamp.size && !due) {
            if let Some(known) = self.known.get_mut(path) {
                known.fresh &= stamp.age() < TIME_STEP_NANOS;
                known.stamp = stamp;
            }
            return Ok(());
        }
        let (given, last) = (known.given, due && quiet);
        let input = InputFile::new(file, position, std::mem::take(&mut self.buffer))?;
        self.begin(Reading { path: path.to_path_buf(), input, announced: false, given, last });
        Ok(())
    }

    /// Takes back a file's rows and reads it from the start.
    fn replace(&mut self, path: &Path, file: File) -> io::Result<()> {
        let input = InputFile::new(file, Position::default(), std::mem::take(&mut self.buffer))?;
        let announced = self.known.get(path).is_some_and(|known| known.given);
        if announced {
            self.ready.push_back(SourceEvent::Retract { segment: self.segment(path), followed: true });
        }
        self.begin(Reading { path: path.to_path_buf(), input, announced, given: false, last: false });
        Ok(())
    }

    fn begin(&mut self, reading: Reading) {
        self.out.set_origin(&self.pattern.shown(&reading.path));
        self.current = Some(reading);
    }

    /// Reads a piece of the current file.
    fn read_on(&mut self) {
        let Some(mut reading) = self.current.take() else {
            return;
        };
        match self.read_piece(&mut reading) {
            Ok(over) => {
                if !self.out.is_empty() || (over && reading.announced) {
                    self.give(&mut reading);
                }
                if over {
                    self.buffer = reading.input.into_buffer();
                } else {
                    self.current = Some(reading);
                }
            }
            Err(error) => {
                if reading.announced || !self.out.is_empty() {
                    self.give(&mut reading);
                }
                // What was given of the file stands until the error takes its place.
                self.remember(&reading, Stamp::default(), 0, None);
                self.fail(&reading.path, &error);
            }
        }
    }

    /// Makes a batch of what was read; the file counts as given from now on, also where it is already remembered.
    fn give(&mut self, reading: &mut Reading) {
        reading.announced = false;
        reading.given = true;
        let batch = self.batch(&reading.path, &reading.input.position);
        self.ready.push_back(batch);
        if let Some(known) = self.known.get_mut(&reading.path) {
            known.given = true;
        }
    }

    /// Takes one chunk; true if the file has been read as far as it goes.
    fn read_piece(&mut self, reading: &mut Reading) -> io::Result<bool> {
        let before = Stamp::of(&reading.input.file().metadata()?);
        let last = reading.last || self.hasty || before.age() >= QUIET.as_nanos() as i64;
        let input = &mut reading.input;
        if input.step(self.decoder.as_ref(), last, &mut self.out)? == Progress::More {
            return Ok(false);
        }
        let mut stamp = Stamp::of(&input.file().metadata()?);
        if input.ending != Ending::Whole {
            // If there is more by now, the next look decides what it means for the line that was taken.
            stamp.size = input.position.offset;
            self.waiting.insert(reading.path.clone());
        } else if stamp.size > input.position.offset + input.unfinished() || stamp.modified != before.modified {
            input.look_again();
            return Ok(false);
        }
        let print = match fingerprint(input.file(), input.position.offset) {
            // It became shorter while it was read: the next look finds that out.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                self.waiting.insert(reading.path.clone());
                0
            }
            other => other?,
        };
        let due = (input.unfinished() > 0 && !last).then(|| {
            let age = Duration::from_nanos(stamp.age().max(0) as u64);
            Instant::now() + QUIET.saturating_sub(age)
        });
        self.remember(reading, stamp, print, due);
        Ok(true)
    }

    fn remember(&mut self, reading: &Reading, stamp: Stamp, print: u64, due: Option<Instant>) {
        let known = Known {
            stamp,
            position: reading.input.position.clone(),
            print,
            ending: reading.input.ending,
            due,
            fresh: stamp.age() < TIME_STEP_NANOS,
            unreadable: false,
            given: reading.given,
        };
        self.known.insert(reading.path.clone(), known);
    }

    fn batch(&mut self, path: &Path, position: &Position) -> SourceEvent {
        let decoded = self.out.take();
        let resume = serde_json::json!({
            "path": self.pattern.shown(path), "offset": position.offset, "line": position.line,
        });
        SourceEvent::Batch(SourceBatch {
            rows: ChangeBatch::inserts(decoded.rows),
            errors: decoded.errors,
            segment: Some(self.segment(path)),
            resume,
        })
    }

    /// Takes back the rows of a file that is gone.
    fn forget(&mut self, path: &Path) {
        if self.known.remove(path).is_some_and(|known| known.given) {
            self.ready.push_back(SourceEvent::Retract { segment: self.segment(path), followed: false });
        }
    }

    /// Puts one error in the place of a file that cannot be read; every look tries again.
    fn fail(&mut self, path: &Path, error: &io::Error) {
        let shown = self.pattern.shown(path);
        match self.known.get_mut(path) {
            Some(known) if known.unreadable => return,
            Some(known) if known.given => {
                self.ready.push_back(SourceEvent::Retract { segment: name_hash(&shown), followed: true })
            }
            _ => {}
        }
        tracing::warn!(path = %path.display(), %error, "cannot read file");
        self.out.set_origin(&shown);
        self.out.push_error(None, None, format!("cannot be read: {error}"));
        let batch = self.batch(path, &Position::default());
        self.ready.push_back(batch);
        let known = Known {
            stamp: Stamp::default(),
            position: Position::default(),
            print: 0,
            ending: Ending::Whole,
            due: None,
            fresh: true,
            unreadable: true,
            given: true,
        };
        self.known.insert(path.to_path_buf(), known);
    }

    /// Notes where something happened, waiting for it until `deadline`.
    fn gather(&mut self, deadline: Instant) {
        let due = self.known.values().filter_map(|known| known.due).min();
        let deadline = due.map_or(deadline, |due| due.min(deadline)).min(self.next_scan);
        let notices = self.watch.take(deadline);
        let mut everything = notices.everything;
        for path in notices.paths {
            if self.pattern.matches(&path) {
                self.waiting.insert(path);
            } else {
                self.watch.lose(&path);
                // Folders come and go with the files in them.
                everything |= path.is_dir() || self.known.keys().any(|known| known.starts_with(&path));
            }
        }
        let now = Instant::now();
        if everything || now >= self.next_scan {
            self.scan();
        }
        let due = self.known.iter().filter(|(_, known)| known.due.is_some_and(|due| now >= due));
        self.waiting.extend(due.map(|(path, _)| path.clone()));
    }
}

impl Known {
    /// True if the file still begins with the bytes that were read. Moves the file's position.
    fn has_only_grown(&self, file: &File, stamp: Stamp) -> io::Result<bool> {
        let end = self.position.offset;
        if self.unreadable || stamp.inode != self.stamp.inode || stamp.size < self.stamp.size.max(end) {
            return Ok(false);
        }
        // Written again without growing: the middle, which the fingerprint does not cover, may be another.
        if stamp.size == self.stamp.size && stamp.modified != self.stamp.modified {
            return Ok(false);
        }
        match fingerprint(file, end) {
            Ok(print) => Ok(print == self.print),
            // It has just become shorter.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// The length of the newline at `offset`, if there is one.
fn newline_at(mut file: &File, offset: u64) -> io::Result<Option<u64>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(offset))?;
    file.take(2).read_to_end(&mut bytes)?;
    Ok(match bytes.as_slice() {
        [b'\n', ..] => Some(1),
        [b'\r', b'\n'] => Some(2),
        _ => None,
    })
}

impl Source for WatchedFiles {
    fn next(&mut self, wait: Duration) -> Result<SourceEvent, ConnectorError> {
        let deadline = Instant::now() + wait;
        loop {
            if let Some(event) = self.advance() {
                return Ok(event);
            }
            // Also when the time is up: what has been noticed by now belongs before the next `Idle`.
            let over = Instant::now() >= deadline;
            self.gather(deadline);
            if over && self.waiting.is_empty() {
                self.hasty = false;
                return Ok(SourceEvent::Idle);
            }
        }
    }

    fn refresh(&mut self) {
        self.hasty = true;
        self.scan();
    }
}
