//! The sink `jsonl`.

use tidebook_plan::connector::{ConnectorSpec, Direction};

use super::encode::Encoding;
use super::{FileSink, options};

/// The connector.
pub fn sink() -> FileSink {
    let spec = ConnectorSpec {
        name: "jsonl",
        direction: Direction::Sink,
        summary: "The table as JSON lines: one object a row.",
        doc: "\
`mode: upsert` keeps the file equal to the table, in the order of its key: each commit writes a new file beside it and renames \
it over the old one, so that a reader sees one epoch or the next and never a mixture. `append` adds the rows of a table \
that never retracts, `changes` adds every change with the columns `_epoch` and `_diff`; both begin with a new file and add \
whole epochs, each in one write that is undone if it fails.

Values are written as `tidebook run` prints them: timestamps as ISO 8601 text in UTC without a zone, decimals as text, durations like \
`\"90s\"`, bytes as base64, records as objects; floats that are no numbers are the texts `NaN`, `inf` and `-inf`.

The file is as durable as the operating system's cache: a commit does not wait for the disk.",
        options: options(),
        examples: &[
            "orders = rows [ {id: 1, qty: 3} ] | key by id\norders | write jsonl(\"out/orders.jsonl\")",
            "rows [ {id: 1, qty: 3} ] | write jsonl(\"out/log.jsonl\", mode: changes)",
        ],
    };
    FileSink { spec, encoding: Encoding::Jsonl }
}
