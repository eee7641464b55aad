//! Rows as bytes that compare as a table's order says: its sort columns first, then all others.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_row::{RowConverter, SortField};
use arrow_schema::{ArrowError, SchemaRef, SortOptions};
use tidebook_plan::Schema;
use tidebook_plan::flow::OrderKey;

/// Encodes the rows of one table and reads them back.
pub(crate) struct RowCodec {
    arrow: SchemaRef,
    /// Position in the encoding → position in the table.
    order: Vec<usize>,
    converter: RowConverter,
}

impl RowCodec {
    /// A codec for the order `ordering`; columns that it does not name follow in their own order, ascending.
    ///
    /// # Errors
    /// Where a column's type cannot be ordered.
    pub(crate) fn new(schema: &Schema, ordering: &[OrderKey]) -> Result<Self, ArrowError> {
        let mut order: Vec<usize> = ordering.iter().map(|key| key.column).collect();
        order.extend((0..schema.len()).filter(|column| !ordering.iter().any(|key| key.column == *column)));
        let fields = order.iter().map(|column| {
            let descending = ordering.iter().any(|key| key.column == *column && key.descending);
            // Nulls are larger than every value: last ascending, first descending.
            let options = SortOptions { descending, nulls_first: descending };
            SortField::new_with_options(schema.columns[*column].ty.ty.to_arrow(), options)
        });
        let converter = RowConverter::new(fields.collect())?;
        Ok(RowCodec { arrow: schema.to_arrow(), order, converter })
    }

    /// The bytes of each row.
    ///
    /// # Errors
    /// Where the batch has other column types than the table.
    pub(crate) fn encode(&self, rows: &RecordBatch) -> Result<Vec<Box<[u8]>>, ArrowError> {
        if self.order.is_empty() {
            return Ok(vec![Box::default(); rows.num_rows()]);
        }
        let columns: Vec<ArrayRef> = self.order.iter().map(|column| Arc::clone(rows.column(*column))).collect();
        let encoded = self.converter.convert_columns(&columns)?;
        Ok(encoded.iter().map(|bytes| bytes.as_ref().into()).collect())
    }

    /// The rows again, as a batch with the table's column names.
    ///
    /// # Errors
    /// Where the bytes are not those of [`RowCodec::encode`].
    pub(crate) fn decode<'a>(&self, rows: impl Iterator<Item = &'a [u8]>) -> Result<RecordBatch, ArrowError> {
        if self.order.is_empty() {
            let options = RecordBatchOptions::new().with_row_count(Some(rows.count()));
            return RecordBatch::try_new_with_options(Arc::clone(&self.arrow), vec![], &options);
        }
        let parser = self.converter.parser();
        let columns = self.converter.convert_rows(rows.map(|bytes| parser.parse(bytes)))?;
        let count = columns.first().map_or(0, |column| column.len());
        let mut placed: Vec<Option<ArrayRef>> = vec![None; columns.len()];
        for (column, position) in columns.into_iter().zip(&self.order) {
            placed[*position] = Some(column);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(count));
        RecordBatch::try_new_with_options(Arc::clone(&self.arrow), placed.into_iter().flatten().collect(), &options)
    }
}
