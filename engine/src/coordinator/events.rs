//! What readers say.

use std::sync::Arc;

use tidebook_plan::ChangeBatch;
use tidebook_plan::connector::SourceBatch;

use super::Coordinator;
use super::feeds::{Keep, Origin, SourceFeed};
use crate::command::{DataflowId, FeedEvent, FeedId, Port};
use crate::ingest::{error_batch, positional};
use crate::output::OutputEvent;

impl Coordinator {
    pub(super) fn event(&mut self, id: FeedId, event: FeedEvent) {
        if self.failed.is_some() {
            return;
        }
        match event {
            FeedEvent::Batch(batch) => self.batch(id, batch),
            FeedEvent::Retract { segment, followed } => self.retract(id, segment, followed),
            FeedEvent::Idle { refresh } => {
                self.unfinished.remove(&id);
                self.loaded(id);
                if let Some(number) = refresh {
                    self.refreshed(id, number);
                }
            }
            FeedEvent::End => self.end(id),
            FeedEvent::Failed { message } => self.source_failed(id, message),
            FeedEvent::Again { dataflow, rows, errors } => self.again(id, dataflow, rows, &error_batch(&errors)),
            FeedEvent::AgainDone { dataflow } => self.again_done(id, dataflow),
            FeedEvent::AgainFailed { dataflow, message } => {
                self.dataflow_failed(dataflow, &message);
                self.again_done(id, dataflow);
            }
        }
    }

    fn source(&mut self, id: FeedId) -> Option<&mut SourceFeed> {
        match &mut self.feeds.get_mut(&id)?.origin {
            Origin::Source(source) => Some(source),
            Origin::Constant(_) => None,
        }
    }

    fn batch(&mut self, id: FeedId, batch: SourceBatch) {
        let errors = Arc::new(error_batch(&batch.errors));
        let Some(source) = self.source(id) else { return };
        source.rows += batch.rows.len() as u64;
        source.errors += batch.errors.len() as u64;
        source.resume = Some(batch.resume);
        let rows = if batch.rows.is_empty() { Ok(None) } else { positional(batch.rows, &source.schema).map(Some) };
        let rows = match rows {
            Ok(Some(rows)) => match &mut source.keep {
                Keep::Held(held) => Some(held.add(batch.segment, rows)),
                Keep::Stored(_) | Keep::Reread => Some(Arc::new(rows)),
            },
            Ok(None) => None,
            Err(message) => return self.source_failed(id, message),
        };
        if let Keep::Held(held) = &mut source.keep {
            held.add_errors(batch.segment, &errors);
        }
        self.unfinished.remove(&id);
        if let Some(rows) = rows {
            self.give(id, Port::Rows, rows);
        }
        self.give(id, Port::Errors, errors);
    }

    fn retract(&mut self, id: FeedId, segment: u64, followed: bool) {
        let Some(source) = self.source(id) else { return };
        let Keep::Held(held) = &mut source.keep else {
            return self.source_failed(id, "it takes back rows that nobody holds".to_string());
        };
        let given_up = held.retract(segment);
        for rows in given_up.rows {
            self.give(id, Port::Rows, Arc::new(rows.negated()));
        }
        for errors in given_up.errors {
            self.give(id, Port::Errors, Arc::new(errors.negated()));
        }
        // While it loads, everything goes into one epoch anyway.
        if followed && self.feeds.get(&id).is_some_and(|feed| !feed.is_loading()) {
            self.unfinished.insert(id);
        } else {
            self.unfinished.remove(&id);
        }
    }

    /// Changes of a feed: initial contents while it loads, afterwards for the next epoch.
    fn give(&mut self, id: FeedId, port: Port, changes: Arc<ChangeBatch>) {
        if changes.is_empty() {
            return;
        }
        let Some(feed) = self.feeds.get(&id) else { return };
        if feed.is_loading() {
            for reader in feed.readers.clone() {
                self.give_contents(reader, id, port, Arc::clone(&changes));
            }
        } else {
            self.pending_rows += changes.len();
            self.pending.push(self.fed(id, port, changes));
        }
    }

    /// Everything that was there when the source was opened has been given.
    fn loaded(&mut self, id: FeedId) {
        let Some(source) = self.source(id) else { return };
        if !std::mem::take(&mut source.loading) {
            return;
        }
        let readers = self.feeds.get(&id).map(|feed| feed.readers.clone()).unwrap_or_default();
        readers.into_iter().for_each(|reader| self.settle_taps(reader));
    }

    fn end(&mut self, id: FeedId) {
        self.unfinished.remove(&id);
        self.loaded(id);
        if let Some(source) = self.source(id) {
            source.reader = None;
        }
        if let Some(feed) = self.feeds.get_mut(&id) {
            feed.ended = true;
            if self.pending.iter().any(|fed| fed.feed == id) {
                self.ending.push(id);
            } else {
                self.end_feed(id);
            }
        }
    }

    /// A source has failed. What it gave stays.
    fn source_failed(&mut self, id: FeedId, message: String) {
        let Some(feed) = self.feeds.get_mut(&id) else { return };
        let message = format!("the source `{}` has failed: {message}", feed.name());
        tracing::warn!(message, "a source has failed");
        feed.failed = Some(message.clone());
        let readers = feed.readers.clone();
        self.unfinished.remove(&id);
        if let Some(source) = self.source(id) {
            source.reader = None;
        }
        self.loaded(id);
        for reader in readers {
            self.dataflow_failed(reader, &message);
        }
    }

    /// Tells a program, and those that read from it, what has failed.
    pub(super) fn dataflow_failed(&mut self, failed: DataflowId, message: &str) {
        let mut reached = vec![failed];
        let mut at = 0;
        while at < reached.len() {
            let Some(dataflow) = self.dataflows.get(&reached[at]) else {
                at += 1;
                continue;
            };
            if dataflow.wanted {
                dataflow.tell(OutputEvent::Failed { message: message.to_string() });
            }
            let more: Vec<_> = dataflow.importers.iter().copied().filter(|id| !reached.contains(id)).collect();
            reached.extend(more);
            at += 1;
        }
        self.waiters_failed(&reached, message);
    }

    fn again(&mut self, id: FeedId, dataflow: DataflowId, rows: Option<ChangeBatch>, errors: &ChangeBatch) {
        let Some(source) = self.source(id) else { return };
        if let Some(rows) = rows.filter(|rows| !rows.is_empty()) {
            match positional(rows, &source.schema) {
                Ok(rows) => self.give_contents(dataflow, id, Port::Rows, Arc::new(rows)),
                Err(message) => return self.dataflow_failed(dataflow, &message),
            }
        }
        self.give_contents(dataflow, id, Port::Errors, Arc::new(errors.clone()));
    }

    fn again_done(&mut self, id: FeedId, dataflow: DataflowId) {
        if let Some(source) = self.source(id) {
            source.again.retain(|repeater| repeater.dataflow != dataflow);
        }
        if let Some(found) = self.dataflows.get_mut(&dataflow) {
            found.taps.iter_mut().filter(|tap| tap.feed == id).for_each(|tap| tap.again = false);
        }
        self.settle_taps(dataflow);
    }
}
