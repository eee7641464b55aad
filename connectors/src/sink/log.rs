//! A file that only grows: the rows of a table that never retracts, or all changes of any table.

use std::collections::BTreeMap;

use tidebook_plan::ChangeBatch;
use tidebook_plan::connector::{ConnectorError, Sink, SinkRequest, WriteMode};

use super::encode::{Encoder, Encoding};
use super::target::Target;

/// The column with the epoch of a change.
pub(super) const EPOCH: &str = "_epoch";
/// The column with the difference of a change.
pub(super) const DIFF: &str = "_diff";

/// Adds the records of each commit in one write.
pub struct LogFile {
    target: Target,
    encoder: Encoder,
    /// True if each record says its epoch and difference.
    changes: bool,
    /// Records that are not visible yet.
    staged: BTreeMap<u64, Vec<u8>>,
}

impl LogFile {
    /// A writer of a new file.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn open(request: &SinkRequest, encoding: Encoding) -> Result<LogFile, ConnectorError> {
        let changes = request.mode == WriteMode::Changes;
        let encoder = Encoder::new(encoding, &request.schema);
        Ok(LogFile { target: Target::new(request)?, encoder, changes, staged: BTreeMap::new() })
    }
}

impl Sink for LogFile {
    fn write(&mut self, epoch: u64, changes: &ChangeBatch) -> Result<(), ConnectorError> {
        let staged = self.staged.entry(epoch).or_default();
        for row in 0..changes.len() {
            let diff = changes.diff(row);
            if self.changes {
                let number = i64::try_from(epoch).unwrap_or(i64::MAX);
                self.encoder.record(staged, &changes.rows, row, &[(EPOCH, number), (DIFF, diff)]);
                continue;
            }
            if diff < 0 {
                let message = "a row is taken back, which `append` cannot do: use `mode: changes`".to_string();
                return Err(ConnectorError::Option { option: "mode", message });
            }
            for _ in 0..diff {
                self.encoder.record(staged, &changes.rows, row, &[]);
            }
        }
        Ok(())
    }

    fn commit(&mut self, epoch: u64) -> Result<(), ConnectorError> {
        let records: Vec<u8> = self.staged.range(..=epoch).flat_map(|(_, records)| records).copied().collect();
        if !self.target.is_there() {
            let header = self.encoder.header(if self.changes { &[EPOCH, DIFF] } else { &[] });
            self.target.replace(|out| {
                out.write_all(&header)?;
                out.write_all(&records)
            })?;
        } else if !records.is_empty() {
            self.target.append(&records)?;
        }
        self.staged = self.staged.split_off(&(epoch + 1));
        Ok(())
    }
}
