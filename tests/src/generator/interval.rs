//! Conditions that bound how far two numbers lie apart, which make a join an interval join.

use super::expression::{Arithmetic, Comparison};
use super::{Column, Expression, Kind, Random};

/// A condition over a column of whole numbers of each side, where both have one.
pub fn random_interval(random: &mut Random, ours: &[Column], theirs: &[Column]) -> Option<Expression> {
    let ints =
        |columns: &[Column]| columns.iter().filter(|column| column.kind == Kind::Int).cloned().collect::<Vec<_>>();
    let (ours, theirs) = (ints(ours), ints(theirs));
    if ours.is_empty() || theirs.is_empty() {
        return None;
    }
    let mut column = |columns: &[Column]| {
        let Column { name, kind } = random.pick(columns).clone();
        Expression::Column(name, kind)
    };
    let (own, other) = (column(&ours), column(&theirs));
    let mut bound = |comparison: [Comparison; 2], arithmetic: Arithmetic| {
        let far = Box::new(Expression::Int(random.between(0, 4)));
        let shifted = Expression::Arithmetic(arithmetic, Box::new(own.clone()), far);
        Expression::Compare(*random.pick(&comparison), Box::new(other.clone()), Box::new(shifted))
    };
    let low = bound([Comparison::AtLeast, Comparison::Greater], Arithmetic::Subtract);
    let high = bound([Comparison::AtMost, Comparison::Less], Arithmetic::Add);
    Some(Expression::And(Box::new(low), Box::new(high)))
}
