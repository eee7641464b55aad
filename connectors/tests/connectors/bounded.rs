//! Files that are read once.

use std::path::Path;

use serde_json::json;
use tidebook_plan::Type;
use tidebook_plan::connector::{ConnectorError, OptionValue, SourceEvent, SourceSpec};

use crate::support::{columns, messages, open, read_all, spec, text};

fn numbers(base: &Path, path: &str) -> SourceSpec {
    spec("jsonl", base, &[("path", text(path))], Some(columns(&[("n", Type::Int)])))
}

fn lines(from: usize, to: usize) -> String {
    (from..to).map(|n| format!("{{\"n\":{n}}}\n")).collect()
}

#[test]
fn a_hundred_files_in_the_order_of_their_paths() {
    let folder = tempfile::tempdir().unwrap();
    for file in 0..100 {
        let body = lines(file * 10, file * 10 + 10);
        // Every other file lacks its last newline, and one is empty.
        let body = if file % 2 == 0 { body.trim_end() } else { &body };
        std::fs::write(folder.path().join(format!("{file:03}.jsonl")), if file == 50 { "" } else { body }).unwrap();
    }
    let read = read_all(&numbers(folder.path(), "*.jsonl"), None).unwrap();
    let expected: Vec<_> = (0..1_000).filter(|n| n / 10 != 50).map(|n| json!([n])).collect();
    assert_eq!(read.rows, expected);
    assert_eq!(read.stands.len(), 1, "small files share a batch");
}

#[test]
fn errors_name_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("logs")).unwrap();
    std::fs::write(folder.path().join("logs/a.jsonl"), "{\"n\":1}\n\n{\"n\":\"x\"}\n").unwrap();
    std::fs::write(folder.path().join("logs/b.jsonl"), "nonsense").unwrap();
    let read = read_all(&numbers(folder.path(), "logs/*.jsonl"), None).unwrap();
    assert_eq!(read.rows, [json!([1])]);
    assert_eq!(
        messages(&read.errors),
        [
            ("logs/a.jsonl", 3, "column `n`: expected int, found \"x\""),
            ("logs/b.jsonl", 1, "not a JSON object: expected `{` (character 1)"),
        ]
    );
    assert_eq!(read.errors[0].text.as_deref(), Some("{\"n\":\"x\"}"));
}

#[test]
fn files_larger_than_a_chunk() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("n.jsonl");
    std::fs::write(&path, lines(0, 400_000)).unwrap();
    let spec = numbers(folder.path(), "n.jsonl");
    let read = read_all(&spec, None).unwrap();
    assert!(read.rows.iter().enumerate().all(|(n, row)| *row == json!([n])) && read.rows.len() == 400_000);
    assert!(read.stands.len() > 3);
    // A second reader stops by itself wherever the first one stood, so that the two can be matched.
    for (rows, resume) in &read.stands {
        let again = read_all(&spec, Some(resume.clone())).unwrap();
        assert!(again.stands.contains(&(*rows, resume.clone())), "there is a batch that ends at row {rows}");
        assert_eq!(again.rows, read.rows);
    }
}

#[test]
fn a_line_of_more_than_16_megabytes_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let mut body = lines(0, 2);
    body.push_str(&format!("{{\"n\":\"{}\"}}\n", "x".repeat(40 << 20)));
    body.push_str(&lines(2, 4));
    std::fs::write(folder.path().join("n.jsonl"), body).unwrap();
    let read = read_all(&numbers(folder.path(), "n.jsonl"), None).unwrap();
    assert_eq!(read.rows, [json!([0]), json!([1]), json!([2]), json!([3])]);
    assert_eq!(messages(&read.errors), [("n.jsonl", 3, "longer than 16 MB")]);
    assert_eq!(read.errors[0].text.as_ref().unwrap().len(), 1_000);
}

#[test]
fn a_long_line_within_bounds_is_a_row() {
    let folder = tempfile::tempdir().unwrap();
    let word = "x".repeat(5 << 20);
    std::fs::write(folder.path().join("w.csv"), format!("t\nshort\n{word}\nend")).unwrap();
    let read = read_all(&spec("csv", folder.path(), &[("path", text("w.csv"))], None), None).unwrap();
    assert_eq!((read.rows.len(), read.errors.len()), (3, 0));
    assert_eq!((&read.rows[1], &read.rows[2]), (&json!([word]), &json!(["end"])));
}

