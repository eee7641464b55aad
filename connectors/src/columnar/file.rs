//! A columnar file, opened: what its formats have in common.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::Schema;
use tidebook_plan::connector::ConnectorError;

use super::bytes::FileBytes;
use super::known::KnownFile;
use super::wanted::Wanted;
use super::{ipc, parquet};
use crate::files::{ReadError, Stamp};
use crate::format::Decoded;

/// Decoded bytes that a batch should have at most, so that wide rows come in smaller batches: dozens of batches wait for
/// an engine that is busy.
pub const BATCH_BYTES: usize = 2 << 20;

/// A format of columnar files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnarFormat {
    /// Apache Parquet.
    Parquet,
    /// Arrow's file and stream formats.
    Arrow,
}

/// A part of a file that is decoded by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Which row group; 0 where a file has no parts.
    pub group: usize,
    /// Number of its first row in the file, from 0.
    pub first: i64,
    /// True if it may have values that are wrong: everything is then read and looked at.
    pub checked: bool,
    /// Conditions that are not known to hold for all of its rows.
    pub conditions: Vec<usize>,
}

/// Takes rows and errors in order; false if no more are wanted.
pub type Take<'a> = dyn FnMut(Decoded) -> bool + 'a;

/// A file that is open and has the wanted columns.
pub trait ColumnarFile: Send + Sync {
    /// The parts that may have wanted rows, in order.
    fn units(&self) -> &[Unit];

    /// Decodes one part.
    ///
    /// # Errors
    /// Where the file is damaged or cannot be read.
    fn read(&self, unit: &Unit, take: &mut Take<'_>) -> Result<(), ConnectorError>;
}

/// An open file with what is known of it.
pub struct OpenFile {
    /// Its bytes.
    pub bytes: FileBytes,
    /// What it gives to its rows.
    pub known: KnownFile,
}

impl OpenFile {
    /// Opens a file.
    ///
    /// # Errors
    /// Where it cannot be opened.
    pub fn new(path: &Path, shown: &str, metadata: bool) -> Result<OpenFile, ConnectorError> {
        let failed = |error| ReadError::from(error).of(shown);
        // A pipe would keep whoever opens it waiting.
        if !std::fs::metadata(path).map_err(failed)?.is_file() {
            return Err(ConnectorError::Format { what: shown.to_string(), message: "is not a file".to_string() });
        }
        let file = Arc::new(File::open(path).map_err(failed)?);
        let stamp = Stamp::of(&file.metadata().map_err(failed)?);
        let known = KnownFile::new(path, shown.to_string(), stamp, metadata);
        Ok(OpenFile { bytes: FileBytes::new(file).map_err(failed)?, known })
    }

    /// An error about the file.
    pub fn fault(&self, message: impl Into<String>) -> ConnectorError {
        ConnectorError::Format { what: self.known.path.clone(), message: message.into() }
    }
}

impl ColumnarFormat {
    /// How the names of its files end.
    pub fn extension(self) -> &'static str {
        match self {
            ColumnarFormat::Parquet => "parquet",
            ColumnarFormat::Arrow => "arrow",
        }
    }

    /// The Arrow schema of a file.
    ///
    /// # Errors
    /// Where the file is not of the format.
    pub fn schema(self, file: &OpenFile) -> Result<Schema, ConnectorError> {
        guarded(file, || match self {
            ColumnarFormat::Parquet => parquet::schema(file),
            ColumnarFormat::Arrow => ipc::schema(file),
        })
    }

    /// The file as a source of the wanted columns.
    ///
    /// # Errors
    /// Where the file is not of the format, or lacks a column.
    pub fn open(self, file: OpenFile, wanted: &Arc<Wanted>) -> Result<Arc<dyn ColumnarFile>, ConnectorError> {
        let shown = file.known.path.clone();
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| -> Result<Arc<dyn ColumnarFile>, _> {
            Ok(match self {
                ColumnarFormat::Parquet => Arc::new(parquet::ParquetFile::open(file, wanted)?),
                ColumnarFormat::Arrow => Arc::new(ipc::ArrowFile::open(file, wanted)?),
            })
        }));
        outcome.unwrap_or_else(|_| Err(damaged(&shown)))
    }
}

/// Record batches as they stand in a file.
pub type Batches = Box<dyn Iterator<Item = io::Result<RecordBatch>>>;

/// The batches of a file that one of our sinks has written.
///
/// # Errors
/// Where the file cannot be read.
pub fn read_back(format: ColumnarFormat, path: &Path, shown: &str) -> Result<Batches, ConnectorError> {
    let file = OpenFile::new(path, shown, false)?;
    match format {
        ColumnarFormat::Parquet => parquet::read_back(&file),
        ColumnarFormat::Arrow => ipc::read_back(&file),
    }
}

/// Runs a decoder, which may panic over a damaged file.
fn guarded<T>(file: &OpenFile, work: impl FnOnce() -> Result<T, ConnectorError>) -> Result<T, ConnectorError> {
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
    outcome.unwrap_or_else(|_| Err(damaged(&file.known.path)))
}

/// An error about a file that no decoder understands.
pub fn damaged(what: &str) -> ConnectorError {
    ConnectorError::Format { what: what.to_string(), message: "the file is damaged".to_string() }
}
