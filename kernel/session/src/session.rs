//! A session: the definitions of a notebook, and the outputs that run.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use parking_lot::Mutex;
use tidebook_dsl::Catalog;
use tidebook_engine::{CatchUp, Caught, Engine, EngineError, EngineOptions, EngineStats, ProgramId, WallClock};
use tidebook_plan::span::line_column;
use tidebook_plan::{Diagnostic, Drawing, Ink, Span};

use crate::environment::World;
use crate::gauge::Gauges;
use crate::history::Histories;
use crate::memory::{self, Memory};
use crate::output::{CellFailure, CellOutput, CellRequest, FailureKind};
use crate::recovery::Wear;
use crate::running::{OutputProgram, Running, StartError};
use crate::view::{Closed, View};

/// How a session is set up.
#[derive(Clone, Debug)]
pub struct SessionOptions {
    /// Worker threads, unless the notebook says `set workers`.
    pub workers: usize,
    /// The folder that relative paths start from.
    pub base: PathBuf,
    /// Overrides of `param`s: name and text.
    pub parameters: Vec<(String, String)>,
}

/// Why a session could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The engine refused.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The operating system refused.
    #[error("cannot make a folder for the session: {0}")]
    Scratch(#[from] std::io::Error),
    /// The operating system refused.
    #[error("cannot start a thread: {0}")]
    Thread(#[source] std::io::Error),
}

/// How long a cell's reply waits for its outputs before it leaves them loading.
const REPLY_PATIENCE: Duration = Duration::from_secs(10);

/// The definitions of a notebook, and the outputs that run. One cell runs at a time; questions are answered meanwhile.
pub struct Session {
    pub(crate) world: World,
    pub(crate) catalog: Mutex<Arc<Catalog>>,
    pub(crate) inner: Arc<Mutex<Inner>>,
    interrupt: Sender<()>,
    pub(crate) interrupted: Receiver<()>,
}

/// What only the thread that runs a cell touches.
pub(crate) struct Inner {
    /// Itself, for who watches the memory.
    own: Weak<Mutex<Inner>>,
    pub(crate) memory: Memory,
    workers: usize,
    scratch: tempfile::TempDir,
    pub(crate) engine: Option<Engine>,
    /// Running outputs by number, in the order in which they were started.
    pub(crate) running: BTreeMap<OutputId, Running>,
    pub(crate) histories: Histories,
    pub(crate) gauges: Gauges,
    next_number: u64,
    /// How the engine has fared.
    pub(crate) wear: Wear,
}

/// How a wait for outputs ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Waited {
    /// They hold all that their inputs held.
    Done,
    /// A source or a worker failed.
    Failed(String),
    /// The deadline passed.
    TimedOut,
    /// The user interrupted.
    Interrupted,
}

impl Session {
    /// A session without definitions. Threads start with the first output.
    ///
    /// # Errors
    /// Where no temporary folder can be made.
    pub fn start(options: SessionOptions) -> Result<Session, SessionError> {
        let (interrupt, interrupted) = bounded(1);
        let scratch = tempfile::Builder::new().prefix("tidebook-").tempdir()?;
        Ok(Session {
            world: World::new(options.base, options.parameters),
            catalog: Mutex::new(Arc::new(Catalog::default())),
            inner: Arc::new_cyclic(|own| {
                Mutex::new(Inner {
                    own: Weak::clone(own),
                    memory: Memory::new(),
                    workers: options.workers.max(1),
                    scratch,
                    engine: None,
                    running: BTreeMap::new(),
                    histories: Histories::default(),
                    gauges: Gauges::default(),
                    next_number: 1,
                    wear: Wear::default(),
                })
            }),
            interrupt,
            interrupted,
        })
    }

    /// Runs a cell: defines, installs, waits until its outputs have caught up with what their inputs hold now (at most
    /// ten seconds, then they are left loading), and says what came of it.
    ///
    /// # Errors
    /// Where the text is wrong, an expectation does not hold, a source or sink fails, or the user interrupts. Good
    /// statements of a cell have their effect even if others of it fail.
    pub fn run(&self, request: &CellRequest, output: &dyn CellOutput) -> Result<(), CellFailure> {
        let mut inner = self.inner.lock();
        crate::cell::run(self, &mut inner, request, output, Instant::now() + REPLY_PATIENCE)
    }

