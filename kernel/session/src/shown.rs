//! A shown table: a program's output kept in order behind a view.

use std::sync::Arc;
use std::time::Instant;

use arrow_array::RecordBatch;
use arrow_ord::sort::{SortColumn, lexsort_to_indices};
use arrow_schema::{ArrowError, SortOptions};
use arrow_select::concat::concat_batches;
use arrow_select::take::take_record_batch;
use parking_lot::Mutex;
use tidebook_connectors::format::value::{json_value, text_value};
use tidebook_engine::OutputEvent;

use crate::follow::Consumer;
use crate::table::OrderedTable;
use crate::view::{Page, PageColumn, PageRequest, PageSource, View};

/// Rows decoded at once when the whole table is walked.
const PIECE_ROWS: usize = 8_192;

/// A maintained table and the view that it moves.
pub(crate) struct Shown {
    table: Mutex<OrderedTable>,
    view: Mutex<Option<Arc<View>>>,
}

impl Shown {
    /// A table that no view looks at yet.
    pub(crate) fn new(table: OrderedTable) -> Arc<Self> {
        Arc::new(Shown { table: Mutex::new(table), view: Mutex::new(None) })
    }

    /// Lets `view` be told when the table moves, instead of the one before.
    pub(crate) fn attach(&self, view: Arc<View>) {
        *self.view.lock() = Some(view);
    }

    /// Marks the table as one that no longer moves.
    pub(crate) fn fail(&self, message: String) {
        self.table.lock().failure = Some(message);
        self.touch();
    }

    /// Why the table no longer moves, if so.
    pub(crate) fn failure(&self) -> Option<String> {
        self.table.lock().failure.clone()
    }

    /// Bytes that it holds, about.
    pub(crate) fn bytes(&self) -> u64 {
        self.table.lock().bytes()
    }

    /// Lets go of all rows.
    pub(crate) fn clear(&self) {
        self.table.lock().clear();
    }

    fn touch(&self) {
        if let Some(view) = &*self.view.lock() {
            view.touch();
        }
    }
}

/// Feeds a [`Shown`].
pub(crate) struct ShownConsumer {
    shown: Arc<Shown>,
    moved: bool,
}

impl ShownConsumer {
    /// A consumer that keeps `shown` current.
    pub(crate) fn new(shown: Arc<Shown>) -> Self {
        ShownConsumer { shown, moved: false }
    }
}

impl Consumer for ShownConsumer {
    fn consume(&mut self, event: OutputEvent) {
        self.moved |= self.shown.table.lock().consume(event);
    }

    fn settle(&mut self, _flush: bool) -> Option<Instant> {
        if std::mem::take(&mut self.moved) {
            self.shown.touch();
        }
        None
    }
}

/// Gives pages of a [`Shown`].
pub(crate) struct ShownPages(pub(crate) Arc<Shown>);

impl PageSource for ShownPages {
    fn page(&self, request: &PageRequest) -> Page {
        let table = self.0.table.lock();
        let mut page = empty_page(&table);
        match select(&table, request) {
            Ok((rows, total)) => {
                page.rows = rows;
                page.total = total;
            }
            Err(error) => page.failure = Some(format!("rows cannot be read: {error}")),
        }
        page
    }

    fn json(&self, name: &str, limit: Option<usize>) -> String {
        table_json(&self.0.table.lock(), name, limit)
    }
}

/// The page of a table without its rows.
pub(crate) fn empty_page(table: &OrderedTable) -> Page {
    let columns = table.schema().columns.iter();
    Page {
        columns: columns.map(|column| PageColumn { name: column.name.clone(), ty: column.ty.clone() }).collect(),
        total: table.len(),
        errors: table.errors(),
        epoch: table.epoch,
        loading: table.epoch == 0 && table.failure.is_none(),
        loaded_rows: table.loaded_rows,
        failure: table.failure.clone(),
        ..Page::default()
    }
}

type TextRows = Vec<Vec<Option<String>>>;

/// The rows that a request asks for, as text, and how many there are in all after its filter.
pub(crate) fn select(table: &OrderedTable, request: &PageRequest) -> Result<(TextRows, usize), ArrowError> {
    if request.sort.is_empty() && request.filter.is_none() {
        let batch = table.slice(request.offset, request.limit)?;
        return Ok(((0..batch.num_rows()).map(|row| text_row(table, &batch, row)).collect(), table.len()));
    }
    let mut kept = Vec::new();
    for piece in table.pieces(PIECE_ROWS) {
        let piece = piece?;
        let Some(filter) = &request.filter else {
            kept.push(piece);
            continue;
        };
        let wanted = filter.to_lowercase();
        let rows = (0..piece.num_rows()).filter(|row| {
            text_row(table, &piece, *row).iter().flatten().any(|text| text.to_lowercase().contains(&wanted))
        });
        let rows = arrow_array::UInt64Array::from_iter_values(rows.map(|row| row as u64));
        kept.push(take_record_batch(&piece, &rows)?);
    }
    let all = concat_batches(&table.schema().to_arrow(), &kept)?;
    let total = all.num_rows();
    let end = request.offset.saturating_add(request.limit).min(total);
    let sorted = sort(&all, &request.sort, end)?;
    let rows = (request.offset.min(end)..end).map(|row| text_row(table, &sorted, row)).collect();
    Ok((rows, total))
}

/// The first `limit` rows in the order of `sort`; ties stay as they are.
fn sort(rows: &RecordBatch, sort: &[(usize, bool)], limit: usize) -> Result<RecordBatch, ArrowError> {
    let known = sort.iter().filter(|(column, _)| *column < rows.num_columns());
    let mut columns: Vec<SortColumn> = known
        .map(|(column, descending)| SortColumn {
            values: Arc::clone(rows.column(*column)),
            options: Some(SortOptions { descending: *descending, nulls_first: *descending }),
        })
        .collect();
    if columns.is_empty() {
        return Ok(rows.slice(0, limit));
    }
    let position = arrow_array::UInt64Array::from_iter_values(0..rows.num_rows() as u64);
    columns.push(SortColumn { values: Arc::new(position), options: None });
    let indices = lexsort_to_indices(&columns, Some(limit))?;
    take_record_batch(rows, &indices)
}

fn text_row(table: &OrderedTable, batch: &RecordBatch, row: usize) -> Vec<Option<String>> {
    let columns = table.schema().columns.iter().zip(batch.columns());
    columns.map(|(column, array)| text_value(array.as_ref(), row, &column.ty.ty)).collect()
}

/// The whole table as one line of JSON.
pub(crate) fn table_json(table: &OrderedTable, name: &str, limit: Option<usize>) -> String {
    let schema = table.schema();
    let columns: Vec<_> = schema
        .columns
        .iter()
        .map(|column| serde_json::json!({"name": column.name, "type": column.ty.to_string()}))
        .collect();
    let mut rows = Vec::new();
    let mut left = limit.unwrap_or(usize::MAX);
    for piece in table.pieces(PIECE_ROWS) {
        let piece = match piece {
            Ok(piece) => piece,
            Err(error) => {
                tracing::error!(table = name, %error, "rows cannot be read");
                break;
            }
        };
        for row in 0..piece.num_rows().min(left) {
            let values = schema.columns.iter().zip(piece.columns());
            rows.push(serde_json::Value::Array(
                values.map(|(column, array)| json_value(array.as_ref(), row, &column.ty.ty)).collect(),
            ));
        }
        left = left.saturating_sub(piece.num_rows());
        if left == 0 {
            break;
        }
    }
    serde_json::json!({"table": name, "columns": columns, "rows": rows, "errors": table.errors()}).to_string()
}
