//! A body inside of its loop: every operator that is a function of contents.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use arrow_schema::SchemaRef;
use differential_dataflow::dynamic::feedback_summary;
use tidebook_plan::flow::{FlowNode, FlowPlan, JoinKind, MOST_ROUNDS, NodeId, Operator};
use timely::dataflow::Scope;
use timely::dataflow::operators::{ConnectLoop, Feedback};
use timely::order::Product;

use super::arrange::{LoopArrangement, arrange, encode};
use super::part::{Part, Parts, Time, concat, flatten, leave_loop, linear, negate, relabel, split};
use super::reduce::always;
use super::rounds::{Gate, advance, bounded, carries_copies, coming};
use super::{groups, join};
use crate::delta::batch_of;
use crate::row::{Codec, Layout};

/// The rows of a node, with the arrangements that were made of them. A loop inside of this one reads the same.
#[derive(Clone)]
pub(super) struct Node<'scope> {
    rows: Parts<'scope>,
    errors: Option<Parts<'scope>>,
    schema: SchemaRef,
    arrangements: Rc<RefCell<HashMap<Layout, LoopArrangement<'scope, i64>>>>,
}

impl<'scope> Node<'scope> {
    /// Rows with these columns.
    pub fn new(rows: Parts<'scope>, schema: SchemaRef) -> Self {
        Node { rows, errors: None, schema, arrangements: Rc::default() }
    }

    fn codec(&self, layout: &Layout) -> Codec {
        Codec::new(&self.schema, layout)
    }

    fn arranged(&self, layout: &Layout) -> LoopArrangement<'scope, i64> {
        let mut known = self.arrangements.borrow_mut();
        let arrange = || super::arrange::arrange_rows(self.rows.clone(), self.codec(layout), "Arrange");
        known.entry(layout.clone()).or_insert_with(arrange).clone()
    }

    /// The same with a row of the empty key that is always there, where that is the key.
    fn grouped(&self, layout: &Layout, install: u64) -> LoopArrangement<'scope, i64> {
        use timely::dataflow::operators::Concat;
        if !layout.key.is_empty() {
            return self.arranged(layout);
        }
        let always = always(self.rows.scope(), &[], install, 1);
        arrange(encode(self.rows.clone(), None, self.codec(layout)).concat(always), "Arrange")
    }
}

/// A loop that is being built.
pub(super) struct Loop<'a, 'scope> {
    pub scope: Scope<'scope, Time>,
    /// Loops around, this one included.
    pub level: usize,
    pub body: &'a FlowPlan,
    pub max: Option<u64>,
    pub step: &'a str,
    pub install: u64,
    pub stopped: Rc<Cell<bool>>,
}

