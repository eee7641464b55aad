//! Files as sinks.

use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use tidebook_plan::connector::{ConnectorError, WriteMode};
use tidebook_plan::{ChangeBatch, ColumnType, Schema, Type};

use crate::support::open_sink;

fn table() -> Schema {
    let columns = [("id", Type::Int), ("name", Type::Text), ("at", Type::Timestamp)];
    let mut schema = Schema::new(columns.map(|(name, ty)| (name.to_string(), ColumnType::nullable(ty))));
    schema.key = vec![0];
    schema
}

/// Changes of `id` and `name`, at a fixed moment.
fn changes(rows: &[(i64, Option<&str>, i64)]) -> ChangeBatch {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.0))),
        Arc::new(StringArray::from_iter(rows.iter().map(|row| row.1))),
        Arc::new(TimestampMicrosecondArray::from_iter_values(rows.iter().map(|_| 1_767_225_600_500_000))),
    ];
    let rows_only = RecordBatch::try_new(table().to_arrow(), columns).unwrap();
    ChangeBatch::new(rows_only, rows.iter().map(|row| row.2).collect())
}

fn read(base: &Path) -> String {
    std::fs::read_to_string(base.join("out")).unwrap()
}

#[test]
fn upsert_keeps_the_file_equal_to_the_table() {
    let folder = tempfile::tempdir().unwrap();
    let mut sink = open_sink("csv", folder.path(), "out", &table(), WriteMode::Upsert).unwrap();
    sink.write(1, &changes(&[(10, Some("ten"), 1), (-2, None, 1), (9, Some(""), 1)])).unwrap();
    sink.commit(1).unwrap();
    let at = "2026-01-01T00:00:00.5";
    assert_eq!(read(folder.path()), format!("id,name,at\n-2,,{at}\n9,\"\",{at}\n10,ten,{at}\n"));
    // The new row of a key may come before the old one goes, and things may cancel out.
    sink.write(2, &changes(&[(9, Some("nine"), 1), (-2, None, -1), (3, Some("x"), 1)])).unwrap();
    sink.write(2, &changes(&[(9, Some(""), -1), (3, Some("x"), -1)])).unwrap();
    sink.commit(5).unwrap();
    assert_eq!(read(folder.path()), format!("id,name,at\n9,nine,{at}\n10,ten,{at}\n"));
}

#[test]
fn upsert_refuses_two_rows_of_a_key_and_leaves_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut sink = open_sink("jsonl", folder.path(), "out", &table(), WriteMode::Upsert).unwrap();
    sink.write(1, &changes(&[(1, Some("a"), 1)])).unwrap();
    sink.commit(1).unwrap();
    let before = read(folder.path());
    assert_eq!(before, "{\"id\":1,\"name\":\"a\",\"at\":\"2026-01-01T00:00:00.5\"}\n");
    sink.write(2, &changes(&[(1, Some("b"), 1)])).unwrap();
    assert!(matches!(sink.commit(2), Err(ConnectorError::Format { .. })));
    assert_eq!(read(folder.path()), before);
    // What was written stays written: with the other half it can be committed.
    sink.write(2, &changes(&[(1, Some("a"), -1)])).unwrap();
    sink.commit(2).unwrap();
    assert!(read(folder.path()).contains("\"b\""));
}

#[test]
fn append_adds_rows_and_refuses_retractions() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("out"), "left from an earlier run\n").unwrap();
    let mut sink = open_sink("csv", folder.path(), "out", &table(), WriteMode::Append).unwrap();
    assert_eq!(read(folder.path()), "left from an earlier run\n");
    sink.commit(1).unwrap();
    assert_eq!(read(folder.path()), "id,name,at\n", "an empty table is a file as well");
    sink.write(2, &changes(&[(1, Some("a,b"), 2)])).unwrap();
    sink.commit(2).unwrap();
    assert_eq!(read(folder.path()).matches("1,\"a,b\",2026-01-01T00:00:00.5\n").count(), 2);
    assert!(matches!(
        sink.write(3, &changes(&[(1, Some("a,b"), -1)])),
        Err(ConnectorError::Option { option: "mode", .. })
    ));
}

#[test]
fn changes_say_epoch_and_difference() {
    let folder = tempfile::tempdir().unwrap();
    let mut sink = open_sink("jsonl", folder.path(), "out", &table(), WriteMode::Changes).unwrap();
    sink.write(7, &changes(&[(1, None, 1)])).unwrap();
    sink.commit(7).unwrap();
    sink.write(9, &changes(&[(1, None, -1)])).unwrap();
    sink.commit(9).unwrap();
    let row = "{\"id\":1,\"name\":null,\"at\":\"2026-01-01T00:00:00.5\"";
    assert_eq!(read(folder.path()), format!("{row},\"_epoch\":7,\"_diff\":1}}\n{row},\"_epoch\":9,\"_diff\":-1}}\n"));
}

#[test]
fn a_file_that_another_program_changes_is_not_added_to() {
    let folder = tempfile::tempdir().unwrap();
    let mut sink = open_sink("csv", folder.path(), "out", &table(), WriteMode::Changes).unwrap();
    sink.commit(1).unwrap();
    std::fs::write(folder.path().join("out"), "mine\n").unwrap();
    sink.write(2, &changes(&[(1, None, 1)])).unwrap();
    assert!(matches!(sink.commit(2), Err(ConnectorError::Changed { .. })));
    assert_eq!(read(folder.path()), "mine\n");
}

#[test]
fn targets_that_cannot_be() {
    let folder = tempfile::tempdir().unwrap();
    let mut keyless = table();
    keyless.key.clear();
    let open =
        |schema: &Schema, path: &str| open_sink("csv", folder.path(), path, schema, WriteMode::Upsert).map(|_| ());
    assert!(matches!(open(&keyless, "out"), Err(ConnectorError::Option { option: "mode", .. })));
    assert!(matches!(open(&table(), "."), Err(ConnectorError::Option { option: "path", .. })));
    std::fs::write(folder.path().join("file"), "").unwrap();
    assert!(matches!(open(&table(), "file/out"), Err(ConnectorError::Io { .. })));
}

#[cfg(unix)]
#[test]
fn the_file_can_be_read_by_others() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("plain"), "").unwrap();
    let mode = |name: &str| std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
    let mut sink = open_sink("csv", folder.path(), "out", &table(), WriteMode::Upsert).unwrap();
    sink.commit(1).unwrap();
    assert_eq!(mode("out"), mode("plain"), "as any file that a program writes");
}
