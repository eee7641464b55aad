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
