//! The connectors of Tidebook: where rows come from and where they go.
//!
//! - [`registry`]: every connector, one line each.
//! - [`format`]: bytes to Arrow and back, and how values look as JSON and as text.
//! - `files`, `columnar`, `demo`, `sink`: the connectors themselves.
//!
//! *Invariant:* this crate depends on `tidebook-plan` alone; it knows nothing of epochs' making, of the engine or of cells.
//! *Invariant:* formats do no input or output; connectors know nothing of the inside of a record.

#[macro_use]
pub mod format;
#[macro_use]
mod files;

mod columnar;
mod demo;
pub mod registry;
mod secrets;
mod sink;
