//! The law: evaluating a batch gives for each row what evaluating that row alone gives, value and error alike.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::Float64Type;
use datafusion_common::ScalarValue;
use tidebook_plan::Type;

use super::super::entry::Takes;
use super::super::typed::Typed;
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
    match takes {
        Takes::Any => vec![Type::Int, Type::Text, Type::Timestamp, Type::Float],
        Takes::Same => vec![Type::Int, Type::Float, Type::Text, Type::Timestamp],
        Takes::Number => vec![Type::Int, Type::Float, decimal(10, 2), decimal(38, 10)],
        Takes::Bool => vec![Type::Bool],
        Takes::Int => vec![Type::Int],
        Takes::Float => vec![Type::Float, Type::Int],
        Takes::Text => vec![Type::Text],
        Takes::Date => vec![Type::Date],
        Takes::Timestamp => vec![Type::Timestamp, Type::Date],
        Takes::Duration => vec![Type::Duration],
        Takes::Json => vec![Type::Json],
        Takes::List => vec![Type::List(Box::new(tidebook_plan::ColumnType::required(Type::Text)))],
    }
}

#[test]
fn every_function_obeys_the_law() {
    let mut random = Random(0x5eed_0001);
    for function in functions() {
        for overload in function.overloads {
            for round in 0..12 {
                let extra = if overload.repeats { random.below(2) } else { 0 };
                let last = overload.parameters.last().expect("every overload has parameters").1;
                let kinds = overload.parameters.iter().map(|(_, takes)| *takes).chain(std::iter::repeat_n(last, extra));
                let mut shared: Option<Type> = None;
                let (mut columns, mut args) = (Vec::new(), Vec::new());
                for takes in kinds {
                    let mut ty = random.pick(&types(takes)).clone();
                    if takes == Takes::Same {
                        ty = shared.get_or_insert(ty).clone();
                    }
                    // A literal now and then, so that both ways through a kernel are taken.
                    if random.below(4) == 0 {
                        args.push(literal(random.pick(&edges(&ty)).clone(), &ty));
                    } else {
                        args.push(at(columns.len(), &ty));
                        columns.push(column(&mut random, &ty, ROWS));
                    }
                }
                let what = format!("{} round {round} of {args:?}", function.name);
                let typed = call(function.name, args).unwrap_or_else(|fault| panic!("{what}: {fault:?}"));
                check(&typed, &batch(columns, ROWS), &what);
            }
        }
    }
}
