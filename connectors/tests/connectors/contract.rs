//! What every connector has to keep, over the whole registry.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow_array::{Int64Array, RecordBatch, StringArray};
use tidebook_connectors::registry;
use tidebook_plan::connector::{Contents, Direction, OptionKind, OptionValue, SourceEvent, WriteMode};
use tidebook_plan::{ChangeBatch, ColumnType, Schema, Type};

use crate::columnar::{write_arrow, write_parquet};
use crate::support::{json_rows, open, open_sink, options, read_all, spec, text};

/// Options with which the contract is tried; every connector has to have a line here.
fn source_options(name: &str, base: &Path) -> Vec<Vec<(&'static str, OptionValue)>> {
    std::fs::write(base.join("a.csv"), "n,t,at\n1,a,2026-01-01T00:00:00\n2,b,2026-01-01T00:00:01\n").unwrap();
    std::fs::write(base.join("a.jsonl"), "{\"n\":1,\"t\":\"a\"}\n{\"n\":2,\"t\":\"b\"}\n").unwrap();
    let columns = || -> Vec<(&str, arrow_array::ArrayRef)> {
        vec![("n", Arc::new(Int64Array::from(vec![1, 2]))), ("t", Arc::new(StringArray::from(vec!["a", "b"])))]
    };
    write_parquet(&base.join("a.parquet"), columns(), 1);
    write_arrow(&base.join("a.arrow"), columns());
    match name {
        "parquet" | "arrow" => {
            let (one, all) = (format!("a.{name}"), format!("*.{name}"));
            vec![vec![("path", text(&one))], vec![("path", text(&all)), ("watch", OptionValue::Bool(true))]]
        }
        "csv" => vec![vec![("path", text("a.csv"))], vec![("path", text("*.csv")), ("watch", OptionValue::Bool(true))]],
        "tsv" => {
            std::fs::write(base.join("a.tsv"), "n\tt\n1\ta\n2\tb\n").unwrap();
            vec![vec![("path", text("a.tsv"))], vec![("path", text("*.tsv")), ("watch", OptionValue::Bool(true))]]
        }
        "json" => {
            std::fs::write(base.join("a.json"), "[{\"n\":1,\"t\":\"a\"},\n {\"n\":2,\"t\":\"b\"}]\n").unwrap();
            vec![vec![("path", text("a.json"))], vec![("path", text("*.json")), ("watch", OptionValue::Bool(true))]]
        }
        "jsonl" => {
            vec![vec![("path", text("a.jsonl"))], vec![("path", text("*.jsonl")), ("watch", OptionValue::Bool(true))]]
        }
        "text" => vec![
            vec![("path", text("a.csv")), ("metadata", OptionValue::Bool(true))],
            vec![("path", text("*.csv")), ("watch", OptionValue::Bool(true))],
        ],
        "files" => vec![vec![("path", text("*"))], vec![("path", text("*")), ("watch", OptionValue::Bool(true))]],
        "demo.ticks" => vec![
            vec![("rate", OptionValue::Float(1_000_000.0)), ("rows", OptionValue::Int(3))],
            vec![("rate", OptionValue::Float(0.001))],
        ],
        "demo.replay" => {
            vec![vec![("path", text("a.csv")), ("time", text("at")), ("speed", OptionValue::Float(1_000.0))]]
        }
        other => panic!("the contract does not know how to open `{other}`"),
    }
}

