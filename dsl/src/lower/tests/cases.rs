//! What each node becomes: `cases/NAME.txt` has the logical plan, its flow plan, and the flow plan after the rules
//! where they change something. `TIDEBOOK_BLESS=1` writes what is given now; read the difference before you keep it.

use std::sync::Arc;

use datafusion_common::{Column, JoinType as DataFusionJoin, NullEquality};
use datafusion_expr::logical_plan::{EmptyRelation, Join};
use datafusion_expr::{Expr, JoinConstraint, LogicalPlan};
use tidebook_plan::flow::Fraction;

use super::super::{LowerError, lower};
use super::plans::{check_case, column, int, is, math, named, origin, scan, selective};
use crate::functions::{AggregateFunction, Arithmetic, Comparison, Typed, and};
use crate::logical::{self, AggregateColumn, JoinType, SortColumn};

fn check(name: &str, roots: &[LogicalPlan]) {
    let (plain, ruled) = (lower(roots, false).unwrap().plan, lower(roots, true).unwrap().plan);
    let plans: Vec<String> = roots.iter().map(|root| root.display_indent().to_string()).collect();
    let mut text = format!("{}\n=>\n{plain}\n", plans.join("\n--\n"));
    if plain.to_string() != ruled.to_string() {
        text.push_str(&format!("=> with rules\n{ruled}\n"));
    }
    check_case(&format!("src/lower/cases/{name}.txt"), &text);
}

fn orders() -> LogicalPlan {
    scan("jsonl", &["id#1", "product#2", "qty#3"])
}

fn products() -> LogicalPlan {
    scan("csv", &["key#4", "price#5"])
}

fn aggregate(function: AggregateFunction, input: &str, output: &str) -> AggregateColumn {
    AggregateColumn { function, input: Some(input.into()), filter: None, order: vec![], output: output.into() }
}

fn count(output: &str) -> AggregateColumn {
    AggregateColumn {
        function: AggregateFunction::CountRows,
        input: None,
        filter: None,
        order: vec![],
        output: output.into(),
    }
}

fn summarize(input: LogicalPlan, keys: &[&str], aggregates: Vec<AggregateColumn>) -> LogicalPlan {
    let keys = keys.iter().map(ToString::to_string).collect();
    logical::aggregate(input, keys, aggregates, origin("summarize …")).unwrap()
}

fn derived(input: LogicalPlan, value: Typed, name: &str) -> LogicalPlan {
    let mut columns: Vec<_> =
        input.schema().fields().iter().map(|field| (column(field.name()), field.name().clone())).collect();
    columns.push((value, name.to_string()));
    logical::project(input, columns, origin("derive …")).unwrap()
}

#[test]
fn sums_become_a_reduce() {
    let sums = vec![count("n#6"), aggregate(AggregateFunction::Sum, "qty#3", "total#7")];
    check("sums", &[summarize(orders(), &["product#2"], sums)]);
}

#[test]
fn the_smallest_value_is_the_first_of_its_group() {
    check("min", &[summarize(orders(), &["product#2"], vec![aggregate(AggregateFunction::Min, "qty#3", "least#6")])]);
    let mixed = vec![
        aggregate(AggregateFunction::Max, "qty#3", "most#6"),
        count("n#7"),
        AggregateColumn { filter: Some("big#9".into()), ..aggregate(AggregateFunction::Min, "qty#3", "least#8") },
    ];
    let big = derived(orders(), is(column("qty#3"), Comparison::Greater, int(10)), "big#9");
    check("min_max_count", &[summarize(big.clone(), &["product#2"], mixed.clone())]);
    check("min_max_count_without_keys", &[summarize(big, &[], mixed)]);
}

#[test]
fn values_in_an_order_are_parts_of_their_own() {
    let by = |column: &str, descending| vec![SortColumn { column: column.into(), descending }];
    let qty = |function, output| aggregate(function, "qty#3", output);
    check("count_distinct", &[summarize(orders(), &["product#2"], vec![qty(AggregateFunction::CountDistinct, "n#6")])]);
    let last = AggregateColumn { order: by("id#1", false), ..qty(AggregateFunction::Last, "last#6") };
    check("last", &[summarize(orders(), &["product#2"], vec![last])]);
    let all = vec![
        qty(AggregateFunction::List, "all#6"),
        qty(AggregateFunction::Quantile(Fraction::HALF), "middle#7"),
        qty(AggregateFunction::Sum, "total#8"),
        qty(AggregateFunction::Set, "once#9"),
        AggregateColumn { order: by("id#1", true), ..qty(AggregateFunction::List, "latest#10") },
    ];
    let summed = summarize(orders(), &["product#2"], all);
    let errors = logical::errors(&summed, &["e#11".into(), "e#12".into(), "e#13".into()]).unwrap();
    check("collect", &[summed, errors]);
}

#[test]
fn a_checked_step_and_its_errors_share_a_node() {
    let sum = derived(orders(), math(Arithmetic::Add, column("id#1"), column("qty#3")), "sum#6");
    let names: Vec<String> = (0..5).map(|i| format!("e#{i}")).collect();
    let errors = logical::errors(&sum, &names).unwrap();
    let kept = logical::filter(sum, is(column("sum#6"), Comparison::Less, int(9)), origin("where …")).unwrap();
    check("checked_step", &[kept, errors]);
}

