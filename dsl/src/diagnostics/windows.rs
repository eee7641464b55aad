//! D07xx: window functions.

use super::Explanation;

/// A window function where none can stand.
pub static MISPLACED_WINDOW: Explanation = Explanation {
    code: "D0701",
    title: "a window function out of place",
    text: "A window function sees the rows around the current one: `lag(e) over (by k sort at)`. It stands in `derive`, \
           `select` and `where`, not inside of another one, and takes `over (…)` to say which rows those are. Every \
           aggregate is one as well; other functions see their own row alone.",
    wrong: "t = rows [ {k: 1, a: 2} ] | derive b: lag(a)",
    right: "t = rows [ {k: 1, a: 2} ] | derive b: lag(a) over (by k sort a)",
};

/// A frame that its order has no sense for.
pub static WRONG_FRAME: Explanation = Explanation {
    code: "D0702",
    title: "a frame that does not fit",
    text: "`last 5 rows` is a number of rows, of which the current one is the last. `last 10m` is a distance by the \
           one sort key: a duration for a timestamp, date or duration, a number for a number. `lag`, `lead`, \
           `row_number`, `rank` and `dense_rank` have no frame.",
    wrong: "t = rows [ {at: @2026-01-01, a: 2} ] | derive b: sum(a) over (sort at last 5)",
    right: "t = rows [ {at: @2026-01-01, a: 2} ] | derive b: sum(a) over (sort at last 5 rows)",
};

/// A session that is no key of a `summarize`.
pub static MISPLACED_SESSION: Explanation = Explanation {
    code: "D0703",
    title: "a session out of place",
    text: "Which session a row lies in depends on the rows around it, of equal other keys: so `session(at, gap: d)` is a key of \
           `summarize`, and nothing else. `tumble` and `hop` go by the row alone and stand everywhere.",
    wrong: "t = rows [ {at: @2026-01-01} ] | derive w: session(at, gap: 1h)",
    right: "t = rows [ {at: @2026-01-01} ] | summarize n: count() by w: session(at, gap: 1h)",
};

/// A pattern that cannot be searched for.
pub static WRONG_PATTERN: Explanation = Explanation {
    code: "D0704",
    title: "a pattern that does not fit",
    text: "The elements of a `match` have names of their own, which no column has, and take some number of rows: `a`, `a?`, `a*`, \
           `a+`, `a{2}`, `a{2,}` or `a{2,3}`. `within` is a distance by the first key of `sort`. Its `select` tells columns of the \
           last row of an element (`a.x`), aggregates of all its rows (`count(a)`, `sum(a.x)`), and the columns of `by`.",
    wrong: "t = rows [ {at: 1, x: 2} ] | match sort at { a: x > 1 a: x < 1 } select from: a.at",
    right: "t = rows [ {at: 1, x: 2} ] | match sort at { a: x > 1 b: x < 1 } select from: a.at",
};

/// Every entry of the family, in the order of the codes.
pub static ALL: &[&Explanation] = &[&MISPLACED_WINDOW, &WRONG_FRAME, &MISPLACED_SESSION, &WRONG_PATTERN];
