//! The thread that owns the clock and knows what runs.
//!
//! It stamps what readers give with epochs, gives programs that come later the contents that went by before, and decides
//! what programs share. It never waits for a worker or a reader: it only takes less from readers while workers are busy.

mod catching;
mod dropping;
mod epochs;
mod events;
mod feeds;
mod installing;
mod nodes;
mod pool;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded, never, select, unbounded};
use tidebook_plan::connector::SourceConnector;
use tidebook_plan::flow::Fingerprint;

use crate::clock::Clock;
use crate::command::{DataflowId, Fed, FeedEvent, FeedId, Report, Request, WorkerCommand, WorkerStats};
use crate::engine::{EngineError, EngineOptions};
use crate::ingest::Threads;
use crate::output::{OutputEvent, ProgramId};
use crate::sharing::{Catalog, SharedPlan};
use crate::stats::{ArrangementStats, EngineStats, ProgramStats, SourceStats};
use catching::Waiter;
use dropping::Leaving;
use feeds::{Feed, Keep, Origin, Tap};
use pool::Pool;

/// Events of readers that wait for the coordinator before readers have to.
const READER_QUEUE: usize = 64;
/// Batches of contents that workers may have before them.
const MOST_IN_FLIGHT: usize = 16;
/// Epochs of sources that go on and on are at least so far apart: closing one has a price, however small it is. Work that
/// comes after a pause, or in plenty, does not wait.
const SPACING: Duration = Duration::from_millis(1);
const PLENTY: usize = 1 << 13;
/// How long the coordinator sleeps where nothing is to come.
const IDLE: Duration = Duration::from_secs(3_600);
/// Rows and batches that may wait for an epoch.
const MOST_PENDING: (usize, usize) = (1 << 17, 1 << 12);

/// A dataflow, and its program as long as that is wanted.
struct Dataflow {
    /// Its plan, and what of it is done elsewhere.
    shared: Arc<SharedPlan>,
    /// False once the program was dropped.
    wanted: bool,
    /// True once the workers were told to let it go.
    retired: bool,
    /// `None` once the program was dropped: who listens then hears that it is gone, though the dataflow may stay for the sake
    /// of those that read from it.
    events: Option<Sender<OutputEvent>>,
    install: u64,
    /// The first epoch that has not left it; `None` when everything has.
    frontier: Option<u64>,
    taps: Vec<Tap>,
    imports: HashSet<DataflowId>,
    importers: HashSet<DataflowId>,
    /// Rows of contents that it was fed, and when that was last said.
    loaded: u64,
    said: Instant,
    /// Workers that have let it go.
    gone: usize,
    /// An epoch closes at least so often for it, in microseconds, whether there is work or not.
    tick: Option<u64>,
}

impl Dataflow {
    fn tell(&self, event: OutputEvent) {
        if let Some(events) = &self.events {
            // A program whose receiver is gone does not want to know.
            let _ = events.send(event);
        }
    }

    fn is_loading(&self) -> bool {
        self.frontier.is_some_and(|frontier| frontier <= self.install)
    }
}

struct StatsRequest {
    reply: Sender<Result<EngineStats, EngineError>>,
    answers: Vec<WorkerStats>,
}

struct Coordinator {
    scratch: PathBuf,
    connectors: HashMap<String, Arc<dyn SourceConnector>>,
    clock: Clock,
    pool: Pool,
    threads: Threads,
    requests: Receiver<Request>,
    reports: Receiver<Report>,
    feed_events: Receiver<(FeedId, FeedEvent)>,
    /// In the order of their installation, which is that of dependence.
    dataflows: BTreeMap<DataflowId, Dataflow>,
    catalog: Catalog,
    feeds: HashMap<FeedId, Feed>,
    feed_of: HashMap<Fingerprint, FeedId>,
    next: u64,
    /// Changes that wait for the next epoch.
    pending: Vec<Fed>,
    pending_rows: usize,
    /// Feeds that have taken a segment back whose new rows belong to the same epoch.
    unfinished: HashSet<FeedId>,
    /// Feeds that end with the next epoch.
    ending: Vec<FeedId>,
    /// The epoch that has to leave all dataflows before the next one closes.
    outstanding: Option<u64>,
    /// When the last epoch was closed.
    closed: Instant,
    /// True while the next one waits only for some time to pass.
    spaced: bool,
    in_flight: usize,
    waiters: Vec<Waiter>,
    leaving: Vec<Leaving>,
    stats: Vec<StatsRequest>,
    failed: Option<String>,
}

