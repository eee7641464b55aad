//! Waiting until programs have caught up.

use std::collections::{HashMap, HashSet};
use std::sync::Weak;

use crossbeam_channel::Sender;

use super::Coordinator;
use super::feeds::{Feed, Origin};
use crate::catch_up::{CatchUp, Caught};
use crate::command::{DataflowId, FeedId};
use crate::engine::EngineError;
use crate::output::ProgramId;

/// What a feed still has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    /// Answer the refresh with this number.
    Refresh(u64),
    /// End, or play all steps.
    End,
}

/// A wait that is under way.
pub(super) struct Waiter {
    programs: Vec<DataflowId>,
    /// The programs, and all dataflows that they read from.
    reads: HashSet<DataflowId>,
    needs: HashMap<FeedId, Need>,
    /// The epoch that the programs have to be past, once all needs are met.
    target: Option<u64>,
    outcome: Sender<Caught>,
    /// Gone when the wait was given up.
    wanted: Weak<()>,
}

impl Waiter {
    /// Gives the wait up, since something has failed.
    pub fn fail(self, message: &str) {
        // Whoever waited may have given up.
        let _ = self.outcome.send(Caught::Failed(message.to_string()));
    }
}

impl Coordinator {
    /// Begins to wait.
    pub(super) fn wait_for(
        &mut self,
        programs: &[ProgramId],
        mode: CatchUp,
        outcome: Sender<Caught>,
        wanted: Weak<()>,
    ) {
        let programs: Vec<DataflowId> = programs.iter().map(|program| program.0).collect();
        let reads = self.reads(&programs);
        let mut waiter = Waiter { reads, programs, needs: HashMap::new(), target: None, outcome, wanted };
        if let Some(message) = &self.failed {
            return waiter.fail(&EngineError::Worker(message.clone()).to_string());
        }
        let feeds: Vec<FeedId> = self
            .feeds
            .iter()
            .filter(|(_, feed)| feed.readers.iter().any(|reader| waiter.reads.contains(reader)))
            .map(|(id, _)| *id)
            .collect();
        for id in feeds {
            let number = self.next;
            self.next += 1;
            let Some(feed) = self.feeds.get(&id) else { continue };
            if let Some(message) = &feed.failed {
                let message = message.clone();
                return waiter.fail(&message);
            }
            if let Some(need) = need_of(feed, mode, number) {
                waiter.needs.insert(id, need);
            }
        }
        self.waiters.push(waiter);
    }

    /// Dataflows, and all that they read from.
    fn reads(&self, programs: &[DataflowId]) -> HashSet<DataflowId> {
        let mut reads: HashSet<DataflowId> = programs.iter().copied().collect();
        let mut open: Vec<DataflowId> = programs.to_vec();
        while let Some(id) = open.pop() {
            if let Some(dataflow) = self.dataflows.get(&id) {
                open.extend(dataflow.imports.iter().copied().filter(|import| reads.insert(*import)));
            }
        }
        reads
    }

    /// A source has given everything that was there when it was asked.
    pub(super) fn refreshed(&mut self, feed: FeedId, number: u64) {
        for waiter in &mut self.waiters {
            // A later answer also answers what was asked before.
            if matches!(waiter.needs.get(&feed), Some(Need::Refresh(asked)) if *asked <= number) {
                waiter.needs.remove(&feed);
            }
        }
    }

    /// Dataflows have failed.
    pub(super) fn waiters_failed(&mut self, failed: &[DataflowId], message: &str) {
        for waiter in std::mem::take(&mut self.waiters) {
            if failed.iter().any(|dataflow| waiter.reads.contains(dataflow)) {
                waiter.fail(message);
            } else {
                self.waiters.push(waiter);
            }
        }
    }

    /// Ends the waits whose programs have caught up.
    pub(super) fn look_at_waiters(&mut self) {
        self.waiters.retain(|waiter| waiter.wanted.strong_count() > 0);
        for mut waiter in std::mem::take(&mut self.waiters) {
            waiter.needs.retain(|feed, need| match self.feeds.get(feed) {
                // A feed that ended has also given what was there.
                Some(feed) => !(feed.ended || (*need == Need::End && is_played(feed))),
                None => false,
            });
            let waits_for_epoch = self.pending.iter().any(|fed| {
                self.feeds.get(&fed.feed).is_some_and(|feed| feed.readers.iter().any(|id| waiter.reads.contains(id)))
            });
            if waiter.needs.is_empty() && waiter.target.is_none() && !waits_for_epoch {
                waiter.target = Some(self.clock.last());
            }
            // Where all has ended, what was put off is shown as well: the last windows, and changes that were to wait.
            let read = |feed: &&Feed| feed.readers.iter().any(|reader| waiter.reads.contains(reader));
            let is_over = self.feeds.values().filter(read).all(|feed| feed.ended);
            let caught = waiter.target.is_some_and(|target| {
                waiter.programs.iter().filter_map(|id| self.dataflows.get(id)).all(|dataflow| {
                    let is_past = |frontier: u64| frontier > target && !is_over;
                    !dataflow.is_loading() && dataflow.frontier.is_none_or(is_past)
                })
            });
            if caught {
                // Whoever waited may have given up.
                let _ = waiter.outcome.send(Caught::Done);
            } else {
                self.waiters.push(waiter);
            }
        }
    }
}

fn is_played(feed: &Feed) -> bool {
    matches!(&feed.origin, Origin::Constant(constant) if constant.played >= constant.steps.len())
}

/// What a feed has to do for a wait. Asks it to, where it must be asked.
fn need_of(feed: &Feed, mode: CatchUp, number: u64) -> Option<Need> {
    match &feed.origin {
        Origin::Constant(_) => (!is_played(feed)).then_some(Need::End),
        Origin::Source(_) if feed.ended => None,
        Origin::Source(source) if mode == CatchUp::Ended && source.bounded => Some(Need::End),
        Origin::Source(source) => source.reader.as_ref().map(|reader| {
            reader.refresh(number);
            Need::Refresh(number)
        }),
    }
}
