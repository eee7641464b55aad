//! TPC-H at scale 0.1 (or another, as a second word): each query by itself, in SQL and as a pipeline. The first result, from
//! rows that are handed in all at once, and what a batch of changes costs after it.

use std::path::Path;
use std::time::{Duration, Instant};

use tidebook_engine::CatchUp;
use tidebook_tests::contents::Contents;
use tidebook_tests::feed::Feed;
use tidebook_tests::harness::{Failure, Harness, Output, Setup};
use tidebook_tests::tpch::{QUERIES, Stream, definitions, head, pipeline, streamed};

use crate::measure::median;

const BATCHES: usize = 8;

/// Runs all queries and prints their figures.
///
/// # Errors
/// Where a query does not run.
pub fn run(scale: f64) -> Result<(), String> {
    let streams = Stream::all(scale, BATCHES);
    let late: usize = streams.iter().flat_map(|stream| &stream.later).map(|rows| rows.num_rows()).sum();
    let first: usize = streams.iter().map(|stream| stream.first.num_rows()).sum();
    println!(
        "tpch at {scale}: {first} rows at the beginning, then batches of {} in all tables, one worker",
        late / BATCHES
    );
    println!("            SQL: first, ms   batch, cpu ms   pipeline: first, ms   batch, cpu ms");
    for number in 1..=QUERIES {
        let (first, batch) = measured(&head(number)?, &streams)?;
        let (pipeline_first, pipeline_batch) = measured(&pipeline(number)?, &streams)?;
        println!("    q{number:02}   {first:20.0}{batch:12.1}{pipeline_first:22.0}{pipeline_batch:12.1}");
    }
    Ok(())
}

/// Writes into `folder`, for a comparison with another system: the rows that are left of each table as CSV, and what the
/// queries hold after all that has come and gone, as JSON, in SQL (`q01.sql.json`) and as pipelines (`q01.tide.json`).
///
/// # Errors
/// Where a query does not run, or a file cannot be written.
pub fn results(folder: &Path, scale: f64) -> Result<(), String> {
    let streams = Stream::all(scale, 3);
    let write = |file: String, text: String| {
        std::fs::write(folder.join(&file), text).map_err(|error| format!("{file}: {error}"))
    };
    for stream in &streams {
        let mut lines = stream.table.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join("|");
        for row in Contents::of(&stream.left).in_order(&[]) {
            let cells = row.iter().map(|cell| cell.as_str().map_or_else(|| cell.to_string(), str::to_string));
            lines.push('\n');
            lines.push_str(&cells.collect::<Vec<_>>().join("|"));
        }
        write(format!("{}.csv", stream.table.name), lines)?;
    }
    let numbers: Vec<usize> = (1..=QUERIES).collect();
    let ways: [(&str, fn(usize) -> Result<String, String>); 2] = [("sql", head), ("tide", pipeline)];
    for (way, text) in ways {
        for (number, output) in numbers.iter().zip(streamed(&streams, &numbers, text)?) {
            let rows = output.contents().in_order(&[]).into_iter().map(serde_json::Value::Array).collect();
            write(format!("q{number:02}.{way}.json"), serde_json::Value::Array(rows).to_string())?;
        }
    }
    Ok(())
}

/// Milliseconds until the first result, and of processor time for a batch: most of the time that a small one takes is waiting
/// for the feeds to look again.
fn measured(query: &str, streams: &[Stream]) -> Result<(f64, f64), String> {
    let told = |failure: Failure| failure.to_string();
    let feed = Feed::new();
    let setup = Setup { workers: 1, optimize: true, base: std::env::temp_dir(), sources: vec![feed.clone()] };
    let mut harness = Harness::start(setup).map_err(told)?;
    let outputs = harness.run("bench", &format!("{}q = {}\nq\n", definitions(), query.trim_end())).map_err(told)?;
    let read: Vec<&Stream> = streams.iter().filter(|stream| reads(query, stream.table.name)).collect();
    let mut handed_in = 0;
    let started = Instant::now();
    for stream in &read {
        stream.begin(&feed);
        handed_in += stream.first.num_rows();
    }
    taken_in(&harness, &outputs, handed_in)?;
    let first = started.elapsed().as_secs_f64() * 1000.0;
    let mut costs = Vec::with_capacity(BATCHES);
    for batch in 0..BATCHES {
        let before = processor_time()?;
        for stream in &read {
            stream.go_on(&feed, batch);
            handed_in += stream.later[batch].num_rows();
        }
        taken_in(&harness, &outputs, handed_in)?;
        costs.push((processor_time()? - before) * 1000.0);
    }
    Ok((first, median(&costs)))
}

/// True if the table's name stands in the query as a word.
fn reads(query: &str, table: &str) -> bool {
    query.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == table)
}

/// Seconds that this process's threads have run.
fn processor_time() -> Result<f64, String> {
    let tasks = std::fs::read_dir("/proc/self/task").map_err(|error| error.to_string())?;
    let nanoseconds = tasks.flatten().filter_map(|task| {
        let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<f64>().ok()
    });
    Ok(nanoseconds.sum::<f64>() / 1e9)
}

/// Waits until so many rows have gone from the feeds into the outputs.
fn taken_in(harness: &Harness, outputs: &[Output], rows: usize) -> Result<(), String> {
    let deadline = Instant::now() + Duration::from_secs(300);
    loop {
        let stats = harness.engine().stats().map_err(|error| error.to_string())?;
        let given: u64 = stats.sources.iter().map(|source| source.rows).sum();
        harness.catch_up(outputs, CatchUp::Present).map_err(|failure| failure.to_string())?;
        if given >= rows as u64 {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(format!("{given} of {rows} rows were taken in"));
        }
    }
}
