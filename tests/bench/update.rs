//! What it costs to change one row of a small and of a large join: the cost must follow the change, not the table.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use tidebook_engine::{CatchUp, OutputEvent};
use tidebook_plan::ChangeBatch;
use tidebook_tests::feed::Feed;
use tidebook_tests::generator::Random;
use tidebook_tests::harness::{Failure, Harness, Output, Setup};

use crate::measure::{median, quantile};

const UPDATES: usize = 300;

/// Rows of the right table for each row of the left.
const SHARE: usize = 100;

/// Runs both sizes and prints their figures.
///
/// # Errors
/// Where a program does not run.
pub fn run() -> Result<(), String> {
    println!("update: one row of a join changes, from the source to the closed epoch at the subscriber");
    let small = updates(10_000)?;
    let large = updates(1_000_000)?;
    println!("    ratio of the medians {:.2} (at most 10)", median(&large) / median(&small));
    Ok(())
}

fn orders(ids: std::ops::Range<usize>, random: &mut Random, products: usize) -> RecordBatch {
    let count = ids.len();
    let id = Int64Array::from_iter_values(ids.map(|id| id as i64));
    let product: Int64Array = (0..count).map(|_| Some(random.below(products) as i64)).collect();
    let amount: Float64Array = (0..count).map(|_| Some(random.between(1, 10_000) as f64 * 0.25)).collect();
    let columns: [(&str, ArrayRef); 3] =
        [("id", Arc::new(id)), ("product", Arc::new(product)), ("amount", Arc::new(amount))];
    match RecordBatch::try_from_iter(columns) {
        Ok(batch) => batch,
        Err(error) => unreachable!("three columns of one length: {error}"),
    }
}

fn products(count: usize) -> RecordBatch {
    let code = Int64Array::from_iter_values(0..count as i64);
    let name = StringArray::from_iter_values((0..count).map(|code| format!("product {code}")));
    let columns: [(&str, ArrayRef); 2] = [("code", Arc::new(code)), ("name", Arc::new(name))];
    match RecordBatch::try_from_iter(columns) {
        Ok(batch) => batch,
        Err(error) => unreachable!("two columns of one length: {error}"),
    }
}

const TEXT: &str = "\
orders   = read test.feed(\"orders\") { id: int, product: int, amount: float }
products = read test.feed(\"products\") { code: int, name: text }
joined   = orders | join products on orders.product == products.code
joined
";

/// Milliseconds of each update of a join of so many rows.
fn updates(rows: usize) -> Result<Vec<f64>, String> {
    let told = |failure: Failure| failure.to_string();
    let feed = Feed::new();
    let setup = Setup { workers: 1, optimize: true, base: std::env::temp_dir(), sources: vec![feed.clone()] };
    let mut harness = Harness::start(setup).map_err(told)?;
    let outputs = harness.run("bench", TEXT).map_err(told)?;
    let mut random = Random::new(4);
    let product_count = (rows / SHARE).max(1);
    feed.send("products", ChangeBatch::inserts(products(product_count)));
    let mut held = Vec::new();
    for start in (0..rows).step_by(50_000) {
        let batch = orders(start..(start + 50_000).min(rows), &mut random, product_count);
        held.push(batch.clone());
        feed.send("orders", ChangeBatch::inserts(batch));
    }
    let [output] = outputs.as_slice() else { return Err("one table is shown".to_string()) };
    wait_for_rows(&harness, &outputs, rows + product_count)?;
    output.events().try_iter().for_each(drop);
    let mut delays = Vec::new();
    for _ in 0..UPDATES {
        let batch = &held[random.below(held.len())];
        let place = random.below(batch.num_rows());
        let old = batch.slice(place, 1);
        let id = random.below(rows);
        let new = orders(id..id + 1, &mut random, product_count);
        let started = Instant::now();
        // A row goes, is at once back for the next round, and another one comes and goes: the table keeps its size.
        feed.send("orders", ChangeBatch::inserts(old.clone()).negated());
        wait_for_change(output)?;
        feed.send("orders", ChangeBatch::inserts(new.clone()));
        wait_for_change(output)?;
        delays.push(started.elapsed().as_secs_f64() * 500.0);
        feed.send("orders", ChangeBatch::inserts(new).negated());
        wait_for_change(output)?;
        feed.send("orders", ChangeBatch::inserts(old));
        wait_for_change(output)?;
    }
    println!("  {rows} rows joined to {product_count}");
    println!("    median {:.3} ms, 99 % {:.3} ms", median(&delays), quantile(&delays, 0.99));
    Ok(delays)
}

/// Waits until so many rows have gone from the feeds into the outputs. To catch up means to look at a feed once, and a
/// look may give one batch of several: what comes later would be taken for the change that is measured.
///
/// # Errors
/// Where they do not come.
pub fn wait_for_rows(harness: &Harness, outputs: &[Output], rows: usize) -> Result<(), String> {
    let told = |failure: Failure| failure.to_string();
    loop {
        let stats = harness.engine().stats().map_err(|error| error.to_string())?;
        let given: u64 = stats.sources.iter().map(|source| source.rows).sum();
        harness.catch_up(outputs, CatchUp::Present).map_err(told)?;
        if given >= rows as u64 {
            return Ok(());
        }
    }
}

/// Waits until the epoch of the next change has closed.
///
/// # Errors
/// Where none comes.
pub fn wait_for_change(output: &Output) -> Result<(), String> {
    let mut changed = None;
    loop {
        match output.events().recv_timeout(Duration::from_secs(60)) {
            Ok(OutputEvent::Changes { epoch, .. }) => changed = Some(epoch),
            Ok(OutputEvent::Closed { epoch }) if changed.is_some_and(|at| at <= epoch) => return Ok(()),
            Ok(OutputEvent::Failed { message }) => return Err(message),
            Ok(_) => {}
            Err(error) => return Err(format!("no event came: {error}")),
        }
    }
}