    /// Forgets an interrupt that came while nothing ran: it is not meant for the next cell. To be called before anybody can
    /// know that the next cell has begun, so that an interrupt which is meant for that one is not forgotten.
    pub fn ready(&self) {
        let _ = self.interrupted.try_recv();
    }

    /// Makes the running cell end with [`FailureKind::Interrupted`]; where none runs, the next one, unless
    /// [`Session::ready`] is called before it.
    pub fn interrupt(&self) {
        // A full channel holds an interrupt already.
        let _ = self.interrupt.try_send(());
    }

    /// The definitions as they stand.
    pub fn catalog(&self) -> Arc<Catalog> {
        Arc::clone(&self.catalog.lock())
    }

    /// What the engine says about itself; `None` before the first output.
    ///
    /// # Errors
    /// Where the engine has failed.
    pub fn stats(&self) -> Result<Option<EngineStats>, SessionError> {
        match &self.inner.lock().engine {
            Some(engine) => Ok(Some(engine.stats()?)),
            None => Ok(None),
        }
    }

    /// Stops all outputs and threads. Views stay as they are.
    pub fn shutdown(&self) {
        self.interrupt();
        let mut inner = self.inner.lock();
        let all: Vec<OutputId> = inner.running.keys().copied().collect();
        inner.stop(&all);
        inner.gauges.end();
        if let Some(engine) = inner.engine.take() {
            engine.shutdown();
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.shutdown();
    }
}

/// Number of a running output; never used twice.
pub(crate) type OutputId = u64;

/// An output that is to be started.
pub(crate) struct Wanted {
    /// What.
    pub(crate) output: OutputProgram,
    /// The statement in its cell.
    pub(crate) place: Span,
    /// The running output whose view it takes over.
    pub(crate) replaces: Option<OutputId>,
}

impl Inner {
    /// The engine, started at the first call.
    fn engine(&mut self, world: &World, workers: Option<usize>) -> Result<&Engine, SessionError> {
        if self.engine.is_none() {
            let workers = workers.unwrap_or(self.workers);
            self.workers = workers;
            // A folder of its own, since a failed engine may still be clearing up.
            let folder = format!("engine-{}", self.number());
            let scratch = self.scratch.path().join(folder);
            self.engine = Some(Engine::start(EngineOptions {
                workers,
                scratch,
                sources: world.sources(),
                clock: WallClock::default(),
            })?);
            self.memory.watch(Weak::clone(&self.own)).map_err(SessionError::Thread)?;
        }
        self.engine.as_ref().ok_or(SessionError::Engine(EngineError::Stopped))
    }

    /// Shows the figures of what runs, for a cell.
    ///
    /// # Errors
    /// Where the engine has failed, or the operating system gives no thread, with why.
    pub(crate) fn show_stats(&mut self, cell: &str) -> Result<Arc<View>, String> {
        let lines = self.figures()?;
        let (id, own) = (self.number(), Weak::clone(&self.own));
        self.gauges.show(cell, id, lines, own).map_err(|error| SessionError::Thread(error).to_string())
    }

    /// A number for a new output or view.
    pub(crate) fn number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number - 1
    }

