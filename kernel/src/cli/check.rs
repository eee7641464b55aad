//! `tidebook check`: what is wrong with scripts and notebooks, without running anything.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::ValueEnum;
use serde_json::json;
use tidebook_plan::Diagnostic;
use tidebook_plan::span::line_column;
use tidebook_session::CellRequest;

use super::Failure;
use super::files::{self, Input};
use super::run::{base_of, parameter};
use crate::host::{SessionOptions, StartSession};
use crate::notebook::Notebook;

/// How diagnostics are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people: the line with the fault underlined.
    #[default]
    Text,
    /// For programs: one line of JSON for each.
    Json,
}

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Scripts (.tide), notebooks (.ipynb) and folders of them.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The value of a `param`.
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = parameter)]
    parameters: Vec<(String, String)>,
    /// How diagnostics are printed.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Checks the files; true if none has an error.
pub fn run(arguments: &Arguments, start: StartSession<'_>, out: &mut dyn Write) -> Result<bool, Failure> {
    let (mut good, mut failed) = (true, None);
    let mut out = io::BufWriter::new(out);
    for input in files::read_all(&arguments.files) {
        let checked = input.and_then(|input| check(&input, arguments, start));
        let printed = match checked {
            Ok(found) => {
                good &= !found.iter().any(|found| found.diagnostic.is_error());
                found.iter().try_for_each(|found| found.print(&mut out, arguments.format))
            }
            Err(failure) => {
                eprintln!("tidebook: {}", failure.message);
                failed = Some(failure.code);
                Ok(())
            }
        };
        match printed.and_then(|()| out.flush()) {
            // Whoever reads has seen enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => break,
            Err(error) => return Err(Failure::runtime(format!("cannot print the diagnostics: {error}"))),
            Ok(()) => {}
        }
    }
    match failed {
        None => Ok(good),
        Some(code) => Err(Failure { message: "some files could not be checked".to_string(), code }),
    }
}

/// A diagnostic with its place.
struct Found {
    file: String,
    /// Counted from one; none in a script.
    cell: Option<usize>,
    source: String,
    diagnostic: Diagnostic,
}

impl Found {
    fn print(&self, out: &mut dyn Write, format: Format) -> io::Result<()> {
        let Found { file, cell, source, diagnostic } = self;
        if format == Format::Text {
            let name = cell.map_or_else(|| file.clone(), |cell| format!("{file}, cell {cell}"));
            return writeln!(out, "{}", diagnostic.to_text(source, &name));
        }
        let (line, column) = line_column(source, diagnostic.span.start);
        let (end_line, end_column) = line_column(source, diagnostic.span.end);
        let Diagnostic { code, severity, message, span, labels, help, edit } = diagnostic;
        let value = json!({
            "file": file, "cell": cell, "line": line, "column": column, "end_line": end_line, "end_column": end_column,
            "code": code, "severity": severity, "message": message, "span": span, "labels": labels, "help": help,
            "edit": edit,
        });
        writeln!(out, "{value}")
    }
}

fn check(input: &Input, arguments: &Arguments, start: StartSession<'_>) -> Result<Vec<Found>, Failure> {
    let file = input.path.display().to_string();
    let notebook = match input.is_notebook {
        true => {
            Notebook::parse(&input.text).map_err(|error| Failure::usage(format!("cannot use `{file}`: {error}")))?
        }
        false => Notebook::of_script(&input.text),
    };
    let cells = notebook.code_cells();
    let requests: Vec<CellRequest> = cells
        .iter()
        .map(|cell| CellRequest { cell: cell.id.clone(), name: file.clone(), text: cell.source.clone() })
        .collect();
    let host = start(SessionOptions {
        workers: None,
        base: base_of(&input.path)?,
        parameters: arguments.parameters.clone(),
        headless: true,
    })
    .map_err(Failure::usage)?;
    let results = host.check(&requests);
    host.shutdown();
    let mut found = Vec::new();
    for (index, (cell, diagnostics)) in cells.into_iter().zip(results).enumerate() {
        // A cell that is meant to fail may say so.
        for diagnostic in diagnostics.into_iter().filter(|_| !cell.may_fail) {
            let place = input.is_notebook.then_some(index + 1);
            found.push(Found { file: file.clone(), cell: place, source: cell.source.clone(), diagnostic });
        }
    }
    Ok(found)
}
