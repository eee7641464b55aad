//! What the columnar sinks leave in files, at every commit and when something fails.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, DurationMicrosecondArray,
    FixedSizeListArray, Float32Array, Float64Array, Int64Array, ListArray, RecordBatch, StringArray, StructArray,
    TimestampMicrosecondArray, new_null_array,
};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{DataType, FieldRef};
use serde_json::Value;
use tidebook_plan::connector::{OptionValue, Sink, SinkRequest, SourceEvent, WriteMode};
use tidebook_plan::{ChangeBatch, ColumnType, Schema, Type};

use crate::support::{open, options, read_all, sink, spec, text};

fn open_on(
    name: &str,
    base: &Path,
    given: &[(&str, OptionValue)],
    schema: &Schema,
    mode: WriteMode,
) -> Result<Box<dyn Sink>, tidebook_plan::connector::ConnectorError> {
    let connector = sink(name);
    let options = options(connector.spec(), given);
    let (schema, base) = (schema.clone(), base.to_path_buf());
    connector.open(SinkRequest { connector: name.to_string(), options, schema, mode, base })
}

fn table() -> Schema {
    let columns = [("id", Type::Int), ("year", Type::Int), ("city", Type::Text)];
    let mut schema = Schema::new(columns.map(|(name, ty)| (name.to_string(), ColumnType::nullable(ty))));
    schema.key = vec![0];
    schema
}

fn changes(schema: &Schema, rows: &[(i64, i64, Option<&str>, i64)]) -> ChangeBatch {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.0))),
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.1))),
        Arc::new(rows.iter().map(|row| row.2).collect::<StringArray>()),
    ];
    let batch = RecordBatch::try_new(schema.to_arrow(), columns).unwrap();
    ChangeBatch::new(batch, rows.iter().map(|row| row.3).collect())
}

fn read(name: &str, base: &Path, path: &str) -> Vec<String> {
    let mut rows: Vec<String> = read_all(&spec(name, base, &[("path", text(path))], None), None)
        .unwrap()
        .rows
        .iter()
        .map(Value::to_string)
        .collect();
    rows.sort();
    rows
}

fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(folder).unwrap().display().to_string());
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_partitioned_table_is_a_folder_for_each_value() {
    let folder = tempfile::tempdir().unwrap();
    let schema = table();
    let given = [("path", text("out")), ("partition_by", OptionValue::Texts(vec!["year".into(), "city".into()]))];
    for (name, extension) in [("parquet", "parquet"), ("arrow", "arrow")] {
        let out = folder.path().join("out");
        let mut sink = open_on(name, folder.path(), &given, &schema, WriteMode::Upsert).unwrap();
        sink.write(1, &changes(&schema, &[(1, 2025, Some("a/b"), 1), (2, 2026, None, 1), (3, 2026, None, 1)])).unwrap();
        sink.commit(1).unwrap();
        let first = [
            format!("year=2025/city=a%2Fb/rows.{extension}"),
            format!("year=2026/city=__HIVE_DEFAULT_PARTITION__/rows.{extension}"),
        ];
        assert_eq!(files(&out), first);
        let path = format!("out/**/*.{extension}");
        assert_eq!(read(name, folder.path(), &path), ["[1,2025,\"a/b\"]", "[2,2026,null]", "[3,2026,null]"]);
        // A row moves to another folder, and the last one of a folder goes.
        sink.write(2, &changes(&schema, &[(1, 2025, Some("a/b"), -1), (1, 2026, Some("c"), 1)])).unwrap();
        sink.commit(2).unwrap();
        assert_eq!(read(name, folder.path(), &path), ["[1,2026,\"c\"]", "[2,2026,null]", "[3,2026,null]"]);
        assert!(!files(&out).iter().any(|file| file.starts_with("year=2025")), "{:?}", files(&out));
        // Without rows a file says what the columns are; a file of somebody else is left alone.
        std::fs::write(out.join("notes.txt"), "mine").unwrap();
        let mut sink = open_on(name, folder.path(), &given, &schema, WriteMode::Upsert).unwrap();
        sink.commit(1).unwrap();
        assert_eq!(files(&out), ["notes.txt".to_string(), format!("rows.{extension}")]);
        std::fs::remove_dir_all(out).unwrap();
    }
}

