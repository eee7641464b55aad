//! What a stream inside a loop carries: rows, each with a time and a difference, and what needs no state.

use std::rc::Rc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use differential_dataflow::dynamic::pointstamp::{PointStamp, PointStampSummary};
use tidebook_plan::ChangeBatch;
use tidebook_plan::flow::{FlowNode, Stage};
use timely::container::CapacityContainerBuilder;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::dataflow::operators::generic::{Operator, OutputBuilder};
use timely::dataflow::operators::{CapabilitySet, Concatenate};
use timely::dataflow::{Scope, Stream};
use timely::order::Product;
use timely::progress::Antichain;

use super::super::eval::apply;
use super::super::flatten::elements;
use super::super::linear::failed_rows;
use crate::delta::{Rows, batch_of};

/// The round of each loop, the outermost first. Four fit without an allocation.
pub(super) type Rounds = PointStamp<u32, 4>;
/// An epoch and rounds.
pub(super) type Time = Product<u64, Rounds>;

/// Rows with a time and a difference each.
#[derive(Clone)]
pub(super) struct Part {
    pub rows: RecordBatch,
    pub updates: Rc<Vec<(Time, i64)>>,
}

/// A stream of rows in a loop.
///
/// *Invariant:* some time of the message that carries a part is at most the time of each of its rows.
pub(super) type Parts<'scope> = Stream<'scope, Time, Vec<Part>>;

impl Part {
    /// Rows with these times and differences.
    pub fn new(rows: RecordBatch, updates: Vec<(Time, i64)>) -> Self {
        debug_assert_eq!(rows.num_rows(), updates.len(), "one update a row");
        Part { rows, updates: Rc::new(updates) }
    }

    /// The rows with their positions for differences, for what works on a batch and tells rows by their differences.
    fn numbered(&self) -> ChangeBatch {
        ChangeBatch::new(self.rows.clone(), (0..self.updates.len() as i64).collect())
    }

    /// What became of some of the numbered rows.
    fn renumbered(&self, numbered: ChangeBatch) -> Part {
        let update = |i: usize| self.updates[numbered.diff(i) as usize].clone();
        let updates = (0..numbered.len()).map(update).collect();
        Part::new(numbered.rows, updates)
    }
}

/// The time of an epoch at the beginning of all loops.
pub(super) fn at(epoch: u64) -> Time {
    Product::new(epoch, Rounds::default())
}

/// The round of the loop at a level, counted from 0.
pub(super) fn round(time: &Time, level: usize) -> u64 {
    time.inner.get(level - 1).copied().map_or(0, u64::from)
}

/// The time a round later.
pub(super) fn next_round(time: &Time, level: usize) -> Time {
    let mut rounds = time.inner.clone().into_inner();
    rounds.resize(level, 0);
    rounds[level - 1] += 1;
    Product::new(time.outer, Rounds::new(rounds))
}

/// The time without the rounds of the loop at a level, and those inside of it.
fn before_loop(time: &Time, level: usize) -> Time {
    let mut rounds = time.inner.clone().into_inner();
    rounds.truncate(level - 1);
    Product::new(time.outer, Rounds::new(rounds))
}

/// What is made of a part: rows, and others beside them.
type Logic = Box<dyn FnMut(Part, &mut Vec<Part>, &mut Vec<Part>)>;

/// Applies `logic` to each part.
pub(super) fn split<'scope>(parts: Parts<'scope>, name: &str, mut logic: Logic) -> (Parts<'scope>, Parts<'scope>) {
    let mut builder = OperatorBuilder::new(name.to_string(), parts.scope());
    let mut input = builder.new_input(parts, Pipeline);
    let (first_output, first) = builder.new_output::<Vec<Part>>();
    let (second_output, second) = builder.new_output::<Vec<Part>>();
    let mut first_output: OutputBuilder<_, CapacityContainerBuilder<Vec<Part>>> = OutputBuilder::from(first_output);
    let mut second_output: OutputBuilder<_, CapacityContainerBuilder<Vec<Part>>> = OutputBuilder::from(second_output);
    builder.build(move |_capabilities| {
        move |_frontiers| {
            let (mut first_output, mut second_output) = (first_output.activate(), second_output.activate());
            input.for_each(|capability, parts| {
                let (mut first, mut second) = (Vec::new(), Vec::new());
                parts.drain(..).for_each(|part| logic(part, &mut first, &mut second));
                if !first.is_empty() {
                    first_output.session(&capability).give_iterator(first.into_iter());
                }
                if !second.is_empty() {
                    second_output.session(&capability).give_iterator(second.into_iter());
                }
            });
        }
    });
    (first, second)
}

