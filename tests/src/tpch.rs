//! TPC-H: its eight tables as rows to hand in, and its 22 queries, in SQL and in Tide.
//!
//! The rows are those of the crate `tpchgen`, which makes what the specification's own generator makes. A run begins with
//! most of them; the rest comes in batches, and some go again.

mod tables;

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use arrow_array::RecordBatch;
use tidebook_engine::CatchUp;
use tidebook_plan::ChangeBatch;

use crate::feed::Feed;
use crate::harness::{Failure, Harness, Output, Setup};
pub use tables::{TABLES, Table, rows};

/// The number of queries.
pub const QUERIES: usize = 22;

/// The definitions of all tables, as rows that a test hands in.
pub fn definitions() -> String {
    let mut text = String::new();
    for table in TABLES {
        let columns: Vec<String> = table.columns.iter().map(|(name, ty)| format!("{name}: {ty}")).collect();
        text.push_str(&format!("{0} = read test.feed(\"{0}\") {{ {1} }}\n", table.name, columns.join(", ")));
    }
    text
}

/// The query `number` in SQL.
///
/// # Errors
/// Where its file cannot be read.
pub fn sql(number: usize) -> Result<String, String> {
    read(&format!("sql/q{number:02}.sql"))
}

/// The query `number` as a pipeline.
///
/// # Errors
/// Where its file cannot be read.
pub fn pipeline(number: usize) -> Result<String, String> {
    read(&format!("tide/q{number:02}.tide"))
}

/// The query `number` in SQL as a head.
///
/// # Errors
/// As [`sql`].
pub fn head(number: usize) -> Result<String, String> {
    Ok(format!("sql \"\"\"\n{}\"\"\"", sql(number)?))
}

fn read(file: &str) -> Result<String, String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tpch").join(file);
    fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Keeps the queries of these numbers, as `text` writes them, while the rows come and go, and gives what they hold in the end.
///
/// # Errors
/// Where a query does not run, or the rows are not taken in within five minutes.
pub fn streamed(
    streams: &[Stream],
    numbers: &[usize],
    text: impl Fn(usize) -> Result<String, String>,
) -> Result<Vec<Output>, String> {
    let told = |failure: Failure| failure.to_string();
    let feed = Feed::new();
    let setup = Setup { workers: 2, optimize: true, base: std::env::temp_dir(), sources: vec![feed.clone()] };
    let mut harness = Harness::start(setup).map_err(told)?;
    let mut cell = definitions();
    for number in numbers {
        let _ = writeln!(cell, "q{number} = {}", text(*number)?.trim_end());
    }
    for number in numbers {
        let _ = writeln!(cell, "q{number}");
    }
    // A table that no query reads would not be asked for its rows.
    for table in TABLES {
        let _ = writeln!(cell, "{} | summarize n: count()", table.name);
    }
    let mut outputs = harness.run("tpch", &cell).map_err(told)?;
    streams.iter().for_each(|stream| stream.begin(&feed));
    harness.settle(&mut outputs, CatchUp::Present).map_err(told)?;
    let batches = streams.iter().map(|stream| stream.later.len()).max().unwrap_or(0);
    for batch in 0..batches {
        streams.iter().for_each(|stream| stream.go_on(&feed, batch));
        harness.settle(&mut outputs, CatchUp::Present).map_err(told)?;
    }
    streams.iter().for_each(|stream| stream.end(&feed));
    let all: usize = streams.iter().map(Stream::handed_in).sum();
    let deadline = Instant::now() + Duration::from_secs(300);
    loop {
        let stats = harness.engine().stats().map_err(|error| error.to_string())?;
        let given: u64 = stats.sources.iter().map(|source| source.rows).sum();
        harness.settle(&mut outputs, CatchUp::Present).map_err(told)?;
        if given >= all as u64 {
            outputs.truncate(numbers.len());
            return Ok(outputs);
        }
        if Instant::now() > deadline {
            return Err(format!("{given} of {all} rows were taken in"));
        }
    }
}

/// The rows of one table, in the parts in which they come and go.
pub struct Stream {
    /// Of which table.
    pub table: &'static Table,
    /// Rows that are there at the beginning.
    pub first: RecordBatch,
    /// Rows that come later, batch by batch.
    pub later: Vec<RecordBatch>,
    /// Rows that go at the end, all of them from `first`.
    pub gone: RecordBatch,
    /// What is left when all has come and gone.
    pub left: Vec<RecordBatch>,
}

impl Stream {
    /// Those of all tables, as [`Stream::new`].
    pub fn all(scale: f64, batches: usize) -> Vec<Stream> {
        TABLES.iter().map(|table| Stream::new(table, scale, batches)).collect()
    }

    /// The rows of `table` at a scale: of each forty one comes late, in `batches` batches, and another goes at the end.
    pub fn new(table: &'static Table, scale: f64, batches: usize) -> Self {
        let all = rows(table, scale);
        let of = |wanted: &dyn Fn(usize) -> bool| {
            tables::batch(table, (0..all.len()).filter(|row| wanted(*row)).map(|row| &all[row]))
        };
        // Small tables stay as they are: without Brazil there is no market share.
        let small = all.len() < 100;
        let is_late = |row: usize| !small && row % 40 == 7;
        let goes = |row: usize| !small && row % 40 == 23;
        let later = (0..batches).map(|batch| of(&|row| is_late(row) && row / 40 % batches == batch)).collect();
        Stream { table, first: of(&|row| !is_late(row)), later, gone: of(&goes), left: vec![of(&|row| !goes(row))] }
    }

    /// Hands in the rows of the beginning.
    pub fn begin(&self, feed: &Feed) {
        feed.send(self.table.name, ChangeBatch::inserts(self.first.clone()));
    }

    /// Hands in one of the later batches.
    pub fn go_on(&self, feed: &Feed, batch: usize) {
        if let Some(rows) = self.later.get(batch).filter(|rows| rows.num_rows() > 0) {
            feed.send(self.table.name, ChangeBatch::inserts(rows.clone()));
        }
    }

    /// Takes the rows that go.
    pub fn end(&self, feed: &Feed) {
        if self.gone.num_rows() > 0 {
            feed.send(self.table.name, ChangeBatch::inserts(self.gone.clone()).negated());
        }
    }

    /// How many rows are handed in until all has come and gone, those that go counted again.
    pub fn handed_in(&self) -> usize {
        let later: usize = self.later.iter().map(RecordBatch::num_rows).sum();
        self.first.num_rows() + later + self.gone.num_rows()
    }
}
