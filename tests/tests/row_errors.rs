//! The law of row errors: what a batch gives is what its rows give one by one, values and errors alike; and a row that
//! is taken back takes its value or its error with it.

use std::sync::Arc;

use tidebook_engine::CatchUp;
use tidebook_plan::ChangeBatch;
use tidebook_tests::contents::Contents;
use tidebook_tests::feed::Feed;
use tidebook_tests::generator::Random;
use tidebook_tests::generator::fallible::{SCHEMA, fallible_condition, fallible_int, rows};
use tidebook_tests::harness::{Failure, Harness, Output, Setup};

const PROGRAMS: u64 = 40;
const ROWS: usize = 50;

fn program(random: &mut Random) -> String {
    let depth = 1 + random.below(3);
    let step = match random.below(3) {
        0 => format!("where {}", fallible_condition(random, depth)),
        1 => format!("derive x: {}, y: {}", fallible_int(random, depth), fallible_int(random, 1)),
        _ => format!("select n, x: {} | where x > 0", fallible_int(random, depth)),
    };
    format!("t = read test.feed(\"t\") {SCHEMA}\nu = t | {step}\nfailed = u.errors\nu\nfailed\n")
}

fn start(text: &str, workers: usize) -> Result<(Arc<Feed>, Harness, Vec<Output>), Failure> {
    let feed = Feed::new();
    let base = std::env::temp_dir();
    let mut harness = Harness::start(Setup { workers, optimize: true, base, sources: vec![feed.clone()] })?;
    let outputs = harness.run("law", text)?;
    Ok((feed, harness, outputs))
}

fn contents(outputs: &[Output]) -> Vec<Contents> {
    outputs.iter().map(|output| output.contents().clone()).collect()
}

fn law(seed: u64) -> Result<(), String> {
    let mut random = Random::new(seed);
    let text = program(&mut random);
    let batch = rows(&mut random, ROWS);
    let told = |failure: Failure| format!("seed {seed}: {failure}\n{text}");

    let (feed, harness, mut outputs) = start(&text, 1).map_err(told)?;
    feed.send("t", ChangeBatch::inserts(batch.clone()));
    harness.settle(&mut outputs, CatchUp::Present).map_err(told)?;
    let together = contents(&outputs);

    let (single_feed, single, mut single_outputs) = start(&text, 2).map_err(told)?;
    for row in 0..ROWS {
        single_feed.send("t", ChangeBatch::inserts(batch.slice(row, 1)));
        single.settle(&mut single_outputs, CatchUp::Present).map_err(told)?;
    }
    for (whole, one_by_one) in together.iter().zip(contents(&single_outputs)) {
        let difference = one_by_one.difference_from(whole);
        if !difference.is_empty() {
            return Err(format!("seed {seed}: rows one by one (+) differ from the batch (-)\n{difference}{text}"));
        }
    }

    feed.send("t", ChangeBatch::inserts(batch).negated());
    harness.settle(&mut outputs, CatchUp::Present).map_err(told)?;
    match outputs.iter().find(|output| !output.contents().is_empty()) {
        Some(left) => Err(format!("seed {seed}: `{}` is not empty after all rows have gone\n{text}", left.label)),
        None if together.iter().map(Contents::len).sum::<i64>() == 0 && !text.contains("where") => {
            Err(format!("seed {seed}: rows are neither kept nor told to fail\n{text}"))
        }
        None => Ok(()),
    }
}

#[test]
fn a_batch_gives_what_its_rows_give_one_by_one() {
    let faults: Vec<String> = (1..=PROGRAMS).filter_map(|seed| law(seed).err()).collect();
    assert!(faults.is_empty(), "{} of {PROGRAMS} programs break the law\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn some_rows_fail_and_some_do_not() {
    let text = format!("t = read test.feed(\"t\") {SCHEMA}\nu = t | derive x: a / b\nfailed = u.errors\nu\nfailed\n");
    let (feed, harness, mut outputs) = start(&text, 1).unwrap();
    feed.send("t", ChangeBatch::inserts(rows(&mut Random::new(5), ROWS)));
    harness.settle(&mut outputs, CatchUp::Present).unwrap();
    let (kept, failed) = (outputs[0].contents().len(), outputs[1].contents().len());
    assert!(kept > 0 && failed > 0, "{kept} kept, {failed} failed");
    assert_eq!(kept + failed, ROWS as i64);
    assert_eq!(outputs[0].errors(), failed);
}
