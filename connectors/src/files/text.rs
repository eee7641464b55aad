//! The source `text`.

use tidebook_plan::connector::{ConnectorSpec, Direction, OptionKind, OptionSpec};

use super::{FileSource, layers, options};
use crate::files::FileFormat;
use crate::format::text::Text;

/// The connector.
pub fn source() -> FileSource {
    let separator = OptionSpec::optional(
        "separator",
        OptionKind::Text,
        "The text between two rows; without it, each line is a row.",
    );
    let spec = ConnectorSpec {
        name: "text",
        direction: Direction::Source,
        summary: "Rows of text files: one a line.",
        doc: concat!(
            "\
Gives the column `line: text` for each line of the files, empty lines included, without its line end; with `separator`, for \
each piece between two separators. A schema may call the column otherwise and add columns of the file: \
`{ message: text, file: text from \"_path\", n: int from \"_line\" }`.

A line that is no text, or has more than 16 MB, goes to the table's errors with its file and line, and reading goes on with \
the next one.

",
            every_stream!(),
            "\n\n",
            every_file!()
        ),
        options: options(std::iter::once(separator).chain(layers::options())),
        examples: &[
            "lines = read text(\"notes.txt\")",
            "log = read text(\"/var/log/*.log\", watch: true) { message: text, file: text from \"_path\" }",
        ],
    };
    FileSource { spec, format: FileFormat::Stream(&Text) }
}
