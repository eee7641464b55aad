//! Inner joins: differential's driver with a tactic of ours that stays in packed bytes and makes Arrow batches.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::rc::Rc;

use arrow_array::ArrayRef;
use arrow_schema::SchemaRef;
use differential_dataflow::difference::Multiply;
use differential_dataflow::operators::join::{Fresh, JoinTactic, join_with_tactic};
use differential_dataflow::trace::Cursor;
use differential_dataflow::trace::cursor::cursor_list;
use timely::Accountable;
use timely::dataflow::Stream;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::Operator;

use crate::delta::{Delta, Rows, batch_of};
use crate::row::{Arrangement, Batch, Codec, Cursors, Difference, NULL_KEY, Packed, time_at};

/// Pairs in one output batch, about.
const BATCH: usize = 1 << 13;

/// Makes output of matching pairs.
pub(super) trait Emit<D>: 'static {
    /// What is made.
    type Out: Clone + 'static;

    /// Makes it of pairs of one epoch: their keys, left values, right values and differences.
    fn emit(&self, epoch: u64, pairs: Pairs<'_, D>) -> Self::Out;
}

/// Matching pairs of one epoch, encoded.
pub(super) struct Pairs<'a, D> {
    pub keys: Vec<&'a [u8]>,
    pub left: Vec<&'a [u8]>,
    pub right: Vec<&'a [u8]>,
    pub diffs: Vec<D>,
}

impl<D> Default for Pairs<'_, D> {
    fn default() -> Self {
        Pairs { keys: Vec::new(), left: Vec::new(), right: Vec::new(), diffs: Vec::new() }
    }
}

impl<'a, D> Pairs<'a, D> {
    fn push(&mut self, key: &'a [u8], left: &'a [u8], right: &'a [u8], diff: D) {
        self.keys.push(key);
        self.left.push(left);
        self.right.push(right);
        self.diffs.push(diff);
    }
}

/// What was made of some pairs.
///
/// Differential's driver works on a join until it has given so many records; then others have their turn. It asks the
/// container, so the container counts pairs, and each of them for several records: making Arrow batches is dear.
#[derive(Clone)]
pub(super) struct Joined<O> {
    pub out: Vec<O>,
    weight: i64,
}

/// Records that a pair counts for: about 60,000 pairs a turn.
const WEIGHT: i64 = 16;

impl<O> Default for Joined<O> {
    fn default() -> Self {
        Joined { out: Vec::new(), weight: 0 }
    }
}

impl<O> Accountable for Joined<O> {
    fn record_count(&self) -> i64 {
        self.weight
    }
}

/// Joins two arrangements on their keys.
pub(super) fn join<'scope, D, E>(
    left: Arrangement<'scope, D>,
    right: Arrangement<'scope, i64>,
    emit: E,
    nulls_match: bool,
    install: u64,
) -> Stream<'scope, u64, Joined<E::Out>>
where
    D: Difference + Multiply<i64, Output = D>,
    E: Emit<D>,
{
    join_with_tactic(left, right, "Join", Tactic { emit: Rc::new(emit), nulls_match, install })
}

struct Tactic<E> {
    emit: Rc<E>,
    nulls_match: bool,
    install: u64,
}

impl<D, E> JoinTactic<u64, Batch<D>, Batch<i64>, Joined<E::Out>> for Tactic<E>
where
    D: Difference + Multiply<i64, Output = D>,
    E: Emit<D>,
{
    fn prep(
        &mut self,
        left: Vec<Batch<D>>,
        right: Vec<Batch<i64>>,
        fresh: Fresh,
        meet: u64,
    ) -> Box<dyn Iterator<Item = Joined<E::Out>>> {
        let (left, left_storage) = cursor_list(left);
        let (right, right_storage) = cursor_list(right);
        // The side that was there before has accumulated up to `meet`; the fresh side has its own times.
        let advanced = time_at(meet, self.install);
        let (left_floor, right_floor) = match fresh {
            Fresh::Input0 => (self.install, advanced),
            Fresh::Input1 => (advanced, self.install),
        };
        Box::new(Matches {
            left,
            left_storage,
            left_floor,
            right,
            right_storage,
            right_floor,
            emit: Rc::clone(&self.emit),
            nulls_match: self.nulls_match,
            large: None,
            done: false,
        })
    }
}

