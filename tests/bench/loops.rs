//! The same work by hand: what a programmer writes who knows the file and wants one answer. It reads the file in
//! pieces, looks for bytes rather than parsing JSON, and counts in a hash map.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use hashbrown::HashMap;
use memchr::{memchr, memchr_iter, memmem};

const PIECE: usize = 1 << 20;

/// Calls `line` on every line of a file.
fn for_each_line(path: &Path, mut line: impl FnMut(&[u8])) -> Result<(), String> {
    let told = |error: std::io::Error| format!("`{}`: {error}", path.display());
    let mut file = File::open(path).map_err(told)?;
    let mut buffer = vec![0; PIECE];
    let mut held = 0;
    loop {
        let read = file.read(&mut buffer[held..]).map_err(told)?;
        let filled = held + read;
        let mut start = 0;
        for end in memchr_iter(b'\n', &buffer[..filled]) {
            if end >= start {
                line(&buffer[start..end]);
                start = end + 1;
            }
        }
        if read == 0 {
            return Ok(());
        }
        buffer.copy_within(start..filled, 0);
        held = filled - start;
    }
}

/// The bytes after `key`, up to the next of `end`.
fn field<'a>(line: &'a [u8], key: &memmem::Finder<'_>, end: &[u8]) -> Option<&'a [u8]> {
    let rest = &line[key.find(line)? + key.needle().len()..];
    let length = end.iter().filter_map(|byte| memchr(*byte, rest)).min()?;
    Some(&rest[..length])
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

/// Counts words; prints each with its count.
///
/// # Errors
/// Where the file cannot be read.
pub fn words(path: &Path) -> Result<(), String> {
    let key = memmem::Finder::new(b"\"word\": \"");
    let mut counts: HashMap<Vec<u8>, u64> = HashMap::new();
    for_each_line(path, |line| {
        if let Some(word) = field(line, &key, b"\"") {
            *counts.entry_ref(word).or_insert(0) += 1;
        }
    })?;
    let mut rows: Vec<(&str, u64)> = counts.iter().map(|(word, count)| (text(word), *count)).collect();
    rows.sort_unstable();
    rows.iter().for_each(|(word, count)| println!("[\"{word}\",{count}]"));
    Ok(())
}

/// Sums the amounts of orders by the category of their product; prints each category with its sum and number.
///
/// # Errors
/// Where a file cannot be read.
pub fn orders(orders: &Path, products: &Path) -> Result<(), String> {
    let (id, category) = (memmem::Finder::new(b"\"id\": "), memmem::Finder::new(b"\"category\": \""));
    let mut names: Vec<String> = Vec::new();
    let mut category_of: HashMap<u64, usize> = HashMap::new();
    for_each_line(products, |line| {
        if let (Some(id), Some(name)) = (field(line, &id, b",}"), field(line, &category, b"\"")) {
            let known = names.iter().position(|known| known == text(name));
            let place = known.unwrap_or_else(|| {
                names.push(text(name).to_string());
                names.len() - 1
            });
            category_of.insert(text(id).parse().unwrap_or(0), place);
        }
    })?;
    let (product, amount) = (memmem::Finder::new(b"\"product\": "), memmem::Finder::new(b"\"amount\": "));
    let mut sums = vec![(0.0_f64, 0_u64); names.len()];
    for_each_line(orders, |line| {
        if let (Some(product), Some(amount)) = (field(line, &product, b",}"), field(line, &amount, b",}")) {
            let place = text(product).parse().ok().and_then(|id: u64| category_of.get(&id));
            if let (Some(place), Ok(amount)) = (place, text(amount).parse::<f64>()) {
                sums[*place].0 += amount;
                sums[*place].1 += 1;
            }
        }
    })?;
    let mut rows: Vec<_> = names.iter().zip(sums).collect();
    rows.sort_unstable_by(|a, b| a.0.cmp(b.0));
    rows.iter().for_each(|(name, (sum, count))| println!("[\"{name}\",{sum:?},{count}]"));
    Ok(())
}
