//! What a table holds, and how two of them differ.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt::Write;

use arrow_array::RecordBatch;
use serde_json::Value;
use tidebook_plan::ChangeBatch;
use tidebook_plan::flow::OrderKey;

use crate::value::json_row;

/// A multiset of rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Contents {
    rows: BTreeMap<String, (Vec<Value>, i64)>,
}

impl Contents {
    /// The rows of batches, each once.
    pub fn of(batches: &[RecordBatch]) -> Self {
        let mut contents = Contents::default();
        for batch in batches {
            contents.apply(&ChangeBatch::inserts(batch.clone()));
        }
        contents
    }

    /// The given rows, each once.
    pub fn of_rows(rows: impl IntoIterator<Item = Vec<Value>>) -> Self {
        let mut contents = Contents::default();
        rows.into_iter().for_each(|row| contents.add(row, 1));
        contents
    }

    /// Adds and takes back rows.
    pub fn apply(&mut self, changes: &ChangeBatch) {
        for row in 0..changes.len() {
            self.add(json_row(&changes.rows, row), changes.diff(row));
        }
    }

    fn add(&mut self, row: Vec<Value>, difference: i64) {
        let name = Value::Array(row.clone()).to_string();
        let entry = self.rows.entry(name.clone()).or_insert((row, 0));
        entry.1 += difference;
        if entry.1 == 0 {
            self.rows.remove(&name);
        }
    }

    /// Number of rows. Rows that are taken back without having been there count against the others.
    pub fn len(&self) -> i64 {
        self.rows.values().map(|(_, count)| count).sum()
    }

    /// True without rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// True if no row stands there a negative number of times.
    pub fn is_sound(&self) -> bool {
        self.rows.values().all(|(_, count)| *count > 0)
    }

    /// All rows, each as often as it stands, in the given order and then by all columns.
    pub fn in_order(&self, ordering: &[OrderKey]) -> Vec<Vec<Value>> {
        let mut rows: Vec<Vec<Value>> = Vec::new();
        for (row, count) in self.rows.values() {
            rows.extend((0..*count).map(|_| row.clone()));
        }
        rows.sort_by(|a, b| compare_rows(a, b, ordering));
        rows
    }

    /// The rows that only one side holds, one a line: `-` for what is missing here, `+` for what should not be here.
    pub fn difference_from(&self, expected: &Contents) -> String {
        let mut out = String::new();
        for (name, (_, count)) in &expected.rows {
            let here = self.rows.get(name).map_or(0, |(_, count)| *count);
            if here != *count {
                let _ = writeln!(out, "- {name}: expected {count} times, found {here} times");
            }
        }
        for (name, (_, count)) in &self.rows {
            if !expected.rows.contains_key(name) {
                let _ = writeln!(out, "+ {name}: expected none, found {count} times");
            }
        }
        out
    }
}

fn compare_rows(a: &[Value], b: &[Value], ordering: &[OrderKey]) -> Ordering {
    for key in ordering {
        let order = compare(&a[key.column], &b[key.column]);
        let order = if key.descending { order.reverse() } else { order };
        if order != Ordering::Equal {
            return order;
        }
    }
    let columns = a.iter().zip(b).map(|(a, b)| compare(a, b));
    columns.fold(Ordering::Equal, Ordering::then)
}

/// Values of one column: nulls are largest, numbers by size with NaN above them, texts by code points.
pub fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Greater,
        (_, Value::Null) => Ordering::Less,
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::Number(a), Value::Number(b)) => match (a.as_i64(), b.as_i64()) {
            (Some(a), Some(b)) => a.cmp(&b),
            _ => a.as_f64().partial_cmp(&b.as_f64()).unwrap_or(Ordering::Equal),
        },
        (Value::Number(_), Value::String(b)) if b == "-inf" => Ordering::Greater,
        (Value::String(a), Value::Number(_)) if a == "-inf" => Ordering::Less,
        (Value::Number(_), _) => Ordering::Less,
        (_, Value::Number(_)) => Ordering::Greater,
        (Value::Array(a), Value::Array(b)) => {
            let items = a.iter().zip(b).map(|(a, b)| compare(a, b));
            items.fold(Ordering::Equal, Ordering::then).then(a.len().cmp(&b.len()))
        }
        (Value::Object(a), Value::Object(b)) => {
            let fields = a.values().zip(b.values()).map(|(a, b)| compare(a, b));
            fields.fold(Ordering::Equal, Ordering::then)
        }
        _ => Ordering::Equal,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rows_cancel_and_differences_are_told() {
        let mut contents = Contents::of_rows([vec![json!(1)], vec![json!(2)]]);
        contents.add(vec![json!(2)], -1);
        contents.add(vec![json!(3)], 2);
        assert_eq!(contents.len(), 3);
        let expected = Contents::of_rows([vec![json!(1)], vec![json!(2)]]);
        let told = contents.difference_from(&expected);
        assert!(told.contains("- [2]: expected 1 times, found 0 times"), "{told}");
        assert!(told.contains("+ [3]: expected none, found 2 times"), "{told}");
    }

    #[test]
    fn nulls_are_last_and_first_when_descending() {
        let contents = Contents::of_rows([vec![json!(null)], vec![json!(2)], vec![json!(10)]]);
        assert_eq!(contents.in_order(&[]), vec![vec![json!(2)], vec![json!(10)], vec![json!(null)]]);
        let down = [OrderKey { column: 0, descending: true }];
        assert_eq!(contents.in_order(&down), vec![vec![json!(null)], vec![json!(10)], vec![json!(2)]]);
    }
}
