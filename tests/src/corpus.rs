//! The scripts of `tests/corpus` with what they must give.
//!
//! Beside `name.tide` stands either `name.expected`, one line of JSON for each shown table as `tidebook run --format
//! json` prints it, or `name.diagnostics`, pieces of text that its failure must contain, one a line. A first line
//! `# treatments: as-written` says that what the script gives depends on its history, not on its contents alone.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// What a script must do.
#[derive(Clone, Debug)]
pub enum Expected {
    /// Show these tables and succeed.
    Tables(Vec<Table>),
    /// Fail, and say all of this.
    Diagnostics(Vec<String>),
}

/// A shown table. Types are without `?`: whether a column may be null is a matter of inference that the language's own
/// tests pin.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// What it is called.
    pub table: String,
    /// Names and types of its columns.
    pub columns: Vec<(String, String)>,
    /// Its rows in order.
    pub rows: Vec<Vec<Value>>,
    /// Rows in its errors.
    pub errors: i64,
}

/// A script.
#[derive(Clone, Debug)]
pub struct Script {
    /// Its name, without an ending.
    pub name: String,
    /// Its text.
    pub text: String,
    /// What it must do.
    pub expected: Expected,
    /// True if it may only run as written.
    pub as_written: bool,
}

/// The folder of the scripts.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

/// All scripts, by name.
///
/// # Errors
/// Where a file cannot be read, or a script has no or two expectations.
pub fn scripts() -> Result<Vec<Script>, String> {
    let told = |path: &Path, error: &dyn std::fmt::Display| format!("`{}`: {error}", path.display());
    let folder = folder();
    let mut paths = Vec::new();
    for entry in fs::read_dir(&folder).map_err(|error| told(&folder, &error))? {
        paths.push(entry.map_err(|error| told(&folder, &error))?.path());
    }
    paths.sort();
    let mut scripts = Vec::new();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|ending| ending == "tide")) {
        let text = fs::read_to_string(path).map_err(|error| told(path, &error))?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let tables = fs::read_to_string(path.with_extension("expected"));
        let diagnostics = fs::read_to_string(path.with_extension("diagnostics"));
        let expected = match (tables, diagnostics) {
            (Ok(tables), Err(_)) => Expected::Tables(parse_tables(&tables).map_err(|error| told(path, &error))?),
            (Err(_), Ok(pieces)) => Expected::Diagnostics(pieces.lines().map(str::to_string).collect()),
            _ => return Err(told(path, &"one of `.expected` and `.diagnostics` must stand beside it")),
        };
        let as_written = text.starts_with("# treatments: as-written");
        scripts.push(Script { name, text, expected, as_written });
    }
    Ok(scripts)
}

/// Tables from lines of JSON.
///
/// # Errors
/// Where a line is not a table.
pub fn parse_tables(text: &str) -> Result<Vec<Table>, String> {
    text.lines().filter(|line| !line.trim().is_empty()).map(parse_table).collect()
}

fn parse_table(line: &str) -> Result<Table, String> {
    let value: Value = serde_json::from_str(line).map_err(|error| format!("no JSON ({error}): {line}"))?;
    let lacks = |what: &str| format!("a table lacks `{what}`: {line}");
    let table = value["table"].as_str().ok_or_else(|| lacks("table"))?.to_string();
    let errors = value["errors"].as_i64().ok_or_else(|| lacks("errors"))?;
    let mut columns = Vec::new();
    for column in value["columns"].as_array().ok_or_else(|| lacks("columns"))? {
        let name = column["name"].as_str().ok_or_else(|| lacks("name"))?;
        let ty = column["type"].as_str().ok_or_else(|| lacks("type"))?;
        columns.push((name.to_string(), without_nullability(ty)));
    }
    let mut rows = Vec::new();
    for row in value["rows"].as_array().ok_or_else(|| lacks("rows"))? {
        let cells = row.as_array().ok_or_else(|| lacks("rows"))?;
        rows.push(cells.iter().zip(&columns).map(|(cell, (_, ty))| canonical(cell, ty)).collect());
    }
    Ok(Table { table, columns, rows, errors })
}

/// The type without its question marks.
pub fn without_nullability(ty: &str) -> String {
    ty.replace('?', "")
}

/// One spelling where JSON allows several: `1` and `1.0` as floats, and a second's fraction without zeros at its end.
pub fn canonical(cell: &Value, ty: &str) -> Value {
    match (ty, cell) {
        ("float", Value::Number(number)) => number.as_f64().map_or(Value::Null, Value::from),
        ("timestamp", Value::String(text)) if text.contains('.') => {
            Value::from(text.trim_end_matches('0').trim_end_matches('.'))
        }
        _ => cell.clone(),
    }
}

/// How two lists of tables differ; empty if they do not.
pub fn difference(found: &[Table], expected: &[Table]) -> String {
    let mut out = String::new();
    if found.len() != expected.len() {
        out.push_str(&format!("{} tables were expected, {} are shown\n", expected.len(), found.len()));
    }
    for (found, expected) in found.iter().zip(expected) {
        if found != expected {
            out.push_str(&format!("expected {}\nfound    {}\n", describe(expected), describe(found)));
        }
    }
    out
}

fn describe(table: &Table) -> String {
    let columns: Vec<String> = table.columns.iter().map(|(name, ty)| format!("{name} {ty}")).collect();
    let rows: Vec<String> = table.rows.iter().map(|row| Value::Array(row.clone()).to_string()).collect();
    format!("{} ({}) errors {}: {}", table.table, columns.join(", "), table.errors, rows.join(" "))
}
