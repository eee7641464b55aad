//! The law: evaluating a batch gives for each row what evaluating that row alone gives, value and error alike.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::Float64Type;
use datafusion_common::ScalarValue;
use tidebook_plan::{ColumnType, Type};

use super::super::entry::Overload;
use super::super::takes::{Simple, Takes};
use super::super::typed::{FaultKind, Typed};
use super::super::{call, functions};
use super::values::{Random, at, batch, column, compile, decimal, edges, literal, run};

const ROWS: usize = 40;

/// Checks the law for one expression over one batch.
pub fn check(typed: &Typed, input: &RecordBatch, what: &str) {
    let physical = compile(typed, input);
    let alone: Vec<_> = (0..input.num_rows()).map(|row| run(&physical, &input.slice(row, 1))).collect();
    let together = run(&physical, input);
    let errors: Vec<&String> = alone.iter().filter_map(|row| row.as_ref().err()).collect();
    assert!(typed.fallible || errors.is_empty(), "{what} is not fallible, but says {}", errors[0]);
    match &together {
        Ok(_) => assert!(errors.is_empty(), "{what}: the batch passes, a row says {}", errors[0]),
        Err(error) => assert!(errors.contains(&error), "{what}: the batch says {error}, no row does"),
    }
    // The rows that do not fail, together.
    let fine = BooleanArray::from(alone.iter().map(Result::is_ok).collect::<Vec<_>>());
    let fine = filter_record_batch(input, &fine).unwrap();
    if fine.num_rows() == 0 {
        return;
    }
    let values = run(&physical, &fine).unwrap_or_else(|error| panic!("{what}: no row fails, the batch says {error}"));
    assert_eq!(values.data_type(), &typed.ty.ty.to_arrow(), "{what}: type of the result");
    normalised(&values, what);
    for (row, value) in alone.iter().filter_map(|row| row.as_ref().ok()).enumerate() {
        let (expected, found) =
            (ScalarValue::try_from_array(value, 0).unwrap(), ScalarValue::try_from_array(&values, row).unwrap());
        assert_eq!(found, expected, "{what}: row {row} of the rows that do not fail");
    }
}

fn normalised(values: &ArrayRef, what: &str) {
    if let Some(floats) = values.as_primitive_opt::<Float64Type>() {
        for value in floats.iter().flatten() {
            assert!(value != 0.0 || value.is_sign_positive(), "{what} gives a negative zero");
            assert!(!value.is_nan() || value.to_bits() == f64::NAN.to_bits(), "{what} gives another NaN");
        }
    }
}

/// Types that a parameter takes.
fn types(takes: Takes) -> Vec<Type> {
    let list = |ty: Type| Type::List(Box::new(ColumnType::nullable(ty)));
    let record = |fields: &[(&str, Type)]| {
        let field = |(name, ty): &(&str, Type)| (name.to_string(), ColumnType::nullable(ty.clone()));
        Type::Record(fields.iter().map(field).collect())
    };
    match takes {
        Takes::Any => vec![Type::Int, Type::Text, Type::Timestamp, Type::Float, list(Type::Int), Type::Bytes],
        Takes::Single => vec![Type::Int, Type::Text, Type::Timestamp, Type::Float, Type::Json, decimal(10, 2)],
        Takes::Same => {
            let record = record(&[("a", Type::Int), ("b", Type::Text)]);
            vec![Type::Int, Type::Float, Type::Text, Type::Timestamp, Type::Json, list(Type::Text), record]
        }
        Takes::Ordered => vec![
            Type::Int,
            Type::Float,
            Type::Text,
            Type::Timestamp,
            Type::Date,
            Type::Duration,
            Type::Bool,
            Type::Bytes,
            decimal(10, 2),
        ],
        Takes::Items => {
            let record = record(&[("a", Type::Float), ("b", Type::Text)]);
            let items = [Type::Int, Type::Float, Type::Text, Type::Timestamp, Type::Bool, list(Type::Int), record];
            items.into_iter().map(list).collect()
        }
        Takes::List => vec![list(Type::Int), list(Type::Text), list(list(Type::Int))],
        Takes::Lists => vec![list(list(Type::Int)), list(list(Type::Text))],
        Takes::ListOf(Simple::Float) => vec![list(Type::Float), list(Type::Int), list(decimal(10, 2))],
        Takes::ListOf(simple) => vec![list(simple.ty())],
        Takes::Record => {
            vec![record(&[("a", Type::Int), ("b", Type::Text)]), record(&[("b", Type::Float), ("c", list(Type::Int))])]
        }
        Takes::Vector => vec![Type::Vector(3)],
        Takes::Number => vec![Type::Int, Type::Float, decimal(10, 2), decimal(38, 10)],
        Takes::Decimal => vec![decimal(10, 2), decimal(38, 10), decimal(38, 38), decimal(5, 0)],
        Takes::Value(Simple::Float) => vec![Type::Float, Type::Int],
        Takes::Value(Simple::Timestamp) => vec![Type::Timestamp, Type::Date],
        Takes::Value(simple) => vec![simple.ty()],
    }
}

