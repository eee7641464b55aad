//! One dataflow on one worker.

use std::collections::VecDeque;
use std::ops::Range;

use timely::worker::Worker as TimelyWorker;

use super::ledger::Ledger;
use crate::command::{Fed, FeedId, Installation, NodeWork};
use crate::output::OutputEvent;
use crate::render::{Meter, Registry, Rendered, render};
use crate::sharing::ArrangementKey;

/// A dataflow that runs.
pub(super) struct Running {
    index: usize,
    /// Timely's numbers of its operators.
    operators: Range<usize>,
    install: u64,
    exports: Vec<ArrangementKey>,
    /// What was built.
    pub rendered: Rendered,
    /// The frontier that was seen last.
    frontier: Option<u64>,
    /// The epoch that was closed last; 0 before the first.
    closed: u64,
}

impl Running {
    /// Builds a dataflow.
    pub fn build(worker: &mut TimelyWorker, installation: &Installation, registry: &mut Registry) -> Self {
        let index = worker.next_dataflow_index();
        let first = worker.peek_identifier();
        let name = format!("Program {}", installation.dataflow);
        let rendered = worker.dataflow_named::<u64, _, _>(&name, |scope| render(scope, installation, registry));
        let exports = installation.shared.exports.clone();
        let operators = first..worker.peek_identifier();
        Running { index, operators, install: installation.install, exports, rendered, frontier: Some(0), closed: 0 }
    }

    /// Feeds changes of an epoch.
    pub fn give(&self, fed: &Fed, epoch: u64) {
        for (feed, handle) in &self.rendered.feeds {
            if *feed == fed.feed {
                handle.give(fed.port, epoch, &fed.changes);
            }
        }
    }

    /// Feeds a part of the initial contents.
    pub fn give_contents(&self, fed: &Fed) {
        for (feed, handle) in &self.rendered.feeds {
            if *feed == fed.feed {
                handle.give_contents(fed.port, &fed.changes);
            }
        }
    }

    /// The initial contents of a feed are complete.
    pub fn contents_done(&self, done: FeedId) {
        self.rendered.feeds.iter().filter(|(feed, _)| *feed == done).for_each(|(_, handle)| handle.contents_done());
    }

    /// Later changes have at least this epoch.
    pub fn advance(&self, epoch: u64) {
        self.rendered.feeds.iter().for_each(|(_, handle)| handle.advance(epoch));
    }

    /// A feed has ended.
    pub fn end(&self, ended: FeedId) {
        self.rendered.feeds.iter().filter(|(feed, _)| *feed == ended).for_each(|(_, handle)| handle.end());
    }

    /// The frontier if another epoch has left the dataflow; the program's listener is told which. `issued` are the epochs
    /// that were issued of late, in order.
    pub fn progress(&mut self, issued: &VecDeque<u64>) -> Option<Option<u64>> {
        let frontier = self.rendered.probe.with_frontier(|frontier| frontier.first().copied());
        if frontier == self.frontier {
            return None;
        }
        self.frontier = frontier;
        // The frontier also rests between epochs, which is no news.
        let passed = issued.partition_point(|epoch| frontier.is_none_or(|frontier| *epoch < frontier));
        let last = passed.checked_sub(1).map(|last| issued[last]);
        // Where everything has ended, so has the epoch of the installation, though its command may still be on its way, and
        // so have later epochs than the last one, to which changes were moved.
        let said = self.rendered.output.latest().max(self.install);
        let closed = if frontier.is_none() { last.max(Some(said)) } else { last };
        let news = closed.filter(|closed| *closed >= self.install && *closed > self.closed);
        if let Some(closed) = news {
            self.closed = closed;
            self.rendered.output.send(OutputEvent::Closed { epoch: closed });
        }
        if frontier.is_none() {
            self.rendered.output.send(OutputEvent::Ended);
        }
        (news.is_some() || frontier.is_none()).then_some(frontier)
    }

    /// What each node of its plan has done.
    pub fn work(&self, ledger: &Ledger) -> Vec<NodeWork> {
        let work = |meter: &Meter| NodeWork { rows: meter.rows.get(), time: ledger.spent(&meter.operators) };
        self.rendered.meters.iter().map(work).collect()
    }

    /// Lets go of everything that keeps the dataflow going; gives timely's number of it.
    pub fn retire(mut self, registry: &mut Registry, ledger: &Ledger) -> usize {
        ledger.forget(&self.operators);
        self.exports.iter().for_each(|key| registry.remove(key));
        self.rendered.output.close();
        self.rendered.stopped.set(true);
        self.rendered.buttons.iter_mut().for_each(|button| button.press());
        self.index
    }
}
