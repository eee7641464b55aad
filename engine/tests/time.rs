//! Watermarks and gates against a plain reference, epoch by epoch.

mod support;

use std::collections::BTreeMap;

use arrow_schema::{DataType, TimeUnit};
use datafusion_common::ScalarValue;
use support::*;
use tidebook_plan::flow::{FlowBuilder, FlowPlan, Gate, NodeId, Operator, SumFunction, WatermarkInput};
use tidebook_plan::{Fingerprint, Span};

const WINDOW: i64 = 10;

fn instant() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

fn at(value: i64) -> ScalarValue {
    ScalarValue::TimestampMicrosecond(Some(value), Some("UTC".into()))
}

/// Instant, end of its window, key.
fn row_types() -> Vec<DataType> {
    vec![instant(), instant(), DataType::Int64]
}

/// An instant and a key, with a difference.
type Change = (i64, i64, i64);

fn end_of(instant: i64) -> i64 {
    instant.div_euclid(WINDOW) * WINDOW + WINDOW
}

fn row(instant: i64, key: i64) -> Row {
    vec![at(instant), at(end_of(instant)), int(key)]
}

fn add_step(b: &mut FlowBuilder, operator: Operator, types: Vec<DataType>) -> NodeId {
    b.add(operator, types, Span::default(), "step")
}

/// How the plan and its reference are set.
#[derive(Clone, Debug)]
struct Setting {
    delays: Vec<i64>,
    late: i64,
    keep: i64,
}

/// Outputs: the rows; counts by window given once; live counts that are kept for a while; late rows; what was taken back
/// too late.
fn plan(inputs: &[Vec<Vec<Change>>], setting: &Setting) -> FlowPlan {
    let mut b = FlowBuilder::default();
    let constants: Vec<NodeId> = inputs
        .iter()
        .enumerate()
        .map(|(number, steps)| {
            let rows = |step: &Vec<Change>| step.iter().map(|(i, key, diff)| (row(*i, *key), *diff)).collect();
            let mut steps: Vec<Vec<Vec<(Row, i64)>>> = steps.iter().map(|step| vec![rows(step)]).collect();
            // Inputs with the same rows are different inputs.
            steps[0].push(vec![(row(-1_000 - number as i64, 0), 1), (row(-1_000 - number as i64, 0), -1)]);
            constant(&mut b, &row_types(), &steps)
        })
        .collect();
    let marked = constants.iter().zip(&setting.delays);
    let marked =
        marked.map(|(input, delay)| WatermarkInput { input: *input, column: 0, delay: *delay, idle: i64::MAX });
    let watermark = Operator::Watermark { inputs: marked.collect() };
    let watermark = add_step(&mut b, watermark, vec![instant()]);
    let union = Operator::Union { inputs: constants.iter().map(|input| (*input, false)).collect() };
    let rows = add_step(&mut b, union, row_types());
    let statement = Fingerprint(1);
    let gate = |b: &mut FlowBuilder, input, types, closes, late, gate| {
        add_step(b, Operator::Gate { input, watermark, closes, late, gate, statement }, types)
    };
    let counts = [instant(), DataType::Int64, DataType::Int64].to_vec();
    let count = |b: &mut FlowBuilder, input| {
        let aggregates = vec![aggregate(SumFunction::CountRows, None, DataType::Int64)];
        add_step(b, Operator::Reduce { input, keys: vec![1, 2], aggregates }, counts.clone())
    };
    let in_time = gate(&mut b, rows, row_types(), 1, setting.late, Gate::Forget);
    let counted = count(&mut b, in_time);
    let once = gate(&mut b, counted, counts.clone(), 0, setting.late, Gate::Final);
    let kept = gate(&mut b, rows, row_types(), 1, setting.keep, Gate::Forget);
    let counted = count(&mut b, kept);
    let live = gate(&mut b, counted, counts.clone(), 0, setting.keep, Gate::Open);
    let late = gate(&mut b, rows, row_types(), 1, setting.late, Gate::Late);
    let late = add_step(&mut b, Operator::Balance { input: late }, row_types());
    let error_types = row_types().into_iter().chain([DataType::Utf8, DataType::Utf8]).collect();
    let errors = add_step(&mut b, Operator::Errors { of: late }, error_types);
    b.finish(vec![rows, once, live, late, errors])
}

/// What [`plan`] means.
#[derive(Default)]
struct Reference {
    latest: Vec<Option<i64>>,
    watermark: Option<i64>,
    in_time: BTreeMap<(i64, i64), i64>,
    kept: BTreeMap<(i64, i64), i64>,
    once: BTreeMap<(i64, i64), i64>,
    late: BTreeMap<(i64, i64), i64>,
}

impl Reference {
    fn is_closed(&self, end: i64, late: i64) -> bool {
        self.watermark.is_some_and(|watermark| end + late <= watermark)
    }

