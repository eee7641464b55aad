//! Groups in a loop: differential's reduce, once over rows and once over sums, whose results are bytes; and reading these.

use std::collections::BTreeMap;

use arrow_array::ArrayRef;
use arrow_schema::{DataType, SchemaRef};
use differential_dataflow::consolidation::consolidate;
use differential_dataflow::difference::Semigroup;
use differential_dataflow::operators::cursor::reduce::reduce_trace;
use differential_dataflow::trace::Cursor;
use differential_dataflow::trace::cursor::Navigable;
use differential_dataflow::trace::implementations::spine_fueled::Spine;
use timely::container::CapacityContainerBuilder;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::dataflow::operators::generic::{Operator, OutputBuilder};
use timely::dataflow::operators::{Capability, ToStream};
use timely::dataflow::{Scope, Stream};

use super::arrange::{KeyUpdates, LoopArrangement, LoopBatch, LoopChunk, LoopSpan, ResultBuilder};
use super::part::{Part, Parts, Time, at};
use crate::delta::untyped_batch;
use crate::row::{Codec, Difference, Packed, worker_of_empty_key};
use crate::sums::{Groups, SlotPlan, Sums};

/// Rows in one decoded batch.
const BATCH: usize = 1 << 13;

/// The results of a group: values with how often each stands.
pub(super) type Results = Vec<(Vec<u8>, i64)>;

/// What a group of rows gives: its key, its values in order with how often each stands.
pub(super) type RowLogic = Box<dyn FnMut(&[u8], &[(&[u8], i64)], &mut Results)>;

/// Applies `logic` to each group that has rows.
pub(super) fn reduce_rows<'scope>(
    input: LoopArrangement<'scope, i64>,
    name: &str,
    logic: RowLogic,
) -> LoopArrangement<'scope, i64> {
    reduce(input, name, logic)
}

/// One result for each group: its sums, encoded. A group without rows has one only where the empty key is `whole`.
pub(super) fn reduce_sums<'scope>(
    input: LoopArrangement<'scope, Sums>,
    name: &str,
    whole: bool,
) -> LoopArrangement<'scope, i64> {
    let logic = move |_: &[u8], values: &[(&[u8], Sums)], results: &mut Results| {
        let mut total = Sums::default();
        // What keeps the empty key there has a value.
        values.iter().filter(|(value, _)| value.is_empty()).for_each(|(_, sums)| total.plus_equals(sums));
        if whole || total.rows > 0 {
            results.push((total.to_bytes(), 1));
        }
    };
    reduce(input, name, logic)
}

fn reduce<'scope, R: Difference>(
    input: LoopArrangement<'scope, R>,
    name: &str,
    mut logic: impl FnMut(&[u8], &[(&[u8], R)], &mut Results) + 'static,
) -> LoopArrangement<'scope, i64> {
    reduce_trace::<_, ResultBuilder, Spine<LoopBatch<i64>>, Packed, _, _>(
        input,
        name,
        move |key, values, known, change| {
            if !values.is_empty() {
                logic(key, values, change);
            }
            change.extend(known.drain(..).map(|(value, diff)| (value, -diff)));
            consolidate(change);
        },
        |buffer: &mut KeyUpdates, key, updates| {
            buffer.key.clear();
            buffer.key.extend_from_slice(key);
            buffer.updates.clear();
            std::mem::swap(&mut buffer.updates, updates);
        },
    )
}

/// A row of the empty key that is always there, so that the whole table is a group even without rows. It differs from
/// every other by its value.
pub(super) fn always<'scope, R: Difference>(
    scope: Scope<'scope, Time>,
    value: &[u8],
    install: u64,
    diff: R,
) -> Stream<'scope, Time, Vec<LoopChunk<R>>> {
    let worker = worker_of_empty_key(scope.peers());
    let chunk = LoopChunk::of_one(worker, super::super::grouped::EMPTY_KEY, value, at(install), diff);
    // One worker's row is enough.
    (scope.index() == worker).then_some(chunk).into_iter().to_stream(scope)
}

/// Rows summed by group and time; the columns of `schema` are the key.
pub(super) fn sum_rows<'scope>(
    parts: Parts<'scope>,
    schema: &SchemaRef,
    keys: &[usize],
    codec: Codec,
    plan: &SlotPlan,
) -> Stream<'scope, Time, Vec<LoopChunk<Sums>>> {
    let types: Vec<DataType> = keys.iter().map(|key| schema.field(*key).data_type().clone()).collect();
    let (keys, plan, peers) = (keys.to_vec(), plan.clone(), parts.scope().peers());
    let mut times: BTreeMap<Time, (Capability<Time>, Groups)> = BTreeMap::new();
    parts.unary_frontier(Pipeline, "Sum", move |_capability, _info| {
        move |(input, frontier), output| {
            input.for_each(|capability, parts| {
                for part in parts.drain(..) {
                    by_time(&part, |time, rows, diffs| {
                        let (_, groups) = times
                            .entry(time.clone())
                            .or_insert_with(|| (capability.delayed(time, 0), Groups::new(&types, &plan)));
                        let keys: Vec<ArrayRef> = keys.iter().map(|key| rows.column(*key).clone()).collect();
                        groups.add(&keys, rows, Some(diffs));
                    });
                }
            });
            for (time, (capability, mut groups)) in times.extract_if(.., |time, _| !frontier.less_equal(time)) {
                let (keys, sums) = groups.take();
                let rows = untyped_batch(keys, sums.len());
                let mut session = output.session(&capability);
                for chunk in codec.encode_with(0, &rows, sums, peers) {
                    session.give(LoopChunk::at(chunk, &time));
                }
            }
        }
    })
}

