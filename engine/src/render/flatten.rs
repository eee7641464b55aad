//! One row for each element of a list.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, UInt64Array};
use arrow_schema::SchemaRef;
use arrow_select::take::take;
use tidebook_plan::ChangeBatch;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::Operator;

use crate::delta::{Delta, Rows, batch_of};

/// Rows in one batch: a long list does not become one.
const BATCH: usize = 1 << 14;

/// The rows with each element of the list `column` in the list's place.
pub(super) fn flatten<'scope>(rows: Rows<'scope>, column: usize, schema: &SchemaRef) -> Rows<'scope> {
    let schema = Arc::clone(schema);
    rows.unary(Pipeline, "Flatten", move |_capability, _info| {
        move |input, output| {
            input.for_each(|capability, deltas| {
                let mut session = output.session(&capability);
                for delta in deltas.drain(..) {
                    elements(&delta.changes, column, &schema, |changes| {
                        session.give(Delta { epoch: delta.epoch, changes: Arc::new(changes) });
                    });
                }
            });
        }
    })
}

/// Gives the rows with each element of the list `column` in the list's place, a batch at a time.
pub(super) fn elements(changes: &ChangeBatch, column: usize, schema: &SchemaRef, mut give: impl FnMut(ChangeBatch)) {
    let Some(lists) = changes.rows.column(column).as_list_opt::<i32>() else { unreachable!("a list is a list array") };
    let (mut rows, mut places) = (Vec::new(), Vec::new());
    let mut flush = |rows: &mut Vec<u64>, places: &mut Vec<u64>| {
        if !rows.is_empty() {
            give(taken(changes, column, lists.values(), std::mem::take(rows), std::mem::take(places), schema));
        }
    };
    for row in (0..lists.len()).filter(|row| lists.is_valid(*row)) {
        let offsets = lists.value_offsets();
        for place in offsets[row]..offsets[row + 1] {
            rows.push(row as u64);
            places.push(u64::from(place.unsigned_abs()));
            if rows.len() == BATCH {
                flush(&mut rows, &mut places);
            }
        }
    }
    flush(&mut rows, &mut places);
}

/// The batch whose rows are `rows` of the changes, with the elements at `places`.
fn taken(
    changes: &ChangeBatch,
    column: usize,
    elements: &ArrayRef,
    rows: Vec<u64>,
    places: Vec<u64>,
    schema: &SchemaRef,
) -> ChangeBatch {
    let diffs = changes.diffs.as_ref().map(|diffs| rows.iter().map(|row| diffs[*row as usize]).collect());
    let count = rows.len();
    let (rows, places) = (UInt64Array::from(rows), UInt64Array::from(places));
    let columns = changes.rows.columns().iter().enumerate();
    let columns = columns.map(|(i, array)| {
        let result = if i == column { take(elements, &places, None) } else { take(array, &rows, None) };
        match result {
            Ok(array) => array,
            Err(error) => panic!("elements and rows are those of the batch: {error}"),
        }
    });
    ChangeBatch { rows: batch_of(schema, columns.collect(), count), diffs }
}