    /// Installs all of `wanted` at one epoch, with what definitions of `catalog` keep, then stops `remove` and what was
    /// replaced. Gives the number of each started output, or why it could not start.
    ///
    /// # Errors
    /// Where the engine has failed; nothing was changed then.
    pub(crate) fn install(
        &mut self,
        world: &World,
        workers: Option<usize>,
        catalog: &Catalog,
        wanted: Vec<Wanted>,
        remove: &[OutputId],
    ) -> Result<Vec<Result<OutputId, StartError>>, SessionError> {
        let leaving: Vec<OutputId> =
            remove.iter().copied().chain(wanted.iter().filter_map(|wanted| wanted.replaces)).collect();
        let histories = self.histories.change(catalog, &self.running, &leaving, &wanted);
        if wanted.is_empty() && leaving.is_empty() && histories.is_empty() {
            return Ok(Vec::new());
        }
        let plans = histories.plans().chain(wanted.iter().map(|wanted| wanted.output.table().plan.clone())).collect();
        let old =
            leaving.iter().filter_map(|id| self.program(*id)).chain(self.histories.programs(&histories)).collect();
        let mut programs = self.engine(world, workers)?.replace(old, plans)?;
        let outputs = programs.split_off(programs.len() - wanted.len());
        self.histories.changed(histories, programs);
        // What left is closed before what replaces it starts, since both may write to one target.
        let mut views = BTreeMap::new();
        for id in leaving {
            let Some(mut left) = self.running.remove(&id) else { continue };
            if let Some(follower) = left.follower.take() {
                follower.close();
            }
            if remove.contains(&id) {
                left.view.close(Closed::RunAgain);
            }
            views.insert(id, Arc::clone(&left.view));
        }
        let mut started = Vec::new();
        for (wanted, program) in wanted.into_iter().zip(outputs) {
            let id = program.id;
            let view = wanted.replaces.and_then(|replaced| views.get(&replaced).cloned());
            let number = self.number();
            let result = Running::start(wanted, program, view, number, world, &self.running);
            if result.is_err() {
                self.engine(world, workers)?.drop_programs(&[id])?;
            }
            started.push(result.map(|running| {
                self.running.insert(number, running);
                number
            }));
        }
        Ok(started)
    }

    /// True if workers run and their number is not the one asked for.
    pub(crate) fn workers_differ(&self, asked: Option<usize>) -> bool {
        self.engine.is_some() && asked.is_some_and(|asked| asked != self.workers)
    }

    fn program(&self, id: OutputId) -> Option<ProgramId> {
        self.running.get(&id)?.follower.as_ref().map(|follower| follower.program)
    }

    /// Drops the programs of outputs; their views stay as they are. The outputs remain known, without a program.
    pub(crate) fn halt(&mut self, outputs: &[OutputId]) {
        let programs: Vec<ProgramId> = outputs.iter().filter_map(|id| self.program(*id)).collect();
        if programs.is_empty() {
            return;
        }
        let dropped = self.engine.as_ref().map_or(Ok(()), |engine| engine.drop_programs(&programs));
        if let Err(error) = &dropped {
            tracing::error!(%error, "programs could not be dropped");
        }
        for id in outputs {
            match self.running.get_mut(id).and_then(|running| running.follower.take()) {
                Some(follower) if dropped.is_ok() => follower.join(),
                // A failed engine never says that the program is gone.
                Some(follower) => follower.close(),
                None => {}
            }
        }
    }

    /// Drops the programs of outputs and forgets the outputs; their views stay as they are, closed.
    pub(crate) fn stop(&mut self, outputs: &[OutputId]) {
        self.halt(outputs);
        for id in outputs {
            if let Some(running) = self.running.remove(id) {
                running.view.close(Closed::Stopped);
            }
        }
    }

    /// Waits until the given outputs have caught up, and takes in all they have said.
    pub(crate) fn wait(
        &mut self,
        outputs: &[OutputId],
        mode: CatchUp,
        deadline: Option<Instant>,
        interrupted: &Receiver<()>,
    ) -> Waited {
        let over = self.memory.over.clone();
        let waited = loop {
            let Some(engine) = &self.engine else { return Waited::Done };
            let programs: Vec<ProgramId> = outputs.iter().filter_map(|id| self.program(*id)).collect();
            let handle = match engine.catch_up(&programs, mode) {
                Err(error) => break Waited::Failed(error.to_string()),
                Ok(handle) => handle,
            };
            let late = deadline.map_or_else(crossbeam_channel::never, crossbeam_channel::at);
            break crossbeam_channel::select! {
                recv(handle.outcome()) -> outcome => match outcome {
                    Ok(Caught::Done) => Waited::Done,
                    Ok(Caught::Failed(message)) => Waited::Failed(message),
                    Ok(Caught::TimedOut) => Waited::TimedOut,
                    Err(_) => Waited::Failed("the engine has stopped".to_string()),
                },
                recv(interrupted) -> _ => Waited::Interrupted,
                recv(late) -> _ => Waited::TimedOut,
                recv(over) -> _ => {
                    self.relieve();
                    continue;
                }
            };
        };
        outputs.iter().filter_map(|id| self.running.get(id)).for_each(Running::drain);
        waited
    }

