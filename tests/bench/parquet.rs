//! Parquet files through the whole program: filters with and without the help of statistics, and files that are larger
//! than the memory that they should take.
//!
//! With `DUCKDB_PYTHON` set to a Python that has the package `duckdb`, the same queries run there as well.

use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use arrow_array::{ArrayRef, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use tidebook_tests::binary;
use tidebook_tests::generator::Random;

use crate::data::folder;
use crate::measure::{self, Cost, median};

const RUNS: usize = 5;
/// Rows of the table that is filtered.
const ROWS: usize = 10_000_000;
/// Rows of a row group, as DuckDB writes them.
const GROUP: usize = 122_880;
const CITIES: usize = 100;
/// Days over which the rows are spread, in order.
const DAYS: usize = 1_000;

/// A query as both write it.
struct Query {
    what: &'static str,
    tide: &'static str,
    sql: &'static str,
}

const QUERIES: [Query; 5] = [
    Query {
        what: "1 % of the rows, on a column in order",
        tide: "where day >= @2026-01-01 and day < @2026-01-11 | summarize n: count(), total: sum(amount) by city",
        sql: "select city, count(*), sum(amount) from t where day >= '2026-01-01' and day < '2026-01-11' group by city",
    },
    Query {
        what: "one row, on the key",
        tide: "where id == 7654321 | select id, city, note",
        sql: "select id, city, note from t where id = 7654321",
    },
    Query {
        what: "1 % of the rows, on a column without order",
        tide: "where km > 49.5 | summarize n: count(), total: sum(amount) by city",
        sql: "select city, count(*), sum(amount) from t where km > 49.5 group by city",
    },
    Query {
        what: "1 % of the rows, on a text",
        tide: "where city == \"city 7\" | summarize n: count(), total: sum(amount) by city",
        sql: "select city, count(*), sum(amount) from t where city = 'city 7' group by city",
    },
    Query {
        what: "all rows, two columns of six",
        tide: "summarize n: count(), total: sum(amount) by city",
        sql: "select city, count(*), sum(amount) from t group by city",
    },
];

/// Runs the queries and prints their figures.
///
/// # Errors
/// Where a program cannot be run.
pub fn run() -> Result<(), String> {
    let folder = folder().map_err(|error| error.to_string())?;
    make(&folder.join("rides.parquet"), ROWS, Compression::ZSTD(ZstdLevel::default()))?;
    println!("parquet: {ROWS} rows, whole process, median of {RUNS} runs");
    for query in QUERIES {
        println!("  {}", query.what);
        let text = format!("t = read parquet(\"rides.parquet\")\nt | {}\n", query.tide);
        let own = costs(|| tidebook(&folder, &text))?;
        report("tidebook", &own);
        if let Some(python) = std::env::var_os("DUCKDB_PYTHON") {
            let program = format!(
                "import duckdb\nduckdb.sql(\"create view t as from 'rides.parquet'\")\nprint(len(duckdb.sql(\"{}\").fetchall()))",
                query.sql
            );
            let theirs = costs(|| {
                let mut command = Command::new(&python);
                command.current_dir(&folder).args(["-c", &program]);
                Ok(command)
            })?;
            report("duckdb", &theirs);
        }
    }
    Ok(())
}

/// What a file streams through: each keeps no more than its groups.
const STREAMED: [&str; 3] = [
    "summarize n: count(), total: sum(amount), far: sum(km), noted: count(note) by city",
    "summarize near: min(km), far: max(km), first: first(note by id), last: last(note by id) by city",
    "top 3 by amount desc per city",
];

/// Streams files of one and of four gigabytes through some steps and prints the most memory that it took.
///
/// # Errors
/// Where a program cannot be run.
pub fn memory() -> Result<(), String> {
    let folder = folder().map_err(|error| error.to_string())?;
    println!("parquet: memory while a file streams through");
    for (name, rows) in [("large1.parquet", 14_000_000), ("large4.parquet", 56_000_000)] {
        let path = folder.join(name);
        make(&path, rows, Compression::UNCOMPRESSED)?;
        let bytes = std::fs::metadata(&path).map_err(|error| error.to_string())?.len();
        println!("  {} MB, {rows} rows", bytes >> 20);
        for steps in STREAMED {
            let text = format!("t = read parquet(\"{name}\")\nt | {steps}\n");
            let Cost { peak, wall, cpu, .. } = measure::run(&mut tidebook(&folder, &text)?)?;
            println!("    {peak:6.0} MB at most, {wall:6.2} s, {cpu:6.2} s CPU: {steps}");
        }
    }
    Ok(())
}

fn tidebook(folder: &Path, text: &str) -> Result<Command, String> {
    std::fs::write(folder.join("parquet.tide"), text).map_err(|error| error.to_string())?;
    let mut command = Command::new(binary::path()?);
    command.current_dir(folder).args(["run", "parquet.tide", "--format", "json", "--timeout", "600s"]);
    Ok(command)
}

fn costs(command: impl Fn() -> Result<Command, String>) -> Result<Vec<Cost>, String> {
    // The first run brings the file into the system's cache.
    (0..=RUNS).map(|_| measure::run(&mut command()?)).skip(1).collect()
}

fn report(name: &str, costs: &[Cost]) {
    let of = |what: fn(&Cost) -> f64| median(&costs.iter().map(what).collect::<Vec<_>>());
    let (cpu, wall, peak) = (of(|cost| cost.cpu), of(|cost| cost.wall), of(|cost| cost.peak));
    println!("    {name:9}{wall:6.3} s wall, {cpu:6.3} s CPU, {peak:6.0} MB");
}

/// Writes the table, unless it is there.
fn make(path: &Path, rows: usize, compression: Compression) -> Result<(), String> {
    if path.exists() {
        return Ok(());
    }
    let unfinished = path.with_extension("part");
    write(&unfinished, rows, compression).map_err(|error| format!("cannot write the input: {error}"))?;
    std::fs::rename(unfinished, path).map_err(|error| error.to_string())
}

fn write(path: &Path, rows: usize, compression: Compression) -> Result<(), Box<dyn std::error::Error>> {
    let properties =
        WriterProperties::builder().set_compression(compression).set_max_row_group_row_count(Some(GROUP)).build();
    let mut random = Random::new(3);
    let cities: Vec<String> = (0..CITIES).map(|city| format!("city {city}")).collect();
    let mut writer: Option<ArrowWriter<File>> = None;
    for start in (0..rows).step_by(GROUP) {
        let place = start..(start + GROUP).min(rows);
        // The last day is 2026-09-27.
        let day = |row: usize| 20_723 - DAYS as i32 + (row * DAYS / rows) as i32;
        let notes = place.clone().map(|_| format!("{:016x} {:016x}", random.next(), random.next()));
        let note: ArrayRef = Arc::new(StringArray::from_iter_values(notes));
        let city: ArrayRef = Arc::new(StringArray::from_iter_values(place.clone().map(|_| random.pick(&cities))));
        let mut float = |most: i64| -> ArrayRef {
            Arc::new(Float64Array::from_iter_values(place.clone().map(|_| random.between(0, most) as f64 / 100.0)))
        };
        let (km, amount) = (float(5_000), float(100_000));
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("id", Arc::new(Int64Array::from_iter_values(place.clone().map(|row| row as i64)))),
            ("day", Arc::new(Date32Array::from_iter_values(place.clone().map(day)))),
            ("city", city),
            ("km", km),
            ("amount", amount),
            ("note", note),
        ];
        let batch = RecordBatch::try_from_iter(columns)?;
        let writer = match &mut writer {
            Some(writer) => writer,
            None => writer.insert(ArrowWriter::try_new(File::create(path)?, batch.schema(), Some(properties.clone()))?),
        };
        writer.write(&batch)?;
    }
    if let Some(writer) = writer {
        writer.close()?;
    }
    Ok(())
}
