//! From a path to rows: what formats have to offer, and how a file of one is opened. Readers of lists of files and
//! followers of files know no format.
//!
//! A *stream* format ([`StreamFormat`]) decodes records from bytes that come one after the other; compression and
//! encodings are taken off on the way, and a file that grows is read on. A *whole* format ([`WholeFormat`]) gets the file
//! itself: it can seek, makes batches or rows as it likes, and is asked again for everything when the file changes.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tidebook_plan::connector::{ConnectorError, Options, SourceField, SourceSpec};

use super::input::{Ending, InputFile, Progress};
use super::layers::Layers;
use super::pattern::FilePattern;
use super::stamp::{ContentHash, Stamp};
use crate::format::{Decode, FileFacts, Position, RowBuffer, StreamFormat};

/// A format that files can have.
#[derive(Clone, Copy)]
pub enum FileFormat {
    /// Records one after the other.
    Stream(&'static dyn StreamFormat),
    /// Whole files.
    Whole(&'static dyn WholeFormat),
}

/// A format that needs whole files: since it seeks in them, or since a file is a row.
pub trait WholeFormat: Send + Sync {
    /// The columns of a file.
    ///
    /// # Errors
    /// Where the file is not of the format.
    fn describe(&self, file: &NamedFile, options: &Options) -> Result<Vec<SourceField>, ReadError>;

    /// Checks a use of the format, before any file is opened.
    ///
    /// # Errors
    /// Where an option or a column makes no sense.
    fn check(&self, _spec: &SourceSpec) -> Result<(), ConnectorError> {
        Ok(())
    }

    /// A reader of the file's rows, which fills the fields of `out.shape()`: all columns of `spec` but those that the
    /// file's metadata gives.
    ///
    /// # Errors
    /// Where the file cannot be read, is not of the format, or lacks a column.
    fn open(&self, file: &NamedFile, spec: &SourceSpec, out: &RowBuffer) -> Result<Box<dyn ReadRows>, ReadError>;
}

/// Rows of one file of a whole format.
pub trait ReadRows: Send {
    /// Adds the next rows to `out`, at most [`BATCH_ROWS`](crate::format::BATCH_ROWS), and the same ones each time that an unchanged file is
    /// read; false where there are none left.
    ///
    /// # Errors
    /// Where the file cannot be read, or is not what it seemed to be.
    fn read(&mut self, out: &mut RowBuffer) -> Result<bool, ReadError>;
}

/// An open file and what is known of it.
#[derive(Clone, Debug)]
pub struct NamedFile {
    /// Its absolute path.
    pub path: PathBuf,
    /// The file, which stands at its start. Clones share the position.
    pub file: Arc<File>,
    /// Its path as messages show it, its time and size.
    pub facts: Arc<FileFacts>,
}

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The operating system says so.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It is not what its format says.
    #[error("{0}")]
    Format(String),
}

impl ReadError {
    /// The failure to read `what`.
    pub fn of(self, what: &str) -> ConnectorError {
        match self {
            ReadError::Io(source) if source.kind() == io::ErrorKind::NotFound => {
                ConnectorError::Missing { what: what.to_string() }
            }
            ReadError::Io(source) => ConnectorError::Io { action: "read", what: what.to_string(), source },
            ReadError::Format(message) => ConnectorError::Format { what: what.to_string(), message },
        }
    }
}

/// Opens the files of one use of a source.
pub struct Opener {
    spec: SourceSpec,
    pattern: FilePattern,
    kind: Kind,
    /// Of the last stream, for the next one.
    buffer: Vec<u8>,
}

enum Kind {
    Stream { decoder: Box<dyn Decode>, layers: Layers },
    Whole(&'static dyn WholeFormat),
}

/// A file on its way to rows.
pub struct OpenFile {
    /// The file and what was known of it when it was opened.
    pub named: NamedFile,
    rows: Rows,
}

enum Rows {
    Stream(InputFile),
    Whole { reader: Box<dyn ReadRows>, taken: u64, limit: u64 },
}

impl Opener {
    /// What opens the files of a use of a source, and the buffer for their rows.
    ///
    /// # Errors
    /// Where an option or a column makes no sense.
    pub fn new(
        spec: &SourceSpec,
        format: FileFormat,
        pattern: FilePattern,
    ) -> Result<(Opener, RowBuffer), ConnectorError> {
        let out = RowBuffer::of_source(spec)?;
        let kind = match format {
            FileFormat::Stream(format) => {
                Kind::Stream { decoder: format.decoder(spec)?, layers: Layers::new(&spec.options)? }
            }
            FileFormat::Whole(format) => {
                format.check(spec)?;
                Kind::Whole(format)
            }
        };
        Ok((Opener { spec: spec.clone(), pattern, kind, buffer: Vec::new() }, out))
    }

    /// Which files are meant.
    pub fn pattern(&self) -> &FilePattern {
        &self.pattern
    }

    /// Opens a file to read it from its start. `facts` are those of an earlier reading that is repeated.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn open(
        &mut self,
        path: &Path,
        facts: Option<Arc<FileFacts>>,
        out: &mut RowBuffer,
    ) -> Result<OpenFile, ReadError> {
        self.open_at(path, Position::default(), facts, out)
    }

