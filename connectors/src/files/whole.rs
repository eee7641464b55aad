//! The source `files`: a row a file.

use std::io::Read;
use std::path::Path;

use tidebook_plan::connector::{
    ConnectorError, ConnectorSpec, Direction, OptionKind, OptionSpec, OptionValue, Options, SourceField, SourceSpec,
};
use tidebook_plan::{ColumnType, Type};

use super::opening::{NamedFile, ReadError, ReadRows, WholeFormat};
use super::{FileSource, options};
use crate::files::FileFormat;
use crate::format::{Cell, MetadataColumns, RowBuffer};

/// Bytes of the largest file whose contents are read, unless the option says otherwise.
const MOST_BYTES: i64 = 256 << 20;

/// The connector.
pub fn source() -> FileSource {
    let spec = ConnectorSpec {
        name: "files",
        direction: Direction::Source,
        summary: "Files as rows: path, size, time, kind and contents.",
        doc: concat!(
            "\
Gives one row a file with the columns `path: text` (relative to the notebook), `size: int` (bytes), `modified: timestamp`, \
`mime: text` (by the ending of the name, else by the first bytes, else `text/plain` or `application/octet-stream`) and `data: bytes`, \
the contents as they are. A schema may leave columns out, and have the contents as text: `{ path: text, data: text }`; what is no UTF-8 is then an \
error. Contents are read only where `data` is one of the columns; `data: false` leaves it out.

A file of more than `most_bytes` is an error that names it. With `watch: true` a new file is a new row, one that changes \
has its row replaced, and one that is removed has it taken back.

",
            every_file!()
        ),
        options: options([
            OptionSpec::optional("data", OptionKind::Bool, "Whether there is a column with the contents.")
                .or(OptionValue::Bool(true)),
            OptionSpec::optional("most_bytes", OptionKind::Int, "A file with more bytes than this is an error.")
                .or(OptionValue::Int(MOST_BYTES)),
        ]),
        examples: &[
            "pages = read files(\"handbook/**/*.{md,html,pdf}\", watch: true)",
            "sizes = read files(\"data/*\", data: false)",
        ],
    };
    FileSource { spec, format: FileFormat::Whole(&Files) }
}

/// Files as rows.
struct Files;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Path,
    Size,
    Modified,
    Mime,
    Data,
    /// The contents as text.
    Text,
}

const PARTS: [(&str, Part, Type); 6] = [
    ("path", Part::Path, Type::Text),
    ("size", Part::Size, Type::Int),
    ("modified", Part::Modified, Type::Timestamp),
    ("mime", Part::Mime, Type::Text),
    ("data", Part::Data, Type::Bytes),
    ("data", Part::Text, Type::Text),
];

/// What columns of these names and types hold.
fn parts<'a>(fields: impl Iterator<Item = (&'a str, &'a Type)>) -> Result<Vec<Part>, String> {
    fields
        .map(|(name, ty)| {
            if let Some((_, part, _)) = PARTS.iter().find(|(known, _, known_ty)| *known == name && known_ty == ty) {
                return Ok(*part);
            }
            Err(match PARTS.iter().find(|(known, _, _)| *known == name) {
                Some((_, _, known)) => format!("`{name}` is {known}, the schema says {ty}"),
                None => format!("a file has no `{name}`, only `path`, `size`, `modified`, `mime` and `data`"),
            })
        })
        .collect()
}

impl WholeFormat for Files {
    fn describe(&self, _: &NamedFile, options: &Options) -> Result<Vec<SourceField>, ReadError> {
        let wanted = |part: &Part| match part {
            Part::Data => options.flag("data"),
            Part::Text => false,
            _ => true,
        };
        let fields = PARTS.into_iter().filter(|(_, part, _)| wanted(part)).map(|(name, _, ty)| SourceField {
            name: name.to_string(),
            ty: ColumnType::required(ty),
            wire_name: None,
            default: None,
        });
        Ok(fields.collect())
    }

    fn check(&self, spec: &SourceSpec) -> Result<(), ConnectorError> {
        let (_, data) = MetadataColumns::split(&spec.fields, &spec.options)?;
        parts(data.iter().map(|field| (field.wire_name(), &field.ty.ty)))
            .map(|_| ())
            .map_err(|message| ConnectorError::Format { what: spec.connector.clone(), message })
    }

    fn open(&self, file: &NamedFile, spec: &SourceSpec, out: &RowBuffer) -> Result<Box<dyn ReadRows>, ReadError> {
        let fields = out.shape().fields.iter().map(|field| (field.name.as_str(), &field.ty.ty));
        let parts = parts(fields).map_err(ReadError::Format)?;
        let most = u64::try_from(spec.options.int("most_bytes").unwrap_or(MOST_BYTES)).unwrap_or(0);
        Ok(Box::new(WholeFile { file: Some(file.clone()), parts, most }))
    }
}

