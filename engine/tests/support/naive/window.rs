//! What window functions mean: each row's results from a look at its whole partition.

use std::cmp::Ordering;

use arrow_schema::DataType;
use datafusion_common::ScalarValue;
use tidebook_plan::flow::{Extent, Frame, OrderKey, WindowCall, WindowFunction};

use super::{Contents, collect, compare, expanded, failed, grouped, quantile, sum, value_order};
use crate::support::{Multiset, Row, add, int};

/// Rows and errors of a window node.
pub fn window(
    rows: Vec<(Row, i64)>,
    types: &[DataType],
    partition: &[usize],
    order: &[OrderKey],
    calls: &[WindowCall],
    step: &str,
) -> Contents {
    let mut contents = Contents { rows: Multiset::new(), errors: Multiset::new() };
    for mut members in grouped(rows, partition).into_values() {
        members.sort_by(|a, b| compare(&a.0, &b.0, order));
        let all: Vec<Row> = members.into_iter().flat_map(|(row, n)| std::iter::repeat_n(row, n as usize)).collect();
        for at in 0..all.len() {
            let place = Place { all: &all, at, order, types };
            match calls.iter().map(|call| place.value(call)).collect::<Result<Vec<_>, String>>() {
                Ok(values) => add(&mut contents.rows, all[at].iter().cloned().chain(values).collect(), 1),
                Err(message) => add(&mut contents.errors, failed(all[at].clone(), &message, step), 1),
            }
        }
    }
    contents
}

struct Place<'a> {
    all: &'a [Row],
    at: usize,
    order: &'a [OrderKey],
    types: &'a [DataType],
}

impl Place<'_> {
    fn by_order(&self, one: &Row, other: &Row) -> Ordering {
        let by = |key: &OrderKey| {
            let by = value_order(&one[key.column], &other[key.column]);
            if key.descending { by.reverse() } else { by }
        };
        self.order.iter().map(by).find(|by| *by != Ordering::Equal).unwrap_or(Ordering::Equal)
    }

    fn frame(&self, frame: Frame) -> Vec<(Row, i64)> {
        let own = &self.all[self.at];
        let inside = |(place, row): &(usize, &Row)| match frame {
            Frame::Partition => true,
            Frame::Running => self.by_order(row, own) != Ordering::Greater,
            Frame::Rows(count) => *place <= self.at && place + (count as usize) > self.at,
            Frame::Range(extent) => self.by_order(row, own) != Ordering::Greater && self.is_near(row, own, extent),
        };
        self.all.iter().enumerate().filter(inside).map(|(_, row)| (row.clone(), 1)).collect()
    }

    fn is_near(&self, row: &Row, own: &Row, extent: Extent) -> bool {
        let key = self.order[0];
        match (&row[key.column], &own[key.column], extent) {
            (row, own, _) if row.is_null() || own.is_null() => row.is_null() && own.is_null(),
            (ScalarValue::Float64(Some(row)), ScalarValue::Float64(Some(own)), _) if row.is_nan() || own.is_nan() => {
                row.is_nan() && own.is_nan()
            }
            (ScalarValue::Float64(Some(row)), ScalarValue::Float64(Some(own)), Extent::Float(bits)) => {
                let far = f64::from_bits(bits);
                if key.descending { *row <= own + far } else { *row >= own - far }
            }
            (ScalarValue::Int64(Some(row)), ScalarValue::Int64(Some(own)), Extent::Whole(far)) => {
                if key.descending {
                    *row <= own.saturating_add(far)
                } else {
                    *row >= own.saturating_sub(far)
                }
            }
            other => panic!("no frame by {other:?}"),
        }
    }

    fn value(&self, call: &WindowCall) -> Result<ScalarValue, String> {
        let own = &self.all[self.at];
        let before = |row: &&Row| self.by_order(row, own) == Ordering::Less;
        Ok(match &call.function {
            WindowFunction::RowNumber => int(self.at as i64 + 1),
            WindowFunction::Rank => int(self.all.iter().filter(before).count() as i64 + 1),
            WindowFunction::DenseRank => {
                let earlier: Vec<&Row> = self.all.iter().filter(before).collect();
                let starts = earlier.windows(2).filter(|pair| self.by_order(pair[0], pair[1]) != Ordering::Equal);
                int(1 + starts.count() as i64 + i64::from(!earlier.is_empty()))
            }
            WindowFunction::Neighbour { value, offset, default } => {
                let other = usize::try_from(self.at as i64 + offset).ok().and_then(|place| self.all.get(place));
                match (other, default) {
                    (Some(row), _) => row[*value].clone(),
                    (None, Some(default)) => own[*default].clone(),
                    (None, None) => ScalarValue::try_from(&call.output).unwrap(),
                }
            }
            WindowFunction::Edge { value, last, frame } => {
                let frame = self.frame(*frame);
                let row = if *last { frame.last() } else { frame.first() };
                row.unwrap().0[*value].clone()
            }
            WindowFunction::Sum { sum: aggregate, frame } => sum(aggregate, &self.frame(*frame))?,
            WindowFunction::Best { value, order, last, frame } => {
                let mut rows = self.frame(*frame);
                rows.retain(|(row, _)| !row[*value].is_null() && order.iter().all(|key| !row[key.column].is_null()));
                let mut keys = order.clone();
                keys.push(OrderKey { column: *value, descending: false });
                rows.sort_by(|a, b| compare(&a.0, &b.0, &keys));
                let row = if *last { rows.last() } else { rows.first() };
                row.map_or_else(|| ScalarValue::try_from(&call.output).unwrap(), |(row, _)| row[*value].clone())
            }
            WindowFunction::CountDistinct { value, frame } => {
                let mut texts: Vec<String> =
                    expanded(&self.frame(*frame), *value).iter().map(|value| format!("{value:?}")).collect();
                texts.sort();
                texts.dedup();
                int(texts.len() as i64)
            }
            WindowFunction::Collect { value, order, function, frame } => {
                let mut rows = self.frame(*frame);
                let mut keys = order.clone();
                keys.push(OrderKey { column: *value, descending: false });
                rows.sort_by(|a, b| compare(&a.0, &b.0, &keys));
                collect(function, &expanded(&rows, *value), &self.types[*value])
            }
            WindowFunction::Quantile { value, fraction, frame } => {
                let mut rows = self.frame(*frame);
                rows.sort_by(|a, b| value_order(&a.0[*value], &b.0[*value]));
                quantile(&expanded(&rows, *value), fraction.value())
            }
        })
    }
}
