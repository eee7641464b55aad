//! Files as sources: which files, in what order, and how they are followed. The formats know nothing of this.

mod bounded;
pub mod csv;
mod input;
pub mod jsonl;
mod notices;
mod pattern;
mod stamp;
mod watched;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use tidebook_plan::connector::{
    ConnectorError, ConnectorSpec, Contents, OpenRequest, OptionKind, OptionSpec, OptionValue, Options, Source,
    SourceConnector, SourceField, SourceSpec,
};

use crate::format::{FileFormat, SAMPLE_BYTES, Shape};

pub(crate) use bounded::BoundedFiles;
pub(crate) use pattern::FilePattern;

/// A connector that reads files of one format.
pub struct FileSource {
    spec: ConnectorSpec,
    format: FileFormat,
}

impl SourceConnector for FileSource {
    fn spec(&self) -> &ConnectorSpec {
        &self.spec
    }

    fn describe(&self, options: &Options, base: &Path) -> Result<Vec<SourceField>, ConnectorError> {
        let pattern = pattern(options, base)?;
        if options.flag("watch") && pattern.is_wild() && pattern.list().is_empty() {
            let message =
                "there is no such file yet to take the columns from: declare them, `{ name: type, … }`".to_string();
            return Err(ConnectorError::Format { what: pattern.text().to_string(), message });
        }
        describe(self.format, &pattern, options)
    }

    fn contents(&self, options: &Options) -> Contents {
        if options.flag("watch") { Contents::Held } else { Contents::Reread }
    }

    fn is_bounded(&self, options: &Options) -> bool {
        !options.flag("watch")
    }

    fn open(&self, request: OpenRequest) -> Result<Box<dyn Source>, ConnectorError> {
        let pattern = pattern(&request.spec.options, &request.spec.base)?;
        Ok(if request.spec.options.flag("watch") {
            Box::new(watched::WatchedFiles::open(&request.spec, self.format, pattern)?)
        } else {
            Box::new(BoundedFiles::open(request, self.format, pattern)?)
        })
    }
}

fn pattern(options: &Options, base: &Path) -> Result<FilePattern, ConnectorError> {
    FilePattern::new(options.text("path").unwrap_or_default(), base)
}

/// Columns from a sample of the first file that has rows.
pub(crate) fn describe(
    format: FileFormat,
    pattern: &FilePattern,
    options: &Options,
) -> Result<Vec<SourceField>, ConnectorError> {
    let mut first_error = None;
    for path in pattern.list_some()? {
        let shown = pattern.shown(&path);
        let (sample, whole) = sample(&path).map_err(|error| io_error(error, &shown))?;
        match format.infer(&sample, whole, options, &shown) {
            Ok(fields) => return Ok(fields),
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    Err(first_error.unwrap_or_else(|| ConnectorError::Missing { what: pattern.text().to_string() }))
}

/// Fails where the file's header lacks a column that has to be there: better at once than as an error row.
fn check_header(
    path: &Path,
    format: FileFormat,
    spec: &SourceSpec,
    pattern: &FilePattern,
) -> Result<(), ConnectorError> {
    let what = pattern.shown(path);
    let (sample, whole) = sample(path).map_err(|error| io_error(error, &what))?;
    let shape = Shape::of_source(&spec.connector, &spec.fields)?;
    format.check_header(&sample, whole, &spec.options, &shape, &what)
}

/// The first bytes of a file, and whether they are all.
fn sample(path: &Path) -> io::Result<(Vec<u8>, bool)> {
    let mut bytes = Vec::new();
    File::open(path)?.take(SAMPLE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    let whole = bytes.len() <= SAMPLE_BYTES;
    bytes.truncate(SAMPLE_BYTES);
    Ok((bytes, whole))
}

/// A failure to read `what`.
pub(crate) fn io_error(source: io::Error, what: &str) -> ConnectorError {
    match source.kind() {
        io::ErrorKind::NotFound => ConnectorError::Missing { what: what.to_string() },
        _ => ConnectorError::Io { action: "read", what: what.to_string(), source },
    }
}

/// The option `path` of every file source.
fn path_option() -> OptionSpec {
    OptionSpec {
        name: "path",
        kind: OptionKind::Text,
        doc: "A file, or files by wildcards: `*`, `?`, `**` over folders, `[…]`, `{a,b}`. Relative to the notebook.",
        default: None,
        required: true,
        positional: true,
        secret: false,
    }
}

/// The option `watch` of every file source.
fn watch_option() -> OptionSpec {
    OptionSpec {
        name: "watch",
        kind: OptionKind::Bool,
        doc: "Follow the files: new ones insert their rows, changed ones replace them, removed ones take them back.",
        default: Some(OptionValue::Bool(false)),
        required: false,
        positional: false,
        secret: false,
    }
}
