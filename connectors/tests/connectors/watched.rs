//! Files that are followed. Every test waits for a state of the table, never for a time.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};
use tidebook_plan::Type;
use tidebook_plan::connector::{ConnectorError, OptionValue, Source, SourceEvent, SourceSpec};

use crate::support::{columns, json_rows, open, options, source, spec, text};

/// A watched folder and the table that its files make.
struct Watched {
    folder: tempfile::TempDir,
    spec: SourceSpec,
    source: Box<dyn Source>,
    /// Rows and errors by segment.
    segments: BTreeMap<u64, Vec<Value>>,
    retractions: usize,
    rows_given: usize,
    /// Set by a retraction that announces new rows.
    announced: Option<u64>,
}

impl Watched {
    fn new(connector: &str, pattern: &str, fill: impl FnOnce(&Path)) -> Watched {
        let folder = tempfile::tempdir().unwrap();
        fill(folder.path());
        let options = [("path", text(pattern)), ("watch", OptionValue::Bool(true))];
        let spec = spec(connector, folder.path(), &options, Some(columns(&[("n", Type::Int)])));
        let source = open(&spec, None).unwrap();
        Watched { folder, spec, source, segments: BTreeMap::new(), retractions: 0, rows_given: 0, announced: None }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    fn append(&self, name: &str, text: &str) {
        OpenOptions::new().append(true).create(true).open(self.path(name)).unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// Takes in one event; true if it was `Idle`.
    fn step(&mut self, wait: Duration) -> bool {
        let event = self.source.next(wait).unwrap();
        if let Some(segment) = self.announced.take() {
            let SourceEvent::Batch(batch) = &event else { panic!("rows were announced, not {event:?}") };
            assert_eq!(batch.segment, Some(segment));
        }
        match event {
            SourceEvent::Batch(batch) => {
                let rows = self.segments.entry(batch.segment.unwrap()).or_default();
                rows.extend(json_rows(&self.spec, &batch.rows));
                rows.extend(batch.errors.iter().map(|error| json!({ "error": error.message, "line": error.position })));
                self.rows_given += batch.rows.len();
                false
            }
            SourceEvent::Retract { segment, followed } => {
                self.segments.remove(&segment).expect("only what is there is taken back");
                self.retractions += 1;
                self.announced = followed.then_some(segment);
                false
            }
            SourceEvent::Idle => true,
            SourceEvent::End => panic!("watching never ends"),
        }
    }

    /// The table: the numbers of all files, sorted, and the errors behind them.
    fn table(&self) -> Vec<Value> {
        let mut rows: Vec<Value> = self.segments.values().flatten().cloned().collect();
        rows.sort_by_key(|row| (row.is_object(), row[0].as_i64(), row["line"].as_i64()));
        rows.into_iter().map(|row| if row.is_object() { row } else { row[0].clone() }).collect()
    }

    /// Waits until the table is as expected.
    fn wait_for(&mut self, expected: Value) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while Value::from(self.table()) != expected || self.announced.is_some() {
            assert!(
                Instant::now() < deadline,
                "expected {:.500}, the table is {:.500}",
                expected.to_string(),
                Value::from(self.table()).to_string()
            );
            self.step(Duration::from_millis(100));
        }
    }

    /// Reads what is there, as a cell's reply does: everything before the next `Idle`.
    fn settle(&mut self) -> Value {
        self.source.refresh();
        while !self.step(Duration::ZERO) {}
        Value::from(self.table())
    }
}

#[test]
fn everything_that_is_there_comes_before_idle() {
    let mut watched = Watched::new("jsonl", "*.jsonl", |folder| {
        for file in 0..100 {
            std::fs::write(folder.join(format!("{file}.jsonl")), format!("{{\"n\":{file}}}")).unwrap();
        }
    });
    assert_eq!(watched.settle(), (0..100).collect::<Value>());
    assert_eq!(watched.segments.len(), 100);
}

#[test]
fn new_grown_changed_and_removed_files() {
    let mut watched = Watched::new("jsonl", "*.jsonl", |_| {});
    assert_eq!(watched.settle(), json!([]));
    watched.write("a.jsonl", "{\"n\":1}\n{\"n\":2}\n");
    watched.wait_for(json!([1, 2]));
    watched.append("a.jsonl", "{\"n\":3}\n");
    watched.append("b.jsonl", "{\"n\":10}\n");
    watched.wait_for(json!([1, 2, 3, 10]));
    assert_eq!((watched.retractions, watched.rows_given), (0, 4), "what grows is read on, not again");
    watched.write("a.jsonl", "{\"n\":5}\n{\"n\":2}\n{\"n\":3}\n");
    watched.wait_for(json!([2, 3, 5, 10]));
    watched.write("a.jsonl", "{\"n\":7}\n");
    watched.wait_for(json!([7, 10]));
    std::fs::remove_file(watched.path("a.jsonl")).unwrap();
    watched.wait_for(json!([10]));
    watched.write("ignored.txt", "{\"n\":99}\n");
    watched.write("a.jsonl", "{\"n\":8}\n");
    watched.wait_for(json!([8, 10]));
}

#[test]
fn a_file_replaced_by_renaming() {
    let mut watched =
        Watched::new("jsonl", "a.jsonl", |folder| std::fs::write(folder.join("a.jsonl"), "{\"n\":1}\n").unwrap());
    assert_eq!(watched.settle(), json!([1]));
    watched.write("a.tmp", "{\"n\":1}\n{\"n\":2}\n");
    std::fs::rename(watched.path("a.tmp"), watched.path("a.jsonl")).unwrap();
    watched.wait_for(json!([1, 2]));
    assert_eq!(watched.retractions, 1);
    std::fs::rename(watched.path("a.jsonl"), watched.path("elsewhere")).unwrap();
    watched.wait_for(json!([]));
}

#[test]
fn a_change_that_keeps_size_and_almost_the_time() {
    let mut watched = Watched::new("jsonl", "*.jsonl", |_| {});
    for n in 1..50 {
        watched.write("a.jsonl", &format!("{{\"n\":{}}}\n", n % 9));
        assert_eq!(watched.settle(), json!([n % 9]));
    }
}

#[test]
fn a_change_in_the_middle_of_a_large_file() {
    let line = |n: usize| format!("{{\"n\":{n:<6}}}\n");
    let body: String = (0..20_000).map(line).collect();
    let mut watched = Watched::new("jsonl", "*.jsonl", |folder| {
        std::fs::write(folder.join("a.jsonl"), &body).unwrap();
        let file = OpenOptions::new().write(true).open(folder.join("a.jsonl")).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(60)).unwrap();
    });
    assert!(watched.settle() == (0..20_000).collect::<Value>());
    let changed = body.replace(&line(10_000), &line(77_777));
    assert_eq!(changed.len(), body.len());
    watched.write("a.jsonl", &changed);
    watched.wait_for((0..20_000).filter(|n| *n != 10_000).chain([77_777]).collect());
}

