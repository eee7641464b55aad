//! The examples of the reference run as they stand, with the tables that they speak of.

use tidebook_dsl::functions::{AGGREGATES, OVER, SESSION, WINDOWS};
use tidebook_dsl::syntax::steps::STEPS;
use tidebook_session::CellFailure;

use crate::collector::{run, session};

/// The tables that examples of steps speak of.
pub const TABLES: &str = r#"
orders = rows [ {id: 1, product: 7, name: "ann", qty: 3, price: 1.5, tags: "a,b", note: "x", internal: true},
                {id: 2, product: 8, name: null, qty: 1, price: 2.0, tags: "", note: "y", internal: false} ]
returns = orders | where qty == 1
cancelled = returns
shipped = returns
products = rows [ {id: 7, title: "pen"} ]
prices = rows [ {id: 7, price: 1.5, note: "x"}, {id: 8, price: 2.0, note: "y"} ]
corrections = rows [ {id: 7, price: 1.6} ] | key by id
readings = rows [ {sensor: "s", at: @2026-01-01T00:00:00Z, value: 1.0} ]
trades = rows [ {symbol: "A", at: @2026-01-01T00:00:01Z, px: 1.0} ]
quotes = rows [ {symbol: "A", at: @2026-01-01T00:00:00Z, bid: 0.9} ]
edges = rows [ {src: 1, dst: 2} ]
ticks = rows [ {sym: "A", at: @2026-01-01T00:00:00Z, px: 9.0} ]
clicks = rows [ {url: "/", at: @2026-01-01T00:00:00Z} ]
per_minute = rows [ {w: {start: @2026-01-01T00:00:00Z, end: @2026-01-01T00:01:00Z}, n: 1, url: "/"} ]
parts = rows [ {path: "a", n: 0, body: "text"} ]
asks = rows [ {question: "what?"} ]
"#;

/// True if all that is wrong is that this build does not have it.
pub fn is_not_available(failure: &CellFailure) -> bool {
    !failure.diagnostics.is_empty() && failure.diagnostics.iter().all(|diagnostic| diagnostic.code == "D0401")
}

#[test]
fn examples_of_steps_run() {
    let mut wrong = Vec::new();
    let mut ran = 0;
    for step in STEPS {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("out")).unwrap();
        let session = session(folder.path(), 1);
        run(&session, "tables", TABLES).unwrap();
        match run(&session, "example", step.example) {
            Ok(_) => ran += 1,
            Err(failure) if is_not_available(&failure) => {}
            Err(failure) => wrong.push(format!("{}\n{}", step.example, failure.text)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(ran > 20, "only {ran} examples ran");
}

#[test]
fn examples_of_aggregates_hold() {
    for aggregate in AGGREGATES.iter().chain([&OVER, &SESSION]).chain(WINDOWS) {
        let folder = tempfile::tempdir().unwrap();
        let session = session(folder.path(), 1);
        if let Err(failure) = run(&session, "example", aggregate.example) {
            panic!("{}\n{}", aggregate.example, failure.text);
        }
    }
}
