//! From a flow plan to a timely dataflow: one file an operator, behind one exhaustive match.
//!
//! Operators are written against [`Delta`](crate::delta::Delta)s and packed rows, never against types of rows, so each is
//! compiled once.

mod around;
mod asof;
mod changes;
mod collect;
mod dedupe;
mod eval;
mod feed;
mod firsts;
mod flatten;
mod grouped;
mod import;
mod instant;
mod iterate;
mod join;
mod linear;
mod meter;
mod output;
mod pattern;
mod presence;
mod quantile;
mod ranks;
mod reduce;
mod reduce_join;
mod sessions;
mod time;
mod top_k;
mod union;
mod unique;
mod window;

use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use differential_dataflow::operators::arrange::ShutdownButton;
use tidebook_plan::flow::{FlowNode, JoinKind, NodeId, Operator};
use timely::dataflow::operators::{CapabilitySet, Probe};
use timely::dataflow::{ProbeHandle, Scope};

use crate::command::{FeedId, Installation};
use crate::delta::Rows;
use crate::layouts;
use crate::row::{Arrangement, Codec, Difference, Layout, Trace};
use crate::sharing::{ArrangementKey, ArrangementKind, RowsFrom, SharedPlan, whole_rows};
use crate::sums::Sums;

pub(crate) use feed::FeedHandle;
pub(crate) use meter::Meter;
pub(crate) use output::OutputSender;

/// Traces that this worker can share.
#[derive(Default)]
pub(crate) struct Registry {
    /// Arrangements of rows.
    pub rows: HashMap<ArrangementKey, Trace<i64>>,
    /// Arrangements of sums.
    pub sums: HashMap<ArrangementKey, Trace<Sums>>,
}

/// Lets go of what a dataflow imports.
pub(crate) type Button = ShutdownButton<CapabilitySet<u64>>;

/// What a worker holds of a dataflow that it has built.
pub(crate) struct Rendered {
    /// Where rows are fed in.
    pub feeds: Vec<(FeedId, FeedHandle)>,
    /// One for each import.
    pub buttons: Vec<Button>,
    /// Passes an epoch when everything of it has left the dataflow.
    pub probe: ProbeHandle<u64>,
    /// Where changes go; `None` inside once nobody wants them.
    pub output: OutputSender,
    /// Number of timely operators.
    pub operators: usize,
    /// One for each node of the plan.
    pub meters: Vec<Meter>,
    /// Set once nobody wants the dataflow any more: what goes round in its loops is dropped.
    pub stopped: Rc<Cell<bool>>,
}

/// Builds the dataflow of an installation.
pub(crate) fn render(scope: Scope<'_, u64>, installation: &Installation, registry: &mut Registry) -> Rendered {
    let shared = Rc::new((*installation.shared).clone());
    let count = shared.plan.nodes.len();
    let mut renderer = Renderer {
        scope,
        install: installation.install,
        registry,
        rows: vec![None; count],
        errors: vec![None; count],
        arrangements: HashMap::new(),
        feeds: Vec::new(),
        buttons: Vec::new(),
        meters: Vec::with_capacity(count),
        stopped: Rc::default(),
        shared: Rc::clone(&shared),
    };
    let mut feeds = installation.feeds.iter();
    for node in 0..count {
        renderer.node(node, &mut feeds);
    }
    let probe = ProbeHandle::new();
    let output = OutputSender::new(installation.events.clone(), Arc::clone(&installation.latest));
    let mut operators = 0;
    for (port, node) in shared.plan.outputs.iter().enumerate() {
        let Some(rows) = renderer.rows[*node].clone() else { unreachable!("outputs are rendered") };
        let (done, index) = output::deliver(rows, port, &output, installation.install);
        done.probe_with(&probe);
        // The probe is the next operator; the first one has index 1.
        operators = operators.max(index + 1);
    }
    let Renderer { feeds, buttons, meters, stopped, .. } = renderer;
    Rendered { feeds, buttons, probe, output, operators, meters, stopped }
}

