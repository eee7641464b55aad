//! `expect`: as a table of what contradicts it.

use std::time::Duration;

use datafusion_common::ScalarValue;
use tidebook_plan::{ColumnType, Span, Type};

use crate::catalog::TablePlan;
use crate::compile::HoldsWhen;
use crate::diagnostics::names;
use crate::functions::{self, Comparison, Typed};
use crate::logical::Origin;
use crate::resolve::fault::Resolved;
use crate::resolve::relation::Relation;
use crate::resolve::scope::ScopeColumn;
use crate::resolve::sets::compared;
use crate::resolve::{Reach, Resolver, build};
use crate::syntax::tree::{Expect, ExpectCondition, Expr, HeadKind, Pipeline};

/// An expectation as a plan.
pub(crate) struct ResolvedExpectation {
    pub table: TablePlan,
    pub holds_when: HoldsWhen,
    pub within: Option<Duration>,
}

impl Resolver<'_> {
    pub(crate) fn expectation(&self, expect: &Expect, span: Span) -> Resolved<ResolvedExpectation> {
        let within = expect.within.as_ref().map(|e| self.duration(e, "`within`")).transpose()?;
        let subject = self.pipeline(&expect.subject)?;
        let (relation, holds_when) = match &expect.condition {
            ExpectCondition::IsEmpty { negated: false } => (subject, HoldsWhen::Empty),
            ExpectCondition::IsEmpty { negated: true } => (subject, HoldsWhen::NotEmpty),
            ExpectCondition::Equals(other) if is_no_rows(other) => (self.with_side(subject), HoldsWhen::Empty),
            ExpectCondition::Equals(other) => (self.differences(subject, other, span)?, HoldsWhen::Empty),
            ExpectCondition::All(condition) => (self.contradictions(subject, condition, span)?, HoldsWhen::Empty),
        };
        let mut relation = relation;
        relation.forget_hidden();
        let table = self.finish(relation, expect.subject.span)?;
        Ok(ResolvedExpectation { table, holds_when, within })
    }

    /// A constant length of time.
    pub(crate) fn duration(&self, expr: &Expr, what: &'static str) -> Resolved<Duration> {
        match self.constant(expr, what)? {
            (ScalarValue::DurationMicrosecond(Some(micros)), _) if micros >= 0 => {
                Ok(Duration::from_micros(micros.unsigned_abs()))
            }
            (ScalarValue::DurationMicrosecond(Some(_)), _) => {
                Err(names::WRONG_VALUE.error(format!("{what} takes a duration that is not negative"), expr.span).into())
            }
            (_, ty) => Err(names::WRONG_TYPE
                .error(format!("{what} takes a duration, found {ty}"), expr.span)
                .with_help("write `5s`, `250ms` or `1m`")
                .into()),
        }
    }

    /// The rows for which the condition is not true, those that it fails on included.
    fn contradictions(&self, subject: Relation, condition: &Expr, span: Span) -> Resolved<Relation> {
        let condition = self.condition(condition, Reach::columns(&subject.scope))?;
        let fallible = condition.fallible;
        let yes = Typed::literal(ScalarValue::Boolean(Some(true)), ColumnType::required(Type::Bool));
        let contradicts = functions::not(condition).and_then(|negated| functions::coalesce(negated, yes));
        let Ok(contradicts) = contradicts else { unreachable!("a condition is a bool") };
        let mut subject = subject;
        subject.forget_hidden();
        subject.narrow();
        let before = subject.errors.len();
        let mut wrong = self.filter(subject, contradicts, self.origin(span));
        if !fallible {
            return Ok(wrong);
        }
        // A row that the condition fails on contradicts it: it is shown among the others.
        let failed = wrong.errors.split_off(before);
        let mut plans = vec![wrong.plan.clone()];
        for stream in failed {
            let columns =
                stream.columns.iter().map(|c| (Typed::column(c.id.clone(), c.ty.clone()), self.fresh(&c.name)));
            plans.push(build::project(stream.plan, columns.collect(), Origin::default()));
        }
        let columns: Vec<_> = wrong.scope.columns.iter().map(|c| (c.name.clone(), c.ty.clone())).collect();
        let scope = self.new_scope(&columns);
        let ids: Vec<String> = scope.columns.iter().map(|column| column.id.clone()).collect();
        wrong.plan = build::union(plans, &ids);
        wrong.scope = scope;
        wrong.settle();
        Ok(wrong)
    }

    /// The rows that stand more often on one side than on the other, with the side in front.
    fn differences(&self, subject: Relation, other: &Pipeline, span: Span) -> Resolved<Relation> {
        let other_relation = self.pipeline(other)?;
        let aligned = self.align(subject, other_relation, other.span)?;
        let origin = self.origin(span);
        let (counts, have, want) = self.counts(aligned, origin.clone());
        let differ = compared(Comparison::NotEqual, have.clone(), want.clone());
        let mut counts = self.filter(counts, differ, origin.clone());
        let text =
            |value: &str| Typed::literal(ScalarValue::Utf8(Some(value.to_string())), ColumnType::required(Type::Text));
        let more = compared(Comparison::Greater, have, want);
        let Ok(side) = functions::case(vec![(more, text("unexpected"))], Some(text("missing"))) else {
            unreachable!("both sides are text");
        };
        counts.scope.columns.retain(|column| !column.hidden);
        Ok(self.led_by(counts, side, origin))
    }

    /// A table that should have no rows at all, in the form of [`Resolver::differences`].
    fn with_side(&self, mut subject: Relation) -> Relation {
        subject.scope.columns.retain(|column| !column.hidden);
        let side = Typed::literal(ScalarValue::Utf8(Some("unexpected".to_string())), ColumnType::required(Type::Text));
        self.led_by(subject, side, Origin::default())
    }

    fn led_by(&self, relation: Relation, side: Typed, origin: Origin) -> Relation {
        let mut columns = vec![(ScopeColumn::new("_side", self.fresh("_side"), side.ty.clone()), side)];
        columns.extend(relation.scope.visible().map(crate::resolve::columns::kept));
        let mut led = self.project(relation, columns, origin);
        led.key.clear();
        led.ordering.clear();
        led
    }
}

/// `rows []`: it has no columns that could be compared.
fn is_no_rows(pipeline: &Pipeline) -> bool {
    pipeline.steps.is_empty() && matches!(&pipeline.head.kind, HeadKind::Rows(steps) if steps.iter().all(Vec::is_empty))
}
