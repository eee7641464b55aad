//! How to tell cheaply whether a file is what it was: size, time and identity, and a hash of its first bytes and of
//! those before a position.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::time::SystemTime;

/// Bytes at either end that are hashed.
const SPAN: u64 = 16 << 10;
/// Bytes of a file that a fingerprint covers whole.
pub const COVERED: u64 = 2 * SPAN;
/// File systems keep times in steps. Within one, a file can change without showing it.
const TIME_STEP_NANOS: i64 = 50_000_000;

/// What the file system says of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    /// Bytes.
    pub size: u64,
    /// When it was last written, in nanoseconds since 1970.
    pub modified: i64,
    /// Which file it is: another one can take over the path.
    pub inode: u64,
}

impl Stamp {
    /// The stamp in a file's metadata.
    pub fn of(metadata: &Metadata) -> Stamp {
        let modified = metadata.modified().ok().map_or(0, nanoseconds);
        Stamp { size: metadata.len(), modified, inode: inode(metadata) }
    }

    /// True if the file was written so shortly ago that its time may not show a further change.
    pub fn is_fresh(&self) -> bool {
        self.age() < TIME_STEP_NANOS
    }

    /// Nanoseconds since the file was last written.
    pub fn age(&self) -> i64 {
        nanoseconds(SystemTime::now()).saturating_sub(self.modified)
    }
}

fn nanoseconds(time: SystemTime) -> i64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

#[cfg(unix)]
fn inode(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode(_: &Metadata) -> u64 {
    0
}

/// A hash of the first bytes and of the last ones before `end`. Moves the file's position.
///
/// # Errors
/// Where the file cannot be read that far.
pub fn fingerprint(mut file: &File, end: u64) -> io::Result<u64> {
    let mut bytes = vec![0; end.min(SPAN) as usize];
    file.seek(SeekFrom::Start(0))?;
    file.read_exact(&mut bytes)?;
    let mut hash = fold(SEED, &bytes);
    if end > SPAN {
        file.seek(SeekFrom::Start(end - SPAN.min(end - SPAN)))?;
        bytes.truncate(SPAN.min(end - SPAN) as usize);
        file.read_exact(&mut bytes)?;
        hash = fold(hash, &bytes);
    }
    Ok(hash)
}

/// A hash of bytes that come in pieces of any size (FNV-1a).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentHash {
    hash: u64,
    length: u64,
}

impl Default for ContentHash {
    fn default() -> ContentHash {
        ContentHash { hash: 0xCBF2_9CE4_8422_2325, length: 0 }
    }
}

impl ContentHash {
    /// Adds bytes.
    pub fn add(&mut self, bytes: &[u8]) {
        self.hash = bytes.iter().fold(self.hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3));
        self.length += bytes.len() as u64;
    }

    /// True if `file` begins with the bytes that were hashed. Moves the file's position.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn is_of(&self, mut file: &File) -> io::Result<bool> {
        file.seek(SeekFrom::Start(0))?;
        let mut input = file.take(self.length);
        let mut found = ContentHash::default();
        let mut buffer = vec![0; 1 << 16];
        loop {
            match input.read(&mut buffer) {
                Ok(0) => return Ok(found == *self),
                Ok(read) => found.add(&buffer[..read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// A number for a name, the same in every process.
pub fn name_hash(name: &str) -> u64 {
    fold(SEED, name.as_bytes())
}

const SEED: u64 = 0x9E37_79B9_7F4A_7C15;

/// Multiply and rotate, eight bytes at a time. It tells edits apart; it is no defence against an adversary.
fn fold(seed: u64, bytes: &[u8]) -> u64 {
    let mut hash = seed ^ bytes.len() as u64;
    for chunk in bytes.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        hash = (hash ^ u64::from_le_bytes(word)).wrapping_mul(0xD6E8_FEB8_6659_FD93).rotate_left(29);
    }
    hash ^ (hash >> 32)
}
