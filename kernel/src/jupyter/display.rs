//! A view on screen: a first frame, then updates of it for as long as the view moves.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use jupyter_protocol::Header;
use serde_json::{Value, json};
use tidebook_session::View;

use super::message::publication;
use super::queue::Queue;
use crate::render;

/// The least time between two frames of a view that does not say otherwise.
const FRAME_INTERVAL: Duration = Duration::from_millis(200);

/// The mean bytes of HTML in a millisecond that a view may send: a large table moves less often, since front ends drop
/// what exceeds a rate.
const FRAME_BYTES_PER_MILLI: u64 = 256;

/// How often a follower looks whether the kernel has stopped.
const STOP_INTERVAL: Duration = Duration::from_secs(1);

/// What a display shows after [`Display::refresh`].
pub struct Refreshed {
    /// The version of the view that it shows.
    pub version: u64,
    /// The size of the frame that was drawn for it; 0 if none had to be.
    pub bytes: usize,
}

/// A view that a cell has shown.
#[derive(Clone)]
pub struct Display {
    view: Arc<View>,
    key: u64,
    id: String,
    parent: Header,
    queue: Arc<Queue>,
}

impl Display {
    /// Publishes the first frame of `view` as an output of the cell whose request has the header `parent`. `key` is
    /// unique in the kernel, `id` on the page.
    pub fn open(view: Arc<View>, key: u64, id: String, parent: &Header, queue: &Arc<Queue>) -> Self {
        let display = Display { view, key, id, parent: parent.clone(), queue: queue.clone() };
        let (version, content) = display.frame();
        queue.open_display(key, version);
        queue.push_output(publication("display_data", Some(parent), content));
        display
    }

    /// Follows the view on a thread of its own until the session closes it or the kernel stops.
    pub fn follow(&self) {
        let display = self.clone();
        let started = thread::Builder::new().name(format!("view {}", self.key)).spawn(move || display.keep_up());
        if let Err(error) = started {
            tracing::error!(%error, view = self.view.label, "cannot start a thread to follow a view: it will not move");
        }
    }

    /// Brings what is on screen up to the view's present state.
    pub fn refresh(&self) -> Refreshed {
        // Waiting for nothing is how to ask for the version.
        let present = self.view.wait_past(u64::MAX, Instant::now());
        match self.queue.shown_version(self.key) {
            Some(shown) if shown < present => {}
            shown => return Refreshed { version: shown.unwrap_or(present), bytes: 0 },
        }
        let (version, content) = self.frame();
        let bytes = content.pointer("/data/text~1html").and_then(Value::as_str).map_or(0, str::len);
        self.queue.push_frame(self.key, version, publication("update_display_data", Some(&self.parent), content));
        Refreshed { version, bytes }
    }

    fn keep_up(&self) {
        let interval = self.view.every.unwrap_or(Duration::ZERO).max(FRAME_INTERVAL);
        let mut seen = 0;
        while !self.queue.is_closed() {
            let closed = self.view.is_closed();
            let mut pause = interval;
            if self.view.wait_past(seen, Instant::now() + STOP_INTERVAL) > seen {
                let refreshed = self.refresh();
                seen = refreshed.version;
                pause = pause.max(Duration::from_millis(refreshed.bytes as u64 / FRAME_BYTES_PER_MILLI));
            }
            if closed {
                break;
            }
            self.rest(pause);
        }
        self.queue.end_display(self.key);
    }

    /// Passes `pause`, or less if the view is closed or the kernel stops. It does not wait on the view, since every
    /// movement of that would wake it.
    fn rest(&self, pause: Duration) {
        let until = Instant::now() + pause;
        while !self.view.is_closed() && !self.queue.is_closed() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            thread::sleep(left.min(FRAME_INTERVAL));
        }
    }

    fn frame(&self) -> (u64, Value) {
        let (version, frame) = render::frame(&self.view);
        let data = json!({"text/html": frame.html, "text/plain": frame.text});
        (version, json!({"data": data, "metadata": {}, "transient": {"display_id": self.id}}))
    }
}
