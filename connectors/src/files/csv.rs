//! The source `csv`.

use tidebook_plan::connector::{ConnectorSpec, Direction, OptionKind, OptionSpec, OptionValue};

use super::{FileSource, path_option, watch_option};
use crate::format::FileFormat;

/// The connector.
pub fn source() -> FileSource {
    let spec = ConnectorSpec {
        name: "csv",
        direction: Direction::Source,
        summary: "Rows of CSV files.",
        doc: "\
Reads one file or all that match a pattern, in the order of their paths. Without a schema the columns come from the header \
and their types from a sample of the first file (1,000 rows, at most 1 MB): int, float, bool, date, timestamp, else text; numbers with leading zeros \
stay text; every inferred column may be null.

With a schema, columns are found by their names in the header, in any order, and others are passed over; with \
`header: false` they go by position. An unquoted empty field takes the column's default, else null, else it is empty text; \
`\"\"` is empty text. Columns of the types json, vector, list and record hold JSON; bytes hold base64; a duration is `90s` or \
a number of seconds.

A record that does not fit (wrong number of fields, a value of another type, invalid UTF-8, more than 16 MB) goes to the \
table's errors with its file and line, and reading goes on with the next one.

With `watch: true` the table follows the files. A file that grows is read on from where it ended; one that changes \
otherwise has its rows replaced in one step. A last line without a newline counts once the file has been quiet for 0.2 s.",
        options: vec![
            path_option(),
            watch_option(),
            OptionSpec {
                name: "header",
                kind: OptionKind::Bool,
                doc: "Whether the first record has the names of the columns.",
                default: Some(OptionValue::Bool(true)),
                required: false,
                positional: false,
                secret: false,
            },
            text_option("delimiter", "The character between fields.", ","),
            text_option("quote", "The character around fields that contain delimiters; empty if there is none.", "\""),
            text_option("null", "An unquoted field with this text counts as empty.", ""),
        ],
        examples: &[
            "orders = read csv(\"data/orders.csv\")",
            "flights = read csv(\"flights/*.csv\", null: \"NA\", watch: true) { carrier: text, delay: int?, at: timestamp from \"time_hour\" }",
        ],
    };
    FileSource { spec, format: FileFormat::Csv }
}

fn text_option(name: &'static str, doc: &'static str, default: &str) -> OptionSpec {
    OptionSpec {
        name,
        kind: OptionKind::Text,
        doc,
        default: Some(OptionValue::Text(default.to_string())),
        required: false,
        positional: false,
        secret: false,
    }
}
