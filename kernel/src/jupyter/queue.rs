//! What is to be published, in order.
//!
//! Subscribers may be slower than cells, so what waits must stay bounded without losing what matters: messages are kept,
//! each one; text on a stream is merged; of a display's frames only the latest is kept. A frame or a text keeps the place
//! of the first one that it replaces, so that both are published before the idle status that follows them.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use jupyter_protocol::{Header, JupyterMessage};
use parking_lot::{Condvar, Mutex};
use serde_json::json;
use tidebook_session::Stream;
use tokio::sync::Notify;

use super::message::publication;

/// How long text waits for more of it, unless something else waits behind it.
const TEXT_PATIENCE: Duration = Duration::from_millis(50);

/// Bytes of text that one message carries at most, more or less.
const TEXT_CHUNK: usize = 256 << 10;

/// Beyond this many entries or bytes of text a cell that gives more output has to wait.
const MAX_ENTRIES: usize = 4096;
const MAX_TEXT: usize = 16 << 20;

/// Something to publish now.
#[derive(Debug)]
pub enum Outgoing {
    /// A message that must not be lost.
    Message(JupyterMessage),
    /// The latest frame of a display: one that comes later may take its place.
    Frame {
        /// Which display.
        display: u64,
        /// The update.
        message: JupyterMessage,
    },
}

/// What a look at the queue finds.
#[derive(Debug)]
pub enum Next {
    /// This is to be published now.
    Ready(Outgoing),
    /// Nothing before this moment, unless more comes.
    Wait(Instant),
    /// Nothing until more comes.
    Empty,
    /// Nothing, and nothing will come.
    Closed,
}

/// The queue. Any thread may put something in; one task takes out.
#[derive(Debug, Default)]
pub struct Queue {
    state: Mutex<State>,
    filled: Notify,
    emptied: Condvar,
}

#[derive(Debug, Default)]
struct State {
    entries: VecDeque<Entry>,
    frames: HashMap<u64, Slot>,
    text_bytes: usize,
    closed: bool,
}

#[derive(Debug)]
enum Entry {
    Message(JupyterMessage),
    Text {
        parent: Header,
        stream: Stream,
        text: String,
        ready: Instant,
    },
    /// The place of a display's latest frame, which is in its slot.
    Frame(u64),
}

/// The latest-value slot of a display.
#[derive(Debug)]
struct Slot {
    version: u64,
    pending: Option<JupyterMessage>,
    ended: bool,
}

impl Queue {
    /// Appends a message that must not be lost. Never waits.
    pub fn push(&self, message: JupyterMessage) {
        self.state.lock().entries.push_back(Entry::Message(message));
        self.filled.notify_one();
    }

    /// Appends an output of a cell; waits while the queue is full.
    pub fn push_output(&self, message: JupyterMessage) {
        let mut state = self.state.lock();
        self.wait_for_room(&mut state);
        state.entries.push_back(Entry::Message(message));
        drop(state);
        self.filled.notify_one();
    }

    /// Appends text on a stream, merged with the text before it; waits while the queue is full.
    pub fn push_text(&self, parent: &Header, stream: Stream, text: &str, now: Instant) {
        let mut state = self.state.lock();
        self.wait_for_room(&mut state);
        state.text_bytes += text.len();
        match state.entries.back_mut() {
            Some(Entry::Text { parent: last, stream: same, text: waiting, .. })
                if last.msg_id == parent.msg_id && *same == stream && waiting.len() + text.len() <= TEXT_CHUNK =>
            {
                waiting.push_str(text);
            }
            _ => state.entries.push_back(Entry::Text {
                parent: parent.clone(),
                stream,
                text: text.to_string(),
                ready: now + TEXT_PATIENCE,
            }),
        }
        drop(state);
        self.filled.notify_one();
    }

    /// Makes the slot of a display whose first output shows `version`.
    pub fn open_display(&self, display: u64, version: u64) {
        self.state.lock().frames.insert(display, Slot { version, pending: None, ended: false });
    }

