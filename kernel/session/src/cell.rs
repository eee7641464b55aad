//! Running one cell: compile, replace what it replaces, rebuild what depends on it, wait, show.

use std::sync::Arc;
use std::time::{Duration, Instant};

use datafusion_common::ScalarValue;
use tidebook_dsl::compile::{Compiled, CompiledStatement, StatementKind};
use tidebook_engine::CatchUp;
use tidebook_plan::Span;
use tidebook_plan::diagnostic::near_names;

use crate::command;
use crate::compile::{self, recompile};
use crate::expectation::Patience;
use crate::markup;
use crate::output::{CellFailure, CellOutput, CellRequest, FailureKind, Stream};
use crate::recovery::Crash;
use crate::running::{OutputProgram, Running, StartError};
use crate::session::{Faults, Inner, OutputId, Session, Waited, Wanted};

/// Tables that come this soon are shown filled at once; others are shown loading.
const FIRST_FRAME: Duration = Duration::from_millis(150);

/// A statement on its way to the front end.
enum Step {
    /// An output that goes on as it was.
    Kept(OutputId),
    /// The output at this position of `Prepared::wanted`.
    Wanted(usize),
    /// Anything else.
    Other(CompiledStatement),
}

/// A compiled cell: what to show in order, what waits to be installed, what was found wrong.
pub(crate) struct Prepared {
    steps: Vec<Step>,
    /// Outputs to start: this cell's first, then rebuilt ones of other cells.
    pub(crate) wanted: Vec<Wanted>,
    /// Outputs to stop.
    pub(crate) remove: Vec<OutputId>,
    /// Warnings, and what happened to other cells.
    notes: Vec<String>,
    /// What is wrong with the cell.
    pub(crate) faults: Faults,
}

/// An installed cell.
pub(crate) struct Installed {
    steps: Vec<InstalledStep>,
    /// This cell's outputs.
    pub(crate) own: Vec<OutputId>,
    /// Outputs of other cells that were rebuilt.
    pub(crate) rebuilt: Vec<OutputId>,
    notes: Vec<String>,
    /// What is wrong with the cell.
    pub(crate) faults: Faults,
}

enum InstalledStep {
    Output(OutputId),
    Other(CompiledStatement),
}

/// Runs `request` to its end or until `deadline`.
pub(crate) fn run(
    session: &Session,
    inner: &mut Inner,
    request: &CellRequest,
    output: &dyn CellOutput,
    deadline: Instant,
) -> Result<(), CellFailure> {
    let started = Instant::now();
    let crash = inner.bury_failed_engine();
    let compiled = compile(session, request);
    let mut prepared = prepare(session, inner, request, compiled);
    if let Some(crash) = crash {
        prepared.recover(session, inner, request, &crash);
    }
    let wanted = std::mem::take(&mut prepared.wanted);
    let remove = std::mem::take(&mut prepared.remove);
    let results = match inner.install(&session.world, workers(session), &session.catalog(), wanted, &remove) {
        Ok(results) => results,
        Err(error) => {
            prepared.faults.add(FailureKind::Runtime, error.to_string());
            return prepared.faults.into_result();
        }
    };
    let mut installed = prepared.installed(results);
    let all: Vec<OutputId> = installed.own.iter().chain(&installed.rebuilt).copied().collect();
    let soon = (started + FIRST_FRAME).min(deadline);
    let mut waited = inner.wait(&all, CatchUp::Present, Some(soon), &session.interrupted);
    inner.take_over(&installed.rebuilt);
    installed.show(session, inner, request, output);
    if waited == Waited::TimedOut {
        waited = inner.wait(&all, CatchUp::Present, Some(deadline), &session.interrupted);
    }
    let mut patience = Patience::new(started, None, &session.interrupted);
    match waited {
        Waited::Interrupted => {
            inner.stop(&installed.own);
            let message = "the cell was interrupted; its outputs were stopped";
            installed.faults.add(FailureKind::Interrupted, message.to_string());
        }
        Waited::Done => {
            installed.judge(inner, request, &mut patience);
            inner.went_well();
        }
        Waited::Failed(message) => {
            installed.judge(inner, request, &mut patience);
            installed.faults.add_if_none(FailureKind::Runtime, message);
            inner.suspect(&installed.own);
        }
        // Still loading: the outputs go on, and expectations stay on watch.
        Waited::TimedOut => {}
    }
    installed.faults.into_result()
}

