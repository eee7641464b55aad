//! What a pattern means: a search that tries, for each row from the front on, the longest part first.

use arrow_schema::DataType;
use datafusion_common::ScalarValue;
use tidebook_plan::flow::{MatchGive, OrderKey, Pattern};

use super::{Contents, compare, failed, grouped};
use crate::support::{Multiset, Row, add, batch, int};

struct Search<'a> {
    rows: &'a [Row],
    types: &'a [DataType],
    pattern: &'a Pattern,
    start: usize,
    errors: Vec<(usize, String)>,
}

impl Search<'_> {
    fn holds(&mut self, element: usize, taken: &[usize]) -> bool {
        let place = self.start + taken.len();
        let Some(row) = self.rows.get(place) else { return false };
        if let Some((column, far)) = self.pattern.within {
            match (&self.rows[self.start][column], &row[column]) {
                (ScalarValue::Int64(Some(a)), ScalarValue::Int64(Some(b))) if (a - b).abs() <= far => {}
                _ => return false,
            }
        }
        let mut all = row.clone();
        let mut types = self.types.to_vec();
        for (of, column) in &self.pattern.reads {
            let last = taken.iter().rposition(|own| own == of).map(|at| self.rows[self.start + at][*column].clone());
            all.push(last.unwrap_or_else(|| ScalarValue::try_from(&self.types[*column]).unwrap()));
            types.push(self.types[*column].clone());
        }
        let condition = &self.pattern.elements[element].condition;
        let asked = batch(&types, std::slice::from_ref(&all));
        match condition.physical.evaluate(&asked).and_then(|value| value.into_array(1)) {
            Ok(array) => ScalarValue::try_from_array(&array, 0).unwrap() == ScalarValue::Boolean(Some(true)),
            Err(error) => {
                assert!(error.to_string().contains("ivide by zero"), "{error}");
                self.errors.push((place, "division by zero".to_string()));
                false
            }
        }
    }

    /// The elements of the rows that are taken from here on.
    fn rest(&mut self, element: usize, count: u64, taken: &mut Vec<usize>) -> bool {
        if element == self.pattern.elements.len() {
            return true;
        }
        let (least, most) = (self.pattern.elements[element].least, self.pattern.elements[element].most);
        if most.is_none_or(|most| count < most) && self.holds(element, taken) {
            taken.push(element);
            if self.rest(element, count + 1, taken) {
                return true;
            }
            taken.pop();
        }
        count >= least && self.rest(element + 1, 0, taken)
    }
}

/// Rows and errors of a match node.
pub fn matches(
    rows: Vec<(Row, i64)>,
    types: &[DataType],
    partition: &[usize],
    order: &[OrderKey],
    pattern: &Pattern,
    step: &str,
) -> Contents {
    let mut contents = Contents { rows: Multiset::new(), errors: Multiset::new() };
    for mut members in grouped(rows, partition).into_values() {
        members.sort_by(|a, b| compare(&a.0, &b.0, order));
        let all: Vec<Row> = members.into_iter().flat_map(|(row, n)| std::iter::repeat_n(row, n as usize)).collect();
        let mut errors = Vec::new();
        let mut start = 0;
        while start < all.len() {
            let mut search = Search { rows: &all, types, pattern, start, errors: Vec::new() };
            let mut taken = Vec::new();
            search.rest(0, 0, &mut taken);
            errors.append(&mut search.errors);
            if taken.is_empty() {
                start += 1;
                continue;
            }
            let mut row: Row = partition.iter().map(|key| all[start][*key].clone()).collect();
            for give in &pattern.gives {
                let of = |element: usize, column: usize| -> Vec<ScalarValue> {
                    let own = (0..taken.len()).filter(|at| taken[*at] == element);
                    own.map(|at| all[start + at][column].clone()).collect()
                };
                row.push(match give {
                    MatchGive::Count { element } => int(taken.iter().filter(|own| *own == element).count() as i64),
                    MatchGive::Last { element, column } => {
                        let null = ScalarValue::try_from(&types[*column]).unwrap();
                        of(*element, *column).pop().unwrap_or(null)
                    }
                    MatchGive::All { element, column } => {
                        ScalarValue::List(ScalarValue::new_list(&of(*element, *column), &types[*column], true))
                    }
                });
            }
            start += taken.len();
            add(&mut contents.rows, row, 1);
        }
        errors.sort();
        errors.dedup();
        for (place, message) in errors {
            add(&mut contents.errors, failed(all[place].clone(), &message, step), 1);
        }
    }
    contents
}
