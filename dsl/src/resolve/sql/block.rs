//! What a name means in one `select`: its own columns, then those of the queries around it.

use std::cell::RefCell;
use std::collections::BTreeSet;

use datafusion_sql::sqlparser::ast::{Expr as SqlExpr, Ident};
use tidebook_plan::{Span, Type};

use super::Sql;
use crate::functions;
use crate::functions::Typed;
use crate::logical::{self, Origin};
use crate::resolve::build;
use crate::resolve::relation::Relation;
use crate::resolve::scope::{Scope, ScopeColumn};
use crate::syntax::tree::{Expr, ExprKind, Name};

/// The table name of columns that a query computes for itself. No user can write it.
const GIVEN: &str = "(given)";
/// The table name of columns of the query around, under which they go by that query's ids.
const OUTER: &str = "(outer)";

/// One `select` while it is resolved.
pub(super) struct Block<'s> {
    /// The rows so far; resolving an expression adds the columns of its subqueries.
    pub relation: RefCell<Relation>,
    /// Expressions that are columns already: keys of a grouping and aggregates, with the ids of their columns.
    pub known: Vec<(SqlExpr, String)>,
    /// The columns that were there before a grouping.
    pub ungrouped: Option<Scope>,
    /// What the query around gives.
    pub domain: Option<&'s Domain<'s>>,
}

/// The columns of a query that a subquery in it may read.
pub(super) struct Domain<'s> {
    pub outer: &'s Block<'s>,
    /// In the outer query's scope.
    pub columns: Vec<ScopeColumn>,
    /// Ids of those that were read.
    pub used: RefCell<BTreeSet<String>>,
}

impl<'s> Block<'s> {
    pub fn new(relation: Relation, domain: Option<&'s Domain<'s>>) -> Self {
        Block { relation: RefCell::new(relation), known: Vec::new(), ungrouped: None, domain }
    }

    /// What can be named.
    pub fn scope(&self) -> Scope {
        self.relation.borrow().scope.clone()
    }

    /// Changes the rows.
    pub fn change(&self, change: impl FnOnce(Relation) -> Relation) {
        let relation = self.relation.borrow().clone();
        let changed = change(relation);
        self.relation.replace(changed);
    }

    /// The id in this query's rows of a name that a subquery writes; `None` if it is not known here, or ambiguous.
    pub fn resolve(&self, path: &[Ident]) -> Option<String> {
        let relation = self.relation.borrow();
        match own(&relation.scope, path) {
            Own::Column(id) => Some(id),
            Own::Part | Own::Ambiguous => None,
            Own::Nothing => {
                let outer = self.domain?.find(path)?;
                outer_column(&relation.scope, &outer).map(|column| column.id.clone())
            }
        }
    }

    /// The columns that the query around gives, as columns here.
    pub fn links(&self) -> Vec<ScopeColumn> {
        links(&self.relation.borrow().scope)
    }
}

impl Domain<'_> {
    /// The outer query's id of a column by a name that its subquery writes, noted as read.
    pub fn find(&self, path: &[Ident]) -> Option<String> {
        let id = self.outer.resolve(path)?;
        let known = self.columns.iter().any(|column| column.id == id);
        known.then(|| {
            self.used.borrow_mut().insert(id.clone());
            id
        })
    }

    /// The different values of the columns that are read, as a table beside the subquery's own.
    pub fn relation(&self, sql: &Sql<'_, '_>) -> Relation {
        let outer = self.outer.relation.borrow();
        let columns = self.columns.iter().map(|column| {
            let typed = functions::of_equals(Typed::column(column.id.clone(), column.ty.clone()));
            (link(&column.id, sql.resolver.fresh(&column.name), &typed), typed)
        });
        let (columns, values): (Vec<ScopeColumn>, Vec<Typed>) = columns.unzip();
        let ids: Vec<String> = columns.iter().map(|column| column.id.clone()).collect();
        let values = values.into_iter().zip(ids.iter().cloned()).collect();
        let plan = build::project(logical::bounded(outer.plan.clone()), values, Origin::default());
        let plan = build::aggregate(plan, ids.clone(), Vec::new(), Origin::default());
        let scope = Scope { columns, head: None };
        Relation { plan, scope, key: ids, ordering: Vec::new(), retracts: true, errors: Vec::new() }
    }
}

/// What a query's own columns say to a name.
pub(super) enum Own {
    /// The column of this id.
    Column(String),
    /// A part of a column: a field.
    Part,
    /// More than one column.
    Ambiguous,
    /// Nothing.
    Nothing,
}

/// What the columns in reach say to a name.
pub(super) fn own(scope: &Scope, path: &[Ident]) -> Own {
    let nowhere = Span::default();
    let [first, rest @ ..] = path else { return Own::Nothing };
    let [.., last] = path else { return Own::Nothing };
    if rest.is_empty() {
        return match scope.find(&first.value, nowhere) {
            Ok(Some(column)) => Own::Column(column.id.clone()),
            Ok(None) => Own::Nothing,
            Err(_) => Own::Ambiguous,
        };
    }
    let table = path[..path.len() - 1].iter().map(|part| part.value.as_str()).collect::<Vec<_>>().join(".");
    if scope.is_qualifier(&table) {
        return match scope.find_value(&table, &last.value, nowhere, nowhere) {
            Ok(column) => Own::Column(column.id.clone()),
            Err(_) => Own::Part,
        };
    }
    let has_parts = |column: &ScopeColumn| matches!(column.ty.ty, Type::Record(_) | Type::Json);
    let part = scope.is_qualifier(&first.value)
        || scope.visible().any(|column| column.name == first.value && has_parts(column));
    if part { Own::Part } else { Own::Nothing }
}

/// The columns of the query around in a scope.
pub(super) fn links(scope: &Scope) -> Vec<ScopeColumn> {
    scope.columns.iter().filter(|column| column.qualifiers.first().is_some_and(|q| q == OUTER)).cloned().collect()
}

/// The column that stands for the outer query's column `id`.
pub(super) fn outer_column<'c>(scope: &'c Scope, id: &str) -> Option<&'c ScopeColumn> {
    scope.columns.iter().find(|column| column.qualifiers.first().is_some_and(|q| q == OUTER) && column.name == id)
}

/// A column of id `id` that stands for the outer query's column `outer`.
pub(super) fn link(outer: &str, id: String, typed: &Typed) -> ScopeColumn {
    let qualifiers = vec![OUTER.to_string()];
    ScopeColumn { qualifiers, hidden: true, aside: true, ..ScopeColumn::new(outer, id, typed.ty.clone()) }
}

/// A column that the query computes for itself; expressions reach it by its id.
pub(super) fn given(id: &str, ty: tidebook_plan::ColumnType) -> ScopeColumn {
    let qualifiers = vec![GIVEN.to_string()];
    ScopeColumn { qualifiers, hidden: true, aside: true, ..ScopeColumn::new(id, id, ty) }
}

/// The expression that reads a computed column.
pub(super) fn given_path(id: &str, span: Span) -> Expr {
    path_of(GIVEN, id, span)
}

/// The expression that reads a column of the query around.
pub(super) fn outer_path(outer: &str, span: Span) -> Expr {
    path_of(OUTER, outer, span)
}

fn path_of(table: &str, name: &str, span: Span) -> Expr {
    let word = |text: &str| Name { text: text.to_string(), span };
    let base = Box::new(Expr { kind: ExprKind::Name(word(table)), span });
    Expr { kind: ExprKind::Field { base, field: word(name) }, span }
}
