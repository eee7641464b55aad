//! What operators that go by time mean: sessions by walking over each group, matches by looking at every right row.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow_array::{ArrayRef, StructArray, TimestampMicrosecondArray};
use arrow_schema::{DataType, SchemaRef};
use datafusion_common::ScalarValue;
use tidebook_plan::flow::{AsofChoice, OrderKey};

use super::{compare, grouped, same_key, value_order};
use crate::support::{Multiset, Row, add};

fn micros(value: &ScalarValue) -> Option<i64> {
    match value {
        ScalarValue::TimestampMicrosecond(at, _) => *at,
        other => panic!("no timestamp: {other:?}"),
    }
}

/// The rows with their sessions.
pub fn sessions(rows: Vec<(Row, i64)>, keys: &[usize], time: usize, gap: i64, schema: &SchemaRef) -> Multiset {
    let mut result = Multiset::new();
    let DataType::Struct(fields) = schema.field(schema.fields().len() - 1).data_type() else { panic!("a record") };
    for mut members in grouped(rows, keys).into_values() {
        members.sort_by_key(|(row, _)| micros(&row[time]));
        let times: Vec<i64> = members.iter().filter_map(|(row, _)| micros(&row[time])).collect();
        let sessions: Vec<(i64, i64)> =
            times.chunk_by(|a, b| b - a < gap).map(|chunk| (chunk[0], chunk[chunk.len() - 1])).collect();
        for (mut row, n) in members {
            let session = micros(&row[time])
                .and_then(|at| sessions.iter().find(|(first, last)| (*first..=*last).contains(&at)))
                .map(|(first, last)| (*first, last + gap));
            let column = |at: Option<i64>| Arc::new(TimestampMicrosecondArray::from(vec![at])) as ArrayRef;
            let columns = vec![column(session.map(|s| s.0)), column(session.map(|s| s.1))];
            let record = StructArray::new(fields.clone(), columns, session.is_none().then(|| vec![false].into()));
            row.push(ScalarValue::try_from_array(&record.slice(0, 1), 0).unwrap());
            add(&mut result, row, n);
        }
    }
    result
}

/// The pairs of an as-of join.
pub fn asof(
    [(left, left_keys, left_time), (right, right_keys, right_time)]: [(Vec<(Row, i64)>, &Vec<usize>, usize); 2],
    choice: AsofChoice,
    outer: bool,
    schema: &SchemaRef,
) -> Multiset {
    let nulls: Row = schema.fields().iter().map(|f| ScalarValue::try_from(f.data_type()).unwrap()).collect();
    let mut result = Multiset::new();
    for (l, n) in left {
        let fits = |r: &Row| {
            let by = value_order(&r[right_time], &l[left_time]);
            let side = if choice.forward { Ordering::Greater } else { Ordering::Less };
            !l[left_time].is_null() && !r[right_time].is_null() && (by == side || (by.is_eq() && !choice.strict))
        };
        let mut partners: Vec<&Row> =
            right.iter().map(|(r, _)| r).filter(|r| same_key(&l, left_keys, r, right_keys, false) && fits(r)).collect();
        let order = [OrderKey { column: right_time, descending: false }];
        partners.sort_by(|a, b| compare(a, b, &order));
        let best = if choice.forward { partners.first() } else { partners.last() };
        match best {
            Some(r) => add(&mut result, l.iter().chain(r.iter()).cloned().collect(), n),
            None if outer => add(&mut result, l.iter().cloned().chain(nulls[l.len()..].iter().cloned()).collect(), n),
            None => {}
        }
    }
    result
}
