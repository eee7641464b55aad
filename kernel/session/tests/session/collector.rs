//! A front end that keeps what cells give.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tidebook_session::{
    CellFailure, CellOutput, CellRequest, Markup, Page, PageRequest, Session, SessionOptions, Stream, View,
};

/// The longest that a test waits for anything.
const PATIENCE: Duration = Duration::from_secs(30);

/// Keeps views and texts.
#[derive(Default)]
pub struct Collector {
    pub views: Mutex<Vec<Arc<View>>>,
    pub text: Mutex<String>,
}

impl CellOutput for Collector {
    fn stream(&self, _stream: Stream, text: &str) {
        self.text.lock().push_str(text);
    }

    fn view(&self, view: Arc<View>) {
        self.views.lock().push(view);
    }

    fn markup(&self, markup: Markup) {
        self.text.lock().push_str(&format!("{}\n", markup.text));
    }

    fn value(&self, text: &str) {
        self.text.lock().push_str(text);
    }

    fn page(&self, markup: Markup) {
        self.text.lock().push_str(&markup.text);
    }

    fn clear(&self, _wait: bool) {
        self.text.lock().clear();
    }
}

/// A session with relative paths in `base`.
pub fn session(base: &Path, workers: usize) -> Session {
    Session::start(SessionOptions { workers, base: base.to_path_buf(), parameters: Vec::new() }).unwrap()
}

/// Runs a cell and gives its views.
pub fn run(session: &Session, cell: &str, text: &str) -> Result<Vec<Arc<View>>, CellFailure> {
    let collector = Collector::default();
    let request = CellRequest { cell: cell.to_string(), name: cell.to_string(), text: text.to_string() };
    session.run(&request, &collector)?;
    Ok(collector.views.into_inner())
}

/// All rows of a view, cells joined by a space, `∅` for null.
pub fn rows(view: &View) -> Vec<String> {
    page(view).rows.into_iter().map(joined).collect()
}

/// A first page of a view that holds a small table whole.
pub fn page(view: &View) -> Page {
    view.page(&PageRequest { limit: 100_000, ..PageRequest::default() }).1
}

fn joined(row: Vec<Option<String>>) -> String {
    row.into_iter().map(|cell| cell.unwrap_or_else(|| "∅".to_string())).collect::<Vec<_>>().join(" ")
}

/// Waits until `done` is true of the view's page.
pub fn wait_for(view: &View, done: impl Fn(&Page) -> bool) -> Page {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let (seen, page) = view.page(&PageRequest { limit: 100_000, ..PageRequest::default() });
        if done(&page) {
            return page;
        }
        assert!(Instant::now() < deadline, "the view did not get there: {page:?}");
        view.wait_past(seen, deadline);
    }
}
