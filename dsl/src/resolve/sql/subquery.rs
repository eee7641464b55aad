//! Subqueries as joins.
//!
//! A subquery that reads columns of the query around it has an answer for each of their values. It is computed for all
//! different values at once: these stand beside its own tables like one more table, groups and limits are kept apart by
//! them, and the result is joined back to the rows that asked (null equal to null). So a change costs what it concerns,
//! and any shape of subquery is possible. Where the subquery only looks for partners by equality, its own columns stand
//! for those around ([`Sql::pulled_up`]), and the join is a plain one.
//!
//! What a subquery reads is found by resolving it with all columns around in reach; then it is resolved again with those
//! that it has read.

use std::cell::RefCell;
use std::collections::BTreeSet;

use datafusion_common::ScalarValue;
use datafusion_sql::sqlparser::ast::{Expr as SqlExpr, GroupByExpr, Query, Select, SelectItem, SetExpr};
use tidebook_plan::{ColumnType, Span, Type};

use super::Sql;
use super::block::{Block, Domain, given, given_path, links};
use super::conditions::{Membership, membership, outermost};
use super::functions::is_aggregate;
use crate::diagnostics::sql as codes;
use crate::functions::{self, AggregateFunction, Typed};
use crate::logical::{AggregateColumn, JoinType, Origin, SortColumn};
use crate::resolve::build;
use crate::resolve::columns::plain_column;
use crate::resolve::fault::Resolved;
use crate::resolve::relation::Relation;
use crate::resolve::scope::ScopeColumn;
use crate::resolve::sets::joined_errors;
use crate::syntax::tree::Expr;

/// A subquery's rows.
struct Inner {
    relation: Relation,
    /// Pairs of columns: of the rows around, and of the subquery.
    pairs: Vec<(String, String)>,
}

impl Inner {
    /// The subquery's columns that stand for those around.
    fn keys(&self) -> Vec<String> {
        self.pairs.iter().map(|(_, inner)| inner.clone()).collect()
    }
}

impl Sql<'_, '_> {
    fn inner(&self, query: &Query, block: &Block<'_>) -> Resolved<Inner> {
        let around: Vec<ScopeColumn> = {
            let scope = block.scope();
            let named = scope.columns.iter().filter(|column| !column.hidden).cloned();
            named.chain(links(&scope)).collect()
        };
        let domain = |columns: Vec<ScopeColumn>| Domain { outer: block, columns, used: RefCell::default() };
        let all = domain(around);
        self.quietly(|| self.query(query, Some(&all)))?;
        let used: BTreeSet<String> = all.used.into_inner();
        let read = domain(all.columns.into_iter().filter(|column| used.contains(&column.id)).collect());
        let relation = self.query(query, (!used.is_empty()).then_some(&read))?;
        let inner = links(&relation.scope);
        let pairs = inner.into_iter().map(|column| (column.name, column.id)).collect();
        Ok(Inner { relation, pairs })
    }

    /// The only column of a subquery.
    fn only_column(&self, inner: &Inner, span: Span) -> Resolved<ScopeColumn> {
        let mut columns = inner.relation.scope.visible();
        match (columns.next(), columns.next()) {
            (Some(only), None) => Ok(only.clone()),
            _ => {
                let count = inner.relation.scope.visible().count();
                let message = format!("a subquery that stands for a value has one column, this one has {count}");
                Err(codes::SUBQUERY_COLUMNS.error(message, span).with_help("select the one that is meant").into())
            }
        }
    }

    /// Keeps the rows of the block for which the condition holds, if a subquery alone decides it.
    pub(super) fn asked(&self, condition: &SqlExpr, block: &Block<'_>) -> Resolved<bool> {
        let Some((asked, negated)) = membership(condition) else { return Ok(false) };
        let kind = if negated { JoinType::Anti } else { JoinType::Semi };
        match asked {
            Membership::Exists(query) => {
                let inner = self.inner(query, block)?;
                block.change(|relation| self.matched(relation, inner.relation, kind, &inner.pairs));
            }
            Membership::In(value, query) => {
                let (value, inner, column) = self.sides(value, query, block)?;
                let value = self.as_id(value, block);
                let values = self.values_of(&inner, &column);
                let mut pairs = inner.pairs.clone();
                pairs.push((value.0.clone(), column.id.clone()));
                block.change(|relation| self.matched(relation, values, kind, &pairs));
                if negated {
                    self.refuse_nulls(block, &inner, &column, &value);
                }
            }
        }
        Ok(true)
    }