/// Gives the rows of each time together.
fn by_time(part: &Part, mut give: impl FnMut(&Time, &arrow_array::RecordBatch, &[i64])) {
    let updates = &part.updates;
    let Some((first, _)) = updates.first() else { return };
    if updates.iter().all(|(time, _)| time == first) {
        let diffs: Vec<i64> = updates.iter().map(|(_, diff)| *diff).collect();
        return give(first, &part.rows, &diffs);
    }
    let mut order: Vec<usize> = (0..updates.len()).collect();
    order.sort_by(|a, b| updates[*a].0.cmp(&updates[*b].0));
    for run in order.chunk_by(|a, b| updates[*a].0 == updates[*b].0) {
        let places: arrow_array::UInt64Array = run.iter().map(|row| *row as u64).collect();
        let rows = match arrow_select::take::take_record_batch(&part.rows, &places) {
            Ok(rows) => rows,
            Err(error) => panic!("rows are taken from their own batch: {error}"),
        };
        let diffs: Vec<i64> = run.iter().map(|row| updates[*row].1).collect();
        give(&updates[run[0]].0, &rows, &diffs);
    }
}

/// Rows of an arrangement, still encoded.
#[derive(Default)]
pub(super) struct Encoded<'a> {
    pub keys: Vec<&'a [u8]>,
    pub values: Vec<&'a [u8]>,
    pub updates: Vec<(Time, i64)>,
}

impl Encoded<'_> {
    /// The rows for which `which` holds.
    pub fn chosen(&self, which: impl Fn(usize) -> bool) -> Self {
        let mut chosen = Encoded::default();
        for i in (0..self.updates.len()).filter(|i| which(*i)) {
            chosen.keys.push(self.keys[i]);
            chosen.values.push(self.values[i]);
            chosen.updates.push(self.updates[i].clone());
        }
        chosen
    }
}

/// What is made of encoded rows: rows, and others beside them.
pub(super) type ReadLogic = Box<dyn FnMut(Encoded<'_>, &mut Vec<Part>, &mut Vec<Part>)>;

/// Reads the batches of an arrangement as they arrive.
pub(super) fn read<'scope>(
    spans: Stream<'scope, Time, Vec<LoopSpan<i64>>>,
    name: &str,
    mut logic: ReadLogic,
) -> (Parts<'scope>, Parts<'scope>) {
    let mut builder = OperatorBuilder::new(name.to_string(), spans.scope());
    let mut input = builder.new_input(spans, Pipeline);
    let (first_output, first) = builder.new_output::<Vec<Part>>();
    let (second_output, second) = builder.new_output::<Vec<Part>>();
    let mut first_output: OutputBuilder<_, CapacityContainerBuilder<Vec<Part>>> = OutputBuilder::from(first_output);
    let mut second_output: OutputBuilder<_, CapacityContainerBuilder<Vec<Part>>> = OutputBuilder::from(second_output);
    builder.build(move |_capabilities| {
        move |_frontiers| {
            let (mut first_output, mut second_output) = (first_output.activate(), second_output.activate());
            input.for_each(|capability, spans| {
                for batch in spans.drain(..).filter_map(|span| span.inner) {
                    let (mut first, mut second) = (Vec::new(), Vec::new());
                    each(&batch, |encoded| logic(encoded, &mut first, &mut second));
                    if !first.is_empty() {
                        first_output.session(&capability).give_iterator(first.into_iter());
                    }
                    if !second.is_empty() {
                        second_output.session(&capability).give_iterator(second.into_iter());
                    }
                }
            });
        }
    });
    (first, second)
}

/// Gives the rows of a batch, some thousand at a time.
fn each<'a>(batch: &'a LoopBatch<i64>, mut give: impl FnMut(Encoded<'a>)) {
    let mut cursor = batch.cursor();
    let mut encoded = Encoded::default();
    while let Some(key) = cursor.get_key(batch) {
        while let Some(value) = cursor.get_val(batch) {
            cursor.map_times(batch, |time, diff| {
                encoded.keys.push(key);
                encoded.values.push(value);
                encoded.updates.push((time.clone(), *diff));
            });
            cursor.step_val(batch);
        }
        cursor.step_key(batch);
        if encoded.updates.len() >= BATCH {
            give(std::mem::take(&mut encoded));
        }
    }
    if !encoded.updates.is_empty() {
        give(encoded);
    }
}
