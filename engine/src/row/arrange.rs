//! Arranging chunks by key.

use differential_dataflow::operators::arrange::arrangement::arrange_core;
use differential_dataflow::trace::TraceReader;
use timely::dataflow::Stream;
use timely::dataflow::channels::pact::Exchange;
use timely::progress::Antichain;

use super::batcher::{Chunk, ChunkBatcher};
use super::spine::{Arrangement, Difference, Trace};

/// Sends each chunk to its worker and keeps it there, sorted.
pub(crate) fn arrange<'scope, R: Difference>(
    chunks: Stream<'scope, u64, Vec<Chunk<R>>>,
    name: &str,
) -> Arrangement<'scope, R> {
    let route = Exchange::new(|chunk: &Chunk<R>| chunk.target);
    arrange_core(chunks, route, name, |_logger, _operator| ChunkBatcher::new())
}

/// Up to where a trace has received updates.
pub(crate) fn read_upper<R: Difference>(trace: &mut Trace<R>) -> Antichain<u64> {
    let mut upper = Antichain::new();
    trace.read_upper(&mut upper);
    upper
}
