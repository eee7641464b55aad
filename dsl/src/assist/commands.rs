//! The `%commands`, settings and statements with their documentation: the lists that completion, inspection,
//! `%help` and the reference page read.

/// A `%command`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandDoc {
    /// Its name without `%`.
    pub name: &'static str,
    /// Its form.
    pub signature: &'static str,
    /// What it does.
    pub doc: &'static str,
    /// True if it takes the name of a table.
    pub takes_table: bool,
}

const fn command(name: &'static str, signature: &'static str, takes_table: bool, doc: &'static str) -> CommandDoc {
    CommandDoc { name, signature, doc, takes_table }
}

/// Every command.
pub static COMMANDS: &[CommandDoc] = &[
    command("tables", "%tables", false, "Lists the tables with their schemas."),
    command(
        "explain",
        "%explain [analyze] name",
        true,
        "Prints the plan of a table before and after optimisation; with `analyze`, with rows, state and time.",
    ),
    command("graph", "%graph [name]", true, "Draws the dataflow of all tables, or of one."),
    command("stats", "%stats", false, "Shows operators, rates, memory and lag, live."),
    command("errors", "%errors name", true, "Shows the rows that failed in a table."),
    command("stop", "%stop name", true, "Stops a table and what reads it."),
    command("checkpoint", "%checkpoint", false, "Makes the state durable now."),
    command(
        "help",
        "%help [topic]",
        false,
        "Explains a step, a function, a connector, a command or the code of a diagnostic.",
    ),
    command(
        "param",
        "%param name = value",
        false,
        "Gives a parameter another value than its default, whether its `param` has run already or comes later. Tools that \
         run a notebook with parameters put such lines into it; a value from the command line (`--set`) goes before.",
    ),
    command("eval", "%eval expression", false, "Computes a value."),
    command("echo", "%echo [-e] text", false, "Prints the text to standard output, with `-e` to standard error."),
    command("clear", "%clear", false, "Clears the output of the cell."),
];

/// A setting of `set`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettingDoc {
    /// Its name.
    pub name: &'static str,
    /// Its form.
    pub signature: &'static str,
    /// What it does.
    pub doc: &'static str,
}

/// Every setting.
pub static SETTINGS: &[SettingDoc] = &[
    SettingDoc { name: "workers", signature: "set workers = 4", doc: "How many worker threads compute the tables." },
    SettingDoc {
        name: "memory",
        signature: "set memory = \"8GB\"",
        doc: "How much memory the session may take; above it, the output that holds most is stopped with an error. Without it, four fifths of what the machine or the container has.",
    },
    SettingDoc {
        name: "state",
        signature: "set state = store(\"state/\", every: 30s)",
        doc: "Makes the notebook's state durable, in a folder or an object store; after a stop or a crash it goes on from there.",
    },
    SettingDoc {
        name: "embedder",
        signature: "set embedder = local()",
        doc: "The model that turns texts into vectors: `local()` (no network), `openai(…)` or `ollama(…)`.",
    },
    SettingDoc {
        name: "llm",
        signature: "set llm = openai(base_url: …, api_key: env(\"OPENAI_API_KEY\"), model: \"…\")",
        doc: "The model that `llm`, `extract`, `rerank` and `describe` ask.",
    },
];

/// A statement or a head that begins with a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatementDoc {
    /// Its first word.
    pub name: &'static str,
    /// Its form.
    pub signature: &'static str,
    /// What it does.
    pub doc: &'static str,
    /// True if it begins a table and may follow `name =`.
    pub is_head: bool,
}

const fn statement(name: &'static str, signature: &'static str, is_head: bool, doc: &'static str) -> StatementDoc {
    StatementDoc { name, signature, doc, is_head }
}

/// Every statement that begins with a word, and every head.
pub static STATEMENTS: &[StatementDoc] = &[
    statement("read", "read connector(…) { column: type key, … }", true, "The rows of a source, live."),
    statement(
        "rows",
        "rows [ {a: 1} ] then [ -{a: 1}, {a: 2} ]",
        true,
        "A table in literal steps; `-{…}` takes a row back.",
    ),
    statement("sql", "sql \"select …\"", true, "A query in SQL over the tables of the notebook."),
    statement(
        "serve",
        "serve http(\"address/path\") { column: type, … }",
        true,
        "Requests from other programs, one row each.",
    ),
    statement("param", "param name: type = value", false, "A value that can be set from outside."),
    statement("set", "set name = value", false, "A setting of the notebook."),
    statement(
        "fn",
        "fn name(x: float) -> float = x * 2.0",
        false,
        "A function that is expanded in place; one with aggregates in it is called in `summarize`.",
    ),
    statement(
        "expect",
        "expect table is empty | equals table | all condition [within d]",
        false,
        "What has to hold of a table: if it does not, the cell fails.",
    ),
    statement("reply", "reply requests with answers", false, "Sends each request's rows back, once."),
    statement("drop", "drop table, …", false, "Removes tables."),
];

/// The names of the types, with what they are.
pub(super) static TYPES: &[(&str, &str)] = &[
    ("bool", "true or false"),
    ("int", "64-bit whole number"),
    ("float", "64-bit number"),
    ("decimal", "exact number, `decimal(precision, scale)`"),
    ("text", "Unicode text"),
    ("bytes", "any bytes"),
    ("date", "a day"),
    ("timestamp", "an instant in UTC, in microseconds"),
    ("duration", "a length of time"),
    ("json", "a JSON document"),
    ("vector", "32-bit floats, `vector(384)`"),
];
