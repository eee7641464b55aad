//! Everything that the language's page and the reference show, in one notebook: cell after cell, twice over, while earlier
//! outputs go on.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use tidebook_dsl::functions::AGGREGATES;
use tidebook_dsl::reference::QUERIES;
use tidebook_dsl::syntax::steps::STEPS;
use tidebook_session::Session;

use crate::collector::{rows, run, session};
use crate::examples::{TABLES, is_not_available};

/// The page's own examples, as far as this build runs them.
const PAGE: [&str; 9] = [
    "products = rows [ {id: 1, name: \"pen\", price: 1.5}, {id: 2, name: \"ink\", price: 4.0} ]\n\
     orders   = rows [ {id: 10, product: 1, qty: 3}, {id: 11, product: 2, qty: 1} ]\n\
                then [ -{id: 11, product: 2, qty: 1}, {id: 11, product: 2, qty: 2} ]\n\
     revenue = orders\n  | join products on orders.product == products.id\n  | derive amount: qty * price\n\
       | summarize revenue: sum(amount), orders: count() by name\n\
     revenue\n\
     expect revenue equals rows [ {name: \"pen\", revenue: 4.5, orders: 1}, {name: \"ink\", revenue: 8.0, orders: 1} ]",
    "orders = read csv(\"data/orders.csv\")\n\
     clicks = read jsonl(\"logs/*.jsonl\", watch: true) { user: text, url: text, at: timestamp }\n\
     t      = rows [ {a: 1}, {a: 2} ]\norders\nclicks | summarize n: count() by url\nt",
    "ticks = read demo.ticks(rate: 100)\nticks | summarize n: count(), last: max(n)\nticks | top 3 by value desc",
    "played = read demo.replay(\"data/ticks.csv\", time: at, speed: 1000)\nplayed | show limit 2 every 200ms",
    "ticks_ = rows [ {sym: \"A\", at: @2026-01-01T00:00:01Z, px: 10.0}, {sym: \"A\", at: @2026-01-01T00:00:02Z, px: 11.0} ]\n\
     edges = rows [ {src: 1, dst: 2}, {src: 2, dst: 3} ]\n\
     edges | join edges as e on edges.dst == e.src | select src: edges.src, dst: e.dst | union edges | distinct\n\
     ticks_ | changes\nticks_ | dedupe by sym when px > previous.px",
    "%tables\n%explain edges\n%stats\n%errors orders\n%help where\n%eval 1 + 2\n%echo text\n%echo -e text\n%clear",
    "sums  = rows [ {id: 1, qty: 3} ] | key by id\nsums | write jsonl(\"out/orders.jsonl\")\n\
     sums | write csv(\"out/parts\", partition_by: id, mode: changes)\nset workers = 2",
    "param since: timestamp = @2026-01-01\nfn tax(x: float) -> float = x * 0.2\n\
     v = rows [ {x: 1.0, s: \"7\"}, {x: 2.0, s: \"no\"} ] | derive tax: tax(x), n: int(s)\n\
     expect v all tax > 0.0\nexpect v.errors is not empty\nexpect v within 5s is not empty",
    "ticks = rows [ {n: 1} ]\nticks",
];

/// The cells in order, each with its identity.
fn cells() -> Vec<(String, String)> {
    let page = PAGE.iter().enumerate().map(|(place, text)| (format!("page {place}"), text.to_string()));
    let tables = [("tables".to_string(), TABLES.to_string())];
    let steps = STEPS.iter().map(|step| (format!("step {}", step.name), step.example.to_string()));
    // Each in the same cell: it replaces the one before.
    let aggregates = AGGREGATES.iter().map(|aggregate| ("aggregate".to_string(), aggregate.example.to_string()));
    let queries = QUERIES.iter().map(|query| ("query".to_string(), query.example.to_string()));
    page.chain(tables).chain(steps).chain(aggregates).chain(queries).collect()
}

/// Runs all cells; `at` hears which is next.
fn run_all(session: &Session, mut at: impl FnMut(&str)) -> Vec<String> {
    let mut wrong = Vec::new();
    for (cell, text) in cells() {
        at(&cell);
        match run(session, &cell, &text) {
            Err(failure) if !is_not_available(&failure) => wrong.push(format!("{cell}: {text}\n{}", failure.text)),
            _ => {}
        }
    }
    wrong
}

#[test]
fn every_example_runs_in_one_notebook_again_and_again() {
    let folder = tempfile::tempdir().unwrap();
    for sub in ["data", "logs", "out"] {
        std::fs::create_dir(folder.path().join(sub)).unwrap();
    }
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("data/orders.csv", "id,product,qty\n1,7,3\n2,8,1\n");
    write("logs/a.jsonl", "{\"user\": \"ada\", \"url\": \"/\", \"at\": \"2026-01-01T00:00:00Z\"}\n");
    write("data/ticks.csv", "sym,at,px\nA,2026-01-01T00:00:00Z,1.0\nA,2026-01-01T00:00:01Z,2.0\n");
    let (progress, heard) = channel();
    let base = folder.path().to_path_buf();
    let notebook = std::thread::spawn(move || {
        let session = session(&base, 2);
        for round in 0..2 {
            let wrong = run_all(&session, |cell| drop(progress.send(format!("{cell}, round {round}"))));
            assert!(wrong.is_empty(), "round {round}: {}", wrong.join("\n"));
        }
        // Its tables were taken over by later cells; now they are its own again.
        rows(&run(&session, "page 0", PAGE[0]).unwrap()[0])
    });
    let mut last = String::new();
    loop {
        match heard.recv_timeout(Duration::from_secs(120)) {
            Ok(cell) => last = cell,
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => panic!("the cell `{last}` does not end"),
        }
    }
    let shown = notebook.join().unwrap_or_else(|fault| std::panic::resume_unwind(fault));
    assert_eq!(shown, ["ink 8.0 1", "pen 4.5 1"]);
}
