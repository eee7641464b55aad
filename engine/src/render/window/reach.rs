//! How far the results of rows depend on others: what has to be read around a change.
//!
//! A change concerns the rows that look back to it or ahead to it. Whoever of them is told anything new is told
//! everything anew: so all that they look at has to be read as well.

use tidebook_plan::flow::{Extent, Frame, WindowCall, WindowFunction};

use super::decoded::Order;
use super::known::{Known, Place};

/// How far the functions of a node reach.
pub(super) struct Reach {
    /// True if a function has to see its partition from the first row on.
    pub whole: bool,
    /// True if the results of all later rows depend on a row.
    onward: bool,
    /// True if the results of all later rows depend on the first row.
    first: bool,
    /// A row depends on so many rows before it.
    back: u64,
    /// A row depends on so many rows after it.
    ahead: u64,
    /// How far frames reach back by the order column.
    extents: Vec<Extent>,
}

/// The values around changes, as they are read one after the other.
pub(super) struct Concerned<'r> {
    reach: &'r Reach,
    order: &'r Order,
    /// The last value that changes.
    last: Box<[u8]>,
    /// Its order columns, and the largest ones whose rows look back to it.
    peers: Box<[u8]>,
    end: Option<Box<[u8]>>,
    /// Rows after the last change.
    rows: u64,
    /// The last value that is concerned, while there are more.
    value: Box<[u8]>,
    /// The order columns of the last value that is concerned, and how many rows were read after it.
    after: Option<(Box<[u8]>, u64)>,
}

impl Reach {
    /// Of these functions in this order.
    pub fn new(calls: &[WindowCall], order: &Order) -> Self {
        let mut reach =
            Reach { whole: !order.is_there(), onward: false, first: false, back: 0, ahead: 0, extents: Vec::new() };
        for WindowCall { function, .. } in calls {
            match (function, function.frame()) {
                (WindowFunction::RowNumber | WindowFunction::Rank | WindowFunction::DenseRank, _) => {
                    reach.onward = true
                }
                (WindowFunction::Neighbour { offset: offset @ ..0, .. }, _) => {
                    reach.back = reach.back.max(offset.unsigned_abs());
                }
                (WindowFunction::Neighbour { offset, .. }, _) => reach.ahead = reach.ahead.max(offset.unsigned_abs()),
                (_, None | Some(Frame::Partition)) => reach.whole = true,
                (_, Some(Frame::Rows(count))) => reach.back = reach.back.max(count.saturating_sub(1)),
                (_, Some(Frame::Range(extent))) => reach.extents.push(extent),
                (WindowFunction::Edge { last: true, .. }, Some(Frame::Running)) => {}
                (WindowFunction::Edge { last: false, .. }, Some(Frame::Running)) => reach.first = true,
                (WindowFunction::Sum { .. } | WindowFunction::Best { .. }, Some(Frame::Running)) => reach.onward = true,
                // Too much to keep of the rows before a place.
                (_, Some(Frame::Running)) => reach.whole = true,
            }
        }
        reach
    }

    /// True if a function goes by the values of the order column.
    pub fn by_value(&self) -> bool {
        !self.extents.is_empty()
    }

    /// True if the results of all rows after a change may be others; `at_start` if the change may be that of the first row.
    pub fn is_onward(&self, at_start: bool) -> bool {
        self.onward || self.first && at_start
    }

    /// The place from which to read where `first` is the first value that changes; `None` for the beginning.
    pub fn start<'k>(&self, order: &Order, known: &'k Known, first: &[u8]) -> Option<(usize, &'k Place)> {
        let (bytes, own) = order.of_value(first, self.by_value());
        let by_rows = known.before(&bytes, self.ahead.saturating_add(self.back))?;
        if !self.by_value() {
            return Some(by_rows);
        }
        // The first row that looks ahead to the change looks back by its own value.
        let place = match self.ahead {
            0 => own,
            ahead => order.of_bytes(&known.before(&bytes, ahead)?.1.start),
        }?;
        let earliest = self.extents.iter().map(|extent| order.back_from(place, *extent)).min()?;
        let by_value = known.before(&earliest, 0)?;
        Some(if by_value.0 < by_rows.0 { by_value } else { by_rows })
    }

    /// The values that are concerned where `last` is the last one that changes.
    pub fn concerned<'r>(&'r self, order: &'r Order, last: &[u8]) -> Concerned<'r> {
        let (peers, place) = order.of_value(last, self.by_value());
        let end = place.and_then(|place| self.extents.iter().map(|extent| order.on_from(place, *extent)).max());
        Concerned { reach: self, order, last: last.into(), peers, end, rows: 0, value: last.into(), after: None }
    }
}

impl Concerned<'_> {
    /// True if the next value, which stands so often, has to be read.
    pub fn needs(&mut self, value: &[u8], count: u64) -> bool {
        if *value <= *self.last {
            return true;
        }
        let begins =
            |end: &[u8], with: fn(&[u8], &[u8]) -> bool| value.len() >= end.len() && with(&value[..end.len()], end);
        let looks_back = begins(&self.peers, |value, peers| value == peers)
            || self.end.as_deref().is_some_and(|end| begins(end, |value, end| value <= end))
            || self.rows < self.reach.back;
        if self.after.is_none() && looks_back {
            self.rows = self.rows.saturating_add(count);
            self.value = value.into();
            return true;
        }
        let order = self.order;
        let (peers, rows) = self.after.get_or_insert_with(|| (order.of_value(&self.value, false).0, 0));
        if *rows < self.reach.ahead || begins(peers, |value, peers| value == peers) {
            *rows = rows.saturating_add(count);
            return true;
        }
        false
    }
}
