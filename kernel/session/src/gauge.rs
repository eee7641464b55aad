//! What `%stats` shows: a view that a thread of its own draws anew as long as the session lives.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, Sender, bounded};
use parking_lot::Mutex;
use tidebook_plan::{ColumnType, Type};

use crate::session::Inner;
use crate::stats::{Line, Sample, lines};
use crate::view::{Closed, Page, PageColumn, PageRequest, PageSource, View, ViewKind};

/// How often figures are taken: rates are those of the time between.
const PAUSE: Duration = Duration::from_secs(1);

/// The figures that are shown, by the cell that shows them.
#[derive(Default)]
pub(crate) struct Gauges {
    shown: BTreeMap<String, Vec<(Arc<View>, Figures)>>,
    last: Option<Sample>,
    /// The thread ends when this is dropped.
    running: Option<Sender<()>>,
}

/// The lines of one view.
#[derive(Clone, Default)]
struct Figures(Arc<Mutex<Vec<Line>>>);

impl Gauges {
    /// Figures as they are now, for a cell; they move as long as `session` lives and the cell is not run again.
    ///
    /// # Errors
    /// Where the operating system gives no thread.
    pub(crate) fn show(
        &mut self,
        cell: &str,
        id: u64,
        lines: Vec<Line>,
        session: Weak<Mutex<Inner>>,
    ) -> std::io::Result<Arc<View>> {
        let figures = Figures(Arc::new(Mutex::new(lines)));
        let view = Arc::new(View::new(id, ViewKind::Stats, "%stats".to_string(), Box::new(figures.clone())));
        self.shown.entry(cell.to_string()).or_default().push((Arc::clone(&view), figures));
        if self.running.is_none() {
            let (running, ended) = bounded(0);
            thread::Builder::new().name("stats".to_string()).spawn(move || {
                while ended.recv_timeout(PAUSE) == Err(RecvTimeoutError::Timeout) {
                    let Some(inner) = session.upgrade() else { return };
                    // A cell that runs has the session; the next figures tell of the time since the last ones.
                    if let Some(mut inner) = inner.try_lock() {
                        inner.take_figures();
                    }
                }
            })?;
            self.running = Some(running);
        }
        Ok(view)
    }

    /// The cell runs again: what it showed moves no more.
    pub(crate) fn close(&mut self, cell: &str) {
        let left = self.shown.remove(cell).into_iter().flatten();
        left.for_each(|(view, _)| view.close(Closed::RunAgain));
    }

    /// Nothing moves any more.
    pub(crate) fn end(&mut self) {
        let all = std::mem::take(&mut self.shown).into_values().flatten();
        all.for_each(|(view, _)| view.close(Closed::Stopped));
        self.running = None;
    }

    /// True if somebody may look.
    fn is_shown(&self) -> bool {
        !self.shown.is_empty()
    }

    fn put(&self, lines: &[Line]) {
        for (view, figures) in self.shown.values().flatten() {
            if *figures.0.lock() != lines {
                *figures.0.lock() = lines.to_vec();
                view.touch();
            }
        }
    }
}

impl Inner {
    /// The figures as they are now, and what they are compared with the next time.
    pub(crate) fn figures(&mut self) -> Result<Vec<Line>, String> {
        let (lines, sample) = lines(self, self.gauges.last.as_ref())?;
        self.gauges.last = Some(sample);
        Ok(lines)
    }

    fn take_figures(&mut self) {
        if self.gauges.is_shown() {
            let lines = self.figures().unwrap_or_else(|why| vec![["engine".to_string(), "failed".to_string(), why]]);
            self.gauges.put(&lines);
        }
    }
}

impl PageSource for Figures {
    fn page(&self, request: &PageRequest) -> Page {
        let lines = self.0.lock();
        let rows = lines.iter().skip(request.offset).take(request.limit);
        let text = ColumnType::required(Type::Text);
        Page {
            columns: ["what", "state", "detail"]
                .map(|name| PageColumn { name: name.to_string(), ty: text.clone() })
                .to_vec(),
            rows: rows.map(|line| line.iter().cloned().map(Some).collect()).collect(),
            total: lines.len(),
            ..Page::default()
        }
    }

    fn json(&self, name: &str, limit: Option<usize>) -> String {
        let lines = self.0.lock();
        let rows: Vec<&Line> = lines.iter().take(limit.unwrap_or(usize::MAX)).collect();
        serde_json::json!({ "table": name, "rows": rows }).to_string()
    }
}