struct Renderer<'a, 'scope> {
    scope: Scope<'scope, u64>,
    shared: Rc<SharedPlan>,
    install: u64,
    registry: &'a mut Registry,
    rows: Vec<Option<Rows<'scope>>>,
    errors: Vec<Option<Rows<'scope>>>,
    arrangements: HashMap<ArrangementKey, Arrangement<'scope, i64>>,
    feeds: Vec<(FeedId, FeedHandle)>,
    buttons: Vec<Button>,
    meters: Vec<Meter>,
    stopped: Rc<Cell<bool>>,
}

impl<'scope> Renderer<'_, 'scope> {
    fn node(&mut self, id: NodeId, feeds: &mut std::slice::Iter<'_, FeedId>) {
        let shared = Rc::clone(&self.shared);
        let first = self.scope.worker().peek_identifier();
        let count = Rc::new(Cell::new(0));
        if let RowsFrom::Arrangement(layout) = &shared.rows[id] {
            let arrangement = self.arrangement(id, layout);
            let codec = Codec::new(&shared.plan.nodes[id].schema, layout);
            self.rows[id] = Some(import::rows(arrangement.stream, codec, self.install));
        }
        if shared.is_rendered(id) {
            let (rows, errors) = self.operator(id, &shared.plan.nodes[id], feeds);
            if shared.rows[id] == RowsFrom::Rendering {
                self.rows[id] = Some(rows);
            }
            self.errors[id] = errors;
        }
        if let (Operator::Hold { .. }, true) = (&shared.plan.nodes[id].operator, self.rows[id].is_some()) {
            self.arrangement(id, &whole_rows(&shared.plan.nodes[id]));
        }
        if let Some(rows) = self.rows[id].take() {
            self.rows[id] = Some(meter::counted(rows, &count));
        }
        let operators = first..self.scope.worker().peek_identifier();
        self.meters.push(Meter { operators, rows: count });
    }

    /// Renders a node's operator: its rows, and its errors where it has any.
    fn operator(
        &mut self,
        id: NodeId,
        node: &FlowNode,
        feeds: &mut std::slice::Iter<'_, FeedId>,
    ) -> (Rows<'scope>, Option<Rows<'scope>>) {
        let install = self.install;
        let shared = Rc::clone(&self.shared);
        match &node.operator {
            Operator::Get { .. } | Operator::Constant { .. } => {
                let Some(feed) = feeds.next() else { unreachable!("every fed node has a feed") };
                let (rows, errors, handle) = feed::feed(self.scope, node, install);
                self.feeds.push((*feed, handle));
                (rows, Some(errors))
            }
            Operator::Linear { input, stages } => {
                let input = self.rows_of(*input);
                let (rows, errors) = linear::linear(input, node, stages);
                (rows, Some(errors))
            }
            Operator::Join { left, right, kind, left_keys, right_keys, null_equals_null } => {
                let (left_layout, right_layout) = (Layout::by(left_keys), Layout::by(right_keys));
                let left_rows = self.arrangement(*left, &left_layout);
                let right_rows = self.arrangement(*right, &right_layout);
                let left_codec = Rc::new(self.codec(*left, &left_layout));
                let right_codec = Rc::new(self.codec(*right, &right_layout));
                let nulls_match = *null_equals_null;
                let presence = |left, right, keep| {
                    presence::presence(left, right, Rc::clone(&left_codec), &node.schema, keep, nulls_match, install)
                };
                let rows = match kind {
                    JoinKind::Semi => presence(left_rows, right_rows, presence::Keep::Matched),
                    JoinKind::Anti => presence(left_rows, right_rows, presence::Keep::Unmatched),
                    JoinKind::Inner => {
                        join::inner(left_rows, right_rows, left_codec, right_codec, &node.schema, nulls_match, install)
                    }
                    JoinKind::Left => {
                        let alone = presence(left_rows.clone(), right_rows.clone(), presence::Keep::Unmatched);
                        let pairs = join::inner(
                            left_rows,
                            right_rows,
                            left_codec,
                            right_codec,
                            &node.schema,
                            nulls_match,
                            install,
                        );
                        union::concat(vec![pairs, alone])
                    }
                };
                (rows, None)
            }
            Operator::Reduce { input, keys, aggregates } => {
                let schema = self.shared.plan.nodes[*input].schema.clone();
                let key = ArrangementKey::sums(&self.shared.plan, id);
                let sums = match self.import_sums(&key) {
                    Some(sums) => sums,
                    None => {
                        let rows = self.rows_of(*input);
                        let sums = reduce::arrange_sums(rows, &schema, keys, aggregates, &node.step);
                        self.registry.sums.insert(key, sums.trace.clone());
                        sums
                    }
                };
                let (rows, errors) = reduce::results(sums, &schema, keys, aggregates, node, install);
                (rows, Some(errors))
            }
            Operator::ReduceJoin { left, right, left_keys, right_keys, keys, aggregates } => {
                let left_schema = self.shared.plan.nodes[*left].schema.clone();
                let right_schema = self.shared.plan.nodes[*right].schema.clone();
                let joined = reduce_join::joined_schema(&left_schema, &right_schema);
                let key = ArrangementKey::sums(&self.shared.plan, id);
                let sums = match self.import_sums(&key) {
                    Some(sums) => sums,
                    None => {
                        let left_rows = self.rows_of(*left);
                        let layout = Layout::by(right_keys);
                        let right_rows = self.arrangement(*right, &layout);
                        let codec = self.codec(*right, &layout);
                        let shape = reduce_join::Shape::new(&left_schema, left_keys, codec, keys, aggregates);
                        let sums =
                            reduce_join::arrange_sums(left_rows, right_rows, shape, &joined, install, &node.step);
                        self.registry.sums.insert(key, sums.trace.clone());
                        sums
                    }
                };
                let (rows, errors) = reduce::results(sums, &joined, keys, aggregates, node, install);
                (rows, Some(errors))
            }
            Operator::TopK { input, group, order, offset, limit } => {
                let layout = Layout { key: group.clone(), order: order.clone() };
                let codec = self.codec(*input, &layout);
                let rows = match shared.firsts[id] {
                    Some(end) => self.firsts(*input, &layout, end),
                    None => self.arrangement(*input, &layout),
                };
                (top_k::top_k(rows, codec, *offset, *limit, install), None)
            }
            Operator::Collect { input, keys, value, order, functions } => {
                let layout = Layout { key: keys.clone(), order: order.clone() };
                let codec = self.codec(*input, &layout);
                let rows = self.arrangement(*input, &layout);
                let (rows, errors) = collect::collect(rows, codec, *value, functions, node, install);
                (rows, Some(errors))
            }
            Operator::Quantile { input, keys, fractions, .. } => {
                let layout = Layout::by(keys);
                let codec = self.codec(*input, &layout);
                let rows = self.arrangement(*input, &layout);
                (quantile::quantile(rows, codec, fractions, node, install), None)
            }
            Operator::Window { input, partition, order, functions } => {
                let layout = Layout { key: partition.clone(), order: order.clone() };
                let codec = self.codec(*input, &layout);
                let schema = self.shared.plan.nodes[*input].schema.clone();
                let rows = self.arrangement(*input, &layout);
                let (rows, errors) = window::window(rows, codec, &schema, order, functions, node, install);
                (rows, Some(errors))
            }
            Operator::Union { inputs } => {
                let weights = union::weights(inputs);
                if weights.is_empty() {
                    return (union::empty(self.scope), None);
                }
                let streams = weights.into_iter().map(|(input, weight)| (self.rows_of(input), weight)).collect();
                (union::union(streams), None)
            }
            Operator::Unique { input, keys } => {
                let layout = Layout::by(keys);
                let codec = self.codec(*input, &layout);
                let rows = self.arrangement(*input, &layout);
                let (rows, errors) = unique::unique(rows, codec, &node.step, install);
                (rows, Some(errors))
            }
            Operator::Match { input, partition, order, pattern } => {
                let layout = Layout { key: partition.clone(), order: order.clone() };
                let codec = self.codec(*input, &layout);
                let rows = self.arrangement(*input, &layout);
                let (rows, errors) = pattern::matches(rows, codec, partition, pattern, node, install);
                (rows, Some(errors))
            }
            Operator::Sessions { input, keys, time, gap } => {
                let layout = layouts::by_time(keys, *time);
                let codec = self.codec(*input, &layout);
                (sessions::sessions(self.arrangement(*input, &layout), codec, *gap, node, install), None)
            }
            Operator::Asof { left, right, left_keys, right_keys, left_time, right_time, choice, outer } => {
                let width = shared.plan.nodes[*right].schema.fields().len();
                let (left_layout, right_layout) =
                    layouts::asof((left_keys, *left_time), (right_keys, *right_time), width, *choice);
                let codecs = (self.codec(*left, &left_layout), self.codec(*right, &right_layout));
                let sides = (self.arrangement(*left, &left_layout), self.arrangement(*right, &right_layout));
                (asof::asof(sides, codecs, choice.strict, *outer, &node.schema, install), None)
            }
            Operator::Flatten { input, column } => {
                (flatten::flatten(self.rows_of(*input), *column, &node.schema), None)
            }
            Operator::Dedupe { input, keys, condition } => {
                let layout = Layout::by(keys);
                let rows = self.arrangement(*input, &layout);
                let asked = dedupe::Condition::new(self.codec(*input, &layout), condition.clone(), &node.step);
                let (rows, errors) = dedupe::dedupe(rows, asked, install);
                (rows, Some(errors))
            }
            Operator::Changes { input } => {
                let layout = whole_rows(&shared.plan.nodes[*input]);
                let codec = self.codec(*input, &layout);
                let rows = self.arrangement(*input, &layout);
                (changes::changes(rows, codec, &node.schema, install), None)
            }
            Operator::Iterate { inputs, body, max } => {
                let inputs = inputs.iter().map(|id| (self.rows_of(*id), shared.plan.nodes[*id].schema.clone()));
                let parts = iterate::Parts {
                    inputs: inputs.collect(),
                    body,
                    max: *max,
                    step: &node.step,
                    install,
                    stopped: Rc::clone(&self.stopped),
                };
                iterate::iterate(self.scope, parts)
            }
            Operator::Given { .. } | Operator::Unsettled => unreachable!("leaves of a body stand in a body"),
            Operator::Watermark { inputs } => {
                let inputs = inputs.iter().map(|input| (self.rows_of(input.input), input.clone())).collect();
                (time::watermark(inputs, &node.schema), None)
            }
            Operator::Gate { input, watermark, closes, late, gate, .. } => {
                (time::gate(self.rows_of(*input), self.rows_of(*watermark), *closes, *late, *gate), None)
            }
            Operator::Balance { input } => {
                let layout = whole_rows(&shared.plan.nodes[*input]);
                let codec = self.codec(*input, &layout);
                let (rows, errors) = time::balance(self.arrangement(*input, &layout), codec, &node.step, install);
                (rows, Some(errors))
            }
            Operator::Throttle { input, every } => (time::throttle(self.rows_of(*input), *every, install), None),
            Operator::Hold { input, .. } => (self.rows_of(*input), None),
            Operator::Held { .. } => unreachable!("what is held is imported"),
            Operator::Errors { of } => match self.errors[*of].clone() {
                Some(errors) => (union::relabel(errors, &node.schema), None),
                None => (union::empty(self.scope), None),
            },
        }
    }

    fn rows_of(&self, node: NodeId) -> Rows<'scope> {
        match &self.rows[node] {
            Some(rows) => rows.clone(),
            None => unreachable!("what is read was rendered before"),
        }
    }

    fn codec(&self, node: NodeId, layout: &Layout) -> Codec {
        Codec::new(&self.shared.plan.nodes[node].schema, layout)
    }

    /// The rows of a node arranged: imported, or built and put into the registry.
    fn arrangement(&mut self, node: NodeId, layout: &Layout) -> Arrangement<'scope, i64> {
        let key = ArrangementKey::rows(&self.shared.plan, node, layout.clone());
        self.known_or(key, |this| import::arrange_rows(this.rows_of(node), this.codec(node, layout)))
    }

    /// At least the first rows of each group of a node, arranged in the same way.
    fn firsts(&mut self, node: NodeId, layout: &Layout, end: u64) -> Arrangement<'scope, i64> {
        let key = ArrangementKey::firsts(&self.shared.plan, node, layout.clone(), end);
        self.known_or(key, |this| firsts::arrange_firsts(this.rows_of(node), this.codec(node, layout), end))
    }

    fn known_or(
        &mut self,
        key: ArrangementKey,
        build: impl FnOnce(&Self) -> Arrangement<'scope, i64>,
    ) -> Arrangement<'scope, i64> {
        if let Some(arrangement) = self.arrangements.get(&key) {
            return arrangement.clone();
        }
        let arrangement = if self.shared.imports.contains_key(&key) {
            let Some(trace) = self.registry.rows.get_mut(&key) else {
                unreachable!("the coordinator imports what is registered")
            };
            let (arrangement, button) = trace.import_core(self.scope, "Import");
            self.buttons.push(button);
            arrangement
        } else {
            let arrangement = build(self);
            self.registry.rows.insert(key.clone(), arrangement.trace.clone());
            arrangement
        };
        self.arrangements.insert(key, arrangement.clone());
        arrangement
    }

    fn import_sums(&mut self, key: &ArrangementKey) -> Option<Arrangement<'scope, Sums>> {
        if !self.shared.imports.contains_key(key) {
            return None;
        }
        let Some(trace) = self.registry.sums.get_mut(key) else {
            unreachable!("the coordinator imports what is registered")
        };
        let (arrangement, button) = trace.import_core(self.scope, "Import");
        self.buttons.push(button);
        Some(arrangement)
    }
}

