//! Plays back every input that the fuzzer was given or has broken something with, through the fuzzer's own functions.

use std::fs;
use std::path::{Path, PathBuf};

#[path = "../fuzz/src/check.rs"]
mod check;
#[path = "../fuzz/src/formats.rs"]
mod formats;
#[path = "../fuzz/src/syntax.rs"]
mod syntax;

/// The files of a folder, in order; none if there is no such folder.
fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect();
    files.sort();
    files
}

fn play(folders: &[&str], least: usize, run: fn(&[u8])) {
    let files: Vec<PathBuf> = folders.iter().flat_map(|folder| files(folder)).collect();
    assert!(files.len() >= least, "{folders:?} hold {} files", files.len());
    for file in files {
        // A failure names its input.
        println!("{}", file.display());
        run(&fs::read(&file).unwrap());
    }
}

/// Like `play`, with every choice of options in the place of the first byte.
fn play_with_every_choice(folders: &[&str], least: usize, run: fn(&[u8])) {
    let files: Vec<PathBuf> = folders.iter().flat_map(|folder| files(folder)).collect();
    assert!(files.len() >= least, "{folders:?} hold {} files", files.len());
    for file in files {
        let bytes = fs::read(&file).unwrap();
        // Byte by byte a long one takes long.
        let bytes = &bytes[..bytes.len().min(600)];
        for choice in 0..128 {
            println!("{} with {choice}", file.display());
            run(&[&[choice], bytes].concat());
        }
    }
}

#[test]
fn the_parser_and_the_formatter() {
    let folders = ["fuzz/corpus/syntax", "fuzz/crashes/syntax", "corpus", "../dsl/src/syntax/tests/corpus"];
    play(&folders, 200, syntax::run);
}

#[test]
fn the_checker() {
    play(&["fuzz/corpus/check", "fuzz/crashes/check", "corpus", "../dsl/src/syntax/tests/corpus"], 200, check::run);
}

#[test]
fn the_formats() {
    play(&["fuzz/corpus/csv", "fuzz/crashes/csv", "corpus/data"], 3, formats::csv);
    play_with_every_choice(&["corpus/data"], 3, formats::csv);
    play(&["fuzz/corpus/jsonl", "fuzz/crashes/jsonl", "corpus/data"], 3, formats::jsonl);
    play(&["fuzz/corpus/json", "fuzz/crashes/json", "corpus/data"], 3, formats::json);
    play(&["fuzz/corpus/text", "fuzz/crashes/text", "corpus/data"], 3, formats::text);
}