/// Starts the workers and the coordinator's thread.
///
/// # Errors
/// Where a thread cannot be started.
pub(crate) fn start(options: EngineOptions, requests: Receiver<Request>) -> Result<JoinHandle<()>, EngineError> {
    let (report_sender, reports) = unbounded();
    let (event_sender, feed_events) = bounded(READER_QUEUE);
    let pool = Pool::start(options.workers.max(1), &report_sender)?;
    let connectors = options.sources.into_iter().map(|source| (source.spec().name.to_string(), source)).collect();
    let coordinator = Coordinator {
        scratch: options.scratch,
        connectors,
        clock: Clock::new(options.clock),
        pool,
        threads: Threads::new(event_sender, report_sender),
        requests,
        reports,
        feed_events,
        dataflows: BTreeMap::new(),
        catalog: Catalog::new(),
        feeds: HashMap::new(),
        feed_of: HashMap::new(),
        next: 1,
        pending: Vec::new(),
        pending_rows: 0,
        unfinished: HashSet::new(),
        ending: Vec::new(),
        outstanding: None,
        closed: Instant::now(),
        spaced: false,
        in_flight: 0,
        waiters: Vec::new(),
        leaving: Vec::new(),
        stats: Vec::new(),
        failed: None,
    };
    let name = "tidebook coordinator".to_string();
    std::thread::Builder::new()
        .name(name.clone())
        .spawn(move || coordinator.run())
        .map_err(|source| EngineError::Thread { name, source })
}

impl Coordinator {
    /// Works until it is told to shut down. A fault of its own ends what it does as a worker's fault does: from then on,
    /// whoever asks is told.
    fn run(mut self) {
        while let Err(panic) = catch_unwind(AssertUnwindSafe(|| self.work())) {
            let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
            let message = text.unwrap_or("it panicked without a message").to_string();
            tracing::error!(message, "the coordinator has panicked");
            self.fail(message);
        }
        self.feeds.clear();
        self.pool.shutdown();
        self.threads.join();
    }

    fn work(&mut self) {
        let (requests, reports, feed_events) = (self.requests.clone(), self.reports.clone(), self.feed_events.clone());
        let nothing = never();
        loop {
            let readers = if self.accepts() { &feed_events } else { &nothing };
            select! {
                recv(requests) -> request => match request {
                    Ok(Request::Shutdown) | Err(_) => break,
                    Ok(request) => self.request(request),
                },
                recv(reports) -> report => report.into_iter().for_each(|report| self.report(report)),
                recv(readers) -> event => event.into_iter().for_each(|(feed, event)| self.event(feed, event)),
                default(self.rest()) => {}
            }
            // Everything that waits goes into one epoch.
            while let Ok(report) = reports.try_recv() {
                self.report(report);
            }
            while self.accepts() {
                let Ok((feed, event)) = feed_events.try_recv() else { break };
                self.event(feed, event);
            }
            if self.failed.is_none() {
                self.close_epoch();
                self.look_at_waiters();
                self.look_at_leaving();
            }
        }
    }

    /// How long there is nothing to do if nobody says anything.
    fn rest(&self) -> Duration {
        if self.spaced {
            return SPACING.saturating_sub(self.closed.elapsed());
        }
        let ticking =
            self.tick().map(|tick| Duration::from_micros(tick.saturating_sub(self.clock.since_last()).max(1_000)));
        ticking.unwrap_or(IDLE).min(IDLE)
    }

    /// True if readers may give more.
    fn accepts(&self) -> bool {
        self.in_flight < MOST_IN_FLIGHT && self.pending_rows < MOST_PENDING.0 && self.pending.len() < MOST_PENDING.1
    }

    fn request(&mut self, request: Request) {
        let failed = self.failed.clone().map(EngineError::Worker);
        match request {
            // Whoever asked may have gone away: then nobody wants the reply.
            Request::Replace { remove, plans, reply } => {
                let result = match failed {
                    Some(error) => Err(error),
                    None => self.install(plans),
                };
                if result.is_ok() {
                    self.drop_programs(&remove);
                }
                let _ = reply.send(result);
            }
            Request::Drop { programs, reply } => match failed {
                Some(error) => drop(reply.send(Err(error))),
                None => {
                    let leaving = self.drop_programs(&programs);
                    self.leaving.push(Leaving { reply, ..leaving });
                }
            },
            Request::CatchUp { programs, mode, outcome, wanted } => self.wait_for(&programs, mode, outcome, wanted),
            Request::Stats { reply } => match failed {
                Some(error) => drop(reply.send(Err(error))),
                None => {
                    self.stats.push(StatsRequest { reply, answers: Vec::new() });
                    self.pool.all(&WorkerCommand::Stats);
                }
            },
            Request::Health { reply } => drop(reply.send(failed.map_or(Ok(()), Err))),
            Request::Shutdown => {}
        }
    }

