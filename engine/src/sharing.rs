//! Which parts of a new program run already, and which must be built.
//!
//! Decided once, by the coordinator, from what it knows to be installed; the workers are told. So all of them build the
//! same dataflow, however far each of them has come.

use std::collections::HashMap;

use tidebook_plan::connector::SourceSpec;
use tidebook_plan::flow::{Fingerprint, FlowNode, FlowPlan, NodeId, Operator};

use crate::command::DataflowId;
use crate::growing::growing;
use crate::layouts;
use crate::row::Layout;

/// An order of which so many rows are asked for is kept whole: what it would save is found too slowly.
const MOST_FIRSTS: u64 = 1_000;

/// How something is arranged.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ArrangementKind {
    /// The rows of a node.
    Rows(Layout),
    /// At least the first rows of each group of a node that only grows, and how many these are.
    Firsts(Layout, u64),
    /// The sums of a reduce node.
    Sums,
}

/// Identity of an arrangement in a worker.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ArrangementKey {
    /// What is arranged: the node whose rows they are, or the reduce node.
    pub fingerprint: Fingerprint,
    /// How.
    pub kind: ArrangementKind,
}

impl ArrangementKey {
    /// The rows of a node.
    pub fn rows(plan: &FlowPlan, node: NodeId, layout: Layout) -> Self {
        ArrangementKey { fingerprint: plan.nodes[node].fingerprint, kind: ArrangementKind::Rows(layout) }
    }

    /// The first rows of each group of a node.
    pub fn firsts(plan: &FlowPlan, node: NodeId, layout: Layout, end: u64) -> Self {
        ArrangementKey { fingerprint: plan.nodes[node].fingerprint, kind: ArrangementKind::Firsts(layout, end) }
    }

    /// The sums of a reduce node.
    pub fn sums(plan: &FlowPlan, node: NodeId) -> Self {
        ArrangementKey { fingerprint: plan.nodes[node].fingerprint, kind: ArrangementKind::Sums }
    }

    /// For people.
    pub fn name(&self) -> String {
        match &self.kind {
            ArrangementKind::Rows(layout) => format!("{} by {:?}", self.fingerprint, layout.key),
            ArrangementKind::Firsts(layout, end) => {
                format!("{} first {end} by {:?} in {:?}", self.fingerprint, layout.key, layout.order)
            }
            ArrangementKind::Sums => format!("{} sums", self.fingerprint),
        }
    }
}

/// Where the rows of a node come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RowsFrom {
    /// Nothing reads them.
    Nowhere,
    /// The node is rendered.
    Rendering,
    /// An arrangement of them that runs already.
    Arrangement(Layout),
}

/// A plan with what is to be rendered of it.
#[derive(Clone, Debug)]
pub(crate) struct SharedPlan {
    /// The plan.
    pub plan: FlowPlan,
    /// For each node.
    pub rows: Vec<RowsFrom>,
    /// For each node, whether its errors are read.
    pub errors: Vec<bool>,
    /// For each top-k node how many first rows of its input's groups it reads, where not all rows are kept for it.
    pub firsts: Vec<Option<u64>>,
    /// Arrangements that exist, with the dataflows that maintain them.
    pub imports: HashMap<ArrangementKey, DataflowId>,
    /// Arrangements that the new dataflow makes.
    pub exports: Vec<ArrangementKey>,
}

impl SharedPlan {
    /// True if the node's own operator is rendered.
    pub fn is_rendered(&self, node: NodeId) -> bool {
        self.rows[node] == RowsFrom::Rendering || self.errors[node]
    }

    /// How often, in microseconds, time has to go on for the plan though no rows come.
    pub fn tick(&self) -> Option<u64> {
        let rendered = self.plan.nodes.iter().enumerate().filter(|(id, _)| self.is_rendered(*id));
        rendered.filter_map(|(_, node)| tick_of(&node.operator)).min()
    }

    /// The nodes that rows are fed into from outside.
    pub fn fed(&self) -> impl Iterator<Item = NodeId> {
        (0..self.plan.nodes.len()).filter(|node| {
            self.is_rendered(*node)
                && matches!(self.plan.nodes[*node].operator, Operator::Get { .. } | Operator::Constant { .. })
        })
    }
}

/// Arrangements that run, with the dataflows that maintain them.
pub(crate) type Catalog = HashMap<ArrangementKey, DataflowId>;

