//! From what rows were told and are told to changes: only where these differ.

use std::collections::HashMap;

use arrow_array::{ArrayRef, UInt32Array};
use arrow_schema::SchemaRef;
use arrow_select::take::take;

use super::decoded::Decoded;
use super::functions::{Functions, Told};
use super::sequence::{Run, Sequence};
use crate::delta::{Delta, batch_of};
use crate::render::linear::with_error;

/// Changes that are written at once, and bytes of their results.
const MOST_ROWS: usize = 1 << 14;
const MOST_BYTES: usize = 1 << 30;

/// Changes of rows: the row and its difference.
type Changes = Vec<(usize, i64)>;

/// Writes the changes of a node.
pub(super) struct Writer {
    /// The columns of the node.
    pub schema: SchemaRef,
    /// Its text, for errors.
    pub step: String,
}

/// The rows whose results differ between two runs over the same values.
pub(super) fn differences(sequence: &Sequence, told: &Told, before: &Run, after: &Run, changes: &mut Changes) {
    let (mut old, mut new) = (before.rows.clone().peekable(), after.rows.clone().peekable());
    let same = |old: usize, new: usize| {
        told.results.get(old) == told.results.get(new) && told.errors.get(&old) == told.errors.get(&new)
    };
    loop {
        let value = |row: Option<&usize>| row.map(|row| sequence.values[*row]);
        let (old_value, new_value) = (value(old.peek()), value(new.peek()));
        let is_old = old_value.is_some_and(|value| new_value.is_none_or(|other| value <= other));
        let is_new = new_value.is_some_and(|value| old_value.is_none_or(|other| value <= other));
        let pair = (if is_old { old.next() } else { None }, if is_new { new.next() } else { None });
        match pair {
            (None, None) => break,
            (Some(old), Some(new)) if same(old, new) => {}
            (old, new) => {
                changes.extend(old.map(|row| (row, -1)));
                changes.extend(new.map(|row| (row, 1)));
            }
        }
    }
}

impl Writer {
    /// Writes changes of an epoch, as rows and as errors.
    #[allow(clippy::too_many_arguments)]
    pub fn write(
        &self,
        epoch: u64,
        functions: &Functions,
        decoded: &Decoded,
        sequence: &Sequence,
        told: &Told,
        changes: &[(usize, i64)],
        out: (&mut Vec<Delta>, &mut Vec<Delta>),
    ) {
        let (rows, errors) = out;
        let failed = |row: &usize, errors: &HashMap<usize, String>| errors.contains_key(row);
        let (bad, good): (Changes, Changes) = changes.iter().partition(|(row, _)| failed(row, &told.errors));
        let mut rest = &good[..];
        while !rest.is_empty() {
            let mut bytes = 0usize;
            let fits = rest.iter().take(MOST_ROWS).take_while(|(row, _)| {
                let first = bytes == 0;
                bytes = bytes.saturating_add(told.results.get(*row).len().max(1));
                first || bytes <= MOST_BYTES
            });
            let (batch, later) = rest.split_at(fits.count());
            let mut columns = inputs(decoded, sequence, batch);
            columns.extend(functions.columns(batch.iter().map(|(row, _)| told.results.get(*row))));
            let diffs = batch.iter().map(|(_, diff)| *diff).collect();
            rows.push(Delta::new(epoch, batch_of(&self.schema, columns, batch.len()), diffs));
            rest = later;
        }
        for batch in bad.chunks(MOST_ROWS) {
            let messages: Vec<&str> =
                batch.iter().filter_map(|(row, _)| told.errors.get(row)).map(String::as_str).collect();
            let failures = with_error(inputs(decoded, sequence, batch), messages.into_iter(), &self.step);
            errors.push(Delta::new(epoch, failures, batch.iter().map(|(_, diff)| *diff).collect()));
        }
    }
}

/// The columns of the input in these rows.
fn inputs(decoded: &Decoded, sequence: &Sequence, rows: &[(usize, i64)]) -> Vec<ArrayRef> {
    let values: UInt32Array = rows.iter().map(|(row, _)| sequence.values[*row]).collect();
    let column = |column: &ArrayRef| match take(column, &values, None) {
        Ok(column) => column,
        Err(error) => panic!("changed rows are rows of the batch: {error}"),
    };
    decoded.rows.columns().iter().map(column).collect()
}
