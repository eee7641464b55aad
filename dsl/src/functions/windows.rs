//! What the window functions do that are no aggregates, for completion, help and the reference.

use super::AggregateDoc;

/// How a window function is told which rows it sees.
pub const OVER: AggregateDoc = AggregateDoc {
    name: "over",
    signatures: &[
        "f(e) over (by k, …)",
        "f(e) over (by k, … sort key, …)",
        "f(e) over (by k, … sort key, … last n rows)",
        "f(e) over (by k, … sort key last distance)",
    ],
    doc: "The value of a window function or an aggregate for each row, over the rows of its partition: those with the same `by` \
          (all rows without it; null is a partition). It stands in `derive`, `select` and `where`.\n\n\
          Without `sort` an aggregate sees its whole partition. With `sort` it sees the rows up to the current one and its \
          peers, those that the keys do not tell apart from it. `last 5 rows` are at most five rows, of which the current one is \
          the last. `last 10m` are the rows whose key lies at most that far before the current row's, and its peers: the one key \
          is a timestamp, date or duration with a duration, or an int or float with a number; of a row whose key is null or NaN \
          it is the peers. Rows that the keys do not tell apart stand in the order of the remaining columns, so no result \
          depends on the order of arrival; nulls sort last, with `desc` first.\n\n\
          `first(e) over (…)` and `last(e) over (…)` are the values in the first and the last row of the frame, null or not; with \
          `by` among the arguments they are the aggregates. Functions that need an order go by that of the table where `over` has \
          no `sort`. A sum that its type does not hold is a row error.\n\n\
          In a large partition a change costs with the rows whose results it may change: a few for `lag` and short frames, all \
          later ones for `row_number` and running sums. Without `sort`, rows are told anew where the value of their partition \
          changes. Running `list`, `set`, `join`, `count_distinct` and quantiles, and without `sort` lists and sums of ints and \
          decimals, read their partition whole.",
    example: "ticks = rows [ {sym: \"A\", at: @2026-01-01T00:00:01Z, px: 10.0}, {sym: \"A\", at: @2026-01-01T00:00:02Z, px: 11.0}, {sym: \"B\", at: @2026-01-01T00:00:01Z, px: 5.0} ]\n\
              moves = ticks | select sym, px, change: px - lag(px) over (by sym sort at), avg5: avg(px) over (by sym sort at last 5 rows), most: max(px) over (by sym)\n\
              expect moves equals rows [ {sym: \"A\", px: 10.0, change: null, avg5: 10.0, most: 11.0}, {sym: \"A\", px: 11.0, change: 1.0, avg5: 10.5, most: 11.0}, {sym: \"B\", px: 5.0, change: null, avg5: 5.0, most: 5.0} ]",
};

/// The window that only a key can be.
pub const SESSION: AggregateDoc = AggregateDoc {
    name: "session",
    signatures: &["summarize … by k, w: session(at: timestamp, gap: duration)"],
    doc: "The session in which a row lies, `{start: timestamp, end: timestamp}`: rows of equal other keys whose times lie less than \
          the gap apart are one session, from the first time up to the last one and the gap. It splits where the gap reaches the \
          given one. Rows that come between two sessions put them together, and rows that go split them again; such a change costs \
          what the sessions hold that it touches. Rows without a time are a group of their own, with the session null. The gap is a \
          constant, a date counts as its midnight.",
    example: "clicks = rows [ {user: \"a\", at: @2026-01-01T10:00:00Z}, {user: \"a\", at: @2026-01-01T10:20:00Z}, {user: \"a\", at: @2026-01-01T11:00:00Z} ]\n\
              visits = clicks | summarize n: count() by user, w: session(at, gap: 30m) | select user, start: w.start, end: w.end, n\n\
              expect visits equals rows [ {user: \"a\", start: @2026-01-01T10:00:00Z, end: @2026-01-01T10:50:00Z, n: 2}, {user: \"a\", start: @2026-01-01T11:00:00Z, end: @2026-01-01T11:30:00Z, n: 1} ]",
};

/// The window functions that are no aggregates.
pub const WINDOWS: &[AggregateDoc] = &[
    AggregateDoc {
        name: "lag",
        signatures: &[
            "lag(e: T) over (by k sort key) -> T?",
            "lag(e: T, n: int) over (by k sort key) -> T?",
            "lag(e: T, n: int, default: T) over (by k sort key) -> T?",
        ],
        doc: "Value of e n rows before the current one, one row where n is left out; where there is no such row the default, \
              which is computed in the current row, else null. n is a constant of 0 or more.",
        example: "t = rows [ {at: 1, x: 10}, {at: 2, x: 15}, {at: 3, x: 11} ]\n\
                  u = t | select at, before: lag(x) over (sort at), two: lag(x, 2, 0) over (sort at)\n\
                  expect u equals rows [ {at: 1, before: null, two: 0}, {at: 2, before: 10, two: 0}, {at: 3, before: 15, two: 10} ]",
    },
    AggregateDoc {
        name: "lead",
        signatures: &[
            "lead(e: T) over (by k sort key) -> T?",
            "lead(e: T, n: int) over (by k sort key) -> T?",
            "lead(e: T, n: int, default: T) over (by k sort key) -> T?",
        ],
        doc: "Value of e n rows after the current one, as `lag` looks back.",
        example: "t = rows [ {at: 1, x: 10}, {at: 2, x: 15}, {at: 3, x: 11} ]\n\
                  u = t | select at, next: lead(x) over (sort at)\n\
                  expect u equals rows [ {at: 1, next: 15}, {at: 2, next: 11}, {at: 3, next: null} ]",
    },
    AggregateDoc {
        name: "row_number",
        signatures: &["row_number() over (by k sort key) -> int"],
        doc: "Place of the row in its partition, from 1; rows that the keys do not tell apart are numbered in the order of the \
              remaining columns.",
        example: "t = rows [ {k: \"a\", x: 7}, {k: \"a\", x: 9}, {k: \"b\", x: 1} ]\n\
                  u = t | where row_number() over (by k sort x desc) == 1\n\
                  expect u equals rows [ {k: \"a\", x: 9}, {k: \"b\", x: 1} ]",
    },
    AggregateDoc {
        name: "rank",
        signatures: &["rank() over (by k sort key) -> int"],
        doc: "Place of the first row that the keys do not tell apart from this one, from 1: equal rows have one rank, and the next \
              one counts them all.",
        example: "t = rows [ {name: \"ann\", points: 9}, {name: \"bob\", points: 9}, {name: \"eve\", points: 7} ]\n\
                  u = t | select name, place: rank() over (sort points desc)\n\
                  expect u equals rows [ {name: \"ann\", place: 1}, {name: \"bob\", place: 1}, {name: \"eve\", place: 3} ]",
    },
    AggregateDoc {
        name: "dense_rank",
        signatures: &["dense_rank() over (by k sort key) -> int"],
        doc: "Number of different keys up to those of the row: equal rows have one rank, and the next one is one more.",
        example: "t = rows [ {name: \"ann\", points: 9}, {name: \"bob\", points: 9}, {name: \"eve\", points: 7} ]\n\
                  u = t | select name, place: dense_rank() over (sort points desc)\n\
                  expect u equals rows [ {name: \"ann\", place: 1}, {name: \"bob\", place: 1}, {name: \"eve\", place: 2} ]",
    },
];
