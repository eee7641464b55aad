//! How long a row takes from its source to the subscriber of a view: until the epoch that holds it has closed.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use tidebook_engine::OutputEvent;
use tidebook_plan::ChangeBatch;
use tidebook_tests::generator::Random;
use tidebook_tests::harness::{Harness, Output, Setup};

use crate::measure::{median, quantile};

/// Rows of the first second are not counted: threads start and memory warms up.
const WARM_UP: Duration = Duration::from_secs(1);

/// No benchmark waits longer than this for an event.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs all three and prints their figures.
///
/// # Errors
/// Where a program does not run or events stay away.
pub fn run() -> Result<(), String> {
    println!("latency: from the generator's `at`, every row scored, to the closed epoch at the subscriber");
    ticks(10_000, 10)?;
    ticks(100_000, 10)?;
    appended()
}

fn start(base: &Path, text: &str) -> Result<(Harness, Output), String> {
    let setup = Setup { workers: 1, optimize: true, base: base.to_path_buf(), sources: Vec::new() };
    let mut harness = Harness::start(setup).map_err(|failure| failure.to_string())?;
    let mut outputs = harness.run("bench", text).map_err(|failure| failure.to_string())?;
    match outputs.pop() {
        Some(output) => Ok((harness, output)),
        None => Err("nothing is shown".to_string()),
    }
}

/// Microseconds since 1970.
fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// Follows an output epoch by epoch.
struct Subscriber<'a> {
    output: &'a Output,
    /// Changes of epochs that have not closed yet.
    open: Vec<(u64, ChangeBatch)>,
}

impl Subscriber<'_> {
    fn new(output: &Output) -> Subscriber<'_> {
        Subscriber { output, open: Vec::new() }
    }

    /// Waits until an epoch with changes has closed and calls `each` on them, with the moment at which it closed.
    fn next_epoch(&mut self, mut each: impl FnMut(i64, &ChangeBatch)) -> Result<(), String> {
        loop {
            match self.output.events().recv_timeout(PATIENCE) {
                Ok(OutputEvent::Changes { port: 0, epoch, changes }) => self.open.push((epoch, changes)),
                Ok(OutputEvent::Closed { epoch }) => {
                    let closed_at = now();
                    let before = self.open.len();
                    self.open.retain(|(at, changes)| {
                        if *at <= epoch {
                            each(closed_at, changes);
                        }
                        *at > epoch
                    });
                    if self.open.len() < before {
                        return Ok(());
                    }
                }
                Ok(OutputEvent::Failed { message }) => return Err(message),
                Ok(_) => {}
                Err(error) => return Err(format!("no event came: {error}")),
            }
        }
    }
}

fn ticks(rate: usize, seconds: usize) -> Result<(), String> {
    let rows = rate * seconds;
    let text = format!(
        "ticks  = read demo.ticks(rate: {rate}, rows: {rows})\n\
         scored = ticks | derive score: case {{ value > 0.5 => value * 100.0, else => value - 1.0 }}, bucket: n % 10\n\
         scored\n"
    );
    let folder = std::env::temp_dir();
    let (_harness, output) = start(&folder, &text)?;
    let place = |name: &str| output.column_names().iter().position(|column| *column == name);
    let Some(at) = place("at") else { return Err("`demo.ticks` has no column `at`".to_string()) };
    let mut subscriber = Subscriber::new(&output);
    let started = Instant::now();
    let mut delays = Vec::with_capacity(rows);
    let (mut seen, mut epochs) = (0, 0);
    while seen < rows {
        subscriber.next_epoch(|closed_at, changes| {
            seen += changes.len();
            epochs += 1;
            if started.elapsed() > WARM_UP {
                let stamps = changes.rows.column(at).as_primitive::<TimestampMicrosecondType>();
                delays.extend(stamps.values().iter().map(|stamp| (closed_at - stamp) as f64 / 1000.0));
            }
        })?;
    }
    let took = started.elapsed().as_secs_f64();
    println!("  {rate} rows a second for {seconds} s");
    print_delays(&delays);
    let (a_second, an_epoch) = (rows as f64 / took, rows as f64 / f64::from(epochs));
    println!("    {rows} rows in {took:.2} s: {a_second:.0} rows a second, {an_epoch:.1} rows a batch");
    Ok(())
}

fn print_delays(delays: &[f64]) {
    println!(
        "    median {:.2} ms, 95 % {:.2} ms, 99 % {:.2} ms, most {:.2} ms",
        median(delays),
        quantile(delays, 0.95),
        quantile(delays, 0.99),
        quantile(delays, 1.0)
    );
}

/// Rows appended to a watched file, one at a time.
fn appended() -> Result<(), String> {
    const APPENDS: i64 = 200;
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let path = folder.path().join("log.jsonl");
    std::fs::write(&path, "{\"n\": 0}\n").map_err(|error| error.to_string())?;
    let text = "log = read jsonl(\"log.jsonl\", watch: true) { n: int }\nscored = log | derive score: n * 2\nscored\n";
    let (_harness, output) = start(folder.path(), text)?;
    let mut subscriber = Subscriber::new(&output);
    subscriber.next_epoch(|_, _| {})?;
    let mut file = OpenOptions::new().append(true).open(&path).map_err(|error| error.to_string())?;
    let mut random = Random::new(3);
    let mut delays = Vec::new();
    for n in 1..=APPENDS {
        std::thread::sleep(Duration::from_millis(random.between(5, 40) as u64));
        let written_at = now();
        file.write_all(format!("{{\"n\": {n}}}\n").as_bytes()).map_err(|error| error.to_string())?;
        let mut found = false;
        while !found {
            subscriber.next_epoch(|closed_at, changes| {
                let numbers = changes.rows.column(0).as_primitive::<Int64Type>();
                if numbers.values().contains(&n) {
                    found = true;
                    delays.push((closed_at - written_at) as f64 / 1000.0);
                }
            })?;
        }
    }
    println!("  rows appended to a watched file, one at a time");
    print_delays(&delays);
    Ok(())
}
