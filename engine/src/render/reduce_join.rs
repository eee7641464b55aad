//! Sums over an inner join, with partial sums formed below the join: a million rows of one product meet it as one entry.
//!
//! Left rows are summed by join key and left group columns; joined, the sums are multiplied by how often the right row
//! stands; then they are summed by group.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_schema::{Schema, SchemaRef};
use tidebook_plan::flow::SumAggregate;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::Operator;

use super::join::{Emit, Pairs, join};
use super::reduce::{PreAggregate, project, sum_by};
use crate::delta::Rows;
use crate::row::{Arrangement, Codec, Layout, arrange};
use crate::sums::{SlotPlan, Sums};

/// Left columns, then right columns.
pub(super) fn joined_schema(left: &SchemaRef, right: &SchemaRef) -> SchemaRef {
    Arc::new(Schema::new(left.fields().iter().chain(right.fields()).cloned().collect::<Vec<_>>()))
}

/// Where each group column comes from.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// A column of the join key.
    Key(usize),
    /// A left column beside the key.
    Left(usize),
    /// A column of the right value.
    Right(usize),
}

/// How a reduce-join is put together.
pub(super) struct Shape {
    left_schema: SchemaRef,
    /// Left columns that partial sums are grouped by: the join key, then the other left group columns.
    partial: Vec<usize>,
    key_count: usize,
    left: Codec,
    right: Codec,
    places: Vec<Place>,
    keys: Vec<usize>,
    plan: SlotPlan,
}

impl Shape {
    /// `keys` and the columns of `aggregates` are positions in the join's output.
    pub fn new(
        left_schema: &SchemaRef,
        left_keys: &[usize],
        right: Codec,
        keys: &[usize],
        aggregates: &[SumAggregate],
    ) -> Self {
        let width = left_schema.fields().len();
        let mut partial = left_keys.to_vec();
        let mut places = Vec::new();
        for column in keys {
            places.push(if *column < width {
                match left_keys.iter().position(|key| key == column) {
                    Some(position) => Place::Key(position),
                    None => {
                        let known = partial[left_keys.len()..].iter().position(|other| other == column);
                        Place::Left(known.unwrap_or_else(|| {
                            partial.push(*column);
                            partial.len() - 1 - left_keys.len()
                        }))
                    }
                }
            } else {
                let column = column - width;
                match right.key_columns().iter().position(|key| *key == column) {
                    Some(position) => Place::Key(position),
                    None => match right.value_columns().iter().position(|value| *value == column) {
                        Some(position) => Place::Right(position),
                        None => unreachable!("every right column is in the key or in the value"),
                    },
                }
            });
        }
        let layout = Layout::by(&(0..left_keys.len()).collect::<Vec<_>>());
        Shape {
            left: Codec::new(&project(left_schema, &partial), &layout),
            left_schema: left_schema.clone(),
            key_count: left_keys.len(),
            partial,
            right,
            places,
            keys: keys.to_vec(),
            plan: SlotPlan::new(left_schema, aggregates),
        }
    }
}

/// Sums of one epoch with the group columns that they belong to.
#[derive(Clone)]
struct Partial {
    epoch: u64,
    groups: Vec<ArrayRef>,
    sums: Arc<Vec<Sums>>,
}

struct EmitPartial {
    left: Codec,
    right: Codec,
    places: Vec<Place>,
}

impl Emit<Sums> for EmitPartial {
    type Out = Partial;

    fn emit(&self, epoch: u64, pairs: Pairs<'_, Sums>) -> Partial {
        let uses = |wanted: fn(&Place) -> bool| self.places.iter().any(wanted);
        let decode = |used: bool, decode: &dyn Fn() -> Vec<ArrayRef>| if used { decode() } else { Vec::new() };
        let keys = decode(uses(|p| matches!(p, Place::Key(_))), &|| self.left.decode_keys(&pairs.keys));
        let left = decode(uses(|p| matches!(p, Place::Left(_))), &|| self.left.decode_values(&pairs.left));
        let right = decode(uses(|p| matches!(p, Place::Right(_))), &|| self.right.decode_values(&pairs.right));
        let column = |place: &Place| match place {
            Place::Key(i) => Arc::clone(&keys[*i]),
            Place::Left(i) => Arc::clone(&left[*i]),
            Place::Right(i) => Arc::clone(&right[*i]),
        };
        Partial { epoch, groups: self.places.iter().map(column).collect(), sums: Arc::new(pairs.diffs) }
    }
}

/// The arrangement of a reduce-join node.
pub(super) fn arrange_sums<'scope>(
    left: Rows<'scope>,
    right: Arrangement<'scope, i64>,
    shape: Shape,
    joined: &SchemaRef,
    install: u64,
    name: &str,
) -> Arrangement<'scope, Sums> {
    let peers = left.scope().peers();
    let partial = sum_by(left, &shape.left_schema, &shape.partial, shape.key_count, &shape.plan, "Partial sums");
    let emit = EmitPartial { left: shape.left, right: shape.right, places: shape.places };
    let pairs = join(partial, right, emit, false, install);
    let mut sums = PreAggregate::new(&project(joined, &shape.keys), shape.keys.len(), shape.plan, peers);
    let chunks = pairs.unary_frontier(Pipeline, "Sum", move |_capability, _info| {
        move |(input, frontier), output| {
            input.for_each(|capability, partials| {
                for partial in partials.out.drain(..) {
                    sums.update(
                        partial.epoch,
                        &capability,
                        |groups| groups.merge(&partial.groups, &partial.sums),
                        |capability, chunk| output.session(capability).give(chunk),
                    );
                }
            });
            sums.complete(
                |epoch| frontier.less_equal(&epoch),
                |capability, chunk| output.session(capability).give(chunk),
            );
        }
    });
    arrange(chunks, name)
}
