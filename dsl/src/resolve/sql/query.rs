//! A query: `with`, its body, `order by`, `limit`.

use datafusion_sql::sqlparser::ast::{
    Cte, Expr as SqlExpr, Fetch, LimitClause, OrderBy, OrderByExpr, OrderByKind, Query, SetExpr, TableAlias, Value,
    ValueWithSpan, Values,
};
use tidebook_plan::Span;

use super::Sql;
use super::block::{Block, Domain, links};
use crate::catalog::ErrorStream;
use crate::diagnostics::names;
use crate::functions::{self, Typed};
use crate::resolve::build;
use crate::resolve::constants::{LiteralRow, steps_of};
use crate::resolve::fault::Resolved;
use crate::resolve::relation::Relation;
use crate::resolve::scope::{Scope, ScopeColumn};

/// Which rows of an order are wanted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page {
    pub offset: u64,
    pub limit: u64,
}

impl Sql<'_, '_> {
    /// The rows of a query. `domain` is what it may read of the query around it; the columns that it does read stand
    /// behind its own, hidden.
    pub(super) fn query(&self, query: &Query, domain: Option<&Domain<'_>>) -> Resolved<Relation> {
        let span = self.span(query);
        self.resolver.count_step(span)?;
        if !query.locks.is_empty() || query.for_clause.is_some() || query.settings.is_some() {
            return Err(self.unsupported("this clause", "a head only reads", span));
        }
        if !query.pipe_operators.is_empty() {
            return Err(self.unsupported("`|>`", "steps stand behind the head: `sql \"…\" | where …`", span));
        }
        let depth = self.common.borrow().len();
        let result = self.with_tables(query, domain);
        self.common.borrow_mut().truncate(depth);
        result
    }

    fn with_tables(&self, query: &Query, domain: Option<&Domain<'_>>) -> Resolved<Relation> {
        let mut errors: Vec<ErrorStream> = Vec::new();
        if let Some(with) = &query.with {
            for table in &with.cte_tables {
                errors.extend(self.common_table(table, with.recursive)?);
            }
        }
        let order = match &query.order_by {
            None => &[][..],
            Some(OrderBy { kind: OrderByKind::Expressions(keys), interpolate: None }) => keys,
            Some(_) => return Err(self.unsupported("`order by all`", "name the columns", self.span(query))),
        };
        let page = self.page(query)?;
        let mut relation = match &*query.body {
            SetExpr::Select(select) => self.select(select, order, page, domain)?,
            body => {
                let relation = self.body(body, domain)?;
                let relation = self.ordered(relation, order, domain)?;
                self.paged(relation, page, self.span(query))
            }
        };
        errors.append(&mut relation.errors);
        relation.errors = errors;
        Ok(relation)
    }

    /// Keeps a table of `with`; its errors are those of the query.
    fn common_table(&self, table: &Cte, recursive: bool) -> Resolved<Vec<ErrorStream>> {
        let name = &table.alias.name.value;
        let span = self.places.span(table.alias.name.span);
        if recursive {
            self.recursive.borrow_mut().push(name.clone());
        }
        let relation = self.query(&table.query, None);
        if recursive {
            self.recursive.borrow_mut().pop();
        }
        let alias = TableAlias { explicit: true, ..table.alias.clone() };
        let mut relation = self.aliased(relation?, &alias, span)?;
        let errors = std::mem::take(&mut relation.errors);
        let plan = self.resolver.finish(relation, span)?;
        self.common.borrow_mut().push((name.clone(), plan));
        Ok(errors)
    }

    /// What a query consists of, without order.
    pub(super) fn body(&self, body: &SetExpr, domain: Option<&Domain<'_>>) -> Resolved<Relation> {
        match body {
            SetExpr::Select(select) => self.select(select, &[], None, domain),
            SetExpr::Query(query) => self.query(query, domain),
            SetExpr::SetOperation { left, op, set_quantifier, right } => {
                self.combined(left, *op, *set_quantifier, right, domain)
            }
            SetExpr::Values(values) => self.values(values, domain),
            other => {
                let help = "write `select …` or `values …`";
                Err(self.unsupported("this form of a query", help, self.span(other)))
            }
        }
    }

