//! A session of Tidebook as the host of the kernel.

use std::sync::Arc;

use tidebook_kernel::host::{Completeness, Completion, CompletionItem, HeadlessOptions, Host, SessionOptions};
use tidebook_plan::Diagnostic;
use tidebook_session::{CellFailure, CellOutput, CellRequest, Inspected, Session};

/// Starts a session.
///
/// # Errors
/// With a sentence for the user.
pub fn start_session(options: SessionOptions) -> Result<Arc<dyn Host>, String> {
    let options = tidebook_session::SessionOptions {
        workers: options.workers.unwrap_or(1),
        base: options.base,
        parameters: options.parameters,
    };
    match Session::start(options) {
        Ok(session) => Ok(Arc::new(SessionHost(session))),
        Err(error) => Err(error.to_string()),
    }
}

struct SessionHost(Session);

impl Host for SessionHost {
    fn run(&self, request: &CellRequest, output: &dyn CellOutput) -> Result<(), CellFailure> {
        self.0.run(request, output)
    }

    fn run_all(
        &self,
        cells: &[CellRequest],
        outputs: &[Box<dyn CellOutput>],
        options: &HeadlessOptions,
    ) -> Vec<Result<(), CellFailure>> {
        let options = tidebook_session::HeadlessOptions { timeout: options.timeout, follow: options.follow };
        self.0.run_all(cells, outputs, &options)
    }

    fn check(&self, cells: &[CellRequest]) -> Vec<Vec<Diagnostic>> {
        self.0.check(cells)
    }

    fn ready(&self) {
        self.0.ready();
    }

    fn interrupt(&self) {
        self.0.interrupt();
    }

    fn complete(&self, text: &str, byte_offset: usize) -> Completion {
        let completion = self.0.complete(text, byte_offset);
        let items = completion.items.into_iter();
        Completion {
            start: completion.start,
            end: completion.end,
            items: items
                .map(|item| CompletionItem { label: item.label, kind: item.kind, detail: item.detail, doc: item.doc })
                .collect(),
        }
    }

    fn inspect(&self, text: &str, byte_offset: usize, detailed: bool) -> Option<Inspected> {
        self.0.inspect(text, byte_offset, detailed)
    }

    fn evaluate(&self, expression: &str) -> Result<String, CellFailure> {
        self.0.evaluate(expression)
    }

    fn is_complete(&self, text: &str) -> Completeness {
        match self.0.is_complete(text) {
            tidebook_session::Completeness::Complete => Completeness::Complete,
            tidebook_session::Completeness::Incomplete { indent } => Completeness::Incomplete { indent },
            tidebook_session::Completeness::Invalid => Completeness::Invalid,
        }
    }

    fn language_version(&self) -> String {
        env!("CARGO_PKG_VERSION").to_string()
    }

    fn shutdown(&self) {
        self.0.shutdown();
    }
}
