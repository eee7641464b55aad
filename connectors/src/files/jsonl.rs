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
Reads one file or all that match a pattern, in the order of their paths. Arrays, and objects over several lines, are read with `json`.

",
            json_values!(),
            "

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
