//! Columnar files that are read once, from the first to the last.

use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::RecordBatch;
use arrow_select::concat::concat_batches;
use tidebook_plan::ChangeBatch;
use tidebook_plan::connector::{ConnectorError, OpenRequest, Resume, Source, SourceBatch, SourceError, SourceEvent};

use super::decode::Decoders;
use super::file::{BATCH_BYTES, ColumnarFile, ColumnarFormat, OpenFile, Unit};
use super::mark::{Mark, Marks};
use super::wanted::Wanted;
use crate::files::{FilePattern, Stamp};
use crate::format::Decoded;

/// Rows that a batch has at least, if there are so many: small files and filtered row groups share one.
const LEAST_ROWS: usize = 8_192;

/// Reads a list of columnar files.
pub struct BoundedColumnar {
    format: ColumnarFormat,
    pattern: FilePattern,
    wanted: Arc<Wanted>,
    metadata: bool,
    /// Files that are not yet open.
    waiting: VecDeque<PathBuf>,
    /// The file that is being begun, and its units that are not.
    current: Option<(Arc<dyn ColumnarFile>, VecDeque<Unit>)>,
    decoders: Decoders,
    /// All files that were opened.
    opened: Marks,
    /// Files as an earlier reader of this input has found them.
    known: HashMap<PathBuf, Mark>,
    /// Files that cannot be read, by their number: an error in their place.
    unreadable: VecDeque<(usize, SourceError)>,
}

impl BoundedColumnar {
    /// A reader at the start of the first file.
    ///
    /// # Errors
    /// Where there is no file, the first one lacks a column, or a file is not what an earlier reader has read.
    pub fn open(
        request: OpenRequest,
        format: ColumnarFormat,
        pattern: FilePattern,
    ) -> Result<BoundedColumnar, ConnectorError> {
        let marks = |resume: Option<Resume>| -> Result<Vec<Mark>, ConnectorError> {
            let marks = resume.map_or(Ok(Vec::new()), |resume| Marks::read(&resume));
            marks.map_err(|error| ConnectorError::Format {
                what: pattern.text().to_string(),
                message: format!("the saved position is not one of this source: {error}"),
            })
        };
        // Who repeats another reader counts its rows, and needs no file that the other one has not opened.
        let (repeats, beside) = (marks(request.repeats)?, marks(request.beside)?);
        let mut waiting: VecDeque<PathBuf> = repeats.iter().map(|mark| mark.path.clone()).collect();
        if waiting.is_empty() {
            waiting = pattern.list_some()?.into();
        }
        let known = beside.into_iter().chain(repeats).map(|mark| (mark.path.clone(), mark)).collect();
        let options = &request.spec.options;
        let metadata = options.get("metadata").is_none() || options.flag("metadata");
        let wanted = Arc::new(Wanted::new(&request.spec)?);
        let mut source = BoundedColumnar {
            format,
            pattern,
            wanted,
            metadata,
            waiting,
            current: None,
            decoders: Decoders::new(),
            opened: Marks::default(),
            known,
            unreadable: VecDeque::new(),
        };
        // That a column is missing is better said at once.
        source.open_next()?;
        Ok(source)
    }

    /// Opens the next file, if there is one.
    fn open_next(&mut self) -> Result<bool, ConnectorError> {
        let Some(path) = self.waiting.pop_front() else { return Ok(false) };
        let shown = self.pattern.shown(&path);
        let opened = OpenFile::new(&path, &shown, self.metadata);
        if let Some(known) = self.known.get(&path) {
            let stamp = opened.as_ref().map(|file| file.known.stamp).ok();
            known.check(stamp, &shown)?;
        }
        let stamp = opened.as_ref().map_or(Stamp::default(), |file| file.known.stamp);
        self.opened.push(Mark::new(&path, stamp));
        match opened.and_then(|file| self.format.open(file, &self.wanted)) {
            Ok(file) => {
                let units = file.units().to_vec().into();
                self.current = Some((file, units));
            }
            Err(error) => self.fail(self.opened.len() - 1, error)?,
        }
        Ok(true)
    }

