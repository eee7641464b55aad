//! Random programs over random changes: at every moment the engine holds what DataFusion computes from scratch.
//!
//! A failing case prints its seed, its program and its changes. `TIDEBOOK_SEED` runs one seed, `TIDEBOOK_PLANS` so
//! many, and `TIDEBOOK_MINUTES` as many as fit into the time, beginning with `TIDEBOOK_FIRST`.

use std::fmt::Write;
use std::time::{Duration, Instant};

use tidebook_engine::CatchUp;
use tidebook_tests::feed::Feed;
use tidebook_tests::generator::{
    Aggregate, Input, InputState, Program, Random, Step, WindowFunction, frame, generate, tide,
};
use tidebook_tests::harness::{Failure, Harness, Output, Setup};
use tidebook_tests::oracle::Oracle;

const PLANS: u64 = 200;

/// A program whose tables grow beyond this is left where it is: the oracle compares every pair of a join.
const MOST_ROWS: i64 = 20_000;

struct Case {
    program: Program,
    text: String,
    harness: Harness,
    outputs: Vec<Output>,
    states: Vec<InputState>,
    /// True if inputs without a key take no row back, and say so.
    only_adds: bool,
    history: String,
}

fn start(seed: u64, feed: &std::sync::Arc<Feed>, only_adds: bool) -> Result<Case, String> {
    let program = generate(seed);
    let mut text = tide::program(&program);
    if only_adds {
        for input in &program.inputs {
            let name = format!("test.feed(\"{}\"", input.name);
            text = text.replace(&name, &format!("{name}, only_adds: true"));
        }
    }
    let setup = Setup {
        workers: 1 + (seed % 2) as usize,
        optimize: seed % 3 != 0,
        base: std::env::temp_dir(),
        sources: vec![feed.clone()],
    };
    let started = Harness::start(setup).and_then(|mut harness| {
        let outputs = harness.run("plan", &text)?;
        Ok((harness, outputs))
    });
    let (harness, outputs) = started.map_err(|failure| format!("{failure}\n{text}"))?;
    let states = program.inputs.iter().map(InputState::new).collect();
    Ok(Case { program, text, harness, outputs, states, only_adds, history: String::new() })
}

impl Case {
    /// Changes the inputs, and lets the outputs catch up.
    fn change(&mut self, random: &mut Random, feed: &Feed, epoch: usize) -> Result<(), String> {
        for (state, input) in self.states.iter_mut().zip(&self.program.inputs) {
            if epoch > 0 && random.percent(30) {
                continue;
            }
            let size = if epoch == 0 { 8 + random.below(14) } else { 1 + random.below(5) };
            let changes = if self.only_adds { state.growth(random, size) } else { state.change(random, size) };
            let _ = writeln!(self.history, "epoch {epoch}, {}: {changes:?}", input.name);
            feed.send(&input.name, state.change_batch(&changes));
        }
        self.harness.settle(&mut self.outputs, CatchUp::Present).map_err(|failure| failure.to_string())
    }

    /// Shows all tables once more, in a cell of their own, which come when there are rows already.
    fn show_again(&mut self, cell: &str) -> Result<Vec<Output>, String> {
        let told = |failure: Failure| format!("cell {cell}: {failure}");
        let mut late = self.harness.run(cell, &tide::shown(&self.program)).map_err(told)?;
        self.harness.settle(&mut late, CatchUp::Present).map_err(told)?;
        let _ = writeln!(self.history, "-- cell {cell} shows all tables");
        Ok(late)
    }

    /// Puts other outputs in the place of the present ones, which are dropped.
    fn go_on_with(&mut self, late: Vec<Output>) -> Result<(), String> {
        let early = std::mem::replace(&mut self.outputs, late);
        let _ = writeln!(self.history, "-- the earlier outputs are dropped");
        self.harness.drop_outputs(early).map_err(|failure| failure.to_string())
    }

    /// Compares all tables; false if they have grown too large.
    fn compare(&self, oracle: &Oracle) -> Result<bool, String> {
        let inputs: Vec<_> = self.states.iter().map(InputState::contents).collect();
        let frames = frame::program(oracle, &self.program, &inputs).map_err(|error| error.to_string())?;
        if frames.len() != self.outputs.len() {
            return Err(format!("{} tables are shown, {} are expected", self.outputs.len(), frames.len()));
        }
        for (output, (name, frame)) in self.outputs.iter().zip(frames) {
            let columns: Vec<String> = frame.schema().fields().iter().map(|field| field.name().clone()).collect();
            if columns != output.column_names() {
                return Err(format!("columns of `{name}`: expected {columns:?}, found {:?}", output.column_names()));
            }
            if output.contents().len() > MOST_ROWS {
                return Ok(false);
            }
            let expected = oracle.contents(frame).map_err(|error| format!("the oracle fails on `{name}`: {error}"))?;
            if *output.contents() != expected {
                return Err(format!("`{name}` differs:\n{}", output.contents().difference_from(&expected)));
            }
        }
        Ok(true)
    }
}

fn check(seed: u64, oracle: &Oracle) -> Result<(), String> {
    check_inputs(seed, oracle, false)
}

