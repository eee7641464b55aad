//! A worker thread: builds the dataflows that the coordinator asks for, feeds them, and says how far they are.
//!
//! *Invariant:* nothing here depends on how far this worker has come, except what is reported: all workers obey the same
//! commands in the same order, and so build the same dataflows with the same channels.

mod ledger;
mod running;

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};
use hashbrown::HashMap;
use timely::worker::Worker as TimelyWorker;

use crate::command::{DataflowId, Report, WorkerCommand, WorkerStats};
use crate::render::Registry;
use ledger::Ledger;
use running::Running;

/// How long a retired dataflow may take to drain before it is cut off.
const PATIENCE: Duration = Duration::from_secs(2);
/// Epochs that are remembered in order to name those that a dataflow has passed. One that is further behind names the
/// next of these that it passes.
const REMEMBERED: usize = 4_096;
/// Batches of contents taken in before the dataflows work on them.
const BATCHES: usize = 4;

/// Runs until it is told to shut down; what it panics with is reported.
pub(crate) fn run(worker: &mut TimelyWorker, commands: Receiver<WorkerCommand>, reports: Sender<Report>) {
    // If the coordinator is gone, there is nobody to tell.
    let _ = reports.send(Report::Ready { worker: worker.index(), thread: std::thread::current() });
    let mut state = State {
        commands,
        reports: reports.clone(),
        dataflows: HashMap::new(),
        retiring: Vec::new(),
        registry: Registry::default(),
        ledger: Ledger::listen(worker),
        issued: VecDeque::new(),
    };
    let outcome = catch_unwind(AssertUnwindSafe(|| state.work(worker)));
    if let Err(panic) = outcome {
        let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        let message = text.unwrap_or("it panicked without a message").to_string();
        tracing::error!(worker = worker.index(), message, "a worker has panicked");
        let _ = reports.send(Report::Panicked { message });
    }
    // Timely goes on until every dataflow is gone.
    let cleared = catch_unwind(AssertUnwindSafe(|| {
        drop(state);
        for dataflow in worker.installed_dataflows() {
            worker.drop_dataflow(dataflow);
        }
    }));
    if cleared.is_err() {
        tracing::error!(worker = worker.index(), "a worker could not clear its dataflows");
    }
}

/// A dataflow that is being drained.
struct Retiring {
    dataflow: DataflowId,
    index: usize,
    deadline: Instant,
}

struct State {
    commands: Receiver<WorkerCommand>,
    reports: Sender<Report>,
    dataflows: HashMap<DataflowId, Running>,
    retiring: Vec<Retiring>,
    registry: Registry,
    ledger: Ledger,
    /// The epochs that were completed by commands of late.
    issued: VecDeque<u64>,
}

impl State {
    fn work(&mut self, worker: &mut TimelyWorker) {
        loop {
            let mut batches = 0;
            let mut idle = true;
            while batches < BATCHES {
                let Ok(command) = self.commands.try_recv() else { break };
                idle = false;
                match command {
                    WorkerCommand::Shutdown => return,
                    WorkerCommand::Epoch { .. } => {
                        self.obey(worker, command);
                        break;
                    }
                    WorkerCommand::Contents { .. } => {
                        batches += 1;
                        self.obey(worker, command);
                    }
                    command => self.obey(worker, command),
                }
            }
            // With retiring dataflows it wakes up to see whether their time is over; else only for work.
            let park = match (idle, self.retiring.is_empty()) {
                (false, _) => Some(Duration::ZERO),
                (true, false) => Some(Duration::from_millis(20)),
                (true, true) => None,
            };
            worker.step_or_park(park);
            if batches > 0 {
                self.report(Report::Consumed { batches });
            }
            self.look_at_probes(worker.index());
            self.look_at_retiring(worker);
        }
    }

    fn obey(&mut self, worker: &mut TimelyWorker, command: WorkerCommand) {
        match command {
            WorkerCommand::Install(installation) => {
                let running = Running::build(worker, &installation, &mut self.registry);
                self.dataflows.insert(installation.dataflow, running);
            }
            WorkerCommand::Epoch { epoch, fed } => {
                if self.issued.len() == REMEMBERED {
                    self.issued.pop_front();
                }
                self.issued.push_back(epoch);
                for fed in &fed {
                    for (dataflow, running) in &self.dataflows {
                        if *dataflow < fed.before {
                            running.give(fed, epoch);
                        }
                    }
                }
                self.dataflows.values().for_each(|running| running.advance(epoch + 1));
                self.registry.compact(epoch + 1);
            }
            WorkerCommand::Contents { dataflow, fed } => {
                if let Some(running) = self.dataflows.get(&dataflow) {
                    running.give_contents(&fed);
                }
            }
            WorkerCommand::ContentsDone { dataflow, feed } => {
                if let Some(running) = self.dataflows.get(&dataflow) {
                    running.contents_done(feed);
                }
            }
            WorkerCommand::FeedEnded { feed } => {
                self.dataflows.values().for_each(|running| running.end(feed));
            }
            WorkerCommand::Detach { dataflow } => {
                if let Some(running) = self.dataflows.get(&dataflow) {
                    running.rendered.output.close();
                }
            }
            WorkerCommand::Retire { dataflow } => {
                if let Some(running) = self.dataflows.remove(&dataflow) {
                    let index = running.retire(&mut self.registry, &self.ledger);
                    self.retiring.push(Retiring { dataflow, index, deadline: Instant::now() + PATIENCE });
                }
            }
            WorkerCommand::Stats => {
                let operators = self.dataflows.iter().map(|(id, running)| (*id, running.rendered.operators)).collect();
                let stats = WorkerStats {
                    dataflows: worker.installed_dataflows().len(),
                    operators,
                    nodes: self.dataflows.iter().map(|(id, running)| (*id, running.work(&self.ledger))).collect(),
                    arrangements: self.registry.sizes(),
                };
                self.report(Report::Stats { stats });
            }
            WorkerCommand::Shutdown => {}
        }
    }

    /// A probe's frontier is that of all workers, so one of them speaks for all: what an epoch holds was sent before by
    /// every worker, since its frontier has passed.
    fn look_at_probes(&mut self, index: usize) {
        if index != 0 {
            return;
        }
        for (dataflow, running) in &mut self.dataflows {
            if let Some(frontier) = running.progress(&self.issued) {
                let _ = self.reports.send(Report::Frontier { dataflow: *dataflow, frontier });
            }
        }
    }

    fn look_at_retiring(&mut self, worker: &mut TimelyWorker) {
        if self.retiring.is_empty() {
            return;
        }
        let installed = worker.installed_dataflows();
        let now = Instant::now();
        for retiring in std::mem::take(&mut self.retiring) {
            if !installed.contains(&retiring.index) {
                self.report(Report::Gone { dataflow: retiring.dataflow });
            } else if retiring.deadline <= now {
                tracing::debug!(dataflow = retiring.dataflow, "a dataflow did not drain and is cut off");
                worker.drop_dataflow(retiring.index);
                self.report(Report::Gone { dataflow: retiring.dataflow });
            } else {
                self.retiring.push(retiring);
            }
        }
    }

    fn report(&self, report: Report) {
        // If the coordinator is gone, a shutdown follows.
        let _ = self.reports.send(report);
    }
}
