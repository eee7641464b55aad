//! What comes in time passes; what comes too late, or is to be given once, goes another way.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch, UInt64Array};
use arrow_select::take::take;
use tidebook_plan::ChangeBatch;
use tidebook_plan::flow::Gate;
use timely::container::CapacityContainerBuilder;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;

use super::watermark::levels;
use super::{END, instants};
use crate::delta::{Delta, Rows, batch_of};
use crate::render::output::cleared;

/// Of a batch whose rows close at more moments than these, no parts are made.
const MOST_PARTS: usize = 32;
/// Rows that are kept for one moment before it is looked whether some of them cancel.
const UNCLEARED: usize = 1 << 10;

/// The two inputs.
const ROWS: usize = 0;
const LEVELS: usize = 1;

/// Changes that are kept until a moment has passed.
#[derive(Default)]
struct Kept {
    batches: Vec<Arc<ChangeBatch>>,
    rows: usize,
    /// How many there were when it was last looked what cancels.
    cleared: usize,
}

impl Kept {
    fn add(&mut self, changes: Arc<ChangeBatch>) {
        self.rows += changes.len();
        self.batches.push(changes);
        if self.rows > 2 * self.cleared + UNCLEARED {
            self.batches = cleared(std::mem::take(&mut self.batches));
            self.rows = self.batches.iter().map(|changes| changes.len()).sum();
            self.cleared = self.rows;
        }
    }
}

/// A gate and what it has to know.
struct Keeper {
    gate: Gate,
    closes: usize,
    late: i64,
    /// What the watermark was before the epoch that is under way.
    level: i64,
    kept: BTreeMap<i64, Kept>,
}

impl Keeper {
    /// For each row the moment at which it closes.
    fn moments(&self, rows: &RecordBatch) -> Vec<i64> {
        let ends = instants(rows, self.closes);
        let moment = |i| if ends.is_valid(i) { ends.value(i).saturating_add(self.late) } else { END };
        (0..ends.len()).map(moment).collect()
    }

    /// What passes of the changes of an epoch.
    fn judge(&mut self, changes: &Arc<ChangeBatch>) -> Option<Arc<ChangeBatch>> {
        let moments = self.moments(&changes.rows);
        let passes = |moment: &i64| (self.level >= *moment) == (self.gate == Gate::Late);
        let passed = if moments.iter().all(passes) {
            Arc::clone(changes)
        } else {
            let places: Vec<u64> = (0..moments.len()).filter(|i| passes(&moments[*i])).map(|i| i as u64).collect();
            part(changes, places)
        };
        let moments: Vec<i64> = moments.into_iter().filter(passes).collect();
        if passed.is_empty() {
            return None;
        }
        match self.gate {
            Gate::Open | Gate::Late => Some(passed),
            Gate::Forget => {
                self.keep(&passed, &moments, MOST_PARTS);
                Some(passed)
            }
            Gate::Final => {
                self.keep(&passed, &moments, usize::MAX);
                None
            }
        }
    }

    /// Keeps changes by the moment at which they close; by the last of these where they are too many.
    fn keep(&mut self, changes: &Arc<ChangeBatch>, moments: &[i64], most: usize) {
        let mut parts: HashMap<i64, Vec<u64>> = HashMap::new();
        for (i, moment) in moments.iter().enumerate() {
            parts.entry(*moment).or_default().push(i as u64);
            if parts.len() > most {
                break;
            }
        }
        if parts.len() == 1 || parts.len() > most {
            let last = moments.iter().copied().max().unwrap_or(END);
            self.kept.entry(last).or_default().add(Arc::clone(changes));
            return;
        }
        for (moment, places) in parts {
            self.kept.entry(moment).or_default().add(part(changes, places));
        }
    }

    /// The watermark moves: gives what was kept until then.
    fn close(&mut self, level: i64) -> Vec<Arc<ChangeBatch>> {
        self.level = level.max(self.level);
        let mut closed = Vec::new();
        while let Some(entry) = self.kept.first_entry().filter(|entry| *entry.key() <= self.level) {
            closed.extend(entry.remove().batches);
        }
        closed
    }
}

