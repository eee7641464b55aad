//! The log of a source that cannot be read again: compressed Arrow on local disk.
//!
//! Batches gather in memory until a frame is worth writing, so that a trickle of rows does not become a flood of frames.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, Int64Array, RecordBatch};
use arrow_ipc::CompressionType;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::{IpcWriteOptions, StreamWriter};
use arrow_schema::ArrowError;
use arrow_select::concat::concat_batches;
use parking_lot::Mutex;
use tidebook_plan::ChangeBatch;
use tidebook_plan::connector::SourceError;

use crate::delta::untyped_batch;

/// Rows that make a frame.
const FRAME: usize = 1 << 13;

/// Why a log cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LogError {
    #[error("cannot {action} the log `{}`: {source}", path.display())]
    Io { action: &'static str, path: PathBuf, source: std::io::Error },
    #[error("the log of the source is damaged: {0}")]
    Arrow(#[from] ArrowError),
}

/// A log, shared by the reader that appends and readers that come later.
#[derive(Clone)]
pub(crate) struct StoredLog {
    path: Arc<PathBuf>,
    state: Arc<Mutex<State>>,
}

struct State {
    file: File,
    /// Where each frame begins, and its length.
    frames: Vec<(u64, usize)>,
    bytes: u64,
    /// Rows that are not in a frame yet.
    tail: Vec<ChangeBatch>,
    tail_rows: usize,
    /// Errors are few and stay in memory.
    errors: Vec<SourceError>,
}

impl StoredLog {
    /// A new log in a folder, which several engines and processes may share.
    ///
    /// # Errors
    /// Where the file cannot be made.
    pub fn create(folder: &Path, name: &str) -> Result<StoredLog, LogError> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!("{name}-{}-{number}.log", std::process::id()));
        let io = |action, source| LogError::Io { action, path: path.clone(), source };
        std::fs::create_dir_all(folder).map_err(|error| io("create", error))?;
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&path);
        let file = file.map_err(|error| io("create", error))?;
        let state = State { file, frames: Vec::new(), bytes: 0, tail: Vec::new(), tail_rows: 0, errors: Vec::new() };
        Ok(StoredLog { path: Arc::new(path), state: Arc::new(Mutex::new(state)) })
    }

    /// Adds what a source gave.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn append(&self, rows: &ChangeBatch, errors: &[SourceError]) -> Result<(), LogError> {
        let mut state = self.state.lock();
        state.errors.extend_from_slice(errors);
        if !rows.is_empty() {
            state.tail_rows += rows.len();
            state.tail.push(rows.clone());
        }
        if state.tail_rows >= FRAME {
            let frame = encode(&state.tail)?;
            let end = state.bytes;
            let written = state.file.seek(SeekFrom::Start(end)).and_then(|_| state.file.write_all(&frame));
            written.map_err(|source| LogError::Io { action: "write", path: self.path.to_path_buf(), source })?;
            state.frames.push((end, frame.len()));
            state.bytes += frame.len() as u64;
            state.tail.clear();
            state.tail_rows = 0;
        }
        Ok(())
    }

    /// Gives all that was added before the call, until told to stop: rows in their order, errors with the first.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn read(&self, mut give: impl FnMut(ChangeBatch, Vec<SourceError>) -> bool) -> Result<(), LogError> {
        let (frames, tail, errors) = {
            let state = self.state.lock();
            (state.frames.clone(), state.tail.clone(), state.errors.clone())
        };
        let io = |source| LogError::Io { action: "read", path: self.path.to_path_buf(), source };
        let mut errors = Some(errors).filter(|errors| !errors.is_empty());
        let mut file = File::open(self.path.as_ref()).map_err(io)?;
        for (start, length) in frames {
            let mut frame = vec![0; length];
            file.seek(SeekFrom::Start(start)).and_then(|_| file.read_exact(&mut frame)).map_err(io)?;
            for changes in decode(&frame)? {
                if !give(changes, errors.take().unwrap_or_default()) {
                    return Ok(());
                }
            }
        }
        for changes in tail {
            if !give(changes, errors.take().unwrap_or_default()) {
                return Ok(());
            }
        }
        if let Some(errors) = errors {
            give(ChangeBatch::inserts(untyped_batch(Vec::new(), 0)), errors);
        }
        Ok(())
    }

    /// Bytes on disk.
    pub fn bytes(&self) -> u64 {
        self.state.lock().bytes
    }

    /// Removes the file; readers that have it open may finish.
    pub fn remove(&self) {
        if let Err(error) = std::fs::remove_file(self.path.as_ref()) {
            tracing::warn!(path = %self.path.display(), %error, "a log could not be removed");
        }
    }
}

/// A frame: an Arrow stream of one batch, its last column the differences.
fn encode(batches: &[ChangeBatch]) -> Result<Vec<u8>, ArrowError> {
    let Some(first) = batches.first() else { return Ok(Vec::new()) };
    let rows = concat_batches(&first.rows.schema(), batches.iter().map(|changes| &changes.rows))?;
    let diffs: Int64Array = batches.iter().flat_map(|changes| (0..changes.len()).map(|i| changes.diff(i))).collect();
    let mut columns = rows.columns().to_vec();
    columns.push(Arc::new(diffs) as ArrayRef);
    let batch = untyped_batch(columns, rows.num_rows());
    let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME))?;
    let mut writer = StreamWriter::try_new_with_options(Vec::new(), &batch.schema(), options)?;
    writer.write(&batch)?;
    writer.finish()?;
    writer.into_inner()
}

fn decode(frame: &[u8]) -> Result<Vec<ChangeBatch>, ArrowError> {
    let split = |batch: Result<RecordBatch, ArrowError>| {
        let batch = batch?;
        let mut columns = batch.columns().to_vec();
        let Some(diffs) = columns.pop() else {
            return Err(ArrowError::IpcError("a frame without columns".to_string()));
        };
        let diffs = diffs.as_primitive::<Int64Type>().values().to_vec();
        Ok(ChangeBatch::new(untyped_batch(columns, batch.num_rows()), diffs))
    };
    StreamReader::try_new(frame, None)?.map(split).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_back_what_was_added_from_frames_and_tail() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = StoredLog::create(folder.path(), "test").expect("a log");
        let error = |i: i64| SourceError { origin: None, position: Some(i), text: None, message: "bad".to_string() };
        let mut expected = Vec::new();
        for i in 0..300i64 {
            let values: Vec<i64> = (0..100).map(|j| i * 100 + j).collect();
            expected.extend_from_slice(&values);
            let rows = untyped_batch(vec![Arc::new(Int64Array::from(values))], 100);
            let rows = if i % 2 == 0 { ChangeBatch::inserts(rows) } else { ChangeBatch::new(rows, vec![-1; 100]) };
            log.append(&rows, &[error(i)]).expect("written");
        }
        assert!(log.bytes() > 0 && log.bytes() < 300 * 100 * 16, "compressed: {}", log.bytes());
        let (mut values, mut sum, mut errors) = (Vec::new(), 0, 0);
        log.read(|changes, found| {
            values.extend_from_slice(changes.rows.column(0).as_primitive::<Int64Type>().values());
            sum += (0..changes.len()).map(|i| changes.diff(i)).sum::<i64>();
            errors += found.len();
            true
        })
        .expect("read");
        assert_eq!(values, expected);
        assert_eq!((sum, errors), (0, 300));
    }
}
