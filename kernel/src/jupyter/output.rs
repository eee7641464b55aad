//! What a running cell gives, as messages.

use std::sync::Arc;
use std::time::Instant;

use jupyter_protocol::Header;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tidebook_session::{CellOutput, Markup, Stream, View};

use super::display::Display;
use super::kernel::Kernel;
use super::message::publication;

/// The outputs of one execution. A silent one publishes nothing.
pub struct ExecutionOutput<'a> {
    kernel: &'a Kernel,
    parent: &'a Header,
    count: usize,
    silent: bool,
    displays: Mutex<Vec<Display>>,
    payload: Mutex<Vec<Value>>,
}

impl<'a> ExecutionOutput<'a> {
    /// Outputs of the execution that `parent` asks for.
    pub fn new(kernel: &'a Kernel, parent: &'a Header, count: usize, silent: bool) -> Self {
        ExecutionOutput { kernel, parent, count, silent, displays: Mutex::default(), payload: Mutex::default() }
    }

    /// Brings every display up to date, so that a client that reads until the idle status has the caught-up tables;
    /// gives the payload of the reply.
    pub fn finish(self) -> Vec<Value> {
        for display in self.displays.into_inner() {
            display.refresh();
        }
        self.payload.into_inner()
    }

    fn publish(&self, kind: &str, content: Value) {
        if !self.silent {
            self.kernel.queue.push_output(publication(kind, Some(self.parent), content));
        }
    }
}

impl CellOutput for ExecutionOutput<'_> {
    fn stream(&self, stream: Stream, text: &str) {
        if !self.silent {
            self.kernel.queue.push_text(self.parent, stream, text, Instant::now());
        }
    }

    fn view(&self, view: Arc<View>) {
        if self.silent {
            return;
        }
        let (key, id) = self.kernel.next_display();
        let display = Display::open(view, key, id, self.parent, &self.kernel.queue);
        display.follow();
        self.displays.lock().push(display);
    }

    fn markup(&self, markup: Markup) {
        self.publish("display_data", json!({"data": bundle(&markup), "metadata": {}, "transient": {}}));
    }

    fn value(&self, text: &str) {
        let data = json!({"text/plain": text});
        self.publish("execute_result", json!({"execution_count": self.count, "data": data, "metadata": {}}));
    }

    fn page(&self, markup: Markup) {
        self.payload.lock().push(json!({"source": "page", "data": bundle(&markup), "start": 0}));
    }

    fn clear(&self, wait: bool) {
        self.publish("clear_output", json!({"wait": wait}));
    }
}

/// A markup in its two forms.
pub fn bundle(markup: &Markup) -> Value {
    json!({"text/html": markup.html, "text/plain": markup.text})
}
