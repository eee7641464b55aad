//! Columns of event time: `watermark at delay 10s`, and which columns of later steps still go by it.
//!
//! A mark travels with its column as long as that passes unchanged. A window that is computed from a marked column has
//! the mark too. What has two marks, as a union or a window of two times has, goes by the least of both.

use std::sync::Arc;

use datafusion_expr::Expr as PlanExpr;
use tidebook_plan::Type;

use crate::diagnostics::{names, time};
use crate::functions::Typed;
use crate::logical::{Origin, WatermarkSource};
use crate::resolve::fault::Resolved;
use crate::resolve::relation::Relation;
use crate::resolve::scope::{Scope, ScopeColumn, quoted};
use crate::resolve::{Resolver, build};
use crate::syntax::tree::{Expr, Path};

/// How long an input without rows holds the others back, where nothing is said: a minute, in microseconds.
const IDLE: i64 = 60_000_000;

/// What makes up the watermark of a column; at least one source.
#[derive(Clone, Debug)]
pub(crate) struct Mark(Arc<[WatermarkSource]>);

impl PartialEq for Mark {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Mark {
    /// The sources, none of them twice.
    pub fn sources(&self) -> Vec<WatermarkSource> {
        self.0.to_vec()
    }

    /// The mark of what comes so much later.
    pub fn later(&self, late: i64) -> Mark {
        let later =
            |source: &WatermarkSource| WatermarkSource { delay: source.delay.saturating_add(late), ..source.clone() };
        if late == 0 { self.clone() } else { Mark(self.0.iter().map(later).collect()) }
    }

    /// The least of these; none of none.
    pub fn least<'m>(marks: impl IntoIterator<Item = &'m Mark>) -> Option<Mark> {
        let mut marks = marks.into_iter();
        let first = marks.next()?.clone();
        Some(marks.fold(first, |all, mark| {
            let new: Vec<_> = mark.0.iter().filter(|source| !all.0.contains(source)).cloned().collect();
            if new.is_empty() { all } else { Mark(all.0.iter().cloned().chain(new).collect()) }
        }))
    }
}

/// True for `{start: timestamp, end: timestamp}`.
pub(crate) fn is_window(ty: &Type) -> bool {
    matches!(ty, Type::Record(fields) if matches!(&fields[..], [(start, a), (end, b)]
        if start == "start" && end == "end" && a.ty == Type::Timestamp && b.ty == Type::Timestamp))
}

/// The mark of the value of an expression over `scope`.
pub(crate) fn mark_of(scope: &Scope, typed: &Typed) -> Option<Mark> {
    let plain = matches!(typed.expr, PlanExpr::Column(_)) && typed.ty.ty == Type::Timestamp;
    // `hop` gives a list of windows, of which each row has one in the end.
    let window = match &typed.ty.ty {
        Type::List(element) => is_window(&element.ty),
        ty => is_window(ty),
    };
    if !plain && !window {
        return None;
    }
    let read: Vec<&str> = typed.expr.column_refs().into_iter().map(|column| column.name.as_str()).collect();
    let marks = scope.columns.iter().filter(|column| read.contains(&column.id.as_str()));
    Mark::least(marks.filter_map(|column| column.mark.as_ref()))
}

/// Columns computed from those of `scope`, with their marks.
pub(crate) fn carry(scope: &Scope, columns: &mut [(ScopeColumn, Typed)]) {
    for (column, typed) in columns {
        column.mark = mark_of(scope, typed);
    }
}

/// The marks of both sides of a join: a pair comes when the later of its rows does, so each side waits for the other.
pub(crate) struct JoinedMarks {
    left: Vec<ScopeColumn>,
    right: Vec<ScopeColumn>,
}

impl JoinedMarks {
    /// The marks of these sides.
    pub fn new(left: &Scope, right: &Scope) -> Self {
        let marked = |scope: &Scope| scope.columns.iter().filter(|column| column.mark.is_some()).cloned().collect();
        JoinedMarks { left: marked(left), right: marked(right) }
    }

    /// Puts them on the columns of the result.
    pub fn put(&self, result: &mut Scope) {
        if self.left.is_empty() || self.right.is_empty() {
            return;
        }
        for column in &mut result.columns {
            let is_left = self.left.iter().any(|left| left.id == column.id);
            let other = if is_left { &self.right } else { &self.left };
            if let Some(own) = column.mark.take() {
                column.mark = Mark::least(std::iter::once(&own).chain(other.iter().filter_map(|c| c.mark.as_ref())));
            }
        }
    }
}

impl Resolver<'_> {
    /// `watermark column delay d idle d`
    pub(crate) fn watermark(
        &self,
        mut input: Relation,
        column: &Path,
        delay: Option<&Expr>,
        idle: Option<&Expr>,
    ) -> Resolved<Relation> {
        let found = self.column(&input.scope, column)?.clone();
        if found.ty.ty != Type::Timestamp {
            let message = format!("`watermark` takes a timestamp, `{}` is {}", column.text(), found.ty.ty);
            let fault = names::WRONG_TYPE.error(message, column.span);
            let help = format!("convert it first: `| derive {0}: timestamp({0}) | watermark {0}`", quoted(&found.name));
            return Err(if found.ty.ty == Type::Date { fault.with_help(help).into() } else { fault.into() });
        }
        let delay = delay.map_or(Ok(0), |delay| self.distance(delay, "`delay`"))?;
        let idle = match idle {
            None => IDLE,
            Some(idle) => match self.distance(idle, "`idle`")? {
                0 => return Err(time::NO_DISTANCE.error("an input is idle after some time", idle.span).into()),
                idle => idle,
            },
        };
        let value = Typed::column(found.id.clone(), found.ty.clone());
        let plan = build::project(input.plan.clone(), vec![(value, found.id.clone())], Origin::default());
        let source = WatermarkSource { plan, column: found.id.clone(), delay, idle };
        let mark = Mark(Arc::from([source]));
        for column in input.scope.columns.iter_mut().filter(|column| column.id == found.id) {
            column.mark = Some(mark.clone());
        }
        Ok(input)
    }

    /// A constant length of time in microseconds.
    pub(crate) fn distance(&self, expr: &Expr, what: &'static str) -> Resolved<i64> {
        Ok(i64::try_from(self.duration(expr, what)?.as_micros()).unwrap_or(i64::MAX))
    }
}
