//! Grouping with sums: summed by hash, arranged with the sums as differences, and read where they change.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_schema::{Schema, SchemaRef};
use differential_dataflow::difference::Semigroup;
use differential_dataflow::trace::Cursor;
use differential_dataflow::trace::cursor::cursor_list;
use tidebook_plan::flow::{FlowNode, SumAggregate};
use timely::container::CapacityContainerBuilder;
use timely::dataflow::Stream;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::dataflow::operators::generic::{Operator, OutputBuilder};
use timely::dataflow::operators::{Capability, CapabilitySet, InputCapability};

use super::linear::with_error;
use crate::delta::{Delta, Rows, batch_of, untyped_batch};
use crate::row::{Arrangement, Chunk, Codec, Layout, Reading, arrange, time_at, worker_of_empty_key};
use crate::sums::{Groups, Reader, SlotPlan, Sums};

/// Groups kept in one hash table before they are handed on, though their epoch goes on.
const MOST_GROUPS: usize = 1 << 20;

/// Columns of `schema` at these positions.
pub(super) fn project(schema: &SchemaRef, columns: &[usize]) -> SchemaRef {
    Arc::new(Schema::new(columns.iter().map(|column| schema.field(*column).clone()).collect::<Vec<_>>()))
}

/// Sums of the epochs that are not complete yet.
pub(super) struct PreAggregate {
    codec: Codec,
    types: Vec<arrow_schema::DataType>,
    plan: SlotPlan,
    peers: usize,
    epochs: BTreeMap<u64, (Capability<u64>, Groups)>,
    spare: Vec<Groups>,
}

impl PreAggregate {
    /// Groups by the columns of `schema`, of which the first `keys` become the key of the arrangement.
    pub fn new(schema: &SchemaRef, keys: usize, plan: SlotPlan, peers: usize) -> Self {
        let layout = Layout::by(&(0..keys).collect::<Vec<_>>());
        PreAggregate {
            codec: Codec::new(schema, &layout),
            types: schema.fields().iter().map(|field| field.data_type().clone()).collect(),
            plan,
            peers,
            epochs: BTreeMap::new(),
            spare: Vec::new(),
        }
    }

    /// Lets `add` add to the sums of an epoch.
    pub fn update(
        &mut self,
        epoch: u64,
        capability: &InputCapability<u64>,
        add: impl FnOnce(&mut Groups),
        give: impl FnMut(&Capability<u64>, Chunk<Sums>),
    ) {
        let (types, plan, spare) = (&self.types, &self.plan, &mut self.spare);
        let (_, groups) = self.epochs.entry(epoch).or_insert_with(|| {
            (capability.delayed(&epoch, 0), spare.pop().unwrap_or_else(|| Groups::new(types, plan)))
        });
        add(groups);
        if groups.count() >= MOST_GROUPS {
            self.flush(epoch, give);
        }
    }

    /// Hands on the sums of all epochs before the frontier.
    pub fn complete(&mut self, is_open: impl Fn(u64) -> bool, mut give: impl FnMut(&Capability<u64>, Chunk<Sums>)) {
        while let Some((epoch, _)) = self.epochs.first_key_value() {
            let epoch = *epoch;
            if is_open(epoch) {
                break;
            }
            self.flush(epoch, &mut give);
        }
    }

    fn flush(&mut self, epoch: u64, mut give: impl FnMut(&Capability<u64>, Chunk<Sums>)) {
        let Some((capability, mut groups)) = self.epochs.remove(&epoch) else { return };
        let (keys, sums) = groups.take();
        let rows = untyped_batch(keys, sums.len());
        for chunk in self.codec.encode_with(epoch, &rows, sums, self.peers) {
            give(&capability, chunk);
        }
        self.spare.push(groups);
    }
}

