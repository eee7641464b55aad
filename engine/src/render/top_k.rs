//! The first rows of each group, read from an arrangement in value order. A group is never read beyond its first rows.

use std::collections::BTreeMap;

use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::CapabilitySet;
use timely::dataflow::operators::generic::Operator;

use super::around::Around;
use crate::delta::{Delta, Rows};
use crate::row::{Arrangement, Codec, Reading};

/// Rows `offset..offset + limit` of each group.
pub(super) fn top_k<'scope>(
    rows: Arrangement<'scope, i64>,
    codec: Codec,
    offset: u64,
    limit: u64,
    install: u64,
) -> Rows<'scope> {
    let mut reading = Reading::new(rows.trace);
    let (first, end) = (offset, offset.saturating_add(limit));
    rows.stream.unary_frontier(Pipeline, "Top-k", move |_capability, _info| {
        move |(input, _frontier), output| {
            reading.begin();
            let mut batches = Vec::new();
            let mut capabilities = CapabilitySet::new();
            input.for_each(|capability, spans| {
                capability.retain_least(0).into_iter().for_each(|capability| capabilities.insert(capability));
                reading.receive(spans, |batch, _| batches.push(batch));
            });
            if !batches.is_empty() {
                let (mut around, storage) = Around::new(reading.known(), batches, install);
                let mut pending: BTreeMap<u64, (Vec<&[u8]>, Vec<&[u8]>, Vec<i64>)> = BTreeMap::new();
                while let Some(mut changed) = around.key(&storage) {
                    let key = changed.key;
                    loop {
                        // Positions in the order before the epoch and from it on.
                        let (mut old, mut new) = (0u64, 0u64);
                        let visited = around.visit(&storage, &mut changed, |epoch, value, before, after| {
                            let diff = overlap(&mut new, after, first, end) - overlap(&mut old, before, first, end);
                            if diff != 0 {
                                let (keys, values, diffs) = pending.entry(epoch).or_default();
                                keys.push(key);
                                values.push(value);
                                diffs.push(diff);
                            }
                            old < end || new < end
                        });
                        if visited.is_none() {
                            break;
                        }
                    }
                }
                let mut session = output.session(&capabilities);
                for (epoch, (keys, values, diffs)) in pending {
                    session.give(Delta::new(epoch, codec.decode(&keys, &values), diffs));
                }
            }
            reading.settle(None);
        }
    })
}

/// How many of `count` equal rows from `position` on lie in `first..end`; moves the position behind them.
pub(super) fn overlap(position: &mut u64, count: i64, first: u64, end: u64) -> i64 {
    let start = *position;
    // A negative count has no place in an order.
    *position = start.saturating_add(count.max(0) as u64);
    (*position).min(end).saturating_sub(start.max(first)) as i64
}

#[cfg(test)]
mod tests {
    use super::overlap;

    #[test]
    fn equal_rows_may_lie_across_both_ends() {
        let mut position = 0;
        let counts: Vec<i64> = [2, 1, 10, 3].into_iter().map(|count| overlap(&mut position, count, 1, 7)).collect();
        assert_eq!(counts, [1, 1, 4, 0]);
        assert_eq!(position, 16);
    }
}