fn check_inputs(seed: u64, oracle: &Oracle, only_adds: bool) -> Result<(), String> {
    let feed = Feed::new();
    let mut case = start(seed, &feed, only_adds)?;
    let mut random = Random::new(seed ^ 0x5eed);
    for epoch in 0..4 + random.below(4) {
        let outcome = case.change(&mut random, &feed, epoch).and_then(|()| case.compare(oracle));
        match outcome {
            Ok(true) => {}
            Ok(false) => break,
            Err(fault) => return Err(format!("{fault}\nin epoch {epoch} of\n{}{}", case.text, case.history)),
        }
    }
    Ok(())
}

/// The same with readers that come late: twice, all tables are shown again in a new cell, and the old ones go.
fn check_late(seed: u64, oracle: &Oracle) -> Result<(), String> {
    check_late_inputs(seed, oracle, false)
}

fn check_late_inputs(seed: u64, oracle: &Oracle, only_adds: bool) -> Result<(), String> {
    let feed = Feed::new();
    let mut case = start(seed, &feed, only_adds)?;
    let mut random = Random::new(seed ^ 0x1a7e);
    let mut round = |case: &mut Case, epoch: usize| {
        if epoch % 3 == 2 {
            let late = case.show_again(&format!("late{epoch}"))?;
            case.go_on_with(late)?;
            case.compare(oracle)?;
        }
        case.change(&mut random, &feed, epoch)?;
        case.compare(oracle)
    };
    for epoch in 0..8 {
        match round(&mut case, epoch) {
            Ok(true) => {}
            Ok(false) => break,
            Err(fault) => return Err(format!("{fault}\nin epoch {epoch} of\n{}{}", case.text, case.history)),
        }
    }
    Ok(())
}

/// A number from the environment.
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Runs `check` on so many seeds and tells the first faults.
fn over_seeds(plans: u64, check: impl Fn(u64, &Oracle) -> Result<(), String>) {
    let oracle = Oracle::new().expect("a runtime for the oracle");
    let minutes = number("TIDEBOOK_MINUTES").map(|minutes| Duration::from_secs(60 * minutes));
    let first = number("TIDEBOOK_FIRST").unwrap_or(1);
    let seeds = match number("TIDEBOOK_SEED") {
        Some(seed) => seed..seed + 1,
        None if minutes.is_some() => first..u64::MAX,
        None => first..first + number("TIDEBOOK_PLANS").unwrap_or(plans),
    };
    let (started, mut ran) = (Instant::now(), 0u64);
    let mut report = String::new();
    let mut faults = 0;
    for seed in seeds.take_while(|_| minutes.is_none_or(|minutes| started.elapsed() < minutes)) {
        ran += 1;
        if let Err(fault) = check(seed, &oracle) {
            faults += 1;
            if faults <= 3 {
                let _ = writeln!(report, "== seed {seed} (TIDEBOOK_SEED={seed} runs it alone)\n{fault}");
            }
        }
    }
    println!("{ran} plans from seed {first} on in {:.0} s, {faults} differ", started.elapsed().as_secs_f64());
    assert!(faults == 0, "{faults} plans differ; the first of them:\n{report}");
}

#[test]
fn random_plans_agree_with_datafusion_at_every_epoch() {
    over_seeds(PLANS, check);
}

#[test]
fn late_readers_of_random_plans_agree_too() {
    over_seeds(PLANS / 4, check_late);
}

#[test]
fn random_plans_agree_over_inputs_that_only_grow() {
    over_seeds(PLANS, |seed, oracle| check_inputs(seed, oracle, true));
}

#[test]
fn late_readers_agree_over_inputs_that_only_grow() {
    over_seeds(PLANS / 4, |seed, oracle| check_late_inputs(seed, oracle, true));
}

#[test]
fn the_generator_knows_every_step() {
    let mut seen = std::collections::BTreeSet::new();
    let mut aggregates = std::collections::BTreeSet::new();
    let mut windows = std::collections::BTreeSet::new();
    let mut keyed = false;
    for seed in 1..=2 * PLANS {
        let program = generate(seed);
        keyed |= program.inputs.iter().any(|input: &Input| input.keyed);
        for (step, _) in program.definitions.iter().flat_map(|definition| &definition.steps) {
            let name = format!("{step:?}");
            seen.insert(name.split([' ', '(']).next().unwrap_or_default().to_string());
            if let Step::Windows(_, list) = step {
                for window in list {
                    let name = match &window.function {
                        WindowFunction::Aggregate(one) => format!("{:?}", one.function),
                        function => format!("{function:?}"),
                    };
                    windows.insert(name.split('(').next().unwrap_or_default().to_string());
                    windows.insert(format!("{:?}", window.frame).split('(').next().unwrap_or_default().to_string());
                }
            }
            if let Step::Summarize(_, list) = step {
                let name = |one: &Aggregate| format!("{:?}", one.function).split('(').next().map(str::to_string);
                aggregates.extend(list.iter().filter_map(name));
            }
        }
    }
    let all = [
        "Changes",
        "Dedupe",
        "DedupeWhen",
        "Derive",
        "Distinct",
        "Divide",
        "Drop",
        "Flatten",
        "Join",
        "JoinUsing",
        "Key",
        "Limit",
        "Rename",
        "Select",
        "Subset",
        "Summarize",
        "Top",
        "Union",
        "Update",
        "Where",
        "WindowWhere",
        "Windows",
    ];
    assert_eq!(seen.iter().map(String::as_str).collect::<Vec<_>>(), all);
    assert_eq!(aggregates.len(), 20, "{aggregates:?}");
    assert_eq!(windows.len(), 7 + 20 + 5, "{windows:?}");
    assert!(keyed, "some input is keyed");
}