    fn report(&mut self, report: Report) {
        match report {
            Report::Ready { worker, thread } => self.pool.ready(worker, thread),
            Report::Frontier { dataflow, frontier } => {
                if let Some(dataflow) = self.dataflows.get_mut(&dataflow) {
                    dataflow.frontier = frontier;
                }
            }
            Report::Consumed { batches } => self.in_flight = self.in_flight.saturating_sub(batches),
            Report::Gone { dataflow } => {
                let workers = self.pool.count();
                if let Some(found) = self.dataflows.get_mut(&dataflow) {
                    found.gone += 1;
                    if found.gone == workers {
                        self.dataflows.remove(&dataflow);
                    }
                }
            }
            Report::Stats { stats } => self.answer_stats(stats),
            Report::Panicked { message } => self.fail(message),
            Report::ReaderGone { token } => self.threads.ended(token),
        }
    }

    /// A worker has failed: nothing goes on.
    fn fail(&mut self, message: String) {
        if self.failed.is_some() {
            return;
        }
        let said = EngineError::Worker(message.clone()).to_string();
        for dataflow in self.dataflows.values().filter(|dataflow| dataflow.wanted) {
            dataflow.tell(OutputEvent::Failed { message: said.clone() });
        }
        self.waiters.drain(..).for_each(|waiter| waiter.fail(&said));
        self.leaving.drain(..).for_each(|leaving| drop(leaving.reply.send(Err(EngineError::Worker(message.clone())))));
        self.stats.drain(..).for_each(|stats| drop(stats.reply.send(Err(EngineError::Worker(message.clone())))));
        self.feeds.values_mut().for_each(|feed| {
            if let Origin::Source(source) = &mut feed.origin {
                source.reader = None;
                source.again.clear();
            }
        });
        self.failed = Some(message);
    }

    fn answer_stats(&mut self, stats: WorkerStats) {
        // Every worker answers in the order of the requests.
        let workers = self.pool.count();
        let Some(request) = self.stats.iter_mut().find(|request| request.answers.len() < workers) else { return };
        request.answers.push(stats);
        if request.answers.len() < workers {
            return;
        }
        let request = self.stats.remove(0);
        let _ = request.reply.send(Ok(self.picture(&request.answers)));
    }

    fn picture(&self, answers: &[WorkerStats]) -> EngineStats {
        let operators: HashMap<DataflowId, usize> =
            answers.first().map(|stats| stats.operators.iter().copied().collect()).unwrap_or_default();
        let mut arrangements: BTreeMap<String, ArrangementStats> = BTreeMap::new();
        let mut bytes_of: HashMap<DataflowId, u64> = HashMap::new();
        for (key, rows, bytes) in answers.iter().flat_map(|stats| &stats.arrangements) {
            let owner = self.catalog.get(key);
            if let Some(owner) = owner {
                *bytes_of.entry(*owner).or_default() += bytes;
            }
            let users = owner.and_then(|owner| self.dataflows.get(owner));
            let users = users.map_or(0, |owner| owner.importers.len() + 1);
            let name = key.name();
            let entry = arrangements.entry(name.clone()).or_insert(ArrangementStats { name, rows: 0, bytes: 0, users });
            entry.rows += rows;
            entry.bytes += bytes;
        }
        let source = |feed: &Feed| match &feed.origin {
            Origin::Constant(_) => None,
            Origin::Source(source) => Some(SourceStats {
                connector: feed.name().to_string(),
                rows: source.rows,
                errors: source.errors,
                ended: feed.ended,
                failed: feed.failed.clone(),
                held_bytes: if let Keep::Held(held) = &source.keep { held.bytes() } else { 0 },
                stored_bytes: if let Keep::Stored(log) = &source.keep { log.bytes() } else { 0 },
                readers: feed.readers.len(),
            }),
        };
        let programs =
            self.dataflows.iter().filter(|(_, dataflow)| dataflow.wanted).map(|(id, dataflow)| ProgramStats {
                id: ProgramId(*id),
                frontier: dataflow.frontier,
                loading: dataflow.is_loading(),
                operators: operators.get(id).copied().unwrap_or(0),
                bytes: bytes_of.get(id).copied().unwrap_or(0),
                nodes: nodes::picture(*id, &dataflow.shared, answers),
            });
        EngineStats {
            epoch: self.clock.last(),
            workers: self.pool.count(),
            programs: programs.collect(),
            arrangements: arrangements.into_values().collect(),
            sources: self.feeds.values().filter_map(source).collect(),
            dataflows: answers.iter().map(|stats| stats.dataflows).max().unwrap_or(0),
            operators: operators.values().sum(),
            threads: self.threads.count() + self.pool.count() + 1,
        }
    }
}