/// Groups rows by `columns` and sums them; the first `keys` columns are the key of the arrangement.
pub(super) fn sum_by<'scope>(
    rows: Rows<'scope>,
    schema: &SchemaRef,
    columns: &[usize],
    keys: usize,
    plan: &SlotPlan,
    name: &str,
) -> Arrangement<'scope, Sums> {
    let columns = columns.to_vec();
    let mut sums = PreAggregate::new(&project(schema, &columns), keys, plan.clone(), rows.scope().peers());
    let chunks: Stream<'scope, u64, Vec<Chunk<Sums>>> =
        rows.unary_frontier(Pipeline, "Sum", move |_capability, _info| {
            move |(input, frontier), output| {
                input.for_each(|capability, deltas| {
                    for delta in deltas.drain(..) {
                        let changes = &delta.changes;
                        let keys: Vec<ArrayRef> = columns.iter().map(|c| Arc::clone(changes.rows.column(*c))).collect();
                        sums.update(
                            delta.epoch,
                            &capability,
                            |groups| groups.add(&keys, &changes.rows, changes.diffs.as_deref()),
                            |capability, chunk| output.session(capability).give(chunk),
                        );
                    }
                });
                sums.complete(
                    |epoch| frontier.less_equal(&epoch),
                    |capability, chunk| output.session(capability).give(chunk),
                );
            }
        });
    arrange(chunks, name)
}

/// The arrangement of a reduce node.
pub(super) fn arrange_sums<'scope>(
    rows: Rows<'scope>,
    schema: &SchemaRef,
    keys: &[usize],
    aggregates: &[SumAggregate],
    name: &str,
) -> Arrangement<'scope, Sums> {
    sum_by(rows, schema, keys, keys.len(), &SlotPlan::new(schema, aggregates), name)
}

/// Result rows of one epoch, before they become columns.
#[derive(Default)]
struct Results<'a> {
    keys: Vec<&'a [u8]>,
    sums: Vec<Sums>,
    diffs: Vec<i64>,
}

impl<'a> Results<'a> {
    fn push(&mut self, key: &'a [u8], sums: Sums, diff: i64) {
        self.keys.push(key);
        self.sums.push(sums);
        self.diffs.push(diff);
    }
}

/// Turns sums into rows, and into errors where a sum does not fit its type.
struct ResultWriter {
    codec: Codec,
    reader: Reader,
    schema: SchemaRef,
    step: String,
}

impl ResultWriter {
    fn write(&self, epoch: u64, results: Results<'_>) -> (Option<Delta>, Option<Delta>) {
        let errors: Vec<Option<String>> = results.sums.iter().map(|sums| self.reader.error(sums)).collect();
        let pick = |failed: bool| (0..errors.len()).filter(|i| errors[*i].is_some() == failed).collect::<Vec<_>>();
        let keys =
            |chosen: &[usize]| self.codec.decode_keys(&chosen.iter().map(|i| results.keys[*i]).collect::<Vec<_>>());
        let diffs = |chosen: &[usize]| chosen.iter().map(|i| results.diffs[*i]).collect::<Vec<_>>();
        let (good, failed) = (pick(false), pick(true));
        let messages: Vec<&str> = errors.iter().flatten().map(String::as_str).collect();
        let rows = (!good.is_empty()).then(|| {
            let mut columns = keys(&good);
            columns.extend(self.reader.columns(&good.iter().map(|i| &results.sums[*i]).collect::<Vec<_>>()));
            Delta::new(epoch, batch_of(&self.schema, columns, good.len()), diffs(&good))
        });
        let errors = (!failed.is_empty()).then(|| {
            let rows = with_error(keys(&failed), messages.iter().copied(), &self.step);
            Delta::new(epoch, rows, diffs(&failed))
        });
        (rows, errors)
    }
}

