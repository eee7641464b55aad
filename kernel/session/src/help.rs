//! `%help`: one page for each step, function, connector, command and diagnostic, from the same values that the checks use.

use tidebook_dsl::Environment;
use tidebook_dsl::assist::{COMMANDS, SETTINGS, STATEMENTS};
use tidebook_dsl::diagnostics;
use tidebook_dsl::functions::{self, Function};
use tidebook_dsl::syntax::steps::{STEPS, StepDoc};
use tidebook_plan::connector::{ConnectorSpec, Direction, OptionSpec};

use crate::markup;
use crate::output::Markup;
use crate::session::Session;

/// The page on `topic`; the list of topics for an empty one.
pub(crate) fn topic(session: &Session, topic: &str) -> Option<Markup> {
    let text = if topic.is_empty() { overview(session) } else { page(session, topic)? };
    Some(Markup { html: markup::code(&text), text })
}

fn page(session: &Session, topic: &str) -> Option<String> {
    if matches!(topic, "statements" | "steps" | "aggregates" | "functions" | "connectors" | "commands" | "topics") {
        return Some(overview(session));
    }
    if let Some(explanation) = diagnostics::explain(topic) {
        return Some(explanation.to_markdown());
    }
    let mut parts: Vec<String> = STEPS.iter().filter(|step| step.name == topic).map(step).collect();
    parts.extend(functions::functions().filter(|entry| entry.name == topic).map(function));
    parts.extend(session.world.connectors().into_iter().filter(|spec| spec.name == topic).map(connector));
    let name = topic.trim_start_matches('%');
    let commands = COMMANDS.iter().filter(|command| command.name == name);
    parts.extend(commands.map(|command| format!("{}\n\n{}", command.signature, command.doc)));
    parts.extend(STATEMENTS.iter().filter(|s| s.name == topic).map(|s| format!("{}\n\n{}", s.signature, s.doc)));
    parts.extend(SETTINGS.iter().filter(|s| s.name == topic).map(|s| format!("{}\n\n{}", s.signature, s.doc)));
    let aggregates = functions::AGGREGATES.iter().filter(|aggregate| aggregate.name == topic);
    parts.extend(aggregates.map(|aggregate| format!("{}\n\n{}", aggregate.signatures.join("\n"), aggregate.doc)));
    if parts.is_empty() { None } else { Some(parts.join("\n\n")) }
}

/// A step's page.
pub(crate) fn step(step: &StepDoc) -> String {
    format!("{}\n\n{}\n\nexample:\n  {}", step.signature, step.doc, step.example.replace('\n', "\n  "))
}

/// A function's page.
pub(crate) fn function(function: &Function) -> String {
    let examples: Vec<String> =
        function.examples.iter().map(|(expression, result)| format!("  {expression}  →  {result}")).collect();
    format!("{}\n\n{}\n\nexamples:\n{}", function.signatures().join("\n"), function.doc, examples.join("\n"))
}

/// A connector's page.
pub(crate) fn connector(spec: &ConnectorSpec) -> String {
    let verb = match spec.direction {
        Direction::Source => "read",
        Direction::Sink => "write",
    };
    let mut text = format!("{verb} {}(…): {}\n\n{}\n", spec.name, spec.summary, spec.doc.trim());
    if !spec.options.is_empty() {
        text.push_str("\noptions:\n");
        spec.options.iter().for_each(|spec| text.push_str(&option(spec)));
    }
    if !spec.examples.is_empty() {
        text.push_str("\nexamples:\n");
        spec.examples.iter().for_each(|example| text.push_str(&format!("  {example}\n")));
    }
    text
}

fn option(spec: &OptionSpec) -> String {
    let default = match &spec.default {
        Some(default) => format!(" (default {default:?})"),
        None if spec.required => " (required)".to_string(),
        None => String::new(),
    };
    format!("  {}: {}{default}\n", spec.name, spec.doc)
}

fn overview(session: &Session) -> String {
    let mut text =
        String::from("Tide: a cell defines tables, a table is a pipeline, a bare pipeline is shown, live.\n");
    text.push_str("\nstatements\n");
    text.push_str(&wrapped(STATEMENTS.iter().map(|statement| statement.name)));
    text.push_str("\nsteps\n");
    text.push_str(&wrapped(STEPS.iter().map(|step| step.name)));
    text.push_str("\naggregates\n");
    text.push_str(&wrapped(functions::AGGREGATES.iter().map(|aggregate| aggregate.name)));
    text.push_str("\nfunctions\n");
    text.push_str(&wrapped(functions::functions().map(|function| function.name)));
    text.push_str("\nconnectors\n");
    for spec in session.world.connectors() {
        let verb = if spec.direction == Direction::Source { "read" } else { "write" };
        text.push_str(&format!("  {verb} {}: {}\n", spec.name, spec.summary));
    }
    text.push_str("\ncommands\n");
    for command in COMMANDS {
        text.push_str(&format!("  {}: {}\n", command.signature, command.doc));
    }
    text.push_str("\n`%help NAME` explains one of them, `%help D0201` a diagnostic.\n");
    text
}

/// Words in lines of at most 100 characters.
fn wrapped<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let mut text = String::new();
    let mut line = String::from(" ");
    for word in words {
        if line.len() + word.len() + 2 > 100 {
            text.push_str(&line);
            text.push('\n');
            line = String::from(" ");
        }
        line.push(' ');
        line.push_str(word);
        line.push(',');
    }
    text.push_str(line.trim_end_matches(','));
    text.push('\n');
    text
}
