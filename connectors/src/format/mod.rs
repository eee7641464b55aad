//! Formats turn bytes into Arrow and back; they know nothing of files or sockets.
//!
//! A [`Decode`] takes whole records from the front of a buffer and appends them to a [`RowBuffer`], straight into typed
//! columns. A record that is not what the schema says becomes a [`SourceError`] and leaves the columns as they were.

pub mod clock;
mod column;
pub mod csv;
mod infer;
pub mod jsonl;
mod rows;
pub mod scalar;
mod shape;
#[cfg(test)]
mod testing;
pub mod value;

use tidebook_plan::connector::{ConnectorError, Options, SourceField, SourceSpec};

pub use infer::SAMPLE_BYTES;
pub use rows::{Decoded, RowBuffer};
pub use shape::Shape;

/// Rows and errors that a batch holds at most.
pub const BATCH_ROWS: usize = 65_536;
/// Bytes of the longest record; a longer one is an error row, so that memory stays level.
pub const RECORD_BYTES: usize = 16 << 20;

/// Where a decoder stands in one input: kept for each file, so that a file that grows is read on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Bytes taken.
    pub offset: u64,
    /// Lines taken.
    pub line: i64,
    /// What the input says of its columns, once that has been read.
    pub layout: Option<csv::Layout>,
}

/// Turns bytes into rows.
pub trait Decode: Send {
    /// Takes whole records from the front of `data`, until `out` is full, and gives the number of bytes taken, which
    /// it also adds to `position`. With `last`, nothing follows `data`: its last record needs no newline.
    fn decode(&self, data: &[u8], last: bool, position: &mut Position, out: &mut RowBuffer) -> usize;
}

/// A format that files can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFormat {
    /// Comma-separated values.
    Csv,
    /// One JSON object a line.
    Jsonl,
}

impl FileFormat {
    /// The decoder for a use of the format.
    ///
    /// # Errors
    /// Where an option of the format makes no sense.
    pub fn decoder(self, spec: &SourceSpec) -> Result<Box<dyn Decode>, ConnectorError> {
        Ok(match self {
            FileFormat::Csv => Box::new(csv::CsvDecoder::new(csv::Dialect::new(&spec.options)?)),
            FileFormat::Jsonl => Box::new(jsonl::JsonlDecoder),
        })
    }

    /// Checks that the header in a sample has every column that has to be there.
    ///
    /// # Errors
    /// Names the first that is missing.
    pub fn check_header(
        self,
        sample: &[u8],
        whole: bool,
        options: &Options,
        shape: &Shape,
        what: &str,
    ) -> Result<(), ConnectorError> {
        match self {
            FileFormat::Csv => csv::check_header(sample, whole, &csv::Dialect::new(options)?, shape)
                .map_err(|message| ConnectorError::Format { what: what.to_string(), message }),
            FileFormat::Jsonl => Ok(()),
        }
    }

    /// The columns that a sample shows. `whole` says that the sample is all there is.
    ///
    /// # Errors
    /// Where the sample has no row, or is not of the format.
    pub fn infer(
        self,
        sample: &[u8],
        whole: bool,
        options: &Options,
        what: &str,
    ) -> Result<Vec<SourceField>, ConnectorError> {
        let fields = match self {
            FileFormat::Csv => csv::infer(sample, whole, &csv::Dialect::new(options)?),
            FileFormat::Jsonl => jsonl::infer(sample, whole),
        };
        fields.map_err(|message| ConnectorError::Format { what: what.to_string(), message })
    }
}

/// Position of the first byte of `data` from `start` on that is not UTF-8, or past the end.
fn first_invalid(data: &[u8], start: usize) -> usize {
    match std::str::from_utf8(&data[start..]) {
        Ok(_) => data.len(),
        Err(error) => start + error.valid_up_to(),
    }
}

/// Bytes of the byte order mark that some programs put first.
const MARK: &[u8] = b"\xEF\xBB\xBF";
