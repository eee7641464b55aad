//! Running cells, one at a time, in the order of their requests.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;
use jupyter_protocol::JupyterMessage;
use serde_json::{Value, json};
use tidebook_session::{CellFailure, CellRequest, FailureKind};
use tokio::sync::mpsc::UnboundedSender;

use super::kernel::Kernel;
use super::message::{Request, publication};
use super::output::ExecutionOutput;

/// How long after a failure requests are still taken to have been sent before it was known. The failure's reply waits
/// for the end of that time, so that what is sent in answer to the reply is never aborted.
const ABORT_WINDOW: Duration = Duration::from_millis(40);

/// A request to run a cell, and the way back by the channel that it came on: most clients use shell, and one that uses
/// control is not left waiting.
pub struct Asked {
    /// What is to be run.
    pub request: Request,
    /// Where the reply goes.
    pub replies: UnboundedSender<JupyterMessage>,
}

/// Runs the cells that come in until no more can come.
pub fn run_cells(kernel: &Kernel, requests: &Receiver<Asked>) {
    let mut waiting: VecDeque<Asked> = VecDeque::new();
    while let Some(Asked { request, replies }) = waiting.pop_front().or_else(|| requests.recv().ok()) {
        // Before the cell is known to be busy: whoever interrupts it does so after that.
        kernel.host.ready();
        kernel.status("busy", &request);
        let reply = execute(kernel, &request);
        let failed = reply.get("status").and_then(Value::as_str) == Some("error");
        let abort = failed && request.flag("stop_on_error", true);
        if abort {
            let until = Instant::now() + ABORT_WINDOW;
            while let Ok(asked) = requests.recv_deadline(until) {
                waiting.push_back(asked);
            }
        }
        kernel.reply(&replies, request.reply(reply));
        kernel.status("idle", &request);
        if abort {
            for Asked { request, replies } in waiting.drain(..) {
                kernel.status("busy", &request);
                // No count: front ends would show it beside a cell that never ran.
                let reply = json!({"status": "aborted"});
                kernel.reply(&replies, request.reply(reply));
                kernel.status("idle", &request);
            }
        }
    }
}

/// Runs one cell; gives the content of the reply.
fn execute(kernel: &Kernel, request: &Request) -> Value {
    let code = request.text("code");
    let silent = request.flag("silent", false);
    let stored = !silent && request.flag("store_history", true);
    let count = if stored { kernel.history.lock().push(code) } else { kernel.history.lock().len() };
    if !silent {
        let content = json!({"code": code, "execution_count": count});
        kernel.queue.push(publication("execute_input", Some(&request.header), content));
    }
    let cell = CellRequest { cell: cell_identity(request), name: format!("cell {count}"), text: code.to_string() };
    let output = ExecutionOutput::new(kernel, &request.header, count, silent);
    let result = if code.trim().is_empty() {
        Ok(())
    } else {
        catch_unwind(AssertUnwindSafe(|| kernel.host.run(&cell, &output))).unwrap_or_else(|_| Err(panicked()))
    };
    let payload = output.finish();
    match result {
        Ok(()) => {
            let asked = expressions(kernel, request);
            json!({"status": "ok", "execution_count": count, "user_expressions": asked, "payload": payload})
        }
        Err(failure) => {
            let mut error = described(&failure);
            if !silent {
                kernel.queue.push(publication("error", Some(&request.header), error.clone()));
            }
            error["status"] = json!("error");
            error["execution_count"] = json!(count);
            error["user_expressions"] = json!({});
            error["payload"] = json!(payload);
            error
        }
    }
}

/// What became of each of a request's `user_expressions`, which see what the cell has defined.
fn expressions(kernel: &Kernel, request: &Request) -> Value {
    let asked = request.content.get("user_expressions").and_then(Value::as_object);
    let answered = asked.into_iter().flatten().map(|(name, expression)| {
        let evaluated =
            catch_unwind(AssertUnwindSafe(|| kernel.host.evaluate(expression.as_str().unwrap_or_default())));
        let answer = match evaluated.unwrap_or_else(|_| Err(panicked())) {
            Ok(value) => json!({"status": "ok", "data": {"text/plain": value}, "metadata": {}}),
            Err(failure) => {
                let mut error = described(&failure);
                error["status"] = json!("error");
                error
            }
        };
        (name.clone(), answer)
    });
    Value::Object(answered.collect())
}

/// A failure in the protocol's words.
fn described(failure: &CellFailure) -> Value {
    json!({
        "ename": failure.kind.name(),
        "evalue": failure.message,
        "traceback": failure.ansi.lines().collect::<Vec<_>>(),
    })
}

/// The cell that a request comes from: the front end's id for it, or else an identity of its own.
fn cell_identity(request: &Request) -> String {
    let ids = ["cellId", "cell_id"].into_iter();
    let id = ids.filter_map(|name| request.metadata.get(name).and_then(Value::as_str)).find(|id| !id.is_empty());
    id.unwrap_or(&request.header.msg_id).to_string()
}

/// What a cell gives whose thread has panicked; the panic itself is on standard error.
fn panicked() -> CellFailure {
    let message = "the cell broke an invariant of Tidebook; the kernel's log has the details".to_string();
    CellFailure {
        kind: FailureKind::Runtime,
        text: message.clone(),
        ansi: message.clone(),
        html: format!("<pre>{}</pre>", tidebook_plan::diagnostic::escape_html(&message)),
        message,
        diagnostics: Vec::new(),
    }
}