    fn page(&self, query: &Query) -> Resolved<Option<Page>> {
        let (mut offset, mut limit) = (None, None);
        match &query.limit_clause {
            None => {}
            Some(LimitClause::LimitOffset { limit: count, offset: skip, limit_by }) => {
                if let Some(by) = limit_by.first() {
                    let help = "the first rows of each group: `| top n by … per k` as a step";
                    return Err(self.unsupported("`limit … by`", help, self.span(by)));
                }
                limit = count.as_ref();
                offset = skip.as_ref().map(|skip| &skip.value);
            }
            Some(LimitClause::OffsetCommaLimit { offset: skip, limit: count }) => {
                (offset, limit) = (Some(skip), Some(count));
            }
        }
        match &query.fetch {
            None => {}
            Some(Fetch { with_ties: false, percent: false, quantity }) => limit = quantity.as_ref().or(limit),
            Some(_) => {
                let help = "`fetch first n rows only` takes so many";
                return Err(self.unsupported("`fetch … with ties` or in percent", help, self.span(query)));
            }
        }
        if limit.is_none() && offset.is_none() {
            return Ok(None);
        }
        Ok(Some(Page {
            offset: offset.map_or(Ok(0), |count| self.rows_counted(count, "`offset`"))?,
            limit: limit.map_or(Ok(u64::MAX), |count| self.rows_counted(count, "`limit`"))?,
        }))
    }

    fn rows_counted(&self, count: &SqlExpr, what: &'static str) -> Resolved<u64> {
        let nothing = Block::new(self.names_only(Scope::default()), None);
        self.resolver.count(&self.tree(count, &nothing)?, what)
    }

    /// The rows in the order of keys that are columns or expressions of them.
    fn ordered(&self, relation: Relation, order: &[OrderByExpr], domain: Option<&Domain<'_>>) -> Resolved<Relation> {
        if order.is_empty() {
            return Ok(relation);
        }
        let outputs: Vec<ScopeColumn> = relation.scope.visible().cloned().collect();
        let block = Block::new(relation, domain);
        let mut keys: Vec<(Typed, bool)> = Vec::new();
        for key in order {
            let typed = match self.by_position(&key.expr, outputs.len())? {
                Some(place) => Typed::column(outputs[place].id.clone(), outputs[place].ty.clone()),
                None => self.value(&key.expr, &block)?,
            };
            self.resolver.refuse_unordered(&typed, self.span(&key.expr))?;
            push_key(&mut keys, typed, key);
        }
        let mut relation = block.relation.into_inner();
        let (mut added, mut ordering) = (Vec::new(), Vec::new());
        for (typed, descending) in keys {
            ordering.push((self.resolver.as_column(&relation, typed, &mut added), descending));
        }
        relation = self.resolver.extend(relation, added, self.origin(self.span(&order[0])));
        relation.ordering = ordering;
        Ok(relation)
    }

    /// The output that a number in `order by` or `group by` counts to.
    pub(super) fn by_position(&self, expr: &SqlExpr, outputs: usize) -> Resolved<Option<usize>> {
        let SqlExpr::Value(ValueWithSpan { value: Value::Number(digits, _), span }) = expr else { return Ok(None) };
        match digits.parse::<usize>() {
            Ok(place) if (1..=outputs).contains(&place) => Ok(Some(place - 1)),
            _ => {
                let message = format!("there is no column {digits}: the query has {outputs}");
                Err(names::WRONG_VALUE.error(message, self.places.span(*span)).into())
            }
        }
    }

    /// The wanted rows of the relation's order; of a subquery, for each of the rows around it.
    pub(super) fn paged(&self, mut relation: Relation, page: Option<Page>, span: Span) -> Relation {
        let Some(page) = page else { return relation };
        relation.narrow();
        let group = links(&relation.scope).into_iter().map(|column| column.id).collect();
        relation.plan =
            build::page(relation.plan, group, &relation.ordering, (page.offset, page.limit), self.origin(span));
        relation.retracts = true;
        relation
    }