/// A join of two lists of batches, played out as far as it is asked for.
struct Matches<D: Difference, E> {
    left: Cursors<D>,
    left_storage: Vec<Batch<D>>,
    left_floor: u64,
    right: Cursors<i64>,
    right_storage: Vec<Batch<i64>>,
    right_floor: u64,
    emit: Rc<E>,
    nulls_match: bool,
    /// A key with so many pairs that they are made in several batches.
    large: Option<Large<D>>,
    done: bool,
}

/// The updates of one side of a key, copied out of its batches.
struct Copied<D> {
    values: Packed,
    updates: Vec<(u64, D)>,
}

impl<D: Clone> Copied<D> {
    fn of(updates: &[(&[u8], u64, D)]) -> Self {
        let mut values = Packed::default();
        updates.iter().for_each(|(value, _, _)| values.push(value));
        Copied { values, updates: updates.iter().map(|(_, time, diff)| (*time, diff.clone())).collect() }
    }
}

/// A key whose pairs are made bit by bit.
struct Large<D> {
    key: Vec<u8>,
    left: Copied<D>,
    right: Copied<i64>,
    /// The next pair, counted left by left.
    next: usize,
}

/// The updates of the current key, those at one time added up.
fn load<'a, D: Difference>(
    cursor: &mut Cursors<D>,
    storage: &'a Vec<Batch<D>>,
    floor: u64,
    updates: &mut Vec<(&'a [u8], u64, D)>,
) {
    updates.clear();
    while let Some(value) = cursor.get_val(storage) {
        let start = updates.len();
        cursor.map_times(storage, |time, diff| {
            let time = time_at(*time, floor);
            match updates[start..].iter_mut().find(|(_, known, _)| *known == time) {
                Some((_, _, sum)) => sum.plus_equals(diff),
                None => updates.push((value, time, diff.clone())),
            }
        });
        let mut at = start;
        while at < updates.len() {
            if updates[at].2.is_zero() {
                updates.swap_remove(at);
            } else {
                at += 1;
            }
        }
        cursor.step_val(storage);
    }
}

/// Makes output of the pairs of each epoch.
fn finished<D, E: Emit<D>>(emit: &E, pending: BTreeMap<u64, Pairs<'_, D>>) -> Joined<E::Out> {
    let pairs: usize = pending.values().map(|pairs| pairs.diffs.len()).sum();
    let out = pending.into_iter().map(|(epoch, pairs)| emit.emit(epoch, pairs)).collect();
    Joined { out, weight: pairs as i64 * WEIGHT }
}

impl<D, E> Iterator for Matches<D, E>
where
    D: Difference + Multiply<i64, Output = D>,
    E: Emit<D>,
{
    type Item = Joined<<E as Emit<D>>::Out>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.large.is_some() {
            return Some(self.go_on());
        }
        if self.done {
            return None;
        }
        let (left_storage, right_storage) = (&self.left_storage, &self.right_storage);
        let (left, right) = (&mut self.left, &mut self.right);
        let mut pending: BTreeMap<u64, Pairs<'_, D>> = BTreeMap::new();
        let (mut left_updates, mut right_updates) = (Vec::new(), Vec::new());
        let mut count = 0;
        while count < BATCH {
            let (Some(left_key), Some(right_key)) = (left.get_key(left_storage), right.get_key(right_storage)) else {
                self.done = true;
                break;
            };
            match left_key.cmp(right_key) {
                Ordering::Less => left.seek_key(left_storage, right_key),
                Ordering::Greater => right.seek_key(right_storage, left_key),
                // Keys with nulls sort last: nothing that matches follows.
                Ordering::Equal if left_key[0] == NULL_KEY && !self.nulls_match => {
                    self.done = true;
                    break;
                }
                Ordering::Equal => {
                    load(left, left_storage, self.left_floor, &mut left_updates);
                    load(right, right_storage, self.right_floor, &mut right_updates);
                    if left_updates.len() * right_updates.len() > 4 * BATCH {
                        let key = left_key.to_vec();
                        let (copied, others) = (Copied::of(&left_updates), Copied::of(&right_updates));
                        self.large = Some(Large { key, left: copied, right: others, next: 0 });
                        left.step_key(left_storage);
                        right.step_key(right_storage);
                        break;
                    }
                    for (left_value, left_time, left_diff) in &left_updates {
                        for (right_value, right_time, right_diff) in &right_updates {
                            let pairs = pending.entry(*left_time.max(right_time)).or_default();
                            pairs.push(left_key, left_value, right_value, left_diff.clone().multiply(right_diff));
                        }
                    }
                    count += left_updates.len() * right_updates.len();
                    left.step_key(left_storage);
                    right.step_key(right_storage);
                }
            }
        }
        if pending.is_empty() && self.done { None } else { Some(finished(self.emit.as_ref(), pending)) }
    }
}

