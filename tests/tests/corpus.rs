//! The scripts of `tests/corpus`: under every treatment, and through the program itself.

use std::fmt::Write;
use std::path::Path;

use tidebook_engine::CatchUp;
use tidebook_tests::binary;
use tidebook_tests::corpus::{Expected, Script, Table, difference, folder, parse_tables, scripts};
use tidebook_tests::harness::{Failure, Harness, Setup};
use tidebook_tests::treatment::{Treatment, rewrite, treatments};

/// Runs `check` on all scripts (those whose name contains `TIDEBOOK_SCRIPT`, if it is set) and tells all faults.
fn over_corpus(mut check: impl FnMut(&Script) -> Result<(), String>) {
    let only = std::env::var("TIDEBOOK_SCRIPT").unwrap_or_default();
    let scripts: Vec<Script> =
        scripts().expect("the corpus can be read").into_iter().filter(|script| script.name.contains(&only)).collect();
    assert!(!scripts.is_empty(), "no script is called like `{only}`");
    let mut report = String::new();
    let mut faults = 0;
    for script in &scripts {
        if let Err(fault) = check(script) {
            faults += 1;
            let _ = writeln!(report, "== {}.tide\n{fault}", script.name);
        }
    }
    assert!(faults == 0, "{faults} of {} scripts are wrong\n{report}", scripts.len());
}

fn settled(script: &Script, treatment: Treatment) -> Result<Vec<Table>, Failure> {
    let base = folder();
    let Treatment { workers, arrival, optimize } = treatment;
    let mut harness = Harness::start(Setup { workers, optimize, base, sources: Vec::new() })?;
    let text = rewrite(&script.text, arrival, 1);
    let mut outputs = harness.run("script", &text)?;
    harness.settle(&mut outputs, CatchUp::Ended)?;
    let broken = outputs.iter().find_map(|output| output.broken_expectation());
    match broken {
        Some(expectation) => Err(Failure::Engine(format!("does not hold: {expectation}"))),
        None => Ok(outputs.iter().filter_map(|output| output.table()).collect()),
    }
}

#[test]
fn every_script_settles_on_its_tables_under_every_treatment() {
    over_corpus(|script| {
        let Expected::Tables(expected) = &script.expected else { return Ok(()) };
        for treatment in treatments(script.as_written) {
            let found = settled(script, treatment).map_err(|failure| format!("{treatment:?}\n{failure}"))?;
            let told = difference(&found, expected);
            if !told.is_empty() {
                let text = rewrite(&script.text, treatment.arrival, 1);
                return Err(format!("{treatment:?}\n{told}{text}"));
            }
        }
        Ok(())
    });
}

#[test]
fn the_program_prints_the_tables_of_every_script() {
    over_corpus(|script| {
        let Expected::Tables(expected) = &script.expected else { return Ok(()) };
        for workers in ["1", "2"] {
            let run = binary::run_json(&folder(), &format!("{}.tide", script.name), &["--workers", workers])?;
            if !run.status.success() {
                return Err(format!("{workers} workers: {}\n{}", run.status, run.err));
            }
            let told = difference(&parse_tables(&run.out)?, expected);
            if !told.is_empty() {
                return Err(format!("{workers} workers:\n{told}"));
            }
        }
        Ok(())
    });
}

#[test]
fn the_program_says_what_is_wrong_with_every_wrong_script() {
    over_corpus(|script| {
        let Expected::Diagnostics(pieces) = &script.expected else { return Ok(()) };
        let copy = tempfile::tempdir().map_err(|error| error.to_string())?;
        let file = format!("{}.tide", script.name);
        copy_folder(&folder().join("data"), &copy.path().join("data")).map_err(|error| error.to_string())?;
        std::fs::write(copy.path().join(&file), &script.text).map_err(|error| error.to_string())?;
        let run = binary::run_json(copy.path(), &file, &[])?;
        if run.status.code() != Some(1) {
            return Err(format!("expected exit code 1, found {}\n{}{}", run.status, run.out, run.err));
        }
        let missing: Vec<&String> = pieces.iter().filter(|piece| !run.err.contains(*piece)).collect();
        if missing.is_empty() { Ok(()) } else { Err(format!("not said: {missing:?}\n{}", run.err)) }
    });
}

fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
