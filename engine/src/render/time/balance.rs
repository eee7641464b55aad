//! Rows that stand, and as errors those that were taken back without having been given.

use std::collections::BTreeMap;

use timely::container::CapacityContainerBuilder;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::CapabilitySet;
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;

use crate::delta::{Delta, Rows};
use crate::render::around::Around;
use crate::render::linear::with_error;
use crate::row::{Arrangement, Codec, Reading};

const MESSAGE: &str = "the row was taken back after its window had closed";

/// Encoded rows of one epoch with their differences.
type Pending<'a> = Vec<(&'a [u8], i64)>;

/// Of each row of `rows`, which are arranged as a whole, how often it was given beyond being taken back; and as errors how
/// often it was taken back beyond being given.
pub(in crate::render) fn balance<'scope>(
    rows: Arrangement<'scope, i64>,
    codec: Codec,
    step: &str,
    install: u64,
) -> (Rows<'scope>, Rows<'scope>) {
    let step = step.to_string();
    let mut reading = Reading::new(rows.trace);
    let mut builder = OperatorBuilder::new("Balance".to_string(), rows.stream.scope());
    let mut input = builder.new_input(rows.stream, Pipeline);
    let (rows_output, rows) = builder.new_output::<Vec<Delta>>();
    let (errors_output, errors) = builder.new_output::<Vec<Delta>>();
    let mut rows_output: OutputBuilder<_, CapacityContainerBuilder<Vec<Delta>>> = OutputBuilder::from(rows_output);
    let mut errors_output: OutputBuilder<_, CapacityContainerBuilder<Vec<Delta>>> = OutputBuilder::from(errors_output);
    builder.build(move |_capabilities| {
        move |_frontiers| {
            let mut rows_output = rows_output.activate();
            let mut errors_output = errors_output.activate();
            reading.begin();
            let mut batches = Vec::new();
            let mut row_capabilities = CapabilitySet::new();
            let mut error_capabilities = CapabilitySet::new();
            input.for_each(|capability, spans| {
                capability.retain_least(0).into_iter().for_each(|capability| row_capabilities.insert(capability));
                capability.retain_least(1).into_iter().for_each(|capability| error_capabilities.insert(capability));
                reading.receive(spans, |batch, _| batches.push(batch));
            });
            if !batches.is_empty() {
                let (mut around, storage) = Around::new(reading.known(), batches, install);
                let mut pending: BTreeMap<u64, (Pending<'_>, Pending<'_>)> = BTreeMap::new();
                while let Some(mut changed) = around.key(&storage) {
                    let key = changed.key;
                    let mut visit = |epoch, before: i64, after: i64| {
                        let (stand, lack) = pending.entry(epoch).or_default();
                        stand.push((key, after.max(0) - before.max(0)));
                        lack.push((key, (-after).max(0) - (-before).max(0)));
                        true
                    };
                    while around
                        .visit(&storage, &mut changed, |epoch, _, before, after| visit(epoch, before, after))
                        .is_some()
                    {}
                }
                for (epoch, (stand, lack)) in pending {
                    let (keys, values, diffs) = split(stand);
                    if !diffs.is_empty() {
                        let delta = Delta::new(epoch, codec.decode(&keys, &values), diffs);
                        rows_output.session(&row_capabilities).give(delta);
                    }
                    let (keys, values, diffs) = split(lack);
                    if !diffs.is_empty() {
                        let messages = vec![MESSAGE; diffs.len()];
                        let rows = with_error(codec.decode_columns(&keys, &values), messages.into_iter(), &step);
                        errors_output.session(&error_capabilities).give(Delta::new(epoch, rows, diffs));
                    }
                }
            }
            reading.settle(None);
        }
    });
    (rows, errors)
}

/// Keys, (empty) values and differences of what has changed.
fn split(pending: Pending<'_>) -> (Vec<&[u8]>, Vec<&[u8]>, Vec<i64>) {
    let (keys, diffs): (Vec<&[u8]>, Vec<i64>) = pending.into_iter().filter(|(_, diff)| *diff != 0).unzip();
    let values = vec![&[][..]; keys.len()];
    (keys, values, diffs)
}