impl<D, E> Matches<D, E>
where
    D: Difference + Multiply<i64, Output = D>,
    E: Emit<D>,
{
    /// The next pairs of a large key.
    fn go_on(&mut self) -> Joined<E::Out> {
        let Some(large) = &mut self.large else { return Joined::default() };
        let mut pending: BTreeMap<u64, Pairs<'_, D>> = BTreeMap::new();
        let width = large.right.updates.len();
        let end = (large.next + BATCH).min(large.left.updates.len() * width);
        for pair in large.next..end {
            let (i, j) = (pair / width, pair % width);
            let ((left_time, left_diff), (right_time, right_diff)) = (&large.left.updates[i], &large.right.updates[j]);
            let pairs = pending.entry(*left_time.max(right_time)).or_default();
            let diff = left_diff.clone().multiply(right_diff);
            pairs.push(&large.key, large.left.values.get(i), large.right.values.get(j), diff);
        }
        let out = finished(self.emit.as_ref(), pending);
        large.next = end;
        if end == large.left.updates.len() * width {
            self.large = None;
        }
        out
    }
}

/// Left columns, then right columns.
struct JoinRows {
    left: Rc<Codec>,
    right: Rc<Codec>,
    schema: SchemaRef,
}

impl Emit<i64> for JoinRows {
    type Out = Delta;

    fn emit(&self, epoch: u64, pairs: Pairs<'_, i64>) -> Delta {
        let keys = self.left.decode_keys(&pairs.keys);
        let mut columns = assemble(&self.left, &keys, self.left.decode_values(&pairs.left));
        columns.extend(assemble(&self.right, &keys, self.right.decode_values(&pairs.right)));
        Delta::new(epoch, batch_of(&self.schema, columns, pairs.keys.len()), pairs.diffs)
    }
}

/// The columns of one side in its order, from those of the key and of the value.
pub(super) fn assemble(codec: &Codec, keys: &[ArrayRef], values: Vec<ArrayRef>) -> Vec<ArrayRef> {
    let mut columns: Vec<(usize, ArrayRef)> = codec.key_columns().iter().copied().zip(keys.iter().cloned()).collect();
    columns.extend(codec.value_columns().iter().copied().zip(values));
    columns.sort_by_key(|(position, _)| *position);
    columns.dedup_by_key(|(position, _)| *position);
    columns.into_iter().map(|(_, column)| column).collect()
}

/// The inner join of two arrangements of rows.
pub(super) fn inner<'scope>(
    left: Arrangement<'scope, i64>,
    right: Arrangement<'scope, i64>,
    left_codec: Rc<Codec>,
    right_codec: Rc<Codec>,
    schema: &SchemaRef,
    nulls_match: bool,
    install: u64,
) -> Rows<'scope> {
    let emit = JoinRows { left: left_codec, right: right_codec, schema: schema.clone() };
    let joined = join(left, right, emit, nulls_match, install);
    joined.unary(Pipeline, "Joined", |_capability, _info| {
        |input, output| {
            input.for_each(|capability, joined| {
                output.session(&capability).give_iterator(joined.out.drain(..));
            });
        }
    })
}
