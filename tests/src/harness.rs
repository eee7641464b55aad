//! Runs Tide text through the language and the engine, and keeps what is shown as of the last closed epoch.
//!
//! It stands where the session stands, without views, sinks and commands, so that a test can choose the number of
//! workers, switch the optimizer off, bring its own sources and look at every moment.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tidebook_dsl::{Catalog, Environment, HoldsWhen, StatementKind, TableProgram, compile};
use tidebook_engine::{CatchUp, Caught, Engine, EngineError, EngineOptions, OutputEvent, Program, WallClock};
use tidebook_plan::connector::{ConnectorError, ConnectorSpec, Options, SinkConnector, SourceConnector, SourceField};
use tidebook_plan::{ChangeBatch, Diagnostic, HistoryId};

use crate::contents::Contents;
use crate::corpus::{Table, canonical, without_nullability};

/// No test waits longer for the engine than this.
const PATIENCE: Duration = Duration::from_secs(20);

/// How a harness is set up.
pub struct Setup {
    /// Worker threads.
    pub workers: usize,
    /// Whether the optimizer's rules run.
    pub optimize: bool,
    /// The folder that relative paths start from.
    pub base: PathBuf,
    /// Sources beside those of the build.
    pub sources: Vec<Arc<dyn SourceConnector>>,
}

/// Why a text did not run.
#[derive(Debug)]
pub enum Failure {
    /// It is wrong.
    Diagnostics(Vec<Diagnostic>),
    /// The engine failed or did not catch up in time.
    Engine(String),
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        Failure::Engine(error.to_string())
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failure::Diagnostics(list) => list.iter().try_for_each(|one| writeln!(f, "{}: {}", one.code, one.message)),
            Failure::Engine(message) => f.write_str(message),
        }
    }
}

struct World {
    sources: Vec<Arc<dyn SourceConnector>>,
    sinks: Vec<Arc<dyn SinkConnector>>,
    base: PathBuf,
    optimize: bool,
}

impl Environment for World {
    fn connectors(&self) -> Vec<&ConnectorSpec> {
        self.sources.iter().map(|source| source.spec()).chain(self.sinks.iter().map(|sink| sink.spec())).collect()
    }

    fn describe(&self, connector: &str, options: &Options) -> Result<Vec<SourceField>, ConnectorError> {
        match self.sources.iter().find(|source| source.spec().name == connector) {
            Some(source) => source.describe(options, &self.base),
            None => Err(ConnectorError::Missing { what: connector.to_string() }),
        }
    }

    fn selects(&self, connector: &str, options: &Options) -> bool {
        self.sources.iter().any(|source| source.spec().name == connector && source.selects(options))
    }

    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn parameter(&self, _name: &str) -> Option<String> {
        None
    }

    fn base(&self) -> &Path {
        &self.base
    }

    fn optimizes(&self) -> bool {
        self.optimize
    }
}

/// An output that is kept current.
pub struct Output {
    /// What it is called.
    pub label: String,
    table: TableProgram,
    program: Program,
    /// Rows that are shown at most.
    limit: Option<usize>,
    /// For an expectation, its text and when it holds.
    expectation: Option<(String, HoldsWhen)>,
    /// What is shown.
    contents: Contents,
    /// The same with the columns that only the order reads.
    ordered: Contents,
    errors: Contents,
    pending: Vec<OutputEvent>,
    /// The last closed epoch; 0 before the first.
    pub epoch: u64,
}

/// The language and a running engine.
pub struct Harness {
    world: World,
    catalog: Catalog,
    engine: Engine,
    /// What runs that is bound to history; it runs as long as the harness does.
    histories: BTreeSet<HistoryId>,
    _scratch: tempfile::TempDir,
}