#[test]
fn every_connector_documents_itself() {
    let specs = registry::specs();
    let names: BTreeSet<_> = specs.iter().map(|spec| (spec.name, spec.direction == Direction::Source)).collect();
    assert_eq!(names.len(), specs.len(), "names are unique in each direction");
    for spec in &specs {
        assert!(!spec.summary.is_empty() && !spec.doc.is_empty(), "`{}` says what it does", spec.name);
        assert!(!spec.examples.is_empty(), "`{}` has an example", spec.name);
        let call = match spec.direction {
            Direction::Source => format!("read {}(", spec.name),
            Direction::Sink => format!("write {}(", spec.name),
        };
        for example in spec.examples {
            assert!(example.contains(&call), "the example uses the connector: {example}");
        }
        let options: BTreeSet<_> = spec.options.iter().map(|option| option.name).collect();
        assert_eq!(options.len(), spec.options.len(), "the options of `{}` are unique", spec.name);
        let named = spec.options.iter().skip_while(|option| option.positional);
        assert!(named.clone().all(|option| !option.positional), "`{}` has its positional options first", spec.name);
        for option in &spec.options {
            assert!(option.doc.ends_with('.'), "`{}: {}` is documented in a sentence", spec.name, option.name);
            assert!(!(option.required && option.default.is_some()), "what is required has no default");
            let fits = match (&option.default, &option.kind) {
                (None, _) => true,
                (Some(OptionValue::Text(word)), OptionKind::OneOf(words)) => words.contains(&word.as_str()),
                (Some(value), kind) => matches!(
                    (value, kind),
                    (OptionValue::Text(_), OptionKind::Text)
                        | (OptionValue::Bool(_), OptionKind::Bool)
                        | (OptionValue::Int(_), OptionKind::Int)
                        | (OptionValue::Float(_), OptionKind::Float)
                        | (OptionValue::Duration(_), OptionKind::Duration)
                        | (OptionValue::Texts(_) | OptionValue::Text(_), OptionKind::Texts)
                ),
            };
            assert!(fits, "the default of `{}: {}` is of its kind", spec.name, option.name);
        }
    }
}

#[test]
fn every_source_gives_what_it_says_and_then_ends_or_idles() {
    for connector in registry::sources() {
        let folder = tempfile::tempdir().unwrap();
        let name = connector.spec().name;
        for given in source_options(name, folder.path()) {
            let spec = spec(name, folder.path(), &given, None);
            let mut source = open(&spec, None).unwrap();
            let deadline = Instant::now() + Duration::from_secs(30);
            let (mut rows, mut announced) = (0, false);
            let ended = loop {
                assert!(Instant::now() < deadline, "`{name}` comes to rest");
                match source.next(Duration::ZERO).unwrap() {
                    SourceEvent::Batch(batch) => {
                        let schema = spec.schema().to_arrow();
                        let types = |s: &arrow_schema::Schema| {
                            s.fields().iter().map(|f| f.data_type().clone()).collect::<Vec<_>>()
                        };
                        assert_eq!(types(&schema), types(&batch.rows.rows.schema()), "`{name}` keeps to its columns");
                        assert!(batch.errors.is_empty(), "{:?}", batch.errors);
                        rows += batch.rows.len();
                        announced = false;
                    }
                    SourceEvent::Retract { followed, .. } => announced = followed,
                    SourceEvent::Idle if rows > 0 && !connector.is_bounded(&spec.options) => break false,
                    SourceEvent::Idle => {}
                    SourceEvent::End => break true,
                }
            };
            assert_eq!(ended, connector.is_bounded(&spec.options), "`{name}` ends exactly if it says so");
            assert!(rows > 0 && !announced);
            if ended {
                assert!(
                    matches!(source.next(Duration::ZERO).unwrap(), SourceEvent::End),
                    "the end of `{name}` is final"
                );
            }
        }
    }
}

#[test]
fn a_second_reader_repeats_the_first() {
    for connector in registry::sources() {
        let folder = tempfile::tempdir().unwrap();
        let name = connector.spec().name;
        for given in source_options(name, folder.path()) {
            let spec = spec(name, folder.path(), &given, None);
            if connector.contents(&spec.options) != Contents::Reread {
                continue;
            }
            let first = read_all(&spec, None).unwrap();
            let (_, resume) = first.stands.last().unwrap().clone();
            let second = read_all(&spec, Some(resume)).unwrap();
            assert_eq!(second.rows, first.rows, "`{name}`");
            assert_eq!(second.stands, first.stands, "`{name}` stands where the first reader stood");
        }
    }
}

