//! Keys that must stand once: where several rows share a key, all of them are errors until one remains.

use std::collections::BTreeMap;

use timely::container::CapacityContainerBuilder;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::CapabilitySet;
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;

use super::around::Around;
use super::linear::with_error;
use crate::delta::{Delta, Rows};
use crate::row::{Arrangement, Codec, Reading};

/// Encoded rows of one epoch.
#[derive(Default)]
struct Pending<'a> {
    keys: Vec<&'a [u8]>,
    values: Vec<&'a [u8]>,
    diffs: Vec<i64>,
}

impl<'a> Pending<'a> {
    fn add(&mut self, key: &'a [u8], value: &'a [u8], diff: i64) {
        if diff != 0 {
            self.keys.push(key);
            self.values.push(value);
            self.diffs.push(diff);
        }
    }
}

/// Rows whose key stands once, and as errors those whose key stands more often.
pub(super) fn unique<'scope>(
    rows: Arrangement<'scope, i64>,
    codec: Codec,
    step: &str,
    install: u64,
) -> (Rows<'scope>, Rows<'scope>) {
    let step = step.to_string();
    let mut reading = Reading::new(rows.trace);
    let mut builder = OperatorBuilder::new("Unique".to_string(), rows.stream.scope());
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
                    loop {
                        let mut values: Vec<(&[u8], i64, i64)> = Vec::new();
                        let visited = around.visit(&storage, &mut changed, |_, value, before, after| {
                            values.push((value, before, after));
                            true
                        });
                        let Some(epoch) = visited else { break };
                        let once_before = values.iter().map(|(_, before, _)| before).sum::<i64>() == 1;
                        let once_after = values.iter().map(|(_, _, after)| after).sum::<i64>() == 1;
                        let (good, failed) = pending.entry(epoch).or_default();
                        for (value, before, after) in values {
                            let good_before = if once_before { before } else { 0 };
                            let good_after = if once_after { after } else { 0 };
                            good.add(key, value, good_after - good_before);
                            failed.add(key, value, (after - good_after) - (before - good_before));
                        }
                    }
                }
                for (epoch, (good, failed)) in pending {
                    if !good.diffs.is_empty() {
                        let delta = Delta::new(epoch, codec.decode(&good.keys, &good.values), good.diffs);
                        rows_output.session(&row_capabilities).give(delta);
                    }
                    if !failed.diffs.is_empty() {
                        let columns = codec.decode_columns(&failed.keys, &failed.values);
                        let messages = vec!["the key stands more than once"; failed.diffs.len()];
                        let rows = with_error(columns, messages.into_iter(), &step);
                        errors_output.session(&error_capabilities).give(Delta::new(epoch, rows, failed.diffs));
                    }
                }
            }
            reading.settle(None);
        }
    });
    (rows, errors)
}
