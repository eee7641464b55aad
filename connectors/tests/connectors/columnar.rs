//! Parquet and Arrow files: what is selected is right, what is wrong is told, and nothing that is not there is made up.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, FixedSizeListArray, Float32Array, Float64Array, Int32Array, Int64Array, RecordBatch,
    StringArray, TimestampMillisecondArray, UInt64Array,
};
use arrow_schema::{DataType, Field};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use serde_json::{Value, json};
use tidebook_plan::connector::{OptionValue, SourceSpec};
use tidebook_plan::selection::ScalarValue;
use tidebook_plan::{ColumnType, Comparison, Predicate, Selection, Test, Type};

use crate::support::{columns, messages, read_all, spec, text};

/// Writes columns as a Parquet file of small row groups and pages, with bloom filters.
pub fn write_parquet(path: &Path, columns: Vec<(&str, ArrayRef)>, group_rows: usize) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, a)| (n, a, true))).unwrap();
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(group_rows))
        .set_data_page_row_count_limit(3)
        .set_write_batch_size(1)
        .set_bloom_filter_enabled(true)
        .build();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

/// Writes columns as an Arrow file.
pub fn write_arrow(path: &Path, columns: Vec<(&str, ArrayRef)>) {
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, a)| (n, a, true))).unwrap();
    let mut writer = arrow_ipc::writer::FileWriter::try_new(File::create(path).unwrap(), &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
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
}

/// A row of the table that is selected from.
#[derive(Clone, Debug)]
struct Row {
    small: Option<i32>,
    number: Option<f64>,
    word: Option<String>,
    at: Option<i64>,
    flag: Option<bool>,
}

fn random_rows(dice: &mut Dice, count: usize) -> Vec<Row> {
    let mut least = 0;
    (0..count)
        .map(|_| {
            // Values that grow let statistics say something.
            least += dice.roll(2) as i64;
            let null = dice.roll(6) == 0;
            Row {
                small: (!null).then(|| least as i32 + dice.roll(3) as i32),
                number: (dice.roll(6) > 0).then(|| match dice.roll(12) {
                    0 => f64::NAN,
                    1 => -0.0,
                    value => value as f64 / 2.0 + least as f64,
                }),
                word: (dice.roll(6) > 0).then(|| format!("w{:02}", least + dice.roll(3) as i64)),
                at: (dice.roll(6) > 0).then_some(least * 1_000),
                flag: (dice.roll(6) > 0).then(|| dice.roll(2) == 0),
            }
        })
        .collect()
}

fn write_rows(path: &Path, rows: &[Row]) {
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(Int64Array::from_iter_values(0..rows.len() as i64))),
        ("small", Arc::new(rows.iter().map(|row| row.small).collect::<Int32Array>())),
        ("number", Arc::new(rows.iter().map(|row| row.number).collect::<Float64Array>())),
        ("word", Arc::new(rows.iter().map(|row| row.word.clone()).collect::<StringArray>())),
        ("at", Arc::new(rows.iter().map(|row| row.at).collect::<TimestampMillisecondArray>())),
        ("flag", Arc::new(rows.iter().map(|row| row.flag).collect::<BooleanArray>())),
    ];
    write_parquet(path, columns, 10);
}

