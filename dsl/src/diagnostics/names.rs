//! D02xx: names and types.

use super::Explanation;

/// No such table.
pub static UNKNOWN_TABLE: Explanation = Explanation {
    code: "D0201",
    title: "no such table",
    text: "A pipeline begins with, or joins, a table that no cell has defined. Names are case-sensitive; a \
           table must be defined before it is used.",
    wrong: "orders = rows [ {id: 1} ]\nordes",
    right: "orders = rows [ {id: 1} ]\norders",
};

/// No such function.
pub static UNKNOWN_FUNCTION: Explanation = Explanation {
    code: "D0202",
    title: "no such function",
    text: "A function of this name is neither part of the language nor defined with `fn`.",
    wrong: "t = rows [ {a: \"x\"} ] | derive b: uper(a)",
    right: "t = rows [ {a: \"x\"} ] | derive b: upper(a)",
};

/// No such column.
pub static UNKNOWN_COLUMN: Explanation = Explanation {
    code: "D0203",
    title: "no such column",
    text: "The table has no column of this name at this step: it may have been dropped, renamed or grouped \
           away before.",
    wrong: "t = rows [ {qty: 1} ] | where qyt > 1",
    right: "t = rows [ {qty: 1} ] | where qty > 1",
};

/// A name that means two columns.
pub static AMBIGUOUS_COLUMN: Explanation = Explanation {
    code: "D0204",
    title: "a name that means two columns",
    text: "After a join both tables have a column of this name. Write the table before it: `orders.id`.",
    wrong: "a = rows [ {id: 1} ]\nb = rows [ {id: 1} ]\nc = a | join b on a.id == b.id | select id",
    right: "a = rows [ {id: 1} ]\nb = rows [ {id: 1} ]\nc = a | join b on a.id == b.id | select a.id",
};

/// Two things of one name.
pub static SAME_NAME: Explanation = Explanation {
    code: "D0205",
    title: "two things of one name",
    text: "The columns of a table, the fields of a record, the parameters of a function and the definitions \
           of a cell each have a name of their own.",
    wrong: "a = rows [ {id: 1} ]\nb = rows [ {id: 1} ]\nc = a | join b on a.id == b.id",
    right: "a = rows [ {id: 1} ]\nb = rows [ {id: 1} ]\nc = a | join b on a.id == b.id | select a.id",
};

/// A table that is not in reach.
pub static UNKNOWN_QUALIFIER: Explanation = Explanation {
    code: "D0206",
    title: "a table that is not in reach",
    text: "The name before the dot is not a table of this pipeline: only its head and the tables that it \
           joins can be named.",
    wrong: "t = rows [ {a: 1} ]\nu = t | where s.a > 1",
    right: "t = rows [ {a: 1} ]\nu = t | where t.a > 1",
};

/// A table defined by itself.
pub static CIRCULAR: Explanation = Explanation {
    code: "D0207",
    title: "a table defined by itself",
    text: "A table cannot read itself, directly or through others.",
    wrong: "t = t | where a > 1",
    right: "s = rows [ {a: 1} ]\nt = s | where a > 1",
};

/// An output inside of a definition.
pub static MISPLACED_OUTPUT: Explanation = Explanation {
    code: "D0209",
    title: "an output inside of a definition",
    text: "`show` and `write` end a statement of their own; they give no table that could have a name.",
    wrong: "t = rows [ {a: 1} ]\nu = t | show limit 3",
    right: "t = rows [ {a: 1} ]\nt | show limit 3",
};

/// A table that no longer resolves.
pub static BROKEN_TABLE: Explanation = Explanation {
    code: "D0210",
    title: "a table that no longer resolves",
    text: "A table that this one reads was changed or dropped so that its own text no longer fits. Its cell \
           has to be mended and run again.",
    wrong: "t = rows [ {a: 1} ]\nu = t | where a > 1\ndrop t\nu",
    right: "t = rows [ {a: 1} ]\nu = t | where a > 1\nu",
};

