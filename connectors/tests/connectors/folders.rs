//! Folders of files that a sink writes: those of records, and what is left when a commit fails half way.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use tidebook_plan::connector::{ConnectorError, OptionValue, Sink, SinkRequest, WriteMode};
use tidebook_plan::{ChangeBatch, ColumnType, Schema, Type};

use crate::support::{columns, options, read_all, sink, spec, text};

fn table() -> Schema {
    let columns = [("id", Type::Int), ("year", Type::Int), ("name", Type::Text)];
    let mut schema = Schema::new(columns.map(|(name, ty)| (name.to_string(), ColumnType::nullable(ty))));
    schema.key = vec![0];
    schema
}

/// Changes of `id`, `year` and `name`.
fn changes(rows: &[(i64, Option<i64>, &str, i64)]) -> ChangeBatch {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.0))),
        Arc::new(rows.iter().map(|row| row.1).collect::<Int64Array>()),
        Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.2))),
    ];
    let batch = RecordBatch::try_new(table().to_arrow(), columns).unwrap();
    ChangeBatch::new(batch, rows.iter().map(|row| row.3).collect())
}

fn by_year(name: &str, base: &Path, mode: WriteMode, more: &[(&str, OptionValue)]) -> Box<dyn Sink> {
    let connector = sink(name);
    let mut given = vec![("path", text("out")), ("partition_by", OptionValue::Texts(vec!["year".into()]))];
    given.extend(more.iter().cloned());
    let options = options(connector.spec(), &given);
    let (schema, base) = (table(), base.to_path_buf());
    connector.open(SinkRequest { connector: name.to_string(), options, schema, mode, base }).unwrap()
}

/// The files below `out` with their texts.
fn texts(base: &Path) -> Vec<(String, String)> {
    let out = base.join("out");
    let mut found = Vec::new();
    let mut folders = vec![out.clone()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(&out).unwrap().display().to_string(), text));
            }
        }
    }
    found.sort();
    found
}

fn owned(files: &[(&str, &str)]) -> Vec<(String, String)> {
    files.iter().map(|(path, text)| (path.to_string(), text.to_string())).collect()
}

#[test]
fn current_rows_have_a_file_for_each_value() {
    let folder = tempfile::tempdir().unwrap();
    let mut sink = by_year("csv", folder.path(), WriteMode::Upsert, &[]);
    sink.write(1, &changes(&[(2, Some(2026), "b", 1), (1, Some(2026), "a,a", 1), (3, None, "c", 1)])).unwrap();
    sink.commit(1).unwrap();
    let null = "year=__HIVE_DEFAULT_PARTITION__/rows.csv";
    let expected = [("year=2026/rows.csv", "id,name\n1,\"a,a\"\n2,b\n"), (null, "id,name\n3,c\n")];
    assert_eq!(texts(folder.path()), owned(&expected));
    sink.write(2, &changes(&[(3, None, "c", -1), (3, Some(2026), "c", 1), (1, Some(2026), "a,a", -1)])).unwrap();
    sink.commit(2).unwrap();
    assert_eq!(texts(folder.path()), owned(&[("year=2026/rows.csv", "id,name\n2,b\n3,c\n")]));
    // A run begins anew.
    let mut sink = by_year("csv", folder.path(), WriteMode::Upsert, &[]);
    sink.commit(1).unwrap();
    assert_eq!(texts(folder.path()), owned(&[("rows.csv", "id,name\n")]));
}

#[test]
fn logs_grow_in_the_newest_file_of_each_folder() {
    let folder = tempfile::tempdir().unwrap();
    let mut sink = by_year("jsonl", folder.path(), WriteMode::Changes, &[]);
    sink.write(3, &changes(&[(1, Some(2025), "a", 1)])).unwrap();
    sink.commit(3).unwrap();
    sink.write(5, &changes(&[(1, Some(2025), "a", -1), (1, Some(2026), "a", 1)])).unwrap();
    sink.commit(5).unwrap();
    let row = |epoch: u64, diff: i64| format!("{{\"id\":1,\"name\":\"a\",\"_epoch\":{epoch},\"_diff\":{diff}}}\n");
    let expected = [
        ("year=2025/epoch-00000000000000000003.jsonl", row(3, 1) + &row(5, -1)),
        ("year=2026/epoch-00000000000000000005.jsonl", row(5, 1)),
    ];
    assert_eq!(texts(folder.path()), expected.map(|(path, text)| (path.to_string(), text)));
}

