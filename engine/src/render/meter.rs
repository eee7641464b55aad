//! Counting what each node of a plan gives.

use std::cell::Cell;
use std::ops::Range;
use std::rc::Rc;

use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::Operator;

use crate::delta::Rows;

/// What a node is on one worker.
#[derive(Clone, Debug)]
pub(crate) struct Meter {
    /// Timely's numbers of its operators.
    pub operators: Range<usize>,
    /// Rows that it has given, added or taken back.
    pub rows: Rc<Cell<u64>>,
}

/// The same rows, counted.
pub(super) fn counted<'scope>(rows: Rows<'scope>, count: &Rc<Cell<u64>>) -> Rows<'scope> {
    let count = Rc::clone(count);
    rows.unary(Pipeline, "Count", move |_capability, _info| {
        move |input, output| {
            input.for_each(|capability, deltas| {
                let rows: usize = deltas.iter().map(|delta| delta.changes.len()).sum();
                count.set(count.get() + rows as u64);
                output.session(&capability).give_container(deltas);
            });
        }
    })
}
