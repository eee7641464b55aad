//! `tidebook run`: a notebook or a script without a front end.
//!
//! Standard output gets the tables that the cells show (for people, how expectations stand as well) and nothing else, so
//! that it can be read by a program; all other text goes to standard error.

mod progress;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use clap::ValueEnum;
use tidebook_session::{CellFailure, CellOutput, CellRequest, View, ViewKind};

use super::Failure;
use super::duration;
use super::files;
use super::signals::{Asked, Signals};
use crate::host::{HeadlessOptions, Host, SessionOptions, StartSession};
use crate::notebook::record::Recorder;
use crate::notebook::{CodeCell, Notebook};
use crate::render;
use progress::Progress;

/// How long a run that is asked to end may take to print what its tables hold.
const GRACE: Duration = Duration::from_secs(10);

/// How tables are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people: the first rows, aligned.
    #[default]
    Text,
    /// For programs: each table whole, one line of JSON.
    Json,
}

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A notebook (.ipynb) or a script (.tide); `-` for either on standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Replace the value of a `param`.
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = parameter)]
    parameters: Vec<(String, String)>,
    /// Worker threads.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    workers: Option<u64>,
    /// Write the notebook with the outputs of the run.
    #[arg(long, value_name = "OUT.ipynb")]
    output: Option<PathBuf>,
    /// How tables are printed.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Go on after live inputs have caught up, until interrupted.
    #[arg(long)]
    follow: bool,
    /// The longest that the run may take: `30s`, `5m`, …
    #[arg(long, value_name = "D", value_parser = duration::parse)]
    timeout: Option<Duration>,
}

/// Runs the file; true if every cell that must succeed did.
pub fn run(arguments: &Arguments, start: StartSession<'_>, out: &mut dyn Write) -> Result<bool, Failure> {
    let (mut notebook, script) = read(&arguments.file)?;
    let cells = notebook.code_cells();
    if cells.is_empty() {
        progress::print(&format!("`{}` has nothing to run\n", arguments.file.display()));
    }
    let requests: Vec<CellRequest> =
        cells.iter().enumerate().map(|(i, cell)| request(i, cell, script.as_deref())).collect();
    let host = start(SessionOptions {
        workers: arguments.workers.and_then(|n| usize::try_from(n).ok()),
        base: base_of(&arguments.file)?,
        parameters: arguments.parameters.clone(),
        headless: true,
    })
    .map_err(Failure::usage)?;
    interrupt_on_signal(&host)?;

    let recorders: Vec<Recorder> = cells.iter().map(|_| Recorder::with_echo(progress::print)).collect();
    let outputs: Vec<Box<dyn CellOutput>> =
        recorders.iter().map(|r| Box::new(r.clone()) as Box<dyn CellOutput>).collect();
    let options = HeadlessOptions { timeout: arguments.timeout, follow: arguments.follow };
    let progress = Progress::start(recorders.clone());
    let results = host.run_all(&requests, &outputs, &options);
    progress.finish();
    assert_eq!(results.len(), cells.len(), "a run gives one result a cell");

    let views: Vec<Arc<View>> = recorders.iter().flat_map(Recorder::views).collect();
    let printed = print(out, &views, arguments.format);
    let mut passed = true;
    for (cell, result) in cells.iter().zip(&results) {
        if let (Err(failure), false) = (result, cell.may_fail) {
            passed = false;
            report(failure);
        }
    }
    let written = arguments.output.as_ref().map_or(Ok(()), |path| {
        notebook.clear_outputs();
        for (i, (cell, result)) in cells.iter().zip(&results).enumerate() {
            notebook.set_outputs(cell.index, i + 1, recorders[i].notebook_outputs(i + 1, result.as_ref().err()));
        }
        notebook.set_language(&host.language_version());
        write(&notebook, path)
    });
    host.shutdown();
    written?;
    match printed {
        // Whoever reads has seen enough (`tidebook run … | head`).
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(passed),
        Err(error) => Err(Failure::runtime(format!("cannot print the tables: {error}"))),
        Ok(()) => Ok(passed),
    }
}

