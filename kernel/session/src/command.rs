//! `%commands`: questions about the session, and a few orders.

use tidebook_dsl::assist::COMMANDS;
use tidebook_dsl::compile::{CompiledStatement, OutputText, StatementKind};
use tidebook_dsl::diagnostics::{Explanation, commands};
use tidebook_plan::diagnostic::near_names;
use tidebook_plan::{Diagnostic, Span};

use crate::analysis;
use crate::compile::{evaluate, explain as explain_table, recompile};
use crate::help;
use crate::markup;
use crate::output::{CellOutput, CellRequest, Markup, Stream};
use crate::running::Running;
use crate::session::{Inner, OutputId, Session};

/// Why a command did not do its work.
pub(crate) enum CommandFault {
    /// The text is wrong.
    Text(Box<Diagnostic>),
    /// The engine refused.
    Runtime(String),
}

impl CommandFault {
    fn text(fault: &Explanation, message: String, span: Span, help: &str) -> Self {
        CommandFault::Text(Box::new(fault.error(message, span).with_help(help)))
    }
}

/// The output that a command stands for, if it is one that shows a table.
pub(crate) fn as_output(
    statement: &CompiledStatement,
    request: &CellRequest,
    session: &Session,
) -> Option<Result<StatementKind, Vec<Diagnostic>>> {
    let StatementKind::Command { name, args } = &statement.kind else { return None };
    if name != "errors" || args.trim().is_empty() {
        return None;
    }
    let text = format!("{}.errors", args.trim());
    let span = Span::new(0, text.len());
    let source = OutputText { cell: request.cell.clone(), text: text.into(), span };
    let compiled = recompile(&source, &session.catalog(), &session.world);
    Some(compiled.map_err(|diagnostics| {
        diagnostics
            .into_iter()
            .map(|diagnostic| Diagnostic { span: statement.span, edit: None, ..diagnostic })
            .collect()
    }))
}

/// What a command says of the definitions alone.
pub(crate) enum Answer {
    /// Something to show.
    Markup(Markup),
    /// A value.
    Value(String),
    /// A page of the manual.
    Page(Markup),
}

/// What a command says, if the definitions alone tell; `None` for one that asks or changes what runs.
///
/// # Errors
/// Where the command is wrong.
pub(crate) fn answer(
    session: &Session,
    name: &str,
    arguments: &str,
    span: Span,
) -> Result<Option<Answer>, CommandFault> {
    let arguments = arguments.trim();
    Ok(Some(match name {
        "stats" | "stop" | "echo" | "clear" => return Ok(None),
        "tables" => Answer::Markup(tables(session)),
        "explain" if analysed(session, arguments).is_some() => return Ok(None),
        "explain" => Answer::Markup(explain(session, arguments, span)?),
        "eval" => Answer::Value(eval(session, arguments, span)?),
        "help" => match help::topic(session, arguments) {
            Ok(page) => Answer::Page(page),
            Err(help) => {
                let message = format!("there is no help on `{arguments}`");
                return Err(CommandFault::text(&commands::NO_HELP, message, span, &help));
            }
        },
        "errors" => {
            let message = "`%errors` needs the name of a table".to_string();
            return Err(CommandFault::text(&commands::NEEDS_TABLE, message, span, "write `%errors NAME`"));
        }
        "graph" => return Err(not_available("%graph", span, "`%explain NAME` prints a plan as text")),
        "checkpoint" => {
            return Err(not_available("%checkpoint", span, "every run begins anew; `write` keeps what a table holds"));
        }
        unknown => {
            let near = near_names(unknown, COMMANDS.iter().map(|command| command.name));
            let help = match near.first() {
                Some(name) => format!("did you mean `%{name}`?"),
                None => "`%help` lists the commands".to_string(),
            };
            return Err(CommandFault::text(
                &commands::UNKNOWN_COMMAND,
                format!("unknown command `%{unknown}`"),
                span,
                &help,
            ));
        }
    }))
}

/// Runs a command of a cell that is not an output.
pub(crate) fn run(
    session: &Session,
    inner: &mut Inner,
    output: &dyn CellOutput,
    cell: &str,
    (name, arguments): (&str, &str),
    span: Span,
) -> Result<(), CommandFault> {
    match answer(session, name, arguments, span)? {
        Some(Answer::Markup(markup)) => output.markup(markup),
        Some(Answer::Value(value)) => output.value(&value),
        Some(Answer::Page(page)) => output.page(page),
        None => act(session, inner, output, cell, (name, arguments.trim()), span)?,
    }
    Ok(())
}

/// Runs a command that asks or changes what runs.
fn act(
    session: &Session,
    inner: &mut Inner,
    output: &dyn CellOutput,
    cell: &str,
    (name, arguments): (&str, &str),
    span: Span,
) -> Result<(), CommandFault> {
    match name {
        "stats" => output.view(inner.show_stats(cell).map_err(CommandFault::Runtime)?),
        "explain" => analyze(session, inner, output, arguments, span)?,
        "stop" => stop(session, inner, arguments, span)?,
        "clear" => output.clear(false),
        _ => match arguments.strip_prefix("-e").filter(|rest| rest.is_empty() || rest.starts_with(' ')) {
            Some(rest) => output.stream(Stream::Err, &format!("{}\n", rest.trim_start())),
            None => output.stream(Stream::Out, &format!("{arguments}\n")),
        },
    }
    Ok(())
}

