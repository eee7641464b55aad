//! Rewrites the row literals of a script so that the same contents come in other steps.

use tidebook_dsl::syntax;
use tidebook_dsl::syntax::tree::{HeadKind, OperandTable, Pipeline, RowLiteral, StatementKind, StepKind, TableOperand};
use tidebook_plan::Span;

use crate::generator::Random;

/// In which steps rows come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// As the script says.
    AsWritten,
    /// Every row in a step of its own.
    RowByRow,
    /// In a random order and random steps, with rows that come and go again; a row is never taken back before it
    /// has come.
    Shuffled,
}

/// The script with its rows in other steps. `seed` decides the random choices.
pub fn rewrite(text: &str, arrival: Arrival, seed: u64) -> String {
    if arrival == Arrival::AsWritten {
        return text.to_string();
    }
    let mut literals = Literals::default();
    for statement in &syntax::parse(text).statements {
        match &statement.kind {
            StatementKind::Define { pipeline, .. } | StatementKind::Show(pipeline) => literals.pipeline(pipeline),
            // The other side of `equals` says what is right: it stays as it is.
            StatementKind::Expect(expect) => literals.pipeline(&expect.subject),
            _ => {}
        }
    }
    literals.found.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
    let mut random = Random::new(seed);
    let mut out = text.to_string();
    for (span, steps) in literals.found {
        let steps: Vec<Vec<String>> =
            steps.iter().map(|rows| rows.iter().map(|row| row.span.of(text).to_string()).collect()).collect();
        let steps = match arrival {
            Arrival::AsWritten => steps,
            Arrival::RowByRow => steps.into_iter().flatten().map(|row| vec![row]).collect(),
            Arrival::Shuffled => shuffled(&mut random, steps),
        };
        let lists: Vec<String> = steps.iter().map(|rows| format!("[ {} ]", rows.join(", "))).collect();
        out.replace_range(span.start..span.end, &format!("rows {}", lists.join(" then ")));
    }
    out
}

/// Rows of all steps at random places, each taken back only after it has come, with noise that cancels.
fn shuffled(random: &mut Random, steps: Vec<Vec<String>>) -> Vec<Vec<String>> {
    let rows: Vec<String> = steps.into_iter().flatten().collect();
    let taken_back = |row: &str| row.trim_start().strip_prefix('-').map(|row| row.trim_start().to_string());
    let mut events: Vec<(u64, String)> = Vec::new();
    // Every row that comes has a place; a row that goes takes a later place than an equal one that came.
    let mut places: Vec<(String, u64)> = Vec::new();
    for row in &rows {
        let place = random.next() >> 1;
        match taken_back(row) {
            None => {
                places.push((row.clone(), place));
                events.push((place, row.clone()));
            }
            Some(gone) => {
                let held = places.iter().position(|(other, _)| *other == gone);
                let came = held.map_or(0, |held| places.swap_remove(held).1);
                events.push((came + 1 + random.next() % (u64::MAX / 2 - came / 2), row.clone()));
            }
        }
    }
    for row in rows.iter().filter(|row| taken_back(row).is_none()) {
        if random.percent(40) {
            let came = random.next() >> 2;
            events.push((came, row.clone()));
            events.push((came + 1 + (random.next() >> 2), format!("-{row}")));
        }
    }
    events.sort();
    let mut steps: Vec<Vec<String>> = vec![Vec::new()];
    for (_, row) in events {
        let Some(last) = steps.last_mut() else { unreachable!("there is always a step") };
        if !last.is_empty() && random.percent(40) {
            steps.push(vec![row]);
        } else {
            last.push(row);
        }
    }
    steps
}

/// The row literals of pipelines, and of pipelines inside them.
#[derive(Default)]
struct Literals {
    found: Vec<(Span, Vec<Vec<RowLiteral>>)>,
}

impl Literals {
    fn pipeline(&mut self, pipeline: &Pipeline) {
        match &pipeline.head.kind {
            HeadKind::Rows(steps) => self.found.push((pipeline.head.span, steps.clone())),
            HeadKind::Nested(inner) => self.pipeline(inner),
            _ => {}
        }
        for step in &pipeline.steps {
            match &step.kind {
                StepKind::Combine { operand, .. } => self.operand(operand),
                StepKind::Join(join) => self.operand(&join.right),
                StepKind::Iterate(iterate) => self.pipeline(&iterate.body),
                _ => {}
            }
        }
    }

    fn operand(&mut self, operand: &TableOperand) {
        if let OperandTable::Pipeline(pipeline) = &operand.table {
            self.pipeline(pipeline);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: &str = "t = rows [ {a: 1}, {a: 2} ] then [ -{a: 1}, {a: 3} ]\nu = t | union (rows [ {a: 9} ])\n\
                          expect u equals rows [ {a: 2}, {a: 3}, {a: 9} ]";

    #[test]
    fn each_row_gets_a_step_and_expectations_stay() {
        let expected = "t = rows [ {a: 1} ] then [ {a: 2} ] then [ -{a: 1} ] then [ {a: 3} ]\n\
                        u = t | union (rows [ {a: 9} ])\nexpect u equals rows [ {a: 2}, {a: 3}, {a: 9} ]";
        assert_eq!(rewrite(SCRIPT, Arrival::RowByRow, 0), expected);
    }

    #[test]
    fn shuffled_rows_have_the_same_sum_and_never_go_before_they_come() {
        for seed in 0..200 {
            let text = rewrite(SCRIPT, Arrival::Shuffled, seed);
            let HeadKind::Rows(steps) = first_head(&text) else { panic!("a table of rows stays one: {text}") };
            let mut held = std::collections::BTreeMap::<String, i64>::new();
            for row in steps.iter().flatten() {
                let plain = row.span.of(&text).trim_start_matches('-').to_string();
                let count = held.entry(plain).or_default();
                *count += if row.negated { -1 } else { 1 };
                assert!(*count >= 0, "{text}");
            }
            held.retain(|_, count| *count != 0);
            let left: Vec<(String, i64)> = held.into_iter().collect();
            assert_eq!(left, vec![("{a: 2}".to_string(), 1), ("{a: 3}".to_string(), 1)], "{text}");
        }
    }

    fn first_head(text: &str) -> HeadKind {
        match syntax::parse(text).statements.into_iter().next().map(|statement| statement.kind) {
            Some(StatementKind::Define { pipeline, .. }) => pipeline.head.kind,
            other => panic!("the script begins with a definition: {other:?}"),
        }
    }
}
