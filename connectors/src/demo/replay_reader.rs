//! Gives rows that are held in memory when their time has come.

use std::time::{Duration, Instant};

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_schema::{ArrowError, DataType, SchemaRef, SortOptions, TimeUnit};
use tidebook_plan::ChangeBatch;
use tidebook_plan::connector::{ConnectorError, Source, SourceBatch, SourceError, SourceEvent};

use crate::files::BoundedFiles;
use crate::format::BATCH_ROWS;

/// Least time between two batches.
const STEP: Duration = Duration::from_millis(1);

/// Rows in the order of their times.
pub struct Replay {
    rows: RecordBatch,
    /// Errors of the file, which come with the first rows.
    errors: Vec<SourceError>,
    /// Microseconds after the first row's time at which each row is due, in the file's own time.
    due: Vec<i64>,
    given: usize,
    speed: f64,
    /// Set when the first rows are given.
    start: Option<Instant>,
    not_before: Instant,
}

impl Replay {
    /// Reads all of `files` and sorts it by column `time`.
    ///
    /// # Errors
    /// Where a file cannot be read.
    pub fn load(mut files: BoundedFiles, schema: SchemaRef, time: usize, speed: f64) -> Result<Replay, ConnectorError> {
        let mut batches = Vec::new();
        let mut errors = Vec::new();
        while let SourceEvent::Batch(batch) = files.next(Duration::ZERO)? {
            batches.push(batch.rows.rows);
            errors.extend(batch.errors);
        }
        let sorted = sort(&schema, &batches, time);
        let (rows, due) = sorted
            .map_err(|error| ConnectorError::Format { what: "demo.replay".to_string(), message: error.to_string() })?;
        Ok(Replay { rows, errors, due, given: 0, speed, start: None, not_before: Instant::now() })
    }

    /// When row `row` is due.
    fn moment(&self, start: Instant, row: usize) -> Option<Instant> {
        let seconds = self.due[row] as f64 / 1e6 / self.speed;
        start.checked_add(Duration::try_from_secs_f64(seconds).ok()?)
    }

    fn batch(&mut self, until: usize) -> SourceEvent {
        let rows = self.rows.slice(self.given, until - self.given);
        self.given = until;
        SourceEvent::Batch(SourceBatch {
            rows: ChangeBatch::inserts(rows),
            errors: std::mem::take(&mut self.errors),
            segment: None,
            resume: serde_json::json!({ "rows": until }),
        })
    }
}

/// The rows of all batches by time, and how long after the first of them each one is due.
fn sort(schema: &SchemaRef, batches: &[RecordBatch], time: usize) -> Result<(RecordBatch, Vec<i64>), ArrowError> {
    let rows = arrow_select::concat::concat_batches(schema, batches)?;
    let instant = DataType::Timestamp(TimeUnit::Microsecond, None);
    // The position breaks ties, so that rows of one time keep the order of the file.
    let times = arrow_cast::cast(rows.column(time), &instant)?;
    let positions = std::sync::Arc::new(arrow_array::UInt64Array::from_iter_values(0..rows.num_rows() as u64));
    let options = Some(SortOptions { descending: false, nulls_first: true });
    let order = arrow_ord::sort::lexsort_to_indices(
        &[
            arrow_ord::sort::SortColumn { values: times.clone(), options },
            arrow_ord::sort::SortColumn { values: positions, options },
        ],
        None,
    )?;
    let rows = arrow_select::take::take_record_batch(&rows, &order)?;
    let times = arrow_select::take::take(times.as_ref(), &order, None)?;
    let times = times.as_primitive::<TimestampMicrosecondType>();
    let first = times.iter().flatten().next().unwrap_or(0);
    let due = times.iter().map(|time| time.map_or(0, |time| time.saturating_sub(first))).collect();
    Ok((rows, due))
}

impl Source for Replay {
    fn next(&mut self, wait: Duration) -> Result<SourceEvent, ConnectorError> {
        let deadline = Instant::now() + wait;
        loop {
            let now = Instant::now();
            let start = *self.start.get_or_insert(now);
            if self.given == self.due.len() {
                return Ok(if self.errors.is_empty() { SourceEvent::End } else { self.batch(self.given) });
            }
            let next = self.moment(start, self.given);
            if next.is_some_and(|next| next <= now) && now >= self.not_before {
                self.not_before = now + STEP;
                let passed = (now - start).as_secs_f64() * self.speed * 1e6;
                let until = self.due.partition_point(|due| *due as f64 <= passed).max(self.given + 1);
                return Ok(self.batch(until.min(self.given + BATCH_ROWS)));
            }
            if now >= deadline {
                return Ok(SourceEvent::Idle);
            }
            let wake = next.map_or(deadline, |next| next.max(self.not_before).min(deadline));
            std::thread::sleep(wake.saturating_duration_since(now));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::replay::source;
    use crate::format::value::json_value;
    use serde_json::{Value, json};
    use tidebook_plan::Type;
    use tidebook_plan::connector::{OpenRequest, OptionValue, Options, SourceConnector, SourceSpec};

    fn open(text: &str, time: &str, speed: f64) -> Result<Box<dyn Source>, ConnectorError> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ticks.csv"), text).unwrap();
        let options = [
            ("path", OptionValue::Text("ticks.csv".into())),
            ("time", OptionValue::Text(time.into())),
            ("speed", OptionValue::Float(speed)),
        ];
        let options = Options(options.into_iter().map(|(name, value)| (name.to_string(), value)).collect());
        let connector = source();
        let fields = connector.describe(&options, folder.path()).unwrap();
        let name = "demo.replay".to_string();
        let base = folder.path().to_path_buf();
        let spec = SourceSpec {
            connector: name,
            options,
            fields,
            key: vec![],
            generation: 0,
            base,
            selection: Default::default(),
        };
        connector.open(OpenRequest { spec, repeats: None, beside: None })
    }

    #[test]
    fn rows_come_in_the_order_and_at_the_pace_of_their_times() {
        let text =
            "n,at\n2,2026-01-01T00:00:04\n1,2026-01-01T00:00:00\nx\n3,2026-01-01T00:00:04\n4,2026-01-01T00:00:08\n";
        let mut replay = open(text, "at", 100.0).unwrap();
        let started = Instant::now();
        let (mut seen, mut errors) = (Vec::new(), 0);
        loop {
            match replay.next(Duration::from_secs(5)).unwrap() {
                SourceEvent::Batch(batch) => {
                    let rows = &batch.rows.rows;
                    let values = (0..rows.num_rows()).map(|row| json_value(rows.column(0).as_ref(), row, &Type::Int));
                    seen.push(values.collect::<Value>());
                    errors += batch.errors.len();
                }
                SourceEvent::End => break,
                other => panic!("rows come in time: {other:?}"),
            }
        }
        assert_eq!(seen, [json!([1]), json!([2, 3]), json!([4])]);
        assert_eq!(errors, 1);
        assert!(started.elapsed() >= Duration::from_millis(80), "8 seconds at a hundred times the speed");
    }

    #[test]
    fn a_time_column_is_needed() {
        let text = "n,at\n1,2026-01-01T00:00:00\n";
        assert!(matches!(open(text, "when", 1.0), Err(ConnectorError::Option { option: "time", .. })));
        assert!(matches!(open(text, "n", 1.0), Err(ConnectorError::Option { option: "time", .. })));
        assert!(matches!(open(text, "at", 0.0), Err(ConnectorError::Option { option: "speed", .. })));
    }
}
