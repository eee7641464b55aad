//! `asof join`: with each left row the nearest right row by time.

use datafusion_expr::LogicalPlan;
use tidebook_plan::flow::AsofChoice;
use tidebook_plan::{ColumnType, Span, Type};

use crate::diagnostics::names;
use crate::functions::{self, Typed};
use crate::logical::Origin;
use crate::resolve::expression::{binary, call_fault};
use crate::resolve::fault::Resolved;
use crate::resolve::join::{conjuncts, made_nullable, reads_only, same_type};
use crate::resolve::relation::Relation;
use crate::resolve::scope::{Scope, ScopeColumn};
use crate::resolve::sets::joined_errors;
use crate::resolve::{Reach, Resolver, build};
use crate::syntax::tree::{BinaryOperator, Call, Expr, ExprKind, Join, JoinCondition, JoinKind, Step};

/// The times of both sides and how they compare.
struct Times {
    left: Typed,
    right: Typed,
    /// `None` for the nearest on either side.
    choice: Option<AsofChoice>,
}

/// A side with its keys and its time as columns.
struct Side {
    relation: Relation,
    keys: Vec<String>,
    time: String,
}

const FORM: &str = "write `on k == other.k and other.at <= at` (or `<`, `>=`, `>`, or `nearest(other.at, at)`): equal columns, and one comparison of the times";

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
            let keys = keys.into_iter().map(|key| self.as_column(&side, key, &mut added)).collect();
            let time = self.as_column(&side, time, &mut added);
            let mut relation = self.extend(side, added, origin.clone());
            // Ties go by the columns in the order in which they are seen.
            relation.narrow();
            Side { relation, keys, time }
        };
        let ty = left_time.ty.clone();
        let (left, right) = (with(left, left_keys, left_time), with(right, right_keys, right_time));
        let (plan, right_columns) = match choice {
            Some(choice) => {
                let on = left.keys.iter().cloned().zip(right.keys.iter().cloned()).collect();
                let sides = (left.relation.plan.clone(), right.relation.plan.clone());
                let times = (left.time.clone(), right.time.clone());
                (build::asof(sides, on, times, choice, outer, origin), scopes.1.columns)
            }
            None => self.nearest(&left, &right, &scopes.0, scopes.1.columns, (outer, &ty), &origin),
        };
        let (left, right) = (left.relation, right.relation);
        let mut columns = scopes.0.columns;
        columns.extend(right_columns.into_iter().map(|column| if outer { made_nullable(column) } else { column }));
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

    /// The match before and the one after, and of both the nearer one; of two that are as near the one before. Gives the
    /// right columns under new ids.
    fn nearest(
        &self,
        left: &Side,
        right: &Side,
        left_scope: &Scope,
        right_columns: Vec<ScopeColumn>,
        (outer, ty): (bool, &ColumnType),
        origin: &Origin,
    ) -> (LogicalPlan, Vec<ScopeColumn>) {
        let join = |plan: LogicalPlan, right_plan: LogicalPlan, new: &dyn Fn(&String) -> String, forward: bool| {
            let on = left.keys.iter().cloned().zip(right.keys.iter().map(new)).collect();
            let choice = AsofChoice { forward, strict: false };
            build::asof((plan, right_plan), on, (left.time.clone(), new(&right.time)), choice, true, origin.clone())
        };
        let before = join(left.relation.plan.clone(), right.relation.plan.clone(), &String::clone, false);
        let again: Vec<(&ScopeColumn, String)> =
            right.relation.scope.columns.iter().map(|column| (column, self.fresh(&column.name))).collect();
        let renamed = again.iter().map(|(c, id)| (Typed::column(c.id.clone(), c.ty.clone()), id.clone())).collect();
        let other = build::project(right.relation.plan.clone(), renamed, Origin::default());
        let new = |id: &String| {
            let found = again.iter().find(|(column, _)| column.id == *id);
            found.map_or_else(|| id.clone(), |(_, new)| new.clone())
        };
        let mut both = join(before, other, &new, true);
        let time = |id: String| Typed::column(id, ColumnType { nullable: true, ..ty.clone() });
        let (own, earlier, later) = (time(left.time.clone()), time(right.time.clone()), time(new(&right.time)));
        if !outer {
            let there = |time: &Typed| functions::is_null(time.clone(), true);
            let Ok(any) = functions::or(there(&earlier), there(&later)) else { unreachable!("both are bools") };
            both = build::filter(both, any, Origin::default());
        }
        let chosen = functions::is_nearer(own, earlier, later);
        let mut exprs: Vec<(Typed, String)> =
            left_scope.columns.iter().map(|c| (Typed::column(c.id.clone(), c.ty.clone()), c.id.clone())).collect();
        let columns = right_columns.into_iter().map(|column| {
            let ty = ColumnType { nullable: true, ..column.ty.clone() };
            let one = |id: String| Typed::column(id, ty.clone());
            let branches = vec![(chosen.clone(), one(new(&column.id)))];
            let Ok(value) = functions::case(branches, Some(one(column.id.clone()))) else {
                unreachable!("both branches have one type")
            };
            let id = self.fresh(&column.name);
            exprs.push((value, id.clone()));
            ScopeColumn { id, ..column }
        });
        let columns = columns.collect();
        (build::project(both, exprs, Origin::default()), columns)
    }

    /// `nearest(other.at, at)`.
    fn nearest_times(&self, left: &Scope, right: &Scope, both: &Scope, call: &Call, span: Span) -> Resolved<Times> {
        let ([a, b], []) = (call.arguments.positional.as_slice(), call.arguments.named.as_slice()) else {
            return Err(names::ARGUMENT_COUNT
                .error("`nearest` takes the times of both sides", span)
                .with_help(FORM)
                .into());
        };
        let typed = self.all([a, b].into_iter().map(|side| self.expression(side, Reach::columns(both))))?;
        let (a_typed, b_typed) = (typed[0].clone(), typed[1].clone());
        binary(BinaryOperator::LessOrEqual, a_typed.clone(), b_typed.clone())
            .map_err(|f| call_fault(f, span, &[a.span, b.span]))?;
        let (own, theirs) = if reads_only(&a_typed, right) && reads_only(&b_typed, left) {
            same_type(b_typed, a_typed)
        } else if reads_only(&a_typed, left) && reads_only(&b_typed, right) {
            same_type(a_typed, b_typed)
        } else {
            return Err(names::JOIN_CONDITION
                .error("the times of an as-of join are one of each side", span)
                .with_help(FORM)
                .into());
        };
        let as_time = |time: Typed| match time.ty.ty {
            Type::Timestamp | Type::Int | Type::Duration => Some(time),
            Type::Date => functions::coerce(time, &Type::Timestamp),
            _ => None,
        };
        let found = own.ty.clone();
        match (as_time(own), as_time(theirs)) {
            (Some(left), Some(right)) => Ok(Times { left, right, choice: None }),
            _ => {
                let message = format!("`nearest` goes by timestamps, dates, durations or ints, not by {}", found.ty);
                Err(names::WRONG_TYPE.error(message, span).into())
            }
        }
    }

    /// The comparison of times that a part of a condition is, the right one on its left hand; `None` if it is none.
    fn times(&self, left: &Scope, right: &Scope, both: &Scope, part: &Expr) -> Resolved<Option<Times>> {
        if let ExprKind::Call(call) = &part.kind
            && call.function.text() == "nearest"
            && !self.catalog.functions.contains_key("nearest")
        {
            return self.nearest_times(left, right, both, call, part.span).map(Some);
        }
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
        binary(*operator, a_typed.clone(), b_typed.clone()).map_err(|f| call_fault(f, part.span, &[a.span, b.span]))?;
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
        Ok(Some(Times { left: own, right: theirs, choice: Some(AsofChoice { forward, strict }) }))
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
