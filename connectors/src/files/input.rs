//! A file that is read from a position on, in large chunks through one buffer.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use super::layers::{Bytes, Layers};
use super::stamp::ContentHash;
use crate::format::{Decode, Position, RECORD_BYTES, RowBuffer};

/// Bytes read at once. Large enough that a batch pays for its overhead, small enough to stay in the processor's cache.
const CHUNK: usize = 1 << 20;

/// An open file on its way through a decoder.
pub struct InputFile {
    file: Arc<File>,
    bytes: Bytes,
    buffer: Vec<u8>,
    /// The bytes of `buffer` that were read and not yet taken.
    start: usize,
    end: usize,
    /// Where the decoder stands, in the bytes that it sees.
    pub position: Position,
    /// Bytes that may be read; the rest is as if it were not there.
    limit: u64,
    /// True if the decoder needs more than the buffer holds.
    hungry: bool,
    at_end: bool,
    /// Why the file ends here, though it should not.
    damage: Option<io::Error>,
    /// True while the rest of an oversized record is passed over.
    skipping: bool,
    /// How what was taken ends.
    pub ending: Ending,
    /// Of everything that was read, where that is asked for.
    hash: Option<ContentHash>,
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
    /// Reads `file` from `position` on; only a plain file has been read to another one than its start. The buffer is one
    /// that an earlier file has left, or a new one.
    ///
    /// # Errors
    /// Where the position cannot be reached.
    pub fn new(
        path: &Path,
        file: Arc<File>,
        layers: &Layers,
        mut position: Position,
        mut buffer: Vec<u8>,
    ) -> io::Result<InputFile> {
        // Nothing was looked at of what this reader gives.
        position.open = 0;
        let bytes = layers.open(path, &file)?;
        if position.offset > 0 {
            file.as_ref().seek(SeekFrom::Start(position.offset))?;
        }
        if buffer.len() < CHUNK {
            buffer.resize(CHUNK, 0);
        }
        Ok(InputFile {
            file,
            bytes,
            buffer,
            start: 0,
            end: 0,
            position,
            limit: u64::MAX,
            hungry: true,
            at_end: false,
            damage: None,
            skipping: false,
            ending: Ending::Whole,
            hash: None,
        })
    }

    /// True if positions are positions in the file itself, so that it can be read on from one.
    pub fn is_plain(&self) -> bool {
        self.bytes.plain
    }

    /// The encoding that the text should be in.
    pub fn encoding(&self) -> &'static str {
        self.bytes.encoding
    }

    /// The buffer, for the next file. An oversized one is given up.
    pub fn into_buffer(self) -> Vec<u8> {
        if self.buffer.len() > CHUNK { Vec::new() } else { self.buffer }
    }

    /// Bytes that were read, but are no whole record yet.
    pub fn unfinished(&self) -> u64 {
        (self.end - self.start) as u64
    }

    /// True if it is known that nothing is left of the file, as it is now.
    pub fn is_exhausted(&self) -> bool {
        if self.unfinished() > 0 {
            return false;
        }
        if !self.bytes.plain {
            return self.at_end && self.damage.is_none();
        }
        let size = self.file.metadata().map_or(u64::MAX, |metadata| metadata.len());
        self.position.offset >= size.min(self.limit)
    }

    /// Reads no further than `limit` bytes from the start, which is the end of a record.
    pub fn set_limit(&mut self, limit: u64) {
        self.limit = limit;
        self.at_end = false;
    }

    /// Looks for more bytes, though there were none before.
    pub fn look_again(&mut self) {
        self.at_end = false;
        self.hungry = true;
    }

    /// Hashes everything that is read from now on, if that is the file's own bytes.
    pub fn hash(&mut self) {
        self.hash = self.bytes.plain.then(ContentHash::default);
    }

    /// The hash of everything that was read, if it was asked for.
    pub fn content_hash(&self) -> Option<ContentHash> {
        self.hash
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
                if self.pass_over(decoder) {
                    continue;
                }
                return Ok(match self.damage.take() {
                    Some(damage) => {
                        self.give_up(&damage, out);
                        Progress::More
                    }
                    None => Progress::End,
                });
            }
            let data = &self.buffer[self.start..self.end];
            let mut taken = decoder.decode(data, false, &mut self.position, out);
            if taken == 0
                && self.at_end
                && let Some(damage) = self.damage.take()
            {
                self.give_up(&damage, out);
                return Ok(Progress::More);
            }
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

    /// Passes over what is left of an oversized record; false where that is everything.
    fn pass_over(&mut self, decoder: &dyn Decode) -> bool {
        let rest = &self.buffer[self.start..self.end];
        let (taken, found) = match decoder.separator() {
            None => (rest.len(), false),
            Some(separator) => match memchr::memmem::find(rest, separator) {
                Some(at) => (at + separator.len(), true),
                // The separator may have begun.
                None => (rest.len().saturating_sub(separator.len() - 1), false),
            },
        };
        self.start += taken;
        self.position.offset += taken as u64;
        self.skipping = !found;
        self.hungry = !found;
        found || !self.at_end
    }

    /// Ends the file where its compressed data is damaged.
    fn give_up(&mut self, damage: &io::Error, out: &mut RowBuffer) {
        let message = match damage.kind() {
            io::ErrorKind::UnexpectedEof => "the compressed data is cut short".to_string(),
            _ => format!("the compressed data is damaged ({damage})"),
        };
        let rest = &self.buffer[self.start..self.end];
        let text = (!rest.is_empty()).then_some(rest);
        out.push_error(Some(self.position.line + 1), text, format!("{message}; what follows is not read"));
        self.position.offset += self.unfinished();
        self.start = self.end;
        self.at_end = true;
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
        let room = &mut self.buffer[self.end..self.end + room];
        let mut filled = 0;
        while filled < room.len() {
            match self.bytes.reader.read(&mut room[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if self.bytes.plain || error.raw_os_error().is_some() => return Err(error),
                Err(error) => {
                    self.damage = Some(error);
                    break;
                }
            }
            // Decompressors give little at a time, a file all that fits.
            if self.bytes.plain {
                break;
            }
        }
        if let Some(hash) = &mut self.hash {
            hash.add(&self.buffer[self.end..self.end + filled]);
        }
        self.at_end = filled == 0 || self.damage.is_some();
        self.end += filled;
        Ok(())
    }
}
