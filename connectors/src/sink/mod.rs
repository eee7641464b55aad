//! Files as sinks. What is committed is visible at once and whole; what is not leaves no trace.

pub mod columnar;
pub mod csv;
mod current;
mod encode;
mod folder;
pub mod jsonl;
mod log;
mod part;
mod records;
mod style;
mod target;
mod upsert;

use std::path::PathBuf;

use tidebook_plan::connector::{
    ConnectorError, ConnectorSpec, OptionKind, OptionSpec, OptionValue, Options, Sink, SinkConnector, SinkRequest,
    WriteMode,
};

use self::encode::Encoding;
use self::folder::{Layout, partition_option, partitions};
use self::records::RecordFiles;

/// A connector that writes a file of one format.
pub struct FileSink {
    spec: ConnectorSpec,
    /// The format, as the options of a use say.
    encoding: fn(&Options) -> Result<Encoding, ConnectorError>,
}

impl SinkConnector for FileSink {
    fn spec(&self) -> &ConnectorSpec {
        &self.spec
    }

    fn target(&self, request: &SinkRequest) -> Option<String> {
        path_of(request)
    }

    fn open(&self, request: SinkRequest) -> Result<Box<dyn Sink>, ConnectorError> {
        let encoding = (self.encoding)(&request.options)?;
        if !request.options.texts("partition_by").is_empty() {
            let layout = Layout::new(&request, &RecordFiles::extension(&request), true)?;
            return folder::open(&request, layout, |columns| Ok(RecordFiles::new(&request, encoding, columns)));
        }
        Ok(match request.mode {
            WriteMode::Upsert => Box::new(upsert::UpsertFile::open(&request, encoding)?),
            WriteMode::Append | WriteMode::Changes => Box::new(log::LogFile::open(&request, encoding)?),
        })
    }
}

/// The path that a file sink writes to, in one spelling.
fn path_of(request: &SinkRequest) -> Option<String> {
    let path = request.base.join(request.options.text("path")?);
    // What is not there yet lies in a folder that may be.
    let known = path.ancestors().find_map(|folder| Some((folder, std::fs::canonicalize(folder).ok()?)));
    let path = match &known {
        Some((folder, real)) => real.join(path.strip_prefix(folder).ok()?),
        None => path,
    };
    // Without `.` and doubled separators.
    Some(path.components().collect::<PathBuf>().display().to_string())
}

/// The options of every file sink.
fn options() -> Vec<OptionSpec> {
    let path = OptionSpec {
        positional: true,
        required: true,
        ..OptionSpec::optional(
            "path",
            OptionKind::Text,
            "The file to write, relative to the notebook; folders that are missing are made.",
        )
    };
    let mode = OptionSpec::optional(
        "mode",
        OptionKind::OneOf(&["upsert", "append", "changes"]),
        "The current rows by key, rows added to a table that never retracts, or every change.",
    );
    vec![path, mode]
}

/// The options of a sink that writes records, the format's own ones in the middle.
fn record_options(own: Vec<OptionSpec>) -> Vec<OptionSpec> {
    let compression = OptionSpec::optional(
        "compression",
        OptionKind::OneOf(&["auto", "none", "gzip", "zstd"]),
        "How files are compressed; `auto` goes by the ending of the path: `.gz`, `.zst`.",
    );
    [options(), vec![partition_option()], own, vec![compression.or(OptionValue::Text("auto".to_string()))]].concat()
}

/// What every sink of records promises.
macro_rules! file_sink {
    ($ending:literal) => {
        concat!(
            "\
`mode: upsert` keeps the file equal to the table, in the order of its key: each commit writes a new file beside it and renames \
it over the old one, so that a reader sees one epoch or the next and never a mixture. `append` adds the rows of a table \
that never retracts, `changes` adds every change with the columns `_epoch` and `_diff`; both begin with a new file and add \
whole epochs, each in one write that is undone if it fails. A compressed file gets a further gzip member or zstd frame for each.

",
            $crate::sink::partitions!($ending),
            " `append` and `changes` write files named `epoch-…",
            $ending,
            "` after the epoch with which they begin; a commit adds to the newest of a folder until that has 65,536 rows.

A commit waits until the disk has what was written. Where a write fails (the disk is full), the file is as it was before, \
the sink says so, and other tables go on."
        )
    };
}
pub(crate) use file_sink;