/// Decides what of `plan` is shared with what is in the catalog. `only_adds` says of sources that they take no row back.
pub(crate) fn share(plan: FlowPlan, catalog: &Catalog, only_adds: impl Fn(&SourceSpec) -> bool) -> SharedPlan {
    let count = plan.nodes.len();
    let grows = growing(&plan, only_adds);
    let mut shared = SharedPlan {
        rows: vec![RowsFrom::Nowhere; count],
        errors: vec![false; count],
        firsts: vec![None; count],
        imports: HashMap::new(),
        exports: Vec::new(),
        plan,
    };
    let mut needs_rows = vec![false; count];
    let mut layouts: Vec<Vec<Layout>> = vec![Vec::new(); count];
    for output in &shared.plan.outputs {
        needs_rows[*output] = true;
    }
    // Consumers come after what they consume, so that all needs of a node are known when it is reached.
    for node in (0..count).rev() {
        for layout in std::mem::take(&mut layouts[node]) {
            let key = ArrangementKey::rows(&shared.plan, node, layout);
            needs_rows[node] |= shared.uses(key, catalog);
        }
        if needs_rows[node] {
            shared.rows[node] = match arrangement_of(&shared.plan, node, catalog) {
                Some((key, layout)) => {
                    shared.uses(key, catalog);
                    RowsFrom::Arrangement(layout)
                }
                None => RowsFrom::Rendering,
            };
        }
        if !shared.is_rendered(node) {
            continue;
        }
        let mut arrange = |node: NodeId, layout: Layout| {
            if !layouts[node].contains(&layout) {
                layouts[node].push(layout);
            }
        };
        match shared.plan.nodes[node].operator.clone() {
            Operator::Get { .. } | Operator::Constant { .. } => {}
            Operator::Linear { input, .. } | Operator::Flatten { input, .. } => needs_rows[input] = true,
            Operator::Dedupe { input, keys, .. } => arrange(input, Layout::by(&keys)),
            Operator::Watermark { inputs } => inputs.iter().for_each(|input| needs_rows[input.input] = true),
            Operator::Gate { input, watermark, .. } => {
                needs_rows[input] = true;
                needs_rows[watermark] = true;
            }
            Operator::Throttle { input, .. } => needs_rows[input] = true,
            Operator::Changes { input } | Operator::Balance { input } => {
                let layout = whole_rows(&shared.plan.nodes[input]);
                arrange(input, layout);
            }
            Operator::Hold { input, .. } => {
                needs_rows[input] = true;
                let layout = whole_rows(&shared.plan.nodes[node]);
                let key = ArrangementKey::rows(&shared.plan, node, layout);
                shared.uses(key, catalog);
            }
            Operator::Held { history } => unreachable!("the history {} is kept", history.0),
            Operator::Join { left, right, left_keys, right_keys, .. } => {
                arrange(left, Layout::by(&left_keys));
                arrange(right, Layout::by(&right_keys));
            }
            Operator::Reduce { input, .. } => {
                let key = ArrangementKey::sums(&shared.plan, node);
                needs_rows[input] |= shared.uses(key, catalog);
            }
            Operator::ReduceJoin { left, right, right_keys, .. } => {
                let key = ArrangementKey::sums(&shared.plan, node);
                if shared.uses(key, catalog) {
                    needs_rows[left] = true;
                    arrange(right, Layout::by(&right_keys));
                }
            }
            Operator::TopK { input, group, order, offset, limit } => {
                let layout = Layout { key: group, order };
                let end = offset.saturating_add(limit);
                let all = ArrangementKey::rows(&shared.plan, input, layout.clone());
                if grows[input] && end <= MOST_FIRSTS && !catalog.contains_key(&all) {
                    shared.firsts[node] = Some(end);
                    let key = ArrangementKey::firsts(&shared.plan, input, layout, end);
                    needs_rows[input] |= shared.uses(key, catalog);
                } else {
                    arrange(input, layout);
                }
            }
            Operator::Collect { input, keys, order, .. } => arrange(input, Layout { key: keys, order }),
            Operator::Quantile { input, keys, .. } => arrange(input, Layout::by(&keys)),
            Operator::Window { input, partition, order, .. } => arrange(input, Layout { key: partition, order }),
            Operator::Iterate { inputs, .. } => inputs.iter().for_each(|input| needs_rows[*input] = true),
            Operator::Given { .. } | Operator::Unsettled => unreachable!("leaves of a body stand in a body"),
            Operator::Match { input, partition, order, .. } => arrange(input, Layout { key: partition, order }),
            Operator::Sessions { input, keys, time, .. } => arrange(input, layouts::by_time(&keys, time)),
            Operator::Asof { left, right, left_keys, right_keys, left_time, right_time, choice, .. } => {
                let width = shared.plan.nodes[right].schema.fields().len();
                let sides = layouts::asof((&left_keys, left_time), (&right_keys, right_time), width, choice);
                arrange(left, sides.0);
                arrange(right, sides.1);
            }
            Operator::Union { inputs } => inputs.iter().for_each(|(input, _)| needs_rows[*input] = true),
            Operator::Unique { input, keys } => arrange(input, Layout::by(&keys)),
            Operator::Errors { of } => shared.errors[of] = true,
        }
    }
    shared
}

impl SharedPlan {
    /// Notes that an arrangement is used; true if it must be built.
    fn uses(&mut self, key: ArrangementKey, catalog: &Catalog) -> bool {
        match catalog.get(&key) {
            Some(dataflow) => {
                self.imports.insert(key, *dataflow);
                false
            }
            None => {
                if !self.exports.contains(&key) {
                    self.exports.push(key);
                }
                true
            }
        }
    }
}

fn tick_of(operator: &Operator) -> Option<u64> {
    match operator {
        Operator::Throttle { every, .. } => Some((*every).max(1)),
        // Others may become idle, or end. A quarter of the time is near enough.
        Operator::Watermark { inputs } if inputs.len() > 1 => {
            inputs.iter().map(|input| (input.idle / 4).clamp(1_000, 1_000_000).unsigned_abs()).min()
        }
        _ => None,
    }
}

/// The layout in which whole rows are the key.
pub(crate) fn whole_rows(node: &FlowNode) -> Layout {
    Layout::by(&(0..node.schema.fields().len()).collect::<Vec<_>>())
}

/// An arrangement that holds all rows of a node. The choice among several is the same every time.
fn arrangement_of(plan: &FlowPlan, node: NodeId, catalog: &Catalog) -> Option<(ArrangementKey, Layout)> {
    let fingerprint = plan.nodes[node].fingerprint;
    catalog
        .keys()
        .filter_map(|key| match &key.kind {
            ArrangementKind::Rows(layout) if key.fingerprint == fingerprint => Some((key.clone(), layout.clone())),
            _ => None,
        })
        .min_by_key(|(key, _)| key.name())
}
