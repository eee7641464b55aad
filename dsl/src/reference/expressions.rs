//! Types, operators and the other forms of expressions, with examples that a test computes.

/// A type, an operator or another form of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpressionDoc {
    /// Its heading.
    pub title: &'static str,
    /// What it is asked for by.
    pub names: &'static [&'static str],
    /// How it is written.
    pub form: &'static str,
    /// What it is or gives.
    pub doc: &'static str,
    /// Expressions with their results, as `text(…)` shows them (`null` for null).
    pub examples: &'static [(&'static str, &'static str)],
}

/// The types.
pub static TYPES: &[ExpressionDoc] = &[
    ExpressionDoc {
        title: "bool",
        names: &["bool"],
        form: "true false",
        doc: "True or false. `bool(x)` reads `true` and `false` in any case, and takes every number but 0 for true.",
        examples: &[("bool(\"TRUE\")", "true"), ("bool(0)", "false")],
    },
    ExpressionDoc {
        title: "int",
        names: &["int"],
        form: "1 1_000 -7",
        doc: "A whole number of 64 bits; overflow is a row error, never wrap-around. `int(x)` reads a whole number, and \
              drops the fraction of a float or decimal.",
        examples: &[("int(\"7\")", "7"), ("int(-2.9)", "-2"), ("1_000 + 1", "1001")],
    },
    ExpressionDoc {
        title: "float",
        names: &["float"],
        form: "1.5 1.5e3",
        doc: "A number of 64 bits by IEEE 754, with one NaN and no negative zero. `float(x)` reads numbers, `NaN` and \
              `inf`.",
        examples: &[("float(\"1.5\")", "1.5"), ("1.5e3", "1500.0"), ("float(\"NaN\") == float(\"NaN\")", "true")],
    },
    ExpressionDoc {
        title: "decimal",
        names: &["decimal"],
        form: "decimal(x, precision, scale)",
        doc: "An exact number of at most 38 digits, `scale` of them after the point. A literal like `1.5` is one where a \
              decimal is asked for or stands beside it; a float that is computed makes floats of both. The cast rounds halves away from \
              zero; a number with too many digits is a row error. The type `decimal` alone is `decimal(38, 10)`, and \
              `decimal(9)` has no digits after the point. `decimal(x)` of a literal has the digits that are written there, \
              of an int no digits after the point; of anything else it is a `decimal(38, 10)`.",
        examples: &[
            ("decimal(\"1.50\")", "1.50"),
            ("decimal(\"1.50\") + 1", "2.50"),
            ("decimal(\"1.50\") * 1.5", "2.250"),
            ("decimal(\"1.255\", 5, 2)", "1.26"),
            ("decimal(\"0.10\", 5, 2) + decimal(\"0.20\", 5, 2)", "0.30"),
        ],
    },
    ExpressionDoc {
        title: "text",
        names: &["text"],
        form: "\"text\" 'text' \"\"\"long text\"\"\" f\"hello {name}\"",
        doc: "Unicode text. In an f-string any expression stands inside the braces, and a null is empty text. `text(x)` \
              writes any value: lists and records as JSON (documents inside of them as they are), times by ISO 8601, bytes read as \
              UTF-8.",
        examples: &[("f\"{1 + 1} rows\"", "2 rows"), ("text([1, 2])", "[1,2]"), ("text(@2026-11-22)", "2026-11-22")],
    },
    ExpressionDoc {
        title: "bytes",
        names: &["bytes"],
        form: "bytes(\"text\")",
        doc: "Any bytes. `bytes(x)` gives those of a text in UTF-8; `hex_decode` and `base64_decode` read others.",
        examples: &[("length(bytes(\"né\"))", "3"), ("text(bytes(\"né\"))", "né")],
    },
    ExpressionDoc {
        title: "date",
        names: &["date"],
        form: "@2026-11-22",
        doc: "A day. `date(x)` reads ISO 8601 and drops the time of a timestamp; where a timestamp is expected a date is \
              its midnight in UTC.",
        examples: &[
            ("date(\"2026-11-22\") - date(\"2026-11-20\")", "2d"),
            ("date(@2026-11-22T10:00:00Z)", "2026-11-22"),
        ],
    },
    ExpressionDoc {
        title: "timestamp",
        names: &["timestamp"],
        form: "@2026-11-22T10:00:00Z",
        doc: "An instant in UTC, in microseconds. `timestamp(x)` reads ISO 8601, with an offset or in UTC.",
        examples: &[
            ("timestamp(\"2026-11-22T10:00:00+02:00\")", "2026-11-22T08:00:00"),
            ("@2026-11-22T10:00:00Z + 90s", "2026-11-22T10:01:30"),
        ],
    },
    ExpressionDoc {
        title: "duration",
        names: &["duration"],
        form: "250ms 5s 1m 2h 3d",
        doc: "A length of time in microseconds. `duration(x)` reads numbers with units: `1h30m`.",
        examples: &[("duration(\"1h30m\")", "1h30m"), ("2h / 30m", "4.0"), ("1m * 1.5", "1m30s")],
    },
    ExpressionDoc {
        title: "json",
        names: &["json"],
        form: "json(x)",
        doc: "A JSON document. `json(x)` reads a text, and makes a document of any other value; a member is `d.a` or \
              `d[\"a\"]`, an element `d[0]`, and what is not there is null. A cast reads what the document holds: \
              `int(d.n)`, `text(d.name)` (without quotes), `cast(d, {name: text, price: float?})`. A document that does \
              not hold that is a row error; fields that are not named are passed over. Documents are equal that differ only in \
              white space, in the order of members and in how a number is written. A number that no int holds is a float of 64 bits.",
        examples: &[
            ("json('{\"a\": [1, 2]}').a[1]", "2"),
            ("json({a: 1})", "{\"a\":1}"),
            ("text(json('{\"name\": \"pen\"}').name)", "pen"),
            ("cast(json('{\"a\": 1, \"b\": 2}'), {a: int}).a + 1", "2"),
            ("json('{\"a\": 1, \"b\": 2}') == json('{\"b\":2.0,\"a\":1}')", "true"),
        ],
    },
    ExpressionDoc {
        title: "vector",
        names: &["vector", "vector(n)"],
        form: "vector(x, n)",
        doc: "A vector of `n` floats of 32 bits, as embeddings are. `vector(x, n)` makes one of a list of so many numbers or \
              of a JSON array; another length is a row error. `v[0]` is its first element, `cast(v, [float])` the list of all.",
        examples: &[("vector([1, 2.5], 2)[1]", "2.5"), ("vector([1, 2.5], 2)", "[1.0,2.5]")],
    },
    ExpressionDoc {
        title: "list",
        names: &["[T]", "list type"],
        form: "[1, 2]",
        doc: "A list of elements of one type. `xs[0]` is the first one; out of range is null. `x in xs` asks whether it \
              stands in the list. `cast(x, [int])` casts each element, and reads a JSON array.",
        examples: &[
            ("cast([1.9, 2.0], [int])", "[1,2]"),
            ("[10, 20][1]", "20"),
            ("[10, 20][2]", "null"),
            ("[1, 2.5]", "[1.0,2.5]"),
            ("cast('[1, 2]', [int])[1]", "2"),
        ],
    },
    ExpressionDoc {
        title: "record",
        names: &["record", "{a: T}"],
        form: "{a: 1, b: \"x\"}",
        doc: "Named fields in order; `r.a` reads one, and so does `r[\"a\"]`. `cast(r, {a: T, …})` casts each field; fields go by name, one that is \
              not named is left out, one that is missing is null where its type is written `T?`.",
        examples: &[
            ("cast({a: 1, b: \"2\"}, {b: int, c: text?})", "{\"b\":2,\"c\":null}"),
            ("{a: 1, b: \"x\"}.b", "x"),
            ("{a: {b: 2}}.a.b", "2"),
        ],
    },
];

