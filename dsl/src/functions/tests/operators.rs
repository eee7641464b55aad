//! The law for operators, casts and choices.

use tidebook_plan::{ColumnType, Type};

use super::super::*;
use super::law::check;
use super::values::{Random, at, batch, column, decimal, edges, literal};

const ROWS: usize = 40;

fn all_types() -> Vec<Type> {
    vec![
        Type::Bool,
        Type::Int,
        Type::Float,
        decimal(10, 2),
        decimal(38, 10),
        decimal(38, 0),
        Type::Text,
        Type::Json,
        Type::Bytes,
        Type::Date,
        Type::Timestamp,
        Type::Duration,
        Type::List(Box::new(ColumnType::required(Type::Int))),
    ]
}

/// Column and column, column and literal, literal and column.
fn pairs(random: &mut Random, left: &Type, right: &Type) -> Vec<(Typed, Typed)> {
    let (l, r) = (random.pick(&edges(left)).clone(), random.pick(&edges(right)).clone());
    vec![(at(0, left), at(1, right)), (at(0, left), literal(r, right)), (literal(l, left), at(1, right))]
}

fn each_pair(seed: u64, mut bind: impl FnMut(Typed, Typed) -> Vec<(String, Typed)>) -> usize {
    let mut random = Random(seed);
    let mut checked = 0;
    for left in all_types() {
        for right in all_types() {
            for _ in 0..3 {
                for (l, r) in pairs(&mut random, &left, &right) {
                    let input = batch(vec![column(&mut random, &left, ROWS), column(&mut random, &right, ROWS)], ROWS);
                    for (what, typed) in bind(l.clone(), r.clone()) {
                        check(&typed, &input, &format!("{left} {what} {right}: {l:?}, {r:?}"));
                        checked += 1;
                    }
                }
            }
        }
    }
    checked
}

#[test]
fn arithmetic_obeys_the_law() {
    use Arithmetic::{Add, Divide, Multiply, Remainder, Subtract};
    let checked = each_pair(0x5eed_0002, |l, r| {
        let ops = [Add, Subtract, Multiply, Divide, Remainder];
        ops.iter()
            .filter_map(|op| Some((op.symbol().to_string(), arithmetic(*op, l.clone(), r.clone()).ok()?)))
            .collect()
    });
    assert!(checked > 1_000, "only {checked} combinations were typed");
}

#[test]
fn comparison_and_choice_obey_the_law() {
    use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    let checked = each_pair(0x5eed_0003, |l, r| {
        let ops = [Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual];
        let compared =
            ops.iter().filter_map(|op| Some((op.symbol().to_string(), compare(*op, l.clone(), r.clone()).ok()?)));
        let mut all: Vec<_> = compared.collect();
        all.extend(coalesce(l.clone(), r.clone()).map(|typed| ("??".to_string(), typed)));
        let when = is_null(l.clone(), true);
        all.extend(case(vec![(when, r.clone())], Some(l.clone())).map(|typed| ("case".to_string(), typed)));
        all.extend(in_list(l.clone(), vec![r.clone(), r.clone()], false).map(|typed| ("in".to_string(), typed)));
        all.extend(between(l.clone(), r.clone(), l.clone(), true).map(|typed| ("between".to_string(), typed)));
        all.extend(list(vec![l.clone(), r.clone()]).map(|typed| ("list".to_string(), typed)));
        all.push(("record".to_string(), record(vec![("a".into(), l.clone()), ("b".into(), r.clone())])));
        all.extend(like(l.clone(), r.clone(), false).map(|typed| ("like".to_string(), typed)));
        all.extend(index(l.clone(), r.clone()).map(|typed| ("index".to_string(), typed)));
        all.push(("f-string".to_string(), interpolate(vec![l, r])));
        all
    });
    assert!(checked > 1_000, "only {checked} combinations were typed");
}

#[test]
fn casts_and_minus_obey_the_law() {
    let mut random = Random(0x5eed_0004);
    for from in all_types() {
        let input = batch(vec![column(&mut random, &from, 200)], 200);
        for to in all_types() {
            if let Ok(typed) = cast(at(0, &from), &to) {
                check(&typed, &input, &format!("{to}({from})"));
            }
        }
        if let Ok(typed) = negate(at(0, &from)) {
            check(&typed, &input, &format!("-{from}"));
        }
    }
}

#[test]
fn an_attempt_obeys_the_law_and_never_fails() {
    let mut random = Random(0x5eed_0005);
    for _ in 0..20 {
        let input = batch(vec![column(&mut random, &Type::Int, ROWS), column(&mut random, &Type::Int, ROWS)], ROWS);
        let quotient = arithmetic(Arithmetic::Divide, at(0, &Type::Int), at(1, &Type::Int)).unwrap();
        let attempted = attempt(quotient.clone(), None).unwrap();
        assert!(!attempted.fallible);
        check(&attempted, &input, "try(a / b)");
        let with_default = attempt(quotient.clone(), Some(at(1, &Type::Int))).unwrap();
        assert!(!with_default.fallible);
        check(&with_default, &input, "try(a / b, b)");
        let product = arithmetic(Arithmetic::Multiply, at(0, &Type::Int), at(1, &Type::Int)).unwrap();
        let with_fallible = attempt(quotient, Some(product)).unwrap();
        assert!(with_fallible.fallible);
        check(&with_fallible, &input, "try(a / b, a * b)");
    }
}