fn map<'scope>(parts: Parts<'scope>, name: &str, mut logic: impl FnMut(Part) -> Part + 'static) -> Parts<'scope> {
    split(parts, name, Box::new(move |part, first, _| first.push(logic(part)))).0
}

/// The rows from outside.
pub(super) fn enter<'outer, 'scope>(rows: Rows<'outer>, scope: Scope<'scope, Time>) -> Parts<'scope> {
    use timely::dataflow::operators::Enter;
    rows.enter(scope).unary(Pipeline, "Enter", |_capability, _info| {
        |input, output| {
            input.for_each(|capability, deltas| {
                output.session(&capability).give_iterator(deltas.drain(..).map(|delta| {
                    let updates = (0..delta.changes.len()).map(|i| (at(delta.epoch), delta.changes.diff(i))).collect();
                    Part::new(delta.changes.rows.clone(), updates)
                }));
            });
        }
    })
}

/// What the rows are in the end of the loop at a level.
pub(super) fn leave_loop(parts: Parts<'_>, level: usize) -> Parts<'_> {
    let mut builder = OperatorBuilder::new("Leave".to_string(), parts.scope());
    let (output, left) = builder.new_output::<Vec<Part>>();
    let mut output: OutputBuilder<_, CapacityContainerBuilder<Vec<Part>>> = OutputBuilder::from(output);
    let summary = PointStampSummary { retain: Some(level - 1), actions: Vec::new() };
    let summary = Antichain::from_elem(Product::new(Default::default(), summary));
    let mut input = builder.new_input_connection(parts, Pipeline, [(0, summary)]);
    builder.build(move |_capabilities| {
        move |_frontiers| {
            let mut output = output.activate();
            input.for_each(|capability, parts| {
                let stamp: CapabilitySet<Time> =
                    capability.stamp().iter().map(|time| capability.delayed(&before_loop(time, level), 0)).collect();
                output.session(&stamp).give_iterator(parts.drain(..).map(|part| {
                    let updates = part.updates.iter().map(|(time, diff)| (before_loop(time, level), *diff)).collect();
                    Part::new(part.rows, updates)
                }));
            });
        }
    });
    left
}

/// The rows that the stages give, and those that fail.
pub(super) fn linear<'scope>(
    parts: Parts<'scope>,
    node: &FlowNode,
    stages: &[Stage],
) -> (Parts<'scope>, Parts<'scope>) {
    let (stages, schema, step) = (stages.to_vec(), node.schema.clone(), node.step.clone());
    let logic = move |part: Part, rows: &mut Vec<Part>, errors: &mut Vec<Part>| {
        let numbered = part.numbered();
        let (changes, failures) = apply(&stages, &schema, &numbered);
        if !changes.is_empty() {
            rows.push(part.renumbered(changes));
        }
        if !failures.is_empty() {
            errors.push(part.renumbered(failed_rows(&numbered, &failures, &step)));
        }
    };
    split(parts, "Linear", Box::new(logic))
}

/// The rows with each element of the list `column` in its place.
pub(super) fn flatten<'scope>(parts: Parts<'scope>, column: usize, schema: &SchemaRef) -> Parts<'scope> {
    let schema = schema.clone();
    let logic = move |part: Part, rows: &mut Vec<Part>, _: &mut Vec<Part>| {
        elements(&part.numbered(), column, &schema, |changes| rows.push(part.renumbered(changes)));
    };
    split(parts, "Flatten", Box::new(logic)).0
}

/// The same rows under another schema.
pub(super) fn relabel<'scope>(parts: Parts<'scope>, schema: &SchemaRef) -> Parts<'scope> {
    let schema = schema.clone();
    map(parts, "Relabel", move |part| {
        let rows = batch_of(&schema, part.rows.columns().to_vec(), part.updates.len());
        Part { rows, updates: part.updates }
    })
}

/// The opposite of the rows.
pub(super) fn negate(parts: Parts<'_>) -> Parts<'_> {
    map(parts, "Negate", |part| {
        let updates = part.updates.iter().map(|(time, diff)| (time.clone(), diff.wrapping_neg())).collect();
        Part::new(part.rows, updates)
    })
}

/// All rows of all streams. There is at least one.
pub(super) fn concat(mut streams: Vec<Parts<'_>>) -> Parts<'_> {
    match streams.pop() {
        Some(last) if streams.is_empty() => last,
        Some(last) => {
            let scope = last.scope();
            streams.push(last);
            scope.concatenate(streams)
        }
        None => unreachable!("a union has an input"),
    }
}

/// No rows.
pub(super) fn empty(scope: Scope<'_, Time>) -> Parts<'_> {
    use timely::dataflow::operators::ToStream;
    std::iter::empty::<Part>().to_stream(scope)
}
