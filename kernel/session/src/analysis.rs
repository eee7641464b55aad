//! `%explain analyze`: the running plan of a table, with what each of its nodes has done and holds.

use std::time::Duration;

use tidebook_engine::{NodeStats, ProgramStats};

use crate::markup;
use crate::memory::shown;
use crate::output::Markup;
use crate::running::Running;
use crate::session::Inner;
use crate::stats::counted;

/// The plans of the running outputs that show `name`, or else of those that read it; `None` where there is none.
///
/// # Errors
/// Where the engine has failed, with why.
pub(crate) fn picture(inner: &Inner, name: &str) -> Result<Option<Markup>, String> {
    let Some(engine) = &inner.engine else { return Ok(None) };
    let programs = engine.stats().map_err(|error| error.to_string())?.programs;
    let program_of = |running: &Running| -> Option<&ProgramStats> {
        let program = running.follower.as_ref()?.program;
        programs.iter().find(|candidate| candidate.id == program)
    };
    let found = |wanted: &dyn Fn(&Running) -> bool| -> Vec<(&Running, &ProgramStats)> {
        let running = inner.running.values().filter(|running| wanted(running));
        running.filter_map(|running| Some((running, program_of(running)?))).collect()
    };
    let mut chosen = found(&|running| running.label == name);
    if chosen.is_empty() {
        chosen = found(&|running| running.tables.iter().any(|table| table == name));
    }
    if chosen.is_empty() {
        return Ok(None);
    }
    let pictures: Vec<Markup> = chosen.into_iter().map(|(running, program)| plan(&running.label, program)).collect();
    let join = |part: fn(&Markup) -> &str, gap: &str| pictures.iter().map(part).collect::<Vec<_>>().join(gap);
    Ok(Some(Markup { text: join(|markup| &markup.text, "\n\n"), html: join(|markup| &markup.html, "") }))
}

fn plan(label: &str, program: &ProgramStats) -> Markup {
    let rows: Vec<Vec<String>> = program.nodes.iter().map(node).collect();
    let grid = markup::grid(&["node", "rows", "state", "time", "step"], &rows);
    let heading = format!("the plan of {label} as it runs");
    Markup { text: format!("{heading}\n{}", grid.text), html: format!("{}{}", markup::code(&heading), grid.html) }
}

fn node(node: &NodeStats) -> Vec<String> {
    let state = match node.updates {
        0 => String::new(),
        updates => format!("{}, {}", counted(updates, "update"), shown(node.bytes)),
    };
    let (rows, time) = match node.own {
        true => (counted(node.rows, "row"), time(node.time)),
        false => ("shared".to_string(), String::new()),
    };
    vec![node.plan.clone(), rows, state, time, node.step.clone()]
}

/// With three digits or so.
fn time(time: Duration) -> String {
    let micros = time.as_micros();
    match micros {
        ..1_000 => format!("{micros} µs"),
        ..10_000_000 => format!("{} ms", micros / 1_000),
        _ => format!("{} s", micros / 1_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit_that_people_read() {
        let micros = |micros| time(Duration::from_micros(micros));
        assert_eq!([micros(7), micros(1_500), micros(12_000_000)], ["7 µs", "1 ms", "12 s"]);
    }
}