    /// Opens a file to read it from `position` on, where it was left before.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn open_at(
        &mut self,
        path: &Path,
        position: Position,
        facts: Option<Arc<FileFacts>>,
        out: &mut RowBuffer,
    ) -> Result<OpenFile, ReadError> {
        let named = NamedFile::open(path, &self.pattern, facts)?;
        out.begin_file(&named.facts, "UTF-8");
        let rows = match &self.kind {
            Kind::Stream { layers, .. } => {
                let buffer = std::mem::take(&mut self.buffer);
                let input = InputFile::new(path, Arc::clone(&named.file), layers, position, buffer)?;
                out.begin_file(&named.facts, input.encoding());
                Rows::Stream(input)
            }
            Kind::Whole(format) => {
                Rows::Whole { reader: format.open(&named, &self.spec, out)?, taken: 0, limit: u64::MAX }
            }
        };
        Ok(OpenFile { named, rows })
    }

    /// Takes one piece of a file into `out`. With `last`, a record at the end needs no newline.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn step(&self, file: &mut OpenFile, last: bool, out: &mut RowBuffer) -> Result<Progress, ReadError> {
        match (&mut file.rows, &self.kind) {
            (Rows::Stream(input), Kind::Stream { decoder, .. }) => Ok(input.step(decoder.as_ref(), last, out)?),
            (Rows::Whole { reader, taken, limit }, _) => {
                let before = out.rows() + out.errors();
                if *taken >= *limit || !reader.read(out)? {
                    return Ok(Progress::End);
                }
                *taken += (out.rows() + out.errors() - before) as u64;
                Ok(Progress::More)
            }
            (Rows::Stream(_), Kind::Whole(_)) => panic!("invariant: an opener reads the files that it has opened"),
        }
    }

    /// Takes back what the next file can use.
    pub fn close(&mut self, file: OpenFile) {
        if let Rows::Stream(input) = file.rows {
            self.buffer = input.into_buffer();
        }
    }

    /// True if the rows that were read of `file` stay right when it grows, so that it can be read on.
    pub fn can_continue(&self, file: &OpenFile, out: &RowBuffer) -> bool {
        match (&self.kind, &file.rows) {
            (Kind::Stream { decoder, .. }, Rows::Stream(input)) => {
                input.is_plain() && decoder.can_continue() && !out.changes_with_the_file()
            }
            _ => false,
        }
    }
}

impl NamedFile {
    /// Opens a file.
    ///
    /// # Errors
    /// Where it cannot be opened, or is a folder or a device.
    pub fn open(path: &Path, pattern: &FilePattern, facts: Option<Arc<FileFacts>>) -> io::Result<NamedFile> {
        // A pipe would keep whoever opens it waiting: only files are opened.
        if !std::fs::metadata(path)?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
        }
        let file = File::open(path)?;
        let facts = match facts {
            Some(facts) => facts,
            None => {
                let stamp = Stamp::of(&file.metadata()?);
                Arc::new(FileFacts::new(pattern.shown(path), stamp.modified, stamp.size))
            }
        };
        Ok(NamedFile { path: path.to_path_buf(), file: Arc::new(file), facts })
    }

    /// What `look` finds in the file, which stands afterwards where it stood before.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn keeping_position<T>(&self, look: impl FnOnce(&File) -> io::Result<T>) -> io::Result<T> {
        let mut file = self.file.as_ref();
        let position = file.stream_position()?;
        let found = look(file)?;
        file.seek(SeekFrom::Start(position))?;
        Ok(found)
    }

    /// What the file system says of the file now.
    ///
    /// # Errors
    /// Where it says nothing.
    pub fn stamp(&self) -> io::Result<Stamp> {
        Ok(Stamp::of(&self.file.metadata()?))
    }
}

impl OpenFile {
    /// How much was taken: bytes of the text of a stream, rows and errors of a whole file.
    pub fn taken(&self) -> u64 {
        match &self.rows {
            Rows::Stream(input) => input.position.offset,
            Rows::Whole { taken, .. } => *taken,
        }
    }

    /// Takes no more than so much in all.
    pub fn set_limit(&mut self, most: u64) {
        match &mut self.rows {
            Rows::Stream(input) => input.set_limit(most),
            Rows::Whole { limit, .. } => *limit = most,
        }
    }

    /// Looks for more, though there was none before.
    pub fn look_again(&mut self) {
        if let Rows::Stream(input) = &mut self.rows {
            input.look_again();
        }
    }

    /// True if it is known that nothing is left.
    pub fn is_exhausted(&self) -> bool {
        match &self.rows {
            Rows::Stream(input) => input.is_exhausted(),
            Rows::Whole { taken, limit, .. } => taken >= limit,
        }
    }

    /// Hashes everything that is read from now on, if that is the file's own bytes.
    pub fn hash(&mut self) {
        if let Rows::Stream(input) = &mut self.rows {
            input.hash();
        }
    }

    /// The hash of everything that was read, if it was asked for.
    pub fn content_hash(&self) -> Option<ContentHash> {
        match &self.rows {
            Rows::Stream(input) => input.content_hash(),
            Rows::Whole { .. } => None,
        }
    }

    /// Where the decoder of a stream stands, how what it took ends, and the bytes that are no whole record yet.
    pub fn stand(&self) -> (Position, Ending, u64) {
        match &self.rows {
            Rows::Stream(input) => (input.position.clone(), input.ending, input.unfinished()),
            Rows::Whole { .. } => (Position::default(), Ending::Whole, 0),
        }
    }
}
