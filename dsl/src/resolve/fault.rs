//! The diagnostics of names and types, each made in one place so that its words are the same everywhere.

use tidebook_plan::diagnostic::near_names;
use tidebook_plan::{ColumnType, Diagnostic, Span};

use crate::diagnostics::{names, steps};
use crate::resolve::scope::{ScopeColumn, quoted};

/// Why a statement does not resolve.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// The text is wrong here.
    Said(Box<Diagnostic>),
    /// Something that it builds on failed, and that was said there.
    Quiet,
}

impl From<Diagnostic> for Fault {
    fn from(diagnostic: Diagnostic) -> Self {
        Fault::Said(Box::new(diagnostic))
    }
}

/// What resolving gives.
pub(crate) type Resolved<T> = Result<T, Fault>;

/// "did you mean `a`?", "did you mean `a` or `b`?"; `None` without candidates.
pub(crate) fn did_you_mean(near: &[&str]) -> Option<String> {
    let quoted: Vec<String> = near.iter().map(|name| format!("`{name}`")).collect();
    let (last, before) = quoted.split_last()?;
    Some(match before {
        [] => format!("did you mean {last}?"),
        before => format!("did you mean {} or {last}?", before.join(", ")),
    })
}

/// `a`, `b` and `c`, each in backticks.
pub(crate) fn list_names<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        None => "none".to_string(),
        Some((only, [])) => only.clone(),
        Some((last, before)) => format!("{} and {last}", before.join(", ")),
    }
}

/// Adds what was likely meant, as help and as an edit; without a near name, what there is.
pub(crate) fn suggest(diagnostic: Diagnostic, name: &str, candidates: &[&str], what: &str) -> Diagnostic {
    let span = diagnostic.span;
    let near = near_names(name, candidates.iter().copied());
    match did_you_mean(&near) {
        Some(help) => {
            let fix = quoted(near[0]);
            diagnostic.with_help(help).with_edit(span, fix)
        }
        None if candidates.is_empty() => diagnostic,
        None if candidates.len() <= 12 => {
            diagnostic.with_help(format!("{what}: {}", list_names(candidates.iter().copied())))
        }
        None => diagnostic,
    }
}

/// D0203: no such column.
pub(crate) fn unknown_column(name: &str, table: Option<&str>, columns: Vec<&str>, span: Span) -> Diagnostic {
    let message = match table {
        Some(table) => format!("`{table}` has no column `{name}`"),
        None => format!("unknown column `{name}`"),
    };
    suggest(names::UNKNOWN_COLUMN.error(message, span), name, &columns, "the columns are")
}

/// D0201: no such table.
pub(crate) fn unknown_table(name: &str, tables: &[&str], span: Span) -> Diagnostic {
    suggest(names::UNKNOWN_TABLE.error(format!("unknown table `{name}`"), span), name, tables, "the tables are")
}

/// D0204: a bare name that means two columns.
pub(crate) fn ambiguous_column(name: &str, found: &[&ScopeColumn], span: Span) -> Diagnostic {
    if found.iter().filter(|column| column.qualifiers.is_empty()).count() > 1 {
        return names::AMBIGUOUS_COLUMN
            .error(format!("`{name}` is ambiguous: both sides of the join have it"), span)
            .with_help(format!(
                "name the other side, `join (…) as other`, and rename this one before: `| rename left_{name}: {name}`"
            ));
    }
    let sides: Vec<String> = found.iter().map(|column| column.full_name()).collect();
    let help = if found.iter().all(|column| !column.qualifiers.is_empty()) {
        format!("write {}", sides.iter().map(|side| format!("`{side}`")).collect::<Vec<_>>().join(" or "))
    } else {
        "give the table without a name one: `join (…) as other`".to_string()
    };
    let both = list_names(sides.iter().map(String::as_str));
    names::AMBIGUOUS_COLUMN.error(format!("`{name}` is ambiguous: it may mean {both}"), span).with_help(help)
}

/// D0205: one step gives two columns the same name.
pub(crate) fn named_twice(name: &str, span: Span) -> Diagnostic {
    names::SAME_NAME
        .error(format!("the result would hold two columns called `{name}`"), span)
        .with_help("give one of them another name")
}

/// D0205: a table may not hold two columns of one name.
pub(crate) fn two_columns(first: &ScopeColumn, second: &ScopeColumn, span: Span) -> Diagnostic {
    let name = &second.name;
    let message = if first.full_name() == second.full_name() {
        format!("the result would hold two columns called `{name}`")
    } else {
        format!(
            "the result would hold two columns called `{name}`: `{}` and `{}`",
            first.full_name(),
            second.full_name()
        )
    };
    let help = match second.qualifiers.first() {
        Some(table) => format!(
            "keep one of them with `select`, or rename one: `| rename {}: {}`",
            quoted(&format!("{table}_{name}")),
            second.full_name()
        ),
        None => "keep one of them with `select`, or give one another name".to_string(),
    };
    names::SAME_NAME.error(message, span).with_help(help)
}

/// D0211: an expression has another type than its place asks for.
pub(crate) fn wrong_type(expected: &str, found: &ColumnType, span: Span) -> Diagnostic {
    names::WRONG_TYPE.error(format!("expected {expected}, found {found}"), span)
}

/// D0401: part of the language that this build does not run.
pub(crate) fn not_available(what: &str, span: Span) -> Diagnostic {
    steps::NOT_AVAILABLE.error(format!("{what} is not available in this build"), span)
}