/// The operators, loosest first, and the other forms.
pub static OPERATORS: &[ExpressionDoc] = &[
    ExpressionDoc {
        title: "or, and, not",
        names: &["or", "and", "not"],
        form: "a or b   a and b   not a",
        doc: "Logic of three values: `and` is false if one side is false, `or` true if one side is true, whatever the \
              other is; else null if one is null. The right side is not computed where the left one decides.",
        examples: &[
            ("true or null", "true"),
            ("false and null", "false"),
            ("not true", "false"),
            ("true and null", "null"),
        ],
    },
    ExpressionDoc {
        title: "Comparison",
        names: &["==", "!=", "<", "<=", ">", ">=", "comparison"],
        form: "a == b   a != b   a < b   a <= b   a > b   a >= b",
        doc: "Null where a side is null. Numbers of different types compare as numbers, a date with a timestamp as its \
              midnight. Text compares by code points.",
        examples: &[("1 == 1.0", "true"), ("\"a\" < \"b\"", "true"), ("1 == null", "null")],
    },
    ExpressionDoc {
        title: "in, between, like",
        names: &["in", "between", "like", "not in", "not like", "not between"],
        form: "a in [x, y]   a between low and high   a like \"pattern\"",
        doc: "`in`: equal to one of a list. `between`: both ends included. `like`: `%` stands for any characters, `_` for \
              one, and a backslash takes their meaning away. Each can be negated: `not in`.",
        examples: &[("2 in [1, 2]", "true"), ("5 between 1 and 5", "true"), ("\"report.pdf\" like \"%.pdf\"", "true")],
    },
    ExpressionDoc {
        title: "is null, is not null",
        names: &["is null", "is not null", "is", "null"],
        form: "a is null   a is not null",
        doc: "Whether there is no value: never null itself.",
        examples: &[("null is null", "true"), ("1 is not null", "true")],
    },
    ExpressionDoc {
        title: "?? (if null)",
        names: &["??"],
        form: "a ?? b",
        doc: "The right side where the left one is null.",
        examples: &[("null ?? 2", "2"), ("1 ?? 1 / 0", "1")],
    },
    ExpressionDoc {
        title: "Arithmetic",
        names: &["+", "-", "*", "/", "%", "arithmetic"],
        form: "a + b   a - b   a * b   a / b   a % b   -a",
        doc: "An int divided by an int is an int, truncated toward zero; `%` takes the dividend's sign. Overflow and \
              division by zero, of floats too, are row errors. `+` joins texts. Times: the difference of two instants is \
              a duration, which can be added to an instant, multiplied and divided.",
        examples: &[
            ("7 / 2", "3"),
            ("-7 % 3", "-1"),
            ("7 / 2.0", "3.5"),
            ("\"a\" + \"b\"", "ab"),
            ("@2026-11-22 + 36h", "2026-11-23T12:00:00"),
        ],
    },
    ExpressionDoc {
        title: "Fields, elements, calls",
        names: &[".", "[]", "()", "field", "index", "call"],
        form: "r.field   xs[index]   f(a, b)",
        doc: "The `(` of a call and the `[` of an index touch what they follow. A column with another name than letters, \
              digits and `_` is written in backticks.",
        examples: &[("{a: 1}.a", "1"), ("[1, 2][0]", "1"), ("length(\"abc\")", "3")],
    },
    ExpressionDoc {
        title: "case",
        names: &["case", "else"],
        form: "case { condition => value, …, else => value }",
        doc: "The value of the first branch whose condition is true; without `else`, null where none is. A branch is \
              computed only for the rows that take it.",
        examples: &[("case { 1 > 2 => \"a\", 2 > 1 => \"b\", else => \"c\" }", "b"), ("case { false => 1 }", "null")],
    },
];
