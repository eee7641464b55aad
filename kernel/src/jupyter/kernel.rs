//! What the kernel answers. One value shared by the threads that take requests; it holds no socket.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jupyter_protocol::JupyterMessage;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedSender;
use uuid::Uuid;

use super::comm::Comms;
use super::history::History;
use super::message::{PROTOCOL_VERSION, Request, publication};
use super::position::{to_bytes, to_points};
use super::queue::Queue;
use super::server::Stop;
use crate::host::{Completeness, Host};
use crate::language;

/// The kernel's state.
pub struct Kernel {
    /// Runs the cells.
    pub host: Arc<dyn Host>,
    /// What is to be published.
    pub queue: Arc<Queue>,
    /// The inputs so far; their number is the execution count.
    pub history: Mutex<History>,
    /// Ends the kernel.
    pub stop: Stop,
    id: Uuid,
    comms: Comms,
    displays: AtomicU64,
}

impl Kernel {
    /// A kernel over `host` that publishes through `queue`.
    pub fn new(host: Arc<dyn Host>, queue: Arc<Queue>, history: History, stop: Stop) -> Self {
        let (id, comms, displays) = (Uuid::new_v4(), Comms::default(), AtomicU64::new(0));
        Kernel { host, queue, history: Mutex::new(history), stop, id, comms, displays }
    }

    /// A number for a new display, and the id that front ends know it by: unlike any of an earlier kernel, whose outputs
    /// may still be on the page.
    pub fn next_display(&self) -> (u64, String) {
        let key = self.displays.fetch_add(1, Ordering::Relaxed);
        (key, format!("tidebook-{}-{key}", self.id))
    }

    /// Publishes that the kernel is busy with `request`, or idle after it.
    pub fn status(&self, state: &str, request: &Request) {
        self.queue.push(publication("status", Some(&request.header), json!({"execution_state": state})));
    }

    /// Hands a reply to the channel that its request came on.
    pub fn reply(&self, replies: &UnboundedSender<JupyterMessage>, reply: JupyterMessage) {
        if replies.send(reply).is_err() {
            tracing::debug!("a reply came after the channel was closed");
        }
    }

    /// Answers any request but one to run a cell: busy, the work, the reply, idle.
    pub fn handle(&self, request: &Request, replies: &UnboundedSender<JupyterMessage>) {
        self.status("busy", request);
        let answer = catch_unwind(AssertUnwindSafe(|| self.answer(request))).unwrap_or_else(|_| {
            Some(error("InternalError", "the request broke an invariant of Tidebook; the kernel's log has the details"))
        });
        if let Some(content) = answer {
            self.reply(replies, request.reply(content));
        }
        self.status("idle", request);
        if request.kind() == "shutdown_request" {
            self.stop.stop();
        }
    }

    /// The work that a request asks for, and the content of its reply if it has one.
    fn answer(&self, request: &Request) -> Option<Value> {
        Some(match request.kind() {
            "kernel_info_request" => self.kernel_info(),
            "complete_request" => self.complete(request),
            "inspect_request" => self.inspect(request),
            "is_complete_request" => match self.host.is_complete(request.text("code")) {
                Completeness::Complete => json!({"status": "complete"}),
                Completeness::Incomplete { indent } => json!({"status": "incomplete", "indent": indent}),
                Completeness::Invalid => json!({"status": "invalid"}),
            },
            "history_request" => {
                json!({"status": "ok", "history": self.history.lock().answer(&request.content)})
            }
            "comm_info_request" => {
                json!({"status": "ok", "comms": self.comms.info(request.text("target_name"))})
            }
            "comm_open" | "comm_msg" | "comm_close" => {
                if let Some(message) = self.comms.receive(request) {
                    self.queue.push(message);
                }
                return None;
            }
            "interrupt_request" => {
                self.host.interrupt();
                json!({"status": "ok"})
            }
            "shutdown_request" => {
                self.host.interrupt();
                let content = json!({"status": "ok", "restart": request.flag("restart", false)});
                // Other clients of the kernel learn of it on iopub.
                self.queue.push(publication("shutdown_reply", Some(&request.header), content.clone()));
                content
            }
            // A later version of the protocol may have it, and an answer in a form that nobody has agreed on helps nobody.
            kind => {
                tracing::warn!(kind, "ignored a message of an unknown type");
                return None;
            }
        })
    }

    fn kernel_info(&self) -> Value {
        let version = env!("CARGO_PKG_VERSION");
        json!({
            "status": "ok",
            "protocol_version": PROTOCOL_VERSION,
            "implementation": "tidebook",
            "implementation_version": version,
            "language_info": language::language_info(&self.host.language_version()),
            "banner": format!("Tidebook {version}: tables that keep moving. `%help` explains."),
            "help_links": [],
            "debugger": false,
            "supported_features": [],
        })
    }

    fn complete(&self, request: &Request) -> Value {
        let code = request.text("code");
        let completion = self.host.complete(code, cursor(request));
        let (start, end) = (to_points(code, completion.start), to_points(code, completion.end));
        let types: Vec<Value> = completion
            .items
            .iter()
            .map(|item| {
                json!({
                    "start": start,
                    "end": end,
                    "text": item.label,
                    "type": item.kind,
                    "signature": item.detail,
                    "documentation": item.doc,
                })
            })
            .collect();
        json!({
            "status": "ok",
            "matches": completion.items.iter().map(|item| item.label.as_str()).collect::<Vec<_>>(),
            "cursor_start": start,
            "cursor_end": end,
            "metadata": {"_jupyter_types_experimental": types},
        })
    }

    fn inspect(&self, request: &Request) -> Value {
        let detailed = request.number("detail_level").unwrap_or(0) > 0;
        let found = self.host.inspect(request.text("code"), cursor(request), detailed);
        let data = found.as_ref().map_or_else(
            || json!({}),
            |found| json!({"text/html": found.html, "text/markdown": found.markdown, "text/plain": found.text}),
        );
        json!({"status": "ok", "found": found.is_some(), "data": data, "metadata": {}})
    }
}

/// The byte offset of a request's cursor: the end of the text where none is given.
fn cursor(request: &Request) -> usize {
    let points = request.number("cursor_pos").and_then(|points| usize::try_from(points).ok());
    to_bytes(request.text("code"), points.unwrap_or(usize::MAX))
}

fn error(name: &str, value: &str) -> Value {
    json!({"status": "error", "ename": name, "evalue": value, "traceback": []})
}