/// The row of one file, until it is read.
struct WholeFile {
    file: Option<NamedFile>,
    parts: Vec<Part>,
    most: u64,
}

impl ReadRows for WholeFile {
    fn read(&mut self, out: &mut RowBuffer) -> Result<bool, ReadError> {
        let Some(file) = self.file.take() else { return Ok(false) };
        let wants_data = self.parts.iter().any(|part| matches!(part, Part::Data | Part::Text));
        let limit = if wants_data { self.most } else { HEAD };
        let mut data = Vec::new();
        if wants_data || self.parts.contains(&Part::Mime) {
            // One byte more shows that there are too many, also in a file that has grown since it was opened.
            file.file.as_ref().take(limit.saturating_add(1)).read_to_end(&mut data)?;
        }
        if wants_data && data.len() as u64 > self.most {
            let message = format!("has more than {} bytes, which is `most_bytes`", self.most);
            out.push_error(None, None, message);
            return Ok(true);
        }
        let text = std::str::from_utf8(&data);
        if self.parts.contains(&Part::Text) && text.is_err() {
            out.push_error(None, Some(&data), "its contents are not valid UTF-8: declare `data: bytes`".to_string());
            return Ok(true);
        }
        let mime = mime(&file.path, &data);
        let cells: Vec<Cell<'_>> = self
            .parts
            .iter()
            .map(|part| match part {
                Part::Path => Cell::Text(&file.facts.path),
                // What was read, also where the file has changed since it was opened.
                Part::Size if wants_data => Cell::Int(data.len() as i64),
                Part::Size => Cell::Int(file.facts.size),
                Part::Modified => Cell::Int(file.facts.modified),
                Part::Mime => Cell::Text(&mime),
                Part::Data => Cell::Bytes(&data),
                Part::Text => Cell::Text(text.unwrap_or_default()),
            })
            .collect();
        out.push_row(1, &cells);
        Ok(true)
    }
}

/// Bytes that tell the kind of a file.
const HEAD: u64 = 4 << 10;

/// First bytes of kinds of files, as their formats fix them.
const SIGNATURES: [(&[u8], &str); 17] = [
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1A\n", "image/png"),
    (b"\xFF\xD8\xFF", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1F\x8B", "application/gzip"),
    (b"\x28\xB5\x2F\xFD", "application/zstd"),
    (b"BZh", "application/x-bzip2"),
    (b"\xFD7zXZ\0", "application/x-xz"),
    (b"7z\xBC\xAF\x27\x1C", "application/x-7z-compressed"),
    (b"PAR1", "application/vnd.apache.parquet"),
    (b"ARROW1", "application/vnd.apache.arrow.file"),
    (b"SQLite format 3\0", "application/vnd.sqlite3"),
    (b"OggS", "audio/ogg"),
    (b"ID3", "audio/mpeg"),
];

/// The kind of a file: by the ending of its name, else by what it begins with.
fn mime(path: &Path, data: &[u8]) -> String {
    if let Some(kind) = mime_guess::from_path(path).first_raw() {
        return kind.to_string();
    }
    if let Some((_, kind)) = SIGNATURES.iter().find(|(signature, _)| data.starts_with(signature)) {
        return (*kind).to_string();
    }
    let start = data.trim_ascii_start();
    let head = &data[..data.len().min(HEAD as usize)];
    // A character may be cut at the end of the head.
    let is_text = !head.contains(&0)
        && match std::str::from_utf8(head) {
            Ok(_) => true,
            Err(error) => error.error_len().is_none(),
        };
    let begins = |word: &[u8]| start.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word));
    let kind = if data.starts_with(b"RIFF") && data.get(8..12) == Some(b"WEBP") {
        "image/webp"
    } else if data.starts_with(b"RIFF") && data.get(8..12) == Some(b"WAVE") {
        "audio/wav"
    } else if data.get(4..8) == Some(b"ftyp") {
        "video/mp4"
    } else if !is_text {
        "application/octet-stream"
    } else if begins(b"<!doctype html") || begins(b"<html") {
        "text/html"
    } else if begins(b"<?xml") {
        "text/xml"
    } else {
        "text/plain"
    };
    kind.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_files() {
        for (name, data, kind) in [
            ("a.md", &b""[..], "text/markdown"),
            ("a.HTML", b"", "text/html"),
            ("a.pdf", b"", "application/pdf"),
            ("README", b"# Words", "text/plain"),
            ("page", b"\n<!DOCTYPE html><html>", "text/html"),
            ("paper", b"%PDF-1.7 ...", "application/pdf"),
            ("picture", b"\x89PNG\r\n\x1A\n....", "image/png"),
            ("core", b"\x7FELF\x02\0", "application/octet-stream"),
            ("nothing", b"", "text/plain"),
        ] {
            assert_eq!(mime(Path::new(name), data), kind, "{name}");
        }
    }
}
