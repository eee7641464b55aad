//! How one file gives the columns that are wanted: from its own columns by name, from its path, or by default.
//!
//! *Invariant:* what is wrong with a value is told whether or not somebody reads its column. A column whose values may
//! be wrong is therefore read unless the file itself says that they are not.

use std::sync::Arc;

use arrow_array::new_null_array;
use arrow_array::{Array, ArrayRef, BooleanArray, Int64Array, RecordBatch, RecordBatchOptions, Scalar, StringArray};
use arrow_schema::{ArrowError, Schema};
use arrow_select::filter::filter_record_batch;
use arrow_select::zip::zip;
use tidebook_plan::connector::{ConnectorError, SourceError};

use super::convert::Conversion;
use super::known::KnownFile;
use super::natural::Failure;
use super::partition;
use super::types::{Risk, natural, risk};
use super::wanted::{Wanted, WantedField, repeated};
use crate::format::{ColumnBuilder, Decoded, push_text};

/// Where a field's values come from.
#[derive(Debug)]
pub enum Origin {
    /// A column of the file.
    Column {
        /// Its position.
        column: usize,
        /// How it becomes what is wanted.
        conversion: Conversion,
        /// How its values can be wrong.
        risk: Risk,
        /// True if a null is wrong too.
        required: bool,
    },
    /// The same value for every row.
    Constant(ArrayRef),
    /// The number of the row in the file, from 1.
    Row,
}

/// One file as a source of the wanted columns.
#[derive(Debug)]
pub struct Binding {
    /// What is wanted.
    pub wanted: Arc<Wanted>,
    /// For each field of the source.
    pub origins: Vec<Origin>,
    /// What messages call the file.
    pub origin: String,
}

impl Binding {
    /// Finds the wanted fields in a file with this schema.
    ///
    /// # Errors
    /// Names the file and the column that it lacks, or whose type cannot become what is wanted.
    pub fn new(wanted: Arc<Wanted>, schema: &Schema, known: &KnownFile) -> Result<Binding, ConnectorError> {
        let partitions = if wanted.partitions { partition::of_path(&known.file) } else { Vec::new() };
        let fault = |message: String| ConnectorError::Format { what: known.path.clone(), message };
        let mut origins = Vec::with_capacity(wanted.fields.len());
        for field in &wanted.fields {
            let name = field.field.wire_name();
            let partition = partitions.iter().find(|(known, _)| known == name);
            origins.push(match (known.column(name), partition) {
                (Some(_), _) if name == "_line" => Origin::Row,
                (Some(value), _) => Origin::Constant(value),
                (None, Some((_, value))) => Origin::Constant(partition_value(field, value.as_deref()).map_err(fault)?),
                (None, None) => own_column(schema, field).map_err(fault)?,
            });
        }
        Ok(Binding { wanted, origins, origin: known.path.clone() })
    }

    /// Columns of the file that are read: those that are selected, and with `checked` those that may be wrong.
    pub fn columns(&self, checked: bool) -> Vec<usize> {
        let mut columns: Vec<usize> = self.needed(checked).filter_map(|field| self.column(field)).collect();
        columns.sort_unstable();
        columns.dedup();
        columns
    }

    /// The file's column that a field is read from.
    pub fn column(&self, field: usize) -> Option<usize> {
        match &self.origins[field] {
            Origin::Column { column, .. } => Some(*column),
            Origin::Constant(_) | Origin::Row => None,
        }
    }

    /// True if rows have their number as a column.
    pub fn numbers_rows(&self) -> bool {
        self.wanted.selected.iter().any(|field| matches!(self.origins[*field], Origin::Row))
    }

    fn needed(&self, checked: bool) -> impl Iterator<Item = usize> {
        (0..self.origins.len()).filter(move |field| {
            let risky = match &self.origins[*field] {
                Origin::Column { risk, required, .. } => *risk != Risk::None || *required,
                Origin::Constant(_) | Origin::Row => false,
            };
            (checked && risky) || self.wanted.selected.contains(field)
        })
    }

    /// Rows of the file as rows of the source, of which the first is number `first`, from 0. `columns` has the file's
    /// columns at their places, those that [`Binding::columns`] names for the same `checked`.
    ///
    /// # Errors
    /// Where Arrow refuses a whole column.
    pub fn decode(
        &self,
        columns: &dyn Fn(usize) -> Option<ArrayRef>,
        rows: usize,
        first: i64,
        checked: bool,
    ) -> Result<Decoded, ConnectorError> {
        let mut found: Vec<Option<ArrayRef>> = vec![None; self.origins.len()];
        let mut faults: Vec<(usize, usize, String)> = Vec::new();
        for field in self.needed(checked) {
            let mut failures = Vec::new();
            let array =
                self.values(field, columns, rows, first, &mut failures).map_err(|error| self.fault(field, &error))?;
            faults.extend(failures.into_iter().map(|Failure { row, message }| (row, field, message)));
            found[field] = Some(array);
        }
        let selected = self.wanted.selected.iter().map(|field| match &found[*field] {
            Some(array) => array.clone(),
            None => panic!("invariant: every selected field was read"),
        });
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(self.wanted.schema.clone(), selected.collect(), &options);
        let batch = match batch {
            Ok(batch) => batch,
            Err(error) => panic!("invariant: columns have their types: {error}"),
        };
        if faults.is_empty() {
            return Ok(Decoded { rows: batch, errors: Vec::new() });
        }
        self.without(&batch, faults, columns, first)
    }

