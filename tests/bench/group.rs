//! What it costs to change one row of a small and of a large group, by aggregate: a sum, a quantile and the number of
//! different values must follow the change; a list is as large as its group, and so is the cost of a new one.

use std::sync::Arc;
use std::time::Instant;

use arrow_array::{ArrayRef, Int64Array, RecordBatch};
use tidebook_plan::ChangeBatch;
use tidebook_tests::feed::Feed;
use tidebook_tests::generator::Random;
use tidebook_tests::harness::{Failure, Harness, Setup};

use crate::measure::{median, quantile};
use crate::update::{wait_for_change, wait_for_rows};

const LARGE: usize = 1_000_000;

/// Runs every aggregate on both sizes and prints the figures.
///
/// # Errors
/// Where a program does not run.
pub fn run() -> Result<(), String> {
    println!("group: one row of a group changes, from the source to the closed epoch at the subscriber");
    // The count makes every change a change of the result.
    for (aggregates, rounds) in [
        ("n: count(), v: sum(x)", 300),
        ("n: count(), v: max(x)", 300),
        ("n: count(), v: count_distinct(x)", 300),
        ("n: count(), v: stddev(x)", 300),
        ("n: count(), v: median(x)", 300),
        ("n: count(), v: median(x), p: quantile(x, 0.99)", 300),
        ("v: list(x)", 15),
        ("n: count(), v: set(x)", 15),
    ] {
        let small = updates(aggregates, LARGE / 100, rounds)?;
        let large = updates(aggregates, LARGE, rounds)?;
        println!("  {aggregates}");
        println!(
            "    {} rows: median {:.3} ms; {LARGE} rows: median {:.3} ms, 99 % {:.3} ms",
            LARGE / 100,
            median(&small),
            median(&large),
            quantile(&large, 0.99)
        );
    }
    Ok(())
}

fn numbers(values: impl Iterator<Item = i64>) -> RecordBatch {
    let column: ArrayRef = Arc::new(Int64Array::from_iter_values(values));
    match RecordBatch::try_from_iter([("x", column)]) {
        Ok(batch) => batch,
        Err(error) => unreachable!("one column: {error}"),
    }
}

/// Milliseconds of each update of a group of so many rows.
fn updates(aggregates: &str, rows: usize, rounds: usize) -> Result<Vec<f64>, String> {
    let told = |failure: Failure| failure.to_string();
    let feed = Feed::new();
    let setup = Setup { workers: 1, optimize: true, base: std::env::temp_dir(), sources: vec![feed.clone()] };
    let mut harness = Harness::start(setup).map_err(told)?;
    let text = format!("t = read test.feed(\"t\") {{ x: int }}\nt | summarize {aggregates}\n");
    let outputs = harness.run("bench", &text).map_err(told)?;
    let mut random = Random::new(9);
    for start in (0..rows).step_by(50_000) {
        let count = (rows - start).min(50_000);
        let values: Vec<i64> = (0..count).map(|_| random.between(0, 1 << 40)).collect();
        feed.send("t", ChangeBatch::inserts(numbers(values.into_iter())));
    }
    let [output] = outputs.as_slice() else { return Err("one table is shown".to_string()) };
    wait_for_rows(&harness, &outputs, rows)?;
    output.events().try_iter().for_each(drop);
    let mut delays = Vec::new();
    for _ in 0..rounds {
        let row = numbers(std::iter::once(random.between(0, 1 << 40)));
        let started = Instant::now();
        feed.send("t", ChangeBatch::inserts(row.clone()));
        wait_for_change(output)?;
        feed.send("t", ChangeBatch::inserts(row).negated());
        wait_for_change(output)?;
        delays.push(started.elapsed().as_secs_f64() * 500.0);
    }
    Ok(delays)
}
