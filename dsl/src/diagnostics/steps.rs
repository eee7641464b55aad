//! D04xx: steps that this build does not run yet, or not so.

use super::Explanation;

/// Not part of this build.
pub static NOT_AVAILABLE: Explanation = Explanation {
    code: "D0401",
    title: "not part of this build",
    text: "The language has it, this build does not run it yet.",
    wrong: "t = rows [ {a: 1} ] | iterate r { r | distinct }",
    right: "t = rows [ {a: 1} ] | distinct",
};

/// Every entry of the family, in the order of the codes.
pub static ALL: &[&Explanation] = &[&NOT_AVAILABLE];
