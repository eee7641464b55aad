//! What comes from the environment is not in anything that a connector says.

use std::time::Duration;

use tidebook_plan::connector::{ConnectorError, OptionValue, SinkRequest, SourceEvent, WriteMode};
use tidebook_plan::{ChangeBatch, ColumnType, Schema, Type};

use crate::support::{columns, open, options, read_all, sink, source, spec};

fn secret(text: &str) -> OptionValue {
    OptionValue::Secret(text.to_string())
}

fn hides(error: &ConnectorError) {
    let said = error.to_string();
    assert!(!said.contains("hidden") && said.contains("***"), "{said}");
}

#[test]
fn a_secret_path_is_in_no_error() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("hidden")).unwrap();
    std::fs::write(folder.path().join("hidden/a.csv"), "n\n1\nx\n").unwrap();
    let schema = || Some(columns(&[("n", Type::Int)]));
    for connector in ["csv", "jsonl", "parquet"] {
        let missing = spec(connector, folder.path(), &[("path", secret("hidden/none"))], schema());
        match open(&missing, None) {
            Err(error) => hides(&error),
            Ok(mut source) => hides(&source.next(Duration::ZERO).unwrap_err()),
        }
        let asked = options(source(connector).spec(), &[("path", secret("hidden/none"))]);
        hides(&source(connector).describe(&asked, folder.path()).unwrap_err());
    }
    // A path with a wildcard stands in errors as what it stands for.
    let given = [("path", secret("hidden/*.csv"))];
    let read = read_all(&spec("csv", folder.path(), &given, schema()), None).unwrap();
    assert_eq!((read.rows.len(), read.errors.len()), (1, 1));
    let error = &read.errors[0];
    assert_eq!((error.origin.as_deref(), error.position), (Some("***"), Some(3)));
    let given = [("path", secret("hidden/*.csv")), ("watch", OptionValue::Bool(true))];
    let mut watched = open(&spec("csv", folder.path(), &given, schema()), None).unwrap();
    let SourceEvent::Batch(batch) = watched.next(Duration::from_secs(10)).unwrap() else { panic!("there are rows") };
    assert!(batch.errors.iter().all(|error| error.origin.as_deref() == Some("***")));
}

#[test]
fn a_secret_target_is_in_no_error() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("hidden"), "a file where a folder is needed").unwrap();
    for name in ["csv", "jsonl", "arrow"] {
        let connector = sink(name);
        let options = options(connector.spec(), &[("path", secret("hidden/out"))]);
        let schema = Schema::new([("n".to_string(), ColumnType::nullable(Type::Int))]);
        let (base, mode) = (folder.path().to_path_buf(), WriteMode::Changes);
        let rows = ChangeBatch::inserts(arrow_array::RecordBatch::new_empty(schema.to_arrow()));
        match connector.open(SinkRequest { connector: name.to_string(), options, schema, mode, base }) {
            Err(error) => hides(&error),
            Ok(mut sink) => {
                sink.write(1, &rows).unwrap();
                hides(&sink.commit(1).unwrap_err());
            }
        }
    }
}
