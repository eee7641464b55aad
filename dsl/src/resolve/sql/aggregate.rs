//! Grouping.
//!
//! Keys and aggregates become columns; what stands above (`having`, the outputs, the order) reads these. In a subquery the
//! columns of the query around are keys beside its own.

use datafusion_common::ScalarValue;
use datafusion_sql::sqlparser::ast::{Expr as SqlExpr, Function, UnaryOperator};
use tidebook_plan::{ColumnType, Type};

use super::Sql;
use super::block::{Block, Own, given, links, own};
use super::functions::{aggregate_name, is_aggregate, name_of};
use crate::functions::{self, AggregateFunction, Typed};
use crate::logical::{AggregateColumn, JoinType, Origin};
use crate::resolve::aggregate::Aggregation;
use crate::resolve::columns::{kept, plain_column};
use crate::resolve::fault::Resolved;
use crate::resolve::relation::Relation;
use crate::resolve::scope::{Scope, ScopeColumn};
use crate::resolve::{Reach, build};
use crate::syntax::tree::Call;

impl Sql<'_, '_> {
    /// The groups of the block's rows. `relies` tells that without rows there is no value either, so that a group of a
    /// subquery that has none may be missing.
    pub(super) fn grouped<'d>(
        &self,
        block: Block<'d>,
        keys: &[SqlExpr],
        aggregates: &[SqlExpr],
        relies: bool,
        origin: &Origin,
    ) -> Resolved<Block<'d>> {
        let typed_keys = keys.iter().map(|key| Ok((key, functions::of_equals(self.value(key, &block)?))));
        let typed_keys = typed_keys.collect::<Resolved<Vec<(&SqlExpr, Typed)>>>()?;
        let mut calls: Vec<(&SqlExpr, &'static str, Call, tidebook_plan::Span)> = Vec::new();
        for expr in aggregates {
            let SqlExpr::Function(function) = expr else { unreachable!("an aggregate is a call") };
            calls.push(self.called(expr, function, &block)?);
        }
        let domain = block.domain;
        let input = block.relation.into_inner();
        let scope = input.scope.clone();
        let mut columns: Vec<ScopeColumn> = Vec::new();
        let mut computed: Vec<(ScopeColumn, Typed)> = Vec::new();
        let mut known: Vec<(SqlExpr, String)> = Vec::new();
        for (expr, typed) in typed_keys {
            match plain_column(&scope, &typed) {
                Some(column) if columns.iter().all(|key| key.id != column.id) => {
                    columns.push(ScopeColumn { ty: typed.ty, ..column.clone() });
                }
                Some(_) => {}
                None => {
                    let column = given(&self.resolver.fresh("key"), typed.ty.clone());
                    known.push((expr.clone(), column.id.clone()));
                    computed.push((column.clone(), typed));
                    columns.push(column);
                }
            }
        }
        let around = links(&scope);
        columns.extend(around.iter().cloned());
        let aggregation = Aggregation::new(&scope, &[], !columns.is_empty(), computed);
        for (expr, name, call, span) in calls {
            let typed = aggregation.call(self.resolver, name, &call, span, Reach::columns(&scope))?;
            let Some(id) = typed.expr.column_refs().into_iter().next().map(|column| column.name.clone()) else {
                unreachable!("an aggregate is a column");
            };
            known.push((expr.clone(), id));
        }
        let (computed, aggregates) = (aggregation.computed.take(), aggregation.aggregates.into_inner());
        let prepared = self.resolver.extend(input, computed, origin.clone());
        let ids: Vec<String> = columns.iter().map(|column| column.id.clone()).collect();
        let (gathered, types): (Vec<AggregateColumn>, Vec<ColumnType>) = aggregates.into_iter().unzip();
        let plan = build::aggregate(prepared.plan, ids.clone(), gathered.clone(), origin.clone());
        let key_scope = Scope { columns: columns.clone(), head: scope.head.clone() };
        let mut errors = prepared.errors;
        errors.extend(self.resolver.errors_of(&plan, &key_scope));
        let results = gathered.iter().zip(types).map(|(aggregate, ty)| given(&aggregate.output, ty));
        columns.extend(results);
        let groups_scope = Scope { columns, head: scope.head.clone() };
        let mut relation =
            Relation { plan, scope: groups_scope, key: ids, ordering: Vec::new(), retracts: true, errors };
        if keys.is_empty()
            && !around.is_empty()
            && !relies
            && let Some(domain) = domain
        {
            relation = self.without_rows(domain.relation(self), relation, &gathered, &mut known);
        }
        Ok(Block { known, ungrouped: Some(scope), ..Block::new(relation, domain) })
    }

    /// Every row around has its group, also where it has no rows: a count is then 0.
    fn without_rows(
        &self,
        all: Relation,
        groups: Relation,
        aggregates: &[AggregateColumn],
        known: &mut [(SqlExpr, String)],
    ) -> Relation {
        let theirs = links(&groups.scope);
        let pairs: Vec<(String, String)> = links(&all.scope)
            .into_iter()
            .filter_map(|own| Some((own.id, theirs.iter().find(|other| other.name == own.name)?.id.clone())))
            .collect();
        let plan = build::match_rows(all.plan.clone(), groups.plan.clone(), JoinType::Left, &pairs);
        let mut columns: Vec<(ScopeColumn, Typed)> = all.scope.columns.iter().map(kept).collect();
        for column in groups.scope.columns.iter().filter(|column| theirs.iter().all(|other| other.id != column.id)) {
            let value = Typed::column(column.id.clone(), ColumnType { nullable: true, ..column.ty.clone() });
            let empty = aggregates.iter().find(|a| a.output == column.id).and_then(|a| empty(&a.function, &column.ty));
            let value = match empty {
                None => value,
                Some(empty) => match functions::coalesce(value, empty) {
                    Ok(value) => value,
                    Err(fault) => unreachable!("an aggregate without rows has its type: {}", fault.message),
                },
            };
            let id = self.resolver.fresh("group");
            for (_, old) in known.iter_mut().filter(|(_, old)| *old == column.id) {
                old.clone_from(&id);
            }
            columns.push((given(&id, value.ty.clone()), value));
        }
        let relation = Relation { plan, retracts: true, errors: groups.errors, key: Vec::new(), ..all };
        self.resolver.project(relation, columns, Origin::default())
    }

    fn called<'e>(
        &self,
        expr: &'e SqlExpr,
        function: &Function,
        block: &Block<'_>,
    ) -> Resolved<(&'e SqlExpr, &'static str, Call, tidebook_plan::Span)> {
        let span = self.span(expr);
        let Some(name) = aggregate_name(&name_of(function)) else { unreachable!("an aggregate has a name of ours") };
        let call = self.aggregate_call(name, function, span, block)?;
        let called = call.function.last().text.clone();
        let name = aggregate_name(&called).unwrap_or(name);
        Ok((expr, name, call, span))
    }
}

