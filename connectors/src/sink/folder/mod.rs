//! Sinks of several files: a folder whose folders stand for values, or a log that begins a new file now and then. (For
//! columnar files also one file, which is written anew.)

mod commit;
mod layout;
mod log;
mod upsert;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use tidebook_plan::connector::{ConnectorError, OptionKind, OptionSpec, Sink, SinkRequest, WriteMode};
use tidebook_plan::{Column, ColumnType, Type};

use self::log::LogFiles;
use self::upsert::UpsertFiles;
use super::log::{DIFF, EPOCH};
use crate::columnar::is_partition;

pub use self::layout::Layout;

/// Batches of rows that are written.
pub type Rows<'a> = dyn Iterator<Item = io::Result<RecordBatch>> + 'a;

/// A file that a commit has put in its place.
#[derive(Clone, Debug)]
pub struct Written {
    /// Where it is.
    pub path: PathBuf,
    /// Its rows.
    pub rows: usize,
    /// Its bytes.
    pub bytes: u64,
}

/// How rows become a file.
pub trait FileEncoding: Send {
    /// How the names of its files end, without the dot before it: `csv.gz`.
    fn extension(&self) -> &str;

    /// Writes a whole file of the rows.
    ///
    /// # Errors
    /// Where they cannot be written; those of the file system keep their kind.
    fn write(&self, out: &mut (dyn Write + Send), rows: &mut Rows<'_>) -> io::Result<()>;

    /// Writes a whole file: what `former` says of a file that this has written, then the rows. (Of a commit that failed half
    /// way the file may have more, which is about to be written again.)
    ///
    /// # Errors
    /// As [`FileEncoding::write`], and where the former file cannot be read.
    fn extend(&self, former: &Written, out: &mut (dyn Write + Send), rows: &mut Rows<'_>) -> io::Result<()>;
}

/// A sink of files of one encoding, which `encode` makes for the columns that files have.
///
/// # Errors
/// Where the encoding cannot be made, or an upsert lacks a key.
pub fn open<E: FileEncoding + 'static>(
    request: &SinkRequest,
    layout: Layout,
    encode: impl FnOnce(Vec<Column>) -> Result<E, ConnectorError>,
) -> Result<Box<dyn Sink>, ConnectorError> {
    let mut columns = layout.stored_columns();
    if request.mode == WriteMode::Changes {
        let added = [EPOCH, DIFF].map(|name| Column { name: name.to_string(), ty: ColumnType::required(Type::Int) });
        columns.extend(added);
    }
    let encoding = Box::new(encode(columns)?);
    Ok(match request.mode {
        WriteMode::Upsert => Box::new(UpsertFiles::open(request, layout, encoding)?),
        mode => Box::new(LogFiles::new(layout, encoding, mode == WriteMode::Changes)),
    })
}

/// The option that makes folders.
pub fn partition_option() -> OptionSpec {
    OptionSpec::optional(
        "partition_by",
        OptionKind::Columns,
        "Columns whose values become folders, from the outermost in: one name or a list.",
    )
}

/// What documentation says of folders, where files end in this.
macro_rules! partitions {
    ($ending:literal) => {
        concat!(
            "\
`partition_by: [year, month]` writes a folder for each value, `out/year=2026/month=1/…`, and leaves these columns out of the \
files, as Hive, Spark and DuckDB do (bool, int, decimal, text, date or timestamp; null is `__HIVE_DEFAULT_PARTITION__`). With \
`upsert` each folder has one file, `rows",
            $ending,
            "`, of which a commit writes those anew that it touches and removes those that became empty. Each file is replaced at once; who reads \
several while a commit renames them may see some of it."
        )
    };
}
pub(crate) use partitions;

/// Files with such names below a folder, in itself and in folders that stand for values.
fn earlier(folder: &Path, is_own: &dyn Fn(&str) -> bool) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        // A folder that is not there has no files.
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            match entry.file_type() {
                Ok(ty) if ty.is_dir() && is_partition(&name) => folders.push(entry.path()),
                Ok(ty) if ty.is_file() && is_own(&name) => found.push(entry.path()),
                _ => {}
            }
        }
    }
    found
}
