//! Keeps what a cell gives, to be written into a notebook or printed once the run is over.

use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::{Value, json};
use tidebook_session::{CellFailure, CellOutput, Markup, Stream, View};

use crate::render;

/// One output of a cell.
#[derive(Clone)]
pub enum Recorded {
    /// Text on a stream.
    Text(Stream, String),
    /// A table, read when the record is.
    View(Arc<View>),
    /// A schema, a plan, …
    Markup(Markup),
    /// The cell's value.
    Value(String),
}

/// Records the outputs of one cell. Clones share one record.
#[derive(Clone, Default)]
pub struct Recorder {
    state: Arc<Mutex<State>>,
    /// Called with what is text as soon as it comes.
    echo: Option<fn(&str)>,
}

#[derive(Default)]
struct State {
    outputs: Vec<Recorded>,
    /// The next output replaces all before it.
    clear_next: bool,
}

impl Recorder {
    /// A recorder that also passes text on to `echo` as it comes.
    pub fn with_echo(echo: fn(&str)) -> Self {
        Recorder { echo: Some(echo), ..Recorder::default() }
    }

    /// The tables that the cell shows, in order.
    pub fn views(&self) -> Vec<Arc<View>> {
        let views = self
            .state
            .lock()
            .outputs
            .iter()
            .filter_map(|output| match output {
                Recorded::View(view) => Some(view.clone()),
                _ => None,
            })
            .collect();
        views
    }

    /// The cell's outputs as a notebook keeps them.
    pub fn notebook_outputs(&self, execution_count: usize, failure: Option<&CellFailure>) -> Vec<Value> {
        let recorded = self.state.lock().outputs.clone();
        let mut outputs: Vec<Value> = recorded
            .into_iter()
            .map(|output| match output {
                Recorded::Text(stream, text) => {
                    let name = if stream == Stream::Out { "stdout" } else { "stderr" };
                    json!({"output_type": "stream", "name": name, "text": lines(&text)})
                }
                Recorded::View(view) => {
                    let (_, frame) = render::frame(&view);
                    display(&frame.html, &frame.text)
                }
                Recorded::Markup(markup) => display(&markup.html, &markup.text),
                Recorded::Value(text) => json!({
                    "output_type": "execute_result",
                    "execution_count": execution_count,
                    "data": {"text/plain": lines(&text)},
                    "metadata": {},
                }),
            })
            .collect();
        outputs.extend(failure.map(|failure| {
            json!({
                "output_type": "error",
                "ename": failure.kind.name(),
                "evalue": failure.message,
                "traceback": failure.ansi.lines().collect::<Vec<_>>(),
            })
        }));
        outputs
    }

    fn record(&self, output: Recorded) {
        let mut state = self.state.lock();
        if std::mem::take(&mut state.clear_next) {
            state.outputs.clear();
        }
        match (state.outputs.last_mut(), output) {
            (Some(Recorded::Text(last, before)), Recorded::Text(stream, text)) if *last == stream => {
                before.push_str(&text);
            }
            (_, output) => state.outputs.push(output),
        }
    }

    fn echo(&self, text: &str) {
        if let Some(echo) = self.echo {
            echo(text);
        }
    }
}

impl CellOutput for Recorder {
    fn stream(&self, stream: Stream, text: &str) {
        self.echo(text);
        self.record(Recorded::Text(stream, text.to_string()));
    }

    fn view(&self, view: Arc<View>) {
        self.record(Recorded::View(view));
    }

    fn markup(&self, markup: Markup) {
        self.echo(&format!("{}\n", markup.text));
        self.record(Recorded::Markup(markup));
    }

    fn value(&self, text: &str) {
        self.echo(&format!("{text}\n"));
        self.record(Recorded::Value(text.to_string()));
    }

    fn page(&self, markup: Markup) {
        // A pager's text is no output of the cell: a notebook does not keep it.
        self.echo(&format!("{}\n", markup.text));
    }

    fn clear(&self, wait: bool) {
        let mut state = self.state.lock();
        state.clear_next = wait;
        if !wait {
            state.outputs.clear();
        }
    }
}

fn display(html: &str, text: &str) -> Value {
    let data = json!({"text/html": lines(html), "text/plain": lines(text)});
    json!({"output_type": "display_data", "data": data, "metadata": {}})
}

/// Text as notebooks keep it: a list of lines, each with its end.
fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidebook_session::FailureKind;

    fn markup(text: &str) -> Markup {
        Markup { text: text.to_string(), html: format!("<p>{text}</p>") }
    }

    #[test]
    fn outputs_have_the_forms_of_the_file_format() {
        let recorder = Recorder::default();
        recorder.stream(Stream::Out, "a\nb");
        recorder.stream(Stream::Out, "c\n");
        recorder.stream(Stream::Err, "d");
        recorder.markup(markup("schema"));
        recorder.value("3");
        recorder.page(markup("help"));
        let failure = CellFailure {
            kind: FailureKind::Expectation,
            message: "not empty".to_string(),
            text: "not empty\n  row 1".to_string(),
            ansi: "\u{1b}[1mnot empty\u{1b}[0m\n  row 1".to_string(),
            html: String::new(),
            diagnostics: Vec::new(),
        };
        let expected = json!([
            {"output_type": "stream", "name": "stdout", "text": ["a\n", "bc\n"]},
            {"output_type": "stream", "name": "stderr", "text": ["d"]},
            {"output_type": "display_data", "data": {"text/html": ["<p>schema</p>"], "text/plain": ["schema"]}, "metadata": {}},
            {"output_type": "execute_result", "execution_count": 4, "data": {"text/plain": ["3"]}, "metadata": {}},
            {"output_type": "error", "ename": "ExpectationError", "evalue": "not empty", "traceback": ["\u{1b}[1mnot empty\u{1b}[0m", "  row 1"]},
        ]);
        assert_eq!(Value::Array(recorder.notebook_outputs(4, Some(&failure))), expected);
    }

    #[test]
    fn clearing_with_wait_keeps_the_outputs_until_the_next() {
        let recorder = Recorder::default();
        recorder.value("1");
        recorder.clear(true);
        assert_eq!(recorder.notebook_outputs(1, None).len(), 1);
        recorder.value("2");
        let outputs = recorder.notebook_outputs(1, None);
        assert_eq!(outputs.len(), 1);
        assert_eq!(outputs[0].pointer("/data/text~1plain/0"), Some(&json!("2")));
        recorder.clear(false);
        assert!(recorder.notebook_outputs(1, None).is_empty());
    }
}
