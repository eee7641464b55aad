//! One row a key, in whose place a new one comes if a condition over both holds.
//!
//! Which row is kept depends on the order in which rows came, so the operator remembers it: it is not to be found in the
//! arrangement of its input, which serves only to begin a key again where its kept row is taken back.
//!
//! Whether a row is kept decides what the next one is compared with, so rows of a key are asked about one after the
//! other. Many keys are asked about in one batch, and of one key as many rows ahead as were refused in a row.

use std::collections::{BTreeMap, HashMap, VecDeque};

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, SchemaRef};
use tidebook_plan::ChangeBatch;
use tidebook_plan::flow::{FlowExpr, Stage, positional_schema};
use timely::container::CapacityContainerBuilder;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::CapabilitySet;
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;

use super::around::{Around, Storage};
use super::eval::apply;
use super::linear::with_error;
use crate::delta::{Delta, Rows, untyped_batch};
use crate::row::{Arrangement, Codec, Reading};

/// Keys that go along together.
const KEYS: usize = 1 << 14;
/// Rows that one batch asks about.
const ROWS: usize = 1 << 15;
/// Rows of one key that are asked about at most before the answer to the first is known.
const AHEAD: usize = 1 << 10;

/// What decides, and how rows are read for it.
pub(super) struct Condition {
    codec: Codec,
    stages: [Stage; 1],
    answer: SchemaRef,
    step: String,
}

impl Condition {
    /// `condition` over the columns of the new row and those of the kept one, both decoded by `codec`.
    pub fn new(codec: Codec, condition: FlowExpr, step: &str) -> Self {
        let answer = positional_schema([&DataType::Boolean]);
        Condition { codec, stages: [Stage::Project(vec![condition])], answer, step: step.to_string() }
    }

    /// For each pair whether the new row is kept, or why that cannot be told.
    fn ask(&self, pairs: &Pairs<'_>) -> Vec<Result<bool, String>> {
        let kept: Vec<&[u8]> = pairs.kept.iter().map(Vec::as_slice).collect();
        let mut columns = self.codec.decode_columns(&pairs.keys, &pairs.new);
        columns.extend(self.codec.decode_columns(&pairs.keys, &kept));
        let asked = ChangeBatch::inserts(untyped_batch(columns, pairs.keys.len()));
        let (answers, failures) = apply(&self.stages, &self.answer, &asked);
        let answers = answers.rows.column(0).as_boolean();
        let mut answers = (0..answers.len()).map(|row| answers.is_valid(row) && answers.value(row));
        let mut failures = failures.into_iter().peekable();
        (0..pairs.keys.len())
            .map(|row| match failures.next_if(|failure| failure.row == row) {
                Some(failure) => Err(failure.message),
                None => Ok(answers.next().unwrap_or(false)),
            })
            .collect()
    }

    fn failed(&self, errors: &[(Vec<u8>, Vec<u8>, String, i64)]) -> RecordBatch {
        let keys: Vec<&[u8]> = errors.iter().map(|(key, ..)| key.as_slice()).collect();
        let values: Vec<&[u8]> = errors.iter().map(|(_, value, ..)| value.as_slice()).collect();
        let messages: Vec<&str> = errors.iter().map(|(_, _, message, _)| message.as_str()).collect();
        with_error(self.codec.decode_columns(&keys, &values), messages.into_iter(), &self.step)
    }
}

/// New rows with the kept row that each is compared with.
#[derive(Default)]
struct Pairs<'a> {
    keys: Vec<&'a [u8]>,
    new: Vec<&'a [u8]>,
    kept: Vec<Vec<u8>>,
}

/// What is remembered of a key.
#[derive(Default)]
struct State {
    /// The kept row.
    kept: Option<Vec<u8>>,
    /// Rows that failed, with why, and how often.
    failed: BTreeMap<(Vec<u8>, String), i64>,
}

/// What an epoch brings to a key.
struct EpochChanges<'a> {
    epoch: u64,
    /// New rows in their order, a row that came twice twice.
    new: Vec<&'a [u8]>,
    /// Where rows were taken back: all that the key has now, with how often each stands.
    standing: Option<Vec<(&'a [u8], i64)>>,
}

/// The epoch of a key that is under way.
struct Current<'a> {
    epoch: u64,
    /// What was kept before it.
    before: Option<Vec<u8>>,
    candidates: VecDeque<&'a [u8]>,
    standing: Option<Vec<(&'a [u8], i64)>>,
}

/// A key on its way through its epochs.
struct Walk<'a> {
    key: &'a [u8],
    state: State,
    epochs: VecDeque<EpochChanges<'a>>,
    current: Option<Current<'a>>,
    /// Rows to ask about at once.
    ahead: usize,
}

