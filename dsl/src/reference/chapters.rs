//! The chapters, and what `%help` shows of each.

use std::fmt::Write;

use super::Reference;
use super::entries::Entry;
use crate::diagnostics;
use crate::functions::Group;

/// A chapter of the reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Chapter {
    /// Statements and heads.
    Statements,
    /// Steps.
    Steps,
    /// Types, literals and casts.
    Types,
    /// Operators and other forms of expressions.
    Operators,
    /// Aggregates.
    Aggregates,
    /// Window functions.
    Windows,
    /// Queries in SQL.
    Sql,
    /// Functions.
    Functions,
    /// Connectors.
    Connectors,
    /// Commands.
    Commands,
    /// Settings.
    Settings,
    /// Diagnostics.
    Diagnostics,
}

impl Chapter {
    /// The chapters in their order.
    pub const ALL: [Chapter; 12] = [
        Chapter::Statements,
        Chapter::Steps,
        Chapter::Types,
        Chapter::Operators,
        Chapter::Aggregates,
        Chapter::Windows,
        Chapter::Sql,
        Chapter::Functions,
        Chapter::Connectors,
        Chapter::Commands,
        Chapter::Settings,
        Chapter::Diagnostics,
    ];

    /// Its name, as `%help NAME` takes it.
    pub fn name(self) -> &'static str {
        match self {
            Chapter::Statements => "statements",
            Chapter::Steps => "steps",
            Chapter::Types => "types",
            Chapter::Operators => "operators",
            Chapter::Aggregates => "aggregates",
            Chapter::Windows => "windows",
            Chapter::Sql => "sql",
            Chapter::Functions => "functions",
            Chapter::Connectors => "connectors",
            Chapter::Commands => "commands",
            Chapter::Settings => "settings",
            Chapter::Diagnostics => "diagnostics",
        }
    }

    /// The chapter of this name.
    pub fn named(name: &str) -> Option<Chapter> {
        Chapter::ALL.into_iter().find(|chapter| chapter.name() == name)
    }

    /// Its name with a capital.
    pub fn title(self) -> String {
        let name = self.name();
        if self == Chapter::Sql {
            return name.to_uppercase();
        }
        format!("{}{}", name[..1].to_uppercase(), &name[1..])
    }

    /// What it is about, in a few sentences.
    pub fn doc(self) -> &'static str {
        match self {
            Chapter::Statements => {
                "A cell is a list of statements. `name = pipeline` defines a table, a pipeline alone shows one, live; the \
                 others begin with a word. A pipeline is a head (`read`, `rows`, `sql`, or the name of a table) and steps \
                 joined by `|`. `#` begins a comment."
            }
            Chapter::Steps => {
                "What a pipeline does with the rows, one after the other: `orders | where qty > 1 | limit 3`."
            }
            Chapter::Types => {
                "Every expression has a type before any data flows; `T?` may also be null. Only what loses nothing is \
                 converted silently: an int or decimal to float, a date to timestamp. Everything else is a cast, the \
                 type's name as a function; a value that it cannot convert is a row error."
            }
            Chapter::Operators => {
                "Loosest first: `or`, `and`, `not`, comparison, `??`, `+ -`, `* / %`, unary `-`, then `.field`, `[index]` \
                 and call. Where an operand is null the result is null, unless it says otherwise. Overflow of ints and \
                 division by zero are row errors; NaN equals NaN and is the largest number."
            }
            Chapter::Aggregates => {
                "What `summarize` makes of the rows of a group. Nulls are passed over, and every aggregate is exact when \
                 rows are taken back. Each takes a filter: `sum(qty) filter (where qty > 1)`. With `over (…)` it is a window function."
            }
            Chapter::Windows => {
                "What a row is told of the rows around it: `px - lag(px) over (by sym sort at)`. These functions and every \
                 aggregate take `over (…)` in `derive`, `select` and `where`, and are exact when rows come late or are taken \
                 back."
            }
            Chapter::Sql => {
                "`sql \"select …\"` is a head like any other: a query over the tables of the notebook, kept up to date row by row, \
                 and steps may follow it. Everything that the language promises holds there too: errors are rows, results do not \
                 depend on arrival, and what cannot be kept is refused with a reason. The text may go over several lines between \
                 `\"\"\"`."
            }
            Chapter::Functions => {
                "Functions of values, row by row. Unless it says otherwise, the result is null where an argument is null, \
                 and a call that fails is a row error: the row leaves the table and stands in its `errors`; `try(…)` \
                 gives null instead. Arguments are given by position, or by name after those: `pad_start(x, width: 3)`. \
                 What does one thing has one name; `%help` and the diagnostics know what other languages call it."
            }
            Chapter::Connectors => {
                "Where rows come from and where they go: `read connector(arguments) { schema }` and `| write \
                 connector(arguments)`. Arguments are given by position first, then by name."
            }
            Chapter::Commands => "A line that begins with `%` asks the session or tells it something.",
            Chapter::Settings => "What `set name = value` sets for the notebook.",
            Chapter::Diagnostics => {
                "What is said about a text that is wrong. Each code has a wrong example and a right one; `%help CODE` \
                 shows its page."
            }
        }
    }
}

