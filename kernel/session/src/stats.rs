//! `%stats`: what runs, in words and units that people read.

use std::time::Duration;

use tidebook_engine::{EngineStats, ProgramStats, SourceStats};

use crate::markup;
use crate::memory::shown;
use crate::output::Markup;
use crate::session::Inner;

/// The engine, the sources, the outputs and what outputs share, as a list.
///
/// # Errors
/// Where the engine has failed, with why.
pub(crate) fn picture(inner: &Inner) -> Result<Markup, String> {
    let Some(engine) = &inner.engine else {
        let text = "nothing runs yet".to_string();
        return Ok(Markup { html: markup::code(&text), text });
    };
    let stats = engine.stats().map_err(|error| error.to_string())?;
    let mut rows = vec![[
        "engine".to_string(),
        counted(stats.workers, "worker"),
        [counted(stats.threads, "thread"), counted(stats.dataflows, "dataflow"), counted(stats.operators, "operator")]
            .join(", "),
    ]];
    rows.extend(stats.sources.iter().map(source));
    for running in inner.running.values() {
        let program = running.follower.as_ref().map(|follower| follower.program);
        let found = stats.programs.iter().find(|candidate| Some(candidate.id) == program);
        let (state, detail) = match (running.body.failure(), found) {
            (Some(failure), _) => ("failed".to_string(), failure),
            (None, None) => ("stopped".to_string(), String::new()),
            (None, Some(program)) => output(&stats, program),
        };
        rows.push([format!("output {}", running.label), state, detail]);
    }
    rows.extend(stats.arrangements.iter().map(|arrangement| {
        let (updates, users) = (counted(arrangement.rows, "update"), counted(arrangement.users, "dataflow"));
        let detail = format!("{updates}, {}, used by {users}", shown(arrangement.bytes));
        [format!("arrangement {}", arrangement.name), String::new(), detail]
    }));
    let rows: Vec<Vec<String>> = rows.into_iter().map(Vec::from).collect();
    Ok(markup::grid(&["what", "state", "detail"], &rows))
}

fn source(source: &SourceStats) -> [String; 3] {
    let state = match (&source.failed, source.ended) {
        (Some(failure), _) => format!("failed: {failure}"),
        (None, true) => "ended".to_string(),
        (None, false) => "live".to_string(),
    };
    let mut detail = vec![counted(source.rows, "row")];
    if source.errors > 0 {
        detail.push(counted(source.errors, "error"));
    }
    if source.held_bytes > 0 {
        detail.push(format!("{} in memory", shown(source.held_bytes)));
    }
    if source.stored_bytes > 0 {
        detail.push(format!("{} on disk", shown(source.stored_bytes)));
    }
    detail.push(format!("read by {}", counted(source.readers, "dataflow")));
    [format!("source {}", source.connector), state, detail.join(", ")]
}

fn output(stats: &EngineStats, program: &ProgramStats) -> (String, String) {
    let operators = counted(program.operators, "operator");
    match program.frontier {
        None => ("ended".to_string(), operators),
        Some(_) if program.loading => ("loading".to_string(), operators),
        // Epochs are microseconds.
        Some(frontier) => {
            let behind = Duration::from_micros((stats.epoch + 1).saturating_sub(frontier));
            ("live".to_string(), format!("{} behind, {operators}", time(behind)))
        }
    }
}

pub(crate) fn counted(count: impl TryInto<u64>, what: &str) -> String {
    let count = count.try_into().unwrap_or(u64::MAX);
    let digits = count.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{grouped} {what}{}", if count == 1 { "" } else { "s" })
}

fn time(time: Duration) -> String {
    match time.as_millis() {
        0 => "0 ms".to_string(),
        millis @ ..10_000 => format!("{millis} ms"),
        millis => format!("{} s", millis / 1_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_units_that_people_read() {
        assert_eq!(
            [counted(1, "row"), counted(0, "row"), counted(1_234_567, "row")],
            ["1 row", "0 rows", "1,234,567 rows"]
        );
        let millis = |millis| time(Duration::from_millis(millis));
        assert_eq!([millis(0), millis(42), millis(61_000)], ["0 ms", "42 ms", "61 s"]);
    }
}
