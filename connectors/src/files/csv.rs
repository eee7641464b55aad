//! The sources `csv` and `tsv`: delimited text, with two defaults for what stands between fields.

use tidebook_plan::connector::{ConnectorSpec, Direction};

use super::{FileSource, layers, options};
use crate::files::FileFormat;
use crate::format::csv::{self, Csv};

/// What holds for both.
macro_rules! delimited_text {
    () => {
        concat!(
            "\
Reads one file or all that match a pattern, in the order of their paths. Without a schema the columns come from the header \
and their types from a sample of the first file (1,000 rows, at most 1 MB): int, float, bool, date, timestamp, else text; numbers with leading zeros \
stay text; every inferred column may be null. A name that stands twice in the header gets `_1`, `_2`, … behind it the next times, one that is \
empty is `c3` by its position, and so are all with `header: false`. At most 10,000 columns are read.

With a schema, columns are found by their names in the header, in any order, and others are passed over. With \
`header: false` they go by position; where one says `from \"c3\"`, all are found by such names. An unquoted empty field takes \
the column's default, else null, else it is empty text; `\"\"` is empty text. Columns of the types json, vector, list and record hold JSON; \
bytes hold base64; a duration is `90s` or a number of seconds.

Quotes inside quoted fields are doubled; `escape: \"\\\\\"` allows a character before them as well. `decimal` and `thousands` hold for numbers, whose groups have \
three digits. `date_format` and `timestamp_format` are made of ",
            time_format_letters!(),
            "; a timestamp without an offset is UTC. With `ragged: fill`, fields that a record lacks at its end are as empty, and \
further ones may be there if they are empty.

A record that does not fit (wrong number of fields, a value of another type, invalid UTF-8, more than 16 MB) goes to the \
table's errors with its file and line, and reading goes on with the next one.

",
            every_stream!(),
            "\n\n",
            every_file!()
        )
    };
}

/// The connector `csv`.
pub fn source() -> FileSource {
    let spec = ConnectorSpec {
        name: "csv",
        direction: Direction::Source,
        summary: "Rows of delimited text: CSV and its relatives.",
        doc: delimited_text!(),
        options: options(csv::options(",").into_iter().chain(layers::options())),
        examples: &[
            "orders = read csv(\"data/orders.csv\")",
            "flights = read csv(\"flights/*.csv\", nulls: \"NA\", watch: true) { carrier: text, delay: int?, at: timestamp from \"time_hour\" }",
            "sales = read csv(\"verkauf.csv\", delimiter: \";\", decimal: \",\", thousands: \".\", date_format: \"%d.%m.%Y\", encoding: \"latin1\")",
        ],
    };
    FileSource { spec, format: FileFormat::Stream(&Csv) }
}

/// The connector `tsv`.
pub fn tab_separated() -> FileSource {
    let spec = ConnectorSpec {
        name: "tsv",
        direction: Direction::Source,
        summary: "Rows of text with tabs between fields: `csv` with another delimiter.",
        doc: delimited_text!(),
        options: options(csv::options("\t").into_iter().chain(layers::options())),
        examples: &["genes = read tsv(\"genes.tsv\", comment: \"#\")"],
    };
    FileSource { spec, format: FileFormat::Stream(&Csv) }
}
