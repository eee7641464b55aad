//! The benchmarks: figures for people, not timed tests.
//!
//! `cargo run --release -p tidebook-tests --bin bench` runs all; a word after `--` runs one of `throughput`, `latency`,
//! `update`, `group`, `window`, `time`, `pagerank`, `tpch`, `parquet` and `parquet-memory` (the last two make files of some gigabytes; they and `tpch` only run when named).
//! They need the program `tidebook` of the same build.

mod data;
mod group;
mod latency;
mod loops;
mod measure;
mod pagerank;
mod parquet;
mod throughput;
mod time;
mod tpch;
mod update;
mod window;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        [] | ["all"] => {
            let all = [throughput::run, latency::run, update::run, group::run, window::run, time::run, pagerank::run];
            all.into_iter().try_for_each(|run| run())
        }
        ["throughput"] => throughput::run(),
        ["latency"] => latency::run(),
        ["update"] => update::run(),
        ["group"] => group::run(),
        ["window"] => window::run(),
        ["time"] => time::run(),
        ["pagerank"] => pagerank::run(),
        ["tpch"] => tpch::run(0.1),
        ["tpch", scale] => scale.parse().map_err(|_| format!("`{scale}` is no scale")).and_then(tpch::run),
        ["tpch-results", folder] => tpch::results(Path::new(folder), 0.01),
        ["parquet"] => parquet::run(),
        ["parquet-memory"] => parquet::memory(),
        // The hand-written loops run as processes of their own, so that they are measured as `tidebook` is.
        ["loop-words", words] => loops::words(Path::new(words)),
        ["loop-orders", orders, products] => loops::orders(Path::new(orders), Path::new(products)),
        _ => Err("usage: bench [all | throughput | latency | update | group | window | time | pagerank | tpch | parquet | parquet-memory]"
            .to_string()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}