impl Reference<'_> {
    /// A chapter: its entries, or where there are too many their names.
    pub(super) fn chapter(&self, chapter: Chapter) -> String {
        let mut text = format!("# {}\n\n{}\n\n", chapter.title(), chapter.doc());
        match chapter {
            Chapter::Functions => text.push_str(&self.function_lists()),
            Chapter::Diagnostics => {
                diagnostics::all().for_each(|entry| line(&mut text, entry.code, entry.title));
                text.push_str("\n`%help CODE` explains one of them.\n");
            }
            Chapter::Connectors => {
                self.connectors
                    .iter()
                    .for_each(|spec| line(&mut text, &super::entries::connector_name(spec), spec.summary));
                text.push_str("\n`%help NAME` explains one of them.\n");
            }
            _ => {
                text.push_str(&self.of_chapter(chapter).map(|entry| entry.text.as_str()).collect::<Vec<_>>().join("\n"))
            }
        }
        text
    }

    /// A group of functions, whole.
    pub(super) fn group(&self, group: Group) -> String {
        let entries: Vec<&str> = self.of_group(group).map(|entry| entry.text.as_str()).collect();
        format!("# Functions: {}\n\n{}\n\n{}", group.name(), group.doc(), entries.join("\n"))
    }

    /// All that has a name, by chapter.
    pub(super) fn overview(&self) -> String {
        let mut text = String::from(
            "# Tide\n\nA cell defines tables, a table is a pipeline, a pipeline alone is shown, live.\n\n",
        );
        for chapter in Chapter::ALL {
            let _ = writeln!(text, "## {}\n", chapter.title());
            match chapter {
                Chapter::Functions => text.push_str(&self.function_lists()),
                Chapter::Diagnostics => text.push_str("`%help diagnostics` lists them.\n"),
                _ => names(&mut text, self.of_chapter(chapter)),
            }
            text.push('\n');
        }
        text.push_str(
            "`%help NAME` explains one of them, `%help steps` a chapter, `%help text` a group of functions, ",
        );
        text.push_str("`%help D0201` a diagnostic.\n");
        text
    }

    fn function_lists(&self) -> String {
        let mut text = String::new();
        for group in Group::ALL {
            let _ = write!(text, "- **{}**: ", group.name());
            names(&mut text, self.of_group(group));
        }
        text
    }
}

fn names<'e>(text: &mut String, entries: impl Iterator<Item = &'e Entry>) {
    let names: Vec<String> = entries.map(|entry| format!("`{}`", entry.title)).collect();
    text.push_str(&names.join(" "));
    text.push('\n');
}

fn line(text: &mut String, name: &str, what: &str) {
    let _ = writeln!(text, "- `{name}`: {what}");
}
