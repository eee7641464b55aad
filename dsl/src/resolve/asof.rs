//! `asof join`: with each left row the nearest right row by time.

use tidebook_plan::flow::AsofChoice;
use tidebook_plan::{Span, Type};

use crate::diagnostics::names;
use crate::functions::Typed;
use crate::resolve::expression::{binary, call_fault};
use crate::resolve::fault::Resolved;
use crate::resolve::join::{conjuncts, made_nullable, reads_only, same_type};
use crate::resolve::relation::Relation;
use crate::resolve::scope::Scope;
use crate::resolve::sets::joined_errors;
use crate::resolve::{Reach, Resolver, build};
use crate::syntax::tree::{BinaryOperator, Expr, ExprKind, Join, JoinCondition, JoinKind, Step};

/// The times of both sides and how they compare.
struct Times {
    left: Typed,
    right: Typed,
    choice: AsofChoice,
}

const FORM: &str = "write `on k == other.k and other.at <= at` (or `<`, `>=`, `>`): equal columns, and one comparison of the times";

impl Resolver<'_> {
    /// The join of two sides that have only the columns that are seen.
    pub(crate) fn asof(&self, left: Relation, right: Relation, join: &Join, step: &Step) -> Resolved<Relation> {
        let JoinCondition::On(condition) = &join.condition else {
            return Err(names::JOIN_CONDITION
                .error("an as-of join needs a comparison of times", step.keyword)
                .with_help(FORM)
                .into());
        };
        let mut columns = left.scope.columns.clone();
        columns.extend(right.scope.columns.iter().cloned());
        let both = Scope { columns, head: left.scope.head.clone() };
        let (mut rest, mut times): (Vec<&Expr>, Option<Times>) = (Vec::new(), None);
        for part in conjuncts(condition) {
            match self.times(&left.scope, &right.scope, &both, part)? {
                None => rest.push(part),
                Some(_) if times.is_some() => {
                    return Err(names::JOIN_CONDITION
                        .error("an as-of join has one comparison of times, this is a second one", part.span)
                        .with_help("keep rows before it: `(other | where …) as other`")
                        .into());
                }
                some => times = some,
            }
        }
        let Some(Times { left: left_time, right: right_time, choice }) = times else {
            return Err(names::JOIN_CONDITION
                .error("an as-of join needs a comparison of times", condition.span)
                .with_help(FORM)
                .into());
        };
        let (pairs, residual) = self.on_parts(&left.scope, &right.scope, &rest)?;
        if residual.is_some() {
            return Err(names::JOIN_CONDITION
                .error("an as-of join matches on equal columns and a comparison of times alone", condition.span)
                .with_help(FORM)
                .into());
        }
        let origin = self.origin(step.span);
        let (scopes, key) = ((left.scope.clone(), right.scope.clone()), left.key.clone());
        let outer = join.kind == JoinKind::LeftAsof;
        let (left_keys, right_keys): (Vec<Typed>, Vec<Typed>) = pairs.into_iter().unzip();
        let with = |side: Relation, keys: Vec<Typed>, time: Typed| {
            let mut added = Vec::new();
            let ids: Vec<String> = keys.into_iter().map(|key| self.as_column(&side, key, &mut added)).collect();
            let time = self.as_column(&side, time, &mut added);
            let mut side = self.extend(side, added, origin.clone());
            // Ties go by the columns in the order in which they are seen.
            side.narrow();
            (side, ids, time)
        };
        let (left, left_ids, left_time) = with(left, left_keys, left_time);
        let (right, right_ids, right_time) = with(right, right_keys, right_time);
        let on = left_ids.into_iter().zip(right_ids).collect();
        let plan = build::asof((left.plan, right.plan), on, (left_time, right_time), choice, outer, origin.clone());
        let mut columns = scopes.0.columns;
        columns.extend(scopes.1.columns.into_iter().map(|column| if outer { made_nullable(column) } else { column }));
        let mut result = Relation {
            plan,
            scope: Scope { columns, head: scopes.0.head },
            key,
            ordering: Vec::new(),
            retracts: true,
            errors: joined_errors(left.errors, right.errors),
        };
        result.settle();
        Ok(result)
    }

    /// The comparison of times that a part of a condition is, the right one on its left hand; `None` if it is none.
    fn times(&self, left: &Scope, right: &Scope, both: &Scope, part: &Expr) -> Resolved<Option<Times>> {
        let ExprKind::Binary { operator, left: a, right: b, .. } = &part.kind else { return Ok(None) };
        let (forward, strict) = match operator {
            BinaryOperator::LessOrEqual => (false, false),
            BinaryOperator::Less => (false, true),
            BinaryOperator::GreaterOrEqual => (true, false),
            BinaryOperator::Greater => (true, true),
            _ => return Ok(None),
        };
        let typed = self.all([a, b].into_iter().map(|side| self.expression(side, Reach::columns(both))))?;
        let (a_typed, b_typed) = (typed[0].clone(), typed[1].clone());
        binary(*operator, a_typed.clone(), b_typed.clone())
            .map_err(|f| call_fault(f, part.span, &[a.span, b.span]))?;
        let (own, theirs, forward) = if reads_only(&a_typed, right) && reads_only(&b_typed, left) {
            (b_typed, a_typed, forward)
        } else if reads_only(&a_typed, left) && reads_only(&b_typed, right) {
            (a_typed, b_typed, !forward)
        } else {
            return Err(names::JOIN_CONDITION
                .error("the times of an as-of join are one of each side", part.span)
                .with_help(FORM)
                .into());
        };
        let (own, theirs) = same_type(own, theirs);
        self.refuse_as_time(&own, part.span)?;
        Ok(Some(Times { left: own, right: theirs, choice: AsofChoice { forward, strict } }))
    }

    fn refuse_as_time(&self, time: &Typed, span: Span) -> Resolved<()> {
        match time.ty.ty {
            Type::Timestamp | Type::Date | Type::Duration | Type::Int | Type::Float | Type::Decimal { .. } => Ok(()),
            _ => Err(names::WRONG_TYPE
                .error(format!("an as-of join goes by times or numbers, not by {}", time.ty.ty), span)
                .into()),
        }
    }
}
