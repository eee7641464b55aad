//! Writing a table to a sink: whole closed epochs, in order.
//!
//! A commit that the operating system refuses (the disk is full, the folder is gone) leaves the target as it was, and the sink
//! keeps what it was handed. So it is tried again, less and less often, with all that has come meanwhile; only what trying
//! again cannot mend ends the writing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow_schema::ArrowError;
use parking_lot::Mutex;
use tidebook_engine::OutputEvent;
use tidebook_plan::connector::{ConnectorError, Sink};
use tidebook_plan::{ChangeBatch, Schema};

use crate::codec::RowCodec;
use crate::follow::{Consumer, SETTLE_INTERVAL};
use crate::view::{Page, PageRequest, PageSource, Standing, Verdict, View};

/// Between a commit that was refused and the next try; twice as long each time, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What is known of a sink from outside.
pub(crate) struct Written {
    target: String,
    state: Mutex<WrittenState>,
}

#[derive(Default)]
struct WrittenState {
    changes: u64,
    epoch: u64,
    failure: Option<String>,
    /// Why the last commit was refused, if it was.
    trouble: Option<String>,
    /// Changes that wait to be written, and about how many bytes they take.
    waiting: (u64, u64),
    view: Option<Arc<View>>,
}

impl Written {
    /// A sink that has not written yet; `target` is what people call it.
    pub(crate) fn new(target: String) -> Arc<Self> {
        Arc::new(Written { target, state: Mutex::new(WrittenState::default()) })
    }

    /// Lets `view` be told when something was written.
    pub(crate) fn attach(&self, view: Arc<View>) {
        self.state.lock().view = Some(view);
    }

    /// Why nothing more is written, if so.
    pub(crate) fn failure(&self) -> Option<String> {
        self.state.lock().failure.clone()
    }

    /// Why what was handed to the sink is not in the target, if so: it has failed, or is tried again.
    pub(crate) fn held_up(&self) -> Option<String> {
        let state = self.state.lock();
        state.failure.clone().or_else(|| state.trouble.clone())
    }

    /// Bytes that wait to be written, about.
    pub(crate) fn bytes(&self) -> u64 {
        self.state.lock().waiting.1
    }

    /// Says that nothing more is written, and why. The first reason stays.
    pub(crate) fn fail(&self, message: String) {
        tracing::error!(target_of_sink = self.target, message, "a sink has failed");
        self.update(|state| {
            state.failure.get_or_insert(message);
        });
    }

    fn update(&self, change: impl FnOnce(&mut WrittenState)) {
        let mut state = self.state.lock();
        change(&mut state);
        let view = state.view.clone();
        drop(state);
        if let Some(view) = view {
            view.touch();
        }
    }
}

