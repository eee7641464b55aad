//! What SQL is here, entry by entry, with examples that a test runs.

/// A part of SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueryDoc {
    /// Its heading.
    pub title: &'static str,
    /// What it is asked for by.
    pub names: &'static [&'static str],
    /// How it is written.
    pub form: &'static str,
    /// What it means here, and what is not had.
    pub doc: &'static str,
    /// A cell that holds.
    pub example: &'static str,
}

/// The parts of a query.
pub static QUERIES: &[QueryDoc] = &[
    QueryDoc {
        title: "clauses",
        names: &["select from where", "group by", "having", "qualify", "order by"],
        form: "sql \"select … from … where … group by … having … qualify … order by … limit … offset …\"",
        doc: "The clauses of a query. Names keep their case, and a word of SQL that is a column's name stands in double quotes. \
              `group by` takes columns, expressions, names of outputs and positions; `having` and `qualify` filter groups and \
              results of windows. A table without an order has none in SQL either: `order by` says it. `limit` breaks ties by \
              the remaining columns, so that its rows never depend on arrival. A `param` is read as if it were a column. \
              `distinct on`, `grouping sets`, `cube` and `rollup` are not available.",
        example: "t = rows [ {k: \"a\", n: 1}, {k: \"a\", n: 2}, {k: \"b\", n: 5} ]\n\
                  u = sql \"select k, sum(n) as total from t where n < 9 group by k having count(*) > 1\"\n\
                  expect u equals rows [ {k: \"a\", total: 3} ]",
    },
    QueryDoc {
        title: "joins in SQL",
        names: &["natural join", "comma join"],
        form: "sql \"select … from a join b on … left join c using (k), d where a.k = d.k\"",
        doc: "Inner, left, right, full, cross, semi and anti joins with `on`, `using` or `natural`. Of tables that commas separate, \
              the equalities in `where` become the keys of their joins, in whatever order the tables stand; with `key by`, a table \
              is found by its key. `lateral` and `unnest` are not available: `| flatten column` is a step.",
        example: "a = rows [ {id: 1, x: \"one\"}, {id: 2, x: \"two\"} ]\nb = rows [ {of: 2, y: 7} ]\n\
                  u = sql \"select x, y from a, b where a.id = b.of\"\nexpect u equals rows [ {x: \"two\", y: 7} ]",
    },
    QueryDoc {
        title: "subqueries",
        names: &["subquery", "exists"],
        form: "sql \"select … where exists (select …) and x in (select …) and y > (select max(…) …)\"",
        doc: "A subquery may stand wherever a value may, and may read columns of the queries around it. It is kept as a join, so a \
              change costs what it concerns. `in` and `not in` have SQL's three values. A subquery that stands for a value has one \
              column; without a row it is null, and a row for which it has more than one fails and stands in `errors`. Comparisons \
              with `any` and `all` are not available.",
        example: "t = rows [ {k: \"a\", n: 1}, {k: \"a\", n: 2}, {k: \"b\", n: 5} ]\n\
                  u = sql \"select k, n from t where n = (select max(s.n) from t s where s.k = t.k)\"\n\
                  expect u equals rows [ {k: \"a\", n: 2}, {k: \"b\", n: 5} ]",
    },
    QueryDoc {
        title: "with",
        names: &["common table expression"],
        form: "sql \"with name(columns) as (select …), … select …\"",
        doc: "Tables for one query, each of which sees those before it. One that reads itself (`with recursive`) is written with the \
              step `| iterate r { … }`.",
        example: "t = rows [ {n: 1}, {n: 5} ]\n\
                  u = sql \"with large as (select n from t where n > 2) select count(*) as c from large\"\n\
                  expect u equals rows [ {c: 1} ]",
    },
    QueryDoc {
        title: "set operations",
        names: &["union all", "except all", "intersect all"],
        form: "sql \"select … union all select … except select …\"",
        doc: "`union`, `intersect` and `except`, with `all` for rows as often as they stand. Columns go by position, and have the \
              names of the first query and the types that both have in common. (The steps `union`, `except` and `intersect` go by \
              name.)",
        example: "t = rows [ {n: 1}, {n: 1}, {n: 2} ]\nu = sql \"select n from t except all select 1\"\n\
                  expect u equals rows [ {n: 1}, {n: 2} ]",
    },
    QueryDoc {
        title: "over in SQL",
        names: &["partition by"],
        form: "sql \"select sum(x) over (partition by k order by at rows between 3 preceding and current row) from …\"",
        doc: "The window functions and aggregates of the language. Frames go from the partition's start, from so many rows before, or \
              (with `range`) from a distance before, to the current row, or are the whole partition. What would change for every row \
              when one comes (`ntile`, `percent_rank`, `cume_dist`), frames of `groups` and frames that look ahead are not available.",
        example: "t = rows [ {at: 1, n: 1}, {at: 2, n: 2}, {at: 3, n: 5} ]\n\
                  u = sql \"select at, sum(n) over (order by at rows between 1 preceding and current row) as two from t\"\n\
                  expect u equals rows [ {at: 1, two: 1}, {at: 2, two: 3}, {at: 3, two: 7} ]",
    },
    QueryDoc {
        title: "expressions in SQL",
        names: &["extract", "interval"],
        form: "sql \"select case when … end, cast(x as int), extract(year from at), at + interval '1' month from …\"",
        doc: "Types, operators and functions are those of the language: overflow, division by zero and bad casts are row errors, and \
              two ints divide to an int. Functions go by SQL's names where these mean the same; `substring`, `position` and lists count \
              from 1, as there. Numbers with a point are decimals where they meet each other or decimals: `0.06 + 0.01` is 0.07. A \
              date that is moved by days or months stays a date.",
        example: "u = sql \"select 0.06 + 0.01 as sum, date '2026-01-31' + interval '1' month as due, substring('hello' from 2 for 3) as part\"\n\
                  expect u equals rows [ {sum: 0.07, due: @2026-02-28, part: \"ell\"} ]",
    },
];