/// What comes out, by epoch.
#[derive(Default)]
struct Given {
    rows: BTreeMap<u64, Vec<(Vec<u8>, Vec<u8>, i64)>>,
    errors: BTreeMap<u64, Vec<(Vec<u8>, Vec<u8>, String, i64)>>,
}

impl<'a> Walk<'a> {
    /// Goes on as far as nobody has to be asked; true if there are rows to ask about.
    fn advance(&mut self, given: &mut Given) -> bool {
        loop {
            let Some(current) = &mut self.current else {
                let Some(changes) = self.epochs.pop_front() else { return false };
                self.current = Some(Current {
                    epoch: changes.epoch,
                    before: self.state.kept.clone(),
                    candidates: changes.new.into(),
                    standing: changes.standing,
                });
                continue;
            };
            if self.state.kept.is_none()
                && let Some(first) = current.candidates.pop_front()
            {
                self.state.kept = Some(first.to_vec());
            }
            if !current.candidates.is_empty() {
                return true;
            }
            if let Some(standing) = current.standing.take() {
                let epoch = current.epoch;
                let is_gone = |kept: &Vec<u8>| standing.binary_search_by(|(value, _)| (*value).cmp(kept)).is_err();
                let begins_again = self.state.kept.as_ref().is_some_and(is_gone);
                self.forget_failed(epoch, if begins_again { &[] } else { &standing }, given);
                if begins_again {
                    self.state.kept = None;
                    let again = standing
                        .into_iter()
                        .flat_map(|(value, count)| std::iter::repeat_n(value, usize::try_from(count).unwrap_or(0)));
                    if let Some(current) = &mut self.current {
                        current.candidates = again.collect();
                    }
                    continue;
                }
            }
            if let Some(Current { epoch, before, .. }) = self.current.take()
                && before != self.state.kept
            {
                let rows = given.rows.entry(epoch).or_default();
                rows.extend(before.map(|before| (self.key.to_vec(), before, -1)));
                rows.extend(self.state.kept.clone().map(|kept| (self.key.to_vec(), kept, 1)));
            }
        }
    }

    /// Takes the errors of rows back that do not stand any more.
    fn forget_failed(&mut self, epoch: u64, standing: &[(&[u8], i64)], given: &mut Given) {
        let mut left: BTreeMap<&[u8], i64> = standing.iter().copied().collect();
        let key = self.key;
        self.state.failed.retain(|(value, message), count| {
            let left = left.get_mut(value.as_slice());
            let stays = left.as_ref().map_or(0, |left| (*count).min(**left));
            if let Some(left) = left {
                *left -= stays;
            }
            if stays < *count {
                let error = (key.to_vec(), value.clone(), message.clone(), stays - *count);
                given.errors.entry(epoch).or_default().push(error);
            }
            *count = stays;
            stays > 0
        });
    }

    /// Adds the rows to ask about; gives how many.
    fn gather(&self, pairs: &mut Pairs<'a>) -> usize {
        let (Some(current), Some(kept)) = (&self.current, &self.state.kept) else { return 0 };
        let count = current.candidates.len().min(self.ahead);
        for new in current.candidates.iter().take(count) {
            pairs.keys.push(self.key);
            pairs.new.push(new);
            pairs.kept.push(kept.clone());
        }
        count
    }

    /// Takes the answers, until one is yes: the others were asked in vain.
    fn take(&mut self, answers: impl Iterator<Item = Result<bool, String>>, given: &mut Given) {
        let Some(current) = &mut self.current else { return };
        for answer in answers {
            let Some(new) = current.candidates.pop_front() else { return };
            match answer {
                Ok(true) => {
                    self.state.kept = Some(new.to_vec());
                    self.ahead = 1;
                    return;
                }
                Ok(false) => {}
                Err(message) => {
                    *self.state.failed.entry((new.to_vec(), message.clone())).or_default() += 1;
                    let error = (self.key.to_vec(), new.to_vec(), message, 1);
                    given.errors.entry(current.epoch).or_default().push(error);
                }
            }
        }
        self.ahead = (self.ahead * 2).min(AHEAD);
    }
}

/// The next keys that have changed.
fn walks<'a>(around: &mut Around, storage: &'a Storage, states: &mut HashMap<Vec<u8>, State>) -> Vec<Walk<'a>> {
    let mut walks = Vec::new();
    while walks.len() < KEYS {
        let Some(mut changed) = around.key(storage) else { break };
        let mut epochs = VecDeque::new();
        while let Some(now) = changed.next() {
            let copies =
                |(value, diff): (&&'a [u8], &i64)| std::iter::repeat_n(*value, usize::try_from(*diff).unwrap_or(0));
            let new = now.iter().flat_map(copies).collect();
            let takes_back = now.values().any(|diff| *diff < 0);
            let mut standing = Vec::new();
            let visited = around.visit(storage, &mut changed, |_, value, _, after| {
                if takes_back && after > 0 {
                    standing.push((value, after));
                }
                takes_back
            });
            let Some(epoch) = visited else { break };
            epochs.push_back(EpochChanges { epoch, new, standing: takes_back.then_some(standing) });
        }
        let state = states.remove(changed.key).unwrap_or_default();
        walks.push(Walk { key: changed.key, state, epochs, current: None, ahead: 1 });
    }
    walks
}