/// Reads the file; with the name of the script, if it is one.
fn read(path: &Path) -> Result<(Notebook, Option<String>), Failure> {
    let input = if is_standard_input(path) { files::read_standard_input()? } else { files::read(path)? };
    let shown = input.path.display();
    if !input.is_notebook {
        let name = input.path.file_name().unwrap_or(input.path.as_os_str()).to_string_lossy().into_owned();
        return Ok((Notebook::of_script(&input.text), Some(name)));
    }
    let notebook =
        Notebook::parse(&input.text).map_err(|error| Failure::usage(format!("cannot use `{shown}`: {error}")))?;
    match notebook.foreign_language() {
        Some(language) => Err(Failure::usage(format!("`{shown}` is a notebook in `{language}`, not in Tide"))),
        None => Ok((notebook, None)),
    }
}

fn is_standard_input(path: &Path) -> bool {
    path.as_os_str() == files::STANDARD_INPUT
}

fn request(index: usize, cell: &CodeCell, script: Option<&str>) -> CellRequest {
    let name = script.map_or_else(|| format!("cell {}", index + 1), str::to_string);
    CellRequest { cell: cell.id.clone(), name, text: cell.source.clone() }
}

/// The folder that relative paths in the file start from: the file's own; for standard input the working folder.
pub(super) fn base_of(file: &Path) -> Result<PathBuf, Failure> {
    if is_standard_input(file) {
        return std::env::current_dir()
            .map_err(|error| Failure::runtime(format!("the working folder cannot be read: {error}")));
    }
    let resolved = fs::canonicalize(file)
        .and_then(|file| file.parent().map(Path::to_path_buf).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound)));
    resolved.map_err(|error| Failure::usage(format!("cannot find the folder of `{}`: {error}", file.display())))
}

/// Reads `NAME=VALUE`.
pub(super) fn parameter(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    let name = name.trim();
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if !starts || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(format!("`{name}` cannot be the name of a parameter"));
    }
    Ok((name.to_string(), value.to_string()))
}

/// Makes every signal end the run as an interrupt does: what the tables hold by then is still printed. Who asks twice means it,
/// and who asks the process to end does not wait for long.
fn interrupt_on_signal(host: &Arc<dyn Host>) -> Result<(), Failure> {
    let refused = |error: io::Error| Failure::runtime(format!("cannot listen to signals: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(refused)?;
    let mut signals = {
        let _context = runtime.enter();
        Signals::listen().map_err(refused)?
    };
    let host = Arc::downgrade(host);
    thread::Builder::new()
        .name("signals".to_string())
        .spawn(move || {
            let first = runtime.block_on(signals.next());
            if let Some(host) = host.upgrade() {
                host.interrupt();
            }
            let last = runtime.block_on(async {
                match first {
                    Asked::Interrupt => signals.next().await,
                    Asked::Terminate => tokio::time::timeout(GRACE, signals.next()).await.unwrap_or(first),
                }
            });
            std::process::exit(last.exit_code());
        })
        .map_err(refused)?;
    Ok(())
}

fn print(out: &mut dyn Write, views: &[Arc<View>], format: Format) -> io::Result<()> {
    let mut out = io::BufWriter::new(out);
    let mut gap = "";
    for view in views {
        match (format, view.kind) {
            (Format::Json, ViewKind::Table) => writeln!(out, "{}", view.json_line())?,
            (Format::Text, ViewKind::Table | ViewKind::Expectation | ViewKind::Stats) => {
                writeln!(out, "{gap}{}", render::frame(view).1.text)?;
                gap = "\n";
            }
            _ => {}
        }
    }
    out.flush()
}

fn report(failure: &CellFailure) {
    let text = if failure.text.is_empty() { &failure.message } else { &failure.text };
    progress::print(&format!("{}\n", text.trim_end()));
}

fn write(notebook: &Notebook, path: &Path) -> Result<(), Failure> {
    let failed =
        |error: &dyn std::fmt::Display| Failure::runtime(format!("cannot write `{}`: {error}", path.display()));
    let text = notebook.to_text().map_err(|error| failed(&error))?;
    fs::write(path, text).map_err(|error| failed(&error))
}

#[cfg(test)]
mod tests;