/// A value of the wrong type.
pub static WRONG_TYPE: Explanation = Explanation {
    code: "D0211",
    title: "a value of the wrong type",
    text: "The message says which type stands here and which one is expected. Types are never converted \
           silently where a value could be lost: write the cast, `int(…)` or `text(…)`.",
    wrong: "t = rows [ {a: 1} ] | where a",
    right: "t = rows [ {a: 1} ] | where a > 0",
};

/// Arguments that a function does not take.
pub static ARGUMENT_COUNT: Explanation = Explanation {
    code: "D0212",
    title: "arguments that a function does not take",
    text: "The function takes another number of arguments, or none of this name.",
    wrong: "fn twice(x: int) = x * 2\nt = rows [ {a: 1} ] | derive b: twice(a, a)",
    right: "fn twice(x: int) = x * 2\nt = rows [ {a: 1} ] | derive b: twice(a)",
};

/// A value that makes no sense here.
pub static WRONG_VALUE: Explanation = Explanation {
    code: "D0213",
    title: "a value that makes no sense here",
    text: "The value has the right type, but is not one that can stand here.",
    wrong: "t = rows [ {a: 1} ] | limit -1",
    right: "t = rows [ {a: 1} ] | limit 1",
};

/// Rows that do not fit together.
pub static NO_COMMON_TYPE: Explanation = Explanation {
    code: "D0214",
    title: "rows that do not fit together",
    text: "The values of a column of `rows` have one type. Ints and floats together are floats; null fits \
           everything.",
    wrong: "t = rows [ {a: 1}, {a: \"x\"} ]",
    right: "t = rows [ {a: \"1\"}, {a: \"x\"} ]",
};

/// An aggregate outside of `summarize`.
pub static MISPLACED_AGGREGATE: Explanation = Explanation {
    code: "D0215",
    title: "an aggregate outside of `summarize`",
    text: "`count`, `sum` and their kind are of a group of rows: they stand in `summarize`. A `filter` and \
           an order belong to aggregates alone.",
    wrong: "t = rows [ {a: 1} ] | derive b: sum(a)",
    right: "t = rows [ {a: 1} ] | summarize b: sum(a)",
};

/// Neither key nor aggregate.
pub static UNGROUPED_COLUMN: Explanation = Explanation {
    code: "D0216",
    title: "neither key nor aggregate",
    text: "After `summarize` a group has its keys and its aggregates; another column has no single value.",
    wrong: "t = rows [ {k: 1, a: 2} ] | summarize b: a by k",
    right: "t = rows [ {k: 1, a: 2} ] | summarize b: max(a) by k",
};

/// A constant without a value.
pub static NOT_CONSTANT: Explanation = Explanation {
    code: "D0217",
    title: "a constant without a value",
    text: "The expression must have a value before any data flows, and has none.",
    wrong: "t = rows [ {a: 1} ] | limit 1 / 0",
    right: "t = rows [ {a: 1} ] | limit 1",
};

/// `env` in a table.
pub static MISPLACED_ENV: Explanation = Explanation {
    code: "D0218",
    title: "`env` in a table",
    text: "Values from the environment may be secrets: they stand only in the options of a connector and in \
           `set`.",
    wrong: "t = rows [ {a: 1} ] | derive b: env(\"HOME\")",
    right: "param home: text = \"/root\"\nt = rows [ {a: 1} ] | derive b: home",
};

/// A column without a name.
pub static NEEDS_NAME: Explanation = Explanation {
    code: "D0219",
    title: "a column without a name",
    text: "A column keeps its name; any other expression is given one with `name: expression`.",
    wrong: "t = rows [ {a: 1} ] | select a + 1",
    right: "t = rows [ {a: 1} ] | select b: a + 1",
};

/// No such type.
pub static UNKNOWN_TYPE: Explanation = Explanation {
    code: "D0220",
    title: "no such type",
    text: "The types are `bool int float decimal(p, s) text bytes date timestamp duration json vector(n)`, \
           `[T]` and `{a: T}`.",
    wrong: "param since: string = \"x\"",
    right: "param since: text = \"x\"",
};