/// The rows of a reduce node from its sums, and its errors.
pub(super) fn results<'scope>(
    sums: Arrangement<'scope, Sums>,
    schema: &SchemaRef,
    keys: &[usize],
    aggregates: &[SumAggregate],
    node: &FlowNode,
    install: u64,
) -> (Rows<'scope>, Rows<'scope>) {
    let plan = SlotPlan::new(schema, aggregates);
    let key_schema = project(schema, keys);
    let writer = ResultWriter {
        codec: Codec::new(&key_schema, &Layout::by(&(0..keys.len()).collect::<Vec<_>>())),
        reader: Reader::new(schema, aggregates, &plan),
        schema: node.schema.clone(),
        step: node.step.clone(),
    };
    let whole = keys.is_empty();
    let only_keys = !whole && aggregates.is_empty();
    let scope = sums.stream.scope();
    let mut reading = Reading::new(sums.trace);
    let mut builder = OperatorBuilder::new("Results".to_string(), scope);
    let mut input = builder.new_input(sums.stream, Pipeline);
    let (rows_output, rows) = builder.new_output::<Vec<Delta>>();
    let (errors_output, errors) = builder.new_output::<Vec<Delta>>();
    let mut rows_output: OutputBuilder<_, CapacityContainerBuilder<Vec<Delta>>> = OutputBuilder::from(rows_output);
    let mut errors_output: OutputBuilder<_, CapacityContainerBuilder<Vec<Delta>>> = OutputBuilder::from(errors_output);
    let keeps_whole = scope.index() == worker_of_empty_key(scope.peers());
    let activator = scope.activator_for(Rc::clone(&builder.operator_info().address));
    builder.build(move |mut capabilities| {
        // Without keys there is a row from the first epoch on, even if there never is an input row.
        capabilities.truncate(1);
        let mut first = (whole && keeps_whole).then(|| capabilities.pop()).flatten();
        drop(capabilities);
        move |_frontiers| {
            let mut rows_output = rows_output.activate();
            let mut errors_output = errors_output.activate();
            if let Some(capability) = first.take() {
                let results = Results { keys: vec![&[0]], sums: vec![Sums::default()], diffs: vec![1] };
                if let (Some(delta), _) = writer.write(install, results) {
                    rows_output.session(&capability).give(delta);
                }
            }
            let mut batches = Vec::new();
            let mut row_capabilities = CapabilitySet::new();
            let mut error_capabilities = CapabilitySet::new();
            reading.begin();
            input.for_each(|capability, spans| {
                capability.retain_least(0).into_iter().for_each(|capability| row_capabilities.insert(capability));
                capability.retain_least(1).into_iter().for_each(|capability| error_capabilities.insert(capability));
                reading.receive(spans, |batch, _| batches.push(batch));
            });
            if !batches.is_empty() {
                let (mut changed, changed_storage) = cursor_list(batches);
                let (mut known, known_storage) = cursor_list(reading.known());
                let mut pending: BTreeMap<u64, Results<'_>> = BTreeMap::new();
                let mut flush = |pending: &mut BTreeMap<u64, Results<'_>>| {
                    for (epoch, results) in std::mem::take(pending) {
                        let (rows, errors) = writer.write(epoch, results);
                        if let Some(delta) = rows {
                            rows_output.session(&row_capabilities).give(delta);
                        }
                        if let Some(delta) = errors {
                            errors_output.session(&error_capabilities).give(delta);
                        }
                    }
                };
                let mut times: Vec<(u64, Sums)> = Vec::new();
                let mut count = 0;
                while let Some(key) = changed.get_key(&changed_storage) {
                    let mut sums = Sums::default();
                    known.seek_key(&known_storage, key);
                    if known.get_key(&known_storage) == Some(key) {
                        while known.get_val(&known_storage).is_some() {
                            known.map_times(&known_storage, |_, diff| sums.plus_equals(diff));
                            known.step_val(&known_storage);
                        }
                    }
                    times.clear();
                    while changed.get_val(&changed_storage).is_some() {
                        changed.map_times(&changed_storage, |time, diff| {
                            times.push((time_at(*time, install), diff.clone()));
                        });
                        changed.step_val(&changed_storage);
                    }
                    times.sort_by_key(|(time, _)| *time);
                    let mut at = 0;
                    while at < times.len() {
                        let epoch = times[at].0;
                        let before = (whole || sums.rows > 0).then(|| sums.clone());
                        while at < times.len() && times[at].0 == epoch {
                            sums.plus_equals(&times[at].1);
                            at += 1;
                        }
                        // Without aggregates a group has the same row as long as it is there.
                        if only_keys && before.is_some() && sums.rows > 0 {
                            continue;
                        }
                        let results = pending.entry(epoch).or_default();
                        if let Some(before) = before {
                            results.push(key, before, -1);
                        }
                        if whole || sums.rows > 0 {
                            // Sums can be large: only where a later epoch needs them, they are copied.
                            let sums = if at == times.len() { std::mem::take(&mut sums) } else { sums.clone() };
                            results.push(key, sums, 1);
                        }
                        count += 2;
                    }
                    if count >= 1 << 14 {
                        flush(&mut pending);
                        count = 0;
                    }
                    changed.step_key(&changed_storage);
                }
                flush(&mut pending);
            }
            reading.settle(None);
        }
    });
    activator.activate();
    (rows, errors)
}
