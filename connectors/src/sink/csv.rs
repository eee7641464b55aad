//! The sink `csv`.

use tidebook_plan::connector::{ConnectorSpec, Direction};

use super::encode::Encoding;
use super::{FileSink, options};

/// The connector.
pub fn sink() -> FileSink {
    let spec = ConnectorSpec {
        name: "csv",
        direction: Direction::Sink,
        summary: "The table as a CSV file.",
        doc: "\
`mode: upsert` keeps the file equal to the table, in the order of its key: each commit writes a new file beside it and renames \
it over the old one, so that a reader sees one epoch or the next and never a mixture. `append` adds the rows of a table \
that never retracts, `changes` adds every change with the columns `_epoch` and `_diff`; both begin with a new file and add \
whole epochs, each in one write that is undone if it fails.

Values are written as `tidebook run` prints them: timestamps as ISO 8601 in UTC without a zone, durations like `90s`, bytes as base64, \
vectors, lists and records as JSON. Null is an empty field, empty text is `\"\"`.

The file is as durable as the operating system's cache: a commit does not wait for the disk.",
        options: options(),
        examples: &[
            "orders = rows [ {id: 1, qty: 3} ] | key by id\norders | write csv(\"out/orders.csv\")",
            "rows [ {id: 1, qty: 3} ] | write csv(\"out/log.csv\", mode: changes)",
        ],
    };
    FileSink { spec, encoding: Encoding::Csv }
}
