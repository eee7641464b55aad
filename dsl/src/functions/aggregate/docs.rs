//! What each aggregate does, for completion, help and the reference.

/// Documentation of an aggregate.
#[derive(Debug)]
pub struct AggregateDoc {
    /// Its name.
    pub name: &'static str,
    /// The ways to call it.
    pub signatures: &'static [&'static str],
    /// What it gives.
    pub doc: &'static str,
    /// A program that runs as it stands and whose expectation holds.
    pub example: &'static str,
}

/// The aggregates, by what they do. All of them pass over nulls, and every one takes `filter (where c)`.
pub const AGGREGATES: &[AggregateDoc] = &[
    AggregateDoc {
        name: "count",
        signatures: &["count() -> int", "count(e: any) -> int"],
        doc: "Number of rows, or of values that are not null.",
        example: "t = rows [ {k: \"a\", x: 1}, {k: \"a\", x: null}, {k: \"b\", x: 5} ]\n\
                  u = t | summarize all_rows: count(), values: count(x), large: count() filter (where x > 3) by k\n\
                  expect u equals rows [ {k: \"a\", all_rows: 2, values: 1, large: 0}, {k: \"b\", all_rows: 1, values: 1, large: 1} ]",
    },
    AggregateDoc {
        name: "count_distinct",
        signatures: &["count_distinct(e: any) -> int"],
        doc: "Number of different values that are not null. NaN equals NaN; JSON documents are equal if they differ only \
              in white space, in the order of members and in how a number is written.",
        example: "t = rows [ {user: \"ann\"}, {user: \"bob\"}, {user: \"ann\"}, {user: null} ]\n\
                  u = t | summarize users: count_distinct(user)\n\
                  expect u equals rows [ {users: 2} ]",
    },
    AggregateDoc {
        name: "approx_count_distinct",
        signatures: &["approx_count_distinct(e: any) -> int"],
        doc: "The same as `count_distinct`: a sketch could not forget rows that are taken back, so the number is exact.",
        example: "t = rows [ {user: \"ann\"}, {user: \"bob\"} ] then [ -{user: \"bob\"} ]\n\
                  u = t | summarize users: approx_count_distinct(user)\n\
                  expect u equals rows [ {users: 1} ]",
    },
    AggregateDoc {
        name: "sum",
        signatures: &[
            "sum(e: int) -> int?",
            "sum(e: float) -> float?",
            "sum(e: decimal) -> decimal?",
            "sum(e: duration) -> duration?",
        ],
        doc: "Sum of the values that are not null; null without any. Sums of floats \
              are exact and rounded once, so that they never depend \
              on the order of rows; a sum that its type does not hold is a row error.",
        example: "t = rows [ {k: \"a\", x: 1.5}, {k: \"a\", x: 2.0}, {k: \"b\", x: 4.0} ]\n\
                  u = t | summarize total: sum(x) by k\n\
                  expect u equals rows [ {k: \"a\", total: 3.5}, {k: \"b\", total: 4.0} ]",
    },
    AggregateDoc {
        name: "avg",
        signatures: &[
            "avg(e: number) -> float?",
            "avg(e: duration) -> duration?",
            "avg(e: timestamp) -> timestamp?",
            "avg(e: date) -> timestamp?",
        ],
        doc: "Mean of the values that are not null; null without any: the exact sum divided by the number of values, rounded \
              once, so that it never depends on the order of rows. The mean of durations is a duration, of timestamps and \
              dates a timestamp, to the nearest microsecond.",
        example: "t = rows [ {took: 1s}, {took: 2s}, {took: 6s} ]\n\
                  u = t | summarize mean: avg(took), seconds: avg(took / 1s)\n\
                  expect u equals rows [ {mean: 3s, seconds: 3.0} ]",
    },
    AggregateDoc {
        name: "median",
        signatures: &[
            "median(e: number) -> float?",
            "median(e: duration) -> duration?",
            "median(e: timestamp) -> timestamp?",
            "median(e: date) -> timestamp?",
        ],
        doc: "The value in the middle, or half way between the two in the middle; null without any. It is `quantile(e, 0.5)`.",
        example: "t = rows [ {x: 1}, {x: 2}, {x: 10}, {x: 40} ]\n\
                  u = t | summarize middle: median(x)\n\
                  expect u equals rows [ {middle: 6.0} ]",
    },
    AggregateDoc {
        name: "quantile",
        signatures: &[
            "quantile(e: number, fraction: float) -> float?",
            "quantile(e: duration, fraction: float) -> duration?",
            "quantile(e: timestamp, fraction: float) -> timestamp?",
            "quantile(e: date, fraction: float) -> timestamp?",
        ],
        doc: "The value below which that fraction of the values lies, interpolated between its neighbours: with n values in \
              order it stands at place fraction · (n - 1), counted from 0. The fraction is a constant from 0 to 1. Null without \
              values. NaN is larger than every number. In a large group an update costs with the logarithm of its size, not with \
              the size.",
        example: "t = rows [ {ms: 10}, {ms: 20}, {ms: 30}, {ms: 40}, {ms: 50} ]\n\
                  u = t | summarize p25: quantile(ms, 0.25), p90: quantile(ms, 0.9)\n\
                  expect u equals rows [ {p25: 20.0, p90: 46.0} ]",
    },
    AggregateDoc {
        name: "variance",
        signatures: &["variance(e: number) -> float?"],
        doc: "Variance of the sample (divided by n - 1) of the values that are not null; null below two of them. It is computed \
              from exact sums and rounded once: large values with small differences lose nothing, and the order of rows is \
              never seen. NaN where a value is NaN or infinite.",
        example: "t = rows [ {x: 1000000001}, {x: 1000000002}, {x: 1000000003} ]\n\
                  u = t | summarize v: variance(x)\n\
                  expect u equals rows [ {v: 1.0} ]",
    },
    AggregateDoc {
        name: "stddev",
        signatures: &["stddev(e: number) -> float?", "stddev(e: duration) -> duration?"],
        doc: "Standard deviation of the sample, the square root of `variance`; of durations a duration, to the nearest \
              microsecond.",
        example: "t = rows [ {x: 2.0}, {x: 4.0}, {x: 4.0}, {x: 4.0}, {x: 5.0}, {x: 5.0}, {x: 7.0}, {x: 9.0}, {x: 5.0} ]\n\
                  u = t | summarize s: stddev(x)\n\
                  expect u equals rows [ {s: 2.0} ]",
    },
    AggregateDoc {
        name: "min",
        signatures: &["min(e: T) -> T?"],
        doc: "Smallest value that is not null; null without any. Lists and records compare element by element.",
        example: "t = rows [ {x: 3}, {x: 1}, {x: 2} ] then [ -{x: 1} ]\n\
                  u = t | summarize least: min(x)\n\
                  expect u equals rows [ {least: 2} ]",
    },
    AggregateDoc {
        name: "max",
        signatures: &["max(e: T) -> T?"],
        doc: "Largest value that is not null; null without any. NaN is larger than every number. Lists and records compare \
              element by element.",
        example: "t = rows [ {k: \"a\", x: 3}, {k: \"a\", x: 7}, {k: \"b\", x: 2} ]\n\
                  u = t | summarize most: max(x) by k\n\
                  expect u equals rows [ {k: \"a\", most: 7}, {k: \"b\", most: 2} ]",
    },
    AggregateDoc {
        name: "any",
        signatures: &["any(e: bool) -> bool?"],
        doc: "True if a value is true; null if none is there.",
        example: "t = rows [ {ok: false}, {ok: true}, {ok: null} ]\n\
                  u = t | summarize some: any(ok)\n\
                  expect u equals rows [ {some: true} ]",
    },
    AggregateDoc {
        name: "all",
        signatures: &["all(e: bool) -> bool?"],
        doc: "True if no value is false; null if none is there.",
        example: "t = rows [ {ok: false}, {ok: true}, {ok: null} ]\n\
                  u = t | summarize every: all(ok)\n\
                  expect u equals rows [ {every: false} ]",
    },
    AggregateDoc {
        name: "first",
        signatures: &["first(e: T by key, …) -> T?"],
        doc: "Value of e in the first row by the keys, each `asc` (the default) or `desc`. Rows in which e or a key is null are \
              passed over; of rows with equal keys the one with the smallest e counts. After a `sort` the keys may be left out: \
              the order is that of the table.",
        example: "t = rows [ {k: \"a\", at: 2, x: 20}, {k: \"a\", at: 1, x: 10}, {k: \"b\", at: 3, x: 30} ]\n\
                  u = t | summarize opening: first(x by at) by k\n\
                  expect u equals rows [ {k: \"a\", opening: 10}, {k: \"b\", opening: 30} ]",
    },
    AggregateDoc {
        name: "last",
        signatures: &["last(e: T by key, …) -> T?"],
        doc: "Value of e in the last row by the keys. Rows in which e or a key is null are passed over; of rows with equal keys \
              the one with the largest e counts. After a `sort` the keys may be left out: the order is that of the table.",
        example: "t = rows [ {k: \"a\", at: 2, x: 20}, {k: \"a\", at: 1, x: 10}, {k: \"b\", at: 3, x: 30} ]\n\
                  u = t | summarize closing: last(x by at) by k\n\
                  expect u equals rows [ {k: \"a\", closing: 20}, {k: \"b\", closing: 30} ]",
    },
    AggregateDoc {
        name: "arg_min",
        signatures: &["arg_min(e: T, key: any) -> T?"],
        doc: "Value of e where key is smallest: `first(e by key)`.",
        example: "t = rows [ {shop: \"x\", price: 7.5}, {shop: \"y\", price: 6.0} ]\n\
                  u = t | summarize cheapest: arg_min(shop, price)\n\
                  expect u equals rows [ {cheapest: \"y\"} ]",
    },
    AggregateDoc {
        name: "arg_max",
        signatures: &["arg_max(e: T, key: any) -> T?"],
        doc: "Value of e where key is largest: `last(e by key)`.",
        example: "t = rows [ {shop: \"x\", price: 7.5}, {shop: \"y\", price: 6.0} ]\n\
                  u = t | summarize dearest: arg_max(shop, price)\n\
                  expect u equals rows [ {dearest: \"x\"} ]",
    },
    AggregateDoc {
        name: "list",
        signatures: &["list(e: T) -> [T]", "list(e: T sort by key, …) -> [T]"],
        doc: "All values that are not null, in the order of the keys, each `asc` (the default) or `desc`, and then by value; \
              an empty list without any. An update costs with the size of its group.",
        example: "t = rows [ {k: \"a\", at: 2, url: \"/cart\"}, {k: \"a\", at: 1, url: \"/\"}, {k: \"b\", at: 3, url: null} ]\n\
                  u = t | summarize visited: list(url sort by at) by k\n\
                  expect u equals rows [ {k: \"a\", visited: [\"/\", \"/cart\"]}, {k: \"b\", visited: []} ]",
    },
    AggregateDoc {
        name: "set",
        signatures: &["set(e: T) -> [T]", "set(e: T sort by key, …) -> [T]"],
        doc: "The different values that are not null, by value, or in the order in which they first stand by the keys; an empty \
              list without any. An update costs with the size of its group.",
        example: "t = rows [ {tag: \"b\"}, {tag: \"a\"}, {tag: \"b\"} ]\n\
                  u = t | summarize tags: set(tag)\n\
                  expect u equals rows [ {tags: [\"a\", \"b\"]} ]",
    },
    AggregateDoc {
        name: "join",
        signatures: &[
            "join(e: any, separator: text) -> text?",
            "join(e: any, separator: text sort by key, …) -> text?",
        ],
        doc: "All values that are not null as one text, with the separator between them, in the order of the keys and then by \
              value; null without any. What is no text is written as an f-string writes it. The separator is a constant.",
        example: "t = rows [ {n: 2, word: \"live\"}, {n: 1, word: \"stay\"} ]\n\
                  u = t | summarize motto: join(word, \" \" sort by n)\n\
                  expect u equals rows [ {motto: \"stay live\"} ]",
    },
];
