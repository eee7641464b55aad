//! Parquet files: row groups whose statistics say that they have no wanted row are not read, nor pages whose index
//! says so, nor row groups whose bloom filter lacks the value; of the rest the columns of the conditions are decoded
//! first and the others only for the rows that pass.

use std::io;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch};
use arrow_schema::{ArrowError, DataType, Schema, TimeUnit};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowPredicate, ArrowPredicateFn, ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
    RowFilter,
};
use parquet::basic::{ConvertedType, LogicalType, Type as PhysicalType};
use parquet::errors::ParquetError;
use parquet::file::metadata::PageIndexPolicy;
use tidebook_plan::connector::ConnectorError;

use super::bind::Binding;
use super::bytes::FileBytes;
use super::file::{BATCH_BYTES, Batches, ColumnarFile, OpenFile, Take, Unit};
use super::prune;
use super::types::{EXTENSION, JSON_EXTENSION, UUID_EXTENSION};
use super::wanted::Wanted;
use crate::format::BATCH_ROWS;

/// A Parquet file that is open.
pub struct ParquetFile {
    bytes: FileBytes,
    metadata: ArrowReaderMetadata,
    binding: Arc<Binding>,
    units: Vec<Unit>,
}

/// The Arrow schema of a file.
///
/// # Errors
/// Where it is no Parquet file, or encrypted.
pub fn schema(file: &OpenFile) -> Result<Schema, ConnectorError> {
    Ok(load(file, false)?.schema().as_ref().clone())
}

/// The batches as they stand in the file.
///
/// # Errors
/// Where it is no Parquet file.
pub fn read_back(file: &OpenFile) -> Result<Batches, ConnectorError> {
    let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file.bytes.clone(), load(file, false)?).build();
    let reader = reader.map_err(|error| fault(file, &error))?;
    Ok(Box::new(reader.map(|batch| batch.map_err(io::Error::other))))
}

/// The footer, and with `index` the pages' index where there is one.
fn load(file: &OpenFile, index: bool) -> Result<ArrowReaderMetadata, ConnectorError> {
    if file.bytes.length() == 0 {
        return Err(file.fault("is empty, expected a Parquet file"));
    }
    let policy = if index { PageIndexPolicy::Optional } else { PageIndexPolicy::Skip };
    let options = ArrowReaderOptions::new().with_page_index_policy(policy);
    let metadata = ArrowReaderMetadata::load(&file.bytes, options.clone()).map_err(|error| fault(file, &error))?;
    match told_schema(&metadata) {
        None => Ok(metadata),
        Some(schema) => {
            let options = options.with_schema(Arc::new(schema));
            ArrowReaderMetadata::try_new(metadata.metadata().clone(), options).map_err(|error| fault(file, &error))
        }
    }
}

/// The schema with what the reader does not do by itself: JSON and UUIDs are marked, and times of 96 bits are microseconds, since
/// nanoseconds of 64 bits end in 2262.
fn told_schema(metadata: &ArrowReaderMetadata) -> Option<Schema> {
    let mut changed = false;
    let roots = metadata.parquet_schema().root_schema().get_fields();
    let fields = metadata.schema().fields().iter().zip(roots).map(|(field, root)| {
        let info = root.get_basic_info();
        let extension = match info.logical_type_ref() {
            Some(LogicalType::Json) => Some(JSON_EXTENSION),
            Some(LogicalType::Uuid) => Some(UUID_EXTENSION),
            _ if info.converted_type() == ConvertedType::JSON => Some(JSON_EXTENSION),
            _ => None,
        };
        let old_time = root.is_primitive() && root.get_physical_type() == PhysicalType::INT96;
        if let Some(extension) = extension.filter(|_| !field.metadata().contains_key(EXTENSION)) {
            changed = true;
            let mut metadata = field.metadata().clone();
            metadata.insert(EXTENSION.to_string(), extension.to_string());
            return Arc::new(field.as_ref().clone().with_metadata(metadata));
        }
        if old_time && matches!(field.data_type(), DataType::Timestamp(TimeUnit::Nanosecond, _)) {
            changed = true;
            return Arc::new(field.as_ref().clone().with_data_type(DataType::Timestamp(TimeUnit::Microsecond, None)));
        }
        field.clone()
    });
    let fields: Vec<_> = fields.collect();
    changed.then(|| Schema::new_with_metadata(fields, metadata.schema().metadata().clone()))
}

/// What went wrong, in words that do not begin with the reader's name.
fn fault(file: &OpenFile, error: &ParquetError) -> ConnectorError {
    file.fault(message(error))
}

fn message(error: &ParquetError) -> String {
    let mut text = match error {
        ParquetError::General(text)
        | ParquetError::NYI(text)
        | ParquetError::EOF(text)
        | ParquetError::ArrowError(text) => text.clone(),
        other => other.to_string(),
    };
    if text.to_lowercase().contains("encrypt") {
        return "is encrypted, which is not supported".to_string();
    }
    // Layers of the reader that say nothing to people.
    while let Some(rest) = ["External: ", "Parquet error: ", "Parquet argument error: ", "Arrow: "]
        .iter()
        .find_map(|layer| text.strip_prefix(layer))
    {
        text = rest.to_string();
    }
    format!("is no sound Parquet file: {text}")
}

