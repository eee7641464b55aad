//! Reading the values of a changed key around the epochs at which it changed.
//!
//! What was there before is taken from the trace as it was cut when the operator last looked, never told by times: the
//! times of a shared trace may have been brought forward to an epoch that is still to come.
//!
//! One batch may hold thousands of epochs of a key (a program that was loading while others went on). So the changes of
//! a key are read once and applied epoch by epoch over what is known; an epoch never meets the changes of later ones.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Bound;

use differential_dataflow::trace::Cursor;
use differential_dataflow::trace::cursor::cursor_list;

use crate::row::{Batch, Cursors, Values, time_at};

/// Batches that have just arrived, and those from before.
pub(super) struct Storage {
    known: Vec<Batch<i64>>,
    changed: Vec<Batch<i64>>,
}

/// Reads both.
pub(super) struct Around {
    known: Values,
    changed: Cursors<i64>,
    install: u64,
}

/// Summed changes by value.
pub(super) type Changes<'a> = BTreeMap<&'a [u8], i64>;

/// A key with its changes.
pub(super) struct Changed<'a> {
    /// The key.
    pub key: &'a [u8],
    epochs: BTreeMap<u64, Changes<'a>>,
    /// The changes of the epochs that were visited; none of them zero.
    earlier: Changes<'a>,
}

impl<'a> Changed<'a> {
    /// The first epoch that was not visited yet, with its changes: to be read with [`Around::read`], and then to be
    /// handed to [`Changed::visited`].
    pub fn next_epoch(&mut self) -> Option<(u64, Changes<'a>)> {
        self.epochs.pop_first()
    }

    /// An epoch was visited: its changes are part of what stood before later ones.
    pub fn visited(&mut self, now: Changes<'a>) {
        for (value, diff) in now {
            match self.earlier.entry(value) {
                Entry::Vacant(entry) if diff != 0 => {
                    entry.insert(diff);
                }
                Entry::Vacant(_) => {}
                Entry::Occupied(mut entry) => {
                    *entry.get_mut() += diff;
                    if *entry.get() == 0 {
                        entry.remove();
                    }
                }
            }
        }
    }
}

impl<'a> Changed<'a> {
    /// The changes of the first epoch that was not visited yet, by value in order.
    pub fn next(&self) -> Option<&BTreeMap<&'a [u8], i64>> {
        self.epochs.first_key_value().map(|(_, changes)| changes)
    }
}

impl Around {
    /// Reads `changed` against `known`.
    pub fn new(known: Vec<Batch<i64>>, changed: Vec<Batch<i64>>, install: u64) -> (Around, Storage) {
        let (changed_cursor, changed) = cursor_list(changed);
        (Around { known: Values::new(&known), changed: changed_cursor, install }, Storage { known, changed })
    }

    /// The next changed key with its changes.
    pub fn key<'a>(&mut self, storage: &'a Storage) -> Option<Changed<'a>> {
        let key = self.changed.get_key(&storage.changed)?;
        let mut epochs: BTreeMap<u64, Changes<'a>> = BTreeMap::new();
        while let Some(value) = self.changed.get_val(&storage.changed) {
            self.changed.map_times(&storage.changed, |time, diff| {
                *epochs.entry(time_at(*time, self.install)).or_default().entry(value).or_default() += diff;
            });
            self.changed.step_val(&storage.changed);
        }
        self.changed.step_key(&storage.changed);
        self.known.seek_key(&storage.known, key);
        Some(Changed { key, epochs, earlier: BTreeMap::new() })
    }

    /// Goes to the first epoch of `changed` that was not visited yet, and visits the values of its key in order, with
    /// how often each stands before that epoch and from it on, until told to stop. Gives the epoch.
    pub fn visit<'a>(
        &mut self,
        storage: &'a Storage,
        changed: &mut Changed<'a>,
        mut logic: impl FnMut(u64, &'a [u8], i64, i64) -> bool,
    ) -> Option<u64> {
        let (epoch, now) = changed.next_epoch()?;
        self.read(storage, changed, &now, &[], |value, before, after| logic(epoch, value, before, after));
        changed.visited(now);
        Some(epoch)
    }

    /// Reads the values of the key from `start` on in order, with how often each stands before the changes `now` and
    /// after them, until told to stop.
    pub fn read<'a>(
        &mut self,
        storage: &'a Storage,
        changed: &Changed<'a>,
        now: &Changes<'a>,
        start: &[u8],
        mut logic: impl FnMut(&'a [u8], i64, i64) -> bool,
    ) {
        self.known.seek_value(&storage.known, start);
        let range = (Bound::Included(start), Bound::Unbounded);
        let mut earlier = changed.earlier.range::<[u8], _>(range).peekable();
        let mut current = now.range::<[u8], _>(range).peekable();
        loop {
            let known = self.known.value(&storage.known);
            let heads = [known, earlier.peek().map(|(value, _)| **value), current.peek().map(|(value, _)| **value)];
            let Some(value) = heads.into_iter().flatten().min() else { break };
            let mut before = 0;
            if known == Some(value) {
                self.known.times(&storage.known, |_, diff| before += diff);
                self.known.step(&storage.known);
            }
            if let Some((_, diff)) = earlier.next_if(|(candidate, _)| **candidate == value) {
                before += diff;
            }
            let diff = current.next_if(|(candidate, _)| **candidate == value).map_or(0, |(_, diff)| *diff);
            if !logic(value, before, before + diff) {
                break;
            }
        }
    }
}