    /// `x not in (…)` is not true where a null is among the values, or where x is null and there are any.
    fn refuse_nulls(&self, block: &Block<'_>, inner: &Inner, column: &ScopeColumn, value: &(String, ColumnType)) {
        if column.ty.nullable {
            let null = functions::is_null(Typed::column(column.id.clone(), column.ty.clone()), false);
            let nulls = self.resolver.filter(inner.relation.clone(), null, Origin::default());
            block.change(|relation| self.matched(relation, nulls, JoinType::Anti, &inner.pairs));
        }
        if value.1.nullable {
            let is_null = functions::is_null(Typed::column(value.0.clone(), value.1.clone()), false);
            let flag = self.as_id(is_null, block);
            let truth = Typed::literal(ScalarValue::Boolean(Some(true)), ColumnType::required(Type::Bool));
            let id = self.resolver.fresh("null");
            let marked = (given(&id, truth.ty.clone()), truth);
            let any = self.resolver.extend(inner.relation.clone(), vec![marked], Origin::default());
            let mut pairs = inner.pairs.clone();
            pairs.push((flag.0, id));
            block.change(|relation| self.matched(relation, any, JoinType::Anti, &pairs));
        }
    }

    /// Both sides of `in`, of one type.
    fn sides(&self, value: &SqlExpr, query: &Query, block: &Block<'_>) -> Resolved<(Typed, Inner, ScopeColumn)> {
        let typed = self.value(value, block)?;
        let mut inner = self.inner(query, block)?;
        let column = self.only_column(&inner, self.span(query))?;
        let theirs = Typed::column(column.id.clone(), column.ty.clone());
        let Some((ours, theirs)) = functions::equal_values(typed.clone(), theirs) else {
            let message = format!("{} is never among values of {}", typed.ty.ty, column.ty.ty);
            return Err(crate::diagnostics::names::NO_COMMON_TYPE
                .error(message, self.span(value))
                .with_help("convert one of them with `cast(… as …)`")
                .into());
        };
        if plain_column(&inner.relation.scope, &theirs).is_some() {
            return Ok((ours, inner, column));
        }
        let converted =
            ScopeColumn { hidden: true, ..ScopeColumn::new("", self.resolver.fresh("value"), theirs.ty.clone()) };
        inner.relation = self.resolver.extend(inner.relation, vec![(converted.clone(), theirs)], Origin::default());
        Ok((ours, inner, converted))
    }

    /// The rows of a subquery that have a value.
    fn values_of(&self, inner: &Inner, column: &ScopeColumn) -> Relation {
        if !column.ty.nullable {
            return inner.relation.clone();
        }
        let there = functions::is_null(Typed::column(column.id.clone(), column.ty.clone()), true);
        self.resolver.filter(inner.relation.clone(), there, Origin::default())
    }

    /// The column of the block's rows that holds a value.
    fn as_id(&self, typed: Typed, block: &Block<'_>) -> (String, ColumnType) {
        if let Some(column) = plain_column(&block.relation.borrow().scope, &typed) {
            return (column.id.clone(), column.ty.clone());
        }
        let (id, ty) = (self.resolver.fresh("value"), typed.ty.clone());
        block.change(|relation| {
            self.resolver.extend(relation, vec![(given(&id, ty.clone()), typed)], Origin::default())
        });
        (id, ty)
    }

    /// The rows on the left that have a partner, or those that have none.
    fn matched(&self, left: Relation, right: Relation, kind: JoinType, pairs: &[(String, String)]) -> Relation {
        let retracts = left.retracts || right.retracts || kind == JoinType::Anti;
        let plan = build::match_rows(left.plan, right.plan, kind, pairs);
        Relation { plan, retracts, errors: joined_errors(left.errors, right.errors), ..left }
    }

