//! Running a whole notebook without a person: plans all cells first, so that each source is read once, then waits for
//! everything and gives the outputs in order.

use std::time::{Duration, Instant};

use tidebook_engine::CatchUp;
use tidebook_plan::diagnostic::near_names;

use crate::cell::{self, Installed, Prepared};
use crate::expectation::{Patience, WaitEnd};
use crate::output::{CellFailure, CellOutput, CellRequest, FailureKind};
use crate::session::{Inner, OutputId, Session, Waited};

/// How a headless run waits.
#[derive(Clone, Debug, Default)]
pub struct HeadlessOptions {
    /// Gives up after this long.
    pub timeout: Option<Duration>,
    /// Goes on after everything has caught up, until it is interrupted or `timeout` has passed.
    pub follow: bool,
}

/// A cell whose outputs are not installed yet.
struct Waiting<'a> {
    at: usize,
    request: &'a CellRequest,
    prepared: Prepared,
}

impl Session {
    /// Runs all `cells` in order; `outputs[i]` receives what cell `i` gives. Bounded inputs are read to their end,
    /// live ones until everything that they hold now is in.
    ///
    /// Cells are planned together up to the next one that redefines what an earlier one shows.
    pub fn run_all(
        &self,
        cells: &[CellRequest],
        outputs: &[Box<dyn CellOutput>],
        options: &HeadlessOptions,
    ) -> Vec<Result<(), CellFailure>> {
        let mut inner = self.inner.lock();
        let started = Instant::now();
        let deadline = options.timeout.map(|timeout| started + timeout);
        let mut results: Vec<Result<(), CellFailure>> = cells.iter().map(|_| Ok(())).collect();
        let mut waiting: Vec<Waiting<'_>> = Vec::new();
        for (at, request) in cells.iter().enumerate() {
            let compiled = cell::compile(self, request);
            let redefines = waiting.iter().flat_map(|waiting| &waiting.prepared.wanted).any(|wanted| {
                let tables = &wanted.output.table().tables;
                tables.iter().any(|table| compiled.changed.contains(table))
            });
            if redefines {
                self.flush(&mut inner, std::mem::take(&mut waiting), outputs, deadline, &mut results);
            }
            let prepared = cell::prepare(self, &mut inner, request, compiled);
            waiting.push(Waiting { at, request, prepared });
        }
        self.flush(&mut inner, waiting, outputs, deadline, &mut results);
        self.refuse_strangers(&mut results);
        if options.follow && results.iter().all(Result::is_ok) {
            self.follow(&inner, deadline, &mut results);
        }
        results
    }

    /// A value given from outside for a parameter that no cell declares is likely a slip; it fails the last cell.
    fn refuse_strangers(&self, results: &mut [Result<(), CellFailure>]) {
        let catalog = self.catalog();
        let declared: Vec<String> = catalog.params().into_iter().map(|param| param.name).collect();
        let Some(last) = results.last_mut().filter(|last| last.is_ok()) else { return };
        let mut faults = crate::session::Faults::default();
        let mut given: Vec<&str> = self.world.parameter_names().chain(catalog.given_parameters()).collect();
        given.sort_unstable();
        given.dedup();
        for name in given.into_iter().filter(|name| !declared.iter().any(|known| known == name)) {
            let near = near_names(name, declared.iter().map(String::as_str));
            let help = near.first().map_or_else(String::new, |near| format!(": did you mean `{near}`?"));
            let message = format!("there is no parameter `{name}`, for which a value was given{help}");
            faults.add(FailureKind::Diagnostic, message);
        }
        *last = faults.into_result();
    }

    /// Installs what waits, at one epoch, and sees it through.
    fn flush(
        &self,
        inner: &mut Inner,
        mut waiting: Vec<Waiting<'_>>,
        outputs: &[Box<dyn CellOutput>],
        deadline: Option<Instant>,
        results: &mut [Result<(), CellFailure>],
    ) {
        let started = Instant::now();
        let mut counts = Vec::new();
        let (mut wanted, mut remove) = (Vec::new(), Vec::new());
        for cell in &mut waiting {
            counts.push(cell.prepared.wanted.len());
            wanted.append(&mut cell.prepared.wanted);
            remove.append(&mut cell.prepared.remove);
        }
        let mut started_outputs =
            match inner.install(&self.world, cell::workers(self), &self.catalog(), wanted, &remove) {
                Ok(started) => started.into_iter(),
                Err(error) => {
                    for cell in waiting {
                        let mut faults = cell.prepared.faults;
                        faults.add(FailureKind::Runtime, error.to_string());
                        results[cell.at] = faults.into_result();
                    }
                    return;
                }
            };
        let mut installed: Vec<(usize, &CellRequest, Installed)> = Vec::new();
        for (cell, count) in waiting.into_iter().zip(counts) {
            let own = started_outputs.by_ref().take(count).collect();
            installed.push((cell.at, cell.request, cell.prepared.installed(own)));
        }
        let all: Vec<OutputId> =
            installed.iter().flat_map(|(_, _, cell)| cell.own.iter().chain(&cell.rebuilt)).copied().collect();
        let waited = inner.wait(&all, CatchUp::Ended, deadline, &self.interrupted);
        let mut patience = Patience::new(started, deadline, &self.interrupted);
        match &waited {
            Waited::Interrupted => patience.end(WaitEnd::Interrupted),
            Waited::TimedOut => patience.end(WaitEnd::TimeUp),
            Waited::Done | Waited::Failed(_) => {}
        }
        for (at, request, mut cell) in installed {
            inner.take_over(&cell.rebuilt);
            cell.show(self, inner, request, outputs[at].as_ref());
            cell.judge(inner, request, &mut patience);
            let runs = !cell.own.is_empty() || !cell.rebuilt.is_empty();
            match &waited {
                Waited::Done => {}
                Waited::Failed(message) if runs => cell.faults.add_if_none(FailureKind::Runtime, message.clone()),
                Waited::TimedOut if runs => {
                    cell.faults.add(FailureKind::Runtime, "the time is up and its inputs are not read yet".to_string());
                }
                Waited::Interrupted if runs => {
                    cell.faults.add(FailureKind::Interrupted, "the run was interrupted".to_string());
                }
                Waited::Failed(_) | Waited::TimedOut | Waited::Interrupted => {}
            }
            results[at] = cell.faults.into_result();
        }
    }

    /// Lets live inputs go on until the interrupt or the deadline; a failure meanwhile is that of the last cell.
    fn follow(&self, inner: &Inner, deadline: Option<Instant>, results: &mut [Result<(), CellFailure>]) {
        tracing::info!("everything has caught up; live inputs are followed");
        let late = deadline.map_or_else(crossbeam_channel::never, crossbeam_channel::at);
        crossbeam_channel::select! {
            recv(self.interrupted) -> _ => {}
            recv(late) -> _ => {}
        }
        let mut patience = Patience::new(Instant::now(), deadline, &self.interrupted);
        patience.end(WaitEnd::Judged);
        let mut faults = crate::session::Faults::default();
        for running in inner.running.values() {
            running.drain();
            if let Err((kind, message)) = running.verdict(&mut patience) {
                faults.add(kind, message);
            }
        }
        if let Some(last) = results.last_mut() {
            *last = faults.into_result();
        }
    }
}
