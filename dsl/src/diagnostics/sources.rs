//! D03xx: sources and sinks.

use super::Explanation;

/// No such connector.
pub static UNKNOWN_CONNECTOR: Explanation = Explanation {
    code: "D0301",
    title: "no such connector",
    text: "`read` and `write` take the name of a connector; `%help connectors` lists them.",
    wrong: "t = read toyy(\"x\")",
    right: "t = read toy(\"x\")",
};

/// An option that the connector does not have.
pub static UNKNOWN_OPTION: Explanation = Explanation {
    code: "D0302",
    title: "an option that the connector does not have",
    text: "Options are given by position first, then by name; each connector's page lists them.",
    wrong: "t = read toy(\"x\", sped: 1)",
    right: "t = read toy(\"x\", speed: 1)",
};

/// An option of the wrong kind.
pub static WRONG_OPTION: Explanation = Explanation {
    code: "D0303",
    title: "an option of the wrong kind",
    text: "The message says what the option takes.",
    wrong: "t = read toy(1)",
    right: "t = read toy(\"x\")",
};

/// A needed option is not given.
pub static MISSING_OPTION: Explanation = Explanation {
    code: "D0304",
    title: "a needed option is not given",
    text: "The connector cannot be opened without it.",
    wrong: "t = read toy()",
    right: "t = read toy(\"x\")",
};

/// Columns that cannot be told.
pub static UNDESCRIBED: Explanation = Explanation {
    code: "D0305",
    title: "columns that cannot be told",
    text: "Without a schema the connector looks at the input for its columns, and it could not. Declare \
           them: `read csv(\"a.csv\") { id: int, name: text }`.",
    wrong: "t = read toy(\"missing\")",
    right: "t = read toy(\"missing\") { id: int }",
};

/// A table that cannot be written so.
pub static WRITE_MODE: Explanation = Explanation {
    code: "D0306",
    title: "a table that cannot be written so",
    text: "`upsert` needs a key, `append` a table that never takes rows back; `changes` writes every change \
           and always works.",
    wrong: "t = rows [ {a: 1} ] | summarize n: count()\nt | write toysink(\"x\")",
    right: "t = rows [ {a: 1} ] | summarize n: count()\nt | write toysink(\"x\", mode: changes)",
};

/// A variable that is not set.
pub static MISSING_VARIABLE: Explanation = Explanation {
    code: "D0307",
    title: "a variable that is not set",
    text: "`env(\"NAME\")` reads a variable of the environment that the kernel was started in.",
    wrong: "t = read toy(env(\"TOY_MISSING\"))",
    right: "t = read toy(env(\"TOY_PATH\"))",
};

/// Every entry of the family, in the order of the codes.
pub static ALL: &[&Explanation] = &[
    &UNKNOWN_CONNECTOR,
    &UNKNOWN_OPTION,
    &WRONG_OPTION,
    &MISSING_OPTION,
    &UNDESCRIBED,
    &WRITE_MODE,
    &MISSING_VARIABLE,
];