#[test]
fn a_log_is_a_folder_of_commits_or_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut schema = table();
    schema.key = vec![];
    for (name, extension) in [("parquet", "parquet"), ("arrow", "arrow")] {
        for mode in [WriteMode::Append, WriteMode::Changes] {
            let file = format!("one.{extension}");
            for path in ["log", file.as_str()] {
                let mut sink = open_on(name, folder.path(), &[("path", text(path))], &schema, mode).unwrap();
                sink.write(7, &changes(&schema, &[(1, 2025, Some("x"), 2)])).unwrap();
                sink.commit(7).unwrap();
                let second = if mode == WriteMode::Changes { -1 } else { 1 };
                sink.write(8, &changes(&schema, &[(2, 2026, None, second)])).unwrap();
                sink.write(9, &changes(&schema, &[(3, 2026, None, 1)])).unwrap();
                sink.commit(9).unwrap();
                let expected = if mode == WriteMode::Append {
                    vec!["[1,2025,\"x\"]", "[1,2025,\"x\"]", "[2,2026,null]", "[3,2026,null]"]
                } else {
                    vec!["[1,2025,\"x\",7,2]", "[2,2026,null,8,-1]", "[3,2026,null,9,1]"]
                };
                let pattern = if path == "log" { format!("log/*.{extension}") } else { file.clone() };
                assert_eq!(read(name, folder.path(), &pattern), expected);
            }
            let names = files(&folder.path().join("log"));
            let expected = [format!("epoch-{:020}.{extension}", 7)];
            assert_eq!(names, expected, "the newest file grows, and the next run replaces what this one has written");
            std::fs::remove_file(folder.path().join(&file)).unwrap();
        }
        std::fs::remove_dir_all(folder.path().join("log")).unwrap();
    }
}

#[test]
fn a_file_of_a_log_that_is_full_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let schema = Schema::new([("n".to_string(), ColumnType::required(Type::Int))]);
    let insert = |from: i64, to: i64| {
        let column: ArrayRef = Arc::new(Int64Array::from_iter_values(from..to));
        ChangeBatch::inserts(RecordBatch::try_new(schema.to_arrow(), vec![column]).unwrap())
    };
    for name in ["parquet", "arrow"] {
        let path = folder.path().join(name);
        let mut sink = open_on(name, folder.path(), &[("path", text(name))], &schema, WriteMode::Append).unwrap();
        for (epoch, from, to) in [(1, 0, 60_000), (2, 60_000, 120_000), (3, 120_000, 120_001), (4, 120_001, 120_002)] {
            sink.write(epoch, &insert(from, to)).unwrap();
            sink.commit(epoch).unwrap();
        }
        assert_eq!(files(&path), [1, 3].map(|epoch| format!("epoch-{epoch:020}.{name}")));
        let pattern = format!("{name}/*");
        let rows = read_all(&spec(name, folder.path(), &[("path", text(&pattern))], None), None).unwrap().rows;
        assert!(rows.iter().enumerate().all(|(n, row)| row[0] == n), "every row is there once, in order");
        assert_eq!(rows.len(), 120_002);
    }
}

#[test]
fn a_commit_that_fails_leaves_everything_as_it_was_and_can_be_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let schema = table();
    let given = [("path", text("out")), ("partition_by", text("year"))];
    let mut sink = open_on("parquet", folder.path(), &given, &schema, WriteMode::Upsert).unwrap();
    sink.write(1, &changes(&schema, &[(1, 2025, Some("a"), 1), (2, 2026, Some("b"), 1)])).unwrap();
    sink.commit(1).unwrap();
    let before = read("parquet", folder.path(), "out/**/*.parquet");
    // A file stands where a folder has to be made.
    std::fs::write(folder.path().join("out/year=2027"), "in the way").unwrap();
    sink.write(2, &changes(&schema, &[(1, 2025, Some("a"), -1), (1, 2025, Some("new"), 1), (3, 2027, None, 1)]))
        .unwrap();
    let error = sink.commit(2).unwrap_err().to_string();
    assert!(error.starts_with("cannot write `out`: "), "{error}");
    assert_eq!(read("parquet", folder.path(), "out/**/*.parquet"), before);
    let left = files(&folder.path().join("out"));
    assert_eq!(left, ["year=2025/rows.parquet", "year=2026/rows.parquet", "year=2027"]);
    std::fs::remove_file(folder.path().join("out/year=2027")).unwrap();
    sink.commit(2).unwrap();
    let after = ["[1,\"new\",2025]", "[2,\"b\",2026]", "[3,null,2027]"];
    assert_eq!(read("parquet", folder.path(), "out/**/*.parquet"), after);
}

#[test]
fn options_that_make_no_sense_are_said_to() {
    let folder = tempfile::tempdir().unwrap();
    let schema = table();
    for (given, message) in [
        (
            ("partition_by", text("yeer")),
            "option `partition_by`: the table has no column `yeer`, only `id`, `year`, `city`",
        ),
        (("row_group", OptionValue::Int(0)), "option `row_group`: 0 rows, expected at least 1"),
    ] {
        let given = [("path", text("out")), given];
        let error = open_on("parquet", folder.path(), &given, &schema, WriteMode::Upsert).err().unwrap();
        assert_eq!(error.to_string(), message);
    }
}

