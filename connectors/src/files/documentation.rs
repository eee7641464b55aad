//! Paragraphs that the documentation of several file sources shares.

/// What holds for every format.
macro_rules! every_file {
    () => {
        "\
A path without wildcards names one file, which has to be there; with wildcards, hidden files and folders, and what is no file \
(pipes, devices), are left out. Of many files, one that cannot be read is an error row, and the others are read.

A column of the schema that is called `_path`, `_line`, `_modified` or `_size`, or is declared `from` one of these names \
(`file: text from \"_path\"`), is filled from the file: its path relative to the notebook (text), the line or row at which the \
row begins (int, from 1), when the file was last written (timestamp) and its bytes (int). `metadata: true` adds all four \
behind the columns that are found without a schema; `metadata: false` reads such names from the data instead."
    };
}

/// What holds for formats that are read as streams of text.
macro_rules! every_stream {
    () => {
        "\
With `watch: true` the table follows the files. A file that grows is read on from where it ended; one that changes \
otherwise has its rows replaced in one step. A last line without a newline counts once the file has been quiet for 0.2 s. A \
file that is compressed, in another encoding than UTF-8, or gives its time or size to its rows, is read again as a whole.

Files that are compressed with gzip or zstd, in any number of members or frames, are decompressed while they are read, with little \
memory; where one is cut short or damaged, the rows up to there are read, and an error says so. Text that is not UTF-8 needs \
`encoding`, but a byte order mark of UTF-8 or UTF-16 is recognised, and lines may end with `\\n`, `\\r\\n` or `\\r`."
    };
}

/// How values are found and read in JSON.
macro_rules! json_values {
    () => {
        "\
Without a schema the columns come from a sample of the first file (1,000 rows, at most 1 MB): whole numbers are int, longer ones decimal(38, 0), \
others float, texts that are all dates or times are date or timestamp, objects are records, arrays are lists, and what has no type in \
common is json; every inferred column may be null.

With a schema, other fields are passed over. A column that is declared `from \"/user/name\"` (a JSON pointer, RFC 6901) is found inside \
of others, in arrays by index: `/tags/0`; `/` itself in a name is `~1`. A missing field takes the column's default, else null, else \
the row is an error. Dates and timestamps are ISO 8601 text (without a zone: UTC), decimals are numbers or text, a text \
column keeps the digits of a number, durations are text like `\"90s\"` or a number of seconds, bytes are base64, a json column keeps the \
text of its value. If a name stands twice in an object, the last one counts. Values are nested 128 deep at most."
    };
}
