//! What single expressions give, and what errors say.

use datafusion_common::ScalarValue;
use tidebook_plan::{ColumnType, Type};

use super::super::*;
use super::values::{decimal, float, int, literal, text};

fn math(op: Arithmetic, left: Typed, right: Typed) -> Result<ScalarValue, String> {
    evaluate(&arithmetic(op, left, right).unwrap())
}

fn shown(typed: Typed) -> String {
    match evaluate(&cast(typed, &Type::Text).unwrap()) {
        Ok(ScalarValue::Utf8(Some(text))) => text,
        Ok(value) if value.is_null() => "null".to_string(),
        other => panic!("text gives text, not {other:?}"),
    }
}

#[test]
fn integers_are_checked() {
    use Arithmetic::{Add, Divide, Multiply, Remainder};
    let overflow = "integer overflow: 9223372036854775807 + 1".to_string();
    assert_eq!(math(Add, int(i64::MAX), int(1)), Err(overflow));
    assert_eq!(math(Divide, int(-7), int(2)), Ok(ScalarValue::Int64(Some(-3))));
    assert_eq!(math(Remainder, int(-7), int(2)), Ok(ScalarValue::Int64(Some(-1))));
    assert_eq!(math(Remainder, int(i64::MIN), int(-1)), Ok(ScalarValue::Int64(Some(0))));
    assert_eq!(math(Divide, int(i64::MIN), int(-1)), Err(format!("integer overflow: {} / -1", i64::MIN)));
    assert_eq!(math(Divide, int(1), int(0)), Err("division by zero".to_string()));
    assert_eq!(math(Divide, float(0.0), int(0)), Err("division by zero".to_string()));
    assert_eq!(math(Multiply, float(-1.0), float(0.0)), Ok(ScalarValue::Float64(Some(0.0))));
}

#[test]
fn only_what_can_fail_is_fallible() {
    use Arithmetic::{Add, Divide, Multiply};
    let column = |ty: Type| Typed::column("a#1", ColumnType::required(ty));
    let fallible = |op, left, right| arithmetic(op, left, right).unwrap().fallible;
    assert!(fallible(Multiply, column(Type::Int), int(2)));
    assert!(!fallible(Multiply, column(Type::Int), float(2.0)));
    assert!(!fallible(Divide, column(Type::Int), int(2)));
    assert!(fallible(Divide, column(Type::Int), int(-1)));
    assert!(fallible(Divide, column(Type::Float), column(Type::Float)));
    assert!(!fallible(Divide, column(Type::Float), float(2.0)));
    assert!(!fallible(Add, column(decimal(10, 2)), column(decimal(10, 2))));
    assert!(fallible(Add, column(decimal(38, 2)), column(decimal(10, 2))));
    let typed = arithmetic(Multiply, column(Type::Int), int(2)).unwrap();
    assert!(is_fallible(&typed.expr));
    assert!(!is_fallible(&attempt(typed, None).unwrap().expr));
}

#[test]
fn decimals_keep_their_digits() {
    use Arithmetic::{Add, Divide, Multiply, Remainder};
    let money = |unscaled: i128| literal(ScalarValue::Decimal128(Some(unscaled), 10, 2), &decimal(10, 2));
    let result = |op, left, right| {
        let typed = arithmetic(op, left, right).unwrap();
        (typed.ty.ty.clone(), shown(typed))
    };
    assert_eq!(result(Add, money(150), money(275)), (decimal(11, 2), "4.25".to_string()));
    assert_eq!(result(Multiply, money(150), int(3)), (decimal(11, 2), "4.50".to_string()));
    assert_eq!(result(Remainder, money(-750), money(200)).1, "-1.50");
    let (ty, text) = result(Divide, money(100), money(300));
    assert_eq!((ty, text.as_str()), (decimal(23, 13), "0.3333333333333"));
    assert_eq!(result(Multiply, money(150), float(0.5)), (decimal(11, 3), "0.750".to_string()));
    // A float that is not written there, or has too many digits, makes floats.
    let column = Typed { expr: float(0.5).expr.clone().is_null(), ..float(0.5) };
    assert_eq!(arithmetic(Multiply, money(1), column).unwrap().ty.ty, Type::Float);
    assert_eq!(result(Multiply, money(1), float(1e40)).0, Type::Float);
}

#[test]
fn times_follow_their_units() {
    use Arithmetic::{Add, Divide, Multiply, Subtract};
    let date = |days| literal(ScalarValue::Date32(Some(days)), &Type::Date);
    let span = |micros| literal(ScalarValue::DurationMicrosecond(Some(micros)), &Type::Duration);
    let result = |op, left, right| shown(arithmetic(op, left, right).unwrap());
    assert_eq!(result(Subtract, date(1), date(0)), "1d");
    assert_eq!(result(Add, date(0), span(1_500_000)), "1970-01-01T00:00:01.500");
    assert_eq!(result(Multiply, span(2_000_000), float(1.5)), "3s");
    assert_eq!(result(Divide, span(90_000_000), span(60_000_000)), "1.5");
    let fault = arithmetic(Add, date(0), date(1)).unwrap_err();
    assert_eq!(fault.message, "`+` does not take date and date");
}

