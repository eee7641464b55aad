//! Window functions by hand: each row's result from a look at all rows of its partition.

use std::cmp::Ordering;

use datafusion::common::ScalarValue;

use super::grouping::{Seen, compare, result};
use super::window::{Window, WindowFrame, WindowFunction};

/// A row: its columns, its partition, its place in the order, and what the function reads.
pub struct Around {
    /// All columns, by which ties go.
    pub columns: Vec<ScalarValue>,
    /// Values of `by`.
    pub partition: Vec<ScalarValue>,
    /// Values of `sort`.
    pub order: Vec<ScalarValue>,
    /// Values of [`Window::reads`].
    pub reads: Vec<ScalarValue>,
}

fn all(a: &[ScalarValue], b: &[ScalarValue]) -> Ordering {
    a.iter().zip(b).map(|(a, b)| compare(a, b)).find(|by| by.is_ne()).unwrap_or(Ordering::Equal)
}

fn by_order(window: &Window, a: &Around, b: &Around) -> Ordering {
    let keys = a.order.iter().zip(&b.order).zip(&window.order);
    let each = keys.map(|((a, b), (_, down))| if *down { compare(b, a) } else { compare(a, b) });
    each.into_iter().find(|by| by.is_ne()).unwrap_or(Ordering::Equal)
}

/// The function's value for each row, in their order; `null` is a null of its type.
pub fn values(window: &Window, rows: &[Around], null: &ScalarValue) -> Vec<ScalarValue> {
    let mut places: Vec<usize> = (0..rows.len()).collect();
    places.sort_by(|a, b| {
        let (a, b) = (&rows[*a], &rows[*b]);
        let order = by_order(window, a, b).then_with(|| all(&a.columns, &b.columns));
        all(&a.partition, &b.partition).then(order)
    });
    let mut found = vec![null.clone(); rows.len()];
    for partition in places.chunk_by(|a, b| all(&rows[*a].partition, &rows[*b].partition).is_eq()) {
        let members: Vec<&Around> = partition.iter().map(|place| &rows[*place]).collect();
        for (at, place) in partition.iter().enumerate() {
            found[*place] = value(window, &members, at, null);
        }
    }
    found
}

fn value(window: &Window, members: &[&Around], at: usize, null: &ScalarValue) -> ScalarValue {
    let own = members[at];
    let before = |row: &&&Around| by_order(window, row, own).is_lt();
    let int = |number: usize| ScalarValue::Int64(Some(number as i64));
    let neighbour = |other: Option<usize>| match other.and_then(|place| members.get(place)) {
        Some(row) => row.reads[0].clone(),
        None => own.reads.get(1).unwrap_or(null).clone(),
    };
    match &window.function {
        WindowFunction::RowNumber => int(at + 1),
        WindowFunction::Rank => int(members.iter().filter(before).count() + 1),
        WindowFunction::DenseRank => {
            let earlier: Vec<_> = members.iter().filter(before).collect();
            int(earlier.chunk_by(|a, b| by_order(window, a, b).is_eq()).count() + 1)
        }
        WindowFunction::Lag(_, far, _) => neighbour(at.checked_sub(*far)),
        WindowFunction::Lead(_, far, _) => neighbour(at.checked_add(*far)),
        WindowFunction::FirstRow(_) => frame(window, members, at)[0].reads[0].clone(),
        WindowFunction::LastRow(_) => {
            frame(window, members, at).last().map_or_else(|| null.clone(), |row| row.reads[0].clone())
        }
        WindowFunction::Aggregate(one) => {
            let passes = |row: &&Around| row.reads[1] == ScalarValue::Boolean(Some(true));
            let seen = frame(window, members, at).into_iter().filter(passes);
            let seen: Vec<Seen> =
                seen.map(|row| Seen { argument: row.reads[0].clone(), keys: row.reads[2..].to_vec() }).collect();
            let down: Vec<bool> = one.order.iter().map(|(_, down)| *down).collect();
            result(one.function, &seen, &down, null.clone())
        }
    }
}

/// The rows that the row at a place sees.
fn frame<'a>(window: &Window, members: &[&'a Around], at: usize) -> Vec<&'a Around> {
    let own = members[at];
    let inside = |(place, row): &(usize, &&Around)| match window.frame {
        WindowFrame::Default if window.order.is_empty() => true,
        WindowFrame::Default => by_order(window, row, own).is_le(),
        WindowFrame::Rows(count) => *place <= at && place + count > at,
        _ => by_order(window, row, own).is_le() && is_near(window, &row.order[0], &own.order[0]),
    };
    members.iter().enumerate().filter(inside).map(|(_, row)| *row).collect()
}

/// True if two values of the only key lie at most as far apart as the frame reaches.
fn is_near(window: &Window, other: &ScalarValue, own: &ScalarValue) -> bool {
    match (other, own, window.frame) {
        (other, own, _) if other.is_null() || own.is_null() => other.is_null() && own.is_null(),
        (ScalarValue::Int64(Some(other)), ScalarValue::Int64(Some(own)), WindowFrame::Ints(far))
        | (
            ScalarValue::DurationMicrosecond(Some(other)),
            ScalarValue::DurationMicrosecond(Some(own)),
            WindowFrame::Durations(far),
        ) => (own - other).abs() <= far,
        (ScalarValue::Float64(Some(other)), ScalarValue::Float64(Some(own)), WindowFrame::Floats(far)) => {
            if other.is_nan() || own.is_nan() { other.is_nan() && own.is_nan() } else { (own - other).abs() <= far }
        }
        other => unreachable!("no frame by {other:?}"),
    }
}
