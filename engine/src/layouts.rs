//! How the operators that go by time have their inputs arranged: what is shared is decided by it, and what is rendered.

use tidebook_plan::flow::{AsofChoice, OrderKey};

use crate::row::Layout;

/// The rows of each key by time, the earliest first.
pub(crate) fn by_time(keys: &[usize], time: usize) -> Layout {
    Layout { key: keys.to_vec(), order: vec![OrderKey { column: time, descending: false }] }
}

/// The sides of an as-of join, each told by its keys and its time: the right one so that the match of a left row is the first
/// one from its time on, the left one in the other direction, so that the rows that a right row concerns follow it. `width` is
/// the number of right columns.
pub(crate) fn asof(
    left: (&[usize], usize),
    right: (&[usize], usize),
    width: usize,
    choice: AsofChoice,
) -> (Layout, Layout) {
    let descending = !choice.forward;
    let rest = (0..width).filter(|column| *column != right.1);
    let order = std::iter::once(right.1).chain(rest).map(|column| OrderKey { column, descending }).collect();
    let left_order = vec![OrderKey { column: left.1, descending: choice.forward }];
    (Layout { key: left.0.to_vec(), order: left_order }, Layout { key: right.0.to_vec(), order })
}
