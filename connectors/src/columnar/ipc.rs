//! Arrow's own formats: files (with a footer) and streams, told apart by their first bytes.
//!
//! Their values lie in the file as they lie in memory, so there is nothing to skip within a batch: of the columns that
//! are not wanted nothing is decoded, and the conditions are left to the plan above.

use std::io::{self, BufReader, Read};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_schema::{ArrowError, Schema, SchemaRef};
use tidebook_plan::connector::ConnectorError;

use super::bind::Binding;
use super::bytes::{FileBytes, PositionalReader};
use super::file::{self, ColumnarFile, OpenFile, Take, Unit};
use super::wanted::Wanted;
use crate::format::BATCH_ROWS;

/// How a file with a footer begins.
const MAGIC: &[u8] = b"ARROW1";

/// An Arrow file or stream that is open.
pub struct ArrowFile {
    bytes: FileBytes,
    binding: Binding,
    units: [Unit; 1],
}

/// The record batches of either format.
enum Batches {
    File(FileReader<BufReader<PositionalReader>>),
    Stream(StreamReader<BufReader<PositionalReader>>),
}

impl Batches {
    fn open(bytes: &FileBytes, columns: Option<Vec<usize>>) -> Result<Batches, ArrowError> {
        let mut head = [0; MAGIC.len()];
        let read = bytes.reader(0).read(&mut head).unwrap_or(0);
        if &head[..read] == MAGIC {
            return Ok(Batches::File(FileReader::try_new(bytes.reader(0), columns)?));
        }
        Ok(Batches::Stream(StreamReader::try_new(bytes.reader(0), columns)?))
    }

    fn schema(&self) -> SchemaRef {
        match self {
            Batches::File(reader) => reader.schema(),
            Batches::Stream(reader) => reader.schema(),
        }
    }
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Batches::File(reader) => reader.next(),
            Batches::Stream(reader) => reader.next(),
        }
    }
}

/// The Arrow schema of a file.
///
/// # Errors
/// Where it is no Arrow file.
pub fn schema(file: &OpenFile) -> Result<Schema, ConnectorError> {
    if file.bytes.length() == 0 {
        return Err(file.fault("is empty, expected an Arrow file"));
    }
    let batches = Batches::open(&file.bytes, None).map_err(|error| file.fault(message(&error)))?;
    Ok(batches.schema().as_ref().clone())
}

/// The batches as they stand in the file.
///
/// # Errors
/// Where it is no Arrow file.
pub fn read_back(file: &OpenFile) -> Result<file::Batches, ConnectorError> {
    let batches = Batches::open(&file.bytes, None).map_err(|error| file.fault(message(&error)))?;
    Ok(Box::new(batches.map(|batch| batch.map_err(io::Error::other))))
}

fn message(error: &ArrowError) -> String {
    format!("is no sound Arrow file: {error}")
}

impl ArrowFile {
    /// Reads the schema and finds the wanted columns in it.
    ///
    /// # Errors
    /// Where the file is no Arrow file, or lacks a column.
    pub fn open(file: OpenFile, wanted: &Arc<Wanted>) -> Result<ArrowFile, ConnectorError> {
        let binding = Binding::new(wanted.clone(), &schema(&file)?, &file.known)?;
        let units = [Unit { group: 0, first: 0, checked: true, conditions: Vec::new() }];
        Ok(ArrowFile { bytes: file.bytes, binding, units })
    }
}

impl ColumnarFile for ArrowFile {
    fn units(&self) -> &[Unit] {
        &self.units
    }

    fn read(&self, unit: &Unit, take: &mut Take<'_>) -> Result<(), ConnectorError> {
        let failed =
            |error: &ArrowError| ConnectorError::Format { what: self.binding.origin.clone(), message: message(error) };
        let columns = self.binding.columns(unit.checked);
        let mut first = unit.first;
        for batch in Batches::open(&self.bytes, Some(columns.clone())).map_err(|error| failed(&error))? {
            let batch = batch.map_err(|error| failed(&error))?;
            let mut done = 0;
            while done < batch.num_rows() {
                let piece = batch.slice(done, BATCH_ROWS.min(batch.num_rows() - done));
                done += piece.num_rows();
                let place = |column: usize| {
                    columns.iter().position(|known| *known == column).map(|place| piece.column(place).clone())
                };
                let decoded = self.binding.decode(&place, piece.num_rows(), first, unit.checked)?;
                first += piece.num_rows() as i64;
                if !take(decoded) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}