/// Numbers that only look random (xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % sides
    }

    fn whole(&mut self) -> i64 {
        let edges = [0, 1, -1, i64::MAX, i64::MIN];
        if self.roll(3) == 0 { edges[self.roll(5) as usize] } else { self.roll(1 << 40) as i64 - (1 << 39) }
    }

    fn float(&mut self) -> f64 {
        [0.0, f64::NAN, f64::INFINITY, -1.5e300, 0.1, -7.25][self.roll(6) as usize]
    }

    fn word(&mut self) -> &'static str {
        ["", "a", "\u{1F600} b", "line\nline", "__HIVE_DEFAULT_PARTITION__", "null"][self.roll(6) as usize]
    }
}

fn random_type(dice: &mut Dice, depth: u32) -> Type {
    match dice.roll(if depth == 0 { 11 } else { 13 }) {
        0 => Type::Bool,
        1 => Type::Int,
        2 => Type::Float,
        3 => {
            let precision = 1 + dice.roll(38) as u8;
            Type::Decimal { precision, scale: dice.roll(u64::from(precision) + 1) as i8 }
        }
        4 => Type::Text,
        5 => Type::Bytes,
        6 => Type::Date,
        7 => Type::Timestamp,
        8 => Type::Duration,
        9 => Type::Json,
        10 => Type::Vector(1 + dice.roll(3) as i32),
        11 => Type::List(Box::new(random_column_type(dice, depth - 1))),
        _ => {
            let fields = (0..1 + dice.roll(3)).map(|i| (format!("f {i}"), random_column_type(dice, depth - 1)));
            Type::Record(fields.collect())
        }
    }
}

fn random_column_type(dice: &mut Dice, depth: u32) -> ColumnType {
    let ty = random_type(dice, depth);
    ColumnType { ty, nullable: dice.roll(3) > 0 }
}

/// Which rows are there.
fn validity(dice: &mut Dice, nullable: bool, rows: usize) -> Vec<bool> {
    (0..rows).map(|_| !nullable || dice.roll(4) > 0).collect()
}

fn random_array(dice: &mut Dice, ty: &ColumnType, rows: usize) -> ArrayRef {
    let valid = validity(dice, ty.nullable, rows);
    let nulls = NullBuffer::from(valid.clone());
    let some = |dice: &mut Dice, row: usize, value: fn(&mut Dice) -> i64| valid[row].then(|| value(dice));
    match &ty.ty {
        Type::Null => new_null_array(&DataType::Null, rows),
        Type::Bool => Arc::new((0..rows).map(|row| valid[row].then(|| dice.roll(2) == 0)).collect::<BooleanArray>()),
        Type::Int => Arc::new((0..rows).map(|row| some(dice, row, Dice::whole)).collect::<Int64Array>()),
        Type::Float => Arc::new((0..rows).map(|row| valid[row].then(|| dice.float())).collect::<Float64Array>()),
        Type::Decimal { precision, scale } => {
            let limit = 10i128.pow(u32::from(*precision)) - 1;
            let value = |dice: &mut Dice| [0, 1, -1, limit, -limit][dice.roll(5) as usize];
            let array: Decimal128Array = (0..rows).map(|row| valid[row].then(|| value(dice))).collect();
            Arc::new(array.with_precision_and_scale(*precision, *scale).unwrap())
        }
        Type::Text => Arc::new((0..rows).map(|row| valid[row].then(|| dice.word())).collect::<StringArray>()),
        Type::Json => {
            let value = |dice: &mut Dice| ["null", "{\"a\":[1,2.50]}", "\"x\"", "7"][dice.roll(4) as usize];
            Arc::new((0..rows).map(|row| valid[row].then(|| value(dice))).collect::<StringArray>())
        }
        Type::Bytes => {
            let array: BinaryArray = (0..rows).map(|row| valid[row].then(|| dice.whole().to_le_bytes())).collect();
            Arc::new(array)
        }
        Type::Date => {
            let value = |dice: &mut Dice| [0, -1, 20_000, i32::MAX, i32::MIN][dice.roll(5) as usize];
            Arc::new((0..rows).map(|row| valid[row].then(|| value(dice))).collect::<Date32Array>())
        }
        Type::Timestamp => {
            Arc::new((0..rows).map(|row| some(dice, row, Dice::whole)).collect::<TimestampMicrosecondArray>())
        }
        Type::Duration => {
            Arc::new((0..rows).map(|row| some(dice, row, Dice::whole)).collect::<DurationMicrosecondArray>())
        }
        Type::Vector(size) => {
            let DataType::FixedSizeList(field, _) = ty.ty.to_arrow() else { panic!("a vector") };
            let items = (0..rows * *size as usize).map(|_| dice.roll(100) as f32 / 4.0);
            let items = Arc::new(Float32Array::from_iter_values(items));
            Arc::new(FixedSizeListArray::try_new(field, *size, items, Some(nulls)).unwrap())
        }
        Type::List(item) => {
            let DataType::List(field) = ty.ty.to_arrow() else { panic!("a list") };
            let lengths: Vec<usize> =
                valid.iter().map(|valid| if *valid { dice.roll(4) as usize } else { 0 }).collect();
            let items = random_array(dice, item, lengths.iter().sum());
            Arc::new(ListArray::try_new(field, OffsetBuffer::from_lengths(lengths), items, Some(nulls)).unwrap())
        }
        Type::Record(fields) => {
            let DataType::Struct(arrow) = ty.ty.to_arrow() else { panic!("a record") };
            let _: &[FieldRef] = &arrow;
            let columns = fields.iter().map(|(_, ty)| random_array(dice, ty, rows)).collect();
            Arc::new(StructArray::try_new(arrow, columns, Some(nulls)).unwrap())
        }
    }
}