impl Registry {
    /// Forgets an arrangement.
    pub fn remove(&mut self, key: &ArrangementKey) {
        match key.kind {
            ArrangementKind::Rows(_) | ArrangementKind::Firsts(..) => drop(self.rows.remove(key)),
            ArrangementKind::Sums => drop(self.sums.remove(key)),
        }
    }

    /// Lets all traces forget the differences between epochs before `epoch`, which nobody will ask for again.
    pub fn compact(&mut self, epoch: u64) {
        self.rows.values_mut().for_each(|trace| compact(trace, epoch));
        self.sums.values_mut().for_each(|trace| compact(trace, epoch));
    }

    /// Updates that each arrangement holds.
    pub fn sizes(&self) -> Vec<(ArrangementKey, usize, u64)> {
        let rows = self.rows.iter().map(|(key, trace)| (key, size(trace)));
        let all = rows.chain(self.sums.iter().map(|(key, trace)| (key, size(trace))));
        all.map(|(key, (updates, bytes))| (key.clone(), updates, bytes)).collect()
    }
}

fn compact<R: Difference>(trace: &mut Trace<R>, epoch: u64) {
    use differential_dataflow::trace::TraceReader;
    use timely::progress::Antichain;
    trace.set_logical_compaction(Antichain::from_elem(epoch).borrow());
    let upper = crate::row::read_upper(trace);
    // Never beyond what has arrived: a later import must find a cut there. A trace that is complete stays as it is.
    if !upper.is_empty() {
        trace.set_physical_compaction(upper.borrow());
    }
}

/// Updates of a trace, and about how many bytes they take.
fn size<R: Difference>(trace: &Trace<R>) -> (usize, u64) {
    use differential_dataflow::trace::TraceReader;
    let (mut updates, mut bytes) = (0, 0);
    trace.map_spans(|span| {
        if let Some(batch) = &span.inner {
            let storage = &batch.storage;
            // A time, a difference and an offset beside the bytes of the rows.
            let around = batch.updates * (2 * size_of::<u64>() + size_of::<R>());
            updates += batch.updates;
            bytes += storage.keys.byte_count() + storage.vals.vals.byte_count() + around;
        }
    });
    (updates, bytes as u64)
}