/// A random condition, and what it means.
fn random_predicate(dice: &mut Dice, rows: i64) -> (Predicate, Box<dyn Fn(&Row) -> bool>) {
    let value = dice.roll(rows as u64 + 2) as i64;
    let comparisons = [
        Comparison::Equal,
        Comparison::NotEqual,
        Comparison::Less,
        Comparison::LessOrEqual,
        Comparison::Greater,
        Comparison::GreaterOrEqual,
    ];
    let comparison = comparisons[dice.roll(6) as usize];
    let holds = move |order: std::cmp::Ordering| match comparison {
        Comparison::Equal => order.is_eq(),
        Comparison::NotEqual => order.is_ne(),
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterOrEqual => order.is_ge(),
    };
    let is = |field, scalar| Predicate { field, test: Test::Is(comparison, scalar) };
    match dice.roll(8) {
        0 | 1 => (
            is(1, ScalarValue::Int64(Some(value))),
            Box::new(move |row| row.small.is_some_and(|small| holds(i64::from(small).cmp(&value)))),
        ),
        2 => {
            let float = if dice.roll(8) == 0 { f64::NAN } else { value as f64 };
            // Tide has one zero and one NaN, which is larger than every number.
            let normal = |value: f64| if value == 0.0 { 0.0 } else { value };
            (
                is(2, ScalarValue::Float64(Some(float))),
                Box::new(move |row| row.number.is_some_and(|number| holds(normal(number).total_cmp(&float)))),
            )
        }
        3 => {
            let word = format!("w{value:02}");
            let scalar = ScalarValue::Utf8(Some(word.clone()));
            (is(3, scalar), Box::new(move |row| row.word.as_ref().is_some_and(|own| holds(own.cmp(&word)))))
        }
        4 => {
            let micros = value * 1_000_000;
            let scalar = ScalarValue::TimestampMicrosecond(Some(micros), None);
            (is(4, scalar), Box::new(move |row| row.at.is_some_and(|at| holds((at * 1_000).cmp(&micros)))))
        }
        5 => {
            let test = Test::Is(Comparison::Equal, ScalarValue::Boolean(Some(true)));
            (Predicate { field: 5, test }, Box::new(|row| row.flag == Some(true)))
        }
        6 => {
            let values = [value, value + 3];
            let test = Test::In(values.map(|value| ScalarValue::Int64(Some(value))).to_vec());
            (
                Predicate { field: 1, test },
                Box::new(move |row| row.small.is_some_and(|small| values.contains(&i64::from(small)))),
            )
        }
        _ if dice.roll(2) == 0 => (Predicate { field: 3, test: Test::Null }, Box::new(|row| row.word.is_none())),
        _ => (Predicate { field: 3, test: Test::NotNull }, Box::new(|row| row.word.is_some())),
    }
}

#[test]
fn a_selection_gives_every_row_that_passes_and_the_values_that_the_file_has() {
    let seed = 0x5EED_2026;
    let mut dice = Dice(seed);
    let folder = tempfile::tempdir().unwrap();
    let (mut given, mut of) = (0, 0);
    for round in 0..60 {
        let count = 1 + dice.roll(80) as usize;
        let rows = random_rows(&mut dice, count);
        write_rows(&folder.path().join("rows.parquet"), &rows);
        let whole = spec("parquet", folder.path(), &[("path", text("rows.parquet"))], None);
        let all = read_all(&whole, None).unwrap().rows;
        assert_eq!(all.len(), count);
        for _ in 0..10 {
            let conditions: Vec<_> = (0..=dice.roll(3)).map(|_| random_predicate(&mut dice, count as i64)).collect();
            let mut columns: Vec<usize> = (1..6).filter(|_| dice.roll(2) == 0).collect();
            columns.insert(0, 0);
            let predicates: Vec<Predicate> = conditions.iter().map(|(predicate, _)| predicate.clone()).collect();
            let selection = Selection { allowed: true, columns: Some(columns.clone()), predicates };
            let part = SourceSpec { selection, ..whole.clone() };
            let read = read_all_selected(&part, &columns);
            let context = || format!("seed {seed:#x}, round {round}: {:?}", part.selection);
            let ids: Vec<usize> = read.iter().map(|row| row[0].as_u64().unwrap() as usize).collect();
            assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "rows keep their order: {}", context());
            for row in &read {
                let own = &all[row[0].as_u64().unwrap() as usize];
                let expected: Vec<&Value> = columns.iter().map(|column| &own[*column]).collect();
                assert_eq!(row.as_array().unwrap().iter().collect::<Vec<_>>(), expected, "{}", context());
            }
            let passing = (0..count).filter(|id| conditions.iter().all(|(_, passes)| passes(&rows[*id])));
            for id in passing {
                assert!(ids.contains(&id), "row {id} is missing: {:?}, {}", rows[id], context());
            }
            given += ids.len();
            of += count;
        }
    }
    assert!(given * 2 < of, "most rows that do not pass are left out: {given} of {of} were given");
}