/// Compiles a cell into the session's catalog.
pub(crate) fn compile(session: &Session, request: &CellRequest) -> Compiled {
    let mut catalog = (*session.catalog()).clone();
    let compiled = compile::compile(&request.cell, &request.text, &mut catalog, &session.world);
    *session.catalog.lock() = Arc::new(catalog);
    compiled
}

/// The number of workers that the notebook asks for.
pub(crate) fn workers(session: &Session) -> Option<usize> {
    match session.catalog().setting("workers") {
        Some(ScalarValue::Int64(Some(workers))) => usize::try_from(*workers).ok().filter(|workers| *workers > 0),
        _ => None,
    }
}

/// The bytes that the notebook lets its session take.
pub(crate) fn memory(session: &Session) -> Option<u64> {
    match session.catalog().setting("memory") {
        Some(ScalarValue::Int64(Some(bytes))) => u64::try_from(*bytes).ok(),
        _ => None,
    }
}

/// Decides what to start, what to stop and what to leave as it is.
pub(crate) fn prepare(session: &Session, inner: &mut Inner, request: &CellRequest, compiled: Compiled) -> Prepared {
    inner.memory.set_limit(memory(session));
    inner.gauges.close(&request.cell);
    let catalog = session.catalog();
    let defined = |table: &str| {
        let names = compiled.statements.iter();
        names
            .map(|statement| &statement.kind)
            .any(|kind| matches!(kind, StatementKind::Define { name, .. } if name == table))
    };
    catalog.histories().filter(|(table, _)| defined(table)).for_each(|(_, kept)| inner.histories.trust(kept));
    let mut prepared = Prepared {
        steps: Vec::new(),
        wanted: Vec::new(),
        remove: Vec::new(),
        notes: Vec::new(),
        faults: Faults::default(),
    };
    for diagnostic in compiled.diagnostics {
        if diagnostic.is_error() {
            prepared.faults.diagnostic(diagnostic, request);
        } else {
            prepared.notes.push(diagnostic.to_text(&request.text, &request.name));
        }
    }
    for table in &compiled.begun_afresh {
        let note = format!("`{table}` begins afresh: what it reads was defined again, and what it had kept is gone");
        prepared.notes.push(note);
    }
    for (table, diagnostic) in &compiled.broken {
        prepared.notes.push(format!("`{table}` no longer works: {}", diagnostic.message));
    }
    let own = inner.running.iter().filter(|(_, running)| running.source.cell == request.cell);
    let mut old: Vec<OutputId> = own.map(|(id, _)| *id).collect();
    for statement in compiled.statements {
        let kind = match command::as_output(&statement, request, session) {
            Some(Ok(kind)) => kind,
            Some(Err(diagnostics)) => {
                diagnostics.into_iter().for_each(|diagnostic| prepared.faults.diagnostic(diagnostic, request));
                continue;
            }
            None => statement.kind.clone(),
        };
        match OutputProgram::from_statement(kind) {
            None => prepared.steps.push(Step::Other(statement)),
            Some(output) => prepared.output(inner, &mut old, output, statement.span),
        }
    }
    prepared.remove = old;
    let changed = compiled.changed;
    prepared.rebuild(session, inner, request, |_, running| running.tables.iter().any(|table| changed.contains(table)));
    prepared
}

