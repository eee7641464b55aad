//! PageRank of a graph whose edges change: the first result, and what a hundred other edges cost after it.
//!
//! Ranks are ints, as in the examples of the systems that it is compared with: a page begins with 6,000, hands five sixths of its
//! rank on to the pages that it links to, and each page has 1,000 of its own.

use std::sync::Arc;
use std::time::Instant;

use arrow_array::{ArrayRef, Int64Array, RecordBatch};
use tidebook_plan::ChangeBatch;
use tidebook_tests::feed::Feed;
use tidebook_tests::generator::Random;
use tidebook_tests::harness::{Failure, Harness, Setup};

use crate::measure::median;
use crate::update::{wait_for_change, wait_for_rows};

const PAGES: usize = 40_000;
const EDGES: usize = 400_000;
/// Edges that are put in the place of as many others.
const CHANGED: usize = 100;
const UPDATES: usize = 20;

const TEXT: &str = "\
edges = read test.feed(\"edges\") { from: int, to: int }
out   = edges | summarize links: count() by page: from
pages = edges | select page: from | union (edges | select page: to) | distinct
ranks = pages | derive rank: 6000
  | iterate r {
      r
      | join out using (page)
      | derive flow: rank * 5 / (links * 6)
      | join edges on page == edges.from
      | select page: edges.to, flow
      | union (pages | derive flow: 1000)
      | summarize rank: sum(flow) by page
    } max STEPS
ranks
";

/// Runs it with five steps, as many as the others are measured with.
///
/// # Errors
/// Where the program does not run.
pub fn run() -> Result<(), String> {
    println!("pagerank: {EDGES} edges between {PAGES} pages, 5 steps");
    let told = |failure: Failure| failure.to_string();
    let feed = Feed::new();
    let setup = Setup { workers: 1, optimize: true, base: std::env::temp_dir(), sources: vec![feed.clone()] };
    let mut harness = Harness::start(setup).map_err(told)?;
    let mut random = Random::new(7);
    let all = drawn(EDGES, &mut random);
    let started = Instant::now();
    feed.send("edges", ChangeBatch::inserts(edges(&all)));
    let outputs = harness.run("bench", &TEXT.replace("STEPS", "5")).map_err(told)?;
    let [output] = outputs.as_slice() else { return Err("one table is shown".to_string()) };
    wait_for_rows(&harness, &outputs, EDGES)?;
    let first = started.elapsed().as_secs_f64() * 1e3;
    output.events().try_iter().for_each(drop);
    let mut delays = Vec::new();
    for gone in all.chunks(CHANGED).take(UPDATES) {
        // Some that are there go, and as many others come.
        let batch = edges(&[gone, &drawn(CHANGED, &mut random)].concat());
        let diffs = (0..2 * CHANGED).map(|at| if at < CHANGED { -1 } else { 1 }).collect();
        let started = Instant::now();
        feed.send("edges", ChangeBatch::new(batch, diffs));
        wait_for_change(output)?;
        delays.push(started.elapsed().as_secs_f64() * 1e3);
    }
    let cost = median(&delays);
    println!(
        "    first result {first:.0} ms; {CHANGED} edges for others: median {cost:.1} ms, {:.0} times less",
        first / cost
    );
    Ok(())
}

fn drawn(count: usize, random: &mut Random) -> Vec<(i64, i64)> {
    (0..count).map(|_| (random.below(PAGES) as i64, random.below(PAGES) as i64)).collect()
}

fn edges(pairs: &[(i64, i64)]) -> RecordBatch {
    let from: ArrayRef = Arc::new(Int64Array::from_iter_values(pairs.iter().map(|pair| pair.0)));
    let to: ArrayRef = Arc::new(Int64Array::from_iter_values(pairs.iter().map(|pair| pair.1)));
    match RecordBatch::try_from_iter([("from", from), ("to", to)]) {
        Ok(batch) => batch,
        Err(error) => unreachable!("two columns of one length: {error}"),
    }
}