/// Rows of a source whose columns are selected.
fn read_all_selected(part: &SourceSpec, columns: &[usize]) -> Vec<Value> {
    let fields = columns.iter().map(|column| part.fields[*column].clone()).collect();
    // The helper names columns by the fields; a source with these alone has the same rows.
    let shown = SourceSpec { fields, selection: Selection::default(), ..part.clone() };
    let mut source = crate::support::open(part, None).unwrap();
    let mut rows = Vec::new();
    loop {
        match source.next(std::time::Duration::from_secs(10)).unwrap() {
            tidebook_plan::connector::SourceEvent::Batch(batch) => {
                assert!(batch.errors.is_empty(), "{:?}", batch.errors);
                rows.extend(crate::support::json_rows(&shown, &batch.rows));
            }
            tidebook_plan::connector::SourceEvent::End => return rows,
            other => panic!("a bounded source only gives rows: {other:?}"),
        }
    }
}

#[test]
fn a_value_that_does_not_fit_is_told_whatever_is_selected() {
    let folder = tempfile::tempdir().unwrap();
    let big: ArrayRef = Arc::new(UInt64Array::from(vec![1, 2, u64::MAX, 4, 5, 6]));
    let id: ArrayRef = Arc::new(Int64Array::from_iter_values(0..6));
    write_parquet(&folder.path().join("big.parquet"), vec![("id", id), ("big", big)], 2);
    let whole = spec("parquet", folder.path(), &[("path", text("big.parquet"))], None);
    let expected = "column `big`: 18446744073709551615 is out of the range of int";
    let read = read_all(&whole, None).unwrap();
    assert_eq!(messages(&read.errors), [("big.parquet", 3, expected)]);
    assert_eq!(read.rows, [json!([0, 1]), json!([1, 2]), json!([3, 4]), json!([4, 5]), json!([5, 6])]);
    // Neither reading another column nor a condition that the row does not meet hides it.
    let condition = Test::Is(Comparison::Less, ScalarValue::Int64(Some(1)));
    let predicates = vec![Predicate { field: 0, test: condition }];
    let selection = Selection { allowed: true, columns: Some(vec![0]), predicates };
    let part = SourceSpec { selection, ..whole.clone() };
    let read = read_all(&part, None).unwrap();
    assert_eq!(messages(&read.errors), [("big.parquet", 3, expected)]);
    // The second row group is looked at, since its statistics say that a value may be wrong; the third is not.
    assert_eq!(read.rows, [json!([0]), json!([1]), json!([3])]);
}

#[test]
fn vectors_without_a_gap_do_not_have_to_be_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let vectors = |gap: Option<usize>| -> ArrayRef {
        let items: Float32Array = (0..12).map(|i| (Some(i) != gap).then_some(i as f32)).collect();
        let field = Arc::new(Field::new("item", DataType::Float32, true));
        Arc::new(FixedSizeListArray::try_new(field, 2, Arc::new(items), None).unwrap())
    };
    let id = || -> ArrayRef { Arc::new(Int64Array::from_iter_values(0..6)) };
    write_parquet(&folder.path().join("whole.parquet"), vec![("id", id()), ("v", vectors(None))], 2);
    write_parquet(&folder.path().join("gap.parquet"), vec![("id", id()), ("v", vectors(Some(9)))], 2);
    let test = Test::Is(Comparison::Less, ScalarValue::Int64(Some(2)));
    let predicates = vec![Predicate { field: 0, test }];
    let selection = Selection { allowed: true, columns: Some(vec![0]), predicates };
    let read = |path: &str| {
        let whole = spec("parquet", folder.path(), &[("path", text(path))], None);
        read_all(&SourceSpec { selection: selection.clone(), ..whole }, None).unwrap()
    };
    assert_eq!(read("whole.parquet").rows, [json!([0]), json!([1])]);
    let gap = read("gap.parquet");
    assert_eq!(messages(&gap.errors), [("gap.parquet", 5, "column `v`: an element of a vector(2) is null")]);
    assert_eq!(gap.rows, [json!([0]), json!([1]), json!([5])]);
}

