//! How soon a source gives what has happened: lines appended to a watched file, and ticks that have fallen due.
//!
//! `cargo run --release -p tidebook-connectors --example source_latency`

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use tidebook_connectors::registry;
use tidebook_plan::connector::{OpenRequest, OptionValue, Options, Source, SourceEvent, SourceSpec};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    appended(folder.path())?;
    for rate in [10_000.0, 100_000.0, 1_000_000.0] {
        ticks(rate)?;
    }
    Ok(())
}

/// Opens a source by name, with the columns that it describes.
fn open(name: &str, base: &Path, options: Vec<(&str, OptionValue)>) -> Result<Box<dyn Source>, Box<dyn Error>> {
    let sources = registry::sources();
    let connector = sources.iter().find(|source| source.spec().name == name).ok_or("no such connector")?;
    let options = Options(options.into_iter().map(|(name, value)| (name.to_string(), value)).collect());
    let fields = connector.describe(&options, base)?;
    let (connector_name, base) = (name.to_string(), base.to_path_buf());
    let spec = SourceSpec {
        connector: connector_name,
        options,
        fields,
        key: Vec::new(),
        generation: 0,
        base,
        selection: Default::default(),
    };
    Ok(connector.open(OpenRequest { spec, repeats: None, beside: None })?)
}

/// Appends a line, and waits until its row is there.
fn appended(folder: &Path) -> Result<(), Box<dyn Error>> {
    let path = folder.join("n.jsonl");
    let mut file = std::fs::File::create(&path)?;
    writeln!(file, "{{\"n\":0}}")?;
    let options = vec![("path", OptionValue::Text("*.jsonl".into())), ("watch", OptionValue::Bool(true))];
    let mut source = open("jsonl", folder, options)?;
    while !matches!(source.next(Duration::ZERO)?, SourceEvent::Idle) {}
    let mut waits = Vec::new();
    for n in 1..2_000 {
        let line = format!("{{\"n\":{n}}}\n");
        let before = Instant::now();
        file.write_all(line.as_bytes())?;
        while !matches!(source.next(Duration::from_secs(5))?, SourceEvent::Batch(_)) {}
        waits.push(before.elapsed());
        // At rest again, so that the next line has to be noticed.
        while !matches!(source.next(Duration::ZERO)?, SourceEvent::Idle) {}
    }
    report("appended line to its row", waits);
    Ok(())
}

/// Takes ticks for a second; a batch's wait is that of its oldest tick.
fn ticks(rate: f64) -> Result<(), Box<dyn Error>> {
    let mut source = open("demo.ticks", Path::new("."), vec![("rate", OptionValue::Float(rate))])?;
    let (start, mut given) = (Instant::now(), 0);
    let mut waits = Vec::new();
    while start.elapsed() < Duration::from_secs(1) {
        if let SourceEvent::Batch(batch) = source.next(Duration::from_millis(100))? {
            let due = Duration::from_secs_f64(f64::from(given) / rate);
            waits.push(start.elapsed().saturating_sub(due));
            given += batch.rows.len() as u32;
        }
    }
    println!("{:.0} rows a second asked, {:.0} given", rate, f64::from(given) / start.elapsed().as_secs_f64());
    report("  oldest tick of a batch to the batch", waits);
    Ok(())
}

fn report(what: &str, mut waits: Vec<Duration>) {
    waits.sort();
    let at = |part: usize| waits.get(waits.len() * part / 100).copied().unwrap_or_default();
    println!("{what}: median {:?}, 95% {:?}, 99% {:?} of {}", at(50), at(95), at(99), waits.len());
}
