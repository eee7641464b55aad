//! Functions of lists. Those that a text has too are documented there.

mod order;
mod pool;
mod sets;
mod totals;

use arrow::array::{ArrayRef, BooleanArray, Int64Array};
use datafusion_common::Result;

use super::arguments::Arguments;
use super::entry::{Function, Overload, Parameters};
use super::group::Group;
use super::takes::{Gives, Simple, Takes};
use super::text::{count, size};
use pool::{Pool, index};

/// The entries, file by file.
pub(super) const LIBRARY: [&[Function]; 3] = [order::LIBRARY, sets::LIBRARY, totals::LIBRARY];

/// One list.
pub(super) const LIST: Parameters = &[("x", Takes::Items)];
/// Two lists.
pub(super) const TWO_LISTS: Parameters = &[("x", Takes::Items), ("y", Takes::Items)];
/// A list and an element.
pub(super) const LIST_AND_ITEM: Parameters = &[("x", Takes::Items), ("item", Takes::Same)];
const INT: Takes = Takes::Value(Simple::Int);
const TO_BOOL: Gives = Gives::Value(Simple::Bool);

const fn entry(
    name: &'static str,
    doc: &'static str,
    examples: &'static [(&'static str, &'static str)],
    overloads: &'static [Overload],
) -> Function {
    Function { name, group: Group::Lists, doc, examples, overloads }
}

/// Number of elements of each list.
pub(super) fn length(args: &Arguments<'_>) -> Result<ArrayRef> {
    let list = args.list(0)?;
    args.collect::<Int64Array, _>(|row| Ok(i64::from(list.value_length(row))))
}

/// Where the element first stands.
fn find(pool: &Pool, row: usize) -> Option<usize> {
    let (list, item) = (pool.list(0, row), pool.item(1, row));
    let start = list.start;
    list.into_iter().find(|element| pool.key(*element) == pool.key(item)).map(|element| element - start)
}

/// Whether the element stands in the list.
pub(super) fn contains(args: &Arguments<'_>) -> Result<ArrayRef> {
    let pool = Pool::new(args, 1, 1)?.comparable()?;
    args.collect::<BooleanArray, _>(|row| Ok(find(&pool, row).is_some()))
}

/// Where the element first stands in the list.
pub(super) fn position(args: &Arguments<'_>) -> Result<ArrayRef> {
    let pool = Pool::new(args, 1, 1)?.comparable()?;
    args.collect_nullable::<Int64Array, _>(|row| Ok(find(&pool, row).map(count)))
}

/// The elements from the last to the first.
pub(super) fn reverse(args: &Arguments<'_>) -> Result<ArrayRef> {
    let pool = Pool::new(args, 1, 0)?;
    pool.lists(|row, picked| {
        picked.extend(pool.list(0, row).rev().map(index));
        Ok(())
    })
}

/// All lists, one after the other.
pub(super) fn concat(args: &Arguments<'_>) -> Result<ArrayRef> {
    let pool = Pool::new(args, args.len(), 0)?;
    pool.lists(|row, picked| {
        (0..args.len()).for_each(|list| picked.extend(pool.list(list, row).map(index)));
        Ok(())
    })
}