    /// Stops the output that holds most memory, if the process holds more than it may.
    pub(crate) fn relieve(&mut self) {
        if !self.memory.is_passed() {
            return;
        }
        let programs = self.engine.as_ref().and_then(|engine| engine.stats().ok()).map(|stats| stats.programs);
        let arranged = |program: ProgramId| {
            let found = programs.iter().flatten().find(|found| found.id == program);
            found.map_or(0, |found| found.bytes)
        };
        let running = self.running.iter().filter_map(|(id, running)| {
            let program = running.follower.as_ref()?.program;
            Some((running.body.bytes() + arranged(program), *id))
        });
        // Of several that hold the same, the youngest.
        let Some((bytes, id)) = running.max() else { return };
        let Some(running) = self.running.get(&id) else { return };
        let (limit, held) = (memory::shown(self.memory.limit()), memory::shown(bytes));
        let message = format!(
            "stopped, since the session took more memory than {limit}; this table held most of it, about {held}. \
             Make it smaller, or raise the limit with `set memory`"
        );
        tracing::warn!(output = running.label, bytes, "an output was stopped for its memory");
        // It may speak faster than it is heard: what has not been heard yet would only take more memory.
        if let Some(follower) = &running.follower {
            follower.abandon();
        }
        let body = running.body.clone();
        body.fail(message);
        body.clear();
        self.halt(&[id]);
        self.memory.settle();
    }
}

/// Collects what is wrong with a cell.
#[derive(Default)]
pub(crate) struct Faults {
    kind: Option<FailureKind>,
    message: Option<String>,
    drawing: Drawing,
    diagnostics: Vec<Diagnostic>,
}

impl Faults {
    /// Adds a fault of the text.
    pub(crate) fn diagnostic(&mut self, diagnostic: Diagnostic, request: &CellRequest) {
        self.drawing.append(diagnostic.draw(&request.text, &request.name));
        self.first(FailureKind::Diagnostic, diagnostic.message.clone());
        self.diagnostics.push(diagnostic);
    }

    /// Adds a fault of another kind.
    pub(crate) fn add(&mut self, kind: FailureKind, message: String) {
        self.drawing.put(Ink::Error, "error");
        self.drawing.put(Ink::Plain, ": ");
        self.drawing.headline(&message);
        self.first(kind, message.lines().next().unwrap_or_default().to_string());
    }

    /// Adds a fault of another kind, with the place of the statement that it belongs to.
    pub(crate) fn add_at(&mut self, kind: FailureKind, message: String, request: &CellRequest, span: Span) {
        let (line, column) = line_column(&request.text, span.start);
        let (first, rest) = message.split_once('\n').unwrap_or((&message, ""));
        self.add(kind, first.to_string());
        self.drawing.put(Ink::Place, format!("  --> {}:{line}:{column}", request.name));
        self.drawing.put(Ink::Plain, if rest.is_empty() { "\n".to_string() } else { format!("\n{rest}\n") });
    }

    /// Adds a fault unless one is known that explains it.
    pub(crate) fn add_if_none(&mut self, kind: FailureKind, message: String) {
        if self.kind.is_none() {
            self.add(kind, message);
        }
    }

    fn first(&mut self, kind: FailureKind, message: String) {
        self.kind.get_or_insert(kind);
        self.message.get_or_insert(message);
    }

    /// The failure, if there is one.
    pub(crate) fn into_result(self) -> Result<(), CellFailure> {
        if self.kind.is_none() { Ok(()) } else { Err(self.into_failure()) }
    }

    /// The failure that there is.
    pub(crate) fn into_failure(self) -> CellFailure {
        CellFailure {
            kind: self.kind.unwrap_or(FailureKind::Runtime),
            message: self.message.unwrap_or_default(),
            text: self.drawing.to_text(),
            ansi: self.drawing.to_ansi(),
            html: self.drawing.to_html(),
            diagnostics: self.diagnostics,
        }
    }
}