    fn step(&mut self, changes: &[Vec<Change>], setting: &Setting, last: bool) {
        for (instant, key, diff) in changes.iter().flatten() {
            let group = (end_of(*instant), *key);
            match self.is_closed(group.0, setting.late) {
                false => *self.in_time.entry(group).or_default() += diff,
                true => *self.late.entry((*instant, *key)).or_default() += diff,
            }
            if !self.is_closed(group.0, setting.keep) {
                *self.kept.entry(group).or_default() += diff;
            }
        }
        self.latest.resize(changes.len(), None);
        for (latest, changes) in self.latest.iter_mut().zip(changes) {
            let came = changes.iter().filter(|(.., diff)| *diff > 0).map(|(instant, ..)| *instant);
            *latest = came.chain(*latest).max();
        }
        let levels = self.latest.iter().zip(&setting.delays);
        let least = levels.filter_map(|(latest, delay)| latest.map(|latest| latest - delay)).min();
        self.watermark = if last { Some(i64::MAX / 2) } else { self.watermark.max(least) };
        let closed: Vec<_> =
            self.in_time.keys().copied().filter(|(end, _)| self.is_closed(*end, setting.late)).collect();
        for group in closed {
            let count = self.in_time.remove(&group);
            self.once.extend(count.filter(|count| *count > 0).map(|count| (group, count)));
        }
    }

    fn ports(&self) -> [Multiset; 4] {
        let counts = |of: &BTreeMap<(i64, i64), i64>| {
            let there = of.iter().filter(|(_, count)| **count > 0);
            multiset(there.map(|((end, key), count)| (vec![at(*end), int(*key), int(*count)], 1)))
        };
        let late = multiset(self.late.iter().map(|((instant, key), n)| (row(*instant, *key), *n.max(&0))));
        let message = "the row was taken back after its window had closed";
        let told = |instant: i64, key: i64| {
            row(instant, key).into_iter().chain([text(message), text("step")]).collect::<Row>()
        };
        let errors = multiset(self.late.iter().map(|((instant, key), n)| (told(*instant, *key), (-n).max(0))));
        [counts(&self.once), counts(&self.kept), late, errors]
    }
}

/// Random changes that come more or less in the order of their instants.
fn random_steps(random: &mut Random, count: i64) -> Vec<Vec<Change>> {
    let mut there: Vec<(i64, i64)> = Vec::new();
    (0..count)
        .map(|step| {
            let changes = (0..random.below(6) + 1).map(|_| {
                if !there.is_empty() && random.below(4) == 0 {
                    let (instant, key) = there.swap_remove(random.below(there.len() as u64) as usize);
                    return (instant, key, -1);
                }
                let change = (step * 3 + random.below(30) as i64 - 20, random.below(2) as i64);
                there.push(change);
                (change.0, change.1, 1)
            });
            changes.collect()
        })
        .collect()
}

#[test]
fn windows_close_by_the_watermark_of_the_epochs_before() {
    for seed in 1..=40 {
        let mut random = Random(seed * 7_919);
        let setting = Setting {
            delays: (0..1 + seed % 3).map(|_| random.below(12) as i64).collect(),
            late: random.pick(&[0, 5, 13]),
            keep: random.pick(&[0, 10, 25]),
        };
        let count = 40;
        let inputs: Vec<_> = setting.delays.iter().map(|_| random_steps(&mut random, count)).collect();
        let engine = engine(1 + (seed % 2) as usize);
        let program = engine.install(vec![plan(&inputs, &setting)]).expect("a program").remove(0);
        let mut follower = Follower::new(program, 5);
        while !follower.ended {
            assert!(follower.step(deadline()), "the program ends");
        }
        let mut reference = Reference::default();
        let mut epochs = follower.closed_epochs().into_iter().peekable();
        for step in 0..count as usize {
            let changes: Vec<_> = inputs.iter().map(|steps| steps[step].clone()).collect();
            let is_last = step + 1 == count as usize;
            reference.step(&changes, &setting, is_last);
            // Some steps cancel themselves and what they do is nothing: the rows tell which epoch this is.
            let before = follower.ports[0].clone();
            let mut expected = before.clone();
            for (instant, key, diff) in changes.iter().flatten() {
                add(&mut expected, row(*instant, *key), *diff);
            }
            while listed(&follower.ports[0]) != listed(&expected) || is_last {
                let Some(epoch) = epochs.next() else { break };
                follower.apply_epoch(epoch);
            }
            assert_eq!(listed(&follower.ports[0]), listed(&expected), "seed {seed}, step {step}: the rows");
            let names = ["once", "live", "late", "errors"];
            for ((found, expected), name) in follower.ports[1..].iter().zip(reference.ports()).zip(names) {
                assert_eq!(listed(found), listed(&expected), "seed {seed}, step {step}: {name} with {setting:?}");
            }
        }
        engine.shutdown();
    }
}

#[test]
fn what_has_closed_is_freed() {
    let setting = Setting { delays: vec![5], late: 0, keep: 20 };
    let steps: Vec<Vec<Change>> = (0..3_000).map(|step| (0..4).map(|key| (step, key, 1)).collect()).collect();
    let engine = engine(2);
    let mut b = plan(std::slice::from_ref(&steps), &setting);
    // The windows alone: what is shown is not kept by the engine.
    b.outputs.truncate(3);
    let program = engine.install(vec![b]).expect("a program").remove(0);
    let mut follower = Follower::new(program, 3);
    while !follower.ended {
        assert!(follower.step(deadline()), "the program ends");
    }
    for epoch in follower.closed_epochs() {
        follower.apply_epoch(epoch);
    }
    assert_eq!(follower.ports[1].len(), 1_200);
    assert_eq!(follower.ports[2].len(), 1_200);
    let kept: usize = engine.stats().expect("figures").arrangements.iter().map(|arrangement| arrangement.rows).sum();
    assert!(kept < 400, "{kept} updates are kept of 12000 rows");
    engine.shutdown();
}
