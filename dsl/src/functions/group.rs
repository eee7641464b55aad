//! The chapters of the library.

/// What a function is about: its chapter in the reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Text.
    Text,
    /// Regular expressions.
    Patterns,
    /// Numbers.
    Numbers,
    /// Dates, timestamps, durations and time zones.
    Time,
    /// Lists.
    Lists,
    /// Records.
    Records,
    /// JSON documents.
    Json,
    /// Vectors.
    Vectors,
    /// Hashes and encodings.
    Encoding,
    /// URLs.
    Urls,
    /// Choice, null and failure.
    Choice,
}

impl Group {
    /// The chapters, in the order of the reference.
    pub const ALL: [Group; 11] = [
        Group::Text,
        Group::Patterns,
        Group::Numbers,
        Group::Time,
        Group::Lists,
        Group::Records,
        Group::Json,
        Group::Vectors,
        Group::Encoding,
        Group::Urls,
        Group::Choice,
    ];

    /// Its name, as `%help NAME` takes it.
    pub fn name(self) -> &'static str {
        match self {
            Group::Text => "text",
            Group::Patterns => "patterns",
            Group::Numbers => "numbers",
            Group::Time => "time",
            Group::Lists => "lists",
            Group::Records => "records",
            Group::Json => "json",
            Group::Vectors => "vectors",
            Group::Encoding => "encoding",
            Group::Urls => "urls",
            Group::Choice => "choice",
        }
    }

    /// What holds for all functions of the chapter, in a few sentences.
    pub fn doc(self) -> &'static str {
        match self {
            Group::Text => {
                "Functions of text. Lengths and positions count Unicode characters (code points); the first character \
                 is at 0, as the first element of a list is."
            }
            Group::Patterns => {
                "Regular expressions, in the syntax of Rust's `regex`: no look-around, no back references, linear \
                 time. A constant pattern is read once, and one that is wrong is found before any data flows; a \
                 pattern from the data that is wrong is a row error. In a text literal a backslash is written twice: \
                 `'\\\\d+'` matches digits."
            }
            Group::Numbers => {
                "Functions of numbers. An int or decimal becomes a float where a function takes floats. What has no \
                 value (the root of a negative number) and what leaves the range of an int is a row error. NaN gives \
                 NaN."
            }
            Group::Time => {
                "Functions of dates, timestamps and durations. A timestamp is an instant in UTC; a date counts as its \
                 midnight. Where a time zone is given, it is a name of the IANA database (`Europe/Berlin`) or an offset \
                 (`+02:00`)."
            }
            Group::Lists => {
                "Functions of lists. What does the same to a text and to a list has one name (`length`, `contains`, \
                 `position`, `reverse`, `concat`); all others begin with `list_`, since `sum`, `first` and `join` \
                 without it are aggregates. Elements may be null; null equals null, and NaN equals NaN."
            }
            Group::Records => "Functions of records. A field is read with a dot: `r.a`.",
            Group::Json => {
                "Functions of JSON documents. A member is read with a dot or an index (`d.a`, `d[0]`), a deeper part \
                 with a path by RFC 9535 (`$.items[*].price`). `json(e)` makes a document of any value, and \
                 `int(d.a)` reads a value out of it. A JSON `null` is null."
            }
            Group::Vectors => {
                "Functions of vectors, and of lists of numbers as such. Both of a pair have the same length: two vectors by their \
                 types, two lists in each row, or else that row is an error."
            }
            Group::Encoding => "Hashes, as lower-case hexadecimal text, and encodings of bytes as text.",
            Group::Urls => {
                "Parts of URLs, as browsers read them. A relative URL has a path, a query and a fragment; its other \
                 parts are null. A text that is no URL is a row error."
            }
            Group::Choice => {
                "Choice, null and failure. An argument is computed only for the rows that need it: `if(x != 0, 1 / x, \
                 0)` never divides by zero. For more than two ways there is `case { … }`."
            }
        }
    }

    /// The chapter called `name`.
    pub fn named(name: &str) -> Option<Group> {
        Group::ALL.into_iter().find(|group| group.name() == name)
    }
}
