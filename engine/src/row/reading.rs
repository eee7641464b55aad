//! Reading a trace as its batches arrive.

use differential_dataflow::trace::TraceReader;
use timely::progress::Antichain;

use super::spine::{Batch, BatchSpan, Difference, Trace};

/// A trace with how far its stream of batches was read.
///
/// A trace that is imported may have been merged beyond the batches that the import gives one by one: it can only be cut
/// where it stood when it was imported, or later. So what the import gives at first counts as read up to there.
pub(crate) struct Reading<R: Difference> {
    trace: Trace<R>,
    lower: Antichain<u64>,
    upper: Antichain<u64>,
    /// Where the trace stood at first; `None` once batches have arrived.
    initial: Option<Antichain<u64>>,
}

impl<R: Difference> Reading<R> {
    /// Before any batch has arrived.
    pub fn new(mut trace: Trace<R>) -> Self {
        let mut initial = Antichain::new();
        trace.read_upper(&mut initial);
        Reading { trace, lower: Antichain::from_elem(0), upper: Antichain::from_elem(0), initial: Some(initial) }
    }

    /// Begins a turn: what has arrived so far is known.
    pub fn begin(&mut self) {
        self.lower.clone_from(&self.upper);
    }

    /// Takes batches that have arrived; gives each with the end of its times (`u64::MAX` for none).
    pub fn receive(&mut self, spans: &mut Vec<BatchSpan<R>>, mut take: impl FnMut(Batch<R>, u64)) {
        for span in spans.drain(..) {
            self.upper.clone_from(span.upper());
            let end = end_of(span.upper());
            if let Some(batch) = span.inner {
                take(batch, end);
            }
        }
        if let Some(initial) = self.initial.take()
            && end_of(&initial) > end_of(&self.upper)
        {
            self.upper = initial;
        }
    }

    /// What was known when the turn began.
    pub fn known(&mut self) -> Vec<Batch<R>> {
        through(&mut self.trace, &self.lower)
    }

    /// All that has arrived.
    pub fn all(&mut self) -> Vec<Batch<R>> {
        through(&mut self.trace, &self.upper)
    }

    /// Ends a turn: times before `epoch` need not be told apart any more, nor batches that have arrived.
    pub fn settle(&mut self, epoch: Option<u64>) {
        self.trace.advance_upper(&mut self.upper);
        match epoch {
            Some(epoch) => self.trace.set_logical_compaction(Antichain::from_elem(epoch).borrow()),
            None if self.upper.is_empty() => {}
            None => self.trace.set_logical_compaction(self.upper.borrow()),
        }
        if !self.upper.is_empty() {
            self.trace.set_physical_compaction(self.upper.borrow());
        }
    }
}

fn end_of(frontier: &Antichain<u64>) -> u64 {
    frontier.elements().first().copied().unwrap_or(u64::MAX)
}

fn through<R: Difference>(trace: &mut Trace<R>, cut: &Antichain<u64>) -> Vec<Batch<R>> {
    match trace.batches_through(cut.borrow()) {
        Some(batches) => batches,
        None => unreachable!("a trace is not merged beyond what its reader has read"),
    }
}
