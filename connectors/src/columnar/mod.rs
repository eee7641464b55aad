//! Columnar files as sources: Parquet and Arrow.
//!
//! They are not read from front to back, as the formats of text are: a footer says what is where, and only the columns
//! and the parts that a plan needs are touched. A use of such a source becomes [`Wanted`](wanted::Wanted); each file is
//! bound to it ([`bind`]), divided into units that can be decoded by themselves ([`file`]), and decoded on a few threads
//! ([`decode`]).

mod bind;
mod bounded;
mod bytes;
mod convert;
mod decode;
mod describe;
mod file;
mod followed;
mod ipc;
mod judge;
mod known;
mod mark;
mod natural;
mod parquet;
mod partition;
mod prune;
pub mod sources;
mod types;
mod wanted;

pub(crate) use file::{ColumnarFormat, read_back};
pub(crate) use partition::{folder, is_partition};
pub(crate) use types::JSON_EXTENSION;