/// A function that calls itself.
pub static RECURSIVE_FUNCTION: Explanation = Explanation {
    code: "D0221",
    title: "a function that calls itself",
    text: "A function is put in the place of its call; one that calls itself would never end.",
    wrong: "fn f(x: int) = f(x) + 1",
    right: "fn f(x: int) = x + 1",
};

/// No such setting.
pub static UNKNOWN_SETTING: Explanation = Explanation {
    code: "D0222",
    title: "no such setting",
    text: "The settings are `workers`, `state`, `embedder` and `llm`.",
    wrong: "set worker = 4",
    right: "set workers = 4",
};

/// A parameter without a fitting value.
pub static PARAMETER: Explanation = Explanation {
    code: "D0223",
    title: "a parameter without a fitting value",
    text: "The default, or the value given from outside, has the parameter's type.",
    wrong: "param n: int = \"many\"",
    right: "param n: int = 10",
};

/// Tables that do not fit together.
pub static DIFFERENT_COLUMNS: Explanation = Explanation {
    code: "D0224",
    title: "tables that do not fit together",
    text: "`union`, `except`, `intersect` and `equals` match columns by name: both sides have the same \
           names, with types that fit.",
    wrong: "t = rows [ {a: 1} ]\nu = t | union (t | rename b: a)",
    right: "t = rows [ {a: 1} ]\nu = t | union t",
};

/// A join that cannot be told apart.
pub static JOIN_CONDITION: Explanation = Explanation {
    code: "D0225",
    title: "a join that cannot be told apart",
    text: "Both sides of a join have names of their own, and its condition is true or false.",
    wrong: "t = rows [ {a: 1} ]\nu = t | semi join t on t.a == t.a",
    right: "t = rows [ {a: 1} ]\nu = t | semi join t as s on t.a == s.a",
};

/// A table without columns.
pub static NO_COLUMNS: Explanation = Explanation {
    code: "D0226",
    title: "a table without columns",
    text: "A table has at least one column.",
    wrong: "t = rows []",
    right: "t = rows [ {a: 1} ]",
};

/// A table without a key.
pub static NEEDS_KEY: Explanation = Explanation {
    code: "D0227",
    title: "a table without a key",
    text: "`update` and `patch` replace rows by key; both tables have the same one.",
    wrong: "t = rows [ {a: 1} ]\nu = t | update (t | key by a)",
    right: "t = rows [ {a: 1} ] | key by a\nu = t | update (t | where a > 0)",
};

/// An aggregate without an order.
pub static NEEDS_ORDER: Explanation = Explanation {
    code: "D0228",
    title: "an aggregate without an order",
    text: "`first` and `last` are of an order: rows come in none. Name the columns, or `sort` the table before.",
    wrong: "t = rows [ {k: 1, a: 2} ] | summarize b: first(a) by k",
    right: "t = rows [ {k: 1, a: 2, at: 3} ] | summarize b: first(a by at) by k",
};

/// Every entry of the family, in the order of the codes.
pub static ALL: &[&Explanation] = &[
    &UNKNOWN_TABLE,
    &UNKNOWN_FUNCTION,
    &UNKNOWN_COLUMN,
    &AMBIGUOUS_COLUMN,
    &SAME_NAME,
    &UNKNOWN_QUALIFIER,
    &CIRCULAR,
    &MISPLACED_OUTPUT,
    &BROKEN_TABLE,
    &WRONG_TYPE,
    &ARGUMENT_COUNT,
    &WRONG_VALUE,
    &NO_COMMON_TYPE,
    &MISPLACED_AGGREGATE,
    &UNGROUPED_COLUMN,
    &NOT_CONSTANT,
    &MISPLACED_ENV,
    &NEEDS_NAME,
    &UNKNOWN_TYPE,
    &RECURSIVE_FUNCTION,
    &UNKNOWN_SETTING,
    &PARAMETER,
    &DIFFERENT_COLUMNS,
    &JOIN_CONDITION,
    &NO_COLUMNS,
    &NEEDS_KEY,
    &NEEDS_ORDER,
];
