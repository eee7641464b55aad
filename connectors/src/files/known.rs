//! What is remembered of a file that was read, and what a second look at the file says.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::time::{Duration, Instant};

use super::input::Ending;
use super::opening::OpenFile;
use super::stamp::{COVERED, ContentHash, Stamp, fingerprint};
use crate::format::Position;

/// How long a file has to be left alone until its last line counts without a newline.
pub const QUIET: Duration = Duration::from_millis(200);

/// A file that has been read.
pub struct Known {
    stamp: Stamp,
    /// Where a stream stands.
    position: Position,
    /// Bytes of the file that the print covers: those that were taken, or all.
    read: u64,
    print: u64,
    /// Of all that was read, where the print does not cover the middle and the time may hide a change.
    content: Option<ContentHash>,
    /// How what was taken ends.
    ending: Ending,
    /// When the bytes after the position count as a line, though they do not end with a newline.
    due: Option<Instant>,
    /// True if the file was last written so shortly before it was read that its time may hide a change.
    fresh: bool,
    /// True if what was read stays right when the file grows.
    can_continue: bool,
    /// True if it could not be read: its segment is one error.
    pub unreadable: bool,
    /// True if a batch of the segment was given since it was last taken back.
    pub given: bool,
}

/// What has to be done about a file that was read before.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing: it is what it was.
    Same,
    /// It has grown, or its last line counts now: it is read on. With `last`, the last line counts.
    Continue {
        /// From where.
        position: Position,
        /// Whether the last line counts.
        last: bool,
    },
    /// It is another one: its rows are taken back and it is read from the start.
    Replaced,
}

impl Known {
    /// A file that cannot be read, for which an error stands.
    pub fn unreadable() -> Known {
        Known {
            stamp: Stamp::default(),
            position: Position::default(),
            read: 0,
            print: 0,
            content: None,
            ending: Ending::Whole,
            due: None,
            fresh: true,
            can_continue: false,
            unreadable: true,
            given: true,
        }
    }

    /// A file that was `stamp` and has been read as far as it went. With `waits`, it is looked at again once it has been
    /// quiet: the bytes after its last whole line count then.
    ///
    /// # Errors
    /// Where it cannot be read again.
    pub fn new(file: &OpenFile, stamp: Stamp, can_continue: bool, waits: bool, given: bool) -> io::Result<Known> {
        let (position, ending, _) = file.stand();
        let read = if can_continue { position.offset } else { stamp.size };
        let print = match fingerprint(&file.named.file, read) {
            // It became shorter while it was read: the next look finds that out.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => 0,
            other => other?,
        };
        let due = waits.then(|| {
            let age = Duration::from_nanos(stamp.age().max(0) as u64);
            Instant::now() + QUIET.saturating_sub(age)
        });
        let content = file.content_hash();
        let fresh = stamp.is_fresh();
        Ok(Known { stamp, position, read, print, content, ending, due, fresh, can_continue, unreadable: false, given })
    }

    /// A file that could not be read to its end: what was given of it stands until an error takes its place.
    pub fn failed(given: bool) -> Known {
        Known { unreadable: false, given, ..Known::unreadable() }
    }

    /// When it should be looked at again, though nothing may have happened.
    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    /// True if a look at the file itself would tell nothing new.
    pub fn is_untouched(&self, stamp: Stamp, hasty: bool) -> bool {
        stamp == self.stamp && !self.is_due(hasty) && !self.fresh
    }

    fn is_due(&self, hasty: bool) -> bool {
        self.due.is_some_and(|due| hasty || Instant::now() >= due)
    }

    /// What has become of the file, which is `stamp` now. `hasty` says that last lines count whatever their age.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn look(&mut self, file: &File, stamp: Stamp, hasty: bool) -> io::Result<Verdict> {
        let due = self.is_due(hasty);
        let quiet = stamp == self.stamp;
        if !self.has_only_grown(file, stamp)? {
            return Ok(Verdict::Replaced);
        }
        if !self.can_continue {
            self.fresh &= stamp.is_fresh();
            return Ok(if due { Verdict::Replaced } else { Verdict::Same });
        }
        let mut position = self.position.clone();
        if self.ending != Ending::Whole && stamp.size > position.offset {
            // The line that was taken without its newline must have been whole.
            match newline_at(file, position.offset)? {
                Some(newline) if self.ending == Ending::OpenLine => position.offset += newline,
                _ => return Ok(Verdict::Replaced),
            }
        }
        if stamp.size <= position.offset || (self.due.is_some() && stamp.size == self.stamp.size && !due) {
            self.fresh &= stamp.is_fresh();
            self.stamp = stamp;
            return Ok(Verdict::Same);
        }
        Ok(Verdict::Continue { position, last: due && quiet })
    }

    /// True if the file still begins with the bytes that were read. Moves the file's position.
    fn has_only_grown(&self, file: &File, stamp: Stamp) -> io::Result<bool> {
        if self.unreadable || stamp.inode != self.stamp.inode || stamp.size < self.stamp.size.max(self.read) {
            return Ok(false);
        }
        let quiet = stamp == self.stamp;
        // Written again without growing: the middle, which the fingerprint does not cover, may be another.
        if !quiet && (stamp.size == self.stamp.size || !self.can_continue) {
            return Ok(false);
        }
        match fingerprint(file, self.read) {
            Ok(print) if print != self.print => return Ok(false),
            Ok(_) => {}
            // It has just become shorter.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            Err(error) => return Err(error),
        }
        // Once the step of the clock is over in which it was read, a change that it hid shows in the middle.
        if self.fresh && quiet && !stamp.is_fresh() && self.read > COVERED {
            return match &self.content {
                Some(content) => content.is_of(file),
                // What cannot be compared is read once more.
                None => Ok(self.can_continue),
            };
        }
        Ok(true)
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
