//! Dropping programs, and everything that nobody needs any more.

use std::collections::HashSet;

use crossbeam_channel::{Sender, bounded};

use super::Coordinator;
use super::feeds::{Keep, Origin};
use crate::command::{DataflowId, FeedId, WorkerCommand};
use crate::engine::EngineError;
use crate::output::ProgramId;

/// Someone who waits until what was dropped is gone.
pub(super) struct Leaving {
    /// Dataflows that must be gone.
    pub dataflows: HashSet<DataflowId>,
    /// Threads that must have ended.
    pub threads: HashSet<u64>,
    pub reply: Sender<Result<(), EngineError>>,
}

impl Coordinator {
    /// Drops programs; gives what has to go. The reply of the result leads nowhere: put in one that somebody reads.
    pub(super) fn drop_programs(&mut self, programs: &[ProgramId]) -> Leaving {
        let mut leaving = Leaving { dataflows: HashSet::new(), threads: HashSet::new(), reply: bounded(1).0 };
        for program in programs {
            if let Some(dataflow) = self.dataflows.get_mut(&program.0)
                && dataflow.wanted
            {
                dataflow.wanted = false;
                dataflow.events = None;
                self.pool.all(&WorkerCommand::Detach { dataflow: program.0 });
            }
        }
        // Later dataflows read from earlier ones, so going backwards finds all that become free.
        let ids: Vec<DataflowId> = self.dataflows.keys().rev().copied().collect();
        for id in ids {
            if self.dataflows.get(&id).is_some_and(|d| !d.wanted && !d.retired && d.importers.is_empty()) {
                self.retire(id, &mut leaving);
            }
        }
        leaving
    }

    fn retire(&mut self, id: DataflowId, leaving: &mut Leaving) {
        let Some(dataflow) = self.dataflows.get_mut(&id) else { return };
        dataflow.retired = true;
        let exports = dataflow.shared.exports.clone();
        let imports = std::mem::take(&mut dataflow.imports);
        let taps = std::mem::take(&mut dataflow.taps);
        leaving.dataflows.insert(id);
        self.pool.all(&WorkerCommand::Retire { dataflow: id });
        self.catalog.retain(|key, _| !exports.contains(key));
        for import in imports {
            if let Some(owner) = self.dataflows.get_mut(&import) {
                owner.importers.remove(&id);
            }
        }
        for tap in taps {
            self.untap(id, tap.feed, leaving);
        }
    }

    /// A dataflow no longer reads a feed; without readers the feed stops.
    fn untap(&mut self, dataflow: DataflowId, id: FeedId, leaving: &mut Leaving) {
        let Some(feed) = self.feeds.get_mut(&id) else { return };
        feed.readers.retain(|reader| *reader != dataflow);
        if let Origin::Source(source) = &mut feed.origin {
            let stopped = source.again.extract_if(.., |repeater| repeater.dataflow == dataflow);
            leaving.threads.extend(stopped.map(|repeater| repeater.token));
        }
        if !feed.readers.is_empty() {
            return;
        }
        let Some(feed) = self.feeds.remove(&id) else { return };
        self.feed_of.remove(&feed.fingerprint);
        self.pending_rows -=
            self.pending.iter().filter(|fed| fed.feed == id).map(|fed| fed.changes.len()).sum::<usize>();
        self.pending.retain(|fed| fed.feed != id);
        self.unfinished.remove(&id);
        self.ending.retain(|ending| *ending != id);
        if let Origin::Source(source) = feed.origin {
            leaving.threads.extend(source.reader.as_ref().map(|reader| reader.token));
            if let Keep::Stored(log) = &source.keep {
                log.remove();
            }
        }
    }

    /// Tells those who wait that what they dropped is gone.
    pub(super) fn look_at_leaving(&mut self) {
        let (dataflows, threads) = (&self.dataflows, &self.threads);
        self.leaving.retain_mut(|leaving| {
            leaving.dataflows.retain(|id| dataflows.contains_key(id));
            leaving.threads.retain(|token| threads.is_alive(*token));
            let gone = leaving.dataflows.is_empty() && leaving.threads.is_empty();
            if gone {
                // Whoever waited may have given up.
                let _ = leaving.reply.send(Ok(()));
            }
            !gone
        });
    }
}
