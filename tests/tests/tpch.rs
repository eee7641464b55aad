//! The 22 queries of TPC-H, in SQL and as pipelines, kept up to date while rows come and go: in the end they are what
//! DataFusion computes in batch of what is left.
//!
//! `TIDEBOOK_TPCH` sets another scale than 0.01, `TIDEBOOK_QUERY` runs one query.

use std::fmt::Write;

use serde_json::Value;
use tidebook_tests::batch_sql::BatchSql;
use tidebook_tests::contents::{Contents, compare};
use tidebook_tests::tpch::{QUERIES, Stream, head, pipeline, sql, streamed};

const BATCHES: usize = 3;

fn scale() -> f64 {
    std::env::var("TIDEBOOK_TPCH").ok().map_or(0.01, |scale| scale.parse().expect("a scale is a number"))
}

fn chosen() -> Vec<usize> {
    let only: Option<usize> = std::env::var("TIDEBOOK_QUERY").ok().map(|one| one.parse().expect("a query's number"));
    (1..=QUERIES).filter(|number| only.is_none_or(|only| only == *number)).collect()
}

/// What a cell is worth in a comparison: DataFusion's averages of decimals are decimals of a few digits, ours are floats.
fn number(cell: &Value) -> Option<f64> {
    match cell {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok().filter(|_| text.contains('.')),
        _ => None,
    }
}

fn same(a: &Value, b: &Value) -> bool {
    match (number(a), number(b)) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-6 * a.abs().max(b.abs()).max(1.0),
        _ => a == b,
    }
}

/// How two tables differ; empty if they do not.
fn difference(found: &Contents, expected: &Contents) -> String {
    let sorted = |contents: &Contents| {
        let mut rows = contents.in_order(&[]);
        // By what is no number first: numbers may differ in their last digits.
        rows.sort_by(|a, b| {
            let plain = |row: &[Value]| -> Vec<Value> { row.iter().filter(|c| number(c).is_none()).cloned().collect() };
            let (one, other) = (plain(a), plain(b));
            let order = one.iter().zip(&other).map(|(a, b)| compare(a, b));
            order.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
        });
        rows
    };
    let (found, expected) = (sorted(found), sorted(expected));
    let mut out = String::new();
    if found.len() != expected.len() {
        let _ = writeln!(out, "expected {} rows, found {}", expected.len(), found.len());
    }
    for (found, expected) in found.iter().zip(&expected) {
        if found.len() != expected.len() || !found.iter().zip(expected).all(|(a, b)| same(a, b)) {
            let _ = writeln!(out, "- {}\n+ {}", Value::Array(expected.clone()), Value::Array(found.clone()));
        }
    }
    out.lines().take(8).map(|line| format!("{line}\n")).collect()
}

/// Runs all queries, as `text` writes them, beside each other over one stream of rows, and compares.
fn check(text: impl Fn(usize) -> Result<String, String>) {
    let streams = Stream::all(scale(), BATCHES);
    let outputs = streamed(&streams, &chosen(), text).expect("the queries run");
    let mut oracle = BatchSql::new().expect("a runtime");
    for stream in &streams {
        oracle.table(stream.table.name, stream.left.clone()).expect("a table");
    }
    let (mut report, mut empty) = (String::new(), Vec::new());
    for (number, output) in chosen().into_iter().zip(&outputs) {
        // DataFusion's planner knows `substring … from` only with a feature that this build leaves out.
        let asked = sql(number).expect("a query").replace("substring(c_phone from 1 for 2)", "left(c_phone, 2)");
        let expected = oracle.query(&asked);
        let expected = expected.unwrap_or_else(|error| panic!("DataFusion does not answer query {number}: {error}"));
        let told = difference(output.contents(), &expected);
        if !told.is_empty() || output.errors() != 0 {
            let _ = writeln!(report, "query {number}, {} errors:\n{told}", output.errors());
        }
        if expected.is_empty() {
            empty.push(number);
        }
    }
    assert!(report.is_empty(), "{report}");
    // A query that finds nothing shows nothing.
    assert!(empty.len() <= 3, "queries without a row: {empty:?}");
}

#[test]
fn the_queries_in_sql_are_what_datafusion_computes() {
    check(head);
}

#[test]
fn the_queries_as_pipelines_are_what_datafusion_computes_of_the_sql() {
    check(pipeline);
}