/// What can go wrong between a program and its target.
#[derive(Debug, thiserror::Error)]
enum WriteError {
    #[error(transparent)]
    Connector(#[from] ConnectorError),
    #[error("rows cannot be read: {0}")]
    Arrow(#[from] ArrowError),
}

/// Feeds a sink.
pub(crate) struct SinkConsumer {
    sink: Box<dyn Sink>,
    written: Arc<Written>,
    codec: RowCodec,
    /// Changes of epochs that are not closed, summed by row: what cancels within an epoch is never written.
    pending: BTreeMap<u64, BTreeMap<Box<[u8]>, i64>>,
    /// The last epoch that was handed to the sink and is not committed.
    uncommitted: Option<u64>,
    handed: u64,
    /// Bytes of what was handed and is not committed, about.
    handed_bytes: u64,
    committed_at: Option<Instant>,
    /// After a commit that was refused: when it is tried again, and how long the pause before was.
    again: Option<(Instant, Duration)>,
}

impl SinkConsumer {
    /// A consumer that writes rows of `schema` to `sink`.
    ///
    /// # Errors
    /// Where a column's type cannot be compared.
    pub(crate) fn new(sink: Box<dyn Sink>, schema: &Schema, written: Arc<Written>) -> Result<Self, ArrowError> {
        Ok(SinkConsumer {
            sink,
            written,
            codec: RowCodec::new(schema, &[])?,
            pending: BTreeMap::new(),
            uncommitted: None,
            handed: 0,
            handed_bytes: 0,
            committed_at: None,
            again: None,
        })
    }

    fn stage(&mut self, epoch: u64, changes: &ChangeBatch) -> Result<(), WriteError> {
        let rows = self.pending.entry(epoch).or_default();
        for (row, bytes) in self.codec.encode(&changes.rows)?.into_iter().enumerate() {
            *rows.entry(bytes).or_default() += changes.diff(row);
        }
        Ok(())
    }

    fn close(&mut self, closed: u64) -> Result<(), WriteError> {
        let later = self.pending.split_off(&(closed + 1));
        // The first closed epoch is committed even without rows: the target of an empty table exists and is empty.
        let mut anything = self.committed_at.is_none();
        for (epoch, mut rows) in std::mem::replace(&mut self.pending, later) {
            rows.retain(|_, difference| *difference != 0);
            // What leaves goes before what comes, so that a row with the same key replaces.
            for negative in [true, false] {
                let part = || rows.iter().filter(|(_, difference)| (**difference < 0) == negative);
                let differences: Vec<i64> = part().map(|(_, difference)| *difference).collect();
                if !differences.is_empty() {
                    let batch = self.codec.decode(part().map(|(bytes, _)| &**bytes))?;
                    self.sink.write(epoch, &ChangeBatch::new(batch, differences))?;
                }
            }
            self.handed += rows.len() as u64;
            self.handed_bytes += rows.keys().map(|row| row.len() as u64).sum::<u64>();
            anything |= !rows.is_empty();
        }
        if anything || self.uncommitted.is_some() {
            self.uncommitted = Some(closed);
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<(), WriteError> {
        let Some(epoch) = self.uncommitted else { return Ok(()) };
        self.sink.commit(epoch)?;
        self.uncommitted = None;
        self.again = None;
        self.handed_bytes = 0;
        self.committed_at = Some(Instant::now());
        let handed = self.handed;
        self.written.update(|state| {
            state.changes = handed;
            state.epoch = epoch;
            state.trouble = None;
            state.waiting = (0, 0);
        });
        Ok(())
    }

    /// Notes that a commit was refused, and gives when it is tried again.
    fn refused(&mut self, why: String) -> Instant {
        let pause = self.again.map_or(FIRST_PAUSE, |(_, pause)| (pause * 2).min(LONGEST_PAUSE));
        if self.again.is_none() {
            tracing::warn!(target_of_sink = self.written.target, why, "a commit was refused and is tried again");
        }
        let at = Instant::now() + pause;
        self.again = Some((at, pause));
        let (handed, bytes) = (self.handed, self.handed_bytes);
        self.written.update(|state| {
            state.trouble = Some(why);
            state.waiting = (handed - state.changes, bytes);
        });
        at
    }
}

impl Consumer for SinkConsumer {
    fn consume(&mut self, event: OutputEvent) {
        if self.written.failure().is_some() {
            return;
        }
        let result = match event {
            OutputEvent::Changes { port: 0, epoch, changes } => self.stage(epoch, &changes),
            OutputEvent::Closed { epoch } => self.close(epoch),
            OutputEvent::Failed { message } => {
                self.written.fail(message);
                Ok(())
            }
            OutputEvent::Changes { .. } | OutputEvent::Loading { .. } | OutputEvent::Ended => Ok(()),
        };
        if let Err(error) = result {
            self.written.fail(error.to_string());
        }
    }

    fn settle(&mut self, flush: bool) -> Option<Instant> {
        if self.uncommitted.is_none() || self.written.failure().is_some() {
            return None;
        }
        let next = self.committed_at.map(|at| at + SETTLE_INTERVAL);
        let due = self.again.map(|(at, _)| at).or(next).filter(|due| *due > Instant::now());
        if let (Some(due), false) = (due, flush) {
            return Some(due);
        }
        match self.commit() {
            Ok(()) => None,
            Err(WriteError::Connector(error @ ConnectorError::Io { .. })) => Some(self.refused(error.to_string())),
            Err(error) => {
                self.written.fail(error.to_string());
                None
            }
        }
    }
}

/// Gives the state of a sink.
pub(crate) struct WrittenPages(pub(crate) Arc<Written>);

impl PageSource for WrittenPages {
    fn page(&self, _request: &PageRequest) -> Page {
        let state = self.0.state.lock();
        let target = &self.0.target;
        let changes = |count: u64| if count == 1 { "1 change".to_string() } else { format!("{count} changes") };
        let text = match (&state.failure, &state.trouble) {
            (Some(failure), _) => format!("writing to {target} has stopped: {failure}"),
            (None, Some(trouble)) => {
                format!("{} not yet written to {target}, tried again: {trouble}", changes(state.waiting.0))
            }
            (None, None) => format!("{} written to {target}", changes(state.changes)),
        };
        Page {
            epoch: state.epoch,
            loading: state.epoch == 0 && state.failure.is_none() && state.trouble.is_none(),
            failure: state.failure.clone(),
            verdict: Some(Verdict {
                standing: if state.failure.is_none() && state.trouble.is_none() {
                    Standing::Good
                } else {
                    Standing::Bad
                },
                text,
            }),
            ..Page::default()
        }
    }

    fn json(&self, name: &str, _limit: Option<usize>) -> String {
        let state = self.0.state.lock();
        let failure = state.failure.as_ref().or(state.trouble.as_ref());
        serde_json::json!({"sink": name, "changes": state.changes, "failure": failure}).to_string()
    }
}