/// Random arguments for an overload, and the columns that they name.
fn arguments(random: &mut Random, overload: &Overload) -> (Vec<Typed>, Vec<ArrayRef>) {
    let extra = if overload.repeats { random.below(2) } else { 0 };
    let last = overload.parameters.last().map(|(_, takes)| *takes);
    let kinds = overload.parameters.iter().map(|(_, takes)| *takes).chain(last.into_iter().cycle().take(extra));
    // The shared type, from a list if there is one.
    let mut shared: Option<Type> = None;
    let (mut columns, mut args) = (Vec::new(), Vec::new());
    for takes in kinds {
        let mut ty = random.pick(&types(takes)).clone();
        match (takes, &shared, &ty) {
            (Takes::Same | Takes::Ordered, Some(shared), _) => ty = shared.clone(),
            (Takes::Same | Takes::Ordered, None, _) => shared = Some(ty.clone()),
            (Takes::Items, Some(shared), _) => ty = Type::List(Box::new(ColumnType::nullable(shared.clone()))),
            (Takes::Items, None, Type::List(item)) => shared = Some(item.ty.clone()),
            _ => {}
        }
        // A literal now and then, so that both ways through a kernel are taken.
        if random.below(4) == 0 {
            args.push(literal(random.pick(&edges(&ty)).clone(), &ty));
        } else {
            args.push(at(columns.len(), &ty));
            columns.push(column(random, &ty, ROWS));
        }
    }
    (args, columns)
}

#[test]
fn every_function_obeys_the_law() {
    let mut random = Random(0x5eed_0001);
    let mut checked = 0;
    for function in functions() {
        for (index, overload) in function.overloads.iter().enumerate() {
            let mut bound = 0;
            for round in 0..16 {
                let (args, columns) = arguments(&mut random, overload);
                let what = format!("{} overload {index} round {round} of {args:?}", function.name);
                match call(function.name, args) {
                    Ok(typed) => {
                        check(&typed, &batch(columns, ROWS), &what);
                        bound += 1;
                    }
                    // A literal that is no pattern, zone or unit is said to be none.
                    Err(fault) => assert_eq!(fault.kind, FaultKind::Value, "{what}: {fault:?}"),
                }
            }
            let needs_constant = matches!(function.name, "regex_record" | "tumble" | "hop");
            assert!(bound > 0 || needs_constant, "no call of {} overload {index} was bound", function.name);
            checked += bound;
        }
    }
    assert!(checked > 2_000, "only {checked} calls were checked");
}

#[test]
fn windows_obey_the_law() {
    let mut random = Random(0x5eed_0002);
    let length = |micros: i64| literal(ScalarValue::DurationMicrosecond(Some(micros)), &Type::Duration);
    for ty in [Type::Timestamp, Type::Date] {
        for (long, every) in [(1, 1), (60_000_000, 7_000_001), (5, 3), (2, 90), (86_400_000_000, 86_400_000_000)] {
            let rows = batch(vec![column(&mut random, &ty, ROWS)], ROWS);
            let what = format!("windows of {long} every {every} over {ty}");
            check(&call("tumble", vec![at(0, &ty), length(long)]).unwrap(), &rows, &what);
            check(&call("hop", vec![at(0, &ty), length(long), length(every)]).unwrap(), &rows, &what);
        }
    }
}
