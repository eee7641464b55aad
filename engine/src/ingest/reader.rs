//! The thread that reads a source.

use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, select, unbounded};
use tidebook_plan::connector::{OpenRequest, Source, SourceConnector, SourceEvent};

use super::stored::StoredLog;
use crate::command::{FeedEvent, FeedId, Report};
use crate::engine::EngineError;

/// How long a source may wait for input before it looks up: for a refresh, or since it is to stop.
const WAIT: Duration = Duration::from_millis(20);
/// First and longest pause before a transient error is tried again.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(5));

/// Steers a reader. Dropping it stops the reader.
pub(crate) struct ReaderHandle {
    refresh: Sender<u64>,
    /// Kept for being dropped.
    _stop: Sender<()>,
    /// Identity of its thread.
    pub token: u64,
}

impl ReaderHandle {
    /// Asks it to look at its input now and to answer with this number when it has given all that is there.
    pub fn refresh(&self, number: u64) {
        // A reader that has ended has given everything, which the coordinator knows.
        let _ = self.refresh.send(number);
    }
}

/// Starts threads of readers and knows which of them are alive.
pub(crate) struct Threads {
    alive: Vec<(u64, JoinHandle<()>)>,
    next: u64,
    events: Sender<(FeedId, FeedEvent)>,
    reports: Sender<Report>,
}

/// What a reader's thread speaks through.
pub(super) struct Line {
    feed: FeedId,
    events: Sender<(FeedId, FeedEvent)>,
    stop: Receiver<()>,
}

/// The reader is to stop.
pub(super) struct Stopped;

impl Line {
    /// Says something to the coordinator; waits while it has enough to do.
    pub fn say(&self, event: FeedEvent) -> Result<(), Stopped> {
        select! {
            send(self.events, (self.feed, event)) -> sent => sent.map_err(|_| Stopped),
            recv(self.stop) -> _ => Err(Stopped),
        }
    }

    /// True if the reader is to stop within this time.
    pub fn stops_within(&self, time: Duration) -> bool {
        !matches!(self.stop.recv_timeout(time), Err(RecvTimeoutError::Timeout))
    }
}

impl Threads {
    /// No threads yet.
    pub fn new(events: Sender<(FeedId, FeedEvent)>, reports: Sender<Report>) -> Self {
        Threads { alive: Vec::new(), next: 0, events, reports }
    }

    /// Starts a thread; gives the sender that stops it when dropped, and its identity.
    pub(super) fn start(
        &mut self,
        name: &str,
        feed: FeedId,
        work: impl FnOnce(Line) + Send + 'static,
    ) -> Result<(Sender<()>, u64), EngineError> {
        let token = self.next;
        self.next += 1;
        let (stop, stopped) = bounded(0);
        let line = Line { feed, events: self.events.clone(), stop: stopped };
        let reports = self.reports.clone();
        let name = format!("tidebook {name}");
        let thread = std::thread::Builder::new()
            .name(name.clone())
            .spawn(move || {
                work(line);
                // If the coordinator is gone, nobody counts threads.
                let _ = reports.send(Report::ReaderGone { token });
            })
            .map_err(|source| EngineError::Thread { name, source })?;
        self.alive.push((token, thread));
        Ok((stop, token))
    }

    /// A thread has said that it ends.
    pub fn ended(&mut self, token: u64) {
        if let Some(position) = self.alive.iter().position(|(alive, _)| *alive == token) {
            let (_, thread) = self.alive.swap_remove(position);
            if thread.join().is_err() {
                tracing::error!(token, "a reader has panicked");
            }
        }
    }

    /// True until a thread has said that it ends.
    pub fn is_alive(&self, token: u64) -> bool {
        self.alive.iter().any(|(alive, _)| *alive == token)
    }

    /// How many are alive.
    pub fn count(&self) -> usize {
        self.alive.len()
    }

    /// Waits for all threads, which were told to stop.
    pub fn join(&mut self) {
        for (token, thread) in self.alive.drain(..) {
            if thread.join().is_err() {
                tracing::error!(token, "a reader has panicked");
            }
        }
    }
}

/// Starts the first reader of a source.
///
/// # Errors
/// Where the thread cannot be started. That the source cannot be opened is said later, by the reader.
pub(crate) fn read(
    threads: &mut Threads,
    feed: FeedId,
    connector: std::sync::Arc<dyn SourceConnector>,
    request: OpenRequest,
    log: Option<StoredLog>,
) -> Result<ReaderHandle, EngineError> {
    let (refresh, refreshes) = unbounded();
    let name = request.spec.connector.clone();
    // A source without history holds nothing but what is due: one look at it gives that, though it may never be idle.
    let one_look = !connector.has_history(&request.spec.options);
    let (stop, token) = threads.start(&name, feed, move |line| {
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| match connector.open(request) {
            Ok(source) => follow(source, one_look, &line, &refreshes, log.as_ref()),
            Err(error) => line.say(FeedEvent::Failed { message: error.to_string() }),
        }));
        if outcome.is_err() {
            // Being told to stop makes no difference here.
            let _ = line.say(FeedEvent::Failed { message: "the connector has panicked".to_string() });
        }
    })?;
    Ok(ReaderHandle { refresh, _stop: stop, token })
}

fn follow(
    mut source: Box<dyn Source>,
    one_look: bool,
    line: &Line,
    refreshes: &Receiver<u64>,
    log: Option<&StoredLog>,
) -> Result<(), Stopped> {
    let mut refresh = None;
    let mut was_idle = false;
    let mut backoff = BACKOFF.0;
    loop {
        if line.stops_within(Duration::ZERO) {
            return Err(Stopped);
        }
        if let Some(number) = refreshes.try_iter().last() {
            source.refresh();
            refresh = Some(number);
        }
        let wait = if refresh.is_some() || !was_idle { Duration::ZERO } else { WAIT };
        match source.next(wait) {
            Ok(SourceEvent::Batch(batch)) => {
                if let Some(log) = log
                    && let Err(error) = log.append(&batch.rows, &batch.errors)
                {
                    return line.say(FeedEvent::Failed { message: error.to_string() });
                }
                line.say(FeedEvent::Batch(batch))?;
                if one_look && refresh.is_some() {
                    line.say(FeedEvent::Idle { refresh: refresh.take() })?;
                }
            }
            Ok(SourceEvent::Retract { segment, followed }) => line.say(FeedEvent::Retract { segment, followed })?,
            Ok(SourceEvent::Idle) => {
                if !was_idle || refresh.is_some() {
                    line.say(FeedEvent::Idle { refresh: refresh.take() })?;
                    was_idle = true;
                }
            }
            Ok(SourceEvent::End) => return line.say(FeedEvent::End),
            Err(error) if error.is_transient() => {
                tracing::warn!(%error, pause = ?backoff, "a source failed for the moment");
                if line.stops_within(backoff) {
                    return Err(Stopped);
                }
                backoff = (backoff * 2).min(BACKOFF.1);
                continue;
            }
            Err(error) => return line.say(FeedEvent::Failed { message: error.to_string() }),
        }
        backoff = BACKOFF.0;
    }
}