/// What a key in `group by` stands for: a column, else the output of that name.
pub(super) fn key_expr(key: &SqlExpr, scope: &Scope, alias: impl Fn(&str) -> Option<SqlExpr>) -> SqlExpr {
    match key {
        SqlExpr::Identifier(ident) if matches!(own(scope, std::slice::from_ref(ident)), Own::Nothing) => {
            alias(&ident.value).unwrap_or_else(|| key.clone())
        }
        _ => key.clone(),
    }
}

/// The value of an aggregate of no rows, where that is not null.
fn empty(function: &AggregateFunction, ty: &ColumnType) -> Option<Typed> {
    match function {
        AggregateFunction::CountRows | AggregateFunction::Count | AggregateFunction::CountDistinct => {
            Some(Typed::literal(ScalarValue::Int64(Some(0)), ColumnType::required(Type::Int)))
        }
        AggregateFunction::List | AggregateFunction::Set => {
            functions::coerce(functions::list(Vec::new()).ok()?, &ty.ty)
        }
        _ => None,
    }
}

/// True if the expression is null wherever its aggregates have no rows.
pub(super) fn is_null_without_rows(expr: &SqlExpr) -> bool {
    fn strict(expr: &SqlExpr, found: &mut bool) -> bool {
        match expr {
            SqlExpr::Function(function) if is_aggregate(expr) => {
                *found = true;
                !matches!(
                    aggregate_name(&name_of(function)),
                    Some("count" | "count_distinct" | "approx_count_distinct" | "list" | "set")
                )
            }
            SqlExpr::Nested(inner) | SqlExpr::Cast { expr: inner, .. } => strict(inner, found),
            SqlExpr::UnaryOp { op: UnaryOperator::Minus | UnaryOperator::Plus, expr } => strict(expr, found),
            SqlExpr::BinaryOp { left, op, right } => {
                use datafusion_sql::sqlparser::ast::BinaryOperator as Op;
                matches!(op, Op::Plus | Op::Minus | Op::Multiply | Op::Divide | Op::Modulo)
                    && strict(left, found)
                    && strict(right, found)
            }
            SqlExpr::Value(_) => true,
            _ => false,
        }
    }
    let mut found = false;
    strict(expr, &mut found) && found
}
