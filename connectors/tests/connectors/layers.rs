//! Compressed files, files in other encodings, and what files give to their rows.

use std::io::Write;
use std::path::Path;

use flate2::write::GzEncoder;
use serde_json::{Value, json};
use tidebook_plan::Type;
use tidebook_plan::connector::{ConnectorError, OptionValue, SourceSpec};

use crate::support::{columns, messages, open, read_all, spec, text};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

fn lines(from: usize, to: usize) -> Vec<u8> {
    (from..to).flat_map(|n| format!("{{\"n\":{n}}}\n").into_bytes()).collect()
}

fn numbers(base: &Path, path: &str) -> SourceSpec {
    spec("jsonl", base, &[("path", text(path))], Some(columns(&[("n", Type::Int)])))
}

fn counted(rows: &[Value], to: usize) -> bool {
    rows.len() == to && rows.iter().enumerate().all(|(n, row)| *row == json!([n]))
}

#[test]
fn compressed_files_of_several_parts() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    write("a.jsonl.gz", &[gzip(&lines(0, 70_000)), gzip(b""), gzip(&lines(70_000, 150_000))].concat());
    write("b.jsonl.zst", &[zstd(&lines(0, 70_000)), zstd(&lines(70_000, 150_000))].concat());
    // Without a telling name the first bytes tell.
    write("c.jsonl", &gzip(&lines(0, 150_000)));
    write("d.jsonl", &zstd(&lines(0, 150_000)));
    for name in ["a.jsonl.gz", "b.jsonl.zst", "c.jsonl", "d.jsonl"] {
        let spec = numbers(folder.path(), name);
        let read = read_all(&spec, None).unwrap();
        assert!(counted(&read.rows, 150_000) && read.errors.is_empty(), "{name}");
        // Who repeats it stands where the first reader stood.
        let (rows, resume) = read.stands[1].clone();
        let again = read_all(&spec, Some(resume.clone())).unwrap();
        assert!(again.stands.contains(&(rows, resume)), "{name}");
    }
    let described = spec("jsonl", folder.path(), &[("path", text("a.jsonl.gz"))], None);
    assert_eq!(described.fields[0].name, "n");
}

#[test]
fn a_damaged_archive_gives_what_comes_before_the_damage() {
    let folder = tempfile::tempdir().unwrap();
    for (name, whole) in [("a.gz", gzip(&lines(0, 50_000))), ("a.zst", zstd(&lines(0, 50_000)))] {
        let spec = numbers(folder.path(), name);
        std::fs::write(folder.path().join(name), &whole[..whole.len() * 2 / 3]).unwrap();
        let read = read_all(&spec, None).unwrap();
        assert!(counted(&read.rows, read.rows.len()) && read.rows.len() > 10_000, "{name}: {}", read.rows.len());
        let expected = "the compressed data is cut short; what follows is not read";
        let line = read.rows.len() as i64 + 1;
        assert_eq!(messages(&read.errors), [(name, line, expected)]);

        std::fs::write(folder.path().join(name), b"no archive at all\n").unwrap();
        let read = read_all(&spec, None).unwrap();
        assert_eq!((read.rows.len(), read.errors.len()), (0, 1));
        assert!(read.errors[0].message.starts_with("the compressed data is damaged"), "{}", read.errors[0].message);
    }
    let mut bent = gzip(&lines(0, 50_000));
    let end = bent.len() - 6;
    bent[end] ^= 0xFF;
    std::fs::write(folder.path().join("bent.gz"), bent).unwrap();
    let read = read_all(&numbers(folder.path(), "bent.gz"), None).unwrap();
    assert!(counted(&read.rows, 50_000), "a wrong checksum is found at the end");
    assert_eq!(read.errors.len(), 1);
}

