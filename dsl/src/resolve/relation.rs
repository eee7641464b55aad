//! A relation in the middle of a pipeline, and the few ways in which steps build plans.

use datafusion_common::Column;
use datafusion_expr::{Expr, LogicalPlan};
use tidebook_plan::flow::OrderKey;
use tidebook_plan::{ColumnType, Diagnostic, Span};

use crate::catalog::{ErrorStream, TableColumn, TablePlan};
use crate::functions::Typed;
use crate::logical::{self, Origin};
use crate::resolve::build;
use crate::resolve::scope::{Scope, ScopeColumn};
use crate::resolve::{Resolver, base_name, fault, watermark};

/// A plan with the user's view of it.
///
/// *Invariant:* every column of the scope is a column of the plan; the plan may have more, in any order.
#[derive(Clone, Debug)]
pub(crate) struct Relation {
    pub plan: LogicalPlan,
    pub scope: Scope,
    /// Ids of the key's columns.
    pub key: Vec<String>,
    /// The order: ids, with true for descending.
    pub ordering: Vec<(String, bool)>,
    /// True if a row that was given may be taken back.
    pub retracts: bool,
    /// Errors of the checked steps so far.
    pub errors: Vec<ErrorStream>,
}

impl Relation {
    /// Ids of the scope's columns.
    pub fn ids(&self) -> Vec<String> {
        self.scope.columns.iter().map(|column| column.id.clone()).collect()
    }

    /// Forgets key columns that the user no longer sees, and order columns that are gone.
    pub fn settle(&mut self) {
        let visible = |id: &String| self.scope.visible().any(|column| column.id == *id);
        if !self.key.iter().all(visible) {
            self.key.clear();
        }
        let there = |id: &String| self.scope.columns.iter().any(|column| column.id == *id);
        let kept = self.ordering.iter().take_while(|(id, _)| there(id)).count();
        self.ordering.truncate(kept);
    }

    /// Forgets the columns that the user does not see, and with them the order from the first that is by one of them.
    pub fn forget_hidden(&mut self) {
        self.scope.columns.retain(|column| !column.hidden);
        self.settle();
    }

    /// Adds to `columns` those that only the order still needs, hidden.
    pub fn keep_order(&self, columns: &mut Vec<(ScopeColumn, Typed)>) {
        for (id, _) in &self.ordering {
            let there = |(_, typed): &(ScopeColumn, Typed)| typed.expr == Expr::Column(Column::new_unqualified(id));
            if !columns.iter().any(there)
                && let Some(column) = self.scope.columns.iter().find(|column| column.id == *id)
            {
                let typed = Typed::column(column.id.clone(), column.ty.clone());
                columns.push((ScopeColumn { hidden: true, ..column.clone() }, typed));
            }
        }
    }

    /// The plan's columns made exactly those of the scope, in its order: needed where a step reads columns by
    /// position or takes them all.
    pub fn narrow(&mut self) {
        let ids = self.ids();
        let same = build::column_ids(&self.plan) == ids;
        if !same {
            let columns = self.scope.columns.iter().map(|c| (Typed::column(c.id.clone(), c.ty.clone()), c.id.clone()));
            self.plan = build::project(self.plan.clone(), columns.collect(), Origin::default());
        }
    }
}