#[test]
fn compressed_logs_get_a_member_for_each_commit() {
    let folder = tempfile::tempdir().unwrap();
    for (compression, ending) in [("gzip", "gz"), ("zstd", "zst")] {
        let given = [("compression", text(compression))];
        let mut sink = by_year("csv", folder.path(), WriteMode::Append, &given);
        for id in 1..=3 {
            sink.write(id, &changes(&[(id as i64, Some(2026), "x", 1)])).unwrap();
            sink.commit(id).unwrap();
        }
        let pattern = format!("out/year=2026/epoch-*.csv.{ending}");
        let schema = columns(&[("id", Type::Int), ("name", Type::Text)]);
        let read = read_all(&spec("csv", folder.path(), &[("path", text(&pattern))], Some(schema)), None).unwrap();
        let rows: Vec<String> = read.rows.iter().map(ToString::to_string).collect();
        assert_eq!(rows, ["[1,\"x\"]", "[2,\"x\"]", "[3,\"x\"]"]);
        assert_eq!(read.errors.len(), 0);
    }
}

#[test]
fn a_commit_that_failed_half_way_is_made_good_by_the_next() {
    for mode in [WriteMode::Append, WriteMode::Upsert] {
        let folder = tempfile::tempdir().unwrap();
        let mut sink = by_year("csv", folder.path(), mode, &[]);
        let name = if mode == WriteMode::Append { "epoch-00000000000000000004.csv" } else { "rows.csv" };
        let in_the_way = folder.path().join("out/year=2026").join(name);
        // The first file is in its place before the second one is refused.
        std::fs::create_dir_all(in_the_way.join("full")).unwrap();
        sink.write(4, &changes(&[(1, Some(2025), "a", 1), (2, Some(2026), "b", 1)])).unwrap();
        assert!(matches!(sink.commit(4), Err(ConnectorError::Io { .. })));
        assert!(folder.path().join("out/year=2025").join(name).is_file());
        std::fs::remove_dir_all(&in_the_way).unwrap();
        sink.write(6, &changes(&[(3, Some(2025), "c", 1)])).unwrap();
        sink.commit(6).unwrap();
        let expected = [("year=2025", "id,name\n1,a\n3,c\n"), ("year=2026", "id,name\n2,b\n")];
        let expected = expected.map(|(folder, text)| (format!("{folder}/{name}"), text.to_string()));
        assert_eq!(texts(folder.path()), expected);
        sink.write(7, &changes(&[(4, Some(2026), "d", 1)])).unwrap();
        sink.commit(7).unwrap();
        assert_eq!(texts(folder.path())[1].1, "id,name\n2,b\n4,d\n");
    }
}

#[test]
fn what_cannot_be_a_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let connector = sink("csv");
    for (columns, said) in [(vec!["nam"], "no column `nam`"), (vec!["id", "year", "name"], "every column is a folder")]
    {
        let columns = columns.into_iter().map(String::from).collect();
        let given = [("path", text("out")), ("partition_by", OptionValue::Texts(columns))];
        let options = options(connector.spec(), &given);
        let (schema, base) = (table(), folder.path().to_path_buf());
        let mode = WriteMode::Changes;
        let refused = connector.open(SinkRequest { connector: "csv".to_string(), options, schema, mode, base });
        let Err(ConnectorError::Option { option: "partition_by", message }) = refused.map(|_| ()) else {
            panic!("it opens")
        };
        assert!(message.contains(said), "{message}");
    }
}
