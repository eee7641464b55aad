//! Fused stateless stages.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray, UInt64Array};
use arrow_select::take::take;
use tidebook_plan::ChangeBatch;
use tidebook_plan::flow::{FlowNode, Stage};
use timely::container::CapacityContainerBuilder;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;

use super::eval::{Failure, apply};
use crate::delta::{Delta, Rows, untyped_batch};

/// The rows that the stages give, and the input rows that fail, with `_error` and `_step`.
pub(super) fn linear<'scope>(input: Rows<'scope>, node: &FlowNode, stages: &[Stage]) -> (Rows<'scope>, Rows<'scope>) {
    let (stages, schema, step) = (stages.to_vec(), node.schema.clone(), node.step.clone());
    let mut builder = OperatorBuilder::new("Linear".to_string(), input.scope());
    let mut input = builder.new_input(input, Pipeline);
    let (rows_output, rows) = builder.new_output::<Vec<Delta>>();
    let (errors_output, errors) = builder.new_output::<Vec<Delta>>();
    let mut rows_output: OutputBuilder<_, CapacityContainerBuilder<Vec<Delta>>> = OutputBuilder::from(rows_output);
    let mut errors_output: OutputBuilder<_, CapacityContainerBuilder<Vec<Delta>>> = OutputBuilder::from(errors_output);
    builder.build(move |_capabilities| {
        move |_frontiers| {
            let mut rows_output = rows_output.activate();
            let mut errors_output = errors_output.activate();
            input.for_each(|capability, deltas| {
                for delta in deltas.drain(..) {
                    let (changes, failures) = apply(&stages, &schema, &delta.changes);
                    if !changes.is_empty() {
                        let delta = Delta { epoch: delta.epoch, changes: Arc::new(changes) };
                        rows_output.session(&capability).give(delta);
                    }
                    if !failures.is_empty() {
                        let changes = Arc::new(failed_rows(&delta.changes, &failures, &step));
                        errors_output.session(&capability).give(Delta { epoch: delta.epoch, changes });
                    }
                }
            });
        }
    });
    (rows, errors)
}

/// The rows of a batch that fail, with `_error`, `_step` and their differences.
pub(super) fn failed_rows(input: &ChangeBatch, failures: &[Failure], step: &str) -> ChangeBatch {
    let positions: UInt64Array = failures.iter().map(|failure| failure.row as u64).collect();
    let diffs = failures.iter().map(|failure| input.diff(failure.row)).collect();
    let columns = input.rows.columns().iter().map(|column| match take(column, &positions, None) {
        Ok(column) => column,
        Err(error) => panic!("failing rows are rows of the batch: {error}"),
    });
    let messages = failures.iter().map(|failure| failure.message.as_str());
    ChangeBatch::new(with_error(columns.collect(), messages, step), diffs)
}

/// Columns of failing rows, followed by `_error` and `_step`.
pub(super) fn with_error<'a>(
    mut columns: Vec<ArrayRef>,
    messages: impl ExactSizeIterator<Item = &'a str>,
    step: &str,
) -> RecordBatch {
    let count = messages.len();
    columns.push(Arc::new(StringArray::from_iter_values(messages)));
    columns.push(Arc::new(StringArray::from_iter_values(std::iter::repeat_n(step, count))));
    untyped_batch(columns, count)
}
