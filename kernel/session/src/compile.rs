//! Compiling on a stack of its own.
//!
//! The compiler and DataFusion's plans recurse as deep as a plan and its expressions are. The language bounds that
//! ([`tidebook_dsl::limits`]), but not to what the stack of any thread holds.

use std::panic::resume_unwind;
use std::sync::Mutex;
use std::thread;

use tidebook_dsl::Catalog;
use tidebook_dsl::compile::{self, Compiled, Explanation, OutputText, StatementKind};
use tidebook_plan::Diagnostic;

use crate::environment::World;

/// Bytes of the stack. Only what is used of it takes memory.
const STACK_BYTES: usize = 512 << 20;

/// See [`compile::compile`].
pub(crate) fn compile(cell: &str, text: &str, catalog: &mut Catalog, world: &World) -> Compiled {
    deep(move || compile::compile(cell, text, catalog, world))
}

/// See [`compile::recompile`].
pub(crate) fn recompile(
    output: &OutputText,
    catalog: &Catalog,
    world: &World,
) -> Result<StatementKind, Vec<Diagnostic>> {
    deep(|| compile::recompile(output, catalog, world))
}

/// See [`compile::explain`].
pub(crate) fn explain(name: &str, catalog: &Catalog) -> Option<Explanation> {
    deep(|| compile::explain(name, catalog))
}

/// See [`compile::evaluate`].
pub(crate) fn evaluate(text: &str, catalog: &Catalog, world: &World) -> Result<String, Vec<Diagnostic>> {
    deep(|| compile::evaluate(text, catalog, world))
}

/// Does the work on a thread with a deep stack; on this one, if there is no other to be had.
fn deep<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let work = Mutex::new(Some(work));
    let take = || work.lock().ok().and_then(|mut work| work.take());
    let result = thread::scope(|scope| {
        let builder = thread::Builder::new().name("compile".to_string()).stack_size(STACK_BYTES);
        match builder.spawn_scoped(scope, || take().map(|work| work())) {
            Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
            Err(error) => {
                tracing::warn!(%error, "no thread with a deep stack: compiling on this one");
                None
            }
        }
    });
    match result.or_else(|| take().map(|work| work())) {
        Some(result) => result,
        None => unreachable!("the work is done once, on one thread or the other"),
    }
}