#[test]
fn casts_say_what_they_cannot_read() {
    let read = |value: &str, ty: &Type| evaluate(&cast(text(value), ty).unwrap());
    assert_eq!(read("abc", &Type::Int), Err("cannot read \"abc\" as int".to_string()));
    assert_eq!(read(" 7 ", &Type::Int), Ok(ScalarValue::Int64(Some(7))));
    assert_eq!(read("1.255", &decimal(5, 2)), Ok(ScalarValue::Decimal128(Some(126), 5, 2)));
    assert_eq!(evaluate(&cast(float(f64::NAN), &Type::Int).unwrap()), Err("cannot read NaN as int".to_string()));
    assert_eq!(evaluate(&cast(float(-2.9), &Type::Int).unwrap()), Ok(ScalarValue::Int64(Some(-2))));
    let fault = cast(int(1), &Type::Date).unwrap_err();
    assert_eq!((fault.argument, fault.message.as_str()), (Some(0), "int cannot be cast to date"));
}

#[test]
fn silent_conversions_keep_every_value() {
    assert!(coerce(int(1), &Type::Float).is_some());
    assert!(coerce(float(1.0), &Type::Int).is_none());
    assert!(coerce(int(123), &decimal(5, 2)).is_some());
    assert!(coerce(int(1234), &decimal(5, 2)).is_none());
    let column = Typed::column("a#1", ColumnType::required(Type::Int));
    assert!(coerce(column.clone(), &decimal(20, 2)).is_none());
    assert!(coerce(column, &decimal(21, 2)).is_some());
    let null = Typed::literal(ScalarValue::Null, ColumnType::nullable(Type::Null));
    let ints = Type::List(Box::new(ColumnType::required(Type::Int)));
    let floats = Type::List(Box::new(ColumnType::required(Type::Float)));
    assert_eq!(coerce(null, &ints).unwrap().ty.ty, ints);
    let list = list(vec![int(1), int(2)]).unwrap();
    assert_eq!(shown(coerce(list, &floats).unwrap()), "[1.0,2.0]");
}

#[test]
fn logic_and_choice_know_null() {
    let null = || Typed::literal(ScalarValue::Null, ColumnType::nullable(Type::Null));
    let yes = || literal(ScalarValue::Boolean(Some(true)), &Type::Bool);
    let no = || literal(ScalarValue::Boolean(Some(false)), &Type::Bool);
    assert_eq!(shown(and(null(), no()).unwrap()), "false");
    assert_eq!(shown(or(null(), yes()).unwrap()), "true");
    assert_eq!(shown(and(null(), yes()).unwrap()), "null");
    assert_eq!(shown(compare(Comparison::Equal, null(), int(1)).unwrap()), "null");
    assert_eq!(shown(coalesce(null(), int(1)).unwrap()), "1");
    assert_eq!(shown(case(vec![(no(), int(1))], None).unwrap()), "null");
    assert_eq!(shown(case(vec![(no(), int(1))], Some(float(2.5))).unwrap()), "2.5");
    let fails = arithmetic(Arithmetic::Divide, int(1), int(0)).unwrap();
    assert_eq!(shown(case(vec![(yes(), int(1))], Some(fails.clone())).unwrap()), "1");
    assert_eq!(shown(coalesce(int(5), fails.clone()).unwrap()), "5");
    let short = and(no(), compare(Comparison::Equal, fails, int(1)).unwrap()).unwrap();
    assert_eq!(shown(short), "false");
    assert_eq!(shown(in_list(int(1), vec![null(), int(1)], false).unwrap()), "true");
    assert_eq!(shown(in_list(int(2), vec![null(), int(1)], false).unwrap()), "null");
}

#[test]
fn parts_of_records_lists_and_documents() {
    let row = record(vec![("a".to_string(), int(1)), ("b".to_string(), text("x"))]);
    assert_eq!(shown(field(row.clone(), "b").unwrap()), "x");
    let fault = field(row, "bb").unwrap_err();
    assert_eq!(fault.help.as_deref(), Some("did you mean `b`?"));
    let numbers = list(vec![int(10), int(20)]).unwrap();
    assert_eq!(shown(index(numbers.clone(), int(1)).unwrap()), "20");
    assert_eq!(shown(index(numbers.clone(), int(2)).unwrap()), "null");
    assert_eq!(shown(index(numbers, int(-1)).unwrap()), "null");
    let document = cast(text("{\"a\": [1, {\"b\": null}]}"), &Type::Json).unwrap();
    let a = field(document, "a").unwrap();
    assert_eq!(shown(index(a.clone(), int(0)).unwrap()), "1");
    assert_eq!(shown(field(index(a, int(1)).unwrap(), "b").unwrap()), "null");
}

#[test]
fn wrong_calls_say_what_is_right() {
    assert_eq!(call("lenght", vec![text("a")]).unwrap_err().kind, FaultKind::Unknown);
    let fault = call("lower", vec![int(1)]).unwrap_err();
    assert_eq!((fault.kind, fault.argument), (FaultKind::Type, Some(0)));
    assert_eq!(fault.message, "`lower` does not take int here");
    let fault = call("round", vec![]).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Arity);
    assert!(fault.help.is_some_and(|help| help.contains("round(x: number, digits: int) -> number")));
}

#[test]
fn names_are_unique_and_documented() {
    let mut seen = std::collections::HashSet::new();
    for function in functions() {
        assert!(seen.insert(function.name), "two functions are called {}", function.name);
        assert!(!function.examples.is_empty() && function.doc.ends_with('.'), "{} is documented", function.name);
    }
}
