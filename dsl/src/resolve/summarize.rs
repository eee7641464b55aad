//! `summarize … by …`.
//!
//! Three nodes: a projection that computes keys and arguments (checked, if they can fail), the aggregate over plain
//! columns, and a projection that computes expressions over aggregates, where there are any.

use tidebook_plan::{ColumnType, Span, Type};

use crate::functions::{self, Typed};
use crate::logical::Origin;
use crate::resolve::aggregate::Aggregation;
use crate::resolve::columns::{item_name, plain_column};
use crate::resolve::fault::{self, Fault, Resolved};
use crate::resolve::relation::Relation;
use crate::resolve::scope::{Scope, ScopeColumn};
use crate::resolve::session::{SessionKey, session_type, with_sessions};
use crate::resolve::watermark::mark_of;
use crate::resolve::{Reach, Resolver, build};
use crate::syntax::tree::{Call, Expr, ExprKind, Step, Summarize};

/// The keys of a `summarize`.
#[derive(Default)]
struct Keys {
    /// As columns.
    columns: Vec<ScopeColumn>,
    /// Those that have to be computed first.
    computed: Vec<(ScopeColumn, Typed)>,
    /// Those that hold the windows of a row, and the type of one: each row is then there once for each of them.
    windows: Vec<(String, ColumnType)>,
    /// Those that are sessions.
    sessions: Vec<SessionKey>,
}

/// A column that a grouping gives beside its keys.
pub(crate) struct Item<'t> {
    /// Its name, or why it has none.
    pub name: Resolved<String>,
    /// An expression over aggregates and keys.
    pub expr: &'t Expr,
    /// The text.
    pub span: Span,
    /// The rows that its aggregates are of; all, if nothing is said.
    pub only: Option<Typed>,
}

