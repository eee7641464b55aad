//! How far event time has come.
//!
//! Each worker reduces its rows to the latest instant of an epoch; one worker puts these together and says where the
//! watermark stands once the epoch is complete.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array, PrimitiveArray};
use arrow_schema::{DataType, SchemaRef};
use tidebook_plan::ChangeBatch;
use tidebook_plan::flow::WatermarkInput;
use timely::container::CapacityContainerBuilder;
use timely::dataflow::Stream;
use timely::dataflow::channels::pact::{Exchange, Pipeline};
use timely::dataflow::operators::Capability;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::dataflow::operators::generic::{Operator, OutputBuilder};
use timely::progress::frontier::MutableAntichain;

use super::{END, instants};
use crate::delta::{Delta, Rows, batch_of};

/// An epoch with its latest instant.
type Latest<'scope> = Stream<'scope, u64, Vec<(u64, i64)>>;

/// Stands for the instant of a batch in which none was added. Such a batch moves nothing, but it has to be known when its input
/// ends: the end comes after it.
const NONE: i64 = i64::MIN;

/// The latest instant in each batch that was added.
fn latest(rows: Rows<'_>, column: usize) -> Latest<'_> {
    rows.unary(Pipeline, "Latest", move |_capability, _info| {
        move |input, output| {
            input.for_each(|capability, deltas| {
                let latest = deltas.drain(..).map(|delta| {
                    let instants = instants(&delta.changes.rows, column);
                    let came = (0..instants.len()).filter(|i| instants.is_valid(*i) && delta.changes.diff(*i) > 0);
                    (delta.epoch, came.map(|i| instants.value(i)).max().unwrap_or(NONE))
                });
                output.session(&capability).give_iterator(latest.collect::<Vec<_>>().into_iter());
            });
        }
    })
}

/// What is known of one input.
struct Input {
    delay: i64,
    idle: u64,
    /// Latest instants of epochs that are not complete.
    pending: BTreeMap<u64, i64>,
    /// The latest instant.
    latest: Option<i64>,
    /// The last epoch that had rows.
    seen: u64,
}

impl Input {
    fn level(&self) -> Option<i64> {
        self.latest.map(|latest| latest.saturating_sub(self.delay))
    }
}

/// The watermark of some inputs.
struct Watermark {
    inputs: Vec<Input>,
    level: Option<i64>,
    /// The last epoch with rows that was taken in.
    last: u64,
}

impl Watermark {
    /// The first epoch with rows that was not taken in.
    fn first(&self) -> Option<u64> {
        self.inputs.iter().filter_map(|input| input.pending.first_key_value().map(|(epoch, _)| *epoch)).min()
    }

    /// Takes the rows of an epoch in.
    fn take(&mut self, epoch: u64) {
        for input in &mut self.inputs {
            if let Some(instant) = input.pending.remove(&epoch) {
                input.latest = input.latest.max(Some(instant).filter(|instant| *instant != NONE));
                input.seen = epoch;
                self.last = epoch;
            }
        }
    }

    /// Where the watermark moves to, as of `epoch`; `frontiers` tell which inputs have ended.
    fn moves(&mut self, epoch: u64, frontiers: &[MutableAntichain<u64>]) -> Option<i64> {
        let (ended, going): (Vec<_>, Vec<_>) = self
            .inputs
            .iter()
            .zip(frontiers)
            .partition(|(input, frontier)| frontier.is_empty() && input.pending.is_empty());
        // An input that has shown nothing yet, or nothing of late, does not hold the others back.
        let active = going.iter().filter(|(input, _)| epoch.saturating_sub(input.seen) <= input.idle);
        let least = active.filter_map(|(input, _)| input.level()).min();
        let level = match least {
            Some(least) => Some(least),
            None if going.is_empty() => Some(END),
            // Who is still to begin, or to go on, must not find everything passed.
            None => ended.iter().filter_map(|(input, _)| input.level()).min(),
        };
        let moves = level > self.level;
        self.level = self.level.max(level);
        if moves { level } else { None }
    }
}

/// The watermark of `inputs`, a row for each move.
pub(in crate::render) fn watermark<'scope>(
    inputs: Vec<(Rows<'scope>, WatermarkInput)>,
    schema: &SchemaRef,
) -> Rows<'scope> {
    let schema = Arc::clone(schema);
    let Some((first, _)) = inputs.first() else { unreachable!("a watermark has an input") };
    let scope = first.scope();
    let mut builder = OperatorBuilder::new("Watermark".to_string(), scope);
    let mut streams = Vec::with_capacity(inputs.len());
    let mut known = Vec::with_capacity(inputs.len());
    for (rows, input) in inputs {
        streams.push(builder.new_input(latest(rows, input.column), Exchange::new(|_: &(u64, i64)| 0)));
        let (delay, idle) = (input.delay, u64::try_from(input.idle).unwrap_or(0));
        known.push(Input { delay, idle, pending: BTreeMap::new(), latest: None, seen: 0 });
    }
    let (output, rows) = builder.new_output::<Vec<Delta>>();
    let mut output: OutputBuilder<_, CapacityContainerBuilder<Vec<Delta>>> = OutputBuilder::from(output);
    builder.build(move |mut capabilities| {
        let mut capability = capabilities.pop().filter(|_| scope.index() == 0);
        let mut state = Watermark { inputs: known, level: None, last: 0 };
        move |frontiers| {
            for (stream, input) in streams.iter_mut().zip(&mut state.inputs) {
                stream.for_each(|_capability, latest| {
                    for (epoch, instant) in latest.drain(..) {
                        let known = input.pending.entry(epoch).or_insert(instant);
                        *known = instant.max(*known);
                    }
                });
            }
            let Some(held) = &mut capability else { return };
            let mut output = output.activate();
            let mut say = |held: &Capability<u64>, epoch: u64, level: Option<i64>| {
                if let Some(level) = level {
                    output.session(held).give(Delta::new(epoch, row(&schema, level), vec![1]));
                }
            };
            let open = |epoch: &u64| frontiers.iter().any(|frontier| frontier.less_equal(epoch));
            while let Some(epoch) = state.first().filter(|epoch| !open(epoch)) {
                state.take(epoch);
                let level = state.moves(epoch, frontiers);
                say(held, epoch.max(*held.time()), level);
            }
            // Inputs may have ended or become idle since: that counts for the last epoch that is complete, or where that is
            // gone by, for the one that is under way.
            let frontier = frontiers.iter().filter_map(|frontier| frontier.frontier().first().copied()).min();
            let complete =
                frontier.map_or(*held.time(), |frontier| frontier.saturating_sub(1)).max(*held.time()).max(state.last);
            let level = state.moves(complete, frontiers);
            say(held, complete, level);
            match frontier {
                Some(frontier) => held.downgrade(&frontier.min(state.first().unwrap_or(frontier))),
                None => capability = None,
            }
        }
    });
    rows
}

fn row(schema: &SchemaRef, level: i64) -> arrow_array::RecordBatch {
    let DataType::Timestamp(..) = schema.field(0).data_type() else { panic!("a watermark is a timestamp") };
    let level = PrimitiveArray::<TimestampMicrosecondType>::from_value(level, 1);
    batch_of(schema, vec![Arc::new(level.with_data_type(schema.field(0).data_type().clone()))], 1)
}

/// Where the watermark stands after each epoch in which it moved, on every worker.
pub(super) fn levels(watermark: Rows<'_>) -> Latest<'_> {
    use timely::dataflow::operators::vec::Broadcast;
    let levels = watermark.unary(Pipeline, "Level", move |_capability, _info| {
        move |input, output| {
            input.for_each(|capability, deltas| {
                let level = |delta: &Arc<ChangeBatch>| instants(&delta.rows, 0).value(0);
                let levels: Vec<_> = deltas.drain(..).map(|delta| (delta.epoch, level(&delta.changes))).collect();
                output.session(&capability).give_iterator(levels.into_iter());
            });
        }
    });
    levels.broadcast()
}
