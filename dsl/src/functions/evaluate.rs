//! The value of an expression that reads no column.

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::Schema;
use datafusion_common::{DFSchema, Result, ScalarValue};
use datafusion_expr::ColumnarValue;
use datafusion_expr::execution_props::ExecutionProps;
use datafusion_physical_expr::create_physical_expr;

use super::kernel::row_error_text;
use super::typed::Typed;

/// The value of `expr`, or the text of its row error.
pub fn evaluate(expr: &Typed) -> std::result::Result<ScalarValue, String> {
    let value = || -> Result<ScalarValue> {
        let physical = create_physical_expr(&expr.expr, &DFSchema::empty(), &ExecutionProps::new())?;
        let options = RecordBatchOptions::new().with_row_count(Some(1));
        let batch = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &options)?;
        match physical.evaluate(&batch)? {
            ColumnarValue::Scalar(value) => Ok(value),
            ColumnarValue::Array(array) => ScalarValue::try_from_array(&array, 0),
        }
    };
    value().map_err(|error| row_error_text(&error))
}
