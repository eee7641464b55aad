//! D06xx: what is right and likely not meant. These are warnings: the statement runs.

use super::Explanation;

/// `a == null`.
pub static NULL_COMPARED: Explanation = Explanation {
    code: "D0601",
    title: "a comparison with null",
    text: "Null is the absence of a value: a comparison with it is null, not true, so `where` keeps no row. `is null` and \
           `is not null` ask whether there is a value.",
    wrong: "t = rows [ {a: 1}, {a: null} ] | where a == null",
    right: "t = rows [ {a: 1}, {a: null} ] | where a is null",
};

/// A column and a parameter of one name.
pub static HIDDEN_PARAMETER: Explanation = Explanation {
    code: "D0602",
    title: "a column hides a parameter",
    text: "Where a column is called like a parameter, the name means the column. Rename one of them if the parameter is \
           meant.",
    wrong: "param least: int = 2\nt = rows [ {a: 1, least: 5} ] | where a > least",
    right: "param lowest: int = 2\nt = rows [ {a: 1, least: 5} ] | where a > lowest",
};

/// `2026-01-01`.
pub static BARE_DATE: Explanation = Explanation {
    code: "D0603",
    title: "a date without `@`",
    text: "Without `@` a date is two subtractions: 2026 less 1, less 1. A date is written `@2026-01-01`, a timestamp \
           `@2026-01-01T10:00:00Z`.",
    wrong: "t = rows [ {a: 2026-01-01} ]",
    right: "t = rows [ {a: @2026-01-01} ]",
};

/// `"hello {name}"`.
pub static BARE_BRACES: Explanation = Explanation {
    code: "D0604",
    title: "braces in a text that is no f-string",
    text: "Only in an f-string does a name in braces stand for its value: `f\"hello {name}\"`. In any other text the braces \
           are what they look like; `\\{` says that they are meant.",
    wrong: "t = rows [ {name: \"ann\"} ] | derive greeting: \"hello {name}\"",
    right: "t = rows [ {name: \"ann\"} ] | derive greeting: f\"hello {name}\"",
};

/// Every entry of the family, in the order of the codes.
pub static ALL: &[&Explanation] = &[&NULL_COMPARED, &HIDDEN_PARAMETER, &BARE_DATE, &BARE_BRACES];