    /// The latest version that a display's outputs show; `None` if it has ended.
    pub fn shown_version(&self, display: u64) -> Option<u64> {
        self.state.lock().frames.get(&display).map(|slot| slot.version)
    }

    /// Makes `message` the latest frame of a display, unless it has ended or shows this version or a later one already.
    pub fn push_frame(&self, display: u64, version: u64, message: JupyterMessage) {
        let mut state = self.state.lock();
        let Some(slot) = state.frames.get_mut(&display) else { return };
        if slot.version >= version {
            return;
        }
        slot.version = version;
        if slot.pending.replace(message).is_none() {
            state.entries.push_back(Entry::Frame(display));
        }
        drop(state);
        self.filled.notify_one();
    }

    /// Frees the slot of a display once its last frame has been taken.
    pub fn end_display(&self, display: u64) {
        let mut state = self.state.lock();
        if let Some(slot) = state.frames.get_mut(&display) {
            slot.ended = true;
            if slot.pending.is_none() {
                state.frames.remove(&display);
            }
        }
    }

    /// Nothing more will come; what is there is still published.
    pub fn close(&self) {
        self.state.lock().closed = true;
        self.filled.notify_one();
        self.emptied.notify_all();
    }

    /// True after [`Queue::close`].
    pub fn is_closed(&self) -> bool {
        self.state.lock().closed
    }

    /// Takes the next thing, if it is time for it.
    pub fn take(&self, now: Instant) -> Next {
        let mut state = self.state.lock();
        let alone = state.entries.len() == 1 && !state.closed;
        let outgoing = match state.entries.pop_front() {
            None if state.closed => return Next::Closed,
            None => return Next::Empty,
            Some(Entry::Text { parent, stream, text, ready }) if alone && ready > now && text.len() < TEXT_CHUNK => {
                state.entries.push_front(Entry::Text { parent, stream, text, ready });
                return Next::Wait(ready);
            }
            Some(Entry::Text { parent, stream, text, .. }) => {
                state.text_bytes -= text.len();
                let name = match stream {
                    Stream::Out => "stdout",
                    Stream::Err => "stderr",
                };
                Outgoing::Message(publication("stream", Some(&parent), json!({"name": name, "text": text})))
            }
            Some(Entry::Message(message)) => Outgoing::Message(message),
            Some(Entry::Frame(display)) => {
                let Some(slot) = state.frames.get_mut(&display) else {
                    unreachable!("a frame's place in the queue has a slot");
                };
                let Some(message) = slot.pending.take() else {
                    unreachable!("a frame's place in the queue has a pending frame");
                };
                if slot.ended {
                    state.frames.remove(&display);
                }
                Outgoing::Frame { display, message }
            }
        };
        drop(state);
        self.emptied.notify_all();
        Next::Ready(outgoing)
    }

    /// Waits for the next thing to publish; `None` once the queue is closed and empty. Nothing is lost if the wait is
    /// given up.
    pub async fn next(&self) -> Option<Outgoing> {
        loop {
            match self.take(Instant::now()) {
                Next::Ready(outgoing) => return Some(outgoing),
                Next::Closed => return None,
                Next::Empty => self.filled.notified().await,
                Next::Wait(until) => {
                    tokio::select! {
                        () = self.filled.notified() => {}
                        () = tokio::time::sleep_until(until.into()) => {}
                    }
                }
            }
        }
    }

