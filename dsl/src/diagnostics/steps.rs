//! D04xx: steps that this build does not run, or not here.

use super::Explanation;

/// Not part of this build.
pub static NOT_AVAILABLE: Explanation = Explanation {
    code: "D0401",
    title: "not part of this build",
    text: "The language has it, this build does not run it yet.",
    wrong: "rows [ {a: 1} ] | plot line(x: a, y: a)",
    right: "rows [ {a: 1} ]",
};

/// A step of a loop's table that depends on what happened when.
pub static NOT_IN_LOOP: Explanation = Explanation {
    code: "D0402",
    title: "a step that a loop cannot repeat",
    text: "The result of `iterate` is that of a fresh start, whenever an input changes. So its body cannot go by what \
           happened when: `changes`, `dedupe … when`, `watermark` and `emit` stand before the loop or after it, and so \
           do `asof join`, `session` and `match` of its table.",
    wrong: "t = rows [ {a: 1} ] | iterate r { r | dedupe by a when true } max 3",
    right: "t = rows [ {a: 1} ] | iterate r { r | dedupe by a keep first } max 3",
};

/// A loop whose table would change its columns.
pub static LOOP_COLUMNS: Explanation = Explanation {
    code: "D0403",
    title: "a loop that changes the columns",
    text: "What the body of `iterate` gives is the table of the next round: it has the same columns, matched by name, of the \
           same types.",
    wrong: "t = rows [ {a: 1} ] | iterate r { r | derive b: a } max 3",
    right: "t = rows [ {a: 1, b: 1} ] | iterate r { r | derive b: a } max 3",
};

/// Every entry of the family, in the order of the codes.
pub static ALL: &[&Explanation] = &[&NOT_AVAILABLE, &NOT_IN_LOOP, &LOOP_COLUMNS];
