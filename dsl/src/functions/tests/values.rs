//! Random columns full of edge values, and evaluation of typed expressions over them.

use std::sync::Arc;

use arrow::array::{ArrayRef, FixedSizeListArray, Float32Array, RecordBatch, RecordBatchOptions, StructArray};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion_common::{DFSchema, Result, ScalarValue};
use datafusion_expr::execution_props::ExecutionProps;
use datafusion_physical_expr::{PhysicalExpr, create_physical_expr};
use tidebook_plan::flow::positional_schema;
use tidebook_plan::{ColumnType, Type};

use super::super::kernel::row_error_text;
use super::super::typed::Typed;

/// A small generator (xorshift, Marsaglia); a failing test names its seed.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % bound
    }

    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        let place = self.below(items.len());
        &items[place]
    }
}

pub fn decimal(precision: u8, scale: i8) -> Type {
    Type::Decimal { precision, scale }
}

/// Values of a type at its edges, floats normalised, as every source gives them.
pub fn edges(ty: &Type) -> Vec<ScalarValue> {
    match ty {
        Type::Bool => [true, false].map(|v| ScalarValue::Boolean(Some(v))).to_vec(),
        Type::Int => {
            [i64::MIN, i64::MIN + 1, -7, -1, 0, 1, 2, 3, 10, i64::MAX].map(|v| ScalarValue::Int64(Some(v))).to_vec()
        }
        Type::Float => {
            [f64::NAN, 0.0, 1.0, -1.5, 2.5, 1.005, f64::INFINITY, f64::NEG_INFINITY, 1e300, -1e300, 9.3e18, 5e-324]
                .map(|v| ScalarValue::Float64(Some(v)))
                .to_vec()
        }
        Type::Decimal { precision, scale } => {
            let largest = 10i128.pow(u32::from(*precision)) - 1;
            [0, 1, -1, 50, -50, 150, 12345, largest, -largest, largest / 2]
                .map(|v| ScalarValue::Decimal128(Some(v.clamp(-largest, largest)), *precision, *scale))
                .to_vec()
        }
        Type::Text => [
            "",
            "a",
            "né",
            "𝄞 straße",
            " 12 ",
            "-7",
            "1.5",
            "9223372036854775808",
            "TRUE",
            "2026-11-22",
            "2026-11-22T10:20:30.5+02:00",
            "1h30m",
            "{\"a\": [1, null]}",
            "[1, 2]",
            "%Y-%m",
            "%Q",
            "(",
            "a%b_c\\",
            "day",
            "n+",
            "([0-9]+)(x)?",
            "Europe/Berlin",
            "+05:30",
            "$.a",
            "$..*",
            "https://ann@example.com:8080/a/b?q=a+b%21&q=2#top",
            "/a?b=%ff",
            "{67E55044-10B1-426F-9247-BB680E5FE0C8}",
            "6ec3a9",
            "aGVsbG8=",
            "%d.%m.%Y %H:%M",
            "22.11.2026 10:20",
        ]
        .map(ScalarValue::from)
        .to_vec(),
        Type::Json => ["{\"a\": [1, null], \"b\": \"x\"}", "[1, 2]", "null", "\"s\"", "12", "1.5", "true"]
            .map(ScalarValue::from)
            .to_vec(),
        Type::Bytes => [b"".to_vec(), b"ab".to_vec(), vec![0xff, 0x00]].map(|v| ScalarValue::Binary(Some(v))).to_vec(),
        Type::Date => [-719_162, -1, 0, 20_000, 2_932_896].map(|v| ScalarValue::Date32(Some(v))).to_vec(),
        Type::Timestamp => [i64::MIN, -1, 0, 1_500_000, 1_790_000_000_123_456, i64::MAX]
            .map(|v| ScalarValue::TimestampMicrosecond(Some(v), None))
            .to_vec(),
        Type::Duration => {
            [i64::MIN, -1, 0, 1, 90_000_000, i64::MAX].map(|v| ScalarValue::DurationMicrosecond(Some(v))).to_vec()
        }
        Type::List(item) => {
            let items = edges(&item.ty);
            let field = Arc::new(item.to_field("item"));
            let list = |values: &[ScalarValue]| {
                let values = if values.is_empty() {
                    arrow::array::new_empty_array(field.data_type())
                } else {
                    ScalarValue::iter_to_array(values.iter().cloned()).unwrap()
                };
                let offsets = arrow::buffer::OffsetBuffer::from_lengths([values.len()]);
                let list = arrow::array::ListArray::new(Arc::clone(&field), offsets, values, None);
                ScalarValue::List(Arc::new(list))
            };
            let last = items.len() - 1;
            let with_null = [null(&item.ty), items[0].clone(), null(&item.ty)];
            let mut lists = vec![list(&[]), list(&items[..1]), list(&items), list(&items[last..])];
            if item.nullable {
                lists.push(list(&with_null));
            }
            lists
        }
        Type::Record(fields) => {
            let record = |place: usize| {
                let column = |ty: &Type| {
                    let edges = edges(ty);
                    edges[place % edges.len()].to_array().unwrap()
                };
                let columns = fields.iter().map(|(_, ty)| column(&ty.ty)).collect();
                let DataType::Struct(fields) = ty.to_arrow() else { panic!("a record is a struct") };
                ScalarValue::Struct(Arc::new(StructArray::new(fields, columns, None)))
            };
            (0..4).map(record).collect()
        }
        Type::Vector(size) => {
            let item = Arc::new(Field::new("item", DataType::Float32, true));
            let vector = |start: f32, step: f32| {
                let values = (0..*size).map(|place| start + place as f32 * step);
                let values = Arc::new(Float32Array::from_iter_values(values));
                let list = FixedSizeListArray::new(Arc::clone(&item), *size, values, None);
                ScalarValue::FixedSizeList(Arc::new(list))
            };
            vec![vector(0.0, 0.0), vector(1.0, 0.5), vector(-3.0, 2.0), vector(f32::NAN, 0.0), vector(f32::MAX, 0.0)]
        }
        other => panic!("no edge values of {other}"),
    }
}

