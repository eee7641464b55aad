//! Small plans for tests.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use datafusion_expr::LogicalPlan;
use tidebook_plan::connector::{Options, SourceField, SourceSpec};
use tidebook_plan::flow::{ConstantStep, positional_schema};
use tidebook_plan::{ChangeBatch, ColumnType, Selection, Span, Type};

use crate::functions::{Arithmetic, Comparison, Typed, arithmetic, compare};
use crate::logical::{self, Origin};

pub fn origin(step: &str) -> Origin {
    Origin::new(Span::new(0, step.len()), step)
}

/// Rows of ints in one step.
pub fn ints(names: &[&str], rows: &[Vec<Option<i64>>]) -> LogicalPlan {
    let columns: Vec<ArrayRef> = (0..names.len())
        .map(|column| Arc::new(rows.iter().map(|row| row[column]).collect::<Int64Array>()) as ArrayRef)
        .collect();
    let types: Vec<_> = columns.iter().map(|column| column.data_type().clone()).collect();
    let batch = RecordBatch::try_new(positional_schema(&types), columns).unwrap();
    let steps = vec![ConstantStep { changes: vec![ChangeBatch::inserts(batch)], errors: vec![] }];
    let columns: Vec<_> = names.iter().map(|name| (name.to_string(), ColumnType::nullable(Type::Int))).collect();
    logical::constant(&columns, steps, origin("rows")).unwrap()
}

pub fn column(name: &str) -> Typed {
    Typed::column(name, ColumnType::nullable(Type::Int))
}

pub fn int(value: i64) -> Typed {
    Typed::literal(datafusion_common::ScalarValue::Int64(Some(value)), ColumnType::required(Type::Int))
}

pub fn math(op: Arithmetic, left: Typed, right: Typed) -> Typed {
    arithmetic(op, left, right).unwrap()
}

pub fn is(left: Typed, op: Comparison, right: Typed) -> Typed {
    compare(op, left, right).unwrap()
}

pub fn named(columns: &[&str]) -> Vec<(Typed, String)> {
    columns.iter().map(|name| (column(name), name.to_string())).collect()
}

/// A source of ints.
pub fn scan(connector: &str, names: &[&str]) -> LogicalPlan {
    source(connector, names, false)
}

/// A source of ints that can read less than everything.
pub fn selective(connector: &str, names: &[&str]) -> LogicalPlan {
    source(connector, names, true)
}

fn source(connector: &str, names: &[&str], allowed: bool) -> LogicalPlan {
    let fields = names.iter().map(|name| SourceField {
        name: name.to_string(),
        ty: ColumnType::nullable(Type::Int),
        wire_name: None,
        default: None,
    });
    let source = SourceSpec {
        connector: connector.to_string(),
        options: Options::default(),
        fields: fields.collect(),
        key: vec![],
        generation: 0,
        base: PathBuf::new(),
        selection: Selection { allowed, ..Selection::default() },
    };
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    logical::source(Arc::new(source), &names, origin("read")).unwrap()
}

/// Compares with a file of this crate; `TIDEBOOK_BLESS=1` writes it.
pub fn check_case(path: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("TIDEBOOK_BLESS").is_some() {
        std::fs::write(&path, found).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, expected, "{} (TIDEBOOK_BLESS=1 writes what is given now)", path.display());
}
