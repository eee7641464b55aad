//! Sessions, as-of joins and event patterns over a million events: how many go in a second, and what a late row costs.

use std::sync::Arc;
use std::time::Instant;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, TimestampMicrosecondArray};
use tidebook_engine::CatchUp;
use tidebook_plan::ChangeBatch;
use tidebook_tests::feed::Feed;
use tidebook_tests::harness::{Failure, Harness, Setup};

use crate::measure::{median, quantile};
use crate::update::wait_for_change;

const EVENTS: i64 = 1_000_000;
const SECOND: i64 = 1_000_000;
/// Rows that are sent together.
const BATCH: i64 = 50_000;

const ASOF: &str = "t | left asof join q on t.k == q.k and q.at <= t.at | select t.k, t.at, t.x, bid: q.x";
const INTERVAL: &str =
    "t | left join q on t.k == q.k and q.at between t.at - 5000s and t.at + 5000s | select t.k, t.at, t.x, bid: q.x";
const MATCH: &str = "t | match by k sort at { low: x < 30  rise+: x > (rise.x ?? low.x) } \
                     select k, from: low.at, to: rise.at, n: count(rise), top: rise.x";

/// Runs all and prints the figures.
///
/// # Errors
/// Where a program does not run.
pub fn run() -> Result<(), String> {
    println!("time: {EVENTS} events a second apart, from the source to the closed epoch at the subscriber");
    for (name, keys, pipeline, is_followed) in [
        ("sessions", 10_000, "t | summarize n: count(), total: sum(x) by k, w: session(at, gap: 5000s)", true),
        ("sessions", 1, "t | summarize n: count(), total: sum(x) by k, w: session(at, gap: 1s)", true),
        ("as-of join", 10_000, ASOF, true),
        ("as-of join", 1, ASOF, true),
        ("interval join", 10_000, INTERVAL, true),
        // A late row changes a match only now and then, so there is nothing to wait for.
        ("match", 10_000, MATCH, false),
        ("match", 1, MATCH, false),
    ] {
        let (load, late) = events(pipeline, keys, if is_followed { 100 } else { 0 })?;
        print!("  {name}, {keys} key{}: {:.0} events/s", if keys == 1 { "" } else { "s" }, EVENTS as f64 / load);
        match late.as_slice() {
            [] => println!(),
            late => println!("; a late row {:.3} ms (median), 90 % {:.3} ms", median(late), quantile(late, 0.9)),
        }
    }
    Ok(())
}

/// Events at these seconds, and one number more that tells events of one second apart.
fn rows(seconds: impl Iterator<Item = i64> + Clone, keys: i64, shift: i64) -> RecordBatch {
    let scatter = |second: i64| second.wrapping_mul(7_919).wrapping_add(second / 1_000);
    let k: ArrayRef =
        Arc::new(Int64Array::from_iter_values(seconds.clone().map(|second| scatter(second).rem_euclid(keys))));
    let at = seconds.clone().map(|second| second * SECOND + shift);
    let at: ArrayRef = Arc::new(TimestampMicrosecondArray::from_iter_values(at));
    let x: ArrayRef = Arc::new(Int64Array::from_iter_values(
        seconds.map(|second| (second.wrapping_mul(2_654_435_761) >> 7).rem_euclid(100)),
    ));
    match RecordBatch::try_from_iter([("k", k), ("at", at), ("x", x)]) {
        Ok(batch) => batch,
        Err(error) => unreachable!("three columns of one length: {error}"),
    }
}

/// Seconds of loading the events, and milliseconds of each of so many late rows.
fn events(pipeline: &str, keys: i64, rounds: i64) -> Result<(f64, Vec<f64>), String> {
    let told = |failure: Failure| failure.to_string();
    let feed = Feed::new();
    let setup = Setup { workers: 1, optimize: true, base: std::env::temp_dir(), sources: vec![feed.clone()] };
    let mut harness = Harness::start(setup).map_err(told)?;
    let schema = "{ k: int, at: timestamp, x: int }";
    let text = format!("t = read test.feed(\"t\") {schema}\nq = read test.feed(\"q\") {schema}\n{pipeline}\n");
    let outputs = harness.run("bench", &text).map_err(told)?;
    let [output] = outputs.as_slice() else { return Err("one table is shown".to_string()) };
    let started = Instant::now();
    for start in (0..EVENTS).step_by(BATCH as usize) {
        let seconds = start..start + BATCH;
        // One quote for five trades, half a second before them.
        feed.send("q", ChangeBatch::inserts(rows(seconds.clone().step_by(5), keys, -SECOND / 2)));
        feed.send("t", ChangeBatch::inserts(rows(seconds, keys, 0)));
    }
    harness.catch_up(&outputs, CatchUp::Present).map_err(told)?;
    let load = started.elapsed().as_secs_f64();
    output.events().try_iter().for_each(drop);
    // Each of them is a row of its own in the result, or changes the one of its session or its match.
    let late = |i: i64| {
        let row = rows(std::iter::once(i * 4_001 % EVENTS), keys, 1);
        let started = Instant::now();
        feed.send("t", ChangeBatch::inserts(row));
        wait_for_change(output)?;
        Ok::<f64, String>(started.elapsed().as_secs_f64() * 1_000.0)
    };
    Ok((load, (0..rounds).map(late).collect::<Result<_, _>>()?))
}
