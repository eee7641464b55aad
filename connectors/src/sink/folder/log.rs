//! Files that only grow: the rows of a table that never retracts, or all changes of any table.
//!
//! A columnar file cannot be added to, since its end says what is in it, and several files cannot be added to at once: a
//! file is written anew, its former rows first. In a folder only the newest file grows so, until it has enough rows; then
//! a file begins that is named after its first commit. So a commit costs little however long the log is, files are not
//! tiny, and each commit is one rename a folder.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::{Int64Array, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow_schema::{DataType, Field, Schema};
use arrow_select::take::take_record_batch;
use tidebook_plan::ChangeBatch;
use tidebook_plan::connector::{ConnectorError, Sink};

use super::commit::Commit;
use super::layout::Layout;
use super::{FileEncoding, Rows, Written};
use crate::sink::log::{DIFF, EPOCH};

/// Rows with which a file in a folder is no longer written anew.
const FULL: usize = 65_536;

/// Adds the rows of each commit.
pub struct LogFiles {
    layout: Layout,
    encoding: Box<dyn FileEncoding>,
    /// True if each row says its epoch and difference.
    changes: bool,
    /// Rows that are not visible yet, by folder.
    staged: BTreeMap<u64, Vec<(String, RecordBatch)>>,
    /// The file of each folder that was written last.
    newest: BTreeMap<String, Written>,
    /// Files that a commit has begun which failed: some may be in their place, and the next commit begins the same.
    begun: BTreeMap<String, PathBuf>,
}

impl LogFiles {
    /// A writer of new files.
    pub fn new(layout: Layout, encoding: Box<dyn FileEncoding>, changes: bool) -> LogFiles {
        LogFiles { layout, encoding, changes, staged: BTreeMap::new(), newest: BTreeMap::new(), begun: BTreeMap::new() }
    }

    /// The file that begins with a commit.
    fn file(&self, folder: &str, epoch: u64) -> PathBuf {
        if self.layout.single {
            return self.layout.path.clone();
        }
        // As many digits as the largest number has: the names are in the order of the epochs.
        self.layout.folder(folder).join(format!("epoch-{epoch:020}.{}", self.encoding.extension()))
    }

    fn write_file(
        &mut self,
        commit: &mut Commit,
        folder: &str,
        epoch: u64,
        rows: Vec<RecordBatch>,
    ) -> Result<Written, ConnectorError> {
        let added: usize = rows.iter().map(RecordBatch::num_rows).sum();
        let mut batches = rows.into_iter().map(Ok);
        let batches: &mut Rows<'_> = &mut batches;
        let shown = &self.layout.shown;
        let former = self.newest.get(folder).filter(|newest| self.layout.single || newest.rows < FULL);
        Ok(match former {
            Some(former) => {
                let bytes =
                    commit.write(former.path.clone(), shown, |out| self.encoding.extend(former, out, batches))?;
                Written { path: former.path.clone(), rows: former.rows + added, bytes }
            }
            None => {
                let first = self.file(folder, epoch);
                let path = self.begun.entry(folder.to_string()).or_insert(first).clone();
                let bytes = commit.write(path.clone(), shown, |out| self.encoding.write(out, batches))?;
                Written { path, rows: added, bytes }
            }
        })
    }

    fn publish(&mut self, epoch: u64) -> Result<(), ConnectorError> {
        let is_first = self.newest.is_empty();
        let mut folders: BTreeMap<String, Vec<RecordBatch>> = BTreeMap::new();
        for (folder, rows) in self.staged.range(..=epoch).flat_map(|(_, staged)| staged) {
            folders.entry(folder.clone()).or_default().push(rows.clone());
        }
        if folders.is_empty() {
            if !is_first {
                return Ok(());
            }
            // The target of an empty table exists and says what its columns are.
            folders.insert(String::new(), Vec::new());
        }
        let mut commit = Commit::default();
        if is_first && !self.layout.single {
            let own = |name: &str| is_commit(name, self.encoding.extension());
            super::earlier(&self.layout.path, &own).into_iter().for_each(|path| commit.remove(path));
        }
        let mut written = Vec::with_capacity(folders.len());
        for (folder, rows) in folders {
            let file = self.write_file(&mut commit, &folder, epoch, rows)?;
            written.push((folder, file));
        }
        commit.publish(&self.layout.shown)?;
        self.newest.extend(written);
        self.begun.clear();
        Ok(())
    }
}

/// True for the name of a file that a commit has written.
fn is_commit(name: &str, extension: &str) -> bool {
    let digits = name.strip_prefix("epoch-").and_then(|rest| rest.strip_suffix(extension)?.strip_suffix('.'));
    digits.is_some_and(|digits| digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

impl Sink for LogFiles {
    fn write(&mut self, epoch: u64, changes: &ChangeBatch) -> Result<(), ConnectorError> {
        for (folder, changes) in self.layout.split(changes) {
            let rows = if self.changes { with_epoch(&changes, epoch) } else { repeated(&changes)? };
            self.staged.entry(epoch).or_default().push((folder, self.layout.to_stored(&rows)));
        }
        Ok(())
    }

    fn commit(&mut self, epoch: u64) -> Result<(), ConnectorError> {
        self.publish(epoch)?;
        self.staged = self.staged.split_off(&(epoch + 1));
        Ok(())
    }
}

/// The rows with their epoch and difference behind.
fn with_epoch(changes: &ChangeBatch, epoch: u64) -> RecordBatch {
    let count = changes.len();
    let number = i64::try_from(epoch).unwrap_or(i64::MAX);
    let mut fields: Vec<_> = changes.rows.schema().fields().iter().cloned().collect();
    fields.extend([EPOCH, DIFF].map(|name| Arc::new(Field::new(name, DataType::Int64, false))));
    let mut columns = changes.rows.columns().to_vec();
    columns.push(Arc::new(Int64Array::from(vec![number; count])));
    columns.push(Arc::new((0..count).map(|row| Some(changes.diff(row))).collect::<Int64Array>()));
    let options = RecordBatchOptions::new().with_row_count(Some(count));
    match RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options) {
        Ok(rows) => rows,
        Err(error) => panic!("invariant: every row has an epoch and a difference: {error}"),
    }
}

/// Each row as often as it was added.
fn repeated(changes: &ChangeBatch) -> Result<RecordBatch, ConnectorError> {
    let mut places = Vec::with_capacity(changes.len());
    for row in 0..changes.len() {
        let diff = changes.diff(row);
        if diff < 0 {
            let message = "a row is taken back, which `append` cannot do: use `mode: changes`".to_string();
            return Err(ConnectorError::Option { option: "mode", message });
        }
        places.extend(std::iter::repeat_n(row as u32, usize::try_from(diff).unwrap_or(0)));
    }
    let places = UInt32Array::from(places);
    if places.len() == changes.len() {
        return Ok(changes.rows.clone());
    }
    take_record_batch(&changes.rows, &places)
        .map_err(|error| ConnectorError::Format { what: "append".to_string(), message: error.to_string() })
}
