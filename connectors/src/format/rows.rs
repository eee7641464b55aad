//! Rows and errors on their way into a batch.

use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::SchemaRef;
use tidebook_plan::Schema;
use tidebook_plan::connector::SourceError;

use super::BATCH_ROWS;
use super::column::ColumnBuilder;
use super::shape::Shape;

/// Characters of a faulty record that its error keeps.
const KEPT_CHARACTERS: usize = 1_000;

/// Collects rows in typed columns, and errors.
pub struct RowBuffer {
    pub(super) columns: Vec<ColumnBuilder>,
    pub(super) shape: Arc<Shape>,
    schema: SchemaRef,
    rows: usize,
    errors: Vec<SourceError>,
    origin: Option<String>,
}

/// What a [`RowBuffer`] has collected.
#[derive(Debug)]
pub struct Decoded {
    /// The rows.
    pub rows: RecordBatch,
    /// What could not become rows.
    pub errors: Vec<SourceError>,
}

impl RowBuffer {
    /// An empty buffer for rows of `schema`, found in the input as `shape` says.
    pub fn new(schema: &Schema, shape: Shape) -> RowBuffer {
        RowBuffer {
            columns: schema.columns.iter().map(|column| ColumnBuilder::new(&column.ty.ty)).collect(),
            shape: Arc::new(shape),
            schema: schema.to_arrow(),
            rows: 0,
            errors: Vec::new(),
            origin: None,
        }
    }

    /// Names the input that the next errors come from.
    pub fn set_origin(&mut self, origin: &str) {
        self.origin = Some(origin.to_string());
    }

    /// Rows collected.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Errors collected.
    pub fn errors(&self) -> usize {
        self.errors.len()
    }

    /// True if nothing was collected.
    pub fn is_empty(&self) -> bool {
        self.rows == 0 && self.errors.is_empty()
    }

    /// True if the batch should be taken.
    pub fn is_full(&self) -> bool {
        self.rows + self.errors.len() >= BATCH_ROWS
    }

    /// Counts a row whose columns have been filled.
    #[inline]
    pub(super) fn row_done(&mut self) {
        self.rows += 1;
    }

    /// Takes back what a failed row has left in the columns.
    pub(super) fn cut_row(&mut self) {
        let rows = self.rows;
        self.columns.iter_mut().for_each(|column| column.truncate(rows));
    }

    /// Adds an error about the record `text` that begins at one-based `line`.
    pub fn push_error(&mut self, line: Option<i64>, text: Option<&[u8]>, message: String) {
        let text = text.map(|text| {
            // Four bytes a character at most, so that a record of many megabytes is not copied.
            let head = &text[..text.len().min(4 * KEPT_CHARACTERS)];
            let head = String::from_utf8_lossy(head);
            head.trim_end_matches(['\r', '\n']).chars().take(KEPT_CHARACTERS).collect()
        });
        self.errors.push(SourceError { origin: self.origin.clone(), position: line, text, message });
    }

    /// What was collected, leaving an empty buffer.
    pub fn take(&mut self) -> Decoded {
        let columns = self.columns.iter_mut().map(ColumnBuilder::finish).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        let rows = match RecordBatch::try_new_with_options(self.schema.clone(), columns, &options) {
            Ok(rows) => rows,
            Err(error) => panic!("invariant: every row fills every column with its type: {error}"),
        };
        self.rows = 0;
        Decoded { rows, errors: std::mem::take(&mut self.errors) }
    }
}
