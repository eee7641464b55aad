//! What it costs to append a row to a large partition, and to put one into its middle: a few rows must be read for `lag`
//! and short frames; a running sum goes on from what is known, and tells all later rows of a late one.

use std::sync::Arc;
use std::time::Instant;

use arrow_array::{ArrayRef, Int64Array, RecordBatch};
use tidebook_engine::CatchUp;
use tidebook_plan::ChangeBatch;
use tidebook_tests::feed::Feed;
use tidebook_tests::harness::{Failure, Harness, Setup};

use crate::measure::{median, quantile};
use crate::update::wait_for_change;

const LARGE: i64 = 1_000_000;

/// Runs all and prints the figures.
///
/// # Errors
/// Where a program does not run.
pub fn run() -> Result<(), String> {
    println!("window: rows come to a partition, from the source to the closed epoch at the subscriber");
    for (functions, middle) in [
        ("before: lag(x) over (sort at), s: sum(x) over (sort at last 20 rows)", true),
        ("before: lag(x) over (sort at), s: sum(x) over (sort at)", false),
        ("m: max(x) over (sort at last 100), c: median(x) over (sort at last 100)", true),
    ] {
        println!("  {functions}");
        let (_, small, _) = updates(functions, LARGE / 100, false)?;
        let (load, append, late) = updates(functions, LARGE, middle)?;
        println!("    {} rows: an append {:.3} ms (median)", LARGE / 100, median(&small));
        print!(
            "    {LARGE} rows in {load:.2} s: an append {:.3} ms, 99 % {:.3} ms",
            median(&append),
            quantile(&append, 0.99)
        );
        println!("{}", if middle { format!("; a late row {:.3} ms", median(&late)) } else { String::new() });
    }
    Ok(())
}

fn rows(places: impl Iterator<Item = i64> + Clone) -> RecordBatch {
    let at: ArrayRef = Arc::new(Int64Array::from_iter_values(places.clone()));
    let x: ArrayRef = Arc::new(Int64Array::from_iter_values(places.map(|at| at.wrapping_mul(7_919) % 1_000)));
    match RecordBatch::try_from_iter([("at", at), ("x", x)]) {
        Ok(batch) => batch,
        Err(error) => unreachable!("two columns of one length: {error}"),
    }
}

/// Seconds of loading so many rows, milliseconds of each append, and with `middle` of each late row.
fn updates(functions: &str, count: i64, middle: bool) -> Result<(f64, Vec<f64>, Vec<f64>), String> {
    let told = |failure: Failure| failure.to_string();
    let feed = Feed::new();
    let setup = Setup { workers: 1, optimize: true, base: std::env::temp_dir(), sources: vec![feed.clone()] };
    let mut harness = Harness::start(setup).map_err(told)?;
    let text = format!("t = read test.feed(\"t\") {{ at: int, x: int }}\nt | derive {functions}\n");
    let outputs = harness.run("bench", &text).map_err(told)?;
    let [output] = outputs.as_slice() else { return Err("one table is shown".to_string()) };
    let started = Instant::now();
    for start in (0..count).step_by(50_000) {
        let places = start..(start + 50_000).min(count);
        feed.send("t", ChangeBatch::inserts(rows(places.map(|place| place * 10))));
    }
    harness.catch_up(&outputs, CatchUp::Present).map_err(told)?;
    let load = started.elapsed().as_secs_f64();
    output.events().try_iter().for_each(drop);
    let change = |at: i64| {
        let row = rows(std::iter::once(at));
        let started = Instant::now();
        feed.send("t", ChangeBatch::inserts(row));
        wait_for_change(output)?;
        Ok::<f64, String>(started.elapsed().as_secs_f64() * 1_000.0)
    };
    let append = (0..200).map(|i| change((count + i) * 10)).collect::<Result<_, _>>()?;
    let places = (0..if middle { 200 } else { 0 }).map(|i| (i * 4_001 % count) * 10 + 5);
    let late = places.map(change).collect::<Result<_, _>>()?;
    Ok((load, append, late))
}
