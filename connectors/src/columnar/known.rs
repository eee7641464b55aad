//! What a file gives to each of its rows beside their columns.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, StringArray, TimestampMicrosecondArray};

use crate::files::Stamp;

/// A file as its rows see it.
#[derive(Clone, Debug)]
pub struct KnownFile {
    /// Where it is.
    pub file: PathBuf,
    /// What messages and the column `_path` call it.
    pub path: String,
    /// Its size and time.
    pub stamp: Stamp,
    /// False if such names are ordinary columns.
    pub metadata: bool,
}

impl KnownFile {
    /// A file that was opened.
    pub fn new(file: &Path, path: String, stamp: Stamp, metadata: bool) -> KnownFile {
        KnownFile { file: file.to_path_buf(), path, stamp, metadata }
    }

    /// The value of a metadata column (for `_line`, which differs from row to row, any value); `None` for other names.
    pub fn column(&self, name: &str) -> Option<ArrayRef> {
        if !self.metadata {
            return None;
        }
        Some(match name {
            "_path" => Arc::new(StringArray::from(vec![self.path.as_str()])),
            "_line" => Arc::new(Int64Array::from(vec![0])),
            "_size" => Arc::new(Int64Array::from(vec![i64::try_from(self.stamp.size).unwrap_or(i64::MAX)])),
            "_modified" => Arc::new(TimestampMicrosecondArray::from(vec![self.stamp.modified.div_euclid(1_000)])),
            _ => return None,
        })
    }
}
