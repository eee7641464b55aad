//! Sums over an inner join are formed below it.
//!
//! Where every sum is of columns of one side, rows of that side that have the same join key and the same group
//! columns need not be joined one by one: their partial sums are. That side becomes the left one. Nobody else may
//! read the join's rows, which no longer exist; a projection of plain columns between the two is looked through.

use tidebook_plan::flow::{JoinKind, Stage, SumAggregate};
use tidebook_plan::{FlowPlan, NodeId, Operator};

use super::column;
use super::rebuild::{Rebuild, row_readers};

/// The rule.
pub fn reduce_join(plan: &FlowPlan) -> FlowPlan {
    let readers = row_readers(plan);
    Rebuild::new(plan).finish(move |rebuild, id| write(rebuild, id, &readers))
}

fn write(rebuild: &mut Rebuild<'_>, id: NodeId, readers: &[usize]) -> NodeId {
    let again = |rebuild: &mut Rebuild<'_>, id| write(rebuild, id, readers);
    match find(rebuild.old, id, readers) {
        Some(Operator::ReduceJoin { left, right, left_keys, right_keys, keys, aggregates }) => {
            let (left, right) = (rebuild.place(left, &again), rebuild.place(right, &again));
            rebuild.add(id, Operator::ReduceJoin { left, right, left_keys, right_keys, keys, aggregates })
        }
        _ => rebuild.copy(id, &again),
    }
}

/// The reduce-join that the node is, over old places.
fn find(plan: &FlowPlan, id: NodeId, readers: &[usize]) -> Option<Operator> {
    let Operator::Reduce { input, keys, aggregates } = &plan.nodes[id].operator else { return None };
    if aggregates.is_empty() || readers[*input] != 1 {
        return None;
    }
    let (join, places) = through_columns(plan, *input)?;
    let Operator::Join { left, right, kind: JoinKind::Inner, left_keys, right_keys, null_equals_null: false } =
        &plan.nodes[join].operator
    else {
        return None;
    };
    if readers[join] != 1 || left_keys.is_empty() {
        return None;
    }
    let place = |column: usize| places.as_ref().map_or(column, |places| places[column]);
    let left_width = plan.nodes[*left].schema.fields().len();
    let right_width = plan.nodes[*right].schema.fields().len();
    let summed: Vec<usize> =
        aggregates.iter().flat_map(|sum| sum.input.iter().chain(&sum.filter)).map(|column| place(*column)).collect();
    let exchange = if summed.iter().all(|column| *column < left_width) {
        false
    } else if summed.iter().all(|column| *column >= left_width) {
        true
    } else {
        return None;
    };
    let place = |column: usize| match (exchange, place(column)) {
        (false, column) => column,
        (true, column) if column < left_width => column + right_width,
        (true, column) => column - left_width,
    };
    let aggregates = aggregates.iter().map(|sum| SumAggregate {
        input: sum.input.map(place),
        filter: sum.filter.map(place),
        ..sum.clone()
    });
    let (aggregates, keys) = (aggregates.collect(), keys.iter().map(|key| place(*key)).collect());
    let sides = ((*left, left_keys.clone()), (*right, right_keys.clone()));
    let ((left, left_keys), (right, right_keys)) = if exchange { (sides.1, sides.0) } else { sides };
    Some(Operator::ReduceJoin { left, right, left_keys, right_keys, keys, aggregates })
}

/// The node below a projection of plain columns, and where its columns come from; the node itself otherwise.
fn through_columns(plan: &FlowPlan, id: NodeId) -> Option<(NodeId, Option<Vec<usize>>)> {
    match &plan.nodes[id].operator {
        Operator::Linear { input, stages } => match stages.as_slice() {
            [Stage::Project(exprs)] => Some((*input, Some(exprs.iter().map(column).collect::<Option<Vec<_>>>()?))),
            _ => None,
        },
        _ => Some((id, None)),
    }
}
