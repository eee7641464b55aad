//! Columnar files that are followed: each is read as a whole when it has changed.

use std::sync::Arc;

use tidebook_plan::Selection;
use tidebook_plan::connector::{ConnectorError, Options, SourceField, SourceSpec};

use super::bytes::FileBytes;
use super::decode::Decoders;
use super::file::{ColumnarFile, ColumnarFormat, OpenFile, Unit};
use super::known::KnownFile;
use super::types::natural;
use super::wanted::Wanted;
use crate::files::{NamedFile, ReadError, ReadRows, Stamp, WholeFormat};
use crate::format::{Decoded, MetadataColumns, RowBuffer};

impl WholeFormat for ColumnarFormat {
    fn describe(&self, file: &NamedFile, _: &Options) -> Result<Vec<SourceField>, ReadError> {
        let schema = self.schema(&open_file(file)?).map_err(read_error)?;
        let fields = schema.fields().iter().map(|field| {
            let ty =
                natural(field).map_err(|message| ReadError::Format(format!("column `{}` {message}", field.name())))?;
            Ok(SourceField { name: field.name().clone(), ty, wire_name: None, default: None })
        });
        fields.collect()
    }

    fn check(&self, spec: &SourceSpec) -> Result<(), ConnectorError> {
        Wanted::new(spec).map(|_| ())
    }

    fn open(&self, file: &NamedFile, spec: &SourceSpec, _: &RowBuffer) -> Result<Box<dyn ReadRows>, ReadError> {
        // The columns of the file's metadata are filled by whoever follows it.
        let (_, fields) = MetadataColumns::split(&spec.fields, &spec.options).map_err(read_error)?;
        let data = SourceSpec { fields, selection: Selection::default(), ..spec.clone() };
        let wanted = Arc::new(Wanted::new(&data).map_err(read_error)?);
        let what = file.facts.path.clone();
        let file = ColumnarFormat::open(*self, open_file(file)?, &wanted).map_err(read_error)?;
        let units = file.units().to_vec().into_iter();
        Ok(Box::new(FollowedFile { file, units, decoders: Decoders::new(), what, next: 1 }))
    }
}

fn open_file(file: &NamedFile) -> Result<OpenFile, ReadError> {
    let bytes = FileBytes::new(file.file.clone())?;
    let stamp = Stamp::of(&file.file.metadata()?);
    Ok(OpenFile { bytes, known: KnownFile::new(&file.path, file.facts.path.clone(), stamp, false) })
}

fn read_error(error: ConnectorError) -> ReadError {
    match error {
        ConnectorError::Io { source, .. } => ReadError::Io(source),
        ConnectorError::Format { message, .. } => ReadError::Format(message),
        other => ReadError::Format(other.to_string()),
    }
}

/// The rows of one file.
struct FollowedFile {
    file: Arc<dyn ColumnarFile>,
    units: std::vec::IntoIter<Unit>,
    decoders: Decoders,
    what: String,
    /// Number of the next row, from 1.
    next: i64,
}

impl ReadRows for FollowedFile {
    fn read(&mut self, out: &mut RowBuffer) -> Result<bool, ReadError> {
        loop {
            while self.decoders.has_room() {
                let Some(unit) = self.units.next() else { break };
                self.decoders.begin(0, &self.file, &unit, &self.what).map_err(read_error)?;
            }
            if self.decoders.is_idle() {
                return Ok(false);
            }
            if let Some((_, piece)) = self.decoders.next() {
                self.add(piece.map_err(read_error)?, out);
                return Ok(true);
            }
        }
    }
}

impl FollowedFile {
    /// Adds rows and errors; rows keep the numbers that they have in the file.
    fn add(&mut self, decoded: Decoded, out: &mut RowBuffer) {
        let Decoded { rows, errors } = decoded;
        let mut done = 0;
        // Between two errors stand the rows with the numbers between theirs; behind the last error the rest.
        let ends = errors.iter().map(|error| error.position).chain([None]);
        for end in ends {
            let rest = rows.num_rows() - done;
            let count = end.map_or(rest, |end| usize::try_from(end - self.next).unwrap_or(0).min(rest));
            if count > 0 {
                out.push_batch(self.next, rows.slice(done, count));
            }
            done += count;
            self.next += count as i64 + i64::from(end.is_some());
        }
        for error in errors {
            out.push_error(error.position, error.text.as_deref().map(str::as_bytes), error.message);
        }
    }
}
