//! Closing epochs, and giving contents.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tidebook_plan::ChangeBatch;

use super::Coordinator;
use super::feeds::{ConstantFeed, Feed, Origin};
use crate::command::{DataflowId, Fed, FeedId, Port, WorkerCommand};
use crate::output::OutputEvent;

/// How often a program is told how much was loaded.
const SAY_AFTER: Duration = Duration::from_millis(100);

impl Coordinator {
    /// Closes an epoch if there is work and the last one has left all programs that are not loading.
    pub(super) fn close_epoch(&mut self) {
        self.spaced = false;
        if self.failed.is_some() {
            return;
        }
        if let Some(epoch) = self.outstanding {
            let behind = |dataflow: &super::Dataflow| {
                !dataflow.retired
                    && !dataflow.is_loading()
                    && dataflow.frontier.is_some_and(|frontier| frontier <= epoch)
            };
            if self.dataflows.values().any(behind) {
                return;
            }
            self.outstanding = None;
        }
        let steps = self.feeds.values().any(|feed| has_steps(feed));
        if !self.unfinished.is_empty()
            || (self.pending.is_empty() && self.ending.is_empty() && !steps && !self.is_due())
        {
            return;
        }
        let only_rows = self.ending.is_empty() && !steps && !self.pending.is_empty();
        if only_rows && self.pending_rows < super::PLENTY && self.closed.elapsed() < super::SPACING {
            self.spaced = true;
            return;
        }
        self.closed = Instant::now();
        let epoch = self.clock.next();
        let mut shares: HashMap<usize, Vec<Fed>> = HashMap::new();
        for fed in std::mem::take(&mut self.pending) {
            shares.entry(self.pool.next_worker()).or_default().push(fed);
        }
        self.pending_rows = 0;
        for (id, port, changes) in self.play_steps() {
            let fed = self.fed(id, port, changes);
            shares.entry(self.pool.next_worker()).or_default().push(fed);
        }
        for worker in 0..self.pool.count() {
            let fed = shares.remove(&worker).unwrap_or_default();
            self.pool.one(worker, WorkerCommand::Epoch { epoch, fed });
        }
        for feed in std::mem::take(&mut self.ending) {
            self.pool.all(&WorkerCommand::FeedEnded { feed });
        }
        self.outstanding = Some(epoch);
    }

    /// The least time, in microseconds, after which an epoch closes for a program that goes by time.
    pub(super) fn tick(&self) -> Option<u64> {
        let going = self.dataflows.values().filter(|dataflow| !dataflow.retired && dataflow.frontier.is_some());
        going.filter_map(|dataflow| dataflow.tick).min()
    }

    fn is_due(&self) -> bool {
        self.tick().is_some_and(|tick| self.clock.since_last() >= tick)
    }

    /// The next step of every constant that is not at its end.
    fn play_steps(&mut self) -> Vec<(FeedId, Port, Arc<ChangeBatch>)> {
        let mut changes = Vec::new();
        let mut ended = Vec::new();
        for (id, feed) in &mut self.feeds {
            if !has_steps(feed) {
                continue;
            }
            let Origin::Constant(constant) = &mut feed.origin else { continue };
            let step = constant.played;
            constant.played += 1;
            let step = ConstantFeed::changes(&constant.steps[step..=step]);
            changes.extend(step.into_iter().map(|(port, changes)| (*id, port, changes)));
            if constant.played == constant.steps.len() {
                ended.push(*id);
            }
        }
        for id in ended {
            if let Some(feed) = self.feeds.get_mut(&id) {
                feed.ended = true;
            }
            self.ending.push(id);
        }
        changes
    }

    /// Changes for all dataflows that are installed now.
    pub(super) fn fed(&self, feed: FeedId, port: Port, changes: Arc<ChangeBatch>) -> Fed {
        Fed { feed, port, changes, before: self.next }
    }

    /// A feed has ended, and nothing of it waits for an epoch.
    pub(super) fn end_feed(&mut self, id: FeedId) {
        if let Some(feed) = self.feeds.get_mut(&id) {
            feed.ended = true;
        }
        self.pool.all(&WorkerCommand::FeedEnded { feed: id });
    }

    /// Gives a dataflow a part of its initial contents.
    pub(super) fn give_contents(&mut self, id: DataflowId, feed: FeedId, port: Port, changes: Arc<ChangeBatch>) {
        let Some(dataflow) = self.dataflows.get_mut(&id) else { return };
        if dataflow.retired || changes.is_empty() {
            return;
        }
        if port == Port::Rows {
            dataflow.loaded += changes.len() as u64;
            if dataflow.wanted && dataflow.said.elapsed() >= SAY_AFTER {
                dataflow.said = Instant::now();
                dataflow.tell(OutputEvent::Loading { rows: dataflow.loaded });
            }
        }
        let fed = self.fed(feed, port, changes);
        self.in_flight += 1;
        let worker = self.pool.next_worker();
        self.pool.one(worker, WorkerCommand::Contents { dataflow: id, fed });
    }

    /// Tells the workers which initial contents of a dataflow are complete.
    pub(super) fn settle_taps(&mut self, id: DataflowId) {
        let Some(dataflow) = self.dataflows.get_mut(&id) else { return };
        for tap in &mut dataflow.taps {
            let loading = self.feeds.get(&tap.feed).is_some_and(Feed::is_loading);
            if !tap.done && !tap.again && !loading {
                tap.done = true;
                self.pool.all(&WorkerCommand::ContentsDone { dataflow: id, feed: tap.feed });
            }
        }
    }
}

fn has_steps(feed: &Feed) -> bool {
    matches!(&feed.origin, Origin::Constant(constant) if constant.played < constant.steps.len())
}
