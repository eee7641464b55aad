//! The sources `text` and `files`, and what a pattern may meet in a folder.

use serde_json::{Value, json};
use tidebook_plan::Type;
use tidebook_plan::connector::{ConnectorError, OptionValue};

use crate::support::{columns, messages, open, read_all, source, spec, text};

fn texts(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row[0].as_str().unwrap()).collect()
}

#[test]
fn a_row_for_each_line_of_text() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.txt"), "one\n\n three\r\nlast").unwrap();
    let mut fields = columns(&[("words", Type::Text), ("n", Type::Int)]);
    fields[1].wire_name = Some("_line".to_string());
    let read = read_all(&spec("text", folder.path(), &[("path", text("a.txt"))], Some(fields)), None).unwrap();
    assert_eq!(read.rows, [json!(["one", 1]), json!(["", 2]), json!([" three", 3]), json!(["last", 4])]);
    let two = columns(&[("a", Type::Text), ("b", Type::Text)]);
    assert!(open(&spec("text", folder.path(), &[("path", text("a.txt"))], Some(two)), None).is_err());
}

#[test]
fn a_row_for_each_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("sub")).unwrap();
    std::fs::write(folder.path().join("a.md"), "# A").unwrap();
    std::fs::write(folder.path().join("b"), b"\x89PNG\r\n\x1a\n\xff").unwrap();
    std::fs::write(folder.path().join("sub/c.txt"), "").unwrap();
    std::fs::write(folder.path().join(".hidden"), "no").unwrap();
    let described = spec("files", folder.path(), &[("path", text("**/*"))], None);
    let names: Vec<_> = described.fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names, ["path", "size", "modified", "mime", "data"]);
    let rows = read_all(&described, None).unwrap().rows;
    let shown: Vec<_> = rows.iter().map(|row| (&row[0], &row[1], &row[3], &row[4])).collect();
    assert_eq!(
        shown,
        [
            (&json!("a.md"), &json!(3), &json!("text/markdown"), &json!("IyBB")),
            (&json!("b"), &json!(9), &json!("image/png"), &json!("iVBORw0KGgr/")),
            (&json!("sub/c.txt"), &json!(0), &json!("text/plain"), &json!("")),
        ]
    );
    let options = [("path", text("**/*")), ("most_bytes", OptionValue::Int(5))];
    let fields = columns(&[("path", Type::Text), ("data", Type::Text)]);
    let read = read_all(&spec("files", folder.path(), &options, Some(fields)), None).unwrap();
    assert_eq!(read.rows, [json!(["a.md", "# A"]), json!(["sub/c.txt", ""])]);
    assert_eq!(messages(&read.errors), [("b", 0, "has more than 5 bytes, which is `most_bytes`")]);

    let options = [("path", text("*")), ("data", OptionValue::Bool(false))];
    assert_eq!(spec("files", folder.path(), &options, None).fields.len(), 4);
    let other = columns(&[("name", Type::Text)]);
    let Err(error) = open(&spec("files", folder.path(), &options, Some(other)), None) else { panic!("no such column") };
    assert_eq!(error.to_string(), "`files`: a file has no `name`, only `path`, `size`, `modified`, `mime` and `data`");
}

#[cfg(unix)]
#[test]
fn a_pattern_passes_over_what_is_no_file_and_does_not_run_in_circles() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path();
    std::fs::create_dir_all(base.join("d/e")).unwrap();
    std::fs::write(base.join("d/e/a.txt"), "a").unwrap();
    symlink("..", base.join("d/e/up")).unwrap();
    symlink(".", base.join("d/self")).unwrap();
    symlink("nowhere", base.join("d/dangling.txt")).unwrap();
    symlink("e/a.txt", base.join("d/link.txt")).unwrap();
    let pipe = std::process::Command::new("mkfifo").arg(base.join("d/pipe.txt")).status().unwrap();
    assert!(pipe.success());
    let _socket = std::os::unix::net::UnixListener::bind(base.join("d/socket.txt")).unwrap();

    let read = read_all(&spec("text", base, &[("path", text("d/**/*.txt"))], None), None).unwrap();
    assert_eq!(texts(&read.rows), ["a", "a"], "the file and the link to it");

    let describe = |path: &str| {
        let connector = source("text");
        connector.describe(&crate::support::options(connector.spec(), &[("path", text(path))]), base).unwrap_err()
    };
    assert!(matches!(describe("d/pipe.txt"), ConnectorError::Option { option: "path", .. }));
    assert_eq!(describe("d").to_string(), "option `path`: `d` is a folder: `d/*` means the files in it");
    assert!(matches!(describe("d/dangling.txt"), ConnectorError::Missing { .. }));
}

/// Tests may run as a user whom nothing is forbidden; nobody can read a folder as a file.
#[cfg(unix)]
#[test]
fn one_file_of_many_that_cannot_be_read_is_an_error_among_the_rows() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str| std::fs::write(folder.path().join(name), format!("{name}\n")).unwrap();
    write("a.txt");
    write("b.txt");
    write("c.txt");
    let listed = spec("text", folder.path(), &[("path", text("*.txt"))], None);
    let mut source = open(&listed, None).unwrap();
    // Between the listing and the reading another thing takes the place of the second file.
    std::fs::remove_file(folder.path().join("b.txt")).unwrap();
    std::fs::create_dir(folder.path().join("b.txt")).unwrap();
    let event = source.next(std::time::Duration::ZERO).unwrap();
    let tidebook_plan::connector::SourceEvent::Batch(batch) = event else { panic!("there are rows") };
    assert_eq!(crate::support::json_rows(&listed, &batch.rows), [json!(["a.txt"]), json!(["c.txt"])]);
    assert_eq!(messages(&batch.errors), [("b.txt", 0, "cannot be read: it is not a file")]);
}