    /// Puts columns of a subquery beside the rows of the block, null where it has no row for them. It has one row at most
    /// for each of the values around.
    fn attached(
        &self,
        block: &Block<'_>,
        right: Relation,
        pairs: &[(String, String)],
        columns: &[ScopeColumn],
        always: bool,
    ) {
        let kind = if always { JoinType::Inner } else { JoinType::Left };
        block.change(|mut left| {
            left.plan = build::match_rows(left.plan, right.plan, kind, pairs);
            left.errors = joined_errors(left.errors, right.errors);
            left.retracts = true;
            let attached = columns.iter().map(|column| {
                let nullable = column.ty.nullable || !always;
                given(&column.id, ColumnType { nullable, ..column.ty.clone() })
            });
            left.scope.columns.extend(attached);
            left
        });
    }

    /// `(select …)` as a value.
    pub(super) fn scalar(&self, query: &Query, span: Span, block: &Block<'_>) -> Resolved<Expr> {
        let inner = self.inner(query, block)?;
        let column = self.only_column(&inner, span)?;
        let one_row = has_one_row(query);
        if one_row {
            let always = inner.pairs.is_empty() && !may_be_empty(query);
            self.attached(block, inner.relation, &inner.pairs, std::slice::from_ref(&column), always);
            return Ok(given_path(&column.id, span));
        }
        // Which of several rows is meant cannot be said: the row that asks fails.
        self.resolver.refuse_unordered(&Typed::column(column.id.clone(), column.ty.clone()), span)?;
        let (value, count) = (self.resolver.fresh("value"), self.resolver.fresh("rows"));
        let aggregates = vec![
            AggregateColumn {
                function: AggregateFunction::First,
                input: Some(column.id.clone()),
                filter: None,
                order: vec![SortColumn { column: column.id.clone(), descending: false }],
                output: value.clone(),
            },
            AggregateColumn {
                function: AggregateFunction::CountRows,
                input: None,
                filter: None,
                order: Vec::new(),
                output: count.clone(),
            },
        ];
        let keys = inner.keys();
        let mut rows = inner.relation;
        rows.plan = build::aggregate(rows.plan, keys, aggregates, self.origin(span));
        let columns = [
            ScopeColumn::new("", &*value, ColumnType { nullable: true, ..column.ty.clone() }),
            ScopeColumn::new("", &*count, ColumnType::required(Type::Int)),
        ];
        self.attached(block, rows, &inner.pairs, &columns, inner.pairs.is_empty());
        let nullable = |ty: &ColumnType| ColumnType { nullable: true, ..ty.clone() };
        let checked = functions::only(
            Typed::column(value, nullable(&column.ty)),
            Typed::column(count, ColumnType::nullable(Type::Int)),
        );
        let id = self.resolver.fresh("value");
        let origin = self.origin(span);
        block.change(|relation| {
            let column = given(&id, checked.ty.clone());
            self.resolver.extend(relation, vec![(column, checked)], origin)
        });
        Ok(given_path(&id, span))
    }

    /// `exists (…)` as a value.
    pub(super) fn exists(&self, query: &Query, negated: bool, span: Span, block: &Block<'_>) -> Resolved<Expr> {
        let inner = self.inner(query, block)?;
        let mark = self.mark(block, inner.relation.clone(), &inner.pairs);
        let found = functions::is_null(mark, !negated);
        let (id, _) = self.as_id(found, block);
        Ok(given_path(&id, span))
    }

