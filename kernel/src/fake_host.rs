//! A host that a test controls. Its cells are lines of `verb argument`.

use std::sync::Arc;

use parking_lot::{Condvar, Mutex};
use tidebook_plan::{ColumnType, Diagnostic, Span, Type};
use tidebook_session::{
    CellFailure, CellOutput, CellRequest, FailureKind, Inspected, Markup, Page, PageColumn, PageRequest, PageSource,
    Standing, Stream, Verdict, View, ViewKind,
};

use crate::host::{Completeness, Completion, CompletionItem, HeadlessOptions, Host};

/// The host.
#[derive(Default)]
pub struct FakeHost {
    state: Mutex<State>,
    changed: Condvar,
}

/// What has happened so far.
#[derive(Default)]
pub struct State {
    /// Identity and name of every cell that has run.
    pub cells: Vec<(String, String)>,
    /// Every view that a cell has shown.
    pub views: Vec<Arc<View>>,
    /// True once the kernel has shut the host down.
    pub is_down: bool,
    interrupted: bool,
    gate_open: bool,
}

/// A table of one cell.
struct One(String);

impl PageSource for One {
    fn page(&self, request: &PageRequest) -> Page {
        let columns = vec![PageColumn { name: "x".to_string(), ty: ColumnType::required(Type::Text) }];
        let rows = vec![vec![Some(self.0.clone())]; request.limit.min(1)];
        Page { columns, rows, total: 1, ..Page::default() }
    }

    fn json(&self, name: &str, _limit: Option<usize>) -> String {
        serde_json::json!({"table": name, "rows": [[self.0]]}).to_string()
    }
}

/// An expectation that holds.
struct Kept(String);

impl PageSource for Kept {
    fn page(&self, _request: &PageRequest) -> Page {
        Page { verdict: Some(Verdict { standing: Standing::Good, text: self.0.clone() }), ..Page::default() }
    }

    fn json(&self, name: &str, _limit: Option<usize>) -> String {
        panic!("`{name}` is no table: it is not asked for as one")
    }
}

/// A failure with this message.
pub fn failure(kind: FailureKind, message: &str) -> CellFailure {
    CellFailure {
        kind,
        message: message.to_string(),
        text: format!("{message}\n  --> here"),
        ansi: format!("\u{1b}[31m{message}\u{1b}[0m\n  --> here"),
        html: String::new(),
        diagnostics: Vec::new(),
    }
}

impl FakeHost {
    /// Lets every cell that waits at the gate go on, now and later.
    pub fn open_gate(&self) {
        self.state.lock().gate_open = true;
        self.changed.notify_all();
    }

    /// What has happened so far.
    pub fn state(&self) -> parking_lot::MutexGuard<'_, State> {
        self.state.lock()
    }

    /// Puts another value behind the view number `i`.
    pub fn move_view(&self, i: usize, value: &str) {
        let view = self.state.lock().views[i].clone();
        view.replace(Box::new(One(value.to_string())));
    }

    /// Waits for the gate or an interrupt.
    fn wait(&self) -> Result<(), CellFailure> {
        let mut state = self.state.lock();
        while !state.gate_open && !state.interrupted {
            self.changed.wait(&mut state);
        }
        if state.interrupted { Err(failure(FailureKind::Interrupted, "the cell was interrupted")) } else { Ok(()) }
    }

    fn show(&self, kind: ViewKind, source: Box<dyn PageSource>, output: &dyn CellOutput) {
        let mut state = self.state.lock();
        let id = state.views.len() as u64;
        let view = Arc::new(View::new(id, kind, format!("t{id}"), source));
        state.views.push(view.clone());
        drop(state);
        output.view(view);
    }

    fn statement(&self, line: &str, output: &dyn CellOutput) -> Result<(), CellFailure> {
        let (verb, argument) = line.split_once(' ').unwrap_or((line, ""));
        let markup = Markup { text: argument.to_string(), html: format!("<i>{argument}</i>") };
        match verb {
            "echo" => output.stream(Stream::Out, &format!("{argument}\n")),
            "warn" => output.stream(Stream::Err, &format!("{argument}\n")),
            "flood" => (0..argument.parse().unwrap_or(0)).for_each(|i| output.stream(Stream::Out, &format!("{i}\n"))),
            "value" => output.value(argument),
            "markup" => output.markup(markup),
            "help" => output.page(markup),
            "clear" => output.clear(argument == "wait"),
            "fail" => return Err(failure(FailureKind::Diagnostic, argument)),
            "panic" => panic!("{argument}"),
            "wait" => return self.wait(),
            "show" => self.show(ViewKind::Table, Box::new(One(argument.to_string())), output),
            "expect" => self.show(ViewKind::Expectation, Box::new(Kept(argument.to_string())), output),
            // Moves the last view.
            "move" => {
                let last = self.state.lock().views.len() - 1;
                self.move_view(last, argument);
            }
            _ => return Err(failure(FailureKind::Diagnostic, &format!("unknown verb `{verb}`"))),
        }
        Ok(())
    }
}

