//! Text: joining pieces, and the library of functions on it.

mod bytes;
mod case;
mod made;
mod parts;
mod pattern;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use arrow::compute::kernels::concat_elements::concat_elements_utf8;
use datafusion_common::Result;
use tidebook_plan::{ColumnType, Type};

use super::arguments::Arguments;
use super::cast::{cell_text, readable};
use super::entry::{Function, Overload, Parameters};
use super::group::Group;
use super::kernel::Kernel;
use super::takes::{Gives, Simple, Takes};
use super::typed::Typed;
pub(super) use pattern::PATTERNS;

/// The entries, file by file.
pub(super) const LIBRARY: [&[Function]; 3] = [case::LIBRARY, parts::LIBRARY, made::LIBRARY];

const INT: Takes = Takes::Value(Simple::Int);
const TEXT: Parameters = &[("x", Takes::Value(Simple::Text))];
const BYTES: Parameters = &[("x", Takes::Value(Simple::Bytes))];
const TEXT_AND_PART: Parameters = &[("x", Takes::Value(Simple::Text)), ("part", Takes::Value(Simple::Text))];
const TEXT_AND_SET: Parameters = &[("x", Takes::Value(Simple::Text)), ("characters", Takes::Value(Simple::Text))];
const TO_TEXT: Gives = Gives::Value(Simple::Text);
const TO_INT: Gives = Gives::Value(Simple::Int);
const TO_BOOL: Gives = Gives::Value(Simple::Bool);

const fn entry(
    name: &'static str,
    doc: &'static str,
    examples: &'static [(&'static str, &'static str)],
    overloads: &'static [Overload],
) -> Function {
    Function { name, group: Group::Text, doc, examples, overloads }
}

/// A length as an int; none is beyond its range.
pub(super) fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

/// A number that is not negative as a length.
pub(super) fn size(number: i64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

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
    let parts = parts.into_iter().map(readable).collect();
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
