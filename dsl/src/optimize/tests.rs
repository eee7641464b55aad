//! Rules by example: each case is a file with the plan before and after, `cases/NAME.txt`. `TIDEBOOK_BLESS=1` writes
//! what is given now; read the difference before you keep it. (Random plans are in `lower/tests/random.rs`.)

use datafusion_expr::LogicalPlan;

use super::optimize;
use crate::functions::{AggregateFunction, Arithmetic, Comparison, Typed};
use crate::logical::{self, AggregateColumn, JoinType, SortColumn};
use crate::lower::tests::plans::{check_case, column, int, ints, is, math, named, origin, scan};

fn check(name: &str, plan: &LogicalPlan) {
    let optimised = optimize(plan, true).unwrap();
    let path = format!("src/optimize/cases/{name}.txt");
    check_case(&path, &format!("{}\n=>\n{}\n", plan.display_indent(), optimised.display_indent()));
    assert_eq!(optimised.schema().field_names(), plan.schema().field_names(), "{name}: the columns stay");
    assert_eq!(optimize(plan, false).unwrap(), *plan, "{name}: nothing happens when it is off");
}

fn filter(plan: LogicalPlan, predicate: Typed) -> LogicalPlan {
    logical::filter(plan, predicate, origin("where …")).unwrap()
}

fn orders() -> LogicalPlan {
    scan("jsonl", &["id#1", "product#2", "qty#3", "note#4"])
}

fn products() -> LogicalPlan {
    scan("csv", &["key#5", "price#6", "text#7"])
}

fn joined(kind: JoinType) -> LogicalPlan {
    logical::join(orders(), products(), kind, &[("product#2".into(), "key#5".into())], false).unwrap()
}

fn big_order() -> Typed {
    is(column("qty#3"), Comparison::Greater, int(10))
}

fn cheap() -> Typed {
    is(column("price#6"), Comparison::Less, int(5))
}

fn per_product(input: LogicalPlan) -> LogicalPlan {
    let total = AggregateColumn {
        function: AggregateFunction::Sum,
        input: Some("qty#3".into()),
        filter: None,
        order: vec![],
        output: "total#8".into(),
    };
    logical::aggregate(input, vec!["product#2".into()], vec![total], origin("summarize …")).unwrap()
}

#[test]
fn filters_go_below_projections() {
    let doubled = functionless_double();
    let projected =
        logical::project(orders(), vec![(column("id#1"), "id#1".into()), doubled], origin("derive …")).unwrap();
    let predicate = is(column("half#9"), Comparison::Less, int(3));
    check("filter_below_projection", &filter(projected, predicate));
}

/// A column that cannot fail.
fn functionless_double() -> (Typed, String) {
    (math(Arithmetic::Divide, column("qty#3"), int(2)), "half#9".into())
}

#[test]
fn filters_go_to_their_side_of_an_inner_join() {
    let both = crate::functions::and(big_order(), cheap()).unwrap();
    check("filter_below_inner_join", &filter(joined(JoinType::Inner), both));
}

#[test]
fn filters_go_only_left_in_a_left_join() {
    let both = crate::functions::and(big_order(), cheap()).unwrap();
    check("filter_below_left_join", &filter(joined(JoinType::Left), both));
}

#[test]
fn filters_go_below_a_union() {
    let first = ints(&["a#1"], &[vec![Some(1)]]);
    let second = ints(&["b#2"], &[vec![Some(2)]]);
    let union = logical::union(vec![(first, false), (second, false)], &["c#3".into()]).unwrap();
    check("filter_below_union", &filter(union, is(column("c#3"), Comparison::Equal, int(1))));
}

#[test]
fn filters_stay_above_our_own_nodes() {
    let key = is(column("product#2"), Comparison::Equal, int(1));
    check("filter_above_summarize", &filter(per_product(orders()), key));
    let order = vec![SortColumn { column: "qty#3".into(), descending: true }];
    let top = logical::top_k(orders(), vec![], order, 0, 3, origin("top 3 …")).unwrap();
    check("filter_above_top", &filter(top, big_order()));
    let unique = logical::unique(orders(), vec!["id#1".into()], origin("key by id")).unwrap();
    check("filter_above_unique", &filter(unique, big_order()));
}

#[test]
fn a_checked_step_keeps_its_rows_and_columns() {
    let sum = (math(Arithmetic::Add, column("id#1"), column("qty#3")), "sum#9".to_string());
    let derived = logical::project(orders(), vec![(column("id#1"), "id#1".into()), sum], origin("derive …")).unwrap();
    let read = logical::project(
        filter(derived, is(column("id#1"), Comparison::Equal, int(1))),
        named(&["id#1"]),
        origin("select"),
    )
    .unwrap();
    check("checked_step", &read);
}

#[test]
fn a_filter_without_columns_passes_no_node_of_ours() {
    let never = is(int(1), Comparison::Equal, int(2));
    let count = AggregateColumn {
        function: AggregateFunction::CountRows,
        input: None,
        filter: None,
        order: vec![],
        output: "n#8".into(),
    };
    let counted = logical::aggregate(orders(), vec![], vec![count], origin("summarize n: count()")).unwrap();
    check("filter_without_columns", &filter(counted, never));
}

#[test]
fn unread_columns_are_dropped_before_state() {
    let total = per_product(joined(JoinType::Inner));
    check("columns_before_state", &total);
}

#[test]
fn neighbouring_projections_become_one() {
    let first =
        logical::project(orders(), vec![(column("qty#3"), "a#10".into()), functionless_double()], origin("select"))
            .unwrap();
    let second = logical::project(first, vec![(column("half#9"), "b#11".into())], origin("select")).unwrap();
    check("projections_merge", &second);
}
