//! `tidebook fmt`: scripts and notebooks in the one layout.

use std::fs;
use std::io::{self, Read, Write};
use std::path::PathBuf;

use tidebook_session::format;

use super::Failure;
use super::files::{self, Input};
use crate::notebook::source::{code_sources, with_sources};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Scripts (.tide), notebooks (.ipynb) and folders of them; `-` for a script on standard input. Without any: this folder.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Change nothing; name the files that would change, and exit with 1 if there are any.
    #[arg(long)]
    check: bool,
    /// Format a script from standard input to standard output.
    #[arg(long, conflicts_with = "files")]
    stdin: bool,
}

/// A file in the one layout.
struct Outcome {
    text: String,
    /// What is wrong with the statements that were left as they are, as text.
    faults: String,
}

/// Formats the files; true if nothing was wrong with any (with `--check`: if none would change).
pub fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<bool, Failure> {
    if arguments.stdin || arguments.files.iter().any(|file| file.as_os_str() == "-") {
        if arguments.files.len() > 1 {
            return Err(Failure::usage("`-` stands for standard input and takes no other file beside it"));
        }
        return standard_input(arguments.check, out);
    }
    let here = [PathBuf::from(".")];
    let paths = if arguments.files.is_empty() { &here } else { arguments.files.as_slice() };
    let (mut good, mut failed, mut changed, mut files) = (true, None, 0, 0);
    for input in files::read_all(paths) {
        let outcome = input.and_then(|input| {
            let outcome = outcome(&input)?;
            let changes = outcome.text != input.text;
            if changes && !arguments.check {
                fs::write(&input.path, &outcome.text)
                    .map_err(|error| Failure::usage(format!("cannot write `{}`: {error}", input.path.display())))?;
            }
            if changes {
                let word = if arguments.check { "would format" } else { "formatted" };
                eprintln!("{word} {}", input.path.display());
            }
            Ok((outcome, changes))
        });
        files += 1;
        match outcome {
            Ok((outcome, changes)) => {
                eprint!("{}", outcome.faults);
                good &= outcome.faults.is_empty() && !(changes && arguments.check);
                changed += usize::from(changes);
            }
            Err(failure) => {
                eprintln!("tidebook: {}", failure.message);
                failed = Some(failure.code);
            }
        }
    }
    let word = if arguments.check { "would change" } else { "changed" };
    eprintln!("{changed} of {files} {} {word}", if files == 1 { "file" } else { "files" });
    match failed {
        None => Ok(good),
        Some(code) => Err(Failure { message: "some files could not be used".to_string(), code }),
    }
}

fn standard_input(check: bool, out: &mut dyn Write) -> Result<bool, Failure> {
    let mut text = String::new();
    let read = io::stdin().lock().read_to_string(&mut text);
    read.map_err(|error| Failure::usage(format!("cannot read standard input: {error}")))?;
    let outcome = script(&text, "standard input");
    eprint!("{}", outcome.faults);
    let changes = outcome.text != text;
    if check {
        if changes {
            eprintln!("would format standard input");
        }
        return Ok(outcome.faults.is_empty() && !changes);
    }
    match out.write_all(outcome.text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::runtime(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(outcome.faults.is_empty()),
    }
}

fn outcome(input: &Input) -> Result<Outcome, Failure> {
    let shown = input.path.display().to_string();
    if !input.is_notebook {
        return Ok(script(&input.text, &shown));
    }
    let places = code_sources(&input.text).map_err(|error| Failure::usage(format!("cannot use `{shown}`: {error}")))?;
    let mut faults = String::new();
    let mut sources = Vec::new();
    for (number, place) in places.into_iter().enumerate() {
        let cell = script(&place.source, &format!("{shown}, cell {}", number + 1));
        faults.push_str(&cell.faults);
        // A cell is shown without an empty line at its end; code in another language is not ours to change.
        let foreign = place.source.trim_start().starts_with("%%");
        let source = cell.text.strip_suffix('\n').unwrap_or(&cell.text).to_string();
        if source != place.source && !foreign {
            sources.push((place, source));
        }
    }
    Ok(Outcome { text: with_sources(&input.text, &sources), faults })
}

fn script(text: &str, name: &str) -> Outcome {
    let formatted = format(text);
    if formatted.diagnostics.is_empty() {
        return Outcome { text: formatted.text, faults: String::new() };
    }
    // Places are those in the text that stands in the file now.
    let now = if formatted.text == text { formatted.clone() } else { format(&formatted.text) };
    let faults = now.diagnostics.iter().map(|fault| fault.to_text(&formatted.text, name)).collect();
    Outcome { text: formatted.text, faults }
}
