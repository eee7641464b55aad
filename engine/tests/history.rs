//! Operators whose rows depend on what happened when: what they give step by step, and what later programs read of it.

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_schema::DataType;
use datafusion_common::ScalarValue;
use datafusion_expr::Operator as Binary;
use support::source::{Pen, Scripted, get, source_types};
use support::*;
use tidebook_engine::EngineError;
use tidebook_plan::connector::Contents;
use tidebook_plan::flow::{FlowBuilder, FlowPlan, HistoryId, Operator};
use tidebook_plan::{Fingerprint, Span};

const ROWS: HistoryId = HistoryId(Fingerprint(7));
const ERRORS: HistoryId = HistoryId(Fingerprint(8));

fn error_types() -> Vec<DataType> {
    source_types().into_iter().chain([DataType::Utf8, DataType::Utf8]).collect()
}

/// One row for each text; a new number takes the place of the kept one where `6 / (new - kept) < 2`.
fn keeping() -> FlowPlan {
    let mut b = FlowBuilder::default();
    let input = get(&mut b, "numbers", vec![]);
    let quotient = binary(literal(int(6)), Binary::Divide, binary(column(0), Binary::Minus, column(2)));
    let condition = fallible(binary(quotient, Binary::Lt, literal(int(2))));
    let dedupe = Operator::Dedupe { input, keys: vec![1], condition };
    let kept = b.add(dedupe, source_types(), Span::default(), "dedupe");
    let failed = b.add(Operator::Errors { of: kept }, error_types(), Span::default(), "errors");
    let rows = b.add(Operator::Hold { input: kept, history: ROWS }, source_types(), Span::default(), "held");
    let errors = b.add(Operator::Hold { input: failed, history: ERRORS }, error_types(), Span::default(), "held");
    b.finish(vec![rows, errors])
}

fn reading() -> FlowPlan {
    let mut b = FlowBuilder::default();
    let rows = b.add(Operator::Held { history: ROWS }, source_types(), Span::default(), "held");
    let errors = b.add(Operator::Held { history: ERRORS }, error_types(), Span::default(), "held");
    b.finish(vec![rows, errors])
}

/// What [`keeping`] means.
#[derive(Default)]
struct Reference {
    contents: BTreeMap<String, BTreeMap<i64, i64>>,
    kept: BTreeMap<String, i64>,
    failed: BTreeMap<String, BTreeMap<i64, i64>>,
}

impl Reference {
    fn offer(&mut self, key: &str, value: i64) {
        match self.kept.get(key) {
            None => drop(self.kept.insert(key.to_string(), value)),
            Some(kept) if value == *kept => {
                *self.failed.entry(key.to_string()).or_default().entry(value).or_default() += 1;
            }
            Some(kept) if 6 / (value - kept) < 2 => drop(self.kept.insert(key.to_string(), value)),
            Some(_) => {}
        }
    }

    fn change(&mut self, changes: &[(String, i64, i64)]) {
        let mut net: BTreeMap<(String, i64), i64> = BTreeMap::new();
        changes.iter().for_each(|(key, value, diff)| *net.entry((key.clone(), *value)).or_default() += diff);
        for ((key, value), diff) in &net {
            let count = self.contents.entry(key.clone()).or_default().entry(*value).or_default();
            *count += diff;
            (0..*diff).for_each(|_| self.offer(key, *value));
        }
        let touched: Vec<String> = net.iter().filter(|(_, diff)| **diff < 0).map(|((key, _), _)| key.clone()).collect();
        for key in touched.into_iter().collect::<std::collections::BTreeSet<_>>() {
            let standing = self.contents[&key].clone();
            let stands = |value: &i64| standing.get(value).copied().unwrap_or(0);
            if self.kept.get(&key).is_some_and(|kept| stands(kept) == 0) {
                self.kept.remove(&key);
                self.failed.remove(&key);
                for (value, count) in &standing {
                    (0..*count).for_each(|_| self.offer(&key, *value));
                }
            } else if let Some(failed) = self.failed.get_mut(&key) {
                failed.iter_mut().for_each(|(value, count)| *count = (*count).min(stands(value)));
            }
        }
    }

    fn rows(&self) -> Multiset {
        multiset(self.kept.iter().map(|(key, value)| (vec![int(*value), text(key)], 1)))
    }

    fn errors(&self) -> Multiset {
        let rows = self.failed.iter().flat_map(|(key, values)| values.iter().map(move |(value, n)| (key, value, n)));
        let told = |key: &str, value: i64| vec![int(value), text(key), text("division by zero"), text("dedupe")];
        multiset(rows.map(|(key, value, n)| (told(key, *value), *n)))
    }
}

struct Table {
    pen: Pen,
    contents: Vec<(String, i64)>,
}

