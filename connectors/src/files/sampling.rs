//! What the first bytes of files say: the columns of a source without a schema, and whether a schema fits.

use std::io::Read;
use std::path::Path;

use tidebook_plan::connector::{ConnectorError, Options, SourceField, SourceSpec};

use super::layers::Layers;
use super::opening::{FileFormat, NamedFile, ReadError};
use super::pattern::FilePattern;
use crate::format::{MetadataColumns, SAMPLE_BYTES, Sample, Shape, StreamFormat};

/// Columns from the first file that has rows.
///
/// # Errors
/// Where there is no file, or none tells its columns.
pub fn describe(
    format: FileFormat,
    pattern: &FilePattern,
    options: &Options,
) -> Result<Vec<SourceField>, ConnectorError> {
    let mut first_error = None;
    for path in pattern.list_some()? {
        match describe_file(format, &path, pattern, options) {
            Ok(mut fields) => {
                if options.flag("metadata") {
                    fields.extend(MetadataColumns::fields());
                }
                return Ok(fields);
            }
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    Err(first_error.unwrap_or_else(|| ConnectorError::Missing { what: pattern.text().to_string() }))
}

fn describe_file(
    format: FileFormat,
    path: &Path,
    pattern: &FilePattern,
    options: &Options,
) -> Result<Vec<SourceField>, ConnectorError> {
    let shown = pattern.shown(path);
    match format {
        FileFormat::Stream(format) => {
            let (bytes, whole) = sample(path, pattern, options)?;
            format.infer(&Sample { bytes: &bytes, whole, origin: &shown }, options)
        }
        FileFormat::Whole(format) => {
            let described = NamedFile::open(path, pattern, None).map_err(ReadError::from);
            described.and_then(|file| format.describe(&file, options)).map_err(|error| error.of(&shown))
        }
    }
}

/// Fails where the file lacks a column that has to be there. A file that cannot be read is none to say so: reading does.
///
/// # Errors
/// Names the column.
pub fn check(
    path: &Path,
    format: &dyn StreamFormat,
    spec: &SourceSpec,
    shape: &Shape,
    pattern: &FilePattern,
) -> Result<(), ConnectorError> {
    match sample(path, pattern, &spec.options) {
        Ok((bytes, whole)) => {
            format.check(&Sample { bytes: &bytes, whole, origin: &pattern.shown(path) }, &spec.options, shape)
        }
        Err(ConnectorError::Option { option, message }) => Err(ConnectorError::Option { option, message }),
        Err(_) => Ok(()),
    }
}

/// The first bytes of a file, and whether they are all.
fn sample(path: &Path, pattern: &FilePattern, options: &Options) -> Result<(Vec<u8>, bool), ConnectorError> {
    let layers = Layers::new(options)?;
    let read = || {
        let named = NamedFile::open(path, pattern, None)?;
        let mut bytes = Vec::new();
        let input = layers.open(path, &named.file)?;
        let whole = match input.reader.take(SAMPLE_BYTES as u64 + 1).read_to_end(&mut bytes) {
            Ok(_) => bytes.len() <= SAMPLE_BYTES,
            // Up to where the compressed data is damaged there are rows.
            Err(error) if error.raw_os_error().is_none() && !input.plain => false,
            Err(error) => return Err(error),
        };
        bytes.truncate(SAMPLE_BYTES);
        Ok((bytes, whole))
    };
    read().map_err(|error: std::io::Error| ReadError::from(error).of(&pattern.shown(path)))
}