/// Leads all keys through their epochs.
fn decide(walks: &mut [Walk<'_>], condition: &Condition, given: &mut Given) {
    let mut open: VecDeque<usize> = (0..walks.len()).filter(|walk| walks[*walk].advance(given)).collect();
    while !open.is_empty() {
        let mut pairs = Pairs::default();
        let mut asked = Vec::new();
        while pairs.keys.len() < ROWS
            && let Some(walk) = open.pop_front()
        {
            asked.push((walk, walks[walk].gather(&mut pairs)));
        }
        let mut answers = condition.ask(&pairs).into_iter();
        for (walk, count) in asked {
            let own: Vec<_> = answers.by_ref().take(count).collect();
            walks[walk].take(own.into_iter(), given);
            if walks[walk].advance(given) {
                open.push_back(walk);
            }
        }
    }
}

/// The kept row of each key, and as errors the rows on which the condition fails.
pub(super) fn dedupe<'scope>(
    rows: Arrangement<'scope, i64>,
    condition: Condition,
    install: u64,
) -> (Rows<'scope>, Rows<'scope>) {
    let mut reading = Reading::new(rows.trace);
    let mut states: HashMap<Vec<u8>, State> = HashMap::new();
    let mut builder = OperatorBuilder::new("Dedupe".to_string(), rows.stream.scope());
    let mut input = builder.new_input(rows.stream, Pipeline);
    let (rows_output, rows) = builder.new_output::<Vec<Delta>>();
    let (errors_output, errors) = builder.new_output::<Vec<Delta>>();
    let mut rows_output: OutputBuilder<_, CapacityContainerBuilder<Vec<Delta>>> = OutputBuilder::from(rows_output);
    let mut errors_output: OutputBuilder<_, CapacityContainerBuilder<Vec<Delta>>> = OutputBuilder::from(errors_output);
    builder.build(move |_capabilities| {
        let mut batches = Vec::new();
        let mut row_capabilities = CapabilitySet::new();
        let mut error_capabilities = CapabilitySet::new();
        move |frontiers| {
            let mut rows_output = rows_output.activate();
            let mut errors_output = errors_output.activate();
            if batches.is_empty() {
                reading.begin();
            }
            input.for_each(|capability, spans| {
                capability.retain_least(0).into_iter().for_each(|capability| row_capabilities.insert(capability));
                capability.retain_least(1).into_iter().for_each(|capability| error_capabilities.insert(capability));
                reading.receive(spans, |batch, _| batches.push(batch));
            });
            // The contents at the installation are one epoch, however many batches an import makes of them.
            if frontiers[0].less_equal(&install) {
                return;
            }
            if !batches.is_empty() {
                let (mut around, storage) = Around::new(reading.known(), std::mem::take(&mut batches), install);
                loop {
                    let mut walks = walks(&mut around, &storage, &mut states);
                    if walks.is_empty() {
                        break;
                    }
                    let mut given = Given::default();
                    decide(&mut walks, &condition, &mut given);
                    let remembered = walks.into_iter().filter(|walk| walk.state.kept.is_some());
                    states.extend(remembered.map(|walk| (walk.key.to_vec(), walk.state)));
                    for (epoch, rows) in given.rows {
                        let keys: Vec<&[u8]> = rows.iter().map(|(key, ..)| key.as_slice()).collect();
                        let values: Vec<&[u8]> = rows.iter().map(|(_, value, _)| value.as_slice()).collect();
                        let diffs = rows.iter().map(|(_, _, diff)| *diff).collect();
                        let delta = Delta::new(epoch, condition.codec.decode(&keys, &values), diffs);
                        rows_output.session(&row_capabilities).give(delta);
                    }
                    for (epoch, errors) in given.errors {
                        let diffs = errors.iter().map(|(.., diff)| *diff).collect();
                        let delta = Delta::new(epoch, condition.failed(&errors), diffs);
                        errors_output.session(&error_capabilities).give(delta);
                    }
                }
            }
            row_capabilities = CapabilitySet::new();
            error_capabilities = CapabilitySet::new();
            reading.settle(None);
        }
    });
    (rows, errors)
}
