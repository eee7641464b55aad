//! The kernel: what stands between a [`host::Host`] (a session of Tidebook) and the people and tools that use it.
//!
//! - [`jupyter`] speaks the Jupyter protocol. *Invariant:* it knows nothing of the language, and runs cells only on the
//!   thread that is there for it, so that every other request is answered while a cell runs.
//! - [`render`] draws a page of a table as HTML and as text. *Invariant:* every value is escaped.
//! - [`notebook`] reads and writes notebook files.
//! - [`cli`] is the command line: `tidebook kernel`, `install`, `run`, `check`, `fmt`.

pub mod cli;
pub mod host;
pub mod jupyter;
pub mod language;
pub mod notebook;
pub mod render;

#[cfg(test)]
mod fake_host;
