//! Files that are followed for ever: what is in them is the table, at every moment.
//!
//! Each file is a segment. A new file gives its rows; a removed one takes them back; one that has changed takes them
//! back and gives the new ones; one that has only grown is read on, where its format can. Notices of the file system say
//! where to look, and a slow look at everything catches what they miss. What happened to a file is decided by looking at
//! the file alone, never by the kind of a notice, so that lost, doubled and reordered notices do no harm.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tidebook_plan::ChangeBatch;
use tidebook_plan::connector::{ConnectorError, Source, SourceBatch, SourceEvent, SourceSpec};

use super::input::{Ending, Progress};
use super::known::{Known, QUIET, Verdict};
use super::notices::FolderWatch;
use super::opening::{FileFormat, NamedFile, OpenFile, Opener, ReadError};
use super::pattern::FilePattern;
use super::stamp::{COVERED, Stamp, name_hash};
use crate::format::{Position, RowBuffer};

/// Between two looks at everything.
const SCAN: Duration = Duration::from_secs(2);
/// The same while a folder cannot be watched.
const SCAN_UNWATCHED: Duration = Duration::from_millis(200);
/// So many times as long as a look at everything takes, nothing is looked at: a folder of very many files costs little.
const REST: u32 = 10;

/// Follows files.
pub struct WatchedFiles {
    opener: Opener,
    out: RowBuffer,
    watch: FolderWatch,
    known: BTreeMap<PathBuf, Known>,
    /// Paths to look at, in order.
    waiting: BTreeSet<PathBuf>,
    /// Events that are ready.
    ready: VecDeque<SourceEvent>,
    current: Option<Reading>,
    next_scan: Instant,
    /// How long the last look at the folders took.
    scan_took: Duration,
    /// True while last lines count though they have no newline, whatever their age.
    hasty: bool,
}

