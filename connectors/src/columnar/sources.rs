//! The sources `parquet` and `arrow`.

use std::path::Path;

use tidebook_plan::connector::{
    ConnectorError, ConnectorSpec, Contents, Direction, OpenRequest, OptionKind, OptionSpec, OptionValue, Options,
    Source, SourceConnector, SourceField,
};

use super::bounded::BoundedColumnar;
use super::describe::describe;
use super::file::ColumnarFormat;
use crate::files::{FileFormat, WatchedFiles, WholeFormat, options, pattern};
use crate::format::MetadataColumns;

/// What documentation says of the columns.
macro_rules! columns {
    () => {
        "\
Without a schema the columns are those of the files, found by name: a column that some files lack is null for them, and \
where files differ, int and float are float, and dates and timestamps are timestamps. A schema chooses columns, renames them (`from`), and gives them other types: numbers become wider \
ones, text is read as CSV reads it, anything can be `text` or `json`. A column that a file lacks takes its default, else null, else the file is refused.

Whole numbers of any width are `int` (above 9,223,372,036,854,775,807 the row is an error), timestamps of any unit and zone become \
microseconds UTC (without a zone they are taken for UTC), times of day are durations since midnight, decimals keep their digits up to \
38, maps are lists of `{key, value}`, fixed-size lists of 32-bit or 16-bit floats are vectors, dictionaries are what they stand for, UUIDs and intervals are text. \
A value that does not fit is an error with its file and the number of its row, whether or not somebody reads its column."
    };
}
/// What documentation says of several files.
macro_rules! several {
    () => {
        concat!(
            "\
Folders like `year=2026/month=1` in the path give columns (`partitions: false` leaves them out): int, date or timestamp where all values are, else \
text; `__HIVE_DEFAULT_PARTITION__` is null. Of a file whose folder does not pass the condition only the footer is read.

With `watch: true` the table follows the files: a new file gives its rows, one that changes has them replaced in one step, one \
that is removed has them taken back; everything is then read, whatever is asked for. A file that is replaced while it is read is read to its end as it was.

",
            every_file!()
        )
    };
}

/// A connector that reads files of a columnar format.
pub struct ColumnarSource {
    spec: ConnectorSpec,
    format: ColumnarFormat,
    whole: &'static dyn WholeFormat,
}

/// The source `parquet`.
pub fn parquet() -> ColumnarSource {
    let spec = ConnectorSpec {
        name: "parquet",
        direction: Direction::Source,
        summary: "Rows of Parquet files.",
        doc: concat!(
            "\
Reads one file or all that match a pattern, in the order of their paths. ",
            columns!(),
            "

Only what a table needs is read: columns that nobody asks for are not, nor row groups and pages whose statistics, page index or \
bloom filter show that no row passes the `where` at the front of a table; of the rest, the columns of the condition are decoded first. `%explain` shows it after the source's name. \
Row groups are decoded on several threads, a few batches at a time, so that memory stays level however large a file is: sums, \
smallest and largest values, `first`, `last` and `top` then keep no more than their groups (with `watch: true` every value, in order to find the next one when a row goes). \
Compression may be snappy, gzip, zstd, lz4 or brotli; encrypted files are refused.

",
            several!()
        ),
        options: columnar_options(),
        examples: &[
            "sales = read parquet(\"sales/*.parquet\")",
            "sales = read parquet(\"sales/**/*.parquet\", watch: true) { year: int, amount: decimal(12, 2), buyer: text? from \"customer name\" }",
        ],
    };
    ColumnarSource { spec, format: ColumnarFormat::Parquet, whole: &ColumnarFormat::Parquet }
}

/// The source `arrow`.
pub fn arrow() -> ColumnarSource {
    let spec = ConnectorSpec {
        name: "arrow",
        direction: Direction::Source,
        summary: "Rows of Arrow IPC files and streams (also called Feather).",
        doc: concat!(
            "\
Reads files in Arrow's file format or stream format, which are told apart by their first bytes: one file or all that match a \
pattern, in the order of their paths. ",
            columns!(),
            "

Columns that nobody asks for are not decoded. Buffers may be compressed with lz4 or zstd.

",
            several!()
        ),
        options: columnar_options(),
        examples: &["features = read arrow(\"features.arrow\")"],
    };
    ColumnarSource { spec, format: ColumnarFormat::Arrow, whole: &ColumnarFormat::Arrow }
}

fn columnar_options() -> Vec<OptionSpec> {
    let partitions = OptionSpec::optional(
        "partitions",
        OptionKind::Bool,
        "Whether folders like `year=2026` in the path are columns.",
    );
    options([partitions.or(OptionValue::Bool(true))])
}

impl SourceConnector for ColumnarSource {
    fn spec(&self) -> &ConnectorSpec {
        &self.spec
    }

    fn describe(&self, options: &Options, base: &Path) -> Result<Vec<SourceField>, ConnectorError> {
        let pattern = pattern(options, base)?;
        let mut fields = describe(self.format, &pattern, options)?;
        if options.flag("metadata") {
            fields.extend(MetadataColumns::fields());
        }
        Ok(fields)
    }

    fn contents(&self, options: &Options) -> Contents {
        if options.flag("watch") { Contents::Held } else { Contents::Reread }
    }

    fn selects(&self, options: &Options) -> bool {
        !options.flag("watch")
    }

    fn only_adds(&self, options: &Options) -> bool {
        !options.flag("watch")
    }

    fn is_bounded(&self, options: &Options) -> bool {
        !options.flag("watch")
    }

    fn open(&self, request: OpenRequest) -> Result<Box<dyn Source>, ConnectorError> {
        let pattern = pattern(&request.spec.options, &request.spec.base)?;
        // Columns of the file's metadata have to have its types.
        MetadataColumns::split(&request.spec.fields, &request.spec.options)?;
        Ok(if request.spec.options.flag("watch") {
            Box::new(WatchedFiles::open(&request.spec, FileFormat::Whole(self.whole), pattern)?)
        } else {
            Box::new(BoundedColumnar::open(request, self.format, pattern)?)
        })
    }
}
