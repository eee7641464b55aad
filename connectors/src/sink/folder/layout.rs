//! Where the rows of a sink go: one file, or a folder whose folders stand for values.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use arrow_array::{RecordBatch, UInt32Array};
use arrow_select::take::take_record_batch;
use tidebook_plan::connector::{ConnectorError, SinkRequest};
use tidebook_plan::{ChangeBatch, Column, Type};

use crate::columnar::folder;
use crate::format::value::text_value;

/// The target of a sink.
pub struct Layout {
    /// The file, or the folder of all files.
    pub path: PathBuf,
    /// What the user wrote.
    pub shown: String,
    /// True if it is one file.
    pub single: bool,
    /// Columns of the table that become folders, from the outermost in.
    partitions: Vec<usize>,
    /// The others, which the files have.
    stored: Vec<usize>,
    columns: Vec<Column>,
}

impl Layout {
    /// The target that the options name. It is a folder where there are partitions, or where `many` files are to be
    /// written and the path does not end like a file of the format.
    ///
    /// # Errors
    /// Where a partition is no column, or a column of a type that has no place in a name.
    pub fn new(request: &SinkRequest, extension: &str, many: bool) -> Result<Layout, ConnectorError> {
        let shown = request.options.text("path").unwrap_or_default().to_string();
        let io = |source| ConnectorError::Io { action: "write", what: shown.clone(), source };
        let path = std::path::absolute(request.base.join(&shown)).map_err(io)?;
        let columns = request.schema.columns.clone();
        let mut partitions = Vec::new();
        for name in request.options.texts("partition_by") {
            let fault = |message: String| ConnectorError::Option { option: "partition_by", message };
            let place = columns.iter().position(|column| column.name == name).ok_or_else(|| {
                let names: Vec<String> = columns.iter().map(|column| format!("`{}`", column.name)).collect();
                fault(format!("the table has no column `{name}`, only {}", names.join(", ")))
            })?;
            let fits = matches!(
                columns[place].ty.ty,
                Type::Bool | Type::Int | Type::Decimal { .. } | Type::Text | Type::Date | Type::Timestamp
            );
            if !fits {
                return Err(fault(format!("column `{name}` is {}, which cannot be a folder", columns[place].ty.ty)));
            }
            if partitions.contains(&place) {
                return Err(fault(format!("column `{name}` stands twice")));
            }
            partitions.push(place);
        }
        let stored: Vec<usize> = (0..columns.len()).filter(|place| !partitions.contains(place)).collect();
        if stored.is_empty() {
            let message = "every column is a folder, so that nothing is left for the files".to_string();
            return Err(ConnectorError::Option { option: "partition_by", message });
        }
        let is_file_name = Path::new(&shown).extension().is_some_and(|own| own == extension);
        let is_folder = !partitions.is_empty() || path.is_dir() || shown.ends_with('/') || (many && !is_file_name);
        if path.file_name().is_none() {
            let message = format!("`{shown}` is no name of a file or folder");
            return Err(ConnectorError::Option { option: "path", message });
        }
        Ok(Layout { path, shown, single: !is_folder, partitions, stored, columns })
    }

    /// The columns that files have.
    pub fn stored_columns(&self) -> Vec<Column> {
        self.stored.iter().map(|place| self.columns[*place].clone()).collect()
    }

    /// True if folders stand for values.
    pub fn is_partitioned(&self) -> bool {
        !self.partitions.is_empty()
    }

    /// The folder of a file that holds rows of the partition `relative`.
    pub fn folder(&self, relative: &str) -> PathBuf {
        if relative.is_empty() { self.path.clone() } else { self.path.join(relative) }
    }

    /// Changes by the folder that they belong to, relative to the target; all columns are kept.
    pub fn split(&self, changes: &ChangeBatch) -> Vec<(String, ChangeBatch)> {
        if self.partitions.is_empty() {
            return vec![(String::new(), changes.clone())];
        }
        let mut rows: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        for row in 0..changes.len() {
            let folders = self.partitions.iter().map(|place| {
                let (column, array) = (&self.columns[*place], changes.rows.column(*place));
                folder(&column.name, text_value(array.as_ref(), row, &column.ty.ty).as_deref())
            });
            rows.entry(folders.collect::<Vec<_>>().join("/")).or_default().push(row as u32);
        }
        let parts = rows.into_iter().map(|(folder, rows)| {
            let diffs = changes.diffs.as_ref().map(|diffs| rows.iter().map(|row| diffs[*row as usize]).collect());
            match take_record_batch(&changes.rows, &UInt32Array::from(rows)) {
                Ok(rows) => (folder, ChangeBatch { rows, diffs }),
                Err(error) => panic!("invariant: rows of a batch can be taken: {error}"),
            }
        });
        parts.collect()
    }

    /// The columns of rows that files have.
    pub fn to_stored(&self, rows: &RecordBatch) -> RecordBatch {
        if self.partitions.is_empty() {
            return rows.clone();
        }
        // Columns that are added behind those of the table stay.
        let more = self.columns.len()..rows.num_columns();
        let places: Vec<usize> = self.stored.iter().copied().chain(more).collect();
        match rows.project(&places) {
            Ok(rows) => rows,
            Err(error) => panic!("invariant: a table has its columns: {error}"),
        }
    }
}
