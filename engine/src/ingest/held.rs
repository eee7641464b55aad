//! The current rows of a source, held in memory: for retraction, and for programs that come later.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use arrow_select::concat::concat_batches;
use tidebook_plan::ChangeBatch;

use super::keyed::Keyed;

/// Small batches of a segment are put together when there are so many.
const MOST_BATCHES: usize = 64;

/// What belongs together and is taken back together: a file.
#[derive(Default)]
pub(crate) struct Segment {
    /// Its rows; none for keyed sources, whose rows are kept by key.
    pub rows: Vec<Arc<ChangeBatch>>,
    /// Its errors.
    pub errors: Vec<Arc<ChangeBatch>>,
}

/// The current rows and errors of a source.
pub(crate) struct Held {
    keyed: Option<Keyed>,
    segments: BTreeMap<Option<u64>, Segment>,
}

impl Held {
    /// Nothing yet. With a key, a later row replaces the earlier one of its key.
    pub fn new(schema: &SchemaRef, key: &[usize]) -> Self {
        Held { keyed: (!key.is_empty()).then(|| Keyed::new(schema, key)), segments: BTreeMap::new() }
    }

    /// Takes rows of a segment in; gives what they change.
    pub fn add(&mut self, segment: Option<u64>, rows: ChangeBatch) -> Arc<ChangeBatch> {
        if let Some(keyed) = &mut self.keyed {
            return Arc::new(keyed.apply(segment, &rows));
        }
        let rows = Arc::new(rows);
        if !rows.is_empty() {
            let batches = &mut self.segments.entry(segment).or_default().rows;
            batches.push(Arc::clone(&rows));
            if batches.len() >= MOST_BATCHES {
                *batches = compacted(std::mem::take(batches));
            }
        }
        rows
    }

    /// Takes errors of a segment in.
    pub fn add_errors(&mut self, segment: Option<u64>, errors: &Arc<ChangeBatch>) {
        if !errors.is_empty() {
            self.segments.entry(segment).or_default().errors.push(Arc::clone(errors));
        }
    }

    /// Gives up a segment; gives the rows and errors that are to be taken back, with their differences as they were.
    pub fn retract(&mut self, segment: u64) -> Segment {
        let mut given_up = self.segments.remove(&Some(segment)).unwrap_or_default();
        if let Some(keyed) = &mut self.keyed {
            given_up.rows.push(Arc::new(keyed.retract(segment)));
        }
        given_up
    }

    /// All rows.
    pub fn rows(&self) -> Vec<Arc<ChangeBatch>> {
        match &self.keyed {
            Some(keyed) => keyed.rows().into_iter().map(Arc::new).collect(),
            None => self.segments.values().flat_map(|segment| segment.rows.iter().cloned()).collect(),
        }
    }

    /// All errors.
    pub fn errors(&self) -> Vec<Arc<ChangeBatch>> {
        self.segments.values().flat_map(|segment| segment.errors.iter().cloned()).collect()
    }

    /// Memory in use, about.
    pub fn bytes(&self) -> u64 {
        let batches = self.segments.values().flat_map(|segment| segment.rows.iter().chain(&segment.errors));
        let rows: usize = batches.map(|changes| changes.rows.get_array_memory_size()).sum();
        rows as u64 + self.keyed.as_ref().map_or(0, Keyed::bytes)
    }
}

/// Small batches put together; large ones stay as they are.
fn compacted(batches: Vec<Arc<ChangeBatch>>) -> Vec<Arc<ChangeBatch>> {
    let (large, small): (Vec<_>, Vec<_>) = batches.into_iter().partition(|batch| batch.len() >= 4_096);
    let mut result = large;
    if let Some(first) = small.first() {
        let schema = first.rows.schema();
        let rows: Vec<&RecordBatch> = small.iter().map(|batch| &batch.rows).collect();
        match concat_batches(&schema, rows) {
            Ok(rows) => {
                let diffs = small
                    .iter()
                    .any(|batch| batch.diffs.is_some())
                    .then(|| small.iter().flat_map(|batch| (0..batch.len()).map(|i| batch.diff(i))).collect());
                result.push(Arc::new(ChangeBatch { rows, diffs }));
            }
            Err(error) => panic!("batches of one source have one schema: {error}"),
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use arrow_array::Int64Array;
    use tidebook_plan::flow::positional_schema;

    use super::*;

    fn rows(values: &[i64]) -> ChangeBatch {
        let schema = positional_schema([&arrow_schema::DataType::Int64]);
        let batch = RecordBatch::try_new(schema, vec![Arc::new(Int64Array::from(values.to_vec()))]);
        ChangeBatch::inserts(batch.expect("one column"))
    }

    #[test]
    fn a_segment_is_given_up_as_a_whole_however_it_was_compacted() {
        let mut held = Held::new(&rows(&[]).rows.schema(), &[]);
        for i in 0..200 {
            held.add(Some(i % 2), rows(&[i as i64, -1]));
        }
        let count = |held: &Held| held.rows().iter().map(|batch| batch.len()).sum::<usize>();
        assert_eq!(count(&held), 400);
        let given_up: usize = held.retract(1).rows.iter().map(|batch| batch.len()).sum();
        assert_eq!((given_up, count(&held)), (200, 200));
        assert!(held.retract(1).rows.is_empty());
    }
}
