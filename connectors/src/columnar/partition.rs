//! Columns that stand in the path: `sales/year=2026/month=1/part.parquet`.
//!
//! Every folder of the path that looks like `name=value` is a column of all rows below it, as Hive, Spark and DuckDB
//! write it. Special characters are escaped with `%`, and one word stands for null.

use std::path::Path;

use tidebook_plan::{ColumnType, Type};

use crate::format::clock::{parse_date, parse_timestamp};
use crate::format::scalar::parse_int;

/// What the folder of null is called.
pub const NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// The columns that a path gives: names, and values or null.
pub fn of_path(path: &Path) -> Vec<(String, Option<String>)> {
    let folders = path.parent().into_iter().flat_map(Path::components);
    let mut columns: Vec<(String, Option<String>)> = Vec::new();
    for folder in folders {
        let folder = folder.as_os_str().to_string_lossy();
        let Some((name, value)) = folder.split_once('=').filter(|_| is_partition(&folder)) else { continue };
        let (name, value) = (unescaped(name), (value != NULL).then(|| unescaped(value)));
        // The innermost folder counts, as in a path written twice.
        columns.retain(|(known, _)| *known != name);
        columns.push((name, value));
    }
    columns
}

/// The type of a column whose values are these: int, date or timestamp if all are, else text.
pub fn infer<'a>(values: impl Iterator<Item = &'a str> + Clone) -> ColumnType {
    let all = |fits: fn(&[u8]) -> bool| values.clone().all(|value| fits(value.as_bytes()));
    let ty = if values.clone().next().is_none() {
        Type::Text
    } else if all(|text| parse_int(text).is_some() && !text.starts_with(b"+")) {
        Type::Int
    } else if all(|text| parse_date(text).is_some()) {
        Type::Date
    } else if all(|text| parse_timestamp(text).is_some()) {
        Type::Timestamp
    } else {
        Type::Text
    };
    ColumnType::nullable(ty)
}

/// True for the name of a folder that stands for a value.
pub fn is_partition(name: &str) -> bool {
    name.find('=').is_some_and(|at| at > 0)
}

/// The folder of a value.
pub fn folder(name: &str, value: Option<&str>) -> String {
    format!("{}={}", escaped(name), value.map_or(NULL.to_string(), escaped))
}

/// The text with what a folder's name cannot have, or what has a meaning there, as `%` and two digits.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        // Those that Hive escapes, and a leading dot, which would hide the folder.
        let plain = !character.is_control() && !"\"#%'*/:=?\\{}[]^<>|".contains(character);
        if plain && !(out.is_empty() && character == '.') {
            out.push(character);
        } else {
            let mut bytes = [0; 4];
            for byte in character.encode_utf8(&mut bytes).bytes() {
                out.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    out
}

fn unescaped(text: &str) -> String {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).and_then(|byte| (*byte as char).to_digit(16));
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        match (bytes[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            (byte, _, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_in_the_path() {
        let found = of_path(Path::new(
            "/data/year=2026/city=K%C3%B6ln%2FS%C3%BCd/kind=__HIVE_DEFAULT_PARTITION__/=x/a=b.parquet",
        ));
        let expected =
            [("year", Some("2026")), ("city", Some("Köln/Süd")), ("kind", None)].map(|(name, value)| (name, value));
        let found: Vec<_> = found.iter().map(|(name, value)| (name.as_str(), value.as_deref())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn folders_come_back() {
        for value in ["2026-01-01T00:00:00", "a/b", "100%", "..", "ü", "", " "] {
            let path = Path::new("x").join(folder("a=b", Some(value))).join("f");
            assert_eq!(of_path(&path), [("a=b".to_string(), Some(value.to_string()))]);
        }
        assert_eq!(of_path(&Path::new(&folder("k", None)).join("f")), [("k".to_string(), None)]);
    }

    #[test]
    fn types_are_those_of_all_values() {
        let of = |values: &[&str]| infer(values.iter().copied()).ty;
        assert_eq!(of(&["01", "-7"]), Type::Int);
        assert_eq!(of(&["2026-01-01"]), Type::Date);
        assert_eq!(of(&["2026-01-01", "2026-01-01T10:00:00Z"]), Type::Timestamp);
        assert_eq!(of(&["1", "x"]), Type::Text);
        assert_eq!(of(&[]), Type::Text);
    }
}
