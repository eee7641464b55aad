//! Progress on standard error, when that is a terminal: one line that says what is being read, wiped before anything
//! else is written there.

use std::io::{IsTerminal, Write, stderr};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, Sender};
use tidebook_session::PageRequest;

use crate::notebook::record::Recorder;
use crate::render::value::{shortened, thousands, visible};

/// How often the line is drawn.
const INTERVAL: Duration = Duration::from_millis(250);

/// Returns to the beginning of a terminal's line and empties it.
const WIPE: &str = "\r\u{1b}[K";

/// The line, drawn by a thread of its own.
pub struct Progress(Option<(Sender<()>, JoinHandle<()>)>);

impl Progress {
    /// Begins to draw how far the tables of a run have come; draws nothing if nobody looks.
    pub fn start(recorders: Vec<Recorder>) -> Self {
        if !stderr().is_terminal() {
            return Progress(None);
        }
        let (sender, receiver) = crossbeam_channel::bounded(0);
        let spawned = thread::Builder::new().name("progress".to_string()).spawn(move || {
            while receiver.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                let mut err = stderr().lock();
                // A terminal that has gone away shows no progress; that is no failure of the run.
                let _ = write!(err, "{WIPE}{}", line(&recorders)).and_then(|()| err.flush());
            }
        });
        Progress(spawned.ok().map(|thread| (sender, thread)))
    }

    /// Wipes the line.
    pub fn finish(self) {
        if let Some((sender, thread)) = self.0 {
            drop(sender);
            if thread.join().is_err() {
                tracing::warn!("the thread that draws progress panicked");
            }
            print("");
        }
    }
}

/// Writes to standard error, over the line of progress.
pub fn print(text: &str) {
    let mut err = stderr().lock();
    let wipe = if err.is_terminal() { WIPE } else { "" };
    let _ = write!(err, "{wipe}{text}").and_then(|()| err.flush());
}

/// What is being read, and how many rows of it have been.
fn line(recorders: &[Recorder]) -> String {
    let request = PageRequest::default();
    let views = recorders.iter().flat_map(Recorder::views);
    let loading: Vec<String> = views
        .filter_map(|view| {
            let page = view.page(&request).1;
            let label = shortened(&visible(&view.label), 24);
            page.loading.then(|| format!("{label} {}", thousands(page.loaded_rows)))
        })
        .collect();
    match loading.as_slice() {
        [] => "running …".to_string(),
        some => format!("reading … {} rows", some[..some.len().min(3)].join(" · ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use tidebook_session::{CellOutput, Page, PageSource, View, ViewKind};

    struct Loading(bool);

    impl PageSource for Loading {
        fn page(&self, _request: &PageRequest) -> Page {
            Page { loading: self.0, loaded_rows: 12_345, ..Page::default() }
        }

        fn json(&self, _name: &str, _limit: Option<usize>) -> String {
            unreachable!("progress reads pages")
        }
    }

    #[test]
    fn only_what_is_being_read_is_named() {
        let recorder = Recorder::default();
        assert_eq!(line(std::slice::from_ref(&recorder)), "running …");
        for (id, (label, loading)) in [("orders", true), ("done", false), ("x\ny", true)].into_iter().enumerate() {
            let source = Box::new(Loading(loading));
            recorder.view(Arc::new(View::new(id as u64, ViewKind::Table, label.to_string(), source)));
        }
        assert_eq!(line(&[recorder]), "reading … orders 12,345 · x⏎y 12,345 rows");
    }
}
