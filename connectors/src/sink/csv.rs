//! The sinks `csv` and `tsv`.

use tidebook_plan::connector::{ConnectorSpec, Direction};

use super::encode::Encoding;
use super::style::{self, Style};
use super::{FileSink, file_sink, record_options};

/// What holds for both.
macro_rules! delimited_values {
    ($ending:literal) => {
        concat!(
            file_sink!($ending),
            "

Values are written as `tidebook run` prints them, unless an option says otherwise: timestamps as ISO 8601 in UTC without a zone, durations like `90s`, bytes \
as base64, vectors, lists and records as JSON. Null is an empty field or the text of `nulls`, and text that would be read as null is quoted: \
empty text is `\"\"`. `date_format` and `timestamp_format` are made of ",
            time_format_letters!(),
            "."
        )
    };
}

/// The connector `csv`.
pub fn sink() -> FileSink {
    let spec = ConnectorSpec {
        name: "csv",
        direction: Direction::Sink,
        summary: "The table as a file of delimited text.",
        doc: delimited_values!(".csv"),
        options: record_options(style::options(",")),
        examples: &[
            "orders = rows [ {id: 1, qty: 3} ] | key by id\norders | write csv(\"out/orders.csv\")",
            "rows [ {id: 1, qty: 3} ] | write csv(\"out/log.csv.gz\", mode: changes, delimiter: \";\")",
            "rows [ {year: 2026, qty: 3} ] | write csv(\"out/sales\", partition_by: year)",
        ],
    };
    FileSink { spec, encoding: |options| Ok(Encoding::Delimited(Style::new(options)?)) }
}

/// The connector `tsv`.
pub fn tab_separated() -> FileSink {
    let spec = ConnectorSpec {
        name: "tsv",
        direction: Direction::Sink,
        summary: "The table as a file with tabs between fields: `csv` with another delimiter.",
        doc: delimited_values!(".tsv"),
        options: record_options(style::options("\t")),
        examples: &["rows [ {id: 1, qty: 3} ] | write tsv(\"out/log.tsv\", mode: append)"],
    };
    FileSink { spec, encoding: |options| Ok(Encoding::Delimited(Style::new(options)?)) }
}