impl Host for FakeHost {
    fn run(&self, request: &CellRequest, output: &dyn CellOutput) -> Result<(), CellFailure> {
        let mut state = self.state.lock();
        state.cells.push((request.cell.clone(), request.name.clone()));
        drop(state);
        request.text.lines().try_for_each(|line| self.statement(line, output))
    }

    fn run_all(
        &self,
        cells: &[CellRequest],
        outputs: &[Box<dyn CellOutput>],
        _options: &HeadlessOptions,
    ) -> Vec<Result<(), CellFailure>> {
        cells.iter().zip(outputs).map(|(cell, output)| self.run(cell, &**output)).collect()
    }

    /// Finds fault with every word `wrong`.
    fn check(&self, cells: &[CellRequest]) -> Vec<Vec<Diagnostic>> {
        let fault = |(at, word): (usize, &str)| Diagnostic::error("D0000", "wrong", Span::new(at, at + word.len()));
        cells.iter().map(|cell| cell.text.match_indices("wrong").map(fault).collect()).collect()
    }

    fn ready(&self) {
        self.state.lock().interrupted = false;
    }

    fn interrupt(&self) {
        self.state.lock().interrupted = true;
        self.changed.notify_all();
    }

    /// Offers one word in the place of the word before the cursor.
    fn complete(&self, text: &str, byte_offset: usize) -> Completion {
        let start = text[..byte_offset].rfind(' ').map_or(0, |space| space + 1);
        let item =
            CompletionItem { label: "word".into(), kind: "step".into(), detail: "a detail".into(), doc: "help".into() };
        Completion { start, end: byte_offset, items: vec![item] }
    }

    /// Knows every word that does not begin with `x`.
    fn inspect(&self, text: &str, byte_offset: usize, detailed: bool) -> Option<Inspected> {
        let word = text[byte_offset..].split(' ').next().unwrap_or_default();
        let all = if detailed { "all " } else { "" };
        let inspected = Inspected {
            text: format!("{all}about {word}"),
            markdown: format!("**{word}**"),
            html: format!("<b>{word}</b>"),
        };
        (!word.starts_with('x')).then_some(inspected)
    }

    /// Knows the length of every text but those that begin with `x`.
    fn evaluate(&self, expression: &str) -> Result<String, CellFailure> {
        match expression.strip_prefix('x') {
            Some(_) => Err(failure(FailureKind::Diagnostic, "no value")),
            None => Ok(expression.len().to_string()),
        }
    }

    fn is_complete(&self, text: &str) -> Completeness {
        match text {
            _ if text.ends_with('|') => Completeness::Incomplete { indent: "  ".to_string() },
            _ if text.ends_with('!') => Completeness::Invalid,
            _ => Completeness::Complete,
        }
    }

    fn language_version(&self) -> String {
        "9.9".to_string()
    }

    fn shutdown(&self) {
        self.state.lock().is_down = true;
    }
}
