//! Rows with differences.

use arrow_array::RecordBatch;

/// A batch of rows, each with how many times it is added (or, negative, removed).
/// Columns go by position; field names carry no meaning. The epoch travels beside the batch.
#[derive(Clone, Debug)]
pub struct ChangeBatch {
    /// The rows. A batch may have no columns: its row count still counts.
    pub rows: RecordBatch,
    /// One difference a row, none of them zero; `None` means +1 for every row.
    pub diffs: Option<Vec<i64>>,
}

impl ChangeBatch {
    /// Every row added once.
    pub fn inserts(rows: RecordBatch) -> Self {
        ChangeBatch { rows, diffs: None }
    }

    /// Rows with one difference each.
    pub fn new(rows: RecordBatch, diffs: Vec<i64>) -> Self {
        debug_assert_eq!(rows.num_rows(), diffs.len(), "one difference a row");
        ChangeBatch { rows, diffs: Some(diffs) }
    }

    /// The difference of row `i`.
    pub fn diff(&self, i: usize) -> i64 {
        self.diffs.as_ref().map_or(1, |diffs| diffs[i])
    }

    /// Number of rows, whatever their differences.
    pub fn len(&self) -> usize {
        self.rows.num_rows()
    }

    /// True without rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same rows, taken back.
    #[must_use]
    pub fn negated(&self) -> Self {
        self.times(-1)
    }

    /// The same rows with every difference `factor` times as large, which is not 0; what 64 bits do not hold stays at their end.
    #[must_use]
    pub fn times(&self, factor: i64) -> Self {
        let diffs = (0..self.len()).map(|i| self.diff(i).saturating_mul(factor)).collect();
        ChangeBatch { rows: self.rows.clone(), diffs: Some(diffs) }
    }
}
