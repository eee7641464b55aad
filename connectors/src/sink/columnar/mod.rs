//! Columnar files as sinks: Parquet and Arrow, a file or a folder of files.

mod encode;

use tidebook_plan::connector::{
    ConnectorError, ConnectorSpec, Direction, OptionKind, OptionSpec, OptionValue, Sink, SinkConnector, SinkRequest,
    WriteMode,
};

use self::encode::{Encoding, ROW_GROUP};
use super::folder::{self, Layout, partition_option, partitions};
use crate::columnar::ColumnarFormat;

/// A connector that writes files of a columnar format.
pub struct ColumnarSink {
    spec: ConnectorSpec,
    format: ColumnarFormat,
}

/// What documentation says of the files.
macro_rules! files {
    ($ending:literal) => {
        concat!(
            "\
`mode: upsert` keeps one file equal to the table, in the order of its key: each commit writes a new file beside it and \
renames it over the old one, so that a reader sees one epoch or the next. `append` adds the rows of a table that never \
retracts, and `changes` every change with the columns `_epoch` and `_diff`. Where the path ends in `",
            $ending,
            "`, they write one file too, and write it anew with each commit that adds to it, which costs with its size: right for inputs that end. Any other path is a folder of files named `epoch-…",
            $ending,
            "` after the epoch with which they begin; a commit adds to the newest until that has 65,536 rows, then a file begins: right for streams. At every moment all files that are there are whole; read the folder with \
`read_parquet('out/*.parquet')` in DuckDB, or give it to Spark, pandas or `read` with a wildcard.

",
            partitions!($ending),
            "

A run begins anew: the files that an earlier run has written there under these names are replaced at the first commit, and others are left alone. An empty table gives a \
file without rows. If something cannot be written, a full disk for example, the target stays as it was and the sink stops. A commit waits until \
the disk has what was written.

Every type comes back when the files are read again: timestamps are UTC, json is text that is marked as JSON, vectors are lists of one \
size."
        )
    };
}

/// The sink `parquet`.
pub fn parquet() -> ColumnarSink {
    let spec = ConnectorSpec {
        name: "parquet",
        direction: Direction::Sink,
        summary: "The table as Parquet files.",
        doc: files!(".parquet"),
        options: options(&["zstd", "snappy", "gzip", "lz4", "none"], "zstd", true),
        examples: &[
            "orders = rows [ {id: 1, qty: 3} ] | key by id\norders | write parquet(\"out/orders.parquet\")",
            "rows [ {year: 2026, qty: 3} ] | write parquet(\"out/sales\", partition_by: year)",
        ],
    };
    ColumnarSink { spec, format: ColumnarFormat::Parquet }
}

/// The sink `arrow`.
pub fn arrow() -> ColumnarSink {
    let spec = ConnectorSpec {
        name: "arrow",
        direction: Direction::Sink,
        summary: "The table as Arrow IPC files (also called Feather).",
        doc: files!(".arrow"),
        options: options(&["none", "lz4", "zstd"], "none", false),
        examples: &["orders = rows [ {id: 1, qty: 3} ] | key by id\norders | write arrow(\"out/orders.arrow\")"],
    };
    ColumnarSink { spec, format: ColumnarFormat::Arrow }
}

fn options(compressions: &'static [&'static str], default: &str, groups: bool) -> Vec<OptionSpec> {
    let option = |name, kind, doc, default: Option<OptionValue>| OptionSpec {
        name,
        kind,
        doc,
        default,
        required: false,
        positional: false,
        secret: false,
    };
    let mut options = super::options();
    options.push(partition_option());
    let default = Some(OptionValue::Text(default.to_string()));
    options.push(option("compression", OptionKind::OneOf(compressions), "How the files are compressed.", default));
    if groups {
        let default = Some(OptionValue::Int(ROW_GROUP));
        options.push(option("row_group", OptionKind::Int, "Rows of a row group at most.", default));
    }
    options
}

impl SinkConnector for ColumnarSink {
    fn spec(&self) -> &ConnectorSpec {
        &self.spec
    }

    fn target(&self, request: &SinkRequest) -> Option<String> {
        super::path_of(request)
    }

    fn open(&self, request: SinkRequest) -> Result<Box<dyn Sink>, ConnectorError> {
        let layout = Layout::new(&request, self.format.extension(), request.mode != WriteMode::Upsert)?;
        let encode = |columns: Vec<_>| Encoding::new(self.format, &columns, &request.options);
        folder::open(&request, layout, encode)
    }
}