    fn wait_for_room(&self, state: &mut parking_lot::MutexGuard<'_, State>) {
        while !state.closed && (state.entries.len() >= MAX_ENTRIES || state.text_bytes >= MAX_TEXT) {
            self.emptied.wait(state);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jupyter_protocol::JupyterMessageContent;

    fn header(id: &str) -> Header {
        Header {
            msg_id: id.to_string(),
            username: String::new(),
            session: String::new(),
            date: chrono::Utc::now(),
            msg_type: "execute_request".to_string(),
            version: "5.4".to_string(),
        }
    }

    fn named(name: &str) -> JupyterMessage {
        publication("status", None, json!({"name": name}))
    }

    fn content(message: &JupyterMessage) -> serde_json::Value {
        let JupyterMessageContent::UnknownMessage(unknown) = &message.content else { panic!("built as unknown") };
        unknown.content.clone()
    }

    /// Takes all that is ready at `now`.
    fn drain(queue: &Queue, now: Instant) -> Vec<serde_json::Value> {
        let mut taken = Vec::new();
        while let Next::Ready(outgoing) = queue.take(now) {
            taken.push(match outgoing {
                Outgoing::Message(message) | Outgoing::Frame { message, .. } => content(&message),
            });
        }
        taken
    }

    #[test]
    fn text_waits_for_more_and_is_merged() {
        let (queue, now) = (Queue::default(), Instant::now());
        queue.push_text(&header("a"), Stream::Out, "x", now);
        assert!(matches!(queue.take(now), Next::Wait(until) if until == now + TEXT_PATIENCE));
        queue.push_text(&header("a"), Stream::Out, "y", now);
        assert_eq!(drain(&queue, now + TEXT_PATIENCE), vec![json!({"name": "stdout", "text": "xy"})]);
    }

    #[test]
    fn text_does_not_wait_when_something_is_behind_it() {
        let (queue, now) = (Queue::default(), Instant::now());
        queue.push_text(&header("a"), Stream::Out, "x", now);
        queue.push_text(&header("a"), Stream::Err, "y", now);
        queue.push_text(&header("b"), Stream::Err, "z", now);
        queue.push(named("idle"));
        let expected = vec![
            json!({"name": "stdout", "text": "x"}),
            json!({"name": "stderr", "text": "y"}),
            json!({"name": "stderr", "text": "z"}),
            json!({"name": "idle"}),
        ];
        assert_eq!(drain(&queue, now), expected);
    }

    #[test]
    fn only_the_latest_frame_is_kept_in_the_place_of_the_first() {
        let (queue, now) = (Queue::default(), Instant::now());
        queue.open_display(7, 0);
        queue.push_frame(7, 1, named("v1"));
        queue.push(named("idle"));
        queue.push_frame(7, 3, named("v3"));
        queue.push_frame(7, 2, named("v2, rendered before and late"));
        assert_eq!(drain(&queue, now), vec![json!({"name": "v3"}), json!({"name": "idle"})]);
        queue.push_frame(7, 3, named("v3 again"));
        assert!(matches!(queue.take(now), Next::Empty));
    }

    #[test]
    fn ended_displays_leave_nothing_behind() {
        let (queue, now) = (Queue::default(), Instant::now());
        queue.open_display(7, 0);
        queue.push_frame(7, 1, named("v1"));
        queue.end_display(7);
        assert_eq!(drain(&queue, now), vec![json!({"name": "v1"})]);
        queue.open_display(8, 0);
        queue.push_frame(8, 1, named("v1"));
        drain(&queue, now);
        queue.end_display(8);
        assert!(queue.state.lock().frames.is_empty());
    }

    #[test]
    fn a_full_queue_makes_outputs_wait_but_not_statuses() {
        let queue = std::sync::Arc::new(Queue::default());
        for _ in 0..MAX_ENTRIES {
            queue.push(named("fill"));
        }
        queue.push(named("status"));
        let (sender, receiver) = crossbeam_channel::bounded(1);
        let other = queue.clone();
        let writer = std::thread::spawn(move || {
            other.push_output(named("output"));
            sender.send(()).unwrap();
        });
        assert!(receiver.try_recv().is_err(), "the writer must wait for room");
        let taken = drain(&queue, Instant::now());
        receiver.recv_timeout(Duration::from_secs(10)).unwrap();
        writer.join().unwrap();
        let rest = drain(&queue, Instant::now());
        assert_eq!(taken.len() + rest.len(), MAX_ENTRIES + 2);
    }

    #[test]
    fn a_closed_queue_gives_what_it_holds_and_then_ends() {
        let (queue, now) = (Queue::default(), Instant::now());
        queue.push_text(&header("a"), Stream::Out, "x", now);
        queue.close();
        assert_eq!(drain(&queue, now), vec![json!({"name": "stdout", "text": "x"})]);
        assert!(matches!(queue.take(now), Next::Closed));
    }
}