#[test]
fn a_line_counts_when_its_newline_comes() {
    let mut watched = Watched::new("jsonl", "*.jsonl", |_| {});
    watched.append("a.jsonl", "{\"n\":1}\n{\"n\":2");
    watched.wait_for(json!([1]));
    watched.append("a.jsonl", "0}\n{\"n\":3}\n");
    watched.wait_for(json!([1, 3, 20]));
}

#[test]
fn a_last_line_without_newline_counts_once_the_file_is_quiet() {
    let mut watched = Watched::new("csv", "*.csv", |_| {});
    watched.append("a.csv", "n\n1\n2");
    watched.wait_for(json!([1, 2]));
    // The newline makes it whole; nothing is read twice.
    watched.append("a.csv", "\n3\n");
    watched.wait_for(json!([1, 2, 3]));
    assert_eq!((watched.retractions, watched.rows_given), (0, 3));
    // A line that goes on after all was not the one that was given.
    watched.append("a.csv", "4");
    watched.wait_for(json!([1, 2, 3, 4]));
    watched.append("a.csv", "5\n");
    watched.wait_for(json!([1, 2, 3, 45]));
    assert_eq!(watched.retractions, 1);
}

#[test]
fn errors_follow_their_file() {
    let mut watched = Watched::new("csv", "*.csv", |folder| std::fs::write(folder.join("a.csv"), "n\n1\nx\n").unwrap());
    let error = json!({ "error": "column `n`: expected int, found \"x\"", "line": 3 });
    assert_eq!(watched.settle(), json!([1, error]));
    watched.append("a.csv", "y\n4\n");
    let next = json!({ "error": "column `n`: expected int, found \"y\"", "line": 4 });
    watched.wait_for(json!([1, 4, error, next]));
    watched.write("a.csv", "n\n1\n2\n");
    watched.wait_for(json!([1, 2]));
}

#[test]
fn folders_come_and_go() {
    let mut watched = Watched::new("jsonl", "logs/**/*.jsonl", |_| {});
    assert_eq!(watched.settle(), json!([]));
    std::fs::create_dir_all(watched.path("logs/deep/er")).unwrap();
    watched.write("logs/deep/er/a.jsonl", "{\"n\":1}\n");
    watched.wait_for(json!([1]));
    watched.append("logs/deep/er/a.jsonl", "{\"n\":2}\n");
    watched.wait_for(json!([1, 2]));
    std::fs::remove_dir_all(watched.path("logs")).unwrap();
    watched.wait_for(json!([]));
    std::fs::create_dir_all(watched.path("logs")).unwrap();
    watched.write("logs/b.jsonl", "{\"n\":3}\n");
    watched.wait_for(json!([3]));
}

