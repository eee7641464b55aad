//! The sink `jsonl`.

use tidebook_plan::connector::{ConnectorSpec, Direction};

use super::encode::Encoding;
use super::{FileSink, file_sink, record_options};

/// The connector.
pub fn sink() -> FileSink {
    let spec = ConnectorSpec {
        name: "jsonl",
        direction: Direction::Sink,
        summary: "The table as JSON lines: one object a row.",
        doc: concat!(
            file_sink!(".jsonl"),
            "

Values are written as `tidebook run` prints them: timestamps as ISO 8601 text in UTC without a zone, decimals as text, durations like \
`\"90s\"`, bytes as base64, records as objects; floats that are no numbers are the texts `NaN`, `inf` and `-inf`."
        ),
        options: record_options(Vec::new()),
        examples: &[
            "orders = rows [ {id: 1, qty: 3} ] | key by id\norders | write jsonl(\"out/orders.jsonl\")",
            "rows [ {id: 1, qty: 3} ] | write jsonl(\"out/log.jsonl.zst\", mode: changes)",
        ],
    };
    FileSink { spec, encoding: |_| Ok(Encoding::Jsonl) }
}