impl<'scope> Loop<'_, 'scope> {
    /// Builds the loop over its inputs: the table that it settles on, and the errors of the last round.
    pub fn render(self, inputs: Vec<Node<'scope>>) -> (Parts<'scope>, Option<Parts<'scope>>) {
        let schema = inputs[0].schema.clone();
        let start = inputs[0].rows.clone();
        let summary = Product::new(Default::default(), feedback_summary::<u32>(self.level, 1));
        let (handle, cycle) = self.scope.feedback::<Vec<Part>>(summary);
        let mut given = inputs;
        given[0] = Node::new(concat(vec![start.clone(), cycle]), schema.clone());

        let mut nodes: Vec<Option<Node<'scope>>> = vec![None; self.body.nodes.len()];
        let result = self.body.outputs[0];
        self.nodes(result, &given, None, &mut nodes);
        let round = self.rows_of(result, &nodes);
        let (next, mut rows, mut unsettled) = if carries_copies(self.body) {
            let bounded = bounded(round, &schema, self.step);
            (bounded.next, bounded.rows, vec![bounded.errors])
        } else {
            (round.clone(), round, Vec::new())
        };
        let rounds = self.max.unwrap_or(MOST_ROUNDS);
        let gate = Gate { level: self.level, rounds, stopped: Rc::clone(&self.stopped) };
        let (going_on, over) = advance(concat(vec![next, negate(start)]), &schema, gate);
        going_on.connect_loop(handle);
        if self.max.is_none() {
            let (still, errors) = coming(over, &schema, self.step);
            rows = concat(vec![rows, negate(still)]);
            unsettled.push(errors);
        }
        let errors = self.body.outputs.get(1).map(|output| {
            self.nodes(*output, &given, Some(&unsettled), &mut nodes);
            leave_loop(self.rows_of(*output, &nodes), self.level)
        });
        (leave_loop(rows, self.level), errors)
    }

    /// Builds what an output needs and is not there yet.
    fn nodes(
        &self,
        output: NodeId,
        given: &[Node<'scope>],
        unsettled: Option<&[Parts<'scope>]>,
        nodes: &mut Vec<Option<Node<'scope>>>,
    ) {
        let mut needed = vec![false; self.body.nodes.len()];
        needed[output] = true;
        for id in (0..=output).rev() {
            if needed[id] {
                self.body.nodes[id].operator.inputs().into_iter().for_each(|input| needed[input] = true);
            }
        }
        for id in (0..=output).filter(|id| needed[*id]) {
            if nodes[id].is_none() {
                nodes[id] = Some(self.node(&self.body.nodes[id], given, unsettled, nodes));
            }
        }
    }

    fn node(
        &self,
        node: &FlowNode,
        given: &[Node<'scope>],
        unsettled: Option<&[Parts<'scope>]>,
        nodes: &[Option<Node<'scope>>],
    ) -> Node<'scope> {
        if let Operator::Given { index } = &node.operator {
            return given[*index].clone();
        }
        let (rows, errors) = self.operator(node, unsettled, nodes);
        Node { errors, ..Node::new(rows, node.schema.clone()) }
    }

    fn operator(
        &self,
        node: &FlowNode,
        unsettled: Option<&[Parts<'scope>]>,
        nodes: &[Option<Node<'scope>>],
    ) -> (Parts<'scope>, Option<Parts<'scope>>) {
        let read = |id: &NodeId| match &nodes[*id] {
            Some(node) => node,
            None => unreachable!("what is read was built before"),
        };
        let both = |(rows, errors): (Parts<'scope>, Parts<'scope>)| (rows, Some(errors));
        match &node.operator {
            Operator::Linear { input, stages } => both(linear(read(input).rows.clone(), node, stages)),
            Operator::Flatten { input, column } => (flatten(read(input).rows.clone(), *column, &node.schema), None),
            Operator::Union { inputs } => {
                let streams = inputs.iter().map(|(input, negated)| {
                    let rows = read(input).rows.clone();
                    if *negated { negate(rows) } else { rows }
                });
                (concat(streams.collect()), None)
            }
            Operator::Join { left, right, kind, left_keys, right_keys, null_equals_null } => {
                let keys = (Layout::by(left_keys), Layout::by(right_keys));
                (joined(read(left), read(right), *kind, keys, *null_equals_null, node), None)
            }
            Operator::Reduce { input, keys, aggregates } if aggregates.is_empty() && !keys.is_empty() => {
                let input = read(input);
                (groups::distinct(input.rows.clone(), &input.schema, keys, node), None)
            }
            Operator::Reduce { input, keys, aggregates } => {
                let input = read(input);
                both(groups::sums(input.rows.clone(), &input.schema, keys, aggregates, node, self.install))
            }
            Operator::TopK { input, group, order, offset, limit } => {
                let layout = Layout { key: group.clone(), order: order.clone() };
                let input = read(input);
                let codec = Rc::new(input.codec(&layout));
                (groups::top_k(input.arranged(&layout), codec, *offset, *limit), None)
            }
            Operator::Collect { input, keys, value, order, functions } => {
                let layout = Layout { key: keys.clone(), order: order.clone() };
                let input = read(input);
                let rows = input.grouped(&layout, self.install);
                both(groups::collect(rows, input.codec(&layout), *value, functions, node))
            }
            Operator::Quantile { input, keys, fractions, .. } => {
                let layout = Layout::by(keys);
                let input = read(input);
                let rows = input.grouped(&layout, self.install);
                (groups::quantile(rows, input.codec(&layout), fractions, node), None)
            }
            Operator::Window { input, partition, order, functions } => {
                let layout = Layout { key: partition.clone(), order: order.clone() };
                let input = read(input);
                let (rows, codec) = (input.arranged(&layout), input.codec(&layout));
                both(groups::window(rows, codec, &input.schema, (order, functions), node))
            }
            Operator::Unique { input, keys } => {
                let layout = Layout::by(keys);
                let input = read(input);
                both(groups::unique(input.arranged(&layout), Rc::new(input.codec(&layout)), &node.step))
            }
            Operator::Iterate { inputs, body, max } => {
                let inner = Loop {
                    scope: self.scope,
                    level: self.level + 1,
                    body,
                    max: *max,
                    step: &node.step,
                    install: self.install,
                    stopped: Rc::clone(&self.stopped),
                };
                inner.render(inputs.iter().map(|input| read(input).clone()).collect())
            }
            Operator::Errors { of } => match &read(of).errors {
                Some(errors) => (relabel(errors.clone(), &node.schema), None),
                None => (super::part::empty(self.scope), None),
            },
            Operator::Unsettled => match unsettled {
                Some([]) | None => (super::part::empty(self.scope), None),
                Some(streams) => (relabel(concat(streams.to_vec()), &node.schema), None),
            },
            Operator::Given { .. } => unreachable!("what is given was built before"),
            Operator::Get { .. }
            | Operator::Constant { .. }
            | Operator::ReduceJoin { .. }
            | Operator::Sessions { .. }
            | Operator::Match { .. }
            | Operator::Watermark { .. }
            | Operator::Gate { .. }
            | Operator::Balance { .. }
            | Operator::Throttle { .. }
            | Operator::Asof { .. }
            | Operator::Dedupe { .. }
            | Operator::Changes { .. }
            | Operator::Hold { .. }
            | Operator::Held { .. } => unreachable!("`{}` stands outside of loops", node.operator.name()),
        }
    }

    fn rows_of(&self, id: NodeId, nodes: &[Option<Node<'scope>>]) -> Parts<'scope> {
        match &nodes[id] {
            Some(node) => node.rows.clone(),
            None => unreachable!("outputs were built"),
        }
    }
}

fn joined<'scope>(
    left: &Node<'scope>,
    right: &Node<'scope>,
    kind: JoinKind,
    (left_layout, right_layout): (Layout, Layout),
    nulls_match: bool,
    node: &FlowNode,
) -> Parts<'scope> {
    let rows = left.arranged(&left_layout);
    let left_codec = Rc::new(left.codec(&left_layout));
    let pairs = |rows| {
        let right_codec = Rc::new(right.codec(&right_layout));
        let others = right.arranged(&right_layout);
        join::inner(rows, others, Rc::clone(&left_codec), right_codec, &node.schema, nulls_match)
    };
    let matched = |rows| {
        let keys = groups::keys(right.arranged(&right_layout));
        join::matched(rows, keys, Rc::clone(&left_codec), nulls_match)
    };
    match kind {
        JoinKind::Inner => pairs(rows),
        JoinKind::Semi => matched(rows),
        JoinKind::Anti => concat(vec![left.rows.clone(), negate(matched(rows))]),
        JoinKind::Left => {
            let alone = concat(vec![left.rows.clone(), negate(matched(rows.clone()))]);
            let schema = node.schema.clone();
            let padded = move |part: Part, out: &mut Vec<Part>, _: &mut Vec<Part>| {
                let mut columns = part.rows.columns().to_vec();
                let count = part.updates.len();
                for field in schema.fields().iter().skip(columns.len()) {
                    columns.push(arrow_array::new_null_array(field.data_type(), count));
                }
                out.push(Part { rows: batch_of(&schema, columns, count), updates: part.updates });
            };
            concat(vec![pairs(rows), split(alone, "Pad", Box::new(padded)).0])
        }
    }
}
