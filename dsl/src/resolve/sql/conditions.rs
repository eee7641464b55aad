//! Conditions taken apart.

use std::ops::ControlFlow;

use datafusion_sql::sqlparser::ast::{BinaryOperator, Expr, Query, UnaryOperator, Visit, Visitor};

/// The parts that `and` connects. What all branches of an `or` say is a part of its own, since rows can be joined by it:
/// `(k = l and a) or (k = l and b)` is `k = l and (a or b)`.
pub(super) fn conjuncts(condition: &Expr) -> Vec<Expr> {
    let mut parts = Vec::new();
    let mut waiting = vec![condition];
    while let Some(expr) = waiting.pop() {
        match expr {
            Expr::Nested(inner) => waiting.push(inner),
            Expr::BinaryOp { left, op: BinaryOperator::And, right } => waiting.extend([&**right, &**left]),
            Expr::BinaryOp { op: BinaryOperator::Or, .. } => parts.extend(factored(expr)),
            other => parts.push(other.clone()),
        }
    }
    parts
}

fn factored(expr: &Expr) -> Vec<Expr> {
    let branches: Vec<Vec<Expr>> = disjuncts(expr).into_iter().map(conjuncts).collect();
    let Some((first, rest)) = branches.split_first() else { return vec![expr.clone()] };
    let shared: Vec<Expr> =
        first.iter().filter(|part| rest.iter().all(|branch| branch.contains(part))).cloned().collect();
    if shared.is_empty() {
        return vec![expr.clone()];
    }
    let remainders = branches.iter().map(|branch| {
        let left: Vec<Expr> = branch.iter().filter(|part| !shared.contains(part)).cloned().collect();
        left.into_iter().reduce(|a, b| connected(a, BinaryOperator::And, b))
    });
    // A branch that says nothing more is true where the shared parts are.
    let remainders: Option<Vec<Expr>> = remainders.collect();
    let rest = remainders.and_then(|all| all.into_iter().reduce(|a, b| connected(a, BinaryOperator::Or, b)));
    shared.into_iter().chain(rest).collect()
}

fn disjuncts(expr: &Expr) -> Vec<&Expr> {
    let mut parts = Vec::new();
    let mut waiting = vec![expr];
    while let Some(expr) = waiting.pop() {
        match expr {
            Expr::Nested(inner) => waiting.push(inner),
            Expr::BinaryOp { left, op: BinaryOperator::Or, right } => waiting.extend([&**right, &**left]),
            other => parts.push(other),
        }
    }
    parts
}

fn connected(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    Expr::BinaryOp { left: Box::new(left), op, right: Box::new(right) }
}

/// A condition that a subquery decides alone.
pub(super) enum Membership<'e> {
    /// `exists (…)`
    Exists(&'e Query),
    /// `value in (…)`
    In(&'e Expr, &'e Query),
}

/// The subquery that a condition asks, with true where it must not hold; `None` where the condition is more.
pub(super) fn membership(condition: &Expr) -> Option<(Membership<'_>, bool)> {
    match condition {
        Expr::Nested(inner) => membership(inner),
        Expr::UnaryOp { op: UnaryOperator::Not, expr } => membership(expr).map(|(found, negated)| (found, !negated)),
        Expr::Exists { subquery, negated } => Some((Membership::Exists(subquery), *negated)),
        Expr::InSubquery { expr, subquery, negated } => Some((Membership::In(expr, subquery), *negated)),
        _ => None,
    }
}

/// True if a subquery stands in the expression.
pub(super) fn has_subquery(expr: &Expr) -> bool {
    struct Find;
    impl Visitor for Find {
        type Break = ();
        fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            ControlFlow::Break(())
        }
    }
    expr.visit(&mut Find).is_break()
}

/// The parts of `expr` that `wanted` accepts, those of subqueries and those inside of another left out.
pub(super) fn outermost(expr: &Expr, wanted: impl Fn(&Expr) -> bool) -> Vec<Expr> {
    struct Gather<F> {
        wanted: F,
        found: Vec<Expr>,
        /// How many queries and accepted parts are around.
        depth: usize,
    }
    impl<F: Fn(&Expr) -> bool> Visitor for Gather<F> {
        type Break = ();
        fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            self.depth += 1;
            ControlFlow::Continue(())
        }
        fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            self.depth -= 1;
            ControlFlow::Continue(())
        }
        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            if (self.wanted)(expr) {
                if self.depth == 0 && !self.found.contains(expr) {
                    self.found.push(expr.clone());
                }
                self.depth += 1;
            }
            ControlFlow::Continue(())
        }
        fn post_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            if (self.wanted)(expr) {
                self.depth -= 1;
            }
            ControlFlow::Continue(())
        }
    }
    let mut gather = Gather { wanted, found: Vec::new(), depth: 0 };
    let _ = expr.visit(&mut gather);
    gather.found
}
