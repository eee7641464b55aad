//! How fast files become rows, in CPU seconds, next to a loop written by hand for each file.
//!
//! `cargo run --release -p tidebook-connectors --example parse_rate [folder for the files]`

use std::error::Error;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tidebook_connectors::registry;
use tidebook_plan::connector::{OpenRequest, OptionValue, Options, SourceEvent, SourceField, SourceSpec};
use tidebook_plan::{ColumnType, Type};

const WORDS: usize = 5_000_000;
const ORDERS: usize = 2_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).map_or_else(std::env::temp_dir, PathBuf::from).join("tidebook-parse-rate");
    std::fs::create_dir_all(&folder)?;
    let word = [("word", Type::Text)];
    let order = [
        ("id", Type::Int),
        ("product", Type::Int),
        ("qty", Type::Int),
        ("price", Type::Float),
        ("at", Type::Timestamp),
    ];

    write(&folder, "words.jsonl", WORDS, |out, n| writeln!(out, r#"{{"word": "{}"}}"#, name(n)))?;
    write(&folder, "words.csv", WORDS, |out, n| writeln!(out, "{}", name(n)))?;
    write(&folder, "orders.jsonl", ORDERS, |out, n| {
        let (product, qty, price) = (n % 10_000, n % 7 + 1, (n % 9_973) as f64 / 100.0);
        writeln!(out, r#"{{"id": {n}, "product": {product}, "qty": {qty}, "price": {price}, "at": "{}"}}"#, time(n))
    })?;
    write(&folder, "orders.csv", ORDERS, |out, n| {
        let (product, qty, price) = (n % 10_000, n % 7 + 1, (n % 9_973) as f64 / 100.0);
        writeln!(out, "{n},{product},{qty},{price},{}", time(n))
    })?;

    println!("{:<14} {:>10} {:>8} {:>8} {:>12} {:>8}", "file", "rows", "wall s", "cpu s", "ns per row", "errors");
    for (file, columns) in
        [("words.jsonl", &word[..]), ("words.csv", &word[..]), ("orders.jsonl", &order[..]), ("orders.csv", &order[..])]
    {
        by_hand(&folder.join(file))?;
        measure(&folder, file, columns)?;
    }
    Ok(())
}

/// One of 5,000 words of seven letters.
fn name(n: usize) -> String {
    let mut code = (n.wrapping_mul(2_654_435_761) >> 7) % 5_000;
    (0..7)
        .map(|_| {
            let letter = b'a' + (code % 26) as u8;
            code = code / 26 + 11;
            char::from(letter)
        })
        .collect()
}

fn time(n: usize) -> String {
    format!("2026-{:02}-{:02}T{:02}:{:02}:{:02}", n % 12 + 1, n % 28 + 1, n % 24, n % 60, n % 59)
}

/// Writes a file, unless it is there. A CSV file begins with the names of its columns.
fn write(
    folder: &Path,
    file: &str,
    rows: usize,
    mut line: impl FnMut(&mut dyn Write, usize) -> std::io::Result<()>,
) -> Result<(), Box<dyn Error>> {
    let path = folder.join(file);
    if path.exists() {
        return Ok(());
    }
    let mut out = BufWriter::new(std::fs::File::create(path)?);
    match file {
        "words.csv" => writeln!(out, "word")?,
        "orders.csv" => writeln!(out, "id,product,qty,price,at")?,
        _ => {}
    }
    for n in 0..rows {
        line(&mut out, n)?;
    }
    Ok(out.flush()?)
}

/// Reads all of a file through its connector.
fn measure(folder: &Path, file: &str, columns: &[(&str, Type)]) -> Result<(), Box<dyn Error>> {
    let connector_name = if file.ends_with(".csv") { "csv" } else { "jsonl" };
    let sources = registry::sources();
    let connector = sources.iter().find(|source| source.spec().name == connector_name).ok_or("no such connector")?;
    let options = Options([("path".to_string(), OptionValue::Text(file.to_string()))].into());
    let fields = columns.iter().map(|(name, ty)| SourceField {
        name: (*name).to_string(),
        ty: ColumnType::required(ty.clone()),
        wire_name: None,
        default: None,
    });
    let spec = SourceSpec {
        connector: connector_name.to_string(),
        options,
        fields: fields.collect(),
        key: Vec::new(),
        generation: 0,
        base: folder.to_path_buf(),
        selection: Default::default(),
    };
    let (started, cpu) = (Instant::now(), cpu_seconds()?);
    let mut source = connector.open(OpenRequest { spec, repeats: None, beside: None })?;
    let (mut rows, mut errors) = (0, 0);
    while let SourceEvent::Batch(batch) = source.next(Duration::ZERO)? {
        rows += batch.rows.len();
        errors += batch.errors.len();
    }
    report(file, rows, started, cpu, errors)
}

/// What a programmer would write for one file and its last column: lines, and a search for the value.
fn by_hand(path: &Path) -> Result<(), Box<dyn Error>> {
    let (started, cpu) = (Instant::now(), cpu_seconds()?);
    let mut reader = BufReader::with_capacity(1 << 20, std::fs::File::open(path)?);
    let (mut line, mut rows, mut bytes) = (Vec::new(), 0, 0);
    while reader.read_until(b'\n', &mut line)? > 0 {
        let text = std::str::from_utf8(&line)?.trim_end();
        let value = match text.strip_suffix("\"}") {
            Some(text) => text.rsplit('"').next(),
            None => text.rsplit(',').next(),
        };
        bytes += value.unwrap_or_default().to_string().len();
        rows += 1;
        line.clear();
    }
    report(if bytes > 0 { "  by hand" } else { "  nothing" }, rows, started, cpu, 0)
}

fn report(name: &str, rows: usize, started: Instant, cpu: f64, errors: usize) -> Result<(), Box<dyn Error>> {
    let (wall, cpu) = (started.elapsed().as_secs_f64(), cpu_seconds()? - cpu);
    println!("{name:<14} {rows:>10} {wall:>8.3} {cpu:>8.3} {:>12.1} {errors:>8}", cpu * 1e9 / rows as f64);
    Ok(())
}

/// Seconds that the process has run on a processor, in user and in system mode, in nanosecond steps.
fn cpu_seconds() -> Result<f64, Box<dyn Error>> {
    let text = std::fs::read_to_string("/proc/self/schedstat")?;
    let nanoseconds: f64 = text.split(' ').next().ok_or("schedstat is empty")?.parse()?;
    Ok(nanoseconds / 1e9)
}
