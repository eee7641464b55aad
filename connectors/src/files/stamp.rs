//! How to tell cheaply whether a file is what it was: size, time and identity, and a hash of its first bytes and of
//! those before a position.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::time::SystemTime;

/// Bytes at either end that are hashed. A file of at most twice this is compared whole.
const SPAN: u64 = 16 << 10;

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
