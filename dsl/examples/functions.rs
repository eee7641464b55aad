//! How long functions take over a million rows: `cargo run --release --workspace --example functions`.

use std::sync::Arc;
use std::time::Instant;

use arrow::array::{
    ArrayRef, Float64Array, Int64Array, ListArray, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Int64Type, Schema};
use datafusion_common::{DFSchema, ScalarValue};
use datafusion_expr::execution_props::ExecutionProps;
use datafusion_physical_expr::create_physical_expr;
use tidebook_dsl::functions::{Typed, call};
use tidebook_plan::{ColumnType, Type};

const ROWS: usize = 1_000_000;

fn column(name: &str, ty: Type) -> Typed {
    Typed::column(name, ColumnType::required(ty))
}

fn text(value: &str) -> Typed {
    Typed::literal(ScalarValue::from(value), ColumnType::required(Type::Text))
}

fn int(value: i64) -> Typed {
    Typed::literal(ScalarValue::Int64(Some(value)), ColumnType::required(Type::Int))
}

/// The columns that the calls read.
fn batch() -> RecordBatch {
    let texts: StringArray = (0..ROWS).map(|row| Some(format!("user {row}, Ärger"))).collect();
    let plain: StringArray = (0..ROWS).map(|row| Some(format!("item-{}-{row}", row % 97))).collect();
    let ints: Int64Array = (0..ROWS).map(|row| Some(row as i64 * 7919 % 100_003)).collect();
    let floats: Float64Array = (0..ROWS).map(|row| Some(row as f64 * 0.37)).collect();
    let instants: TimestampMicrosecondArray =
        (0..ROWS).map(|row| Some(1_790_000_000_000_000 + row as i64 * 997)).collect();
    let lists = ListArray::from_iter_primitive::<Int64Type, _, _>(
        (0..ROWS).map(|row| Some((0..row as i64 % 5).map(Some).collect::<Vec<_>>())),
    );
    let documents: StringArray = (0..ROWS).map(|row| Some(format!("{{\"a\":{{\"b\":{row}}},\"c\":\"x\"}}"))).collect();
    let urls: StringArray = (0..ROWS).map(|row| Some(format!("https://example.com/p/{row}?q={row}"))).collect();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("t", Arc::new(texts)),
        ("p", Arc::new(plain)),
        ("n", Arc::new(ints)),
        ("x", Arc::new(floats)),
        ("at", Arc::new(instants)),
        ("xs", Arc::new(lists)),
        ("d", Arc::new(documents)),
        ("u", Arc::new(urls)),
    ];
    let fields: Vec<Field> =
        columns.iter().map(|(name, array)| Field::new(*name, DataType::clone(array.data_type()), true)).collect();
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    match RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays) {
        Ok(batch) => batch,
        Err(error) => panic!("the columns fit their types: {error}"),
    }
}

fn main() {
    let batch = batch();
    let schema = match DFSchema::try_from(Schema::clone(&batch.schema())) {
        Ok(schema) => schema,
        Err(error) => panic!("the names differ: {error}"),
    };
    let (t, p) = (|| column("t", Type::Text), || column("p", Type::Text));
    let (n, x, at) = (|| column("n", Type::Int), || column("x", Type::Float), || column("at", Type::Timestamp));
    let xs = || column("xs", Type::List(Box::new(ColumnType::required(Type::Int))));
    let (d, u) = (|| column("d", Type::Json), || column("u", Type::Text));
    let calls: Vec<(&str, Vec<Typed>)> = vec![
        ("length", vec![t()]),
        ("lower", vec![p()]),
        ("upper", vec![t()]),
        ("trim", vec![t()]),
        ("substring", vec![p(), int(1), int(4)]),
        ("contains", vec![p(), text("42")]),
        ("position", vec![t(), text(",")]),
        ("replace", vec![p(), text("-"), text("_")]),
        ("split", vec![p(), text("-")]),
        ("pad_start", vec![p(), int(20)]),
        ("concat", vec![p(), t()]),
        ("matches", vec![p(), text("^item-[0-9]+-")]),
        ("regex_extract", vec![p(), text("([0-9]+)$"), int(1)]),
        ("regex_replace", vec![p(), text("[0-9]+"), text("#")]),
        ("abs", vec![n()]),
        ("round", vec![x()]),
        ("round", vec![x(), int(1)]),
        ("sqrt", vec![x()]),
        ("sin", vec![x()]),
        ("power", vec![x(), int(2)]),
        ("gcd", vec![n(), int(36)]),
        ("greatest", vec![n(), int(1_000)]),
        ("year", vec![at()]),
        ("hour", vec![at()]),
        ("hour", vec![at(), text("Europe/Berlin")]),
        ("truncate", vec![at(), text("day")]),
        ("truncate", vec![at(), text("day"), text("Europe/Berlin")]),
        ("format", vec![at(), text("%Y-%m-%d")]),
        ("parse_timestamp", vec![text("22.11.2026"), text("%d.%m.%Y")]),
        ("list_sum", vec![xs()]),
        ("list_sort", vec![xs()]),
        ("contains", vec![xs(), int(3)]),
        ("json_get", vec![d(), text("$.a.b")]),
        ("json_text", vec![d(), text("$.c")]),
        ("url_host", vec![u()]),
        ("md5", vec![p()]),
        ("sha256", vec![p()]),
        ("hash", vec![p()]),
        ("base64_encode", vec![p()]),
        ("if", vec![Typed::literal(ScalarValue::Boolean(Some(true)), ColumnType::required(Type::Bool)), n(), int(0)]),
        ("coalesce", vec![n(), int(0)]),
    ];
    for (name, args) in calls {
        let shown: Vec<String> = args.iter().map(|arg| arg.expr.to_string()).collect();
        let typed = match call(name, args) {
            Ok(typed) => typed,
            Err(fault) => panic!("{name}: {fault:?}"),
        };
        let physical = match create_physical_expr(&typed.expr, &schema, &ExecutionProps::new()) {
            Ok(physical) => physical,
            Err(error) => panic!("{name}: {error}"),
        };
        let mut best = f64::MAX;
        for _ in 0..3 {
            let start = Instant::now();
            if let Err(error) = physical.evaluate(&batch) {
                panic!("{name}: {error}");
            }
            best = best.min(start.elapsed().as_secs_f64() * 1e3);
        }
        println!("{best:8.1} ms  {name}({})", shown.join(", "));
    }
}