impl ParquetFile {
    /// Reads the footer and decides what has to be read.
    ///
    /// # Errors
    /// Where the file is no Parquet file, or lacks a column.
    pub fn open(file: OpenFile, wanted: &Arc<Wanted>) -> Result<ParquetFile, ConnectorError> {
        let metadata = load(&file, !wanted.conditions.is_empty())?;
        let binding = Binding::new(wanted.clone(), metadata.schema(), &file.known)?;
        let units = prune::units(&file.bytes, &metadata, &binding).map_err(|error| fault(&file, &error))?;
        Ok(ParquetFile { bytes: file.bytes, metadata, binding: Arc::new(binding), units })
    }

    /// Rows of a batch, so that it has about [`BATCH_BYTES`].
    fn batch_rows(&self, unit: &Unit) -> usize {
        let group = self.metadata.metadata().row_group(unit.group);
        let read = self.binding.columns(unit.checked);
        let leaves = group.columns().iter().enumerate();
        let bytes: i64 = leaves
            .filter(|(leaf, _)| read.contains(&self.metadata.parquet_schema().get_column_root_idx(*leaf)))
            .map(|(_, column)| {
                let encoded = column.uncompressed_size();
                encoded.max(column.unencoded_byte_array_data_bytes().unwrap_or(0))
            })
            .sum();
        let row = (bytes / group.num_rows().max(1)).max(1);
        usize::try_from(BATCH_BYTES as i64 / row).unwrap_or(1).clamp(1, BATCH_ROWS)
    }

    fn condition_column(&self, condition: usize) -> Option<usize> {
        self.binding.column(self.binding.wanted.conditions[condition].field)
    }

    fn filter(&self, unit: &Unit) -> Option<RowFilter> {
        let mut fields: Vec<usize> =
            unit.conditions.iter().map(|condition| self.binding.wanted.conditions[*condition].field).collect();
        fields.dedup();
        let predicates: Vec<Box<dyn ArrowPredicate>> = fields
            .into_iter()
            .filter_map(|field| {
                let column = self.binding.column(field)?;
                let mask = ProjectionMask::roots(self.metadata.parquet_schema(), [column]);
                let (binding, unit) = (self.binding.clone(), unit.clone());
                let check = move |batch: RecordBatch| passing(&binding, &unit, field, &batch);
                Some(Box::new(ArrowPredicateFn::new(mask, check)) as Box<dyn ArrowPredicate>)
            })
            .collect();
        (!predicates.is_empty()).then(|| RowFilter::new(predicates))
    }
}

/// Which rows of a batch that has only the column of a field meet its conditions.
fn passing(binding: &Binding, unit: &Unit, field: usize, batch: &RecordBatch) -> Result<BooleanArray, ArrowError> {
    let columns = |_| batch.columns().first().cloned();
    // Only sound units are filtered.
    let values: ArrayRef = binding.values(field, &columns, batch.num_rows(), 0, &mut Vec::new())?;
    let mut passing: Option<BooleanArray> = None;
    for condition in unit.conditions.iter().map(|condition| &binding.wanted.conditions[*condition]) {
        if condition.field == field {
            let next = condition.check.of(&values)?;
            let next = match next.nulls() {
                Some(nulls) => BooleanArray::new(next.values() & nulls.inner(), None),
                None => next,
            };
            passing = Some(match passing {
                Some(passing) => BooleanArray::new(passing.values() & next.values(), None),
                None => next,
            });
        }
    }
    Ok(passing.unwrap_or_else(|| BooleanArray::from(vec![true; batch.num_rows()])))
}

impl ColumnarFile for ParquetFile {
    fn units(&self) -> &[Unit] {
        &self.units
    }

    fn read(&self, unit: &Unit, take: &mut Take<'_>) -> Result<(), ConnectorError> {
        let what = || self.binding.origin.clone();
        let failed = |message: String| ConnectorError::Format { what: what(), message };
        let columns = self.binding.columns(unit.checked);
        let schema = self.metadata.parquet_schema();
        let mut builder = ParquetRecordBatchReaderBuilder::new_with_metadata(self.bytes.clone(), self.metadata.clone())
            .with_row_groups(vec![unit.group])
            .with_projection(ProjectionMask::roots(schema, columns.iter().copied()))
            .with_batch_size(self.batch_rows(unit));
        // Numbered rows have to come without gaps.
        if !unit.checked && !self.binding.numbers_rows() {
            let selection =
                prune::pages(&self.metadata, &self.binding, unit).map_err(|error| failed(message(&error)))?;
            if let Some(selection) = selection {
                builder = builder.with_row_selection(selection);
            }
            // With no other column to spare, the plan above can as well do it.
            let asked: Vec<Option<usize>> =
                unit.conditions.iter().map(|condition| self.condition_column(*condition)).collect();
            let others = columns.iter().any(|column| !asked.contains(&Some(*column)));
            if let Some(filter) = self.filter(unit).filter(|_| others) {
                builder = builder.with_row_filter(filter);
            }
        }
        let reader = builder.build().map_err(|error| failed(message(&error)))?;
        let mut first = unit.first;
        for batch in reader {
            let batch = batch.map_err(|error| failed(message(&ParquetError::from(error))))?;
            let place = |column: usize| {
                columns.iter().position(|known| *known == column).map(|place| batch.column(place).clone())
            };
            let decoded = self.binding.decode(&place, batch.num_rows(), first, unit.checked)?;
            first += batch.num_rows() as i64;
            if !take(decoded) {
                return Ok(());
            }
        }
        Ok(())
    }
}