impl Prepared {
    fn output(&mut self, inner: &mut Inner, old: &mut Vec<OutputId>, output: OutputProgram, place: Span) {
        let identity = output.identity();
        let number = inner.number();
        // The same output of the same cell goes on: nothing runs twice.
        let same = old.iter().position(|id| inner.running.get(id).is_some_and(|running| running.goes_on(&identity)));
        let kept = same.map(|position| old.remove(position));
        match kept.and_then(|id| inner.running.get_mut(&id).map(|running| (id, running))) {
            Some((id, running)) => {
                running.renew_view(number);
                running.source = output.source().clone();
                running.place = place;
                self.steps.push(Step::Kept(id));
            }
            None => {
                self.steps.push(Step::Wanted(self.wanted.len()));
                self.wanted.push(Wanted { output, place, replaces: None });
            }
        }
    }

    /// After the engine has failed: says so, and starts the outputs of other cells again, unless it has failed again
    /// right after that was done before.
    fn recover(&mut self, session: &Session, inner: &mut Inner, request: &CellRequest, crash: &Crash) {
        let others = |id: &&OutputId| inner.running.get(id).is_some_and(|other| other.source.cell != request.cell);
        let others: Vec<OutputId> = crash.stopped.iter().filter(others).copied().collect();
        let count = others.len();
        let outputs =
            if count == 1 { "1 output of another cell".to_string() } else { format!("{count} outputs of other cells") };
        let then = match (count, crash.repeated) {
            (0, _) => String::new(),
            (_, false) => format!(", and {outputs} with it"),
            (_, true) => format!("; {outputs} stay stopped until their cells are run"),
        };
        self.notes.push(format!("{}; the engine was started again{then}", crash.message));
        for (table, kept) in session.catalog().histories() {
            if kept.iter().any(|history| inner.histories.is_stopped(history.id)) {
                self.notes.push(format!(
                    "what `{table}` keeps is likely the cause, and stays stopped until its cell is run again"
                ));
            }
        }
        if !crash.repeated {
            // What has changed is being started again already.
            let wanted: Vec<OutputId> = self.wanted.iter().filter_map(|wanted| wanted.replaces).collect();
            self.rebuild(session, inner, request, |id, _| others.contains(&id) && !wanted.contains(&id));
        }
    }

    /// Compiles again those outputs of other cells that are `affected`.
    fn rebuild(
        &mut self,
        session: &Session,
        inner: &mut Inner,
        request: &CellRequest,
        affected: impl Fn(OutputId, &Running) -> bool,
    ) {
        let catalog = session.catalog();
        let mut broken = Vec::new();
        for (id, running) in &mut inner.running {
            if running.source.cell == request.cell || !affected(*id, running) {
                continue;
            }
            match recompile(&running.source, &catalog, &session.world).map(OutputProgram::from_statement) {
                Ok(Some(output)) if running.goes_on(&output.identity()) => {
                    running.tables.clone_from(&output.table().tables);
                }
                Ok(Some(output)) => self.wanted.push(Wanted { output, place: running.place, replaces: Some(*id) }),
                Ok(None) => {}
                Err(diagnostics) => {
                    let why = diagnostics.first().map_or_else(String::new, |diagnostic| diagnostic.message.clone());
                    self.notes.push(format!("`{}` can no longer be kept: {why}", running.label));
                    running.body.fail(why);
                    broken.push(*id);
                }
            }
        }
        inner.halt(&broken);
    }

