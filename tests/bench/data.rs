//! The input files: made once, kept beside the build.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tidebook_tests::generator::Random;

/// Lines of `words.jsonl`.
pub const WORDS: usize = 5_000_000;
/// Different words in it.
pub const DISTINCT_WORDS: usize = 5_000;
/// Lines of `orders.jsonl`.
pub const ORDERS: usize = 2_000_000;
/// Lines of `products.jsonl`.
pub const PRODUCTS: usize = 10_000;
/// Different categories in it.
pub const CATEGORIES: usize = 100;

/// The folder of the files: `target/bench`.
///
/// # Errors
/// Where the program does not know where it is, or the folder cannot be made.
pub fn folder() -> io::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let target = own.ancestors().nth(2).unwrap_or(Path::new("target"));
    let folder = target.join("bench");
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// The files, made where they are missing.
///
/// # Errors
/// Where they cannot be written.
pub fn prepare() -> io::Result<PathBuf> {
    let folder = folder()?;
    make(&folder, "words.jsonl", |out| {
        let mut random = Random::new(1);
        let words: Vec<String> = (0..DISTINCT_WORDS).map(|_| word(&mut random)).collect();
        (0..WORDS).try_for_each(|_| writeln!(out, "{{\"word\": \"{}\"}}", random.pick(&words)))
    })?;
    make(&folder, "products.jsonl", |out| {
        (1..=PRODUCTS)
            .try_for_each(|id| writeln!(out, "{{\"id\": {id}, \"category\": \"category {}\"}}", id % CATEGORIES))
    })?;
    make(&folder, "orders.jsonl", |out| {
        let mut random = Random::new(2);
        (1..=ORDERS).try_for_each(|id| {
            let (product, amount) = (1 + random.below(PRODUCTS), random.between(1, 99_999));
            let (whole, cents) = (amount / 100, amount % 100);
            writeln!(out, "{{\"id\": {id}, \"product\": {product}, \"amount\": {whole}.{cents:02}}}")
        })
    })?;
    Ok(folder)
}

/// Seven letters.
fn word(random: &mut Random) -> String {
    (0..7).map(|_| char::from(b'a' + random.below(26) as u8)).collect()
}

/// Writes a file under another name first, so that a file that is there is whole.
fn make(folder: &Path, name: &str, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> io::Result<()> {
    let path = folder.join(name);
    if path.exists() {
        return Ok(());
    }
    let unfinished = folder.join(format!("{name}.part"));
    let mut out = BufWriter::with_capacity(1 << 20, File::create(&unfinished)?);
    write(&mut out)?;
    out.flush()?;
    fs::rename(unfinished, path)
}
