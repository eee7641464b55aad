//! Text: joining pieces, and the library of functions on it.

mod library;
mod pattern;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use arrow::compute::kernels::concat_elements::concat_elements_utf8;
use datafusion_common::Result;
use tidebook_plan::{ColumnType, Type};

use super::arguments::Arguments;
use super::cast::cell_text;
use super::kernel::Kernel;
use super::typed::Typed;
pub(super) use library::LIBRARY;
pub(super) use pattern::PATTERNS;

/// `left + right` of two texts.
pub fn concatenate(left: Typed, right: Typed) -> Typed {
    let ty = ColumnType { ty: Type::Text, nullable: left.ty.nullable || right.ty.nullable };
    let evaluate = |args: &Arguments<'_>| -> Result<ArrayRef> {
        Ok(Arc::new(concat_elements_utf8(args.array(0)?.as_string::<i32>(), args.array(1)?.as_string::<i32>())?))
    };
    Kernel::new("+", Type::Text.to_arrow(), false, evaluate).call(vec![left, right], ty)
}

/// The pieces of an f-string as one text; a null is empty.
pub fn interpolate(parts: Vec<Typed>) -> Typed {
    Kernel::new("interpolate", Type::Text.to_arrow(), false, evaluate_interpolate)
        .call(parts, ColumnType::required(Type::Text))
}

fn evaluate_interpolate(args: &Arguments<'_>) -> Result<ArrayRef> {
    let parts = (0..args.len()).map(|index| args.array(index)).collect::<Result<Vec<_>>>()?;
    let mut texts = StringBuilder::new();
    let mut text = String::new();
    for row in 0..args.rows() {
        text.clear();
        for part in &parts {
            if part.is_valid(row) && !part.data_type().is_null() {
                text.push_str(&cell_text(part, row));
            }
        }
        texts.append_value(&text);
    }
    Ok(Arc::new(texts.finish()))
}
