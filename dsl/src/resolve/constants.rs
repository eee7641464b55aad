//! Literal rows as changes: what each step adds, takes back, and fails on.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions, StringArray};
use arrow_schema::{DataType, Field, Schema};
use datafusion_common::ScalarValue;
use indexmap::IndexMap;
use tidebook_plan::ChangeBatch;
use tidebook_plan::flow::{ConstantStep, positional_schema};

/// What the error of a retraction without its row says.
pub(crate) const NOT_THERE: &str = "a row is taken back that the table does not hold";

/// A row of a literal with its values.
#[derive(Clone, Debug)]
pub(crate) struct LiteralRow {
    /// True if it is taken back.
    pub negated: bool,
    /// In the order of the columns; null where an expression failed.
    pub values: Vec<ScalarValue>,
    /// Why an expression failed.
    pub failure: Option<String>,
}

type Row = Vec<ScalarValue>;

/// The steps as changes. Rows of one step enter together, so that their order does not matter: a step may take back
/// what it adds.
pub(crate) fn steps_of(steps: Vec<Vec<LiteralRow>>, types: &[DataType]) -> Vec<ConstantStep> {
    let mut held: HashMap<Row, i64> = HashMap::new();
    let mut failed: HashMap<(Row, String), i64> = HashMap::new();
    steps.into_iter().map(|step| one_step(step, types, &mut held, &mut failed)).collect()
}

fn one_step(
    step: Vec<LiteralRow>,
    types: &[DataType],
    held: &mut HashMap<Row, i64>,
    failed: &mut HashMap<(Row, String), i64>,
) -> ConstantStep {
    let mut changes: IndexMap<Row, i64> = IndexMap::new();
    let mut errors: IndexMap<(Row, String), i64> = IndexMap::new();
    let (added, taken): (Vec<_>, Vec<_>) = step.into_iter().partition(|row| !row.negated);
    for row in added {
        match row.failure {
            None => {
                *held.entry(row.values.clone()).or_default() += 1;
                *changes.entry(row.values).or_default() += 1;
            }
            Some(message) => {
                *failed.entry((row.values.clone(), message.clone())).or_default() += 1;
                *errors.entry((row.values, message)).or_default() += 1;
            }
        }
    }
    for row in taken {
        match row.failure {
            None => match held.get_mut(&row.values).filter(|count| **count > 0) {
                Some(count) => {
                    *count -= 1;
                    *changes.entry(row.values).or_default() -= 1;
                }
                None => *errors.entry((row.values, NOT_THERE.to_string())).or_default() += 1,
            },
            Some(message) => {
                let key = (row.values, message);
                match failed.get_mut(&key).filter(|count| **count > 0) {
                    Some(count) => {
                        *count -= 1;
                        *errors.entry(key).or_default() -= 1;
                    }
                    None => *errors.entry((key.0, NOT_THERE.to_string())).or_default() += 1,
                }
            }
        }
    }
    changes.retain(|_, diff| *diff != 0);
    errors.retain(|_, diff| *diff != 0);
    let mut out = ConstantStep::default();
    if !changes.is_empty() {
        let rows: Vec<&Row> = changes.keys().collect();
        let batch = batch(columns(&rows, types), types, rows.len(), &[]);
        out.changes.push(with_diffs(batch, changes.values()));
    }
    if !errors.is_empty() {
        let rows: Vec<&Row> = errors.keys().map(|(row, _)| row).collect();
        let mut arrays = columns(&rows, types);
        arrays.push(Arc::new(StringArray::from_iter_values(errors.keys().map(|(_, message)| message))));
        let batch = batch(arrays, types, rows.len(), &["_error"]);
        out.errors.push(with_diffs(batch, errors.values()));
    }
    out
}

fn with_diffs<'a>(rows: RecordBatch, diffs: impl Iterator<Item = &'a i64> + Clone) -> ChangeBatch {
    if diffs.clone().all(|diff| *diff == 1) {
        ChangeBatch::inserts(rows)
    } else {
        ChangeBatch::new(rows, diffs.copied().collect())
    }
}

fn columns(rows: &[&Row], types: &[DataType]) -> Vec<ArrayRef> {
    (0..types.len())
        .map(|column| match ScalarValue::iter_to_array(rows.iter().map(|row| row[column].clone())) {
            Ok(array) => array,
            Err(error) => unreachable!("the values of a column have one type: {error}"),
        })
        .collect()
}

fn batch(arrays: Vec<ArrayRef>, types: &[DataType], rows: usize, texts: &[&str]) -> RecordBatch {
    let mut fields: Vec<Field> = positional_schema(types).fields().iter().map(|field| field.as_ref().clone()).collect();
    fields.extend(texts.iter().map(|name| Field::new(*name, DataType::Utf8, true)));
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    match RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options) {
        Ok(batch) => batch,
        Err(error) => unreachable!("literal values have the types of their columns: {error}"),
    }
}
