//! How sinks write: dialects, compression, and what they refuse.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray};
use serde_json::json;
use tidebook_plan::connector::{ConnectorError, OptionValue, Sink, SinkRequest, WriteMode};
use tidebook_plan::{ChangeBatch, ColumnType, Schema, Type};

use crate::support::{options, read_all, sink, spec, text};

fn table() -> Schema {
    let columns = [("id", Type::Int), ("name", Type::Text), ("x", Type::Float), ("day", Type::Date)];
    let mut schema = Schema::new(columns.map(|(name, ty)| (name.to_string(), ColumnType::nullable(ty))));
    schema.key = vec![0];
    schema
}

fn rows(ids: &[i64], names: &[Option<&str>]) -> ChangeBatch {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(ids.to_vec())),
        Arc::new(StringArray::from(names.to_vec())),
        Arc::new(Float64Array::from_iter_values(ids.iter().map(|id| *id as f64 + 0.5))),
        Arc::new(Date32Array::from_iter_values(ids.iter().map(|_| 20_454))),
    ];
    ChangeBatch::inserts(RecordBatch::try_new(table().to_arrow(), columns).unwrap())
}

fn open(
    base: &Path,
    name: &str,
    given: &[(&str, OptionValue)],
    mode: WriteMode,
) -> Result<Box<dyn Sink>, ConnectorError> {
    let connector = sink(name);
    let options = options(connector.spec(), given);
    let base = base.to_path_buf();
    connector.open(SinkRequest { connector: name.to_string(), options, schema: table(), mode, base })
}

#[test]
fn a_dialect_is_written_as_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let style = [
        ("path", text("out.csv")),
        ("delimiter", text(";")),
        ("decimal", text(",")),
        ("date_format", text("%d.%m.%Y")),
        ("nulls", text("-")),
        ("escape", text("\\")),
        ("newline", text("crlf")),
    ];
    let mut written = open(folder.path(), "csv", &style, WriteMode::Append).unwrap();
    let names = [Some("plain"), Some(""), None, Some("-"), Some("a;b"), Some("say \"\\\"\r\n")];
    written.write(1, &rows(&[1, 2, 3, 4, 5, 6], &names)).unwrap();
    written.commit(1).unwrap();
    let found = std::fs::read_to_string(folder.path().join("out.csv")).unwrap();
    let expected = concat!(
        "id;name;x;day\r\n",
        "1;plain;1,5;01.01.2026\r\n",
        "2;\"\";2,5;01.01.2026\r\n",
        "3;-;3,5;01.01.2026\r\n",
        "4;\"-\";4,5;01.01.2026\r\n",
        "5;\"a;b\";5,5;01.01.2026\r\n",
        "6;\"say \\\"\\\\\\\"\r\n\";6,5;01.01.2026\r\n"
    );
    assert_eq!(found, expected);
    let read = spec("csv", folder.path(), &style, None);
    let back = read_all(&read, None).unwrap();
    assert!(back.errors.is_empty(), "{:?}", back.errors);
    for (id, (row, name)) in (1..).zip(back.rows.iter().zip(names)) {
        assert_eq!(*row, json!([id, name, id as f64 + 0.5, "2026-01-01"]));
    }
}

#[test]
fn compressed_files_grow_by_whole_parts() {
    let folder = tempfile::tempdir().unwrap();
    for path in ["out.tsv.gz", "out.tsv.zst"] {
        let mut written = open(folder.path(), "tsv", &[("path", text(path))], WriteMode::Append).unwrap();
        for epoch in 1..4 {
            written.write(epoch, &rows(&[epoch as i64], &[Some("x\ty")])).unwrap();
            written.commit(epoch).unwrap();
        }
        let read = read_all(&spec("tsv", folder.path(), &[("path", text(path))], None), None).unwrap();
        assert_eq!((read.rows.len(), &read.rows[2][1]), (3, &json!("x\ty")), "{path}");
        let mut kept = open(folder.path(), "tsv", &[("path", text(path))], WriteMode::Upsert).unwrap();
        kept.write(1, &rows(&[7], &[None])).unwrap();
        kept.commit(1).unwrap();
        let read = read_all(&spec("tsv", folder.path(), &[("path", text(path))], None), None).unwrap();
        assert_eq!(read.rows, [json!([7, null, 7.5, "2026-01-01"])]);
    }
    let mut plain = String::new();
    let file = std::fs::File::open(folder.path().join("out.tsv.gz")).unwrap();
    flate2::read::GzDecoder::new(file).read_to_string(&mut plain).unwrap();
    assert!(plain.starts_with("id\tname\tx\tday\n"));
}

#[test]
fn styles_that_could_not_be_read_again() {
    let folder = tempfile::tempdir().unwrap();
    for (option, value) in [
        ("delimiter", ""),
        ("delimiter", "\n"),
        ("quote", ""),
        ("quote", ","),
        ("nulls", "a,b"),
        ("date_format", "%Q"),
        ("path", "/dev/null"),
    ] {
        let given = [("path", text("out")), (option, text(value))];
        let opened = open(folder.path(), "csv", &given, WriteMode::Append);
        assert!(matches!(opened, Err(ConnectorError::Option { .. })), "{option}: {value:?}");
    }
}
