//! The rows of some partitions in order, as they were and as they are, and the frames of each.

use std::ops::Range;

use tidebook_plan::flow::Frame;

use super::decoded::Decoded;

/// Rows run by run. A run is a part of a partition at a moment; a value that stands several times is several rows.
#[derive(Default)]
pub(super) struct Sequence {
    /// For each row its value.
    pub values: Vec<u32>,
    /// For each row its peers.
    pub peers: Vec<Span>,
    /// The runs, one after the other.
    pub runs: Vec<Run>,
}

/// A run.
pub(super) struct Run {
    /// Its rows.
    pub rows: Range<usize>,
    /// How many groups of peers it has.
    pub groups: u64,
}

/// Rows from the first to before the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub start: u32,
    pub end: u32,
}

impl Sequence {
    /// Adds the values of a region, each as often as it is said to stand.
    pub fn add(&mut self, decoded: &Decoded, region: Range<usize>, count: impl Fn(usize) -> i64) {
        let begin = self.values.len();
        let mut group = begin;
        let mut groups = 0;
        for value in region {
            // A negative count has no place in an order.
            let Ok(count @ 1..) = usize::try_from(count(value)) else { continue };
            let at = self.values.len();
            if at > group && !decoded.are_peers(self.values[at - 1] as usize, value) {
                self.close(group, at);
                groups += 1;
                group = at;
            }
            self.values.extend(std::iter::repeat_n(value as u32, count));
        }
        let end = self.values.len();
        if end > group {
            self.close(group, end);
            groups += 1;
        }
        self.runs.push(Run { rows: begin..end, groups });
    }

    fn close(&mut self, start: usize, end: usize) {
        self.peers.resize(end, Span { start: start as u32, end: end as u32 });
    }

    /// The rows that each row sees. A running frame begins with its run.
    pub fn frames(&self, frame: Frame, decoded: &Decoded) -> Vec<Span> {
        let mut spans = Vec::with_capacity(self.values.len());
        for Run { rows, .. } in &self.runs {
            let (first, end) = (rows.start as u32, rows.end as u32);
            match frame {
                Frame::Partition => spans.extend(rows.clone().map(|_| Span { start: first, end })),
                Frame::Running => {
                    spans.extend(rows.clone().map(|row| Span { start: first, end: self.peers[row].end }));
                }
                Frame::Rows(count) => spans.extend(rows.clone().map(|row| {
                    let start = (row as u64 + 1).saturating_sub(count).max(rows.start as u64) as u32;
                    Span { start, end: row as u32 + 1 }
                })),
                Frame::Range(extent) => {
                    let place = |row: usize| decoded.places[self.values[row] as usize];
                    let mut start = rows.start;
                    for row in rows.clone() {
                        while !place(start).is_within(extent, place(row)) {
                            start += 1;
                        }
                        spans.push(Span { start: start as u32, end: self.peers[row].end });
                    }
                }
            }
        }
        spans
    }
}
