//! What operators that give one row a group have in common: a row of the empty table where there are no keys, results
//! told apart by epoch, and errors beside rows.

use std::rc::Rc;

use timely::container::CapacityContainerBuilder;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::CapabilitySet;
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;

use super::around::{Around, Storage};
use crate::delta::{Delta, Rows};
use crate::row::{Arrangement, Reading, worker_of_empty_key};

/// An operator that reads changed groups of an arrangement and gives one row for each.
pub(super) trait Grouped: 'static {
    /// What stands in the results of an empty table without keys, if anything does.
    fn of_nothing(&mut self) -> Delta;

    /// The rows and errors that the changes around these epochs give, none of them empty.
    fn changes(&mut self, around: Around, storage: &Storage, rows: &mut Vec<Delta>, errors: &mut Vec<Delta>);
}

/// The encoding of the empty key.
pub(super) const EMPTY_KEY: &[u8] = &[0];

/// Rows and errors of `operator` over `input`. With `whole` there are no keys, and always one row.
pub(super) fn grouped<'scope>(
    input: Arrangement<'scope, i64>,
    name: &str,
    whole: bool,
    install: u64,
    mut operator: impl Grouped,
) -> (Rows<'scope>, Rows<'scope>) {
    let scope = input.stream.scope();
    let mut reading = Reading::new(input.trace);
    let mut builder = OperatorBuilder::new(name.to_string(), scope);
    let mut input = builder.new_input(input.stream, Pipeline);
    let (rows_output, rows) = builder.new_output::<Vec<Delta>>();
    let (errors_output, errors) = builder.new_output::<Vec<Delta>>();
    let mut rows_output: OutputBuilder<_, CapacityContainerBuilder<Vec<Delta>>> = OutputBuilder::from(rows_output);
    let mut errors_output: OutputBuilder<_, CapacityContainerBuilder<Vec<Delta>>> = OutputBuilder::from(errors_output);
    let keeps_whole = whole && scope.index() == worker_of_empty_key(scope.peers());
    let activator = scope.activator_for(Rc::clone(&builder.operator_info().address));
    builder.build(move |mut capabilities| {
        // Without keys there is a row from the first epoch on, even if there never is an input row.
        capabilities.truncate(1);
        let mut first = if keeps_whole { capabilities.pop() } else { None };
        drop(capabilities);
        move |_frontiers| {
            let mut rows_output = rows_output.activate();
            let mut errors_output = errors_output.activate();
            if let Some(capability) = first.take() {
                rows_output.session(&capability).give(operator.of_nothing());
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
                let (around, storage) = Around::new(reading.known(), batches, install);
                let (mut rows, mut errors) = (Vec::new(), Vec::new());
                operator.changes(around, &storage, &mut rows, &mut errors);
                if !rows.is_empty() {
                    let mut session = rows_output.session(&row_capabilities);
                    rows.into_iter().for_each(|delta| session.give(delta));
                }
                if !errors.is_empty() {
                    let mut session = errors_output.session(&error_capabilities);
                    errors.into_iter().for_each(|delta| session.give(delta));
                }
            }
            reading.settle(None);
        }
    });
    activator.activate();
    (rows, errors)
}