#[test]
fn a_schema_chooses_renames_and_casts() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.parquet");
    let n: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), None, Some(3)]));
    let s: ArrayRef = Arc::new(StringArray::from(vec!["7", "x", "9"]));
    write_parquet(&file, vec![("n", n), ("wire s", s)], 10);
    let mut fields = columns(&[("amount", Type::Float), ("s", Type::Int), ("new", Type::Text)]);
    fields[0].wire_name = Some("n".to_string());
    fields[1].wire_name = Some("wire s".to_string());
    fields[2].ty = ColumnType::nullable(Type::Text);
    let read = read_all(&spec("parquet", folder.path(), &[("path", text("a.parquet"))], Some(fields)), None).unwrap();
    assert_eq!(read.rows, [json!([1.0, 7, null]), json!([3.0, 9, null])]);
    let expected = ("a.parquet", 2, "column `amount`: is null, and float is not `float?`");
    assert_eq!(messages(&read.errors), [expected]);
    for (name, ty, message) in [
        ("n", Type::Bool, "`a.parquet`: column `n` is int, which cannot be read as bool"),
        ("nothing", Type::Int, "`a.parquet`: has no column `nothing`, only `n`, `wire s`"),
    ] {
        let fields = columns(&[(name, ty)]);
        let error = read_all(&spec("parquet", folder.path(), &[("path", text("a.parquet"))], Some(fields)), None);
        assert_eq!(error.unwrap_err().to_string(), message);
    }
}

#[test]
fn files_that_differ_are_one_table() {
    let folder = tempfile::tempdir().unwrap();
    let ints = |values: Vec<i64>| Arc::new(Int64Array::from(values)) as ArrayRef;
    let floats: ArrayRef = Arc::new(Float64Array::from(vec![0.5]));
    write_parquet(&folder.path().join("k=1/a.parquet"), vec![("n", ints(vec![1, 2])), ("old", ints(vec![5, 6]))], 10);
    write_parquet(&folder.path().join("k=2/b.parquet"), vec![("new", ints(vec![7])), ("n", floats)], 10);
    let whole = spec("parquet", folder.path(), &[("path", text("**/*.parquet"))], None);
    let shown: Vec<String> = whole.fields.iter().map(|field| format!("{}: {}", field.name, field.ty)).collect();
    assert_eq!(shown, ["n: float?", "old: int?", "new: int?", "k: int?"]);
    let rows = read_all(&whole, None).unwrap().rows;
    assert_eq!(rows, [json!([1.0, 5, null, 1]), json!([2.0, 6, null, 1]), json!([0.5, null, 7, 2])]);
    // A condition on the folder.
    let test = Test::Is(Comparison::Greater, ScalarValue::Int64(Some(1)));
    let selection = Selection { allowed: true, columns: None, predicates: vec![Predicate { field: 3, test }] };
    let part = SourceSpec { selection, ..whole };
    assert_eq!(read_all(&part, None).unwrap().rows, [json!([0.5, null, 7, 2])]);
    let words: ArrayRef = Arc::new(StringArray::from(vec!["x"]));
    write_parquet(&folder.path().join("k=3/c.parquet"), vec![("n", words)], 10);
    let options = crate::support::options(crate::support::source("parquet").spec(), &[("path", text("**/*.parquet"))]);
    let error = crate::support::source("parquet").describe(&options, folder.path()).unwrap_err().to_string();
    assert!(error.contains("column `n` is text here and float in `k=1/a.parquet`"), "{error}");
}

