//! Formats turn bytes into Arrow and back; they know nothing of files or sockets.
//!
//! A [`Decode`] takes whole records from the front of a buffer and appends them to a [`RowBuffer`], straight into typed
//! columns. A record that is not what the schema says becomes a [`SourceError`] and leaves the columns as they were.
//!
//! [`SourceError`]: tidebook_plan::connector::SourceError

#[macro_use]
pub mod time_format;

pub mod clock;
mod column;
pub mod csv;
mod infer;
pub mod json;
pub mod jsonl;
mod metadata;
mod push;
mod rows;
pub mod scalar;
mod shape;
#[cfg(test)]
mod testing;
pub mod text;
pub mod value;

use tidebook_plan::connector::{ConnectorError, Options, SourceField, SourceSpec};

pub(crate) use column::ColumnBuilder;
pub use infer::SAMPLE_BYTES;
pub use metadata::{FileFacts, MetadataColumns};
pub(crate) use push::{push_json, push_text};
pub use rows::{Cell, Decoded, RowBuffer};
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
    /// What the input has said so far that is needed to understand the rest.
    pub state: Option<DecoderState>,
    /// Bytes behind the offset that were looked at and have no whole record, so that a record that comes in small pieces
    /// is not looked at again for each of them.
    pub open: usize,
}

/// What a decoder remembers of the beginning of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecoderState {
    /// Of delimited text, where the columns stand.
    Delimited(csv::Layout),
    /// Of JSON documents, what comes next.
    Documents(json::Stage),
}

/// Turns bytes into rows.
pub trait Decode: Send {
    /// Takes whole records from the front of `data`, until `out` is full, and gives the number of bytes taken, which
    /// it also adds to `position`. With `last`, nothing follows `data`: its last record needs no newline.
    fn decode(&self, data: &[u8], last: bool, position: &mut Position, out: &mut RowBuffer) -> usize;

    /// What ends every record, so that one that is too long can be passed over; `None` where only the record itself
    /// tells its end, so that nothing behind one that is too long can be read.
    fn separator(&self) -> Option<&[u8]> {
        Some(b"\n")
    }

    /// True if what was decoded stays right when more bytes follow: a file that grows is then read on.
    fn can_continue(&self) -> bool {
        true
    }
}

/// The first bytes of an input.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// The bytes.
    pub bytes: &'a [u8],
    /// True if they are all there is.
    pub whole: bool,
    /// What messages call the input.
    pub origin: &'a str,
}

impl Sample<'_> {
    /// An error about the input.
    pub fn fault(&self, message: String) -> ConnectorError {
        ConnectorError::Format { what: self.origin.to_string(), message }
    }
}

/// A format whose rows are read from a stream of bytes, record by record.
pub trait StreamFormat: Send + Sync {
    /// The decoder for a use of the format.
    ///
    /// # Errors
    /// Where an option of the format, or a column, makes no sense.
    fn decoder(&self, spec: &SourceSpec) -> Result<Box<dyn Decode>, ConnectorError>;

    /// The columns that a sample shows.
    ///
    /// # Errors
    /// Where the sample has no row, or is not of the format.
    fn infer(&self, sample: &Sample<'_>, options: &Options) -> Result<Vec<SourceField>, ConnectorError>;

    /// Checks that a sample has every column that has to be there: said at once it is better than as an error row.
    ///
    /// # Errors
    /// Names the first column that is missing.
    fn check(&self, _sample: &Sample<'_>, _options: &Options, _shape: &Shape) -> Result<(), ConnectorError> {
        Ok(())
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
