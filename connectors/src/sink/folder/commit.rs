//! The files of one commit: all are written under hidden names, then each is put in its place by a rename.
//!
//! If something cannot be written, nothing has changed; what is in its place has reached the disk. Between the renames a reader of several files may see some of the
//! new ones beside some of the old.

use std::collections::{BTreeSet, HashSet};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use tidebook_plan::connector::ConnectorError;

use crate::sink::part::{part_file, sync_folder};

/// What a commit is about to change.
#[derive(Default)]
pub struct Commit {
    ready: Vec<(NamedTempFile, PathBuf)>,
    gone: Vec<PathBuf>,
}

impl Commit {
    /// Writes the file that will stand at `path`; its folder is made where it is missing. Gives its bytes.
    ///
    /// # Errors
    /// Where it cannot be written. Nothing is left of it.
    pub fn write(
        &mut self,
        path: PathBuf,
        shown: &str,
        write: impl FnOnce(&mut (dyn Write + Send)) -> io::Result<()>,
    ) -> Result<u64, ConnectorError> {
        let failed = |source| ConnectorError::Io { action: "write", what: shown.to_string(), source };
        let folder = path.parent().unwrap_or(&path);
        std::fs::create_dir_all(folder).map_err(failed)?;
        let part = part_file(&path).map_err(failed)?;
        let mut out = io::BufWriter::with_capacity(1 << 18, part.as_file());
        write(&mut out).and_then(|()| out.flush()).map_err(failed)?;
        drop(out);
        part.as_file().sync_all().map_err(failed)?;
        let bytes = part.as_file().metadata().map_err(failed)?.len();
        self.ready.push((part, path));
        Ok(bytes)
    }

    /// The file at `path` will be gone.
    pub fn remove(&mut self, path: PathBuf) {
        self.gone.push(path);
    }

    /// Puts every file in its place.
    ///
    /// # Errors
    /// Where the file system refuses a rename; files that were put in place before stay.
    pub fn publish(self, shown: &str) -> Result<(), ConnectorError> {
        let failed = |source| ConnectorError::Io { action: "write", what: shown.to_string(), source };
        let new: HashSet<&Path> = self.ready.iter().map(|(_, path)| path.as_path()).collect();
        for path in self.gone.iter().filter(|path| !new.contains(path.as_path())) {
            match std::fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
                _ => {}
            }
        }
        let mut folders = BTreeSet::new();
        for (part, path) in self.ready {
            part.persist(&path).map_err(|error| failed(error.error))?;
            folders.extend(path.parent().map(Path::to_path_buf));
        }
        folders.iter().try_for_each(|folder| sync_folder(folder)).map_err(failed)
    }
}
