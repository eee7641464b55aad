//! From the values of groups to columns of lists and texts.

use std::collections::HashSet;
use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, ListArray, UInt64Array};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{DataType, FieldRef};
use arrow_select::take::take;
use tidebook_plan::flow::CollectFunction;

use crate::row::converter;

/// The values of a group: positions with how often each stands, in order.
type Picks<'a> = &'a [(usize, usize)];

/// Makes the columns of a collect node.
pub(in crate::render) struct Collector {
    functions: Vec<(CollectFunction, DataType)>,
    /// True if the order is that of the values alone: then equal values are one.
    by_value: bool,
}

impl Collector {
    /// For these functions, whose results are these fields.
    pub fn new(functions: &[CollectFunction], fields: &[FieldRef], by_value: bool) -> Self {
        let types = fields.iter().map(|field| field.data_type().clone());
        Collector { functions: functions.iter().cloned().zip(types).collect(), by_value }
    }

    /// Length of the longest separator.
    pub fn separator(&self) -> usize {
        let lengths = self.functions.iter().map(|(function, _)| match function {
            CollectFunction::Join(separator) => separator.len(),
            CollectFunction::List | CollectFunction::Set => 0,
        });
        lengths.max().unwrap_or(0)
    }

    /// One column for each function, one row for each group.
    pub fn columns(&self, values: &ArrayRef, groups: &[Picks<'_>]) -> Vec<ArrayRef> {
        self.functions
            .iter()
            .map(|(function, ty)| match function {
                CollectFunction::List => lists(values, groups, ty, |picks, indices| {
                    for (value, count) in there(values, picks) {
                        indices.extend(std::iter::repeat_n(value as u64, count));
                    }
                }),
                CollectFunction::Set if self.by_value => lists(values, groups, ty, |picks, indices| {
                    indices.extend(there(values, picks).map(|(value, _)| value as u64));
                }),
                CollectFunction::Set => firsts(values, groups, ty),
                CollectFunction::Join(separator) => texts(values, groups, separator),
            })
            .collect()
    }
}

/// The picks that are values, not nulls.
fn there<'a>(values: &'a ArrayRef, picks: Picks<'a>) -> impl Iterator<Item = (usize, usize)> + 'a {
    picks.iter().copied().filter(|(value, _)| values.is_valid(*value))
}

/// A list a group, of the values whose positions `choose` gives.
fn lists(
    values: &ArrayRef,
    groups: &[Picks<'_>],
    ty: &DataType,
    mut choose: impl FnMut(Picks<'_>, &mut Vec<u64>),
) -> ArrayRef {
    let DataType::List(item) = ty else { unreachable!("a list has a list type") };
    let (mut indices, mut lengths) = (Vec::new(), Vec::with_capacity(groups.len()));
    for picks in groups {
        let begin = indices.len();
        choose(picks, &mut indices);
        lengths.push(indices.len() - begin);
    }
    let items = match take(values, &UInt64Array::from(indices), None) {
        Ok(items) => items,
        Err(error) => panic!("picked values are there: {error}"),
    };
    match ListArray::try_new(Arc::clone(item), OffsetBuffer::from_lengths(lengths), items, None) {
        Ok(lists) => Arc::new(lists),
        Err(error) => panic!("columns do not have the types that the plan says: {error}"),
    }
}

/// A list a group, of each value at its first place.
fn firsts(values: &ArrayRef, groups: &[Picks<'_>], ty: &DataType) -> ArrayRef {
    let rows = match converter([values.data_type()]).convert_columns(std::slice::from_ref(values)) {
        Ok(rows) => rows,
        Err(error) => panic!("every type of the language has a row format: {error}"),
    };
    lists(values, groups, ty, |picks, indices| {
        let mut seen = HashSet::new();
        let new = there(values, picks).filter(|(value, _)| seen.insert(rows.row(*value)));
        indices.extend(new.map(|(value, _)| value as u64));
    })
}

/// A text a group; null without values.
fn texts(values: &ArrayRef, groups: &[Picks<'_>], separator: &str) -> ArrayRef {
    let values_text = values.as_string::<i32>();
    let mut column = StringBuilder::new();
    let mut text = String::new();
    for picks in groups {
        text.clear();
        let mut empty = true;
        for (value, count) in there(values, picks) {
            for _ in 0..count {
                if !empty {
                    text.push_str(separator);
                }
                text.push_str(values_text.value(value));
                empty = false;
            }
        }
        if empty { column.append_null() } else { column.append_value(&text) }
    }
    Arc::new(column.finish())
}