#[test]
fn a_second_reader_notices_what_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("n.jsonl");
    let other = folder.path().join("o.jsonl");
    std::fs::write(&path, lines(0, 10)).unwrap();
    let spec = numbers(folder.path(), "*.jsonl");
    let first = read_all(&spec, None).unwrap();
    let (_, resume) = first.stands.last().unwrap().clone();
    let again = || read_all(&spec, Some(resume.clone()));

    // What came after the first reader had ended is none of the second one's.
    std::fs::write(&path, lines(0, 12)).unwrap();
    std::fs::write(&other, lines(20, 30)).unwrap();
    assert_eq!(again().unwrap().rows, first.rows);

    for (body, message) in [(lines(5, 20), "it begins differently"), (lines(0, 9), "it has become shorter")] {
        std::fs::write(&path, body).unwrap();
        let error = again().unwrap_err();
        assert!(matches!(error, ConnectorError::Changed { .. }), "{error}");
        assert_eq!(error.to_string(), format!("`n.jsonl` no longer has what was read from it: {message}"));
    }
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(again(), Err(ConnectorError::Changed { message, .. }) if message == "it was removed"));
}

#[test]
fn a_header_without_a_needed_column_is_said_at_once() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.csv"), "id,nmae\n1,x\n").unwrap();
    let spec = spec(
        "csv",
        folder.path(),
        &[("path", text("a.csv"))],
        Some(columns(&[("id", Type::Int), ("name", Type::Text)])),
    );
    let Err(error) = open(&spec, None) else { panic!("it cannot be opened") };
    assert_eq!(error.to_string(), "`a.csv`: has no column `name`; its header has `id`, `nmae`");
}

#[test]
fn only_the_sample_decides_the_types() {
    let folder = tempfile::tempdir().unwrap();
    let mut body = "id,v\n".to_string();
    (0..1_000).for_each(|n| body.push_str(&format!("{n},{n}\n")));
    body.push_str("1000,not a number\n1001,\n");
    std::fs::write(folder.path().join("a.csv"), body).unwrap();
    let read = read_all(
        &spec("csv", folder.path(), &[("path", text("a.csv")), ("watch", OptionValue::Bool(false))], None),
        None,
    )
    .unwrap();
    assert_eq!(read.rows.len(), 1_001);
    assert_eq!(read.rows.last().unwrap(), &json!([1001, null]));
    assert_eq!(messages(&read.errors), [("a.csv", 1_002, "column `v`: expected int, found \"not a number\"")]);
}

#[cfg(target_os = "linux")]
#[test]
fn thousands_of_files_with_one_open_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    for file in 0..3_000 {
        std::fs::write(folder.path().join(format!("{file:05}.jsonl")), lines(file, file + 1)).unwrap();
    }
    let open_here = || {
        let files = std::fs::read_dir("/proc/self/fd").unwrap().filter_map(Result::ok);
        files.filter(|file| std::fs::read_link(file.path()).is_ok_and(|path| path.starts_with(folder.path()))).count()
    };
    for watch in [false, true] {
        let options = [("path", text("*.jsonl")), ("watch", OptionValue::Bool(watch))];
        let mut source =
            open(&spec("jsonl", folder.path(), &options, Some(columns(&[("n", Type::Int)]))), None).unwrap();
        let mut rows = 0;
        while let SourceEvent::Batch(batch) = source.next(std::time::Duration::ZERO).unwrap() {
            rows += batch.rows.len();
            assert!(open_here() <= 2, "{} files are open", open_here());
        }
        assert_eq!(rows, 3_000);
    }
}

#[test]
fn a_file_that_becomes_shorter_while_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("n.jsonl");
    std::fs::write(&path, lines(0, 400_000)).unwrap();
    let spec = numbers(folder.path(), "n.jsonl");
    let mut source = open(&spec, None).unwrap();
    let SourceEvent::Batch(first) = source.next(std::time::Duration::ZERO).unwrap() else { panic!("there are rows") };
    assert!(!first.rows.is_empty());
    std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(8).unwrap();
    let mut errors = Vec::new();
    while let SourceEvent::Batch(batch) = source.next(std::time::Duration::ZERO).unwrap() {
        errors.extend(batch.errors);
    }
    assert_eq!(messages(&errors).last().unwrap(), &("n.jsonl", 0, "it became shorter while it was read"));
}
