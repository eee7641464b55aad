//! What bytes have in common with text.

use arrow::array::{ArrayRef, Int64Array};
use datafusion_common::Result;

use super::super::arguments::Arguments;
use super::count;

/// Number of bytes.
pub fn length(args: &Arguments<'_>) -> Result<ArrayRef> {
    let bytes = args.bytes(0)?;
    args.collect::<Int64Array, _>(|row| Ok(count(bytes.value(row).len())))
}
