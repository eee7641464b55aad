//! Where rows enter a dataflow: the initial contents of a feed at the epoch of installation, live changes at later ones.
//!
//! One operator for both. Its capability stays at the epoch of installation until the contents are complete, while live
//! changes already pass through it and wait in the operators with state.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;

use arrow_array::{ArrayRef, StringArray};
use arrow_schema::SchemaRef;
use tidebook_plan::ChangeBatch;
use tidebook_plan::flow::FlowNode;
use timely::container::CapacityContainerBuilder;
use timely::dataflow::Scope;
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::scheduling::Activator;

use crate::command::Port;
use crate::delta::{Delta, Rows, batch_of, untyped_batch};

struct State {
    rows: VecDeque<Delta>,
    errors: VecDeque<Delta>,
    /// True until the initial contents are complete.
    loading: bool,
    /// The first epoch that live changes may still have; `None` when there will be none.
    live: Option<u64>,
}

/// Feeds one node of one dataflow. Dropping it ends the feed.
pub(crate) struct FeedHandle {
    state: Rc<RefCell<State>>,
    activator: Activator,
    install: u64,
    schema: SchemaRef,
    step: String,
}

impl FeedHandle {
    /// Gives changes of an epoch.
    pub fn give(&self, port: Port, epoch: u64, changes: &Arc<ChangeBatch>) {
        let mut state = self.state.borrow_mut();
        match port {
            Port::Rows => {
                let rows = batch_of(&self.schema, changes.rows.columns().to_vec(), changes.len());
                let changes = Arc::new(ChangeBatch { rows, diffs: changes.diffs.clone() });
                state.rows.push_back(Delta { epoch, changes });
            }
            Port::Errors => {
                let changes = Arc::new(self.with_step(changes));
                state.errors.push_back(Delta { epoch, changes });
            }
        }
        self.activator.activate();
    }

    /// Gives a part of the initial contents.
    pub fn give_contents(&self, port: Port, changes: &Arc<ChangeBatch>) {
        self.give(port, self.install, changes);
    }

    /// All initial contents were given.
    pub fn contents_done(&self) {
        self.state.borrow_mut().loading = false;
        self.activator.activate();
    }

    /// Later changes have at least this epoch.
    pub fn advance(&self, epoch: u64) {
        if let Some(live) = &mut self.state.borrow_mut().live {
            *live = epoch.max(*live);
            self.activator.activate();
        }
    }

    /// There will be no live changes any more.
    pub fn end(&self) {
        self.state.borrow_mut().live = None;
        self.activator.activate();
    }

    /// Errors as the language sees them: with the step that they happened in.
    fn with_step(&self, changes: &ChangeBatch) -> ChangeBatch {
        let mut columns = changes.rows.columns().to_vec();
        let step: ArrayRef = Arc::new(StringArray::from_iter_values(std::iter::repeat_n(&self.step, changes.len())));
        columns.push(step);
        ChangeBatch { rows: untyped_batch(columns, changes.len()), diffs: changes.diffs.clone() }
    }
}

impl Drop for FeedHandle {
    fn drop(&mut self) {
        let mut state = self.state.borrow_mut();
        state.rows.clear();
        state.errors.clear();
        state.loading = false;
        state.live = None;
        self.activator.activate();
    }
}

/// The rows and errors of a fed node.
pub(super) fn feed<'scope>(
    scope: Scope<'scope, u64>,
    node: &FlowNode,
    install: u64,
) -> (Rows<'scope>, Rows<'scope>, FeedHandle) {
    let state = State { rows: VecDeque::new(), errors: VecDeque::new(), loading: true, live: Some(install) };
    let state = Rc::new(RefCell::new(state));
    let mut builder = OperatorBuilder::new("Feed".to_string(), scope);
    let (rows_output, rows) = builder.new_output::<Vec<Delta>>();
    let (errors_output, errors) = builder.new_output::<Vec<Delta>>();
    let activator = scope.activator_for(Rc::clone(&builder.operator_info().address));
    let shared = Rc::clone(&state);
    let mut rows_output: OutputBuilder<_, CapacityContainerBuilder<Vec<Delta>>> = OutputBuilder::from(rows_output);
    let mut errors_output: OutputBuilder<_, CapacityContainerBuilder<Vec<Delta>>> = OutputBuilder::from(errors_output);
    builder.build(move |capabilities| {
        let mut capabilities = Some(capabilities);
        move |_frontiers| {
            let Some(held) = &mut capabilities else { return };
            let mut state = shared.borrow_mut();
            if !state.rows.is_empty() {
                rows_output.activate().session(&held[0]).give_iterator(state.rows.drain(..));
            }
            if !state.errors.is_empty() {
                errors_output.activate().session(&held[1]).give_iterator(state.errors.drain(..));
            }
            let frontier = if state.loading { Some(install) } else { state.live };
            match frontier {
                Some(frontier) => held.iter_mut().for_each(|capability| capability.downgrade(&frontier)),
                None => capabilities = None,
            }
        }
    });
    activator.activate();
    let handle = FeedHandle { state, activator, install, schema: node.schema.clone(), step: node.step.clone() };
    (rows, errors, handle)
}
