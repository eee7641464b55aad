//! Whole files through the whole program, against loops written by hand, in CPU seconds of the whole process.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tidebook_tests::binary;
use tidebook_tests::corpus::parse_tables;

use crate::data::{ORDERS, PRODUCTS, WORDS, prepare};
use crate::measure::{self, Cost, median};

const RUNS: usize = 3;

const WORD_COUNT: &str = "\
words  = read jsonl(\"words.jsonl\") { word: text }
counts = words | summarize n: count() by word
counts
";

const CATEGORY_SUMS: &str = "\
orders   = read jsonl(\"orders.jsonl\") { id: int, product: int, amount: float }
products = read jsonl(\"products.jsonl\") { id: int, category: text }
sums = orders
  | join products on orders.product == products.id
  | summarize total: sum(amount), n: count() by category
sums
";

/// Runs both works and prints their figures.
///
/// # Errors
/// Where a program cannot be run, or the answers differ.
pub fn run() -> Result<(), String> {
    let folder = prepare().map_err(|error| format!("cannot write the input: {error}"))?;
    println!("throughput: CPU seconds of the whole process, one worker, median of {RUNS} runs");
    work(
        &folder,
        &format!("{WORDS} words counted"),
        "words",
        WORD_COUNT,
        &["loop-words", "words.jsonl"],
        (3.0, 300.0),
    )?;
    let arguments = ["loop-orders", "orders.jsonl", "products.jsonl"];
    let name = format!("{ORDERS} orders joined to {PRODUCTS} products, summed by category");
    work(&folder, &name, "orders", CATEGORY_SUMS, &arguments, (8.0, 600.0))
}

/// `limits`: at most so many times the loop, at most so many megabytes.
fn work(folder: &Path, name: &str, file: &str, text: &str, loop_: &[&str], limits: (f64, f64)) -> Result<(), String> {
    let script = format!("{file}.tide");
    std::fs::write(folder.join(&script), text).map_err(|error| error.to_string())?;
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let (mut loops, mut runs): (Vec<Cost>, Vec<Cost>) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        loops.push(measure::run(Command::new(&own).current_dir(folder).args(loop_))?);
        let mut tidebook = Command::new(binary::path()?);
        tidebook.current_dir(folder).args(["run", &script, "--format", "json", "--workers", "1"]);
        runs.push(measure::run(&mut tidebook)?);
        same_answer(&loops[loops.len() - 1].out, &runs[runs.len() - 1].out)?;
    }
    let of = |costs: &[Cost], what: fn(&Cost) -> f64| median(&costs.iter().map(what).collect::<Vec<_>>());
    let (by_hand, ours) = (of(&loops, |cost| cost.cpu), of(&runs, |cost| cost.cpu));
    let peak = of(&runs, |cost| cost.peak);
    println!("  {name}");
    println!(
        "    loop     {by_hand:6.2} s CPU, {:6.2} s wall, {:6.0} MB",
        of(&loops, |c| c.wall),
        of(&loops, |c| c.peak)
    );
    println!("    tidebook {ours:6.2} s CPU, {:6.2} s wall, {peak:6.0} MB", of(&runs, |c| c.wall));
    println!("    ratio    {:6.2} (at most {}), memory at most {} MB", ours / by_hand, limits.0, limits.1);
    Ok(())
}

/// Both must have counted the same; sums of the loop are rounded at every step, ours once.
fn same_answer(by_hand: &str, ours: &str) -> Result<(), String> {
    let expected: Vec<Value> = by_hand.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let tables = parse_tables(ours)?;
    let [table] = tables.as_slice() else { return Err(format!("{} tables are shown", tables.len())) };
    if table.rows.len() != expected.len() || expected.is_empty() {
        return Err(format!("the loop gives {} rows, tidebook {}", expected.len(), table.rows.len()));
    }
    for (row, expected) in table.rows.iter().zip(&expected) {
        let same = row.iter().enumerate().all(|(i, cell)| match (cell.as_f64(), expected[i].as_f64()) {
            (Some(a), Some(b)) => (a - b).abs() <= a.abs() * 1e-9,
            _ => *cell == expected[i],
        });
        if !same {
            return Err(format!("the loop gives {expected}, tidebook {}", Value::Array(row.clone())));
        }
    }
    Ok(())
}
