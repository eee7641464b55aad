//! The worker threads, seen from the coordinator.

use std::thread::Thread;

use crossbeam_channel::{Receiver, Sender, unbounded};
use parking_lot::Mutex;
use timely::communication::WorkerGuards;
use timely::{CommunicationConfig, Config, WorkerConfig};

use crate::command::{Report, WorkerCommand};
use crate::engine::EngineError;
use crate::worker;

/// Sends commands to all workers in one order.
pub(super) struct Pool {
    commands: Vec<Sender<WorkerCommand>>,
    threads: Vec<Option<Thread>>,
    guards: Option<WorkerGuards<()>>,
    /// The worker that gets the next batch.
    turn: usize,
}

impl Pool {
    /// Starts so many workers, which report on the channel.
    ///
    /// # Errors
    /// Where a thread cannot be started.
    pub fn start(workers: usize, reports: &Sender<Report>) -> Result<Pool, EngineError> {
        let (commands, inboxes): (Vec<_>, Vec<_>) = (0..workers).map(|_| unbounded()).unzip();
        let inboxes: Mutex<Vec<Option<Receiver<WorkerCommand>>>> = Mutex::new(inboxes.into_iter().map(Some).collect());
        let communication =
            if workers == 1 { CommunicationConfig::Thread } else { CommunicationConfig::Process(workers) };
        let config = Config { communication, worker: WorkerConfig::default() };
        let reports = Mutex::new(reports.clone());
        let guards = timely::execute(config, move |timely_worker| {
            let inbox = inboxes.lock().get_mut(timely_worker.index()).and_then(Option::take);
            let reports = reports.lock().clone();
            if let Some(inbox) = inbox {
                worker::run(timely_worker, inbox, reports);
            }
        })
        .map_err(EngineError::Start)?;
        Ok(Pool { commands, threads: vec![None; workers], guards: Some(guards), turn: 0 })
    }

    /// A worker is up and can be woken.
    pub fn ready(&mut self, worker: usize, thread: Thread) {
        // It may have parked on an empty inbox before its thread was known.
        thread.unpark();
        self.threads[worker] = Some(thread);
    }

    /// Number of workers.
    pub fn count(&self) -> usize {
        self.commands.len()
    }

    /// Tells every worker.
    pub fn all(&self, command: &WorkerCommand) {
        for worker in 0..self.count() {
            self.one(worker, command.clone());
        }
    }

    /// Tells one worker.
    pub fn one(&self, worker: usize, command: WorkerCommand) {
        // A worker that is gone has reported why.
        let _ = self.commands[worker].send(command);
        if let Some(thread) = &self.threads[worker] {
            thread.unpark();
        }
    }

    /// The worker whose turn it is to get rows.
    pub fn next_worker(&mut self) -> usize {
        self.turn = (self.turn + 1) % self.count();
        self.turn
    }

    /// Stops the workers and waits for them.
    pub fn shutdown(&mut self) {
        self.all(&WorkerCommand::Shutdown);
        if let Some(guards) = self.guards.take() {
            for outcome in guards.join() {
                if let Err(message) = outcome {
                    tracing::error!(message, "a worker thread ended badly");
                }
            }
        }
    }
}
