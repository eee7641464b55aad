//! Evaluation of fused stages on a batch.
//!
//! Where a batch fails, it is halved until the failing rows stand alone: the row evaluated by itself decides. So the
//! law holds that evaluating a batch gives for each row what evaluating that row gives, value and error alike.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch};
use arrow_cast::cast;
use arrow_schema::SchemaRef;
use arrow_select::concat::concat;
use arrow_select::filter::FilterBuilder;
use datafusion_common::DataFusionError;
use datafusion_common::cast::as_boolean_array;
use tidebook_plan::ChangeBatch;
use tidebook_plan::flow::{FlowExpr, Stage};

use crate::delta::{batch_of, untyped_batch};

/// A row that failed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// Its position in the batch.
    pub row: usize,
    /// What is wrong.
    pub message: String,
}

/// What a stage makes of a batch.
enum Outcome {
    Kept(BooleanArray),
    Columns(Vec<ArrayRef>),
}

/// Applies all stages. Rows that fail in the first are left out and reported.
pub(super) fn apply(stages: &[Stage], schema: &SchemaRef, input: &ChangeBatch) -> (ChangeBatch, Vec<Failure>) {
    let mut batch = input.rows.clone();
    let mut diffs = input.diffs.clone();
    let mut failures = Vec::new();
    for (i, stage) in stages.iter().enumerate() {
        if batch.num_rows() == 0 {
            break;
        }
        let outcome = match evaluate(stage, &batch) {
            Ok(outcome) => outcome,
            Err(_) if i == 0 && stage.is_fallible() => {
                isolate(stage, &batch, 0, &mut failures);
                let mut good = vec![true; batch.num_rows()];
                failures.iter().for_each(|failure| good[failure.row] = false);
                (batch, diffs) = keep(&batch, diffs, &BooleanArray::from(good));
                if batch.num_rows() == 0 {
                    break;
                }
                // The rows that are left may still fail together where each of them alone does not.
                evaluate_parts(stage, &batch)
            }
            Err(error) => panic!("an expression that cannot fail has failed: {error}"),
        };
        match outcome {
            Outcome::Kept(mask) => (batch, diffs) = keep(&batch, diffs, &mask),
            Outcome::Columns(columns) => batch = untyped_batch(columns, batch.num_rows()),
        }
    }
    let rows = if batch.num_rows() == 0 {
        RecordBatch::new_empty(Arc::clone(schema))
    } else {
        let count = batch.num_rows();
        batch_of(
            schema,
            batch.columns().iter().zip(schema.fields()).map(|(c, f)| of_type(c, f.data_type())).collect(),
            count,
        )
    };
    let diffs = if rows.num_rows() == 0 { None } else { diffs };
    (ChangeBatch { rows, diffs }, failures)
}

/// The column in the type that the plan says; expressions may give another spelling of it.
fn of_type(column: &ArrayRef, ty: &arrow_schema::DataType) -> ArrayRef {
    if column.data_type() == ty {
        return Arc::clone(column);
    }
    match cast(column, ty) {
        Ok(column) => column,
        Err(error) => panic!("an expression gives {} where the plan says {ty}: {error}", column.data_type()),
    }
}

fn evaluate(stage: &Stage, batch: &RecordBatch) -> Result<Outcome, DataFusionError> {
    let column = |expr: &FlowExpr| expr.physical.evaluate(batch)?.into_array(batch.num_rows());
    match stage {
        Stage::Filter(expr) => Ok(Outcome::Kept(as_boolean_array(&column(expr)?)?.clone())),
        Stage::Project(exprs) => Ok(Outcome::Columns(exprs.iter().map(column).collect::<Result<_, _>>()?)),
    }
}

/// Evaluates rows each of which is known to be good: in halves where they fail together.
fn evaluate_parts(stage: &Stage, batch: &RecordBatch) -> Outcome {
    match evaluate(stage, batch) {
        Ok(outcome) => outcome,
        Err(error) if batch.num_rows() == 1 => panic!("a row that was evaluated before has failed: {error}"),
        Err(_) => {
            let middle = batch.num_rows() / 2;
            let left = evaluate_parts(stage, &batch.slice(0, middle));
            let right = evaluate_parts(stage, &batch.slice(middle, batch.num_rows() - middle));
            join(left, right)
        }
    }
}

fn join(left: Outcome, right: Outcome) -> Outcome {
    let both = |left: &dyn Array, right: &dyn Array| match concat(&[left, right]) {
        Ok(array) => array,
        Err(error) => panic!("halves of one column have one type: {error}"),
    };
    match (left, right) {
        (Outcome::Kept(left), Outcome::Kept(right)) => {
            let mask: BooleanArray = left.iter().chain(right.iter()).collect();
            Outcome::Kept(mask)
        }
        (Outcome::Columns(left), Outcome::Columns(right)) => {
            Outcome::Columns(left.iter().zip(&right).map(|(l, r)| both(l, r)).collect())
        }
        _ => unreachable!("one stage has one kind of outcome"),
    }
}

/// Finds the rows that fail by themselves. `offset` is where the batch begins.
fn isolate(stage: &Stage, batch: &RecordBatch, offset: usize, failures: &mut Vec<Failure>) {
    let Err(error) = evaluate(stage, batch) else { return };
    if batch.num_rows() == 1 {
        failures.push(Failure { row: offset, message: message(&error) });
        return;
    }
    let middle = batch.num_rows() / 2;
    isolate(stage, &batch.slice(0, middle), offset, failures);
    isolate(stage, &batch.slice(middle, batch.num_rows() - middle), offset + middle, failures);
}

/// The rows for which the mask is true; null counts as false.
pub(super) fn keep(
    batch: &RecordBatch,
    diffs: Option<Vec<i64>>,
    mask: &BooleanArray,
) -> (RecordBatch, Option<Vec<i64>>) {
    let chosen = |i: usize| mask.is_valid(i) && mask.value(i);
    let diffs = diffs.map(|diffs| diffs.into_iter().enumerate().filter(|(i, _)| chosen(*i)).map(|(_, d)| d).collect());
    let filter = FilterBuilder::new(mask).optimize().build();
    let count = filter.count();
    let columns: Result<Vec<ArrayRef>, _> = batch.columns().iter().map(|column| filter.filter(column)).collect();
    match columns {
        Ok(columns) => (batch_of(&batch.schema(), columns, count), diffs),
        Err(error) => panic!("a mask has as many rows as its batch: {error}"),
    }
}

/// What an error says, without the names that the libraries put before it.
pub(super) fn message(error: &DataFusionError) -> String {
    use arrow_schema::ArrowError;
    let text = match error.find_root() {
        DataFusionError::ArrowError(error, _) => match error.as_ref() {
            ArrowError::ComputeError(text)
            | ArrowError::CastError(text)
            | ArrowError::ParseError(text)
            | ArrowError::InvalidArgumentError(text)
            | ArrowError::ArithmeticOverflow(text) => text.clone(),
            ArrowError::DivideByZero => "division by zero".to_string(),
            ArrowError::ExternalError(error) => error.to_string(),
            error => error.to_string(),
        },
        DataFusionError::External(error) => error.to_string(),
        error => error.message().into_owned(),
    };
    match text.split_once(DataFusionError::BACK_TRACE_SEP) {
        Some((text, _)) => text.to_string(),
        None => text,
    }
}
