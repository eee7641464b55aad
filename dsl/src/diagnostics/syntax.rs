//! D01xx: the text is not Tide.

use super::Explanation;

/// Text that fits nowhere.
pub static UNEXPECTED: Explanation = Explanation {
    code: "D0101",
    title: "unexpected text",
    text: "The text does not go on as the language wants it to. The message says what could stand here and what \
           does. Newlines are white space: the fault may be at the end of the line before.",
    wrong: "t = rows [ {a: 1} ] | derive b: a +",
    right: "t = rows [ {a: 1} ] | derive b: a + 1",
};

/// A string or a name in backticks that does not end.
pub static UNCLOSED_TEXT: Explanation = Explanation {
    code: "D0102",
    title: "text without an end",
    text: "A text in `\"` or `'` (an f-string with all that stands in its braces, too) and a name in backticks end on \
           the line on which they begin. A text of several lines stands between `\"\"\"`.",
    wrong: "t = rows [ {a: \"one} ]",
    right: "t = rows [ {a: \"one\"} ]",
};

/// Brackets that do not pair.
pub static UNPAIRED_BRACKET: Explanation = Explanation {
    code: "D0103",
    title: "brackets do not pair",
    text: "Each `(`, `[` and `{` is closed by its own kind, inside the same statement.",
    wrong: "t = rows [ {a: 1} ] | derive b: (a + 1",
    right: "t = rows [ {a: 1} ] | derive b: (a + 1)",
};

/// Nesting or a chain beyond the limit.
pub static TOO_DEEP: Explanation = Explanation {
    code: "D0104",
    title: "nested too deeply",
    text: "Brackets, the braces of f-strings among them, nest at most 64 deep. An expression has at most 200 operators in \
           a row (chains of `and` and of `or` may be longer), and at most 256 operators and brackets around its \
           innermost part. Define the inner part as a table, a `derive` or a `fn` of its own.",
    wrong: "t = rows [ {a: ((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((1)))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))} ]",
    right: "t = rows [ {a: (1)} ]",
};

/// A word after `|` that is no step.
pub static UNKNOWN_STEP: Explanation = Explanation {
    code: "D0105",
    title: "unknown step",
    text: "After `|` stands the name of a step, such as `where`, `derive` or `summarize`; `%help steps` lists them.",
    wrong: "t = rows [ {a: 1} ] | filter a > 0",
    right: "t = rows [ {a: 1} ] | where a > 0",
};

/// A step without its `|`.
pub static MISSING_BAR: Explanation = Explanation {
    code: "D0106",
    title: "a step without `|`",
    text: "Each step of a pipeline begins with `|`. Without it, the words would be the names of further tables to show.",
    wrong: "t = rows [ {a: 1} ]\n  where a > 0",
    right: "t = rows [ {a: 1} ]\n  | where a > 0",
};

/// `=` in a condition.
pub static ASSIGNMENT: Explanation = Explanation {
    code: "D0107",
    title: "`=` where a comparison or a name is meant",
    text: "`name = …` always begins the definition of a table. Values are compared with `==`, and a column, an option or \
           a field is named with `name: value`.",
    wrong: "t = rows [ {a: 1} ] | where a = 1",
    right: "t = rows [ {a: 1} ] | where a == 1",
};

/// SQL outside of `sql "…"`.
pub static SQL: Explanation = Explanation {
    code: "D0108",
    title: "SQL outside of `sql \"…\"`",
    text: "A pipeline begins with its table, and its steps follow in the order in which they happen: `orders | where \
           qty > 1 | summarize n: count() by name | sort n desc`. A query in SQL is written `sql \"select …\"` and is a \
           head like any other.",
    wrong: "t = rows [ {a: 1} ]\nselect a from t",
    right: "t = rows [ {a: 1} ]\nt | select a",
};

/// A number, date, duration or escape out of range.
pub static BAD_LITERAL: Explanation = Explanation {
    code: "D0109",
    title: "a literal that stands for no value",
    text: "Ints have 64 bits. Durations are written `250ms`, `5s`, `1m`, `2h`, `3d`; dates `@2026-11-22`; timestamps \
           `@2026-11-22T10:00:00Z`, in UTC, with at most six digits after the seconds. A backslash in a text begins an \
           escape and is itself written twice.",
    wrong: "t = rows [ {day: @2026-02-30} ]",
    right: "t = rows [ {day: @2026-02-28} ]",
};