fn tables(session: &Session) -> Markup {
    let catalog = session.catalog();
    let rows: Vec<Vec<String>> = catalog
        .tables()
        .into_iter()
        .map(|table| {
            let state = table.broken.map_or_else(|| table.schema.to_string(), |why| format!("broken: {why}"));
            let from = table.reads.iter().chain(&table.sources).cloned().collect::<Vec<_>>().join(", ");
            vec![table.name, state, from]
        })
        .collect();
    match rows.is_empty() {
        true => Markup { text: "no tables yet".to_string(), html: markup::code("no tables yet") },
        false => markup::grid(&["table", "columns", "reads"], &rows),
    }
}

fn not_available(what: &str, span: Span, help: &str) -> CommandFault {
    CommandFault::text(&commands::COMMAND_NOT_AVAILABLE, format!("`{what}` is not available in this build"), span, help)
}

fn explain(session: &Session, name: &str, span: Span) -> Result<Markup, CommandFault> {
    let catalog = session.catalog();
    if name.is_empty() {
        let message = "`%explain` needs the name of a table".to_string();
        return Err(CommandFault::text(&commands::NEEDS_TABLE, message, span, "write `%explain NAME`"));
    }
    let Some(explanation) = explain_table(name, &catalog) else {
        return Err(unknown_table(session, name, span));
    };
    let text = format!(
        "logical plan\n{}\n\noptimised plan\n{}\n\nflow plan\n{}",
        explanation.logical.trim_end(),
        explanation.optimised.trim_end(),
        explanation.flow.trim_end()
    );
    Ok(Markup { html: markup::code(&text), text })
}

/// The table in `%explain analyze NAME`. A table may be called `analyze`.
fn analysed<'a>(session: &Session, arguments: &'a str) -> Option<&'a str> {
    let name = arguments.strip_prefix("analyze")?;
    let named = name.is_empty() || name.starts_with(char::is_whitespace);
    (named && session.catalog().table(arguments).is_none()).then(|| name.trim())
}

fn analyze(
    session: &Session,
    inner: &Inner,
    output: &dyn CellOutput,
    arguments: &str,
    span: Span,
) -> Result<(), CommandFault> {
    let name = analysed(session, arguments).unwrap_or_default();
    if name.is_empty() {
        let message = "`%explain analyze` needs the name of a table".to_string();
        return Err(CommandFault::text(&commands::NEEDS_TABLE, message, span, "write `%explain analyze NAME`"));
    }
    match analysis::picture(inner, name).map_err(CommandFault::Runtime)? {
        Some(markup) => output.markup(markup),
        None if session.catalog().table(name).is_none() => return Err(unknown_table(session, name, span)),
        None => {
            let message = format!("no output of `{name}` runs, so there is nothing to analyse");
            let help = format!("show it first: `{name}`");
            return Err(CommandFault::text(&commands::NOTHING_RUNS, message, span, &help));
        }
    }
    Ok(())
}

fn unknown_table(session: &Session, name: &str, span: Span) -> CommandFault {
    let tables = session.catalog().tables();
    let near = near_names(name, tables.iter().map(|table| table.name.as_str()));
    let help = match near.first() {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`%tables` lists the tables".to_string(),
    };
    CommandFault::text(&commands::NO_SUCH_TABLE, format!("there is no table `{name}`"), span, &help)
}

fn stop(session: &Session, inner: &mut Inner, name: &str, span: Span) -> Result<(), CommandFault> {
    let reads = |running: &Running| running.label == name || running.tables.iter().any(|table| table == name);
    let chosen = inner.running.iter().filter(|(_, running)| name.is_empty() || reads(running));
    let chosen: Vec<OutputId> = chosen.map(|(id, _)| *id).collect();
    if chosen.is_empty() && !name.is_empty() {
        if session.catalog().table(name).is_none() {
            return Err(unknown_table(session, name, span));
        }
        return Err(CommandFault::text(
            &commands::NOTHING_RUNS,
            format!("no output of `{name}` runs"),
            span,
            "`%stats` lists what runs",
        ));
    }
    inner.stop(&chosen);
    Ok(())
}

fn eval(session: &Session, text: &str, span: Span) -> Result<String, CommandFault> {
    if text.is_empty() {
        let message = "`%eval` needs an expression".to_string();
        return Err(CommandFault::text(&commands::NEEDS_EXPRESSION, message, span, "write `%eval 1 + 2`"));
    }
    evaluate(text, &session.catalog(), &session.world).map_err(|diagnostics| {
        let first = diagnostics.into_iter().next();
        let diagnostic =
            first.unwrap_or_else(|| commands::NEEDS_EXPRESSION.error("this expression has no value", span));
        CommandFault::Text(Box::new(Diagnostic { span, edit: None, labels: Vec::new(), ..diagnostic }))
    })
}