#[test]
fn sums_of_one_side_are_formed_below_the_join() {
    let on = [("product#2".to_string(), "key#4".to_string())];
    let joined = logical::join(orders(), products(), JoinType::Inner, &on, false).unwrap();
    let sums = |column: &str| vec![count("n#6"), aggregate(AggregateFunction::Sum, column, "total#7")];
    check("sums_below_join", &[summarize(joined.clone(), &["price#5"], sums("qty#3"))]);
    check("sums_below_join_exchanged", &[summarize(joined.clone(), &["id#1"], sums("price#5"))]);
    let both =
        vec![aggregate(AggregateFunction::Sum, "qty#3", "a#6"), aggregate(AggregateFunction::Sum, "price#5", "b#7")];
    check("sums_of_both_sides", &[summarize(joined.clone(), &["id#1"], both)]);
    // The join is read by another root: it stays.
    check("sums_above_a_shared_join", &[summarize(joined.clone(), &["price#5"], sums("qty#3")), joined]);
}

#[test]
fn top_and_unique() {
    let order = vec![SortColumn { column: "qty#3".into(), descending: true }];
    let top = logical::top_k(orders(), vec!["product#2".into()], order, 1, 2, origin("top 2 …")).unwrap();
    let unique = logical::unique(orders(), vec!["id#1".into()], origin("key by id")).unwrap();
    let minus =
        logical::union(vec![(top, false), (unique, true)], &["a#6".into(), "b#7".into(), "c#8".into()]).unwrap();
    check("top_unique_union", &[minus]);
}

/// A join as DataFusion may write it: with an expression as key and a further condition.
fn conditional(kind: DataFusionJoin) -> LogicalPlan {
    let half = math(Arithmetic::Divide, column("product#2"), int(2)).expr;
    let on = vec![(half, Expr::Column(Column::new_unqualified("key#4")))];
    let condition = is(column("qty#3"), Comparison::Less, column("price#5")).expr;
    let (left, right) = (Arc::new(orders()), Arc::new(products()));
    let nulls = NullEquality::NullEqualsNothing;
    LogicalPlan::Join(Join::try_new(left, right, on, Some(condition), kind, JoinConstraint::On, nulls, false).unwrap())
}

#[test]
fn computed_keys_and_conditions() {
    check("join_inner_condition", &[conditional(DataFusionJoin::Inner)]);
    check("join_left_condition", &[conditional(DataFusionJoin::Left)]);
    check("join_semi_condition", &[conditional(DataFusionJoin::LeftSemi)]);
    check("join_right_condition", &[conditional(DataFusionJoin::Right)]);
}

#[test]
fn equal_parts_are_one_node() {
    let on = [("id#1".to_string(), "id#11".to_string())];
    let again = scan("jsonl", &["id#1", "product#2", "qty#3"]);
    let renamed = logical::project(again, vec![(column("id#1"), "id#11".into())], origin("select")).unwrap();
    check("shared_source", &[logical::join(orders(), renamed, JoinType::Semi, &on, false).unwrap()]);
}

#[test]
fn a_source_that_can_read_less_is_asked_for_less() {
    let source = || selective("parquet", &["day#1", "buyer#2", "amount#3", "note#4"]);
    let late = is(column("day#1"), Comparison::GreaterOrEqual, int(20));
    let rest = is(int(5), Comparison::Less, column("amount#3"));
    let both = and(late.clone(), rest.clone()).unwrap();
    let filtered = logical::filter(source(), both, origin("where …")).unwrap();
    let sums = vec![aggregate(AggregateFunction::Sum, "amount#3", "total#5")];
    let small = logical::project(filtered, named(&["amount#3", "buyer#2"]), origin("select …")).unwrap();
    let summed = summarize(small, &["buyer#2"], sums);
    check("select_columns_and_rows", std::slice::from_ref(&summed));
    // Of two readers the second needs other rows as well, and other columns.
    let other = logical::filter(source(), late, origin("where …")).unwrap();
    let other = logical::project(other, named(&["note#4"]), origin("select …")).unwrap();
    check("select_for_two_readers", &[summed, other]);
    // A step that can fail shows whole rows in its errors; and a row that a later filter drops may fail before.
    let quotient = math(Arithmetic::Divide, column("amount#3"), column("day#1"));
    let checked = logical::project(source(), vec![(quotient, "q#6".into())], origin("derive …")).unwrap();
    let names: Vec<String> = (0..6).map(|i| format!("e#{i}")).collect();
    let errors = logical::errors(&checked, &names).unwrap();
    let kept = logical::filter(checked, is(column("q#6"), Comparison::Less, int(9)), origin("where …")).unwrap();
    check("select_around_errors", &[kept, errors]);
    // Who reads everything leaves the source as it is; so does who reads only its errors.
    check("select_everything", &[source()]);
    let told: Vec<String> = (0..5).map(|i| format!("e#{i}")).collect();
    check("select_only_errors", &[logical::errors(&source(), &told).unwrap()]);
}

#[test]
fn a_plain_projection_of_every_column_is_no_node() {
    check(
        "nothing_to_do",
        &[logical::project(orders(), named(&["id#1", "product#2", "qty#3"]), origin("select *")).unwrap()],
    );
}

#[test]
fn what_is_not_known_is_named() {
    let empty = LogicalPlan::EmptyRelation(EmptyRelation { produce_one_row: true, schema: orders().schema().clone() });
    let error = lower(&[empty], false).unwrap_err();
    assert!(matches!(&error, LowerError::Unsupported { node } if node.starts_with("EmptyRelation")), "{error}");
    let failing = math(Arithmetic::Add, column("id#1"), column("qty#3"));
    let hidden = Typed { fallible: false, ..failing };
    let error = lower(&[derived(orders(), hidden, "sum#6")], false).unwrap_err();
    assert!(matches!(error, LowerError::Unchecked { .. }), "{error}");
}
