//! D09xx: queries in SQL.

use super::Explanation;

/// Text that is no SQL.
pub static SYNTAX: Explanation = Explanation {
    code: "D0901",
    title: "text that is not SQL",
    text: "The text of `sql \"…\"` does not go on as SQL wants it to; the message says what could stand here and what \
           does. Values that are texts stand in single quotes, names that are no plain words in double quotes.",
    wrong: "t = rows [ {a: 1} ]\nu = sql \"select a from t where\"",
    right: "t = rows [ {a: 1} ]\nu = sql \"select a from t where a > 0\"",
};

/// A statement that is no query.
pub static NOT_A_QUERY: Explanation = Explanation {
    code: "D0902",
    title: "a statement that is not a query",
    text: "A head gives rows, so `sql` takes one query: `select …`, `values …` or `with … select …`. Tables follow from \
           their inputs and are not written into; a table is defined by giving a query a name.",
    wrong: "t = rows [ {a: 1} ]\nu = sql \"delete from t where a = 1\"",
    right: "t = rows [ {a: 1} ]\nu = sql \"select * from t where a <> 1\"",
};

/// A part of SQL that is not had.
pub static UNSUPPORTED: Explanation = Explanation {
    code: "D0903",
    title: "a part of SQL that is not available",
    text: "Most of what a query can say is kept up to date row by row. What would have to be computed anew with every \
           change (groups of equal size), what depends on chance or on the present time, and what the language says in \
           a step of its own is refused, with what to write in its place.",
    wrong: "t = rows [ {a: 1} ]\nu = sql \"select a, ntile(4) over (order by a) as quarter from t\"",
    right: "t = rows [ {a: 1} ]\nu = sql \"select a, rank() over (order by a) as place from t\"",
};

/// A subquery with too many columns.
pub static SUBQUERY_COLUMNS: Explanation = Explanation {
    code: "D0904",
    title: "a subquery of several columns as a value",
    text: "A subquery that stands for a value, or behind `in`, has one column. If it has more than one row where a value \
           is asked for, the row that asks fails and stands in the table's `errors`.",
    wrong: "t = rows [ {a: 1, b: 2} ]\nu = sql \"select a from t where a = (select a, b from t)\"",
    right: "t = rows [ {a: 1, b: 2} ]\nu = sql \"select a from t where a = (select max(b) from t)\"",
};

/// A recursive table.
pub static RECURSIVE: Explanation = Explanation {
    code: "D0905",
    title: "a table of `with` that is defined by itself",
    text: "A table of `with` reads the tables before it. One that grows from itself is written with the step `iterate`, \
           which starts with a table and goes on until nothing changes.",
    wrong: "t = rows [ {a: 1} ]\nu = sql \"with recursive n as (select a from t union all select a from n) select a from n\"",
    right: "t = rows [ {a: 1} ]\nu = sql \"with n as (select a from t) select a from n\"",
};

/// Every entry of the family, in the order of the codes.
pub static ALL: &[&Explanation] = &[&SYNTAX, &NOT_A_QUERY, &UNSUPPORTED, &SUBQUERY_COLUMNS, &RECURSIVE];