impl Harness {
    /// Starts an engine.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub fn start(setup: Setup) -> Result<Self, Failure> {
        let mut sources = tidebook_connectors::registry::sources();
        sources.extend(setup.sources);
        let scratch = tempfile::tempdir().map_err(|error| Failure::Engine(error.to_string()))?;
        let options = EngineOptions {
            workers: setup.workers,
            scratch: scratch.path().to_path_buf(),
            sources: sources.clone(),
            clock: WallClock::default(),
        };
        let engine = Engine::start(options)?;
        let sinks = tidebook_connectors::registry::sinks();
        let world = World { sources, sinks, base: setup.base, optimize: setup.optimize };
        Ok(Harness { world, catalog: Catalog::default(), engine, histories: BTreeSet::new(), _scratch: scratch })
    }

    /// Runs `text` as the cell `cell`, all its outputs at one epoch, and gives the outputs, not yet caught up.
    ///
    /// # Errors
    /// Where the text is wrong or the engine fails.
    pub fn run(&mut self, cell: &str, text: &str) -> Result<Vec<Output>, Failure> {
        let compiled = compile(cell, text, &mut self.catalog, &self.world);
        if compiled.diagnostics.iter().any(Diagnostic::is_error) {
            return Err(Failure::Diagnostics(compiled.diagnostics));
        }
        let mut wanted = Vec::new();
        for statement in compiled.statements {
            match statement.kind {
                StatementKind::Show(show) => wanted.push((show.table, show.limit, None)),
                StatementKind::Expect(expect) => {
                    wanted.push((expect.table, None, Some((expect.text, expect.holds_when))));
                }
                _ => {}
            }
        }
        let defined = self.catalog.histories().flat_map(|(_, histories)| histories);
        let read = wanted.iter().flat_map(|(table, _, _)| &table.histories);
        let mut histories = Vec::new();
        for history in defined.chain(read) {
            if self.histories.insert(history.id) {
                histories.push(history.plan.clone());
            }
        }
        let count = histories.len();
        let plans = histories.into_iter().chain(wanted.iter().map(|(table, _, _)| table.plan.clone())).collect();
        let programs = self.engine.install(plans)?.split_off(count);
        let outputs = wanted.into_iter().zip(programs).map(|((table, limit, expectation), program)| Output {
            label: table.label.clone(),
            table,
            program,
            limit,
            expectation,
            contents: Contents::default(),
            ordered: Contents::default(),
            errors: Contents::default(),
            pending: Vec::new(),
            epoch: 0,
        });
        Ok(outputs.collect())
    }

    /// Waits until the outputs hold what their inputs hold (with [`CatchUp::Ended`], all that bounded inputs will ever
    /// hold), and takes in all that they have said.
    ///
    /// # Errors
    /// Where the engine or a source fails, or [`PATIENCE`] is over.
    pub fn settle(&self, outputs: &mut [Output], mode: CatchUp) -> Result<(), Failure> {
        self.catch_up(outputs, mode)?;
        outputs.iter_mut().try_for_each(Output::take_in)
    }

    /// Waits as [`Harness::settle`] does, and leaves what the outputs have said on their channels.
    ///
    /// # Errors
    /// As [`Harness::settle`].
    pub fn catch_up(&self, outputs: &[Output], mode: CatchUp) -> Result<(), Failure> {
        let ids: Vec<_> = outputs.iter().map(|output| output.program.id).collect();
        match self.engine.catch_up(&ids, mode)?.wait(Some(Instant::now() + PATIENCE)) {
            Caught::Done => Ok(()),
            Caught::Failed(message) => Err(Failure::Engine(message)),
            Caught::TimedOut => Err(Failure::Engine("the outputs did not catch up in time".to_string())),
        }
    }

    /// Drops outputs.
    ///
    /// # Errors
    /// Where the engine fails.
    pub fn drop_outputs(&self, outputs: Vec<Output>) -> Result<(), Failure> {
        let ids: Vec<_> = outputs.iter().map(|output| output.program.id).collect();
        Ok(self.engine.drop_programs(&ids)?)
    }

    /// The engine itself.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }
}

