//! The source `jsonl`.

use tidebook_plan::connector::{ConnectorSpec, Direction};

use super::{FileSource, layers, options};
use crate::files::FileFormat;
use crate::format::jsonl::Jsonl;

/// The connector.
pub fn source() -> FileSource {
    let spec = ConnectorSpec {
        name: "jsonl",
        direction: Direction::Source,
        summary: "Rows of JSON lines: one object a line.",
        doc: concat!(
            "\
Reads one file or all that match a pattern, in the order of their paths. Without a schema the columns come from a sample of \
the first file (1,000 rows, at most 1 MB): whole numbers are int, others float, texts that are all dates or times are date or timestamp, objects are \
records, arrays are lists, and what has no type in common is json; every inferred column may be null.

With a schema, other fields are passed over. A missing field takes the column's default, else null, else the line is an \
error. Dates and timestamps are ISO 8601 text (without a zone: UTC), decimals are numbers or text, durations are text like \
`\"90s\"` or a number of seconds, bytes are base64, a json column keeps the text of its value. If a name stands twice in an \
object, the last one counts.

A line that does not fit (no object, a value of another type, invalid UTF-8, more than 16 MB) goes to the table's errors \
with its file and line, and reading goes on with the next one.

",
            every_stream!(),
            "\n\n",
            every_file!()
        ),
        options: options(layers::options()),
        examples: &[
            "words = read jsonl(\"words.jsonl\") { word: text }",
            "clicks = read jsonl(\"logs/*.jsonl\", watch: true) { user: text, url: text, at: timestamp }",
        ],
    };
    FileSource { spec, format: FileFormat::Stream(&Jsonl) }
}
