//! The file that a sink writes: replaced as a whole, or added to, and on the disk when that is done.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tidebook_plan::connector::{ConnectorError, Options, SinkRequest};

use super::part::{part_file, sync_folder};

/// A file to write.
pub struct Target {
    path: PathBuf,
    /// What the user wrote.
    shown: String,
    compression: Compression,
    /// The file, if it is there, and its length after the last commit.
    committed: Option<(File, u64)>,
    /// True if part of a write that failed may stand behind that length.
    torn: bool,
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
        if path.exists() && !path.is_file() {
            let message = format!("`{shown}` is a pipe, a socket or a device, expected a file");
            return Err(ConnectorError::Option { option: "path", message });
        }
        let compression = Compression::of(&request.options, &path);
        let target = Target { path, shown, compression, committed: None, torn: false };
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
        let writer = io::BufWriter::with_capacity(1 << 18, part.as_file());
        self.compression.write(writer, write)?;
        part.as_file().sync_all()?;
        part.persist(&self.path).map_err(|error| error.error)?;
        sync_folder(self.folder())?;
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
        if self.torn {
            file.set_len(*committed).map_err(|error| failure("write", &self.shown, error))?;
            self.torn = false;
        }
        let there = std::fs::metadata(&self.path).map_err(|error| failure("write", &self.shown, error))?.len();
        if there != *committed {
            let message = format!("{there} bytes where {committed} were written: another program writes to it");
            return Err(ConnectorError::Changed { what: self.shown.clone(), message });
        }
        let mut stored = Vec::new();
        let stored = match self.compression {
            Compression::None => bytes,
            compression => {
                let compressed = compression.write(&mut stored, |out| out.write_all(bytes));
                compressed.map_err(|error| failure("write", &self.shown, error))?;
                &stored
            }
        };
        if let Err(error) = file.write_all(stored).and_then(|()| file.sync_data()) {
            if let Err(error) = file.set_len(*committed) {
                tracing::warn!(%error, "cannot cut back what was written in part");
                self.torn = true;
            }
            return Err(failure("write", &self.shown, error));
        }
        *committed += stored.len() as u64;
        Ok(())
    }
}

/// How a file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Gzip,
    Zstd,
}

impl Compression {
    /// What the option `compression` says, or the ending of the name.
    pub fn of(options: &Options, path: &Path) -> Compression {
        let ending = path.extension().unwrap_or_default().to_ascii_lowercase();
        match (options.text("compression").unwrap_or("auto"), ending.to_str()) {
            ("gzip", _) | ("auto", Some("gz" | "gzip")) => Compression::Gzip,
            ("zstd", _) | ("auto", Some("zst" | "zstd")) => Compression::Zstd,
            _ => Compression::None,
        }
    }

    /// What it adds to the names of files that nobody has named.
    pub fn ending(self) -> &'static str {
        match self {
            Compression::None => "",
            Compression::Gzip => ".gz",
            Compression::Zstd => ".zst",
        }
    }

    /// Writes one whole member or frame of what `write` gives.
    ///
    /// # Errors
    /// Those of `write` and of `out`.
    pub fn write(self, mut out: impl Write, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        match self {
            Compression::None => write(&mut out)?,
            Compression::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(&mut out, flate2::Compression::default());
                write(&mut encoder)?;
                encoder.finish()?;
            }
            Compression::Zstd => {
                let mut encoder = zstd::stream::write::Encoder::new(&mut out, 0)?;
                write(&mut encoder)?;
                encoder.finish()?;
            }
        }
        out.flush()
    }
}

fn failure(action: &'static str, what: &str, source: io::Error) -> ConnectorError {
    ConnectorError::Io { action, what: what.to_string(), source }
}
