//! An expectation on watch: a program that gives the rows which contradict it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;
use parking_lot::{Condvar, Mutex};
use tidebook_dsl::compile::HoldsWhen;
use tidebook_engine::OutputEvent;

use crate::follow::Consumer;
use crate::shown::{empty_page, select, table_json};
use crate::table::OrderedTable;
use crate::view::{Page, PageRequest, PageSource, Standing, Verdict, View};

/// How many contradicting rows a failure names.
const NAMED_ROWS: usize = 10;

/// How often a wait looks for an interrupt.
const INTERRUPT_INTERVAL: Duration = Duration::from_millis(50);

/// What came of a look at an expectation.
enum Checked {
    /// It holds.
    Holds,
    /// It does not, and why.
    Contradicted(String),
    /// The user did not want to wait.
    Interrupted,
}

/// How long those wait who judge expectations that do not hold yet: one wait for all that are judged together, so that an
/// interrupt, or the end of a run's time, ends the wait for each of them.
pub(crate) struct Patience<'a> {
    since: Instant,
    until: Option<Instant>,
    ended: Option<WaitEnd>,
    interrupted: &'a Receiver<()>,
}

/// Why nobody waits any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WaitEnd {
    /// The user did not want to.
    Interrupted,
    /// The time of the whole run is up.
    TimeUp,
    /// What stands now is what counts.
    Judged,
}

impl<'a> Patience<'a> {
    /// Waits as long as each expectation says, counted from `since`, but not past `until`.
    pub(crate) fn new(since: Instant, until: Option<Instant>, interrupted: &'a Receiver<()>) -> Self {
        Patience { since, until, ended: None, interrupted }
    }

    /// Waits no longer.
    pub(crate) fn end(&mut self, why: WaitEnd) {
        self.ended = Some(why);
    }

    /// Looks whether `watch` holds, and waits for it for `within`; gives why it does not, and whether that is for lack
    /// of patience.
    pub(crate) fn check(&mut self, watch: &Watch, within: Option<Duration>) -> Option<(String, Option<WaitEnd>)> {
        let wanted = within.map(|within| self.since + within);
        let cut = wanted.zip(self.until).is_some_and(|(wanted, until)| until < wanted);
        let deadline = if cut { self.until } else { wanted };
        match watch.check(deadline.filter(|_| self.ended.is_none()), self.interrupted) {
            Checked::Holds => None,
            Checked::Contradicted(why) => {
                let impatient = self.ended.or(cut.then_some(WaitEnd::TimeUp));
                Some((why, impatient.filter(|_| within.is_some())))
            }
            Checked::Interrupted => {
                self.ended = Some(WaitEnd::Interrupted);
                Some((String::new(), self.ended))
            }
        }
    }
}

/// The state of an expectation.
pub(crate) struct Watch {
    text: String,
    holds_when: HoldsWhen,
    table: Mutex<OrderedTable>,
    moved: Condvar,
    view: Mutex<Option<Arc<View>>>,
    /// True while somebody waits for it to hold.
    awaited: AtomicBool,
}

impl Watch {
    /// Bytes that it holds, about.
    pub(crate) fn bytes(&self) -> u64 {
        self.table.lock().bytes()
    }

    /// Lets go of all rows.
    pub(crate) fn clear(&self) {
        self.table.lock().clear();
    }

    /// An expectation whose contradicting rows (or, for `is not empty`, supporting rows) come into `table`.
    pub(crate) fn new(text: String, holds_when: HoldsWhen, table: OrderedTable) -> Arc<Self> {
        let table = Mutex::new(table);
        let (moved, view, awaited) = (Condvar::new(), Mutex::new(None), AtomicBool::new(false));
        Arc::new(Watch { text, holds_when, table, moved, view, awaited })
    }

    /// Lets `view` be told when the verdict may have changed.
    pub(crate) fn attach(&self, view: Arc<View>) {
        *self.view.lock() = Some(view);
    }

    /// Marks the expectation as one that is no longer watched.
    pub(crate) fn fail(&self, message: String) {
        self.table.lock().failure = Some(message);
        self.touch();
    }

    /// Why it is no longer watched, if so.
    pub(crate) fn failure(&self) -> Option<String> {
        self.table.lock().failure.clone()
    }

    /// Waits until it holds, `deadline`, or an interrupt.
    fn check(&self, deadline: Option<Instant>, interrupted: &Receiver<()>) -> Checked {
        let checked = self.look(deadline, interrupted);
        if self.awaited.swap(false, Ordering::Relaxed) {
            self.touch();
        }
        checked
    }