#[test]
fn a_log_that_grows_fast_is_read_once() {
    let mut watched = Watched::new("jsonl", "*.jsonl", |_| {});
    let path = watched.path("a.jsonl");
    let writer = std::thread::spawn(move || {
        let mut file = OpenOptions::new().append(true).create(true).open(path).unwrap();
        for n in 0..20_000 {
            file.write_all(format!("{{\"n\":{n}}}\n").as_bytes()).unwrap();
        }
    });
    watched.wait_for((0..20_000).collect());
    writer.join().unwrap();
    assert_eq!((watched.retractions, watched.rows_given), (0, 20_000));
}

#[test]
fn what_was_appended_is_seen_at_once() {
    let mut watched = Watched::new("jsonl", "*.jsonl", |folder| std::fs::write(folder.join("a.jsonl"), "").unwrap());
    watched.settle();
    let mut waits: Vec<Duration> = (0..40)
        .map(|n| {
            watched.append("a.jsonl", &format!("{{\"n\":{n}}}\n"));
            let written = Instant::now();
            watched.wait_for((0..=n).collect());
            written.elapsed()
        })
        .collect();
    waits.sort();
    // A notice takes well under a millisecond; the slow look at everything would take a thousand.
    assert!(waits[20] < Duration::from_millis(100), "the median wait is {:?}", waits[20]);
}

/// The numbers in a folder's files, sorted, and how many of their lines are faulty.
fn contents(folder: &Path) -> (Vec<i64>, usize) {
    let (mut numbers, mut faulty) = (Vec::new(), 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for line in text.lines().filter(|line| !line.is_empty()) {
            match serde_json::from_str::<Value>(line).ok().and_then(|value| value["n"].as_i64()) {
                Some(n) => numbers.push(n),
                None => faulty += 1,
            }
        }
    }
    numbers.sort_unstable();
    (numbers, faulty)
}

#[test]
fn whatever_happens_the_table_is_what_the_files_hold() {
    let mut watched = Watched::new("jsonl", "*", |_| {});
    let mut seed = 0x0B5E_55ED_u64;
    let mut roll = |sides: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % sides
    };
    for step in 0..1_500 {
        for _ in 0..=roll(2) {
            let name = ["a", "b", "c"][roll(3) as usize];
            let line = format!("{{\"n\":{}}}\n", roll(900) + 100);
            match roll(9) {
                0..=2 => watched.append(name, &line.repeat(roll(3) as usize + 1)),
                3 => watched.append(name, &line[..roll(9) as usize]),
                4 => watched.append(name, line.trim_end()),
                5 => watched.append(name, "\n"),
                6 => watched.write(name, &line.repeat(roll(4) as usize)),
                7 => {
                    watched.write(".new", &line.repeat(roll(3) as usize));
                    std::fs::rename(watched.path(".new"), watched.path(name)).unwrap();
                }
                _ => drop(std::fs::remove_file(watched.path(name))),
            }
        }
        watched.settle();
        let table = watched.table();
        let numbers: Vec<_> = table.iter().filter_map(Value::as_i64).collect();
        let faulty = table.len() - numbers.len();
        assert_eq!((numbers, faulty), contents(watched.folder.path()), "after step {step}");
    }
}

