//! D05xx: `%commands`. The session gives them, since it alone knows what is defined and what runs.

use super::Explanation;

/// No such command.
pub static UNKNOWN_COMMAND: Explanation = Explanation {
    code: "D0501",
    title: "no such command",
    text: "A line that begins with `%` is a command; `%help commands` lists them.",
    wrong: "%tabels",
    right: "%tables",
};

/// No help on this.
pub static NO_HELP: Explanation = Explanation {
    code: "D0502",
    title: "no help on this",
    text: "`%help` takes the name of a statement, a step, an aggregate, a function or a group of them, a connector, a \
           command, a setting, a type, an operator, or the code of a diagnostic.",
    wrong: "%help uper",
    right: "%help upper",
};

/// A command without its table.
pub static NEEDS_TABLE: Explanation = Explanation {
    code: "D0503",
    title: "a command without its table",
    text: "The command is about one table and needs its name.",
    wrong: "%errors",
    right: "t = rows [ {a: 1} ]\n%errors t",
};

/// A command about a table that is not there.
pub static NO_SUCH_TABLE: Explanation = Explanation {
    code: "D0504",
    title: "a command about a table that is not there",
    text: "No cell has defined a table of this name; `%tables` lists them.",
    wrong: "%explain orders",
    right: "orders = rows [ {id: 1} ]\n%explain orders",
};

/// Nothing of this table runs.
pub static NOTHING_RUNS: Explanation = Explanation {
    code: "D0505",
    title: "nothing of this table runs",
    text: "A definition runs nothing by itself: only a shown table, an expectation and a sink can be stopped. `%stats` \
           lists what runs.",
    wrong: "t = rows [ {a: 1} ]\n%stop t",
    right: "t = rows [ {a: 1} ]\n%explain t",
};

/// A command without its expression.
pub static NEEDS_EXPRESSION: Explanation = Explanation {
    code: "D0506",
    title: "a command without its expression",
    text: "`%eval` computes the value of an expression, in which no columns are in reach.",
    wrong: "%eval",
    right: "%eval 1 + 2",
};

/// A command that this build does not have.
pub static COMMAND_NOT_AVAILABLE: Explanation = Explanation {
    code: "D0507",
    title: "a command that this build does not have",
    text: "The language has it, this build does not run it yet.",
    wrong: "%checkpoint",
    right: "%stats",
};

/// Every entry of the family, in the order of the codes.
pub static ALL: &[&Explanation] = &[
    &UNKNOWN_COMMAND,
    &NO_HELP,
    &NEEDS_TABLE,
    &NO_SUCH_TABLE,
    &NOTHING_RUNS,
    &NEEDS_EXPRESSION,
    &COMMAND_NOT_AVAILABLE,
];
