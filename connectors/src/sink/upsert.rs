//! A file that always equals the table's current rows, in the order of the key.

use arrow_row::{RowConverter, SortField};
use tidebook_plan::ChangeBatch;
use tidebook_plan::connector::{ConnectorError, Sink, SinkRequest};

use super::current::CurrentRows;
use super::encode::{Encoder, Encoding};
use super::target::Target;

/// Writes the whole table on every commit that changes it.
pub struct UpsertFile {
    target: Target,
    encoder: Encoder,
    converter: RowConverter,
    key: Vec<usize>,
    rows: CurrentRows,
}

impl UpsertFile {
    /// A writer of a table that is still empty.
    ///
    /// # Errors
    /// Where the table has no key, or the file cannot be written.
    pub fn open(request: &SinkRequest, encoding: Encoding) -> Result<UpsertFile, ConnectorError> {
        let schema = &request.schema;
        if schema.key.is_empty() {
            let message = "`upsert` needs a table with a key: add the step `key by`".to_string();
            return Err(ConnectorError::Option { option: "mode", message });
        }
        let fields = schema.key.iter().map(|column| SortField::new(schema.columns[*column].ty.ty.to_arrow()));
        let target = Target::new(request)?;
        let converter = RowConverter::new(fields.collect()).map_err(|error| key_error(&request.connector, &error))?;
        let encoder = Encoder::new(encoding, schema);
        Ok(UpsertFile { target, encoder, converter, key: schema.key.clone(), rows: CurrentRows::default() })
    }
}

impl Sink for UpsertFile {
    fn write(&mut self, epoch: u64, changes: &ChangeBatch) -> Result<(), ConnectorError> {
        let columns: Vec<_> = self.key.iter().map(|column| changes.rows.column(*column).clone()).collect();
        let keys = self.converter.convert_columns(&columns).map_err(|error| key_error("upsert", &error))?;
        for (row, key) in keys.iter().enumerate() {
            let mut record = Vec::new();
            self.encoder.record(&mut record, &changes.rows, row, &[]);
            self.rows.stage(epoch, key.as_ref().into(), record.into(), changes.diff(row));
        }
        Ok(())
    }

    fn commit(&mut self, epoch: u64) -> Result<(), ConnectorError> {
        let show = |record: &[u8]| String::from_utf8_lossy(record).trim_end().to_string();
        let mut outcome = self.rows.outcome(epoch, show)?;
        if !outcome.is_empty() || !self.target.is_there() {
            self.rows.swap(&mut outcome);
            let header = self.encoder.header(&[]);
            let rows = &self.rows;
            let written = self.target.replace(|out| {
                out.write_all(&header)?;
                rows.records().try_for_each(|record| out.write_all(record))
            });
            if let Err(error) = written {
                self.rows.swap(&mut outcome);
                return Err(error);
            }
        }
        self.rows.committed(epoch);
        Ok(())
    }
}

pub(super) fn key_error(what: &str, error: &arrow_schema::ArrowError) -> ConnectorError {
    ConnectorError::Format { what: what.to_string(), message: format!("its key cannot be ordered: {error}") }
}
