//! What the builders choose, and what the nodes say of themselves.

use datafusion_expr::LogicalPlan;

use super::*;
use crate::functions::{AggregateFunction, Arithmetic, Comparison};
use crate::lower::tests::plans::{column, int, ints, is, math, origin, scan};

fn names(plan: &LogicalPlan) -> Vec<String> {
    plan.schema().fields().iter().map(|field| field.name().clone()).collect()
}

fn table() -> LogicalPlan {
    ints(&["a#1", "b#2"], &[vec![Some(1), Some(2)], vec![None, Some(3)]])
}

fn total(input: &str) -> AggregateColumn {
    AggregateColumn {
        function: AggregateFunction::Sum,
        input: Some(input.into()),
        filter: None,
        order: vec![],
        output: "n#9".into(),
    }
}

#[test]
fn only_a_step_that_can_fail_is_checked() {
    let safe =
        project(table(), vec![(math(Arithmetic::Divide, column("a#1"), int(2)), "c#3".into())], origin("derive"))
            .unwrap();
    assert!(matches!(safe, LogicalPlan::Projection(_)));
    assert!(error_columns(&safe).is_none());
    let risky = project(
        table(),
        vec![(math(Arithmetic::Divide, column("a#1"), column("b#2")), "c#3".into())],
        origin("derive"),
    )
    .unwrap();
    assert!(matches!(risky, LogicalPlan::Extension(_)));
    let received: Vec<String> = error_columns(&risky).unwrap().into_iter().map(|(name, _)| name).collect();
    assert_eq!(received, ["a#1", "b#2"]);
    let kept = filter(table(), is(column("a#1"), Comparison::Less, int(3)), origin("where")).unwrap();
    assert!(matches!(kept, LogicalPlan::Filter(_)));
}

#[test]
fn errors_have_the_columns_that_the_step_received() {
    let unique = unique(table(), vec!["a#1".into()], origin("key by a")).unwrap();
    let called: Vec<String> = ["x#4", "y#5", "error#6", "step#7"].map(String::from).to_vec();
    let failed = errors(&unique, &called).unwrap();
    assert_eq!(names(&failed), called);
    assert!(matches!(errors(&unique, &called[1..]), Err(LogicalError::ColumnCount { expected: 4, found: 3 })));
    assert!(matches!(errors(&table(), &called), Err(LogicalError::NeverFails(_))));
    let source: Vec<String> =
        error_columns(&scan("csv", &["a#1"])).unwrap().into_iter().map(|(name, _)| name).collect();
    assert_eq!(source, ["file", "line", "text"]);
}

#[test]
fn a_sum_of_ints_can_fail_by_group() {
    let summed = aggregate(table(), vec!["a#1".into()], vec![total("b#2")], origin("summarize")).unwrap();
    assert_eq!(names(&summed), ["a#1", "n#9"]);
    assert_eq!(error_columns(&summed).unwrap().len(), 1);
    let counted = AggregateColumn { function: AggregateFunction::Count, ..total("b#2") };
    let counted = aggregate(table(), vec!["a#1".into()], vec![counted], origin("summarize")).unwrap();
    assert!(error_columns(&counted).is_none());
    let unknown = aggregate(table(), vec![], vec![total("z#2")], origin("summarize"));
    assert!(matches!(unknown, Err(LogicalError::UnknownColumn(name)) if name == "z#2"));
}

#[test]
fn literals_are_known_by_their_contents() {
    let digest = |plan: &LogicalPlan| match plan {
        LogicalPlan::Extension(node) => node.node.as_any().downcast_ref::<Constant>().unwrap().digest,
        other => panic!("{other:?}"),
    };
    let same = ints(&["x#7", "y#8"], &[vec![Some(1), Some(2)], vec![None, Some(3)]]);
    assert_eq!(digest(&table()), digest(&same));
    let other = ints(&["a#1", "b#2"], &[vec![Some(1), Some(2)], vec![Some(3), None]]);
    assert_ne!(digest(&table()), digest(&other));
}

#[test]
fn the_oracle_speaks_plain_datafusion_or_says_that_it_cannot() {
    let stand_in = |leaf: &LogicalPlan| {
        let schema = leaf.schema().clone();
        Ok(LogicalPlan::EmptyRelation(datafusion_expr::logical_plan::EmptyRelation { produce_one_row: false, schema }))
    };
    let risky =
        project(table(), vec![(math(Arithmetic::Add, column("a#1"), column("b#2")), "c#3".into())], origin("derive"))
            .unwrap();
    let summed = aggregate(risky, vec![], vec![total("c#3")], origin("summarize")).unwrap();
    let order = vec![SortColumn { column: "n#9".into(), descending: true }];
    let top = top_k(summed, vec![], order, 0, 3, origin("top")).unwrap();
    let plain = to_datafusion(&top, stand_in).unwrap();
    assert_eq!(names(&plain), names(&top));
    assert!(!plain.display_indent().to_string().contains("Checked"), "{}", plain.display_indent());
    let unique = unique(table(), vec!["a#1".into()], origin("key by a")).unwrap();
    assert!(matches!(to_datafusion(&unique, stand_in), Err(Unsupported::Node(node)) if node.starts_with("Unique")));
}