    /// `values (1, 'a'), (2, 'b')`: columns `column1`, `column2`.
    fn values(&self, values: &Values, domain: Option<&Domain<'_>>) -> Resolved<Relation> {
        let nothing = Block::new(self.names_only(Scope::default()), domain);
        let mut rows: Vec<Vec<(Typed, Span)>> = Vec::new();
        for row in &values.rows {
            let row = row.content.iter().map(|value| Ok((self.value(value, &nothing)?, self.span(value))));
            rows.push(row.collect::<Resolved<_>>()?);
        }
        let width = rows.first().map_or(0, Vec::len);
        let whole = self.span(values);
        if let Some(other) = rows.iter().find(|row| row.len() != width) {
            let message = format!("a row has {} values, the first has {width}", other.len());
            let span = other.first().map_or(whole, |(_, span)| *span);
            return Err(names::DIFFERENT_COLUMNS.error(message, span).into());
        }
        let mut columns: Vec<ScopeColumn> = Vec::new();
        let mut literal: Vec<LiteralRow> =
            rows.iter().map(|_| LiteralRow { negated: false, values: Vec::new(), failure: None }).collect();
        for place in 0..width {
            let column: Vec<Typed> = rows.iter().map(|row| row[place].0.clone()).collect();
            let column = functions::with_decimal_literals(column);
            let mut common = column[0].ty.clone();
            for (typed, row) in column.iter().zip(&rows) {
                common = functions::common_type(&common, &typed.ty).ok_or_else(|| {
                    let message = format!("the value is {}, in an earlier row it is {}", typed.ty.ty, common.ty);
                    names::NO_COMMON_TYPE.error(message, row[place].1)
                })?;
            }
            for ((typed, row), out) in column.into_iter().zip(&rows).zip(&mut literal) {
                let Some(typed) = functions::coerce(typed, &common.ty) else {
                    let message = format!("column {} is {}, which this value is not", place + 1, common.ty);
                    return Err(names::NO_COMMON_TYPE.error(message, row[place].1).into());
                };
                let value = functions::evaluate(&typed).map_err(|message| {
                    names::NOT_CONSTANT.error(format!("this has no value: {message}"), row[place].1)
                })?;
                out.values.push(value);
            }
            let name = format!("column{}", place + 1);
            columns.push(ScopeColumn::new(&*name, self.resolver.fresh(&name), common));
        }
        let ids: Vec<_> = columns.iter().map(|column| (column.id.clone(), column.ty.clone())).collect();
        let types: Vec<_> = columns.iter().map(|column| column.ty.ty.to_arrow()).collect();
        let plan = build::constant(&ids, steps_of(vec![literal], &types), self.origin(whole));
        let scope = Scope { columns, head: None };
        let relation =
            Relation { plan, scope, key: Vec::new(), ordering: Vec::new(), retracts: false, errors: Vec::new() };
        match domain {
            None => Ok(relation),
            Some(domain) => {
                let around = domain.relation(self);
                Ok(self.resolver.inner_join(relation, around, Vec::new(), self.origin(whole)))
            }
        }
    }

    /// What `resolve` gives, without a word about what is wrong.
    pub(super) fn quietly<T>(&self, resolve: impl FnOnce() -> T) -> T {
        let also = self.resolver.also.borrow().len();
        let warnings = self.resolver.warnings.borrow().len();
        let result = resolve();
        self.resolver.also.borrow_mut().truncate(also);
        self.resolver.warnings.borrow_mut().truncate(warnings);
        result
    }
}

/// Adds a key of an order. Nulls are larger than every value; where they are wanted elsewhere, a key before says which
/// rows have none.
pub(super) fn push_key(keys: &mut Vec<(Typed, bool)>, typed: Typed, key: &OrderByExpr) {
    let descending = key.options.asc == Some(false);
    if let Some(first) = key.options.nulls_first.filter(|first| *first != descending) {
        keys.push((functions::is_null(typed.clone(), false), first));
    }
    keys.push((typed, descending));
}
