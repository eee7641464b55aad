//! The files that a command is given: scripts and notebooks, and those of folders.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::Failure;
use crate::notebook::Notebook;

/// The path that stands for standard input.
pub const STANDARD_INPUT: &str = "-";

/// The most bytes of a script. What is longer is data that was taken for a script.
const MAX_SCRIPT_BYTES: u64 = 16 << 20;

/// The most bytes of a notebook, with its outputs and pictures.
const MAX_NOTEBOOK_BYTES: u64 = 1 << 30;

/// A file that the command reads.
#[derive(Debug)]
pub struct Input {
    /// Its path, as it is shown.
    pub path: PathBuf,
    /// What it holds.
    pub text: String,
    /// True for a notebook, false for a script.
    pub is_notebook: bool,
}

/// Reads the files, and of each folder all scripts and all notebooks in Tide, in the order of their paths. What cannot be read
/// is given as a failure in its place.
pub fn read_all(paths: &[PathBuf]) -> Vec<Result<Input, Failure>> {
    let mut inputs = Vec::new();
    for path in paths {
        if !path.is_dir() {
            inputs.push(read(path).and_then(|input| match foreign_language(&input) {
                Some(language) => {
                    Err(Failure::usage(format!("`{}` is a notebook in `{language}`, not in Tide", path.display())))
                }
                None => Ok(input),
            }));
            continue;
        }
        let (mut files, failures) = files_of(path);
        files.sort();
        inputs.extend(failures.into_iter().map(Err));
        // A folder may well hold notebooks in other languages.
        let own =
            |input: &Result<Input, Failure>| input.as_ref().map_or(true, |input| foreign_language(input).is_none());
        inputs.extend(files.iter().map(|file| read(file)).filter(own));
    }
    inputs
}

/// Reads one file.
///
/// # Errors
/// Where it cannot be read, is no text, or is far too long for what it is.
pub fn read(path: &Path) -> Result<Input, Failure> {
    let shown = path.display();
    let is_notebook = match path.extension().and_then(|extension| extension.to_str()) {
        Some("ipynb") => true,
        Some("tide") => false,
        _ if !path.exists() => return Err(Failure::usage(format!("there is no file `{shown}`"))),
        _ => return Err(Failure::usage(format!("`{shown}` is neither a notebook (.ipynb) nor a script (.tide)"))),
    };
    let failed = |error: io::Error| Failure::usage(format!("cannot read `{shown}`: {error}"));
    let about = fs::metadata(path).map_err(failed)?;
    if about.is_dir() {
        return Err(Failure::usage(format!("`{shown}` is a folder")));
    }
    check_size(&shown.to_string(), about.len(), is_notebook)?;
    let text = decode(fs::read(path).map_err(failed)?, &shown.to_string())?;
    Ok(Input { path: path.to_path_buf(), text, is_notebook })
}

/// Reads a script or a notebook from standard input.
///
/// # Errors
/// As [`read`].
pub fn read_standard_input() -> Result<Input, Failure> {
    let shown = "<stdin>";
    let mut bytes = Vec::new();
    let read = io::stdin().lock().take(MAX_NOTEBOOK_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|error| Failure::usage(format!("cannot read standard input: {error}")))?;
    let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let text = decode(bytes, shown)?;
    // No statement of Tide begins with a brace.
    let is_notebook = text.trim_start_matches('\u{feff}').trim_start().starts_with('{');
    check_size(shown, size, is_notebook)?;
    Ok(Input { path: PathBuf::from(shown), text, is_notebook })
}

fn check_size(shown: &str, size: u64, is_notebook: bool) -> Result<(), Failure> {
    let (what, most) = if is_notebook { ("notebook", MAX_NOTEBOOK_BYTES) } else { ("script", MAX_SCRIPT_BYTES) };
    if size <= most {
        return Ok(());
    }
    let (size, most) = (size >> 20, most >> 20);
    Err(Failure::usage(format!("`{shown}` has {size} MiB, and a {what} at most {most} MiB")))
}

fn decode(bytes: Vec<u8>, shown: &str) -> Result<String, Failure> {
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
            return Failure::usage(format!("`{shown}` is UTF-16; save it as UTF-8"));
        }
        let line = bytes[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
        let byte = bytes.get(at).copied().unwrap_or_default();
        Failure::usage(format!("`{shown}` is not UTF-8: line {line} has the byte 0x{byte:02x}; save it as UTF-8"))
    })
}

/// The language of a notebook that says that it is in another one.
fn foreign_language(input: &Input) -> Option<String> {
    if !input.is_notebook {
        return None;
    }
    Notebook::parse(&input.text).ok()?.foreign_language()
}

/// The scripts and notebooks under a folder, without hidden ones.
fn files_of(folder: &Path) -> (Vec<PathBuf>, Vec<Failure>) {
    let (mut files, mut failures) = (Vec::new(), Vec::new());
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let failed = |error: std::io::Error| Failure::usage(format!("cannot read `{}`: {error}", folder.display()));
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) => {
                failures.push(failed(error));
                continue;
            }
        };
        for entry in entries {
            let found = entry.and_then(|entry| Ok((entry.path(), entry.file_name(), entry.file_type()?)));
            let (path, name, kind) = match found {
                Ok(found) => found,
                Err(error) => {
                    failures.push(failed(error));
                    continue;
                }
            };
            let hidden = name.to_string_lossy().starts_with('.');
            // Links are not followed: a link to a folder above would never end.
            if kind.is_dir() && !hidden {
                folders.push(path);
            } else if kind.is_file() && !hidden && path.extension().is_some_and(|end| end == "tide" || end == "ipynb") {
                files.push(path);
            }
        }
    }
    (files, failures)
}
