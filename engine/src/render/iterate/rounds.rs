//! From the end of a round to the beginning of the next one.
//!
//! What a round has changed is added up over all workers, so that what stays the same stops going round. Rows of which
//! there is no end are taken out here: a table that is added to itself doubles, and would not fit any number soon.

use std::cell::Cell;
use std::rc::Rc;

use arrow_schema::SchemaRef;
use tidebook_plan::flow::{FlowPlan, JoinKind, MOST_ROUNDS, NodeId, Operator};

use super::super::linear::with_error;
use super::arrange::{LoopArrangement, arrange_rows};
use super::part::{Part, Parts, next_round, round};
use super::reduce::{Encoded, read, reduce_rows};
use crate::row::{Codec, Layout};

/// So many equal rows are as many as can be told: their square still fits a difference.
const MOST_COPIES: i64 = 1 << 30;

/// How rows go from one round to the next.
pub(super) struct Gate {
    /// The level of the loop, the outermost being 1.
    pub level: usize,
    /// How often the body is applied.
    pub rounds: u64,
    /// True once nobody wants the loop any more.
    pub stopped: Rc<Cell<bool>>,
}

fn by_rows<'scope>(parts: Parts<'scope>, schema: &SchemaRef, name: &str) -> (LoopArrangement<'scope, i64>, Codec) {
    let layout = Layout::by(&(0..schema.fields().len()).collect::<Vec<_>>());
    (arrange_rows(parts, Codec::new(schema, &layout), name), Codec::new(schema, &layout))
}

/// Changes of the table from a round to the next: at the times of the next, and those for which there is none.
pub(super) fn advance<'scope>(
    changes: Parts<'scope>,
    schema: &SchemaRef,
    gate: Gate,
) -> (Parts<'scope>, Parts<'scope>) {
    let (changes, codec) = by_rows(changes, schema, "Round");
    let logic = move |encoded: Encoded<'_>, next: &mut Vec<Part>, last: &mut Vec<Part>| {
        if gate.stopped.get() {
            return;
        }
        let goes_on = |i: usize| round(&encoded.updates[i].0, gate.level) + 1 < gate.rounds;
        let (mut on, over) = (encoded.chosen(goes_on), encoded.chosen(|i| !goes_on(i)));
        for (time, _) in &mut on.updates {
            *time = next_round(time, gate.level);
        }
        for (rows, out) in [(on, next), (over, last)] {
            if !rows.updates.is_empty() {
                out.push(Part::new(codec.decode(&rows.keys, &rows.values), rows.updates));
            }
        }
    };
    read(changes.stream, "Next round", Box::new(logic))
}

/// Of the changes that a further round would have made, the rows that would come; and these as errors.
pub(super) fn coming<'scope>(changes: Parts<'scope>, schema: &SchemaRef, step: &str) -> (Parts<'scope>, Parts<'scope>) {
    let (changes, codec) = by_rows(changes, schema, "Arrange");
    let positive = reduce_rows(
        changes,
        "Coming",
        Box::new(|_, values, results| {
            let count: i64 = values.iter().map(|(_, count)| count).sum();
            if count > 0 {
                results.push((Vec::new(), count));
            }
        }),
    );
    let step = step.to_string();
    let logic = move |encoded: Encoded<'_>, rows: &mut Vec<Part>, errors: &mut Vec<Part>| {
        let batch = codec.decode(&encoded.keys, &encoded.values);
        let message = format!("still changes after {MOST_ROUNDS} rounds");
        let messages = vec![message.as_str(); encoded.updates.len()];
        let failed = with_error(batch.columns().to_vec(), messages.into_iter(), &step);
        errors.push(Part::new(failed, encoded.updates.clone()));
        rows.push(Part::new(batch, encoded.updates));
    };
    read(positive.stream, "Decode", Box::new(logic))
}

/// A table in which no row stands too often.
pub(super) struct Bounded<'scope> {
    /// The table for the next round.
    pub next: Parts<'scope>,
    /// The table without rows that stand too often.
    pub rows: Parts<'scope>,
    /// These as errors.
    pub errors: Parts<'scope>,
}

/// Bounds how often a row stands.
pub(super) fn bounded<'scope>(parts: Parts<'scope>, schema: &SchemaRef, step: &str) -> Bounded<'scope> {
    let (rows, codec) = by_rows(parts, schema, "Arrange");
    let counted = reduce_rows(
        rows,
        "Copies",
        Box::new(|_, values, results| match values.iter().map(|(_, count)| count).sum::<i64>() {
            0 => {}
            count if count > MOST_COPIES => results.push((vec![1], 1)),
            count => results.push((Vec::new(), count)),
        }),
    );
    let codec = Rc::new(codec);
    let own = Rc::clone(&codec);
    let decode = move |encoded: Encoded<'_>, fitting: &mut Vec<Part>, over: &mut Vec<Part>| {
        let (few, many) =
            (encoded.chosen(|i| encoded.values[i].is_empty()), encoded.chosen(|i| !encoded.values[i].is_empty()));
        for (rows, out) in [(few, fitting), (many, over)] {
            if !rows.updates.is_empty() {
                let none = vec![&[][..]; rows.updates.len()];
                out.push(Part::new(own.decode(&rows.keys, &none), rows.updates));
            }
        }
    };
    let (rows, over) = read(counted.stream, "Decode", Box::new(decode));
    let step = step.to_string();
    let told = move |part: Part, most: &mut Vec<Part>, errors: &mut Vec<Part>| {
        let copies = part.updates.iter().map(|(time, diff)| (time.clone(), diff * MOST_COPIES)).collect();
        most.push(Part::new(part.rows.clone(), copies));
        let message = format!("stands more than {MOST_COPIES} times");
        let messages = vec![message.as_str(); part.updates.len()];
        let failed = with_error(part.rows.columns().to_vec(), messages.into_iter(), &step);
        errors.push(Part { rows: failed, updates: part.updates });
    };
    let (most, errors) = super::part::split(over, "Most", Box::new(told));
    Bounded { next: super::part::concat(vec![rows.clone(), most]), rows, errors }
}

/// True if how often a row stands after a round depends on how often one stood before: only then can there be ever more.
pub(super) fn carries_copies(body: &FlowPlan) -> bool {
    let mut carries: Vec<bool> = Vec::with_capacity(body.nodes.len());
    for node in &body.nodes {
        let any = |inputs: &[NodeId]| inputs.iter().any(|input| carries[*input]);
        carries.push(match &node.operator {
            Operator::Given { index } => *index == 0,
            // The right side only says which rows stay.
            Operator::Join { left, kind: JoinKind::Semi | JoinKind::Anti, .. } => carries[*left],
            // A group has one row, however many it is made of.
            Operator::Reduce { .. }
            | Operator::ReduceJoin { .. }
            | Operator::Collect { .. }
            | Operator::Quantile { .. }
            | Operator::TopK { .. }
            | Operator::Unique { .. } => false,
            operator => any(&operator.inputs()),
        });
    }
    carries[body.outputs[0]]
}
