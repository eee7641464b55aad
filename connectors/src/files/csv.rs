//! The source `csv`.

use tidebook_plan::connector::{ConnectorSpec, Direction, OptionKind, OptionSpec, OptionValue};

use super::{FileSource, layers, options};
use crate::files::FileFormat;
use crate::format::csv::Csv;

/// The connector.
pub fn source() -> FileSource {
    let spec = ConnectorSpec {
        name: "csv",
        direction: Direction::Source,
        summary: "Rows of CSV files.",
        doc: concat!(
            "\
Reads one file or all that match a pattern, in the order of their paths. Without a schema the columns come from the header \
and their types from a sample of the first file (1,000 rows, at most 1 MB): int, float, bool, date, timestamp, else text; numbers with leading zeros \
stay text; every inferred column may be null.

With a schema, columns are found by their names in the header, in any order, and others are passed over; with \
`header: false` they go by position. An unquoted empty field takes the column's default, else null, else it is empty text; \
`\"\"` is empty text. Columns of the types json, vector, list and record hold JSON; bytes hold base64; a duration is `90s` or \
a number of seconds.

A record that does not fit (wrong number of fields, a value of another type, invalid UTF-8, more than 16 MB) goes to the \
table's errors with its file and line, and reading goes on with the next one.

",
            every_stream!(),
            "\n\n",
            every_file!()
        ),
        options: options(
            [
                OptionSpec::optional(
                    "header",
                    OptionKind::Bool,
                    "Whether the first record has the names of the columns.",
                )
                .or(OptionValue::Bool(true)),
                text_option("delimiter", "The character between fields.", ","),
                text_option(
                    "quote",
                    "The character around fields that contain delimiters; empty if there is none.",
                    "\"",
                ),
                text_option("null", "An unquoted field with this text counts as empty.", ""),
            ]
            .into_iter()
            .chain(layers::options()),
        ),
        examples: &[
            "orders = read csv(\"data/orders.csv\")",
            "flights = read csv(\"flights/*.csv\", null: \"NA\", watch: true) { carrier: text, delay: int?, at: timestamp from \"time_hour\" }",
        ],
    };
    FileSource { spec, format: FileFormat::Stream(&Csv) }
}

fn text_option(name: &'static str, doc: &'static str, default: &str) -> OptionSpec {
    OptionSpec::optional(name, OptionKind::Text, doc).or(OptionValue::Text(default.to_string()))
}