pub fn null(ty: &Type) -> ScalarValue {
    ScalarValue::try_from(&ty.to_arrow()).unwrap()
}

/// A column of random edge values, a fifth of them null.
pub fn column(random: &mut Random, ty: &Type, rows: usize) -> ArrayRef {
    let edges = edges(ty);
    let cells = (0..rows).map(|_| if random.below(5) == 0 { null(ty) } else { random.pick(&edges).clone() });
    ScalarValue::iter_to_array(cells).unwrap()
}

/// The columns `c0`, `c1`, … as a batch.
pub fn batch(columns: Vec<ArrayRef>, rows: usize) -> RecordBatch {
    let types: Vec<_> = columns.iter().map(|column| column.data_type().clone()).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(positional_schema(&types), columns, &options).unwrap()
}

/// Column `place` of a batch.
pub fn at(place: usize, ty: &Type) -> Typed {
    Typed::column(format!("c{place}"), ColumnType::nullable(ty.clone()))
}

pub fn literal(value: ScalarValue, ty: &Type) -> Typed {
    let nullable = value.is_null();
    Typed::literal(value, ColumnType { ty: ty.clone(), nullable })
}

pub fn int(value: i64) -> Typed {
    literal(ScalarValue::Int64(Some(value)), &Type::Int)
}

pub fn float(value: f64) -> Typed {
    literal(ScalarValue::Float64(Some(value)), &Type::Float)
}

pub fn text(value: &str) -> Typed {
    literal(ScalarValue::from(value), &Type::Text)
}

pub fn compile(typed: &Typed, batch: &RecordBatch) -> Arc<dyn PhysicalExpr> {
    let schema = DFSchema::try_from(Schema::clone(&batch.schema())).unwrap();
    create_physical_expr(&typed.expr, &schema, &ExecutionProps::new()).unwrap()
}

pub fn run(physical: &Arc<dyn PhysicalExpr>, batch: &RecordBatch) -> std::result::Result<ArrayRef, String> {
    let value = || -> Result<ArrayRef> { physical.evaluate(batch)?.into_array(batch.num_rows()) };
    value().map_err(|error| row_error_text(&error))
}
