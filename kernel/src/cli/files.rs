//! The files that a command is given: scripts and notebooks, and those of folders.

use std::fs;
use std::path::{Path, PathBuf};

use super::Failure;
use crate::notebook::Notebook;

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
fn read(path: &Path) -> Result<Input, Failure> {
    let shown = path.display();
    let is_notebook = match path.extension().and_then(|extension| extension.to_str()) {
        Some("ipynb") => true,
        Some("tide") => false,
        _ if !path.exists() => return Err(Failure::usage(format!("there is no file `{shown}`"))),
        _ => return Err(Failure::usage(format!("`{shown}` is neither a notebook (.ipynb) nor a script (.tide)"))),
    };
    let text = fs::read_to_string(path).map_err(|error| Failure::usage(format!("cannot read `{shown}`: {error}")))?;
    Ok(Input { path: path.to_path_buf(), text, is_notebook })
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
