//! What a stream inside a dataflow carries.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{Field, Schema, SchemaRef};
use tidebook_plan::ChangeBatch;
use timely::dataflow::Stream;

/// Rows of one epoch with their differences.
///
/// *Invariant:* the timely time of the message that carries a delta is at most the delta's epoch.
#[derive(Clone, Debug)]
pub(crate) struct Delta {
    /// The epoch of every row.
    pub epoch: u64,
    /// The rows; shared, since several operators may read one stream.
    pub changes: Arc<ChangeBatch>,
}

/// A stream of deltas.
pub(crate) type Rows<'scope> = Stream<'scope, u64, Vec<Delta>>;

impl Delta {
    /// A delta with a difference for each row.
    pub fn new(epoch: u64, rows: RecordBatch, diffs: Vec<i64>) -> Self {
        Delta { epoch, changes: Arc::new(ChangeBatch::new(rows, diffs)) }
    }
}

/// A batch of these columns; `rows` counts where there are none.
pub(crate) fn batch_of(schema: &SchemaRef, columns: Vec<ArrayRef>, rows: usize) -> RecordBatch {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    match RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options) {
        Ok(batch) => batch,
        Err(error) => panic!("columns do not have the types that the plan says: {error}"),
    }
}

/// A batch of columns whose types are whatever they are.
pub(crate) fn untyped_batch(columns: Vec<ArrayRef>, rows: usize) -> RecordBatch {
    let fields: Vec<_> = columns
        .iter()
        .enumerate()
        .map(|(i, column)| Field::new(format!("c{i}"), column.data_type().clone(), true))
        .collect();
    batch_of(&Arc::new(Schema::new(fields)), columns, rows)
}
