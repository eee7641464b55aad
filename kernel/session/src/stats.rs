//! `%stats`: what runs, in words and units that people read.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use tidebook_engine::{EngineStats, ProgramId, ProgramStats, SourceStats};

use crate::memory::{held, shown};
use crate::session::Inner;

/// What, its state, and the rest.
pub(crate) type Line = [String; 3];

/// Figures that rates are told from.
pub(crate) struct Sample {
    at: Instant,
    /// Rows of each source, in the order of the sources.
    sources: Vec<u64>,
    /// Rows that each program has given.
    programs: HashMap<ProgramId, u64>,
}

impl Sample {
    fn of(stats: &EngineStats) -> Self {
        let given = |program: &ProgramStats| program.nodes.last().map_or(0, |node| node.rows);
        Sample {
            at: Instant::now(),
            sources: stats.sources.iter().map(|source| source.rows).collect(),
            programs: stats.programs.iter().map(|program| (program.id, given(program))).collect(),
        }
    }

    /// Rows a second between this sample and a later one; `None` where nothing moved.
    fn rate(&self, later: &Sample, rows: impl Fn(&Sample) -> Option<u64>) -> Option<String> {
        let came = rows(later)?.checked_sub(rows(self)?).filter(|came| *came > 0)?;
        let seconds = later.at.duration_since(self.at).as_secs_f64();
        Some(format!("{}/s", counted((came as f64 / seconds).round() as u64, "row")))
    }
}

/// The engine, the sources, the outputs and what outputs share, with the rates since `before`; and what the next rates are
/// told from.
///
/// # Errors
/// Where the engine has failed, with why.
pub(crate) fn lines(inner: &Inner, before: Option<&Sample>) -> Result<(Vec<Line>, Sample), String> {
    let Some(engine) = &inner.engine else {
        let line = ["engine".to_string(), "idle".to_string(), "nothing runs yet".to_string()];
        return Ok((vec![line], Sample::of(&EngineStats::default())));
    };
    let stats = engine.stats().map_err(|error| error.to_string())?;
    let now = Sample::of(&stats);
    let rate = |rows: &dyn Fn(&Sample) -> Option<u64>| before.and_then(|before| before.rate(&now, rows));
    let figures = [
        counted(stats.threads, "thread"),
        counted(stats.dataflows, "dataflow"),
        counted(stats.operators, "operator"),
        format!("{} in memory", shown(held())),
    ];
    let mut lines = vec![["engine".to_string(), counted(stats.workers, "worker"), figures.join(", ")]];
    for (at, found) in stats.sources.iter().enumerate() {
        lines.push(source(found, rate(&|sample| sample.sources.get(at).copied())));
    }
    for running in inner.running.values() {
        let program = running.follower.as_ref().map(|follower| follower.program);
        let found = stats.programs.iter().find(|candidate| Some(candidate.id) == program);
        let (state, mut detail) = match (running.body.failure(), found) {
            (Some(failure), _) => ("failed".to_string(), failure),
            (None, None) => ("stopped".to_string(), String::new()),
            (None, Some(program)) => output(&stats, program),
        };
        let moves = program.and_then(|id| rate(&|sample| sample.programs.get(&id).copied()));
        if let Some(moves) = moves {
            detail = format!("{moves}, {detail}");
        }
        lines.push([format!("output {}", running.label), state, detail]);
    }
    lines.extend(stats.arrangements.iter().map(|arrangement| {
        let (updates, users) = (counted(arrangement.rows, "update"), counted(arrangement.users, "dataflow"));
        let detail = format!("{updates}, {}, used by {users}", shown(arrangement.bytes));
        [format!("arrangement {}", arrangement.name), String::new(), detail]
    }));
    Ok((lines, now))
}

fn source(source: &SourceStats, rate: Option<String>) -> Line {
    let state = match (&source.failed, source.ended) {
        (Some(failure), _) => format!("failed: {failure}"),
        (None, true) => "ended".to_string(),
        (None, false) => "live".to_string(),
    };
    let mut detail = vec![counted(source.rows, "row")];
    detail.extend(rate);
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
    let mut detail = counted(program.operators, "operator");
    if program.bytes > 0 {
        detail = format!("{detail}, {} of state", shown(program.bytes));
    }
    match program.frontier {
        None => ("ended".to_string(), detail),
        Some(_) if program.loading => ("loading".to_string(), detail),
        // Epochs are microseconds.
        Some(frontier) => {
            let behind = Duration::from_micros((stats.epoch + 1).saturating_sub(frontier));
            ("live".to_string(), format!("{} behind, {detail}", time(behind)))
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
