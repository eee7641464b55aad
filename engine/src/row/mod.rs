//! Rows as packed bytes, for operators with state.
//!
//! A row's key and value columns become bytes that compare as the columns do (`arrow-row`). They are kept in traces of
//! exactly two types, one for rows and one for sums, so that differential's generic code is compiled twice and not more.

mod arrange;
mod batcher;
mod codec;
mod hash;
mod packed;
mod reading;
mod spine;
mod values;

pub(crate) use arrange::{arrange, read_upper};
pub(crate) use batcher::{BatchWriter, Chunk, ChunkBatcher, prefix};
pub(crate) use codec::{Codec, Layout, NULL_KEY, converter, order_converter, worker_of_empty_key, worker_of_key};
pub(crate) use hash::{first_word, hash_bytes, hash_word};
pub(crate) use packed::Packed;
pub(crate) use reading::Reading;
pub(crate) use spine::{Arrangement, Batch, BatchCursor, BatchSpan, Cursors, Difference, StorageAt, Trace, time_at};
pub(crate) use values::Values;