#[test]
fn a_missing_input_is_said_to_be_missing() {
    let folder = tempfile::tempdir().unwrap();
    for connector in registry::sources() {
        if !connector.spec().options.iter().any(|option| option.name == "path") {
            continue;
        }
        for path in ["nothing.csv", "no/folder/*.csv"] {
            let options = options(connector.spec(), &[("path", text(path)), ("time", text("at"))]);
            let error = connector.describe(&options, folder.path()).unwrap_err();
            assert_eq!(error.to_string(), format!("`{path}` does not exist"));
        }
    }
}

fn table() -> Schema {
    let columns = [("id", Type::Int), ("name", Type::Text)];
    let mut schema = Schema::new(columns.map(|(name, ty)| (name.to_string(), ColumnType::nullable(ty))));
    schema.key = vec![0];
    schema
}

fn insert(schema: &Schema, id: i64, name: &str) -> ChangeBatch {
    let (id, name) = (Int64Array::from(vec![id]), StringArray::from(vec![name]));
    ChangeBatch::inserts(RecordBatch::try_new(schema.to_arrow(), vec![Arc::new(id), Arc::new(name)]).unwrap())
}

/// The names in what a sink has written to `new/folder/out`, a file or a folder of files, read by its source.
fn shown_names(name: &str, base: &Path) -> Vec<String> {
    let folder = base.join("new/folder/out").is_dir();
    let path = if folder { "new/folder/out/*" } else { "new/folder/out" };
    let spec = spec(name, base, &[("path", text(path))], None);
    let place = spec.fields.iter().position(|field| field.name == "name").unwrap();
    let rows = read_all(&spec, None).unwrap().rows;
    rows.iter().map(|row| row[place].as_str().unwrap().to_string()).collect()
}

#[test]
fn every_sink_shows_exactly_what_was_committed() {
    for connector in registry::sinks() {
        let name = connector.spec().name;
        for mode in [WriteMode::Upsert, WriteMode::Append, WriteMode::Changes] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("new/folder/out");
            let schema = table();
            let mut sink = open_sink(name, folder.path(), "new/folder/out", &schema, mode).unwrap();
            sink.write(10, &insert(&schema, 1, "first")).unwrap();
            assert!(!path.exists(), "`{name}` shows nothing before the commit");
            sink.write(11, &insert(&schema, 2, "second")).unwrap();
            sink.commit(10).unwrap();
            assert_eq!(shown_names(name, folder.path()), ["first"], "`{name}` shows epoch 10 and no more");
            sink.write(12, &insert(&schema, 3, "third")).unwrap();
            assert_eq!(shown_names(name, folder.path()), ["first"]);
            sink.commit(12).unwrap();
            assert_eq!(shown_names(name, folder.path()), ["first", "second", "third"]);
            drop(sink);
            let left: Vec<_> = std::fs::read_dir(path.parent().unwrap()).unwrap().collect();
            assert_eq!(left.len(), 1, "nothing is left beside the file");
        }
    }
}

#[test]
fn what_a_sink_writes_its_source_reads() {
    for connector in registry::sinks() {
        let name = connector.spec().name;
        let folder = tempfile::tempdir().unwrap();
        let schema = table();
        let names = ["plain", "", " a, \"b\"\n\u{1F600}\t", "NA"];
        let mut sink = open_sink(name, folder.path(), "out", &schema, WriteMode::Upsert).unwrap();
        for (id, name) in (1..).zip(names) {
            sink.write(1, &insert(&schema, id, name)).unwrap();
        }
        sink.commit(1).unwrap();
        let read = spec(name, folder.path(), &[("path", text("out"))], None);
        let rows = read_all(&read, None).unwrap().rows;
        let expected: Vec<_> = (1..).zip(names).map(|(id, name)| serde_json::json!([id, name])).collect();
        assert_eq!(rows, expected, "`{name}`");
        let changes = insert(&schema, 1, "plain");
        assert_eq!(json_rows(&read, &changes), [serde_json::json!([1, "plain"])]);
    }
}
