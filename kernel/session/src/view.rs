//! A view: a window on a maintained, ordered table. Front ends ask for pages of it and learn when it has moved.

use parking_lot::{Condvar, Mutex};
use std::time::{Duration, Instant};

use tidebook_plan::ColumnType;

/// What a view is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ViewKind {
    /// A shown table.
    Table,
    /// An expectation: its page's rows are those that contradict it.
    Expectation,
    /// A sink: its page has a verdict and no rows.
    Sink,
    /// What runs, in figures.
    Stats,
}

/// Whether all is well with something that is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is.
    Good,
    /// It is not.
    Bad,
    /// Nobody can say yet: its inputs are being read, or there is time left for it to come true.
    Open,
}

/// How something that is watched stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether all is well.
    pub standing: Standing,
    /// One line that says what is watched and how it stands.
    pub text: String,
}

/// What part of a view to give.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageRequest {
    /// Rows to pass over.
    pub offset: usize,
    /// Rows to give at most.
    pub limit: usize,
    /// Sort by these columns (position, descending) instead of the table's own order.
    pub sort: Vec<(usize, bool)>,
    /// Keep rows in which some cell's text contains this, case ignored.
    pub filter: Option<String>,
}

/// A column of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageColumn {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: ColumnType,
}

/// Rows of a view as of one closed epoch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// The columns.
    pub columns: Vec<PageColumn>,
    /// Each cell as text for people (`None` for null).
    pub rows: Vec<Vec<Option<String>>>,
    /// Rows of the whole table (after the filter).
    pub total: usize,
    /// Rows in the table's errors.
    pub errors: usize,
    /// The closed epoch that all of this is of; 0 before the first.
    pub epoch: u64,
    /// True until the contents that the inputs held at the start are in.
    pub loading: bool,
    /// Rows read while loading.
    pub loaded_rows: u64,
    /// Why the view no longer moves, if a source or a worker has failed.
    pub failure: Option<String>,
    /// For an expectation or a sink: how it stands.
    pub verdict: Option<Verdict>,
    /// Why nobody follows the table here any more, if so.
    pub closed: Option<Closed>,
}

/// Why a view was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// The table was stopped, or the session has ended.
    Stopped,
    /// Its cell was run again, and has shown the table anew; this one may still be on another page.
    RunAgain,
}

impl Closed {
    /// As people read it.
    pub fn words(self) -> &'static str {
        match self {
            Closed::Stopped => "stopped",
            Closed::RunAgain => "no longer followed here, since the cell was run again",
        }
    }
}

/// The state behind a view: what the session keeps current and a front end reads.
pub trait PageSource: Send {
    /// A page of the current state.
    fn page(&self, request: &PageRequest) -> Page;

    /// The whole state as one line of JSON, under `name`:
    /// `{"table": name, "columns": [{"name", "type"}], "rows": [[…]], "errors": n}`; at most `limit` rows.
    fn json(&self, name: &str, limit: Option<usize>) -> String;
}

/// A table that is shown. Shared between the session, which moves it, and a front end, which draws it.
pub struct View {
    /// Unique in the session.
    pub id: u64,
    /// What it is of.
    pub kind: ViewKind,
    /// The table's name, or the pipeline's text.
    pub label: String,
    /// Rows to show at most, where the cell says so.
    pub limit: Option<usize>,
    /// Least time between two frames, where the cell says so.
    pub every: Option<Duration>,
    state: Mutex<ViewState>,
    moved: Condvar,
}

impl std::fmt::Debug for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("View").field("id", &self.id).field("kind", &self.kind).field("label", &self.label).finish()
    }
}

struct ViewState {
    version: u64,
    closed: Option<Closed>,
    source: Box<dyn PageSource>,
}

impl View {
    /// A view on `source`.
    pub fn new(id: u64, kind: ViewKind, label: String, source: Box<dyn PageSource>) -> Self {
        let state = ViewState { version: 0, closed: None, source };
        View { id, kind, label, limit: None, every: None, state: Mutex::new(state), moved: Condvar::new() }
    }

    /// Shows at most `limit` rows, and a new frame at most once in `every`.
    #[must_use]
    pub fn with_limits(self, limit: Option<usize>, every: Option<Duration>) -> Self {
        View { limit, every, ..self }
    }

    /// The whole current state as one line of JSON (see [`PageSource::json`]).
    pub fn json_line(&self) -> String {
        self.state.lock().source.json(&self.label, self.limit)
    }

    /// A page of the current state, with the version that it shows.
    pub fn page(&self, request: &PageRequest) -> (u64, Page) {
        let state = self.state.lock();
        (state.version, Page { closed: state.closed, ..state.source.page(request) })
    }

    /// Says that the state has moved, and wakes who waits.
    pub fn touch(&self) {
        self.state.lock().version += 1;
        self.moved.notify_all();
    }

    /// Replaces what stands behind the view (its table was redefined): the same display goes on with the new table.
    pub fn replace(&self, source: Box<dyn PageSource>) {
        let mut state = self.state.lock();
        state.source = source;
        state.version += 1;
        drop(state);
        self.moved.notify_all();
    }

    /// Ends the view: when it has said so, it will not move again. Its last state can still be read.
    pub fn close(&self, why: Closed) {
        let mut state = self.state.lock();
        state.closed = Some(why);
        state.version += 1;
        drop(state);
        self.moved.notify_all();
    }

    /// True once it will not move again.
    pub fn is_closed(&self) -> bool {
        self.state.lock().closed.is_some()
    }

    /// Waits until the view's version is past `seen`, it is closed, or `deadline`; gives the version.
    pub fn wait_past(&self, seen: u64, deadline: Instant) -> u64 {
        let mut state = self.state.lock();
        while state.version <= seen && state.closed.is_none() {
            if self.moved.wait_until(&mut state, deadline).timed_out() {
                break;
            }
        }
        state.version
    }
}
