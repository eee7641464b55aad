//! Joins with computed keys and further conditions, against two nested loops.

use std::sync::Arc;

use datafusion_common::{Column, JoinType, NullEquality, ScalarValue};
use datafusion_expr::logical_plan::Join;
use datafusion_expr::{Expr, JoinConstraint, LogicalPlan};

use super::super::lower;
use super::interpreter::outputs;
use super::plans::{column, int, ints, is, math};
use crate::functions::tests::values::Random;
use crate::functions::{Arithmetic, Comparison};

type Cells = Vec<Option<i64>>;

fn table(random: &mut Random) -> Vec<Cells> {
    let edges = [None, Some(0), Some(1), Some(2), Some(3), Some(4)];
    (0..random.below(6)).map(|_| (0..2).map(|_| *random.pick(&edges)).collect()).collect()
}

/// `left.a / 2 == right.k`, and if asked `left.b < right.v`.
fn matches(left: &Cells, right: &Cells, conditional: bool, nulls_match: bool) -> bool {
    let key = left[0].map(|a| a / 2);
    let keys = key == right[0] && (nulls_match || key.is_some());
    let condition = matches!((left[1], right[1]), (Some(b), Some(v)) if b < v);
    keys && (!conditional || condition)
}

fn expected(left: &[Cells], right: &[Cells], kind: JoinType, pairs: impl Fn(&Cells, &Cells) -> bool) -> Vec<Cells> {
    let nulls: Cells = vec![None, None];
    let mut rows: Vec<Cells> = Vec::new();
    for l in left {
        let matched: Vec<&Cells> = right.iter().filter(|r| pairs(l, r)).collect();
        match kind {
            JoinType::LeftSemi if !matched.is_empty() => rows.push(l.clone()),
            JoinType::LeftAnti if matched.is_empty() => rows.push(l.clone()),
            JoinType::Inner | JoinType::Left | JoinType::Right | JoinType::Full => {
                rows.extend(matched.iter().map(|r| [l.as_slice(), r.as_slice()].concat()));
                if matched.is_empty() && matches!(kind, JoinType::Left | JoinType::Full) {
                    rows.push([l.as_slice(), nulls.as_slice()].concat());
                }
            }
            _ => {}
        }
    }
    for r in right {
        let matched = left.iter().any(|l| pairs(l, r));
        match kind {
            JoinType::Right | JoinType::Full if !matched => rows.push([nulls.as_slice(), r.as_slice()].concat()),
            JoinType::RightSemi if matched => rows.push(r.clone()),
            JoinType::RightAnti if !matched => rows.push(r.clone()),
            _ => {}
        }
    }
    rows.sort();
    rows
}

fn found(plan: &LogicalPlan, optimise: bool) -> Vec<Cells> {
    let flow = lower(std::slice::from_ref(plan), optimise).unwrap().plan;
    let mut rows = Vec::new();
    for (row, count) in outputs(&flow)[0].values() {
        let cells: Cells = row
            .iter()
            .map(|cell| match cell {
                ScalarValue::Int64(value) => *value,
                other => panic!("{other:?}"),
            })
            .collect();
        rows.extend((0..*count).map(|_| cells.clone()));
    }
    rows.sort();
    rows
}

#[test]
fn every_kind_of_join_gives_what_loops_give() {
    use JoinType::{Full, Inner, Left, LeftAnti, LeftSemi, Right, RightAnti, RightSemi};
    let mut random = Random(0x5eed_0006);
    for round in 0..60 {
        let (left, right) = (table(&mut random), table(&mut random));
        let (conditional, nulls_match) = (random.below(2) == 0, random.below(2) == 0);
        for kind in [Inner, Left, Right, Full, LeftSemi, LeftAnti, RightSemi, RightAnti] {
            let half = math(Arithmetic::Divide, column("a#1"), int(2)).expr;
            let on = vec![(half, Expr::Column(Column::new_unqualified("k#3")))];
            let condition = conditional.then(|| is(column("b#2"), Comparison::Less, column("v#4")).expr);
            let nulls = if nulls_match { NullEquality::NullEqualsNull } else { NullEquality::NullEqualsNothing };
            let (l, r) = (Arc::new(ints(&["a#1", "b#2"], &left)), Arc::new(ints(&["k#3", "v#4"], &right)));
            let join = Join::try_new(l, r, on, condition, kind, JoinConstraint::On, nulls, false).unwrap();
            let plan = LogicalPlan::Join(join);
            let expected = expected(&left, &right, kind, |l, r| matches(l, r, conditional, nulls_match));
            for optimise in [false, true] {
                assert_eq!(found(&plan, optimise), expected, "round {round}, {kind:?}, rules {optimise}");
            }
        }
    }
}
