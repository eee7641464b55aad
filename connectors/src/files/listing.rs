//! Walks folders for files that match a pattern. It goes into a folder once on each way down, however links loop, keeps no
//! folder open while it looks into the next, and passes over what is no file.

use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

use glob::{MatchOptions, Pattern};

/// How names match: wildcards do not match a leading dot, so that hidden files have to be named.
pub const OPTIONS: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// One name of a path with wildcards.
pub enum Step {
    /// Any number of folders, none included.
    Folders,
    /// A file or folder whose name matches.
    Name(Pattern),
}

/// The files below `root` that the steps lead to, in no order; some may come twice.
pub fn files(root: &Path, steps: &[Step]) -> Vec<PathBuf> {
    let mut walk = Walk { found: Vec::new(), above: Vec::new() };
    if let Ok(metadata) = fs::metadata(root)
        && metadata.is_dir()
    {
        walk.folder(root, &metadata, steps);
    }
    walk.found
}

struct Walk {
    found: Vec<PathBuf>,
    /// The folders on the way down to the present one, and how many steps were left there.
    above: Vec<(Identity, usize)>,
}

/// Which folder it is, whatever path leads to it.
type Identity = (u64, u64);

#[cfg(unix)]
fn identity(_: &Path, metadata: &Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}

#[cfg(not(unix))]
fn identity(folder: &Path, _: &Metadata) -> Identity {
    let path = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_path_buf());
    (0, super::stamp::name_hash(&path.to_string_lossy()))
}

impl Walk {
    fn folder(&mut self, folder: &Path, metadata: &Metadata, steps: &[Step]) {
        let Some((step, rest)) = steps.split_first() else { return };
        // A link that leads back up would be followed for ever.
        let here = (identity(folder, metadata), steps.len());
        if self.above.contains(&here) {
            return;
        }
        if let Step::Folders = step {
            self.folder(folder, metadata, rest);
        }
        // What cannot be listed has no files for us; the log says so.
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => {
                tracing::warn!(folder = %folder.display(), %error, "cannot list folder");
                return;
            }
        };
        let names: Vec<_> = entries.filter_map(Result::ok).map(|entry| entry.file_name()).collect();
        self.above.push(here);
        for name in names {
            let Some(text) = name.to_str() else { continue };
            let path = folder.join(&name);
            match step {
                Step::Folders if text.starts_with('.') => {}
                Step::Folders => {
                    if let Ok(metadata) = fs::metadata(&path)
                        && metadata.is_dir()
                    {
                        self.folder(&path, &metadata, steps);
                    }
                }
                Step::Name(pattern) if pattern.matches_with(text, OPTIONS) => {
                    let Ok(metadata) = fs::metadata(&path) else { continue };
                    if metadata.is_dir() {
                        self.folder(&path, &metadata, rest);
                    } else if rest.is_empty() && metadata.is_file() {
                        self.found.push(path);
                    }
                }
                Step::Name(_) => {}
            }
        }
        self.above.pop();
    }
}