    /// The rows that are sound, and an error for each of the others: the first of its faults.
    fn without(
        &self,
        batch: &RecordBatch,
        mut faults: Vec<(usize, usize, String)>,
        columns: &dyn Fn(usize) -> Option<ArrayRef>,
        first: i64,
    ) -> Result<Decoded, ConnectorError> {
        faults.sort_by_key(|(row, field, _)| (*row, *field));
        faults.dedup_by_key(|(row, _, _)| *row);
        let mut sound = vec![true; batch.num_rows()];
        let errors = faults.into_iter().map(|(row, field, message)| {
            sound[row] = false;
            let value = self.column(field).and_then(columns).filter(|array| array.is_valid(row));
            let text = value.and_then(|array| arrow_cast::display::array_value_to_string(&array, row).ok());
            SourceError {
                origin: Some(self.origin.clone()),
                position: Some(first + row as i64 + 1),
                text: text.map(|text| text.chars().take(1_000).collect()),
                message: format!("column `{}`: {message}", self.wanted.fields[field].field.name),
            }
        });
        let errors = errors.collect();
        let rows = filter_record_batch(batch, &BooleanArray::from(sound))
            .map_err(|error| ConnectorError::Format { what: self.origin.clone(), message: error.to_string() })?;
        Ok(Decoded { rows, errors })
    }

    /// The values of one field.
    ///
    /// # Errors
    /// Where Arrow refuses the whole column.
    pub fn values(
        &self,
        field: usize,
        columns: &dyn Fn(usize) -> Option<ArrayRef>,
        rows: usize,
        first: i64,
        failures: &mut Vec<Failure>,
    ) -> Result<ArrayRef, ArrowError> {
        match &self.origins[field] {
            Origin::Constant(value) => repeated(value, rows),
            Origin::Row => Ok(Arc::new(Int64Array::from_iter_values((first + 1..).take(rows)))),
            Origin::Column { column, conversion, .. } => {
                let Some(array) = columns(*column) else {
                    panic!("invariant: column {column} was read");
                };
                let Some(default) = &self.wanted.fields[field].default else {
                    return conversion.apply(&array, failures);
                };
                let converted = conversion.apply(&array, failures)?;
                if self.wanted.fields[field].field.ty.nullable
                    || array.logical_nulls().is_none_or(|nulls| nulls.null_count() == 0)
                {
                    return Ok(converted);
                }
                // Where the column cannot be null, its default stands for a null.
                let present = BooleanArray::from_iter((0..array.len()).map(|row| Some(!array.is_null(row))));
                failures.retain(|failure| !array.is_null(failure.row));
                zip(&present, &converted, &Scalar::new(default.clone()))
            }
        }
    }

    fn fault(&self, field: usize, error: &ArrowError) -> ConnectorError {
        let message = format!("column `{}`: {error}", self.wanted.fields[field].field.name);
        ConnectorError::Format { what: self.origin.clone(), message }
    }
}

/// A field from a column of the file, or by default.
fn own_column(schema: &Schema, field: &WantedField) -> Result<Origin, String> {
    let name = field.field.wire_name();
    let Some((column, own)) = schema.column_with_name(name) else {
        let arrow = field.field.ty.ty.to_arrow();
        return match &field.default {
            Some(default) => Ok(Origin::Constant(default.clone())),
            None if field.field.ty.nullable => Ok(Origin::Constant(new_null_array(&arrow, 1))),
            None => {
                let names: Vec<String> =
                    schema.fields().iter().take(20).map(|own| format!("`{}`", own.name())).collect();
                Err(format!("has no column `{name}`, only {}", names.join(", ")))
            }
        };
    };
    let about = |message: String| format!("column `{name}` {message}");
    let wanted = &field.field.ty;
    let conversion = Conversion::new(natural(own).map_err(about)?, wanted.clone()).map_err(about)?;
    let required = !wanted.nullable && field.default.is_none() && own.is_nullable();
    Ok(Origin::Column { column, conversion, risk: risk(own, wanted), required })
}

/// The value that a folder gives to a field.
fn partition_value(field: &WantedField, value: Option<&str>) -> Result<ArrayRef, String> {
    let ty = &field.field.ty;
    let name = &field.field.name;
    let Some(text) = value else {
        return match &field.default {
            Some(default) => Ok(default.clone()),
            None if ty.nullable => Ok(new_null_array(&ty.ty.to_arrow(), 1)),
            None => Err(format!("the folder of `{name}` stands for null, and {ty} is not `{ty}?`")),
        };
    };
    if ty.ty == tidebook_plan::Type::Text {
        return Ok(Arc::new(StringArray::from(vec![text])));
    }
    let mut column = ColumnBuilder::new(&ty.ty);
    push_text(text.as_bytes(), &mut column, ty).map_err(|message| format!("the folder of `{name}`: {message}"))?;
    Ok(column.finish())
}