/// A file that is being read.
struct Reading {
    path: PathBuf,
    file: OpenFile,
    /// What the file was before it was read.
    stamp: Stamp,
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
        // Watching begins before the first look, so that nothing falls between.
        let watch = FolderWatch::new(pattern.roots());
        let (opener, out) = Opener::new(spec, format, pattern)?;
        let mut files = WatchedFiles {
            opener,
            out,
            watch,
            known: BTreeMap::new(),
            waiting: BTreeSet::new(),
            ready: VecDeque::new(),
            current: None,
            next_scan: Instant::now(),
            scan_took: Duration::ZERO,
            hasty: false,
        };
        files.scan();
        Ok(files)
    }

    fn segment(&self, path: &Path) -> u64 {
        name_hash(&self.opener.pattern().shown(path))
    }

    /// Puts every file that is there, or was, on the list of those to look at.
    fn scan(&mut self) {
        let started = Instant::now();
        self.watch.renew();
        self.waiting.extend(self.opener.pattern().list());
        self.waiting.extend(self.known.keys().cloned());
        self.scan_took = started.elapsed();
        let pause = if self.watch.is_complete() { SCAN } else { SCAN_UNWATCHED };
        self.next_scan = Instant::now() + pause.max(self.scan_took * REST);
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
    fn look(&mut self, path: &Path) -> Result<(), ReadError> {
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
            Err(error) => return Err(error.into()),
        };
        let stamp = Stamp::of(&metadata);
        let Some(known) = self.known.get_mut(path) else {
            return self.begin(path, false);
        };
        if known.is_untouched(stamp, self.hasty) {
            return Ok(());
        }
        let named = NamedFile::open(path, self.opener.pattern(), None)?;
        let stamp = named.stamp()?;
        match known.look(&named.file, stamp, self.hasty)? {
            Verdict::Same => Ok(()),
            Verdict::Continue { position, last } => {
                let given = known.given;
                let file = self.opener.open_at(path, position, None, &mut self.out)?;
                self.current = Some(Reading { path: path.to_path_buf(), file, stamp, announced: false, given, last });
                Ok(())
            }
            Verdict::Replaced => {
                let announced = known.given;
                self.begin(path, announced)
            }
        }
    }

    /// Reads a file from the start. With `replaces`, its rows of before are taken back first.
    fn begin(&mut self, path: &Path, replaces: bool) -> Result<(), ReadError> {
        let mut file = self.opener.open(path, None, &mut self.out)?;
        let stamp = file.named.stamp()?;
        if stamp.is_fresh() && stamp.size > COVERED {
            file.hash();
        }
        if replaces {
            self.ready.push_back(SourceEvent::Retract { segment: self.segment(path), followed: true });
        }
        let path = path.to_path_buf();
        self.current = Some(Reading { path, file, stamp, announced: replaces, given: false, last: false });
        Ok(())
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
                    self.opener.close(reading.file);
                } else {
                    self.current = Some(reading);
                }
            }
            Err(error) => {
                if reading.announced || !self.out.is_empty() {
                    self.give(&mut reading);
                }
                // What was given of the file stands until the error takes its place.
                self.known.insert(reading.path.clone(), Known::failed(reading.given));
                self.fail(&reading.path, &error);
            }
        }
    }

    /// Makes a batch of what was read; the file counts as given from now on, also where it is already remembered.
    fn give(&mut self, reading: &mut Reading) {
        reading.announced = false;
        reading.given = true;
        let (position, _, _) = reading.file.stand();
        let batch = self.batch(&reading.path, &position);
        self.ready.push_back(batch);
        if let Some(known) = self.known.get_mut(&reading.path) {
            known.given = true;
        }
    }

    /// Takes one chunk; true if the file has been read as far as it goes.
    fn read_piece(&mut self, reading: &mut Reading) -> Result<bool, ReadError> {
        let before = reading.file.named.stamp()?;
        let last = reading.last || self.hasty || before.age() >= QUIET.as_nanos() as i64;
        if self.opener.step(&mut reading.file, last, &mut self.out)? == Progress::More {
            return Ok(false);
        }
        let can_continue = self.opener.can_continue(&reading.file, &self.out);
        let mut stamp = reading.file.named.stamp()?;
        let (position, ending, unfinished) = reading.file.stand();
        let mut waits = unfinished > 0 && !last;
        if !can_continue {
            // What was read is that of one moment only if nothing was written meanwhile.
            waits |= stamp != reading.stamp;
            stamp = reading.stamp;
        } else if ending != Ending::Whole {
            // If there is more by now, the next look decides what it means for the line that was taken.
            stamp.size = position.offset;
            self.waiting.insert(reading.path.clone());
        } else if stamp.size < position.offset {
            self.waiting.insert(reading.path.clone());
        } else if stamp.size > position.offset + unfinished || stamp.modified != before.modified {
            reading.file.look_again();
            return Ok(false);
        }
        let known = Known::new(&reading.file, stamp, can_continue, waits, reading.given)?;
        self.known.insert(reading.path.clone(), known);
        Ok(true)
    }

    fn batch(&mut self, path: &Path, position: &Position) -> SourceEvent {
        let decoded = self.out.take();
        let resume = serde_json::json!({
            "path": self.opener.pattern().shown(path), "offset": position.offset, "line": position.line,
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
    fn fail(&mut self, path: &Path, error: &ReadError) {
        if matches!(error, ReadError::Io(error) if error.kind() == io::ErrorKind::NotFound) {
            // It went away between two looks at it.
            self.forget(path);
            return;
        }
        let shown = self.opener.pattern().shown(path);
        match self.known.get_mut(path) {
            Some(known) if known.unreadable => return,
            Some(known) if known.given => {
                self.ready.push_back(SourceEvent::Retract { segment: name_hash(&shown), followed: true })
            }
            _ => {}
        }
        // The row of errors names the file; the log does not, since its path may be a secret.
        tracing::warn!(%error, "cannot read file");
        self.out.set_origin(&shown);
        self.out.push_error(None, None, format!("cannot be read: {error}"));
        let batch = self.batch(path, &Position::default());
        self.ready.push_back(batch);
        self.known.insert(path.to_path_buf(), Known::unreadable());
    }

    /// Notes where something happened, waiting for it until `deadline`.
    fn gather(&mut self, deadline: Instant) {
        let due = self.known.values().filter_map(Known::due).min();
        let deadline = due.map_or(deadline, |due| due.min(deadline)).min(self.next_scan);
        let notices = self.watch.take(deadline);
        let mut everything = notices.everything;
        for path in notices.paths {
            if self.opener.pattern().matches(&path) {
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
        let due = self.known.iter().filter(|(_, known)| known.due().is_some_and(|due| now >= due));
        self.waiting.extend(due.map(|(path, _)| path.clone()));
    }
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
