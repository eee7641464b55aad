//! Random changes of inputs, and what the inputs hold after them.

use std::sync::Arc;

use arrow_array::builder::{
    BooleanBuilder, Decimal128Builder, DurationMicrosecondBuilder, Float64Builder, Int64Builder, StringBuilder,
};
use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use tidebook_plan::ChangeBatch;

use super::value::random_value;
use super::{Column, Input, Kind, Random, Value};

/// A row with how often it is added or, negative, taken back.
pub type Change = (Vec<Value>, i64);

/// What an input holds.
#[derive(Clone, Debug)]
pub struct InputState {
    input: Input,
    rows: Vec<Vec<Value>>,
}

impl InputState {
    /// Nothing yet.
    pub fn new(input: &Input) -> Self {
        InputState { input: input.clone(), rows: Vec::new() }
    }

    /// Random changes, `size` or so of them, done to the contents as well.
    pub fn change(&mut self, random: &mut Random, size: usize) -> Vec<Change> {
        if self.input.keyed { self.upserts(random, size) } else { self.changes(random, size) }
    }

    /// Random new rows, and again such as are there.
    pub fn growth(&mut self, random: &mut Random, size: usize) -> Vec<Change> {
        if self.input.keyed {
            return self.upserts(random, size);
        }
        let mut changes = Vec::new();
        for _ in 0..size {
            let again = !self.rows.is_empty() && random.percent(20);
            let row = if again { random.pick(&self.rows).clone() } else { self.random_row(random) };
            self.rows.push(row.clone());
            changes.push((row, 1));
        }
        changes
    }

    fn changes(&mut self, random: &mut Random, size: usize) -> Vec<Change> {
        let mut changes = Vec::new();
        if random.percent(8) {
            // Everything goes: groups become empty, partners vanish.
            changes.extend(self.rows.drain(..).map(|row| (row, -1)));
        }
        for _ in 0..size {
            let row = self.random_row(random);
            match random.below(10) {
                0 | 1 if !self.rows.is_empty() => {
                    let gone = self.rows.swap_remove(random.below(self.rows.len()));
                    changes.push((gone, -1));
                }
                2 | 3 if !self.rows.is_empty() => {
                    let place = random.below(self.rows.len());
                    changes.push((self.rows[place].clone(), -1));
                    let column = random.below(row.len());
                    self.rows[place][column] = row[column].clone();
                    changes.push((self.rows[place].clone(), 1));
                }
                4 => changes.extend([(row.clone(), 1), (row, -1)]),
                5 if !self.rows.is_empty() => {
                    let again = random.pick(&self.rows).clone();
                    self.rows.push(again.clone());
                    changes.push((again, 1));
                }
                6 => {
                    self.rows.extend([row.clone(), row.clone()]);
                    changes.push((row, 2));
                }
                _ => {
                    self.rows.push(row.clone());
                    changes.push((row, 1));
                }
            }
        }
        changes
    }

    /// A keyed input replaces by key; a negative difference deletes the key, whatever stands beside it.
    fn upserts(&mut self, random: &mut Random, size: usize) -> Vec<Change> {
        let mut changes = Vec::new();
        for _ in 0..size {
            let mut row = self.random_row(random);
            row[0] = Value::Int(random.between(1, 12));
            let held = self.rows.iter().position(|other| other[0] == row[0]);
            if let Some(place) = held {
                self.rows.swap_remove(place);
            }
            if held.is_some() && random.percent(35) {
                changes.push((row, -1));
            } else {
                self.rows.push(row.clone());
                changes.push((row, 1));
            }
        }
        changes
    }

    fn random_row(&self, random: &mut Random) -> Vec<Value> {
        self.input.columns.iter().map(|column| random_value(random, column.kind)).collect()
    }

    /// The contents as a batch, for the oracle.
    pub fn contents(&self) -> RecordBatch {
        batch(&self.input.columns, self.rows.iter())
    }

    /// Changes as a batch, for the engine.
    pub fn change_batch(&self, changes: &[Change]) -> ChangeBatch {
        let rows = batch(&self.input.columns, changes.iter().map(|(row, _)| row));
        ChangeBatch::new(rows, changes.iter().map(|(_, diff)| *diff).collect())
    }
}

/// Rows as an Arrow batch with the columns' names.
fn batch<'a>(columns: &[Column], rows: impl Iterator<Item = &'a Vec<Value>> + Clone) -> RecordBatch {
    let fields: Vec<Field> =
        columns.iter().map(|column| Field::new(&column.name, data_type(column.kind), true)).collect();
    let arrays: Vec<ArrayRef> =
        columns.iter().enumerate().map(|(i, column)| array(column.kind, rows.clone().map(|row| &row[i]))).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows.count()));
    match RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options) {
        Ok(batch) => batch,
        Err(error) => unreachable!("columns are made of one length and of the schema's types: {error}"),
    }
}

/// The Arrow type of a kind.
pub(super) fn data_type(kind: Kind) -> DataType {
    match kind {
        Kind::Int => DataType::Int64,
        Kind::Float | Kind::Mean => DataType::Float64,
        Kind::Text => DataType::Utf8,
        Kind::Bool => DataType::Boolean,
        Kind::Decimal => DataType::Decimal128(6, 2),
        Kind::Duration => DataType::Duration(TimeUnit::Microsecond),
    }
}

fn array<'a>(kind: Kind, values: impl Iterator<Item = &'a Value>) -> ArrayRef {
    match kind {
        Kind::Int => {
            let mut builder = Int64Builder::new();
            values.for_each(|value| builder.append_option(if let Value::Int(v) = value { Some(*v) } else { None }));
            Arc::new(builder.finish())
        }
        Kind::Float | Kind::Mean => {
            let mut builder = Float64Builder::new();
            values.for_each(|value| builder.append_option(if let Value::Float(v) = value { Some(*v) } else { None }));
            Arc::new(builder.finish())
        }
        Kind::Text => {
            let mut builder = StringBuilder::new();
            values.for_each(|value| builder.append_option(if let Value::Text(v) = value { Some(*v) } else { None }));
            Arc::new(builder.finish())
        }
        Kind::Bool => {
            let mut builder = BooleanBuilder::new();
            values.for_each(|value| builder.append_option(if let Value::Bool(v) = value { Some(*v) } else { None }));
            Arc::new(builder.finish())
        }
        Kind::Decimal => {
            let mut builder = Decimal128Builder::new().with_data_type(data_type(kind));
            values.for_each(|value| builder.append_option(if let Value::Decimal(v) = value { Some(*v) } else { None }));
            Arc::new(builder.finish())
        }
        Kind::Duration => {
            let mut builder = DurationMicrosecondBuilder::new();
            values
                .for_each(|value| builder.append_option(if let Value::Duration(v) = value { Some(*v) } else { None }));
            Arc::new(builder.finish())
        }
    }
}