#[test]
fn text_in_other_encodings() {
    let folder = tempfile::tempdir().unwrap();
    let table = "name,city\r\nJos\u{e9},K\u{f6}ln\r\n";
    let utf16 = |big: bool, mark: bool| -> Vec<u8> {
        let units = mark.then_some(0xFEFF).into_iter().chain(table.encode_utf16());
        units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    };
    let latin: Vec<u8> = table.chars().map(|c| c as u8).collect();
    for (name, bytes, encoding) in [
        ("marked.csv", utf16(false, true), "utf-8"),
        ("marked_big.csv", utf16(true, true), "utf-8"),
        ("unmarked.csv", utf16(false, false), "utf-16le"),
        ("windows.csv", utf16(false, false), "utf-16"),
        ("latin.csv", latin.clone(), "latin1"),
        ("latin.csv.gz", gzip(&latin), "windows-1252"),
        ("old.csv", table.replace("\r\n", "\r").into_bytes(), "utf-8"),
    ] {
        std::fs::write(folder.path().join(name), bytes).unwrap();
        let read =
            read_all(&spec("csv", folder.path(), &[("path", text(name)), ("encoding", text(encoding))], None), None)
                .unwrap();
        assert_eq!(read.rows, [json!(["Jos\u{e9}", "K\u{f6}ln"])], "{name}");
        assert!(read.errors.is_empty(), "{name}");
    }
    // Bytes that the encoding does not have are an error of their record.
    std::fs::write(folder.path().join("cut.csv"), [utf16(false, true), vec![0x00, 0xD8, b'\n', 0, b'x', 0]].concat())
        .unwrap();
    let read = read_all(&spec("csv", folder.path(), &[("path", text("cut.csv"))], None), None).unwrap();
    assert_eq!(read.rows.len(), 1);
    assert_eq!(messages(&read.errors)[0], ("cut.csv", 3, "expected 2 fields, found 1"));

    let unknown = spec(
        "csv",
        folder.path(),
        &[("path", text("latin.csv")), ("encoding", text("klingon"))],
        Some(columns(&[("name", Type::Text)])),
    );
    assert!(matches!(open(&unknown, None), Err(ConnectorError::Option { option: "encoding", .. })));
}

#[test]
fn files_give_their_path_line_time_and_size_to_their_rows() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("logs")).unwrap();
    std::fs::write(folder.path().join("logs/a.jsonl"), "{\"n\":1}\n\n{\"n\":2}\n").unwrap();
    std::fs::write(folder.path().join("logs/b.jsonl"), "{\"n\":3}\nno\n{\"n\":4}").unwrap();
    let mut fields = columns(&[("file", Type::Text), ("n", Type::Int), ("_line", Type::Int), ("size", Type::Int)]);
    fields[0].wire_name = Some("_path".to_string());
    fields[3].wire_name = Some("_size".to_string());
    let read = read_all(&spec("jsonl", folder.path(), &[("path", text("logs/*"))], Some(fields)), None).unwrap();
    assert_eq!(
        read.rows,
        [
            json!(["logs/a.jsonl", 1, 1, 17]),
            json!(["logs/a.jsonl", 2, 3, 17]),
            json!(["logs/b.jsonl", 3, 1, 18]),
            json!(["logs/b.jsonl", 4, 3, 18])
        ]
    );
    assert_eq!(read.errors.len(), 1);

    let all = [("path", text("logs/a*")), ("metadata", OptionValue::Bool(true))];
    let described = spec("jsonl", folder.path(), &all, None);
    let names: Vec<_> = described.fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names, ["n", "_path", "_line", "_modified", "_size"]);
    assert_eq!(read_all(&described, None).unwrap().rows.len(), 2);

    let wrong = spec("jsonl", folder.path(), &[("path", text("logs/*"))], Some(columns(&[("_line", Type::Text)])));
    let Err(error) = open(&wrong, None) else { panic!("a line is no text") };
    assert_eq!(error.to_string(), "option `metadata`: `_line` is int, the column `_line` is text");
    // Where the data has such names, they can be read.
    std::fs::write(folder.path().join("own.jsonl"), "{\"_line\":\"x\"}\n").unwrap();
    let options = [("path", text("own.jsonl")), ("metadata", OptionValue::Bool(false))];
    let own = spec("jsonl", folder.path(), &options, Some(columns(&[("_line", Type::Text)])));
    assert_eq!(read_all(&own, None).unwrap().rows, [json!(["x"])]);
}
