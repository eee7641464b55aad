//! Files that always equal the table's current rows, in the order of the key.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;

use arrow_array::RecordBatch;
use arrow_row::{RowConverter, RowParser, SortField};
use tidebook_plan::connector::{ConnectorError, Sink, SinkRequest};
use tidebook_plan::{ChangeBatch, Schema};

use super::FileEncoding;
use super::commit::Commit;
use super::layout::Layout;
use crate::format::value::json_value;
use crate::sink::current::{Bytes, CurrentRows, Outcome};
use crate::sink::upsert::key_error;

/// Rows that are decoded at once.
const CHUNK: usize = 8_192;

/// Writes the files of all rows that a commit touches anew.
pub struct UpsertFiles {
    layout: Layout,
    encoding: Box<dyn FileEncoding>,
    schema: Schema,
    keys: RowConverter,
    rows: RowConverter,
    parser: RowParser,
    /// The rows of each folder, relative to the target.
    parts: BTreeMap<String, CurrentRows>,
    /// Folders that changes which are not visible yet belong to.
    touched: BTreeMap<u64, BTreeSet<String>>,
    begun: bool,
}

impl UpsertFiles {
    /// A writer of a table that is still empty.
    ///
    /// # Errors
    /// Where the table has no key, or its rows cannot be kept.
    pub fn open(
        request: &SinkRequest,
        layout: Layout,
        encoding: Box<dyn FileEncoding>,
    ) -> Result<UpsertFiles, ConnectorError> {
        let schema = request.schema.clone();
        if schema.key.is_empty() {
            let message = "`upsert` needs a table with a key: add the step `key by`".to_string();
            return Err(ConnectorError::Option { option: "mode", message });
        }
        let field = |column: usize| SortField::new(schema.columns[column].ty.ty.to_arrow());
        let failed = |error| key_error(&request.connector, &error);
        let keys = RowConverter::new(schema.key.iter().map(|column| field(*column)).collect()).map_err(failed)?;
        let rows = RowConverter::new((0..schema.columns.len()).map(field).collect()).map_err(failed)?;
        let parser = rows.parser();
        Ok(UpsertFiles {
            layout,
            encoding,
            schema,
            keys,
            rows,
            parser,
            parts: BTreeMap::new(),
            touched: BTreeMap::new(),
            begun: false,
        })
    }

    fn file(&self, folder: &str) -> PathBuf {
        if self.layout.single {
            self.layout.path.clone()
        } else {
            self.layout.folder(folder).join(format!("rows.{}", self.encoding.extension()))
        }
    }

    /// The rows of records.
    fn decode(&self, records: &[&Bytes]) -> io::Result<RecordBatch> {
        let rows = records.iter().map(|record| self.parser.parse(record));
        let columns = self.rows.convert_rows(rows).map_err(io::Error::other)?;
        RecordBatch::try_new(self.schema.to_arrow(), columns).map_err(io::Error::other)
    }

    fn show(&self, record: &[u8]) -> String {
        let record: Bytes = record.into();
        let Ok(batch) = self.decode(&[&record]) else { return String::new() };
        let columns = self.schema.columns.iter().zip(batch.columns());
        let object: serde_json::Map<_, _> =
            columns.map(|(c, array)| (c.name.clone(), json_value(array.as_ref(), 0, &c.ty.ty))).collect();
        serde_json::Value::Object(object).to_string()
    }

    /// Writes the file of a folder, or lets it go where no row is left.
    fn write_part(&self, commit: &mut Commit, folder: &str) -> Result<(), ConnectorError> {
        let empty = CurrentRows::default();
        let rows = self.parts.get(folder).unwrap_or(&empty);
        let path = self.file(folder);
        let records: Vec<&Bytes> = rows.records().collect();
        if records.is_empty() && !folder.is_empty() {
            commit.remove(path);
            return Ok(());
        }
        let mut batches = records.chunks(CHUNK).map(|records| Ok(self.layout.to_stored(&self.decode(records)?)));
        commit.write(path, &self.layout.shown, |out| self.encoding.write(out, &mut batches))?;
        Ok(())
    }

    fn publish(&self, folders: &BTreeSet<String>) -> Result<(), ConnectorError> {
        let mut commit = Commit::default();
        for folder in folders {
            self.write_part(&mut commit, folder)?;
        }
        if !self.layout.single && self.layout.is_partitioned() {
            // Without any partition an empty file says what the columns are.
            let none = self.parts.iter().all(|(folder, rows)| folder.is_empty() || rows.records().next().is_none());
            if none {
                self.write_part(&mut commit, "")?;
            } else {
                commit.remove(self.file(""));
            }
        }
        if !self.begun && !self.layout.single {
            let name = format!("rows.{}", self.encoding.extension());
            super::earlier(&self.layout.path, &|own| own == name).into_iter().for_each(|path| commit.remove(path));
        }
        commit.publish(&self.layout.shown)
    }
}

impl Sink for UpsertFiles {
    fn write(&mut self, epoch: u64, changes: &ChangeBatch) -> Result<(), ConnectorError> {
        for (folder, changes) in self.layout.split(changes) {
            let columns: Vec<_> = self.schema.key.iter().map(|column| changes.rows.column(*column).clone()).collect();
            let keys = self.keys.convert_columns(&columns).map_err(|error| key_error("upsert", &error))?;
            let rows =
                self.rows.convert_columns(changes.rows.columns()).map_err(|error| key_error("upsert", &error))?;
            let part = self.parts.entry(folder.clone()).or_default();
            for (row, (key, record)) in keys.iter().zip(rows.iter()).enumerate() {
                part.stage(epoch, key.as_ref().into(), record.as_ref().into(), changes.diff(row));
            }
            self.touched.entry(epoch).or_default().insert(folder);
        }
        Ok(())
    }

    fn commit(&mut self, epoch: u64) -> Result<(), ConnectorError> {
        let mut folders: BTreeSet<String> = self.touched.range(..=epoch).flat_map(|(_, f)| f.iter().cloned()).collect();
        let mut outcomes: Vec<(String, Outcome)> = Vec::new();
        for folder in &folders {
            if let Some(part) = self.parts.get(folder) {
                outcomes.push((folder.clone(), part.outcome(epoch, |record| self.show(record))?));
            }
        }
        if !self.begun && !self.layout.is_partitioned() {
            folders.insert(String::new());
        }
        let mut swap = |parts: &mut BTreeMap<String, CurrentRows>| {
            for (folder, outcome) in &mut outcomes {
                if let Some(part) = parts.get_mut(folder) {
                    part.swap(outcome);
                }
            }
        };
        swap(&mut self.parts);
        if !folders.is_empty() || !self.begun {
            if let Err(error) = self.publish(&folders) {
                swap(&mut self.parts);
                return Err(error);
            }
        }
        self.begun = true;
        self.parts.values_mut().for_each(|part| part.committed(epoch));
        self.parts.retain(|_, part| !part.is_empty());
        self.touched = self.touched.split_off(&(epoch + 1));
        Ok(())
    }
}