impl Resolver<'_> {
    pub(crate) fn summarize(&self, input: Relation, summarize: &Summarize, step: &Step) -> Resolved<Relation> {
        let items = summarize.aggregates.iter().map(|item| {
            let name = item_name(self, item).map(str::to_string);
            Item { name, expr: &item.expr, span: item.span, only: None }
        });
        self.grouped(input, summarize, items.collect(), step)
    }

    /// The input grouped by the keys of `summarize`, with these columns.
    pub(crate) fn grouped(
        &self,
        input: Relation,
        summarize: &Summarize,
        items: Vec<Item<'_>>,
        step: &Step,
    ) -> Resolved<Relation> {
        let Keys { columns: keys, computed, windows, sessions } = self.keys(&input, summarize)?;
        let timing = self.timing(summarize, &keys, &sessions)?;
        let key_scope = Scope { columns: keys, head: input.scope.head.clone() };
        let (input_scope, ordering) = (input.scope.clone(), input.ordering.clone());
        let aggregation = Aggregation::new(&input_scope, &ordering, !key_scope.columns.is_empty(), computed);
        let mut results: Vec<(ScopeColumn, Typed)> = Vec::new();
        let mut wrong: Vec<&Expr> = Vec::new();
        let typed = items.into_iter().map(|item| {
            // What stands once for each value of a pivot is wrong once.
            if wrong.iter().any(|known| std::ptr::eq(*known, item.expr)) {
                return Err(Fault::Quiet);
            }
            aggregation.only.replace(item.only);
            let reach = Reach { aggregation: Some(&aggregation), ..Reach::columns(&key_scope) };
            let typed = self.expression(item.expr, reach).inspect_err(|_| wrong.push(item.expr))?;
            Ok((item.span, typed, item.name?))
        });
        for (span, typed, name) in self.all(typed)? {
            let column = ScopeColumn::new(name.clone(), self.fresh(&name), typed.ty.clone());
            let earlier = key_scope.columns.iter().chain(results.iter().map(|(column, _)| column));
            if earlier.into_iter().any(|first| first.name == column.name) {
                return Err(fault::named_twice(&name, span).into());
            }
            results.push((column, typed));
        }
        let (computed, aggregates) = (aggregation.computed.take(), aggregation.aggregates.into_inner());
        let origin = self.origin(step.span);
        let retracts = (!aggregates.is_empty() || !sessions.is_empty() || input.retracts) && !timing.gives_once();
        let prepared = self.extend(input, computed, origin.clone());
        let prepared = with_window_keys(prepared, windows, &origin);
        let is_session = |id: &String| sessions.iter().any(|session| session.column.id == *id);
        let groups = key_scope.columns.iter().map(|column| column.id.clone()).filter(|id| !is_session(id)).collect();
        let prepared = with_sessions(prepared, groups, sessions, &origin);
        let late = self.too_late(&timing, &prepared, &input_scope, &origin);
        let key_ids: Vec<String> = key_scope.columns.iter().map(|column| column.id.clone()).collect();
        let outputs: Vec<(String, ColumnType)> =
            aggregates.iter().map(|(a, ty)| (a.output.clone(), ty.clone())).collect();
        let aggregates = aggregates.into_iter().map(|(aggregate, _)| aggregate).collect();
        let in_time = self.in_time(&timing, prepared.plan, &origin);
        let groups = build::aggregate(in_time, key_ids.clone(), aggregates, origin.clone());
        let mut errors = prepared.errors;
        let failed = self.errors_of(&groups, &key_scope);
        errors.extend(failed.map(|failed| self.errors_in_time(&timing, &groups, failed, &origin)));
        errors.extend(late);
        let plan = self.shown_in_time(&timing, groups, &origin);
        let mut scope = key_scope;
        for key in &mut scope.columns {
            key.mark = timing.mark(key);
        }
        let keys = scope.columns.len();
        let hidden = outputs.into_iter().map(|(id, ty)| ScopeColumn { hidden: true, ..ScopeColumn::new("", id, ty) });
        scope.columns.extend(hidden);
        let mut grouped = Relation { plan, scope, key: key_ids, ordering: Vec::new(), retracts, errors };
        if results.iter().all(|(_, typed)| plain_column(&grouped.scope, typed).is_some_and(|column| column.hidden)) {
            // Every result is an aggregate as it is: only its name is still missing.
            let named = results.into_iter().map(|(column, typed)| {
                let id = plain_column(&grouped.scope, &typed).map_or(column.id.clone(), |plain| plain.id.clone());
                ScopeColumn { id, ..column }
            });
            let mut named: Vec<ScopeColumn> = named.collect();
            let twice = (1..named.len()).any(|i| named[..i].iter().any(|c| c.id == named[i].id));
            if !twice {
                grouped.scope.columns.truncate(keys);
                grouped.scope.columns.append(&mut named);
                return Ok(grouped);
            }
            let copies = named.into_iter().map(|column| {
                let typed = Typed::column(column.id.clone(), column.ty.clone());
                (ScopeColumn { id: self.fresh(&column.name), ..column }, typed)
            });
            results = copies.collect();
        }
        let mut columns: Vec<(ScopeColumn, Typed)> =
            grouped.scope.columns[..keys].iter().map(crate::resolve::columns::kept).collect();
        columns.extend(results);
        Ok(self.project(grouped, columns, origin))
    }

    /// The keys as columns, and what has to be made first.
    fn keys(&self, input: &Relation, summarize: &Summarize) -> Resolved<Keys> {
        let mut keys = Keys::default();
        let reach = Reach::columns(&input.scope);
        let named = summarize.by.iter().map(|item| match self.window_call(&item.expr) {
            Some(call) if call.function.text() == "session" => {
                let (at, gap) = self.session(call, item.expr.span, reach)?;
                let name = item_name(self, item)?;
                Ok((item, (ScopeColumn::new(name, self.fresh(name), session_type(&at)), at), Some(gap)))
            }
            _ => Ok((item, self.named_column(reach, item)?, None)),
        });
        for (item, (mut column, typed), gap) in self.all(named)? {
            let typed = functions::of_equals(typed);
            column.mark = mark_of(&input.scope, &typed);
            if let Some(first) = keys.columns.iter().find(|first| first.name == column.name) {
                return Err(fault::two_columns(first, &column, item.span).into());
            }
            if let Some(gap) = gap {
                let time = self.fresh("time");
                let hidden = ScopeColumn { hidden: true, ..ScopeColumn::new("", &*time, typed.ty.clone()) };
                keys.computed.push((hidden, typed));
                keys.sessions.push(SessionKey { time, gap, column: column.clone() });
                keys.columns.push(column);
                continue;
            }
            let twice = keys.columns.iter().any(|key| key.id == column.id);
            if twice || plain_column(&input.scope, &typed).is_none() {
                column.id = self.fresh(&column.name);
                let hidden = ScopeColumn { hidden: true, ..column.clone() };
                keys.computed.push((hidden, typed));
            }
            // The windows of `hop`: a row counts in each of them.
            if let (Some(call), Type::List(window)) = (self.window_call(&item.expr), &column.ty.ty)
                && call.function.text() == "hop"
            {
                keys.windows.push((column.id.clone(), window.as_ref().clone()));
                column.ty = window.as_ref().clone();
            }
            keys.columns.push(column);
        }
        Ok(keys)
    }

    /// The call that an expression is, unless it is one of a function of the user.
    fn window_call<'e>(&self, expr: &'e Expr) -> Option<&'e Call> {
        let ExprKind::Call(call) = &expr.kind else { return None };
        let name = &call.function.single()?.text;
        (call.over.is_none() && !self.catalog.functions.contains_key(name)).then_some(call)
    }
}

/// The rows with one of their windows in the place of the list of them, once for each.
fn with_window_keys(mut input: Relation, windows: Vec<(String, ColumnType)>, origin: &Origin) -> Relation {
    for (id, window) in windows {
        input.narrow();
        input.plan = build::flatten(input.plan, &id, origin.clone());
        for column in input.scope.columns.iter_mut().filter(|column| column.id == id) {
            column.ty = window.clone();
        }
    }
    input
}
