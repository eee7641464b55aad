//! The engine: flow plans become running dataflows on timely and differential dataflow.
//!
//! Three kinds of threads, none of them tokio's:
//!
//! - *readers*, one a source ([`ingest`]): call `Source::next` and hand on what it says;
//! - one *coordinator* ([`coordinator`]): owns the clock, stamps batches with epochs, knows which programs run and what
//!   they share, and keeps or rereads the contents that programs which come later need;
//! - *workers* ([`worker`]): run the dataflows. They do what the coordinator says, all of them in the same order, and
//!   they never decide anything by themselves, so that all of them build the same dataflows.
//!
//! A stream inside a dataflow carries [`delta::Delta`]s: Arrow batches with an epoch and the difference of each row.
//! Where state is needed, rows become packed bytes ([`row`]) that compare as their columns do, arranged by key.
//!
//! *Invariant:* what leaves a program with an epoch `e` is final once [`OutputEvent::Closed`] with an epoch of at least `e` was sent.

mod catch_up;
mod clock;
mod command;
mod coordinator;
mod delta;
mod engine;
mod growing;
mod ingest;
mod layouts;
mod output;
mod render;
mod row;
mod sharing;
mod stats;
mod sums;
mod worker;

pub use catch_up::{CatchUp, CatchUpHandle, Caught};
pub use clock::WallClock;
pub use engine::{Engine, EngineError, EngineOptions};
pub use output::{OutputEvent, Program, ProgramId};
pub use stats::{ArrangementStats, EngineStats, NodeStats, ProgramStats, SourceStats};
