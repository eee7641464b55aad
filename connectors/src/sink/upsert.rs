//! A file that always equals the table's current rows, in the order of the key.

use std::collections::{BTreeMap, HashMap};

use arrow_row::{RowConverter, SortField};
use tidebook_plan::ChangeBatch;
use tidebook_plan::connector::{ConnectorError, Sink, SinkRequest};

use super::encode::{Encoder, Encoding};
use super::target::Target;

type Bytes = Box<[u8]>;

/// Writes the whole table on every commit that changes it.
pub struct UpsertFile {
    target: Target,
    encoder: Encoder,
    converter: RowConverter,
    key: Vec<usize>,
    /// The records of the table, by the order-preserving bytes of their keys.
    rows: BTreeMap<Bytes, Bytes>,
    /// Key, record and difference of changes that are not visible yet.
    staged: BTreeMap<u64, Vec<(Bytes, Bytes, i64)>>,
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
        Ok(UpsertFile {
            target,
            encoder,
            converter,
            key: schema.key.clone(),
            rows: BTreeMap::new(),
            staged: BTreeMap::new(),
        })
    }

    /// The rows that the touched keys have after `changes`: none or one each.
    fn outcome<'a>(
        &self,
        changes: impl Iterator<Item = &'a (Bytes, Bytes, i64)>,
    ) -> Result<Vec<(Bytes, Option<Bytes>)>, ConnectorError> {
        let mut keys: HashMap<&Bytes, Vec<(&Bytes, i64)>> = HashMap::new();
        for (key, record, diff) in changes {
            let records =
                keys.entry(key).or_insert_with(|| self.rows.get(key).map(|record| (record, 1)).into_iter().collect());
            match records.iter_mut().find(|(known, _)| *known == record) {
                Some((_, count)) => *count += diff,
                None => records.push((record, *diff)),
            }
        }
        let mut outcome = Vec::with_capacity(keys.len());
        for (key, records) in keys {
            let mut left = records.into_iter().filter(|(_, count)| *count != 0);
            let record = match (left.next(), left.next()) {
                (None, _) => None,
                (Some((record, 1)), None) => Some(record.clone()),
                (Some((record, _)), _) => {
                    let message =
                        format!("the key of {} has more than one row", String::from_utf8_lossy(record).trim_end());
                    return Err(ConnectorError::Format { what: "upsert".to_string(), message });
                }
            };
            outcome.push((key.clone(), record));
        }
        Ok(outcome)
    }

    /// Puts records in the place of others, which it leaves in `outcome`: done twice, it changes nothing.
    fn swap(&mut self, outcome: &mut [(Bytes, Option<Bytes>)]) {
        for (key, record) in outcome {
            let before = match record.take() {
                Some(record) => self.rows.insert(key.clone(), record),
                None => self.rows.remove(key),
            };
            *record = before;
        }
    }
}

impl Sink for UpsertFile {
    fn write(&mut self, epoch: u64, changes: &ChangeBatch) -> Result<(), ConnectorError> {
        let columns: Vec<_> = self.key.iter().map(|column| changes.rows.column(*column).clone()).collect();
        let keys = self.converter.convert_columns(&columns).map_err(|error| key_error("upsert", &error))?;
        let staged = self.staged.entry(epoch).or_default();
        for (row, key) in keys.iter().enumerate() {
            let mut record = Vec::new();
            self.encoder.record(&mut record, &changes.rows, row, &[]);
            staged.push((key.as_ref().into(), record.into(), changes.diff(row)));
        }
        Ok(())
    }

    fn commit(&mut self, epoch: u64) -> Result<(), ConnectorError> {
        let mut outcome = self.outcome(self.staged.range(..=epoch).flat_map(|(_, changes)| changes))?;
        if !outcome.is_empty() || !self.target.is_there() {
            self.swap(&mut outcome);
            let header = self.encoder.header(&[]);
            let rows = &self.rows;
            let written = self.target.replace(|out| {
                out.write_all(&header)?;
                rows.values().try_for_each(|record| out.write_all(record))
            });
            if let Err(error) = written {
                self.swap(&mut outcome);
                return Err(error);
            }
        }
        self.staged = self.staged.split_off(&(epoch + 1));
        Ok(())
    }
}

fn key_error(what: &str, error: &arrow_schema::ArrowError) -> ConnectorError {
    ConnectorError::Format { what: what.to_string(), message: format!("its key cannot be ordered: {error}") }
}
