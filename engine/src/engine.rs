//! The engine's public face: a thin handle that sends requests to the coordinator.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use crossbeam_channel::{Sender, bounded, unbounded};
use tidebook_plan::FlowPlan;
use tidebook_plan::connector::SourceConnector;

use crate::catch_up::{CatchUp, CatchUpHandle};
use crate::clock::WallClock;
use crate::command::Request;
use crate::coordinator;
use crate::output::{Program, ProgramId};
use crate::stats::EngineStats;

/// How an engine is set up.
pub struct EngineOptions {
    /// Worker threads, at least one.
    pub workers: usize,
    /// A folder for the logs of stored sources; made when needed.
    pub scratch: PathBuf,
    /// The connectors that sources are opened with, found by the name in their spec.
    pub sources: Vec<Arc<dyn SourceConnector>>,
    /// What epochs, and with them processing time, go by.
    pub clock: WallClock,
}

impl fmt::Debug for EngineOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.sources.iter().map(|source| source.spec().name).collect();
        f.debug_struct("EngineOptions")
            .field("workers", &self.workers)
            .field("scratch", &self.scratch)
            .field("sources", &names)
            .finish()
    }
}

/// Why the engine could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// A worker thread has panicked; the engine does nothing more.
    #[error("a worker thread has failed: {0}")]
    Worker(String),
    /// The engine was shut down.
    #[error("the engine has stopped")]
    Stopped,
    /// A plan names a connector that the engine does not have.
    #[error("there is no source connector called `{0}`")]
    UnknownConnector(String),
    /// A thread could not be started.
    #[error("cannot start the thread `{name}`: {source}")]
    Thread {
        /// Its name.
        name: String,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The plan breaks a promise that the language makes.
    #[error("the flow plan is not sound: {0}")]
    Plan(String),
    /// Timely dataflow could not be started.
    #[error("cannot start the workers: {0}")]
    Start(String),
}

/// A running engine. Dropping it stops all its threads.
#[derive(Debug)]
pub struct Engine {
    requests: Sender<Request>,
    coordinator: Option<JoinHandle<()>>,
}

impl Engine {
    /// Starts the worker threads and the coordinator.
    ///
    /// # Errors
    /// Where a thread cannot be started.
    pub fn start(options: EngineOptions) -> Result<Engine, EngineError> {
        let (requests, inbox) = unbounded();
        let coordinator = coordinator::start(options, inbox)?;
        Ok(Engine { requests, coordinator: Some(coordinator) })
    }

    /// Installs programs, all at one epoch. Sources that they need and that do not run yet are started.
    ///
    /// # Errors
    /// Where a plan names an unknown connector or is not sound (nothing is installed then), or the engine has failed.
    pub fn install(&self, plans: Vec<FlowPlan>) -> Result<Vec<Program>, EngineError> {
        self.replace(Vec::new(), plans)
    }

    /// Installs `plans` as [`Engine::install`] does and then drops the programs in `remove`, so that what old and new
    /// programs have in common is kept.
    ///
    /// # Errors
    /// As [`Engine::install`]; the old programs go on in that case.
    pub fn replace(&self, remove: Vec<ProgramId>, plans: Vec<FlowPlan>) -> Result<Vec<Program>, EngineError> {
        self.ask(|reply| Request::Replace { remove, plans, reply })?
    }

    /// Drops programs; returns when they are gone. What other programs read from is kept until they are gone, too.
    ///
    /// # Errors
    /// Where the engine has failed.
    pub fn drop_programs(&self, programs: &[ProgramId]) -> Result<(), EngineError> {
        self.ask(|reply| Request::Drop { programs: programs.to_vec(), reply })?
    }

    /// Begins to wait until `programs` have caught up.
    ///
    /// # Errors
    /// Where the engine has failed.
    pub fn catch_up(&self, programs: &[ProgramId], mode: CatchUp) -> Result<CatchUpHandle, EngineError> {
        let (sender, outcome) = bounded(1);
        let wanted = Arc::new(());
        let programs = programs.to_vec();
        let request = Request::CatchUp { programs, mode, outcome: sender, wanted: Arc::downgrade(&wanted) };
        self.requests.send(request).map_err(|_| EngineError::Stopped)?;
        Ok(CatchUpHandle { outcome, _wanted: wanted })
    }

    /// A picture of the engine at this moment.
    ///
    /// # Errors
    /// Where the engine has failed.
    pub fn stats(&self) -> Result<EngineStats, EngineError> {
        self.ask(|reply| Request::Stats { reply })?
    }

    /// Whether the engine still works.
    ///
    /// # Errors
    /// Where a worker has failed or the engine has stopped: then it does nothing more, and another has to be started.
    pub fn health(&self) -> Result<(), EngineError> {
        self.ask(|reply| Request::Health { reply })?
    }

    /// Stops everything and waits for all threads to end.
    pub fn shutdown(mut self) {
        self.stop();
    }

    fn ask<R>(&self, request: impl FnOnce(Sender<R>) -> Request) -> Result<R, EngineError> {
        let (reply, answer) = bounded(1);
        self.requests.send(request(reply)).map_err(|_| EngineError::Stopped)?;
        answer.recv().map_err(|_| EngineError::Stopped)
    }

    fn stop(&mut self) {
        // The coordinator may be gone already; then there is nothing left to stop.
        let _ = self.requests.send(Request::Shutdown);
        if let Some(coordinator) = self.coordinator.take() {
            if coordinator.join().is_err() {
                tracing::error!("the coordinator has panicked");
            }
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.stop();
    }
}