#[test]
fn a_damaged_file_is_an_error_and_the_others_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let ints = || Arc::new(Int64Array::from_iter_values(0..100)) as ArrayRef;
    write_parquet(&folder.path().join("a.parquet"), vec![("n", ints())], 10);
    write_arrow(&folder.path().join("a.arrow"), vec![("n", ints())]);
    for name in ["parquet", "arrow"] {
        let whole = std::fs::read(folder.path().join(format!("a.{name}"))).unwrap();
        let path = format!("*.{name}");
        for length in [0, 3, whole.len() / 2, whole.len() - 1] {
            let cut = format!("b.{name}");
            std::fs::write(folder.path().join(&cut), &whole[..length]).unwrap();
            let read = read_all(&spec(name, folder.path(), &[("path", text(&path))], None), None).unwrap();
            assert!(read.rows.len() >= 100 && read.errors.len() == 1, "{length} bytes: {:?}", read.errors);
            assert_eq!(read.errors[0].origin.as_deref(), Some(cut.as_str()));
            let alone = spec(name, folder.path(), &[("path", text(&cut))], Some(columns(&[("n", Type::Int)])));
            assert!(read_all(&alone, None).is_err(), "{length} bytes alone");
        }
        // Any byte may be wrong: nothing panics, and what is given is rows or errors.
        let mut dice = Dice(7);
        for _ in 0..100 {
            let mut bytes = whole.clone();
            let at = dice.roll(bytes.len() as u64) as usize;
            bytes[at] ^= 1 << dice.roll(8);
            std::fs::write(folder.path().join(format!("b.{name}")), &bytes).unwrap();
            let fields = Some(columns(&[("n", Type::Int)]));
            let read = read_all(&spec(name, folder.path(), &[("path", text(&path))], fields), None).unwrap();
            assert!(read.rows.len() >= 100);
        }
    }
}

#[test]
fn an_encrypted_file_is_said_to_be_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    write_parquet(&path, vec![("n", Arc::new(Int64Array::from(vec![1])))], 10);
    let mut bytes = std::fs::read(&path).unwrap();
    let end = bytes.len();
    bytes[end - 4..].copy_from_slice(b"PARE");
    std::fs::write(&path, bytes).unwrap();
    let options = crate::support::options(crate::support::source("parquet").spec(), &[("path", text("a.parquet"))]);
    let error = crate::support::source("parquet").describe(&options, folder.path()).unwrap_err().to_string();
    assert_eq!(error, "`a.parquet`: is encrypted, which is not supported");
}

#[test]
fn a_second_reader_refuses_a_file_that_was_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    let ints = |count: i64| Arc::new(Int64Array::from_iter_values(0..count)) as ArrayRef;
    write_parquet(&path, vec![("n", ints(3))], 10);
    let whole = spec("parquet", folder.path(), &[("path", text("a.parquet"))], None);
    let (_, resume) = read_all(&whole, None).unwrap().stands.pop().unwrap();
    write_parquet(&path, vec![("n", ints(4))], 10);
    let error = read_all(&whole, Some(resume)).unwrap_err().to_string();
    assert_eq!(error, "`a.parquet` no longer has what was read from it: it was written again");
}

#[test]
fn rows_know_their_file() {
    let folder = tempfile::tempdir().unwrap();
    let ints = |from: i64| Arc::new(Int64Array::from_iter_values(from..from + 4)) as ArrayRef;
    write_parquet(&folder.path().join("a.parquet"), vec![("n", ints(0))], 2);
    write_parquet(&folder.path().join("b.parquet"), vec![("n", ints(10))], 2);
    let fields = columns(&[("n", Type::Int), ("_path", Type::Text), ("_line", Type::Int)]);
    let whole = spec("parquet", folder.path(), &[("path", text("*.parquet"))], Some(fields));
    let test = Test::Is(Comparison::Greater, ScalarValue::Int64(Some(2)));
    let selection = Selection { allowed: true, columns: None, predicates: vec![Predicate { field: 0, test }] };
    let rows = read_all(&SourceSpec { selection, ..whole }, None).unwrap().rows;
    for row in [json!([3, "a.parquet", 4]), json!([10, "b.parquet", 1]), json!([13, "b.parquet", 4])] {
        assert!(rows.contains(&row), "{row} is among {rows:?}");
    }
    let off = [("path", text("*.parquet")), ("partitions", OptionValue::Bool(false))];
    assert_eq!(spec("parquet", folder.path(), &off, None).fields.len(), 1);
}
