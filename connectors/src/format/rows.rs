//! Rows and errors on their way into a batch.

use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::SchemaRef;
use tidebook_plan::Schema;
use tidebook_plan::connector::{ConnectorError, SourceError, SourceSpec};

use super::BATCH_ROWS;
use super::column::{ColumnBuilder, Values};
use super::metadata::{FileFacts, MetadataColumns};
use super::shape::Shape;

/// Characters of a faulty record that its error keeps.
const KEPT_CHARACTERS: usize = 1_000;

/// Collects rows in typed columns, and errors. A format either fills the columns row by row, or adds whole batches.
pub struct RowBuffer {
    /// The columns of the data; those of the file's metadata are added when the rows are taken.
    pub(super) columns: Vec<ColumnBuilder>,
    pub(super) shape: Arc<Shape>,
    metadata: MetadataColumns,
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
    rows: usize,
    errors: Vec<SourceError>,
    origin: Option<String>,
    /// What the bytes should be, where they were not UTF-8 from the start.
    encoding: &'static str,
}

/// What a [`RowBuffer`] has collected.
#[derive(Debug)]
pub struct Decoded {
    /// The rows.
    pub rows: RecordBatch,
    /// What could not become rows.
    pub errors: Vec<SourceError>,
}

/// A value for a column of its type.
#[derive(Clone, Copy, Debug)]
pub enum Cell<'a> {
    /// No value.
    Null,
    /// For `text`.
    Text(&'a str),
    /// For `int`, and microseconds since 1970 for `timestamp`.
    Int(i64),
    /// For `bytes`.
    Bytes(&'a [u8]),
}

impl RowBuffer {
    /// An empty buffer for rows of `schema`, found in the input as `shape` says.
    pub fn new(schema: &Schema, shape: Shape) -> RowBuffer {
        let metadata = MetadataColumns::none(shape.fields.len());
        RowBuffer::with_metadata(schema.to_arrow(), shape, metadata)
    }

    /// An empty buffer for the rows of a source.
    ///
    /// # Errors
    /// Where a default or a metadata column has the wrong type.
    pub fn of_source(spec: &SourceSpec) -> Result<RowBuffer, ConnectorError> {
        let (metadata, data) = MetadataColumns::split(&spec.fields, &spec.options)?;
        let shape = Shape::of_source(&spec.connector, &data)?;
        Ok(RowBuffer::with_metadata(spec.schema().to_arrow(), shape, metadata))
    }

    fn with_metadata(schema: SchemaRef, shape: Shape, metadata: MetadataColumns) -> RowBuffer {
        RowBuffer {
            columns: shape.fields.iter().map(|field| ColumnBuilder::new(&field.ty.ty)).collect(),
            shape: Arc::new(shape),
            metadata,
            schema,
            batches: Vec::new(),
            rows: 0,
            errors: Vec::new(),
            origin: None,
            encoding: "UTF-8",
        }
    }

    /// Names the input that the next errors come from.
    pub fn set_origin(&mut self, origin: &str) {
        self.origin = Some(origin.to_string());
    }

    /// The next rows and errors are of this file, whose text is in `encoding`.
    pub fn begin_file(&mut self, facts: &Arc<FileFacts>, encoding: &'static str) {
        self.set_origin(&facts.path);
        self.metadata.begin_file(facts);
        self.encoding = encoding;
    }

    /// The fields that the data has to fill, in order: those of the source that are no metadata.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// True if rows that were given change when their file only grows.
    pub fn changes_with_the_file(&self) -> bool {
        self.metadata.change_with_the_file()
    }

    /// What is wrong with bytes that are no text.
    pub(super) fn invalid_text(&self) -> String {
        format!("not valid {}", self.encoding)
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

    /// Counts a row that begins at one-based `line` and whose columns have been filled.
    #[inline]
    pub(super) fn row_done(&mut self, line: i64) {
        self.rows += 1;
        self.metadata.row(line);
        self.metadata.count(1);
    }

    /// Takes back what a failed row has left in the columns.
    pub(super) fn cut_row(&mut self) {
        let rows = self.rows;
        self.columns.iter_mut().for_each(|column| column.truncate(rows));
    }

    /// Adds a row of one cell for each field of the shape, which begins at one-based `line`.
    pub fn push_row(&mut self, line: i64, cells: &[Cell<'_>]) {
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            match (&mut column.values, cell) {
                (_, Cell::Null) => {
                    column.push_null();
                    continue;
                }
                (Values::Text(runs), Cell::Text(text)) => runs.push(text.as_bytes()),
                (Values::Bytes(runs), Cell::Bytes(bytes)) => runs.push(bytes),
                (Values::Int(values) | Values::Timestamp(values), Cell::Int(value)) => values.push(*value),
                _ => panic!("invariant: a cell has the type of its column"),
            }
            column.valid();
        }
        self.row_done(line);
    }

    /// Adds rows that a format has made itself, with the fields of the shape as columns, in their Arrow types; the
    /// first is number `first` in its file, from one. A buffer that gets batches gets nothing else.
    pub fn push_batch(&mut self, first: i64, batch: RecordBatch) {
        self.rows += batch.num_rows();
        self.metadata.batch(first, batch.num_rows());
        self.metadata.count(batch.num_rows());
        self.batches.push(batch);
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
        let batches = std::mem::take(&mut self.batches);
        let columns = match batches.first() {
            None => self.columns.iter_mut().map(ColumnBuilder::finish).collect(),
            Some(first) => match arrow_select::concat::concat_batches(&first.schema(), &batches) {
                Ok(all) => all.columns().to_vec(),
                Err(error) => panic!("invariant: the batches of one source have one schema: {error}"),
            },
        };
        let columns = self.metadata.finish(columns, self.rows);
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        let rows = match RecordBatch::try_new_with_options(self.schema.clone(), columns, &options) {
            Ok(rows) => rows,
            Err(error) => panic!("invariant: every row fills every column with its type: {error}"),
        };
        self.rows = 0;
        Decoded { rows, errors: std::mem::take(&mut self.errors) }
    }
}
