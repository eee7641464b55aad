//! Leaves that the optimizer does not look into: what is bound to history, and what is too large.

use datafusion_expr::LogicalPlan;
use tidebook_plan::Operator;

use super::super::lower;
use super::plans::{column, int, is, named, origin, scan};
use crate::functions::{self, Comparison};
use crate::logical::{self, JoinType};

fn orders() -> LogicalPlan {
    let orders = scan("jsonl", &["id#1", "qty#2", "note#3"]);
    logical::filter(orders, is(column("qty#2"), Comparison::Greater, int(0)), origin("where")).unwrap()
}

fn changes(statement: &str) -> LogicalPlan {
    logical::held(logical::changes(orders(), "epoch#4", "diff#5", origin("changes")).unwrap(), statement)
}

#[test]
fn a_history_is_one_and_the_same_whoever_reads_it() {
    let alone = lower(&[changes("a")], true).unwrap();
    let [history] = alone.histories.as_slice() else { panic!("one history, not {}", alone.histories.len()) };
    assert!(matches!(alone.plan.nodes[0].operator, Operator::Held { history: id } if id == history.id));
    // A reader that needs little of it would prune and filter below it, if rules could look into it.
    let few = logical::project(changes("a"), named(&["id#1"]), origin("select")).unwrap();
    let some = logical::filter(few, is(column("id#1"), Comparison::Equal, int(7)), origin("where")).unwrap();
    // Another reader of its input changes what the rules make of that.
    let reader = lower(&[some, orders()], true).unwrap();
    assert_eq!(reader.histories.len(), 1);
    assert_eq!(reader.histories[0].id, history.id);
    assert_eq!(reader.histories[0].plan.to_string(), history.plan.to_string());
    let other = lower(&[changes("b")], true).unwrap();
    assert_ne!(other.histories[0].id, history.id, "another statement has a history of its own");
}

#[test]
fn a_history_stands_after_those_that_it_reads_and_holds_its_errors() {
    let previous = ["id#6", "qty#7", "note#8"].map(str::to_string).to_vec();
    let quotient = functions::arithmetic(functions::Arithmetic::Divide, column("qty#2"), column("qty#7")).unwrap();
    let condition = is(quotient, Comparison::Greater, int(1));
    let dedupe = logical::dedupe(orders(), vec!["id#1".to_string()], previous, condition, origin("dedupe")).unwrap();
    let kept = logical::held(dedupe, "kept");
    let errors: Vec<String> = ["id#1", "qty#2", "note#3", "_error#9", "_step#10"].map(str::to_string).to_vec();
    let failed = logical::errors(&kept, &errors).unwrap();
    let moves = logical::held(logical::changes(kept, "epoch#4", "diff#5", origin("changes")).unwrap(), "moves");
    let lowered = lower(&[moves, failed], true).unwrap();
    let steps: Vec<&str> = lowered.histories.iter().map(|history| history.plan.nodes[0].operator.name()).collect();
    assert_eq!(steps, ["get", "held"]);
    assert_eq!(lowered.histories[0].plan.outputs.len(), 2, "rows and errors");
    assert!(lowered.plan.nodes.iter().all(|node| matches!(node.operator, Operator::Held { .. })), "{}", lowered.plan);
}

#[test]
fn a_table_that_is_used_twice_again_and_again_stays_small() {
    let mut table = orders();
    for round in 0..60 {
        let names = |side: &str| ["id", "qty", "note"].map(|name| format!("{name}#{side}{round}"));
        let (left, right) = (names("l"), names("r"));
        let side = |names: &[String; 3]| {
            let from = table.schema().fields().iter().map(|field| column(field.name()));
            logical::project(table.clone(), from.zip(names.iter().cloned()).collect(), origin("use")).unwrap()
        };
        let on = [(left[0].clone(), right[0].clone())];
        let joined = logical::join(side(&left), side(&right), JoinType::Inner, &on, false).unwrap();
        let kept = named(&[left[0].as_str(), right[1].as_str(), left[2].as_str()]);
        table = logical::bounded(logical::project(joined, kept, origin("select")).unwrap());
    }
    let lowered = lower(&[table], true).unwrap();
    assert!(lowered.plan.nodes.len() < 400, "{} nodes", lowered.plan.nodes.len());
}