    /// What became of it, given what [`Inner::install`] said of each wanted output.
    pub(crate) fn installed(self, results: Vec<Result<OutputId, StartError>>) -> Installed {
        let Prepared { steps, notes, mut faults, .. } = self;
        let mut results: Vec<Option<Result<OutputId, StartError>>> = results.into_iter().map(Some).collect();
        let (mut placed, mut own, mut rebuilt) = (Vec::new(), Vec::new(), Vec::new());
        for step in steps {
            match step {
                Step::Other(statement) => placed.push(InstalledStep::Other(statement)),
                Step::Kept(id) => {
                    own.push(id);
                    placed.push(InstalledStep::Output(id));
                }
                Step::Wanted(position) => match results.get_mut(position).and_then(Option::take) {
                    Some(Ok(id)) => {
                        own.push(id);
                        placed.push(InstalledStep::Output(id));
                    }
                    Some(Err(error)) => faults.add(FailureKind::Runtime, error.to_string()),
                    None => {}
                },
            }
        }
        // What is left are outputs of other cells.
        for result in results.into_iter().flatten() {
            match result {
                Ok(id) => rebuilt.push(id),
                Err(error) => faults.add(FailureKind::Runtime, error.to_string()),
            }
        }
        Installed { steps: placed, own, rebuilt, notes, faults }
    }
}

impl Inner {
    /// Puts rebuilt outputs behind the views that they took over.
    pub(crate) fn take_over(&self, rebuilt: &[OutputId]) {
        rebuilt.iter().filter_map(|id| self.running.get(id)).for_each(|running| running.take_over());
    }
}

impl Installed {
    /// Gives the cell's outputs to the front end, in the order of the text.
    pub(crate) fn show(
        &mut self,
        session: &Session,
        inner: &mut Inner,
        request: &CellRequest,
        output: &dyn CellOutput,
    ) {
        for note in std::mem::take(&mut self.notes) {
            output.stream(Stream::Err, &format!("{}\n", note.trim_end()));
        }
        for step in std::mem::take(&mut self.steps) {
            match step {
                InstalledStep::Output(id) => {
                    if let Some(running) = inner.running.get(&id) {
                        output.view(Arc::clone(&running.view));
                    }
                }
                InstalledStep::Other(statement) => self.show_statement(session, inner, request, output, statement),
            }
        }
    }

    fn show_statement(
        &mut self,
        session: &Session,
        inner: &mut Inner,
        request: &CellRequest,
        output: &dyn CellOutput,
        statement: CompiledStatement,
    ) {
        match &statement.kind {
            StatementKind::Define { name, schema } => output.markup(markup::definition(name, schema)),
            StatementKind::Param { name, ty, value } => output.markup(markup::parameter(name, ty, value)),
            StatementKind::Given { name, declared } => {
                let near = near_names(name, declared.iter().map(String::as_str));
                let help = near.first().map_or_else(String::new, |near| format!(" (did you mean `{near}`?)"));
                let note = format!("no `param` declares `{name}` so far{help}; the value is kept for one that comes");
                output.stream(Stream::Err, &format!("{note}\n"));
            }
            StatementKind::Command { name, args } => {
                if let Err(fault) = command::run(session, inner, output, &request.cell, (name, args), statement.span) {
                    match fault {
                        command::CommandFault::Text(diagnostic) => self.faults.diagnostic(*diagnostic, request),
                        command::CommandFault::Runtime(message) => self.faults.add(FailureKind::Runtime, message),
                    }
                }
            }
            StatementKind::Set { name, .. } if name == "workers" => {
                let asked = workers(session);
                if inner.workers_differ(asked) {
                    let note = "`set workers` takes effect when the kernel is restarted: workers are running already";
                    output.stream(Stream::Err, &format!("{note}\n"));
                }
            }
            // Functions, settings and drops speak for themselves; outputs were shown as such.
            StatementKind::Set { .. }
            | StatementKind::Function { .. }
            | StatementKind::Drop { .. }
            | StatementKind::Show(_)
            | StatementKind::Expect(_)
            | StatementKind::Write(_) => {}
        }
    }

    /// Adds what the cell's own outputs say against it.
    pub(crate) fn judge(&mut self, inner: &Inner, request: &CellRequest, patience: &mut Patience<'_>) {
        for running in self.own.iter().filter_map(|id| inner.running.get(id)) {
            if let Err((kind, message)) = running.verdict(patience) {
                self.faults.add_at(kind, message, request, running.place);
            }
        }
    }
}