    /// A file that cannot be read: of many, it is one error among the rows; alone, it ends the source.
    fn fail(&mut self, number: usize, error: ConnectorError) -> Result<(), ConnectorError> {
        if !self.pattern.is_wild() {
            return Err(error);
        }
        let error = self.refusal(number, &error);
        self.unreadable.push_back((number, error));
        Ok(())
    }

    fn refusal(&self, number: usize, error: &ConnectorError) -> SourceError {
        let shown = self.shown(number);
        tracing::warn!(%error, "cannot read file");
        let message = match error {
            ConnectorError::Format { message, .. } => message.clone(),
            other => other.to_string(),
        };
        SourceError { origin: Some(shown), position: None, text: None, message: format!("cannot be read: {message}") }
    }

    fn shown(&self, number: usize) -> String {
        self.pattern.shown(self.opened.path(number))
    }

    /// Begins as many units as there is room for.
    fn begin(&mut self) -> Result<(), ConnectorError> {
        while self.decoders.has_room() {
            let Some((file, units)) = &mut self.current else {
                if self.open_next()? {
                    continue;
                }
                return Ok(());
            };
            let number = self.opened.len() - 1;
            match units.pop_front() {
                Some(unit) => {
                    let file = file.clone();
                    let what = self.shown(number);
                    self.decoders.begin(number, &file, &unit, &what)?;
                }
                None => self.current = None,
            }
        }
        Ok(())
    }

    /// What comes next with the number of its file; errors stand where their file does.
    fn piece(&mut self) -> Result<Option<(usize, Decoded)>, ConnectorError> {
        loop {
            self.begin()?;
            let next = self.decoders.first();
            let due = self.unreadable.front().is_some_and(|(number, _)| next.is_none_or(|next| next > *number));
            if let Some((number, error)) = due.then(|| self.unreadable.pop_front()).flatten() {
                return Ok(Some((number, self.only(error))));
            }
            if next.is_none() {
                return Ok(None);
            }
            match self.decoders.next() {
                None => {}
                Some((number, Ok(decoded))) => return Ok(Some((number, decoded))),
                Some((_, Err(error))) if !self.pattern.is_wild() => return Err(error),
                Some((number, Err(error))) => {
                    let error = self.refusal(number, &error);
                    return Ok(Some((number, self.only(error))));
                }
            }
        }
    }

    fn only(&self, error: SourceError) -> Decoded {
        Decoded { rows: RecordBatch::new_empty(self.wanted.schema.clone()), errors: vec![error] }
    }
}

impl Source for BoundedColumnar {
    fn next(&mut self, _wait: Duration) -> Result<SourceEvent, ConnectorError> {
        let (mut rows, mut errors, mut count, mut bytes, mut last) = (Vec::new(), Vec::new(), 0, 0, None);
        while count == 0 || (count < LEAST_ROWS && bytes < BATCH_BYTES) {
            let Some((number, decoded)) = self.piece()? else { break };
            last = Some(number);
            count += decoded.rows.num_rows() + decoded.errors.len();
            bytes += decoded.rows.get_array_memory_size();
            rows.extend(Some(decoded.rows).filter(|rows| rows.num_rows() > 0));
            errors.extend(decoded.errors);
        }
        let Some(number) = last.filter(|_| count > 0) else { return Ok(SourceEvent::End) };
        let rows = match rows.len() {
            1 => rows.remove(0),
            _ => concat_batches(&self.wanted.schema, &rows).map_err(|error| ConnectorError::Format {
                what: self.pattern.text().to_string(),
                message: error.to_string(),
            })?,
        };
        let resume = self.opened.resume(number);
        Ok(SourceEvent::Batch(SourceBatch { rows: ChangeBatch::inserts(rows), errors, segment: None, resume }))
    }
}
