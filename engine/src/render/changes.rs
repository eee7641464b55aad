//! The change stream of a table, as rows that stay.
//!
//! What changed in an epoch is told when the epoch is complete, summed by row: what cancels within it has never been.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array};
use arrow_schema::SchemaRef;
use differential_dataflow::trace::Cursor;
use differential_dataflow::trace::cursor::Navigable;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::Capability;
use timely::dataflow::operators::generic::Operator;

use crate::delta::{Delta, Rows, batch_of};
use crate::row::{Arrangement, Codec, time_at};

/// Rows in one batch.
const BATCH: usize = 1 << 13;

/// Changes of an epoch that is not complete, by encoded row.
type Gathered = (Capability<u64>, BTreeMap<Vec<u8>, i64>);

/// The changes of `rows`, which are arranged by whole rows, with epoch and difference.
pub(super) fn changes<'scope>(
    rows: Arrangement<'scope, i64>,
    codec: Codec,
    schema: &SchemaRef,
    install: u64,
) -> Rows<'scope> {
    let schema = Arc::clone(schema);
    rows.stream.unary_frontier(Pipeline, "Changes", move |_capability, _info| {
        let mut epochs: BTreeMap<u64, Gathered> = BTreeMap::new();
        move |(input, frontier), output| {
            input.for_each(|capability, spans| {
                let Some(capability) = capability.retain_least(0) else { return };
                for batch in spans.drain(..).filter_map(|span| span.inner) {
                    let mut cursor = batch.cursor();
                    while let Some(key) = cursor.get_key(&batch) {
                        while cursor.get_val(&batch).is_some() {
                            cursor.map_times(&batch, |time, diff| {
                                let epoch = time_at(*time, install);
                                let (_, rows) = epochs
                                    .entry(epoch)
                                    .or_insert_with(|| (capability.delayed(&epoch), BTreeMap::new()));
                                *rows.entry(key.to_vec()).or_default() += *diff;
                            });
                            cursor.step_val(&batch);
                        }
                        cursor.step_key(&batch);
                    }
                }
            });
            while let Some(entry) = epochs.first_entry() {
                let epoch = *entry.key();
                if frontier.less_equal(&epoch) {
                    break;
                }
                let (capability, rows) = entry.remove();
                let rows: Vec<(Vec<u8>, i64)> = rows.into_iter().filter(|(_, diff)| *diff != 0).collect();
                let mut session = output.session(&capability);
                for part in rows.chunks(BATCH) {
                    session.give(told(&codec, epoch, part, &schema));
                }
            }
        }
    })
}

fn told(codec: &Codec, epoch: u64, part: &[(Vec<u8>, i64)], schema: &SchemaRef) -> Delta {
    let keys: Vec<&[u8]> = part.iter().map(|(key, _)| key.as_slice()).collect();
    let values = vec![&[][..]; keys.len()];
    let mut columns: Vec<ArrayRef> = codec.decode_columns(&keys, &values);
    // The clock counts microseconds; it fits for some 290,000 years.
    columns.push(Arc::new(Int64Array::from_value(epoch as i64, part.len())));
    columns.push(Arc::new(part.iter().map(|(_, diff)| *diff).collect::<Int64Array>()));
    let rows = batch_of(schema, columns, part.len());
    Delta::new(epoch, rows, vec![1; part.len()])
}
