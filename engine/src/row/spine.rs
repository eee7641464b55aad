//! The two types of traces.

use std::rc::Rc;

use differential_dataflow::difference::Semigroup;
use differential_dataflow::operators::arrange::{Arranged, TraceAgent};
use differential_dataflow::trace::Span;
use differential_dataflow::trace::cursor::{CursorList, Navigable};
use differential_dataflow::trace::implementations::OffsetList;
use differential_dataflow::trace::implementations::ord_neu::OrdValBatch;
use differential_dataflow::trace::implementations::spine_fueled::Spine;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::packed::Packed;
use crate::sums::Sums;

/// What is counted for a key and a value: `i64` for rows, [`Sums`] for aggregates.
pub(crate) trait Difference: Semigroup + Ord + Clone + Send + Serialize + DeserializeOwned + 'static {}
impl Difference for i64 {}
impl Difference for Sums {}

/// How updates lie in memory: keys, values, times, differences, offsets.
pub(crate) type StorageAt<T, R> = (Packed, Packed, Vec<T>, Vec<R>, OffsetList);
/// The same with epochs as times.
pub(crate) type Storage<R> = StorageAt<u64, R>;
/// An immutable batch of updates.
pub(crate) type Batch<R> = Rc<OrdValBatch<Storage<R>>>;
/// A handle to a trace, which other dataflows can import.
pub(crate) type Trace<R> = TraceAgent<Spine<Batch<R>>>;
/// A batch with the times that it covers.
pub(crate) type BatchSpan<R> = Span<u64, Batch<R>>;
/// Reads one batch.
pub(crate) type BatchCursor<R> = <Batch<R> as Navigable>::Cursor;
/// Reads several batches as one.
pub(crate) type Cursors<R> = CursorList<BatchCursor<R>>;
/// A stream of batches with their trace.
pub(crate) type Arrangement<'scope, R> = Arranged<'scope, Trace<R>>;

/// The time of an update as a dataflow installed at `install` sees it: what is older belongs to its initial contents.
///
/// An imported trace has accumulated its history up to some earlier epoch, no two workers to the same one. Seen from
/// `install` on, all of them agree.
#[inline]
pub(crate) fn time_at(time: u64, install: u64) -> u64 {
    time.max(install)
}
