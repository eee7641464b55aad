//! Positional reads of an open file.
//!
//! Several threads read one file at once, so nobody may depend on the file's own position. The file stays the one
//! that was opened, whatever is put in the place of its name meanwhile.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::sync::Arc;

use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

/// Bytes that small reads gather.
const BUFFER: usize = 64 << 10;

/// An open file that is read at any position.
#[derive(Clone, Debug)]
pub struct FileBytes {
    file: Arc<File>,
    length: u64,
}

impl FileBytes {
    /// The bytes of an open file, as many as it has now.
    ///
    /// # Errors
    /// Where the file's length cannot be told.
    pub fn new(file: Arc<File>) -> io::Result<FileBytes> {
        let length = file.metadata()?.len();
        Ok(FileBytes { file, length })
    }

    /// How many there are.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// A reader from `start` on.
    pub fn reader(&self, start: u64) -> BufReader<PositionalReader> {
        BufReader::with_capacity(
            BUFFER,
            PositionalReader { file: self.file.clone(), position: start, length: self.length },
        )
    }

    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        read_at(&self.file, buffer, position)
    }
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], position: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, position)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], position: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, position)
}

impl Length for FileBytes {
    fn len(&self) -> u64 {
        self.length
    }
}

impl ChunkReader for FileBytes {
    type T = BufReader<PositionalReader>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(self.reader(start))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        // A damaged file may ask for more than there is, or than there is memory for.
        if start.checked_add(length as u64).is_none_or(|end| end > self.length) {
            return Err(ParquetError::EOF(format!("{length} bytes at {start} lie behind the end of the file")));
        }
        let mut buffer = vec![0; length];
        let mut filled = 0;
        while filled < length {
            match self.read_at(&mut buffer[filled..], start + filled as u64) {
                Ok(0) => return Err(ParquetError::EOF("the file has become shorter".to_string())),
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(buffer.into())
    }
}

/// Reads a file from a position on.
#[derive(Debug)]
pub struct PositionalReader {
    file: Arc<File>,
    position: u64,
    length: u64,
}

impl Read for PositionalReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.length.saturating_sub(self.position).min(buffer.len() as u64) as usize;
        let read = read_at(&self.file, &mut buffer[..left], self.position)?;
        self.position += read as u64;
        Ok(read)
    }
}

impl io::Seek for PositionalReader {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        let position = match to {
            io::SeekFrom::Start(position) => Some(position),
            io::SeekFrom::End(offset) => self.length.checked_add_signed(offset),
            io::SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position =
            position.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a position before the file"))?;
        Ok(self.position)
    }
}