impl Output {
    fn take_in(&mut self) -> Result<(), Failure> {
        for event in self.program.events.try_iter() {
            match event {
                OutputEvent::Changes { .. } => self.pending.push(event),
                OutputEvent::Closed { epoch } => {
                    if epoch < self.epoch {
                        return Err(Failure::Engine(format!("epoch {epoch} closed after {}", self.epoch)));
                    }
                    self.epoch = epoch;
                    let (contents, ordered, errors) = (&mut self.contents, &mut self.ordered, &mut self.errors);
                    let shown: Vec<usize> = (0..self.table.schema.len()).collect();
                    self.pending.retain(|event| match event {
                        OutputEvent::Changes { port, epoch: at, changes } if *at <= epoch => {
                            if *port == 0 {
                                ordered.apply(changes);
                                contents.apply(&only(changes, &shown));
                            } else {
                                errors.apply(changes)
                            }
                            false
                        }
                        _ => true,
                    });
                    if !contents.is_sound() || !errors.is_sound() {
                        let message = format!("`{}` holds a row a negative number of times at {epoch}", self.label);
                        return Err(Failure::Engine(message));
                    }
                }
                OutputEvent::Failed { message } => return Err(Failure::Engine(message)),
                OutputEvent::Loading { .. } | OutputEvent::Ended => {}
            }
        }
        Ok(())
    }

    /// What the table holds as of the last closed epoch.
    pub fn contents(&self) -> &Contents {
        &self.contents
    }

    /// The names of its columns.
    pub fn column_names(&self) -> Vec<&str> {
        self.table.schema.columns.iter().map(|column| column.name.as_str()).collect()
    }

    /// Rows in its errors.
    pub fn errors(&self) -> i64 {
        self.errors.len()
    }

    /// The channel of events, for tests that watch single epochs.
    pub fn events(&self) -> &crossbeam_channel::Receiver<OutputEvent> {
        &self.program.events
    }

    /// For an expectation that does not hold, its text.
    pub fn broken_expectation(&self) -> Option<&str> {
        let (text, holds_when) = self.expectation.as_ref()?;
        let holds = match holds_when {
            HoldsWhen::Empty => self.contents.is_empty(),
            HoldsWhen::NotEmpty => !self.contents.is_empty(),
        };
        (!holds).then_some(text.as_str())
    }

    /// The shown table; `None` for an expectation.
    pub fn table(&self) -> Option<Table> {
        if self.expectation.is_some() {
            return None;
        }
        let columns: Vec<(String, String)> = self
            .table
            .schema
            .columns
            .iter()
            .map(|column| (column.name.clone(), without_nullability(&column.ty.to_string())))
            .collect();
        let rows = self.ordered.in_order(&self.table.ordering).into_iter().take(self.limit.unwrap_or(usize::MAX));
        let rows = rows
            .map(|row| row.iter().zip(&columns).map(|(cell, (_, ty))| canonical(&document(cell, ty), ty)).collect());
        Some(Table { table: self.label.clone(), rows: rows.collect(), columns, errors: self.errors.len() })
    }
}

/// The changes with these columns only.
fn only(changes: &ChangeBatch, columns: &[usize]) -> ChangeBatch {
    let rows = changes.rows.project(columns).expect("a program gives the columns of its schema");
    ChangeBatch { rows, diffs: changes.diffs.clone() }
}

/// A cell of a json column as the document that its text is.
fn document(cell: &serde_json::Value, ty: &str) -> serde_json::Value {
    match (ty, cell) {
        ("json", serde_json::Value::String(text)) => serde_json::from_str(text).unwrap_or_else(|_| cell.clone()),
        (list, serde_json::Value::Array(cells)) if list.starts_with('[') => {
            let item = list.strip_prefix('[').and_then(|list| list.strip_suffix(']')).unwrap_or(list);
            cells.iter().map(|cell| document(cell, item)).collect()
        }
        _ => cell.clone(),
    }
}