/// The changes at these places.
fn part(changes: &ChangeBatch, places: Vec<u64>) -> Arc<ChangeBatch> {
    let diffs = changes.diffs.as_ref().map(|diffs| places.iter().map(|i| diffs[*i as usize]).collect());
    let places = UInt64Array::from(places);
    let columns = changes.rows.columns().iter().map(|column| match take(column, &places, None) {
        Ok(column) => column,
        Err(error) => panic!("rows that pass are rows of the batch: {error}"),
    });
    let columns: Vec<ArrayRef> = columns.collect();
    Arc::new(ChangeBatch { rows: batch_of(&changes.rows.schema(), columns, places.len()), diffs })
}

/// The changes of `rows` that pass `gate`, each judged by what `watermark` was before its epoch.
pub(in crate::render) fn gate<'scope>(
    rows: Rows<'scope>,
    watermark: Rows<'scope>,
    closes: usize,
    late: i64,
    gate: Gate,
) -> Rows<'scope> {
    let mut builder = OperatorBuilder::new(format!("Gate {}", gate.name()), rows.scope());
    let mut input = builder.new_input(rows, Pipeline);
    let mut moves = builder.new_input(levels(watermark), Pipeline);
    let (output, rows) = builder.new_output::<Vec<Delta>>();
    let mut output: OutputBuilder<_, CapacityContainerBuilder<Vec<Delta>>> = OutputBuilder::from(output);
    builder.build(move |mut capabilities| {
        let mut capability = capabilities.pop();
        let mut keeper = Keeper { gate, closes, late, level: i64::MIN, kept: BTreeMap::new() };
        let mut pending: BTreeMap<u64, Vec<Arc<ChangeBatch>>> = BTreeMap::new();
        let mut levels: BTreeMap<u64, i64> = BTreeMap::new();
        move |frontiers| {
            input.for_each(|_capability, deltas| {
                for delta in deltas.drain(..) {
                    pending.entry(delta.epoch).or_default().push(delta.changes);
                }
            });
            moves.for_each(|_capability, moves| {
                for (epoch, level) in moves.drain(..) {
                    let known = levels.entry(epoch).or_insert(level);
                    *known = level.max(*known);
                }
            });
            let Some(held) = &mut capability else { return };
            let mut output = output.activate();
            loop {
                let rows = pending.first_key_value().map(|(epoch, _)| *epoch);
                let level = levels.first_key_value().map(|(epoch, level)| (*epoch, *level));
                match (rows, level) {
                    // No earlier epoch moves the watermark any more.
                    (Some(epoch), level) if level.is_none_or(|(moved, _)| epoch <= moved) => {
                        if frontiers[LEVELS].less_than(&epoch) {
                            break;
                        }
                        for changes in pending.remove(&epoch).unwrap_or_default() {
                            if let Some(changes) = keeper.judge(&changes) {
                                output.session(&*held).give(Delta { epoch, changes });
                            }
                        }
                    }
                    // The epoch is complete, and what comes after it is judged by where it has moved the watermark.
                    (_, Some((epoch, level))) => {
                        if frontiers.iter().any(|frontier| frontier.less_equal(&epoch)) {
                            break;
                        }
                        levels.remove(&epoch);
                        let closed = keeper.close(level);
                        if keeper.gate == Gate::Final {
                            let mut session = output.session(&*held);
                            session.give_iterator(cleared(closed).into_iter().map(|changes| Delta { epoch, changes }));
                        } else if !frontiers[ROWS].is_empty() || !pending.is_empty() {
                            let taken_back = closed.into_iter().map(|changes| Arc::new(changes.negated()));
                            let mut session = output.session(&*held);
                            session.give_iterator(taken_back.map(|changes| Delta { epoch: epoch + 1, changes }));
                        }
                    }
                    _ => break,
                }
            }
            let waits = [pending.first_key_value().map(|(epoch, _)| *epoch), levels.keys().next().copied()];
            let open = frontiers.iter().filter_map(|frontier| frontier.frontier().first().copied());
            match open.chain(waits.into_iter().flatten()).min() {
                Some(epoch) => held.downgrade(&epoch.max(*held.time())),
                None => capability = None,
            }
        }
    });
    rows
}
