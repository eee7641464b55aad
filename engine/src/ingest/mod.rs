//! Reading sources, and keeping what later programs need of them.

mod again;
mod errors;
mod held;
mod keyed;
mod reader;
mod stored;

pub(crate) use again::{Again, read_again, replay};
pub(crate) use errors::{error_batch, positional};
pub(crate) use held::Held;
pub(crate) use reader::{ReaderHandle, Threads, read};
pub(crate) use stored::StoredLog;
