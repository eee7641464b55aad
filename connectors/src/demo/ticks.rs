//! `demo.ticks`: a row every so often, for ever or a number of times.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, TimestampMicrosecondArray};
use arrow_schema::SchemaRef;
use tidebook_plan::connector::{
    ConnectorError, ConnectorSpec, Contents, Direction, OpenRequest, OptionKind, OptionSpec, OptionValue, Options,
    Source, SourceBatch, SourceConnector, SourceEvent, SourceField,
};
use tidebook_plan::{ChangeBatch, ColumnType, Type};

use super::walk;
use crate::format::BATCH_ROWS;

/// Least time between two batches, so that a fast stream comes in pieces that are worth their cost.
const STEP: Duration = Duration::from_millis(1);
/// Ticks a second at most.
const FASTEST: f64 = 10_000_000.0;

/// The connector.
pub fn source() -> TickSource {
    let spec = ConnectorSpec {
        name: "demo.ticks",
        direction: Direction::Source,
        summary: "A ticking stream: a row every 1/rate seconds.",
        doc: "\
Columns: `n: int` counts from 0, `at: timestamp` is the moment at which the tick is due, `value: float` is a smooth random \
walk around 100 that is the same for the same `n` on every machine. Rows come at the stated rate from the moment that \
something first reads the stream, for ever or `rows` times; if the reader is held up, it gets what it has missed at once. \
What was given is kept, so that a cell that reads the stream later sees all of it.",
        options: vec![
            OptionSpec {
                name: "rate",
                kind: OptionKind::Float,
                doc: "Rows a second.",
                default: Some(OptionValue::Float(10.0)),
                required: false,
                positional: false,
                secret: false,
            },
            OptionSpec {
                name: "rows",
                kind: OptionKind::Int,
                doc: "After so many rows the stream ends; without it, never.",
                default: None,
                required: false,
                positional: false,
                secret: false,
            },
        ],
        examples: &[
            "ticks = read demo.ticks(rate: 100)",
            "read demo.ticks(rate: 1000, rows: 5000) | summarize n: count(), mean: avg(value)",
        ],
    };
    TickSource { spec }
}

/// Makes ticks.
pub struct TickSource {
    spec: ConnectorSpec,
}

/// What a column of the user's schema is.
#[derive(Clone, Copy)]
enum TickColumn {
    Number,
    At,
    Value,
}

impl TickColumn {
    fn of(field: &SourceField) -> Result<TickColumn, ConnectorError> {
        Ok(match (field.wire_name(), &field.ty.ty) {
            ("n", Type::Int) => TickColumn::Number,
            ("at", Type::Timestamp) => TickColumn::At,
            ("value", Type::Float) => TickColumn::Value,
            (name, ty) => {
                let message = format!("has the columns n: int, at: timestamp and value: float, not `{name}: {ty}`");
                return Err(ConnectorError::Format { what: "demo.ticks".to_string(), message });
            }
        })
    }
}

impl SourceConnector for TickSource {
    fn spec(&self) -> &ConnectorSpec {
        &self.spec
    }

    fn describe(&self, _: &Options, _: &Path) -> Result<Vec<SourceField>, ConnectorError> {
        let columns = [("n", Type::Int), ("at", Type::Timestamp), ("value", Type::Float)];
        let field = |(name, ty): (&str, Type)| SourceField {
            name: name.to_string(),
            ty: ColumnType::required(ty),
            wire_name: None,
            default: None,
        };
        Ok(columns.map(field).into())
    }

    fn contents(&self, _: &Options) -> Contents {
        Contents::Stored
    }

    fn only_adds(&self, _: &Options) -> bool {
        true
    }

    fn is_bounded(&self, options: &Options) -> bool {
        options.int("rows").is_some()
    }

    fn has_history(&self, _: &Options) -> bool {
        false
    }

    fn open(&self, request: OpenRequest) -> Result<Box<dyn Source>, ConnectorError> {
        let options = &request.spec.options;
        let rate = options.float("rate").unwrap_or(10.0);
        if !(rate > 0.0 && rate <= FASTEST) {
            let message = format!("expected more than 0 and at most {FASTEST} rows a second, found {rate}");
            return Err(ConnectorError::Option { option: "rate", message });
        }
        let rows = options.int("rows");
        if let Some(rows @ ..=-1) = rows {
            return Err(ConnectorError::Option {
                option: "rows",
                message: format!("expected 0 or more, found {rows}"),
            });
        }
        let columns = request.spec.fields.iter().map(TickColumn::of).collect::<Result<_, _>>()?;
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_micros() as i64);
        let now = Instant::now();
        let schema = request.spec.schema().to_arrow();
        let rows = rows.unwrap_or(i64::MAX);
        Ok(Box::new(Ticks { schema, columns, rate, rows, given: 0, wall, start: now, not_before: now }))
    }
}

struct Ticks {
    schema: SchemaRef,
    columns: Vec<TickColumn>,
    rate: f64,
    rows: i64,
    given: i64,
    /// Microseconds of the first tick.
    wall: i64,
    start: Instant,
    /// When the next batch may come.
    not_before: Instant,
}

impl Ticks {
    /// Seconds after the first tick at which tick `n` is due.
    fn due(&self, n: i64) -> f64 {
        n as f64 / self.rate
    }