    fn look(&self, deadline: Option<Instant>, interrupted: &Receiver<()>) -> Checked {
        let mut table = self.table.lock();
        while let Some(contradiction) = self.contradiction(&table) {
            let now = Instant::now();
            let Some(deadline) = deadline.filter(|deadline| *deadline > now) else {
                return Checked::Contradicted(contradiction);
            };
            if interrupted.try_recv().is_ok() {
                return Checked::Interrupted;
            }
            if !self.awaited.swap(true, Ordering::Relaxed) {
                parking_lot::MutexGuard::unlocked(&mut table, || self.touch());
                continue;
            }
            // Whether it moved or not: the loop looks again.
            let _ = self.moved.wait_until(&mut table, deadline.min(now + INTERRUPT_INTERVAL));
        }
        Checked::Holds
    }

    /// `None` while it holds.
    fn contradiction(&self, table: &OrderedTable) -> Option<String> {
        if let Some(failure) = &table.failure {
            return Some(failure.clone());
        }
        match (self.holds_when, table.len()) {
            (HoldsWhen::Empty, 0) => None,
            (HoldsWhen::NotEmpty, 1..) => None,
            (HoldsWhen::NotEmpty, 0) => Some("the table is empty".to_string()),
            (HoldsWhen::Empty, rows) => {
                let mut text = match rows {
                    1 => "1 row contradicts it".to_string(),
                    rows => format!("{rows} rows contradict it"),
                };
                let request = PageRequest { limit: NAMED_ROWS, ..PageRequest::default() };
                if let Ok((named, _)) = select(table, &request) {
                    for row in named {
                        let columns = table.schema().columns.iter().zip(row);
                        let cells = columns.map(|(column, cell)| {
                            format!("{}: {}", column.name, cell.unwrap_or_else(|| "null".to_string()))
                        });
                        text.push_str(&format!("\n  {}", cells.collect::<Vec<_>>().join(", ")));
                    }
                }
                if rows > NAMED_ROWS {
                    text.push_str(&format!("\n  … and {} more", rows - NAMED_ROWS));
                }
                Some(text)
            }
        }
    }

    fn touch(&self) {
        self.moved.notify_all();
        if let Some(view) = &*self.view.lock() {
            view.touch();
        }
    }
}

/// Feeds a [`Watch`].
pub(crate) struct WatchConsumer {
    watch: Arc<Watch>,
    moved: bool,
}

impl WatchConsumer {
    /// A consumer that keeps `watch` current.
    pub(crate) fn new(watch: Arc<Watch>) -> Self {
        WatchConsumer { watch, moved: false }
    }
}

impl Consumer for WatchConsumer {
    fn consume(&mut self, event: OutputEvent) {
        self.moved |= self.watch.table.lock().consume(event);
    }

    fn settle(&mut self, _flush: bool) -> Option<Instant> {
        if std::mem::take(&mut self.moved) {
            self.watch.touch();
        }
        None
    }
}

/// Gives the verdict of a [`Watch`], with the contradicting rows while it does not hold.
pub(crate) struct WatchPages(pub(crate) Arc<Watch>);

impl PageSource for WatchPages {
    fn page(&self, request: &PageRequest) -> Page {
        let table = self.0.table.lock();
        let mut page = empty_page(&table);
        let contradiction = if page.loading { None } else { self.0.contradiction(&table) };
        if contradiction.is_some() && self.0.holds_when == HoldsWhen::Empty {
            match select(&table, request) {
                Ok((rows, _)) => page.rows = rows,
                Err(error) => page.failure = Some(format!("rows cannot be read: {error}")),
            }
        }
        let awaited = self.0.awaited.load(Ordering::Relaxed);
        let (standing, state) = match (&contradiction, page.loading) {
            (_, true) => (Standing::Open, "waiting for its inputs"),
            (None, false) => (Standing::Good, "holds"),
            (Some(_), false) if awaited => (Standing::Open, "not yet"),
            (Some(_), false) => (Standing::Bad, "does not hold"),
        };
        page.verdict = Some(Verdict { standing, text: format!("{}: {state}", self.0.text) });
        page
    }

    fn json(&self, name: &str, limit: Option<usize>) -> String {
        table_json(&self.0.table.lock(), name, limit)
    }
}
