//! A source's errors and rows in the shape of the flow plan.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, StringArray};
use arrow_cast::cast;
use arrow_schema::SchemaRef;
use tidebook_plan::ChangeBatch;
use tidebook_plan::connector::SourceError;

use crate::delta::{batch_of, untyped_batch};

/// The errors as rows: `file`, `line`, `text`, `_error`. Where they are read, `_step` is added.
pub(crate) fn error_batch(errors: &[SourceError]) -> ChangeBatch {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(errors.iter().map(|error| error.origin.as_deref()).collect::<StringArray>()),
        Arc::new(errors.iter().map(|error| error.position).collect::<Int64Array>()),
        Arc::new(errors.iter().map(|error| error.text.as_deref()).collect::<StringArray>()),
        Arc::new(StringArray::from_iter_values(errors.iter().map(|error| &error.message))),
    ];
    ChangeBatch::inserts(untyped_batch(columns, errors.len()))
}

/// The rows of a source with the names and types of its node.
///
/// # Errors
/// Where a column has a type that cannot be brought to the declared one: a fault of the connector.
pub(crate) fn positional(rows: ChangeBatch, schema: &SchemaRef) -> Result<ChangeBatch, String> {
    let count = rows.len();
    if rows.rows.num_columns() != schema.fields().len() {
        return Err(format!("it gave {} columns instead of {}", rows.rows.num_columns(), schema.fields().len()));
    }
    let column = |(column, ty): (&ArrayRef, &arrow_schema::DataType)| {
        if column.data_type() == ty {
            Ok(Arc::clone(column))
        } else {
            cast(column, ty).map_err(|error| error.to_string())
        }
    };
    let types = schema.fields().iter().map(|field| field.data_type());
    let columns = rows.rows.columns().iter().zip(types).map(column).collect::<Result<Vec<_>, _>>()?;
    Ok(ChangeBatch { rows: batch_of(schema, columns, count), diffs: rows.diffs })
}