impl Resolver<'_> {
    /// Computes `columns` (each with the expression that gives it) from `input`. They become the whole scope.
    pub(crate) fn project(&self, input: Relation, columns: Vec<(ScopeColumn, Typed)>, origin: Origin) -> Relation {
        let mut columns = columns;
        watermark::carry(&input.scope, &mut columns);
        let exprs = columns.iter().map(|(column, typed)| (typed.clone(), column.id.clone())).collect();
        let plan = build::project(input.plan.clone(), exprs, origin);
        let mut errors = input.errors;
        errors.extend(self.errors_of(&plan, &input.scope));
        let scope = Scope { columns: columns.into_iter().map(|(c, _)| c).collect(), head: input.scope.head };
        let mut relation =
            Relation { plan, scope, key: input.key, ordering: input.ordering, retracts: input.retracts, errors };
        relation.settle();
        relation
    }

    /// Adds columns to `input`, which keeps its own.
    pub(crate) fn extend(&self, input: Relation, added: Vec<(ScopeColumn, Typed)>, origin: Origin) -> Relation {
        if added.is_empty() {
            return input;
        }
        let mut columns: Vec<(ScopeColumn, Typed)> =
            input.scope.columns.iter().map(|c| (c.clone(), Typed::column(c.id.clone(), c.ty.clone()))).collect();
        columns.extend(added);
        self.project(input, columns, origin)
    }

    /// Keeps the rows of `input` for which `condition` is true.
    pub(crate) fn filter(&self, mut input: Relation, condition: Typed, origin: Origin) -> Relation {
        let plan = build::filter(input.plan.clone(), condition, origin);
        input.errors.extend(self.errors_of(&plan, &input.scope));
        input.plan = plan;
        input
    }

    /// The errors of the topmost node of a plan, whose error columns `scope` names; `None` if it never fails.
    pub(crate) fn errors_of(&self, of: &LogicalPlan, scope: &Scope) -> Option<ErrorStream> {
        let ids: Vec<String> = logical::error_columns(of)?.into_iter().map(|(id, _)| id).collect();
        let mut names: Vec<String> = ids.iter().map(|id| self.fresh(base_name(id))).collect();
        let columns = self.stream_columns(scope, &ids, &names);
        let columns = columns.into_iter().map(|(id, name, ty)| TableColumn::new(name, id, ty)).collect();
        let (error, step) = (self.fresh("_error"), self.fresh("_step"));
        names.extend([error.clone(), step.clone()]);
        Some(ErrorStream { plan: build::errors(of, &names), columns, error, step, late: false })
    }

    /// The columns of `scope` that `ids` name, under the ids of `new` and with a name of their own each.
    pub(crate) fn stream_columns(
        &self,
        scope: &Scope,
        ids: &[String],
        new: &[String],
    ) -> Vec<(String, String, ColumnType)> {
        let mut columns: Vec<(String, String, ColumnType)> = Vec::new();
        for column in scope.visible() {
            let Some(place) = ids.iter().position(|id| *id == column.id) else { continue };
            let twice = columns.iter().any(|(_, name, _)| *name == column.name);
            let name = match (twice, column.qualifiers.first()) {
                (true, Some(table)) => format!("{table}.{}", column.name),
                (true, None) => continue,
                (false, _) => column.name.clone(),
            };
            columns.push((new[place].clone(), name, column.ty.clone()));
        }
        columns
    }

    /// The relation as a table of its own.
    ///
    /// # Errors
    /// Where two columns have one name.
    pub(crate) fn finish(&self, mut relation: Relation, span: Span) -> Result<TablePlan, Diagnostic> {
        if let Some((first, second)) = relation.scope.twice() {
            return Err(fault::two_columns(first, second, span));
        }
        relation.settle();
        let (mut columns, hidden): (Vec<ScopeColumn>, Vec<ScopeColumn>) =
            relation.scope.columns.drain(..).partition(|column| !column.hidden);
        let visible = columns.len();
        columns.extend(hidden.into_iter().filter(|column| relation.ordering.iter().any(|(id, _)| *id == column.id)));
        relation.scope.columns = columns;
        relation.narrow();
        let place = |id: &String| relation.scope.columns.iter().position(|column| column.id == *id);
        let key = relation.key.iter().filter_map(place).collect();
        let ordering = relation
            .ordering
            .iter()
            .filter_map(|(id, descending)| place(id).map(|column| OrderKey { column, descending: *descending }));
        let ordering = ordering.collect();
        let columns = relation.scope.columns.into_iter();
        let mut columns: Vec<TableColumn> =
            columns.map(|c| TableColumn { name: c.name, id: c.id, ty: c.ty, mark: c.mark }).collect();
        let order_columns = columns.split_off(visible);
        Ok(TablePlan {
            plan: logical::bounded(relation.plan),
            columns,
            order_columns,
            key,
            ordering,
            retracts: relation.retracts,
            errors: relation.errors,
            sources: self.sources.borrow().clone(),
            histories: Vec::new(),
        })
    }

    /// A use of a table: its columns under new ids, so that a table can be used twice in one plan.
    pub(crate) fn use_table(&self, table: &TablePlan, qualifier: Option<&str>) -> Relation {
        if !table.histories.is_empty() {
            self.holds.set(true);
        }
        let mut scope = Scope { columns: Vec::new(), head: qualifier.map(str::to_string) };
        let mut exprs = Vec::new();
        let hidden = table.order_columns.iter().map(|column| (column, true));
        for (column, hidden) in table.columns.iter().map(|column| (column, false)).chain(hidden) {
            let id = self.fresh(&column.name);
            exprs.push((Typed::column(column.id.clone(), column.ty.clone()), id.clone()));
            let mark = column.mark.clone();
            let mut named =
                ScopeColumn { hidden, mark, ..ScopeColumn::new(column.name.clone(), id, column.ty.clone()) };
            named.qualifiers.extend(qualifier.map(str::to_string));
            scope.columns.push(named);
        }
        let plan = build::project(table.plan.clone(), exprs, Origin::default());
        let id_at = |i: usize| scope.columns[i].id.clone();
        let key = table.key.iter().map(|i| id_at(*i)).collect();
        let ordering = table.ordering.iter().map(|o| (id_at(o.column), o.descending)).collect();
        Relation { plan, key, ordering, retracts: table.retracts, errors: Vec::new(), scope }
    }
}