    /// How many partners the rows of the block have; null where they have none.
    fn mark(&self, block: &Block<'_>, rows: Relation, pairs: &[(String, String)]) -> Typed {
        // The same rows may be asked twice, so the columns get ids of their own.
        let keys = pairs.iter().map(|(around, inner)| {
            let ty = rows.scope.columns.iter().find(|column| column.id == *inner).map(|column| column.ty.clone());
            let ty = ty.unwrap_or(ColumnType::nullable(Type::Null));
            ((Typed::column(inner.clone(), ty), self.resolver.fresh("key")), around.clone())
        });
        let (keys, around): (Vec<(Typed, String)>, Vec<String>) = keys.unzip();
        let ids: Vec<String> = keys.iter().map(|(_, id)| id.clone()).collect();
        let pairs: Vec<(String, String)> = around.into_iter().zip(ids.iter().cloned()).collect();
        let count = self.resolver.fresh("rows");
        let aggregate = AggregateColumn {
            function: AggregateFunction::CountRows,
            input: None,
            filter: None,
            order: Vec::new(),
            output: count.clone(),
        };
        let mut rows = rows;
        rows.plan = build::project(rows.plan, keys, Origin::default());
        rows.plan = build::aggregate(rows.plan, ids, vec![aggregate], Origin::default());
        if pairs.is_empty() {
            // Of no rows there is a count too.
            let zero = Typed::literal(ScalarValue::Int64(Some(0)), ColumnType::required(Type::Int));
            let counted = Typed::column(count.clone(), ColumnType::required(Type::Int));
            let some = crate::resolve::sets::compared(functions::Comparison::Greater, counted, zero);
            rows.plan = build::filter(rows.plan, some, Origin::default());
        }
        let column = ScopeColumn::new("", &*count, ColumnType::required(Type::Int));
        self.attached(block, rows, &pairs, &[column], false);
        Typed::column(count, ColumnType::nullable(Type::Int))
    }

    /// `value in (…)` as a value: true, false, or null where nulls leave it open.
    pub(super) fn contained(
        &self,
        value: &SqlExpr,
        query: &Query,
        negated: bool,
        span: Span,
        block: &Block<'_>,
    ) -> Resolved<Expr> {
        let (value, inner, column) = self.sides(value, query, block)?;
        let (id, ty) = self.as_id(value, block);
        let mut pairs = inner.pairs.clone();
        pairs.push((id.clone(), column.id.clone()));
        let matched = self.mark(block, self.values_of(&inner, &column), &pairs);
        let mut open = Vec::new();
        if column.ty.nullable {
            let null = functions::is_null(Typed::column(column.id.clone(), column.ty.clone()), false);
            let nulls = self.resolver.filter(inner.relation.clone(), null, Origin::default());
            open.push(functions::is_null(self.mark(block, nulls, &inner.pairs), true));
        }
        if ty.nullable {
            let any = functions::is_null(self.mark(block, inner.relation.clone(), &inner.pairs), true);
            open.push(self.both(functions::is_null(Typed::column(id, ty), false), any));
        }
        let word = |value| Typed::literal(ScalarValue::Boolean(Some(value)), ColumnType::required(Type::Bool));
        let unknown = Typed::literal(ScalarValue::Boolean(None), ColumnType::nullable(Type::Bool));
        let mut arms = vec![(functions::is_null(matched, true), word(!negated))];
        arms.extend(open.into_iter().map(|open| (open, unknown.clone())));
        let found = match functions::case(arms, Some(word(negated))) {
            Ok(found) => found,
            Err(fault) => unreachable!("every arm is a bool: {}", fault.message),
        };
        let (id, _) = self.as_id(found, block);
        Ok(given_path(&id, span))
    }
}

/// True if a query has one row at most, for each of the values around: an aggregate without keys.
fn has_one_row(query: &Query) -> bool {
    match &*query.body {
        SetExpr::Select(select) => is_total(select),
        SetExpr::Query(query) => has_one_row(query),
        _ => false,
    }
}

/// True if that row may be missing.
fn may_be_empty(query: &Query) -> bool {
    let own = match &*query.body {
        SetExpr::Select(select) => select.having.is_some() || select.qualify.is_some(),
        SetExpr::Query(query) => may_be_empty(query),
        _ => true,
    };
    own || query.limit_clause.is_some() || query.fetch.is_some()
}

fn is_total(select: &Select) -> bool {
    let no_keys = matches!(&select.group_by, GroupByExpr::Expressions(keys, _) if keys.is_empty());
    let aggregates = select.projection.iter().any(|item| match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
            !outermost(expr, is_aggregate).is_empty()
        }
        _ => false,
    });
    no_keys && aggregates
}
