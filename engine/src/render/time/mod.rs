//! Operators over event time: how far it has come, and what comes in time.
//!
//! A watermark moves when an epoch closes. So a change is judged by what the watermark was before its epoch, whichever
//! worker it is on and in whatever order messages come: every operator here takes the rows of an epoch and the level that
//! the epoch gives strictly in turn.

mod balance;
mod gate;
mod throttle;
mod watermark;

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array, RecordBatch, TimestampMicrosecondArray};

pub(super) use balance::balance;
pub(super) use gate::gate;
pub(super) use throttle::throttle;
pub(super) use watermark::watermark;

/// The watermark once no row can come any more.
const END: i64 = i64::MAX;

/// The instants of a column: of timestamps these, of records the field `end`.
fn instants(rows: &RecordBatch, column: usize) -> TimestampMicrosecondArray {
    let column = rows.column(column);
    let Some(record) = column.as_struct_opt() else {
        return column.as_primitive::<TimestampMicrosecondType>().clone();
    };
    let Some(end) = record.column_by_name("end") else { panic!("a window is a record with an `end`") };
    let end = end.as_primitive::<TimestampMicrosecondType>();
    if record.null_count() == 0 {
        return end.clone();
    }
    (0..record.len()).map(|i| (record.is_valid(i) && end.is_valid(i)).then(|| end.value(i))).collect()
}
