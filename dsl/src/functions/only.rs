//! The value of a query that stands for one.

use datafusion_common::Result;
use tidebook_plan::ColumnType;

use super::arguments::Arguments;
use super::kernel::{Kernel, row_error};
use super::typed::Typed;
use arrow::array::ArrayRef;

/// `value`, the only one of `count`; fails where there are more.
pub fn only(value: Typed, count: Typed) -> Typed {
    let ty = ColumnType { nullable: true, ..value.ty.clone() };
    Kernel::new("only", ty.ty.to_arrow(), true, evaluate).call(vec![value, count], ty)
}

fn evaluate(args: &Arguments<'_>) -> Result<ArrayRef> {
    let counts = args.int(1)?;
    if let Some(count) = counts.iter().flatten().find(|count| *count > 1) {
        return Err(row_error(format!("the subquery gives {count} rows where one value is expected")));
    }

    args.array(0)
}