/// An argument by position after one by name.
pub static ARGUMENT_ORDER: Explanation = Explanation {
    code: "D0110",
    title: "an argument by position after one by name",
    text: "In the parentheses of a call or a connector, arguments by position come first, then `name: value`.",
    wrong: "t = read csv(header: true, \"data.csv\")",
    right: "t = read csv(\"data.csv\", header: true)",
};

/// `a < b < c`
pub static CHAINED_COMPARISON: Explanation = Explanation {
    code: "D0111",
    title: "comparisons in a chain",
    text: "A comparison gives true, false or null, so that comparing it again is hardly ever meant. Join two comparisons \
           with `and`, or use `between`.",
    wrong: "t = rows [ {a: 1} ] | where 0 < a < 5",
    right: "t = rows [ {a: 1} ] | where 0 < a and a < 5",
};

/// Several expressions in parentheses.
pub static LIST_IN_PARENTHESES: Explanation = Explanation {
    code: "D0112",
    title: "several expressions in parentheses",
    text: "A list stands in brackets. Only after `in` may it stand in parentheses too, as in SQL.",
    wrong: "t = rows [ {a: (1, 2)} ]",
    right: "t = rows [ {a: [1, 2]} ]",
};

/// A reserved word as a name.
pub static RESERVED_NAME: Explanation = Explanation {
    code: "D0113",
    title: "a reserved word as a name",
    text: "The words `and or not in is like between null true false case else by on as` cannot be bare names. In \
           backticks they can.",
    wrong: "t = rows [ {on: 1} ]",
    right: "t = rows [ {`on`: 1} ]",
};

/// A join without a condition, a cross join with one.
pub static JOIN_CONDITION: Explanation = Explanation {
    code: "D0114",
    title: "a join without its condition",
    text: "Every join but `cross join` says on what rows are matched: `on` with a condition, or `using` with the columns \
           that have the same name on both sides.",
    wrong: "t = rows [ {a: 1} ]\nu = t | join t as other",
    right: "t = rows [ {a: 1} ]\nu = t | join t as other using (a)",
};

/// `%` without a name.
pub static NAMELESS_COMMAND: Explanation = Explanation {
    code: "D0115",
    title: "a command without a name",
    text: "A `%` that is first on its line begins a command, never the remainder of a division: put the operator at the \
           end of the line before. `%help` lists the commands.",
    wrong: "t = rows [ {a: 7} ] | derive b: a\n  % 2",
    right: "t = rows [ {a: 7} ] | derive b: a %\n  2",
};

/// A definition that is no table.
pub static NOT_A_TABLE: Explanation = Explanation {
    code: "D0116",
    title: "a value where a table is meant",
    text: "`name = …` defines a table. A value that can be set from outside is a `param`, a formula is a `fn`, and a \
           table of one row is `rows [ {value: 5} ]`.",
    wrong: "limit_qty = 5",
    right: "param limit_qty: int = 5",
};

/// More than the language takes.
pub static LIMIT: Explanation = Explanation {
    code: "D0117",
    title: "more than there may be",
    text: "A cell has at most 4 MiB and 10,000 statements; of its faults, the first 100 are told one by one. A name has at \
           most 255 characters, a table at most 10,000 columns, and a record as many fields. From a source to a table \
           there are at most 500 steps, those of the tables on the way among them, and a table consists of at most 10,000 \
           steps, those of all tables that it reads among them. An expression in which functions of `fn` \
           are written out has at most 200,000 operations, at most 1,000 of them inside of each other. Long lists of \
           rows belong into a file: `read csv(…)`.",
    wrong: "t = rows [ {nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn: 1} ]",
    right: "t = rows [ {n: 1} ]",
};

/// Every entry of the family, in the order of the codes.
pub static ALL: &[&Explanation] = &[
    &UNEXPECTED,
    &UNCLOSED_TEXT,
    &UNPAIRED_BRACKET,
    &TOO_DEEP,
    &UNKNOWN_STEP,
    &MISSING_BAR,
    &ASSIGNMENT,
    &SQL,
    &BAD_LITERAL,
    &ARGUMENT_ORDER,
    &CHAINED_COMPARISON,
    &LIST_IN_PARENTHESES,
    &RESERVED_NAME,
    &JOIN_CONDITION,
    &NAMELESS_COMMAND,
    &NOT_A_TABLE,
    &LIMIT,
];