#[test]
fn what_is_not_there_yet() {
    let folder = tempfile::tempdir().unwrap();
    let connector = source("csv");
    let use_of = |path: &str| options(connector.spec(), &[("path", text(path)), ("watch", OptionValue::Bool(true))]);
    let open = |path: &str| {
        let fields = columns(&[("n", Type::Int)]);
        let (name, base) = ("csv".to_string(), folder.path().to_path_buf());
        open(
            &SourceSpec {
                connector: name,
                options: use_of(path),
                fields,
                key: vec![],
                generation: 0,
                base,
                selection: Default::default(),
            },
            None,
        )
    };
    assert!(matches!(open("a.csv"), Err(ConnectorError::Missing { what }) if what == "a.csv"));
    assert!(matches!(open("*.csv").unwrap().next(Duration::ZERO), Ok(SourceEvent::Idle)));
    let error = connector.describe(&use_of("*.csv"), folder.path()).unwrap_err();
    assert!(error.to_string().contains("declare them"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_opened_is_an_error_until_it_can() {
    let mut watched = Watched::new("jsonl", "*.jsonl", |_| {});
    // A loop of links has a name and cannot be opened by anyone.
    std::os::unix::fs::symlink(watched.path("loop.jsonl"), watched.path("loop.jsonl")).unwrap();
    watched.write("a.jsonl", "{\"n\":1}\n");
    let deadline = Instant::now() + Duration::from_secs(20);
    while watched.table().len() < 2 {
        assert!(Instant::now() < deadline, "the table is {:?}", watched.table());
        watched.step(Duration::from_millis(100));
    }
    assert!(watched.table()[1]["error"].as_str().unwrap().starts_with("cannot be read: "));
    std::fs::remove_file(watched.path("loop.jsonl")).unwrap();
    watched.write("loop.jsonl", "{\"n\":2}\n");
    watched.wait_for(json!([1, 2]));
}

/// A columnar file with these numbers, put in its place as a whole.
fn put_columnar(folder: &Path, name: &str, numbers: &[i64]) {
    let column = || -> arrow_array::ArrayRef { std::sync::Arc::new(arrow_array::Int64Array::from(numbers.to_vec())) };
    let part = folder.join(".part");
    if name.ends_with(".parquet") {
        crate::columnar::write_parquet(&part, vec![("n", column())], 2);
    } else {
        crate::columnar::write_arrow(&part, vec![("n", column())]);
    }
    std::fs::rename(part, folder.join(name)).unwrap();
}

#[test]
fn a_columnar_file_is_replaced_as_a_whole() {
    for format in ["parquet", "arrow"] {
        let name = |name: &str| format!("{name}.{format}");
        let mut watched = Watched::new(format, &name("*"), |folder| put_columnar(folder, &name("a"), &[1, 2, 3]));
        watched.wait_for(json!([1, 2, 3]));
        put_columnar(watched.folder.path(), &name("b"), &[7]);
        watched.wait_for(json!([1, 2, 3, 7]));
        put_columnar(watched.folder.path(), &name("a"), &[2, 3, 4, 5, 6]);
        watched.wait_for(json!([2, 3, 4, 5, 6, 7]));
        std::fs::remove_file(watched.path(&name("b"))).unwrap();
        watched.wait_for(json!([2, 3, 4, 5, 6]));
        // What is no such file is one error, until it is one.
        watched.write(&name("c"), "no columns");
        let deadline = Instant::now() + Duration::from_secs(20);
        while watched.table().len() != 6 {
            assert!(Instant::now() < deadline, "the error is told");
            watched.step(Duration::from_millis(10));
        }
        assert!(watched.table()[5]["error"].as_str().unwrap().starts_with("cannot be read: is no sound "));
        put_columnar(watched.folder.path(), &name("c"), &[8]);
        watched.wait_for(json!([2, 3, 4, 5, 6, 8]));
    }
}

#[test]
fn an_edit_that_neither_size_nor_time_shows() {
    let line = |n: usize| format!("{{\"n\":{n}}}\n");
    let body: String = (10_000..20_000).map(line).collect();
    // A time in the future is as near to the reading as one can be.
    let soon = SystemTime::now() + Duration::from_secs(1);
    let set = |path: &Path| OpenOptions::new().append(true).open(path).unwrap().set_modified(soon).unwrap();
    let mut watched = Watched::new("jsonl", "*.jsonl", |folder| {
        std::fs::write(folder.join("a.jsonl"), &body).unwrap();
        set(&folder.join("a.jsonl"));
    });
    let mut numbers: Vec<usize> = (10_000..20_000).collect();
    watched.wait_for(json!(numbers));
    watched.write("a.jsonl", &body.replace("\"n\":15000", "\"n\":99999"));
    set(&watched.path("a.jsonl"));
    numbers[5_000] = 99_999;
    numbers.sort_unstable();
    watched.wait_for(json!(numbers));
}

#[test]
fn compressed_files_are_read_again_when_they_change() {
    use flate2::write::GzEncoder;
    let gzip = |text: &str| {
        let mut out = GzEncoder::new(Vec::new(), flate2::Compression::fast());
        out.write_all(text.as_bytes()).unwrap();
        out.finish().unwrap()
    };
    let mut watched = Watched::new("jsonl", "*.gz", |folder| {
        // The last line has no newline, and the file is young.
        std::fs::write(folder.join("a.jsonl.gz"), gzip("{\"n\":1}\n{\"n\":2}")).unwrap();
    });
    watched.wait_for(json!([1, 2]));
    watched.append("a.jsonl.gz", "");
    let mut file = OpenOptions::new().append(true).open(watched.path("a.jsonl.gz")).unwrap();
    file.write_all(&gzip("\n{\"n\":3}\n")).unwrap();
    watched.wait_for(json!([1, 2, 3]));
    let whole = gzip("{\"n\":4}\n{\"n\":5}\n");
    std::fs::write(watched.path("a.jsonl.gz"), &whole[..whole.len() - 4]).unwrap();
    watched.wait_for(json!([4, 5, {"error": "the compressed data is cut short; what follows is not read", "line": 3}]));
    std::fs::write(watched.path("a.jsonl.gz"), &whole).unwrap();
    watched.wait_for(json!([4, 5]));
}