    /// Ticks that are due at `now`.
    fn due_count(&self, now: Instant) -> i64 {
        let passed = now.saturating_duration_since(self.start).as_secs_f64();
        ((passed * self.rate) as i64).saturating_add(1).min(self.rows)
    }

    fn batch(&mut self, until: i64) -> SourceEvent {
        let numbers = self.given..until;
        let columns = self.columns.iter().map(|column| -> ArrayRef {
            match column {
                TickColumn::Number => Arc::new(Int64Array::from_iter_values(numbers.clone())),
                TickColumn::At => Arc::new(TimestampMicrosecondArray::from_iter_values(
                    numbers.clone().map(|n| self.wall + (self.due(n) * 1e6).round() as i64),
                )),
                TickColumn::Value => Arc::new(Float64Array::from_iter_values(numbers.clone().map(walk::value))),
            }
        });
        let options = arrow_array::RecordBatchOptions::new().with_row_count(Some((until - self.given) as usize));
        let rows = match RecordBatch::try_new_with_options(self.schema.clone(), columns.collect(), &options) {
            Ok(rows) => rows,
            Err(error) => panic!("invariant: the columns of ticks have the types that were checked: {error}"),
        };
        self.given = until;
        SourceEvent::Batch(SourceBatch {
            rows: ChangeBatch::inserts(rows),
            errors: Vec::new(),
            segment: None,
            resume: serde_json::json!({ "n": until }),
        })
    }
}

impl Source for Ticks {
    fn next(&mut self, wait: Duration) -> Result<SourceEvent, ConnectorError> {
        if self.given >= self.rows {
            return Ok(SourceEvent::End);
        }
        let deadline = Instant::now() + wait;
        loop {
            let now = Instant::now();
            let due = self.due_count(now);
            if due > self.given && now >= self.not_before {
                self.not_before = now + STEP;
                return Ok(self.batch(due.min(self.given + BATCH_ROWS as i64)));
            }
            if now >= deadline {
                return Ok(SourceEvent::Idle);
            }
            let next = self.start + Duration::try_from_secs_f64(self.due(self.given)).unwrap_or(Duration::MAX / 4);
            std::thread::sleep(next.max(self.not_before).min(deadline).saturating_duration_since(now));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::cast::AsArray;
    use arrow_array::types::{Int64Type, TimestampMicrosecondType};
    use tidebook_plan::connector::SourceSpec;

    fn open(rate: f64, rows: Option<i64>) -> Result<Box<dyn Source>, ConnectorError> {
        let connector = source();
        let mut options = Options::default();
        options.0.insert("rate".into(), OptionValue::Float(rate));
        if let Some(rows) = rows {
            options.0.insert("rows".into(), OptionValue::Int(rows));
        }
        let fields = connector.describe(&options, Path::new(".")).unwrap();
        let name = "demo.ticks".to_string();
        let spec = SourceSpec {
            connector: name,
            options,
            fields,
            key: vec![],
            generation: 0,
            base: ".".into(),
            selection: Default::default(),
        };
        connector.open(OpenRequest { spec, repeats: None, beside: None })
    }

    #[test]
    fn so_many_rows_at_the_stated_rate() {
        let mut ticks = open(20_000.0, Some(1_000)).unwrap();
        let started = Instant::now();
        let (mut numbers, mut times) = (Vec::new(), Vec::new());
        let mut batches = 0;
        loop {
            match ticks.next(Duration::from_secs(1)).unwrap() {
                SourceEvent::Batch(batch) => {
                    batches += 1;
                    numbers.extend_from_slice(batch.rows.rows.column(0).as_primitive::<Int64Type>().values());
                    times.extend_from_slice(
                        batch.rows.rows.column(1).as_primitive::<TimestampMicrosecondType>().values(),
                    );
                }
                SourceEvent::End => break,
                other => panic!("ticks come before a second is over: {other:?}"),
            }
        }
        assert_eq!(numbers, (0..1_000).collect::<Vec<_>>());
        assert!(times.windows(2).all(|pair| pair[1] - pair[0] == 50), "one every 50 microseconds");
        assert!(started.elapsed() >= Duration::from_micros(999 * 50), "never before they are due");
        assert!(batches <= 51, "at most one batch a millisecond: {batches}");
    }

    #[test]
    fn slow_ticks_leave_time_for_idling() {
        let mut ticks = open(0.01, None).unwrap();
        assert!(matches!(ticks.next(Duration::ZERO).unwrap(), SourceEvent::Batch(batch) if batch.rows.len() == 1));
        assert!(matches!(ticks.next(Duration::from_millis(2)).unwrap(), SourceEvent::Idle));
    }

    #[test]
    fn rates_that_make_no_sense() {
        for rate in [0.0, -1.0, f64::NAN, 1e12] {
            assert!(matches!(open(rate, None), Err(ConnectorError::Option { option: "rate", .. })));
        }
        assert!(matches!(open(1.0, Some(-1)), Err(ConnectorError::Option { option: "rows", .. })));
        assert!(matches!(open(1.0, Some(0)).unwrap().next(Duration::ZERO), Ok(SourceEvent::End)));
    }
}
