//! A file that is read from a position on, in large chunks through one buffer.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::format::{Decode, Position, RECORD_BYTES, RowBuffer};

/// Bytes read at once. Large enough that a batch pays for its overhead, small enough to stay in the processor's cache.
const CHUNK: usize = 1 << 20;

/// An open file on its way through a decoder.
pub struct InputFile {
    file: File,
    buffer: Vec<u8>,
    /// The bytes of `buffer` that were read and not yet taken.
    start: usize,
    end: usize,
    /// Where the decoder stands.
    pub position: Position,
    /// Bytes of the file that may be read; the rest is as if it were not there.
    limit: u64,
    /// True if the decoder needs more than the buffer holds.
    hungry: bool,
    at_end: bool,
    /// True while the rest of an oversized line is passed over.
    skipping: bool,
    /// How what was taken ends.
    pub ending: Ending,
}

/// How the part of a file that was taken ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With a whole record and its newline.
    Whole,
    /// With a record that lacks its newline: it stays right if a newline comes next.
    OpenLine,
    /// With something that is wrong unless the file ends here.
    Doubtful,
}

/// What a step found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Something was taken; there may be more.
    More,
    /// Nothing more can be taken now.
    End,
}

impl InputFile {
    /// Reads `file` from `position` on. The buffer is one that an earlier file has left, or a new one.
    ///
    /// # Errors
    /// Where the position cannot be reached.
    pub fn new(mut file: File, position: Position, mut buffer: Vec<u8>) -> io::Result<InputFile> {
        file.seek(SeekFrom::Start(position.offset))?;
        if buffer.len() < CHUNK {
            buffer.resize(CHUNK, 0);
        }
        Ok(InputFile {
            file,
            buffer,
            start: 0,
            end: 0,
            position,
            limit: u64::MAX,
            hungry: true,
            at_end: false,
            skipping: false,
            ending: Ending::Whole,
        })
    }

    /// Opens a file at its start.
    ///
    /// # Errors
    /// Where it cannot be opened.
    pub fn open(path: &Path, buffer: Vec<u8>) -> io::Result<InputFile> {
        InputFile::new(File::open(path)?, Position::default(), buffer)
    }

    /// The file.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// The buffer, for the next file. An oversized one is given up.
    pub fn into_buffer(self) -> Vec<u8> {
        if self.buffer.len() > CHUNK { Vec::new() } else { self.buffer }
    }

    /// Bytes that were read, but are no whole record yet.
    pub fn unfinished(&self) -> u64 {
        (self.end - self.start) as u64
    }

    /// True if nothing is left of the file, as it is now.
    pub fn is_exhausted(&self) -> bool {
        let size = self.file.metadata().map_or(u64::MAX, |metadata| metadata.len());
        self.unfinished() == 0 && self.position.offset >= size.min(self.limit)
    }

    /// Reads no further than `limit` bytes from the start of the file, which is the end of a record.
    pub fn set_limit(&mut self, limit: u64) {
        self.limit = limit;
        self.at_end = false;
    }

    /// Looks for more bytes, though there were none before.
    pub fn look_again(&mut self) {
        self.at_end = false;
        self.hungry = true;
    }

    /// Takes one chunk into `out`. With `last`, a record at the end needs no newline.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn step(&mut self, decoder: &dyn Decode, last: bool, out: &mut RowBuffer) -> io::Result<Progress> {
        loop {
            if self.ending != Ending::Whole && self.start == self.end {
                // What comes behind a record without newline may belong to it: that is not for this reading to say.
                return Ok(Progress::End);
            }
            if self.hungry && !self.at_end {
                self.fill()?;
            }
            if self.skipping {
                let rest = &self.buffer[self.start..self.end];
                let newline = memchr::memchr(b'\n', rest);
                let taken = newline.map_or(rest.len(), |at| at + 1);
                self.start += taken;
                self.position.offset += taken as u64;
                self.skipping = newline.is_none();
                self.hungry = self.skipping;
                if self.skipping && self.at_end {
                    return Ok(Progress::End);
                }
                continue;
            }
            let data = &self.buffer[self.start..self.end];
            let mut taken = decoder.decode(data, false, &mut self.position, out);
            if taken == 0 && last && self.at_end && !data.is_empty() {
                let errors = out.errors();
                taken = decoder.decode(data, true, &mut self.position, out);
                let doubtful = out.errors() > errors || data[..taken].ends_with(b"\n");
                self.ending = if doubtful { Ending::Doubtful } else { Ending::OpenLine };
            }
            self.start += taken;
            if taken > 0 {
                self.hungry = !out.is_full();
                return Ok(Progress::More);
            }
            if self.at_end {
                return Ok(Progress::End);
            }
            if self.end - self.start >= RECORD_BYTES {
                self.position.line += 1;
                let head = &self.buffer[self.start..self.end];
                out.push_error(Some(self.position.line), Some(head), format!("longer than {} MB", RECORD_BYTES >> 20));
                self.skipping = true;
            } else {
                self.hungry = true;
            }
        }
    }

    /// Reads behind what the buffer still holds.
    fn fill(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.end == self.buffer.len() {
            self.buffer.resize((self.buffer.len() * 2).min(RECORD_BYTES + CHUNK), 0);
        }
        let allowed = self.limit.saturating_sub(self.position.offset + self.end as u64);
        let room = (self.buffer.len() - self.end).min(usize::try_from(allowed).unwrap_or(usize::MAX));
        let read = loop {
            match self.file.read(&mut self.buffer[self.end..self.end + room]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.end += read;
        self.at_end = read == 0;
        Ok(())
    }
}