impl Table {
    fn change(&mut self, random: &mut Random, reference: &mut Reference) {
        let mut changes = Vec::new();
        for _ in 0..random.below(5) + 1 {
            if !self.contents.is_empty() && random.below(3) == 0 {
                let place = random.below(self.contents.len() as u64) as usize;
                let (key, value) = self.contents.swap_remove(place);
                changes.push((key, value, -1));
            } else {
                let (key, value) = (random.pick(&["a", "b", "c"]).to_string(), random.below(9) as i64);
                self.contents.push((key.clone(), value));
                changes.push((key, value, 1));
            }
        }
        let rows: Vec<(Row, i64)> =
            changes.iter().map(|(key, value, diff)| (vec![int(*value), text(key)], *diff)).collect();
        self.pen.batch(None, &rows, 0);
        reference.change(&changes);
    }
}

#[test]
fn what_was_kept_is_held_for_whoever_comes_later() {
    for seed in 1..=12 {
        let mut random = Random(seed * 7_919);
        let source = Scripted::new("numbers", Contents::Held);
        let mut table = Table { pen: source.pen(), contents: Vec::new() };
        let engine = engine_with(1 + (seed % 2) as usize, vec![Arc::new(source)]);
        let mut reference = Reference::default();
        let mut programs = engine.install(vec![keeping(), reading()]).expect("a program");
        let mut readers = vec![Follower::new(programs.remove(1), 2)];
        for round in 0..40 {
            table.change(&mut random, &mut reference);
            if round % 13 == 12 {
                let late = engine.install(vec![reading()]).expect("a program").remove(0);
                readers.push(Follower::new(late, 2));
            }
            for reader in &mut readers {
                let ports = reader.catch_up(&engine);
                assert_eq!(listed(&ports[0]), listed(&reference.rows()), "seed {seed}, round {round}");
                assert_eq!(listed(&ports[1]), listed(&reference.errors()), "seed {seed}, round {round}");
            }
        }
        engine.shutdown();
    }
}

#[test]
fn changes_are_told_once_an_epoch_and_begin_with_the_contents() {
    let source = Scripted::new("numbers", Contents::Held);
    let pen = source.pen();
    let engine = engine_with(2, vec![Arc::new(source)]);
    let row = |value: i64, key: &str| vec![int(value), text(key)];
    let mut shown = {
        let mut b = FlowBuilder::default();
        let input = get(&mut b, "numbers", vec![]);
        Follower::new(engine.install(vec![b.finish(vec![input])]).expect("a program").remove(0), 1)
    };
    pen.batch(None, &[(row(1, "a"), 1), (row(2, "a"), 2), (row(3, "b"), 1)], 0);
    shown.catch_up(&engine);
    pen.batch(None, &[(row(3, "b"), -1)], 0);
    shown.catch_up(&engine);
    let types: Vec<DataType> = source_types().into_iter().chain([DataType::Int64, DataType::Int64]).collect();
    let plan = {
        let mut b = FlowBuilder::default();
        let input = get(&mut b, "numbers", vec![]);
        let changes = b.add(Operator::Changes { input }, types.clone(), Span::default(), "changes");
        let held = b.add(Operator::Hold { input: changes, history: ROWS }, types, Span::default(), "held");
        b.finish(vec![held])
    };
    let mut history = Follower::new(engine.install(vec![plan]).expect("a program").remove(0), 1);
    history.catch_up(&engine);
    pen.batch(None, &[(row(1, "a"), -1), (row(4, "c"), 1), (row(4, "c"), -1), (row(2, "a"), -1)], 0);
    let told = history.catch_up(&engine)[0].clone();
    let mut epochs: Vec<i64> = Vec::new();
    let mut found = Vec::new();
    for (row, count) in told.values() {
        let (ScalarValue::Int64(Some(epoch)), ScalarValue::Int64(Some(diff))) = (&row[2], &row[3]) else {
            panic!("epoch and difference are ints: {row:?}")
        };
        assert_eq!(*count, 1);
        epochs.push(*epoch);
        found.push((*epoch, format!("{} {}", row[0], row[1]), *diff));
    }
    epochs.sort_unstable();
    epochs.dedup();
    assert_eq!(epochs.len(), 2);
    found.sort();
    let found: Vec<_> = found.into_iter().map(|(epoch, row, diff)| (epoch == epochs[0], row, diff)).collect();
    let expected = [(true, "1 a", 1), (true, "2 a", 2), (false, "1 a", -1), (false, "2 a", -1)];
    assert_eq!(found, expected.map(|(first, row, diff)| (first, row.to_string(), diff)));
    engine.shutdown();
}

#[test]
fn a_history_that_nobody_keeps_is_refused() {
    let engine = engine(1);
    let error = engine.install(vec![reading()]).expect_err("nobody keeps it");
    assert!(matches!(error, EngineError::Plan(message) if message.contains("no program keeps")));
    engine.shutdown();
}