#[test]
fn random_tables_of_every_type_come_back() {
    let seed = 0x7AB1E5;
    let mut dice = Dice(seed);
    let folder = tempfile::tempdir().unwrap();
    for round in 0..150 {
        let count = 1 + dice.roll(6) as usize;
        let columns: Vec<(String, ColumnType)> =
            (0..count).map(|i| (format!("column {i}"), random_column_type(&mut dice, 2))).collect();
        let schema = Schema::new(columns);
        let rows = dice.roll(40) as usize;
        let arrays = schema.columns.iter().map(|column| random_array(&mut dice, &column.ty, rows)).collect();
        let batch = RecordBatch::try_new(schema.to_arrow(), arrays).unwrap();
        let compression = ["zstd", "snappy", "gzip", "lz4", "none"][dice.roll(5) as usize];
        for (name, given) in [
            (
                "parquet",
                vec![("compression", text(compression)), ("row_group", OptionValue::Int(1 + dice.roll(9) as i64))],
            ),
            ("arrow", vec![("compression", text(["none", "lz4", "zstd"][dice.roll(3) as usize]))]),
        ] {
            let context = format!("seed {seed:#x}, round {round}, {name}: {schema}");
            let path = format!("t.{name}");
            let given: Vec<_> = given.into_iter().chain([("path", text(&path))]).collect();
            let mut sink = open_on(name, folder.path(), &given, &schema, WriteMode::Append).unwrap();
            sink.write(1, &ChangeBatch::inserts(batch.clone())).unwrap();
            sink.commit(1).unwrap();
            let read = spec(name, folder.path(), &[("path", text(&path))], None);
            let types = |schema: &Schema| schema.columns.iter().map(|c| c.ty.clone()).collect::<Vec<_>>();
            assert_eq!(types(&read.schema()), types(&schema), "{context}");
            let mut source = open(&read, None).unwrap();
            let mut back = vec![RecordBatch::new_empty(schema.to_arrow())];
            while let SourceEvent::Batch(given) = source.next(std::time::Duration::from_secs(10)).unwrap() {
                assert!(given.errors.is_empty(), "{:?} {context}", given.errors);
                back.push(given.rows.rows);
            }
            let back = arrow_select::concat::concat_batches(&schema.to_arrow(), &back).unwrap();
            assert_eq!(back.num_rows(), batch.num_rows(), "{context}");
            for (column, (before, after)) in batch.columns().iter().zip(back.columns()).enumerate() {
                // By text, in which NaN equals NaN.
                for row in 0..rows {
                    let show = |array: &ArrayRef| arrow_cast::display::array_value_to_string(array, row).unwrap();
                    assert_eq!(before.is_null(row), after.is_null(row), "row {row} of column {column}, {context}");
                    assert_eq!(show(before), show(after), "row {row} of column {column}, {context}");
                }
            }
        }
    }
}

#[test]
fn an_empty_table_is_a_valid_file_without_rows() {
    let folder = tempfile::tempdir().unwrap();
    let schema = table();
    for name in ["parquet", "arrow"] {
        for mode in [WriteMode::Upsert, WriteMode::Append, WriteMode::Changes] {
            let path = format!("empty.{name}");
            open_on(name, folder.path(), &[("path", text(&path))], &schema, mode).unwrap().commit(1).unwrap();
            let read = spec(name, folder.path(), &[("path", text(&path))], None);
            let expected = if mode == WriteMode::Changes { 5 } else { 3 };
            assert_eq!(read.fields.len(), expected);
            assert_eq!(read_all(&read, None).unwrap().rows, Vec::<Value>::new());
        }
    }
}
