//! The file that a sink writes: replaced as a whole, or added to.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tidebook_plan::connector::{ConnectorError, SinkRequest};

use super::part::part_file;

/// A file to write.
pub struct Target {
    path: PathBuf,
    /// What the user wrote.
    shown: String,
    /// The file, if it is there, and its length after the last commit.
    committed: Option<(File, u64)>,
}

impl Target {
    /// The file that the option `path` names; its folder is made where it is missing.
    ///
    /// # Errors
    /// Where the folder cannot be made, or the path is a folder.
    pub fn new(request: &SinkRequest) -> Result<Target, ConnectorError> {
        let shown = request.options.text("path").unwrap_or_default().to_string();
        let path = std::path::absolute(request.base.join(&shown)).map_err(|source| failure("write", &shown, source))?;
        if path.is_dir() || path.file_name().is_none() {
            let message = format!("`{shown}` is a folder, expected the name of a file");
            return Err(ConnectorError::Option { option: "path", message });
        }
        let target = Target { path, shown, committed: None };
        std::fs::create_dir_all(target.folder())
            .map_err(|error| failure("create the folder of", &target.shown, error))?;
        Ok(target)
    }

    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(&self.path)
    }

    /// True once the file has been written.
    pub fn is_there(&self) -> bool {
        self.committed.is_some()
    }

    /// Replaces the file by one with the contents that `write` gives, at once for every reader.
    ///
    /// # Errors
    /// Where it cannot be written; the file is then as it was.
    pub fn replace(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), ConnectorError> {
        self.try_replace(write).map_err(|error| failure("write", &self.shown, error))
    }

    fn try_replace(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        let part = part_file(&self.path)?;
        let mut writer = io::BufWriter::with_capacity(1 << 18, part.as_file());
        write(&mut writer)?;
        writer.flush()?;
        drop(writer);
        part.persist(&self.path).map_err(|error| error.error)?;
        let file = OpenOptions::new().append(true).open(&self.path)?;
        let length = file.metadata()?.len();
        self.committed = Some((file, length));
        Ok(())
    }

    /// Adds bytes to the file, which is there.
    ///
    /// # Errors
    /// Where they cannot be written, or somebody else has changed the file; it is then as it was.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), ConnectorError> {
        let Some((file, committed)) = &mut self.committed else {
            panic!("invariant: a file is added to only after it was written");
        };
        let there = std::fs::metadata(&self.path).map_err(|error| failure("write", &self.shown, error))?.len();
        if there != *committed {
            let message = format!("{there} bytes where {committed} were written: another program writes to it");
            return Err(ConnectorError::Changed { what: self.shown.clone(), message });
        }
        if let Err(error) = file.write_all(bytes).and_then(|()| file.flush()) {
            if let Err(error) = file.set_len(*committed) {
                tracing::warn!(path = %self.path.display(), %error, "cannot cut back what was written in part");
            }
            return Err(failure("write", &self.shown, error));
        }
        *committed += bytes.len() as u64;
        Ok(())
    }
}

fn failure(action: &'static str, what: &str, source: io::Error) -> ConnectorError {
    ConnectorError::Io { action, what: what.to_string(), source }
}
