//! The source `json`.

use tidebook_plan::connector::{ConnectorSpec, Direction, OptionKind, OptionSpec};

use super::{FileSource, layers, options};
use crate::files::FileFormat;
use crate::format::json::Json;

/// The connector.
pub fn source() -> FileSource {
    let records = OptionSpec::optional(
        "records",
        OptionKind::Text,
        "Where in a document the records are, as a JSON pointer: `/data/items`; without it, the document itself.",
    );
    let spec = ConnectorSpec {
        name: "json",
        direction: Direction::Source,
        summary: "Rows of JSON documents: arrays of objects, or objects over several lines.",
        doc: concat!(
            "\
Reads one file or all that match a pattern, in the order of their paths. A file holds an array of objects, or objects one \
after the other, with or without newlines between and inside them; `records: \"/data/items\"` reads the array, or the one object, at that place of a \
document, which has to begin within its first 16 MB. Files stream: one record is in memory at a time. For one object a line `jsonl` is faster.

",
            json_values!(),
            "

A record that does not fit (no object, a value of another type, invalid UTF-8) goes to the table's errors with its file and \
line, and reading goes on with the next one. Where the document around the records is wrong, or one of them has more than 16 \
MB, what follows in the file is not read, and an error says so. A watched file is read again as a whole when it changes.

",
            every_stream!(),
            "\n\n",
            every_file!()
        ),
        options: options(std::iter::once(records).chain(layers::options())),
        examples: &[
            "cities = read json(\"cities.json\")",
            "issues = read json(\"pages/*.json\", records: \"/data/items\") { id: int, author: text? from \"/user/name\" }",
        ],
    };
    FileSource { spec, format: FileFormat::Stream(&Json) }
}
