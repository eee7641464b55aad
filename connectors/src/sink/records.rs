//! Files of records in folders that stand for values.

use std::fs::File;
use std::io::{self, Read, Write};

use tidebook_plan::connector::SinkRequest;
use tidebook_plan::{Column, Schema};

use super::encode::{Encoder, Encoding};
use super::folder::{FileEncoding, Rows, Written};
use super::target::Compression;

/// How the files are written: compressed ones get a further member or frame with each commit.
pub struct RecordFiles {
    encoder: Encoder,
    compression: Compression,
    extension: String,
}

impl RecordFiles {
    /// How the names of the files of a sink end.
    pub fn extension(request: &SinkRequest) -> String {
        format!("{}{}", request.connector, compression(request).ending())
    }

    /// The encoding of rows with these columns.
    pub fn new(request: &SinkRequest, encoding: Encoding, columns: Vec<Column>) -> RecordFiles {
        let encoder = Encoder::new(encoding, &Schema { columns, key: Vec::new() });
        RecordFiles { encoder, compression: compression(request), extension: RecordFiles::extension(request) }
    }

    fn records(&self, out: &mut dyn Write, rows: &mut Rows<'_>) -> io::Result<()> {
        let mut records = Vec::new();
        for batch in rows {
            let batch = batch?;
            records.clear();
            (0..batch.num_rows()).for_each(|row| self.encoder.record(&mut records, &batch, row, &[]));
            out.write_all(&records)?;
        }
        Ok(())
    }
}

fn compression(request: &SinkRequest) -> Compression {
    Compression::of(&request.options, request.options.text("path").unwrap_or_default().as_ref())
}

impl FileEncoding for RecordFiles {
    fn extension(&self) -> &str {
        &self.extension
    }

    fn write(&self, out: &mut (dyn Write + Send), rows: &mut Rows<'_>) -> io::Result<()> {
        self.compression.write(out, |out| {
            out.write_all(&self.encoder.header(&[]))?;
            self.records(out, rows)
        })
    }

    fn extend(&self, former: &Written, out: &mut (dyn Write + Send), rows: &mut Rows<'_>) -> io::Result<()> {
        let copied = io::copy(&mut File::open(&former.path)?.take(former.bytes), out)?;
        if copied < former.bytes {
            let message = format!("{copied} bytes where {} were written: another program writes to it", former.bytes);
            return Err(io::Error::other(message));
        }
        self.compression.write(out, |out| self.records(out, rows))
    }
}
