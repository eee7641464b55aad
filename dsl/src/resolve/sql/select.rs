//! `select … from … where … group by … having …`.

use datafusion_sql::sqlparser::ast::{
    Distinct, ExceptSelectItem, ExcludeSelectItem, Expr as SqlExpr, GroupByExpr, OrderByExpr, Select, SelectItem,
    SelectItemQualifiedWildcardKind, WildcardAdditionalOptions,
};
use tidebook_plan::Span;

use super::Sql;
use super::block::{Block, Domain, links};
use super::conditions::{conjuncts, has_subquery, outermost};
use super::functions::is_aggregate;
use super::query::{Page, push_key};
use crate::diagnostics::names;
use crate::functions::{self, Typed};
use crate::logical::Origin;
use crate::resolve::columns::{kept, plain_column};
use crate::resolve::fault::{self, Resolved};
use crate::resolve::relation::Relation;
use crate::resolve::scope::ScopeColumn;
use crate::resolve::window::Windows;
use crate::resolve::{build, collapse};

/// A column of the result.
struct Output {
    name: String,
    /// What was written, if it was no `*`.
    source: Option<SqlExpr>,
    typed: Typed,
}

impl Sql<'_, '_> {
    /// The rows of a `select`, in its order.
    pub(super) fn select(
        &self,
        select: &Select,
        order: &[OrderByExpr],
        page: Option<Page>,
        domain: Option<&Domain<'_>>,
    ) -> Resolved<Relation> {
        self.refuse_clauses(select)?;
        let span = self.span(select);
        let origin = self.origin(span);
        let written = || select.projection.iter().filter_map(written_expr);
        let others = select.having.iter().chain(&select.qualify).chain(order.iter().map(|key| &key.expr));
        let mut aggregates: Vec<SqlExpr> = Vec::new();
        for expr in written().chain(others) {
            for found in outermost(expr, is_aggregate) {
                if !aggregates.contains(&found) {
                    aggregates.push(found);
                }
            }
        }
        let keys = self.written_keys(select)?;
        let grouped = !aggregates.is_empty() || keys.is_some() || select.having.is_some();
        let block = self.rows(select, !grouped && page.is_none(), domain, &origin)?;
        let block = match grouped {
            false => block,
            true => {
                let bare = keys.is_none();
                let relies = bare
                    && select.having.is_none()
                    && select
                        .projection
                        .iter()
                        .all(|item| written_expr(item).is_some_and(super::aggregate::is_null_without_rows));
                let scope = block.scope();
                let alias = |name: &str| alias_of(&select.projection, name).cloned();
                let keys: Vec<SqlExpr> =
                    keys.iter().flatten().map(|key| super::aggregate::key_expr(key, &scope, alias)).collect();
                self.grouped(block, &keys, &aggregates, relies, &origin)?
            }
        };
        if let Some(having) = &select.having {
            self.filter(&block, &conjuncts(having), &origin)?;
        }
        self.projected(select, order, page, block, span)
    }

    /// `from` and `where`.
    fn rows<'d>(
        &self,
        select: &Select,
        may_pull_up: bool,
        domain: Option<&'d Domain<'d>>,
        origin: &Origin,
    ) -> Resolved<Block<'d>> {
        let mut items = self.items(&select.from)?;
        let conditions = select.selection.as_ref().map(conjuncts).unwrap_or_default();
        let (asking, mut plain): (Vec<SqlExpr>, Vec<SqlExpr>) = conditions.into_iter().partition(has_subquery);
        if items.is_empty() {
            items.push(self.one_row());
        }
        if let Some(domain) = domain {
            let bound = may_pull_up && self.pulled_up(&mut items, &mut plain, domain, origin);
            if !bound {
                items.push(domain.relation(self));
            }
        }
        let relation = self.connect(items, &plain, domain, origin)?;
        let block = Block::new(relation, domain);
        self.filter(&block, &asking, origin)?;
        Ok(block)
    }

    /// Keeps the rows of the block for which all conditions hold; those that a subquery decides come first.
    fn filter(&self, block: &Block<'_>, conditions: &[SqlExpr], origin: &Origin) -> Resolved<()> {
        let mut typed = Vec::new();
        for condition in conditions {
            if !self.asked(condition, block)? {
                typed.push(self.condition(condition, block)?);
            }
        }
        let (fallible, safe): (Vec<Typed>, Vec<Typed>) = typed.into_iter().partition(|c| c.fallible);
        for part in [safe, fallible] {
            if let Some(condition) = part.into_iter().reduce(|a, b| self.both(a, b)) {
                block.change(|relation| self.resolver.filter(relation, condition, origin.clone()));
            }
        }
        Ok(())
    }

    /// What `group by` says; `None` without one.
    fn written_keys(&self, select: &Select) -> Resolved<Option<Vec<SqlExpr>>> {
        match &select.group_by {
            GroupByExpr::Expressions(keys, modifiers) if modifiers.is_empty() => {
                if keys.is_empty() {
                    return Ok(None);
                }
                let count = select.projection.len();
                let keys = keys.iter().map(|key| match self.by_position(key, count)? {
                    None => Ok(key.clone()),
                    Some(place) => written_expr(&select.projection[place])
                        .cloned()
                        .ok_or_else(|| self.unsupported("a position that is `*`", "name the column", self.span(key))),
                });
                keys.collect::<Resolved<Vec<_>>>().map(Some)
            }
            GroupByExpr::All(modifiers) if modifiers.is_empty() => {
                let written = select.projection.iter().filter_map(written_expr);
                Ok(Some(written.filter(|expr| outermost(expr, is_aggregate).is_empty()).cloned().collect()))
            }
            _ => {
                let help = "unite one `select … group by …` for each of the groupings with `union all`";
                Err(self.unsupported("grouping by several sets of keys", help, self.span(select)))
            }
        }
    }

    /// The outputs, in their order.
    fn projected(
        &self,
        select: &Select,
        order: &[OrderByExpr],
        page: Option<Page>,
        block: Block<'_>,
        span: Span,
    ) -> Resolved<Relation> {
        let windows = Windows::new(&block.relation.borrow());
        let outputs = self.outputs(select, &block, &windows)?;
        let qualify = match &select.qualify {
            None => None,
            Some(condition) => {
                let typed = self.value_with(condition, &block, Some(&windows))?;
                Some(self.resolver.as_bool(typed, self.span(condition))?)
            }
        };
        let distinct = match &select.distinct {
            None | Some(Distinct::All) => false,
            Some(Distinct::Distinct) => true,
            Some(Distinct::On(_)) => {
                let help = "`| dedupe by k keep first of at` as a step keeps one row a key";
                return Err(self.unsupported("`distinct on`", help, span));
            }
        };
        // A key of the order is an output, or an expression of the rows that it is made of.
        let mut keys: Vec<(Result<usize, Typed>, bool)> = Vec::new();
        for key in order {
            let place = self.by_position(&key.expr, outputs.len())?.or_else(|| {
                let alias =
                    |output: &Output| matches!(&key.expr, SqlExpr::Identifier(ident) if ident.value == output.name);
                let same = |output: &Output| output.source.as_ref() == Some(&key.expr);
                outputs.iter().position(alias).or_else(|| outputs.iter().position(same))
            });
            let typed = match place {
                Some(place) => outputs[place].typed.clone(),
                None if distinct => {
                    let message = "with `distinct`, rows are ordered by what is selected";
                    let fault = names::UNKNOWN_COLUMN.error(message, self.span(&key.expr));
                    return Err(fault.with_help("select the expression too").into());
                }
                None => self.value_with(&key.expr, &block, Some(&windows))?,
            };
            self.resolver.refuse_unordered(&typed, self.span(&key.expr))?;
            let mut both = Vec::new();
            push_key(&mut both, typed, key);
            let last = both.len() - 1;
            for (at, (typed, descending)) in both.into_iter().enumerate() {
                let by = place.filter(|_| at == last).map_or(Err(typed), Ok);
                keys.push((by, descending));
            }
        }
        let origin = self.origin(span);
        let relation = self.resolver.with_windows(block.relation.into_inner(), windows, &origin);
        let relation = match qualify {
            None => relation,
            Some(condition) => self.resolver.filter(relation, condition, origin.clone()),
        };
        let relation = self.finished(relation, outputs, keys, distinct, &origin)?;
        Ok(self.paged(relation, page, span))
    }

    /// Computes the outputs and what the order needs beside them.
    fn finished(
        &self,
        input: Relation,
        outputs: Vec<Output>,
        keys: Vec<(Result<usize, Typed>, bool)>,
        distinct: bool,
        origin: &Origin,
    ) -> Resolved<Relation> {
        let mut columns: Vec<(ScopeColumn, Typed)> = Vec::new();
        for output in outputs {
            let typed = if distinct { functions::of_equals(output.typed) } else { output.typed };
            // A column that stays what it is keeps its id, and so a key stays one.
            let stays = plain_column(&input.scope, &typed).map(|column| column.id.clone());
            let id = stays.filter(|id| columns.iter().all(|(column, _)| column.id != *id));
            let id = id.unwrap_or_else(|| self.resolver.fresh(&output.name));
            columns.push((ScopeColumn::new(output.name, id, typed.ty.clone()), typed));
        }
        let ids: Vec<String> = columns.iter().map(|(column, _)| column.id.clone()).collect();
        columns.extend(links(&input.scope).iter().map(kept));
        let (mut ordering, mut added) = (Vec::new(), Vec::new());
        for (key, descending) in keys {
            let id = match key {
                Ok(place) => ids[place].clone(),
                Err(typed) => {
                    let id = self.resolver.fresh("order");
                    added.push((ScopeColumn { hidden: true, ..ScopeColumn::new("", &*id, typed.ty.clone()) }, typed));
                    id
                }
            };
            ordering.push((id, descending));
        }
        if distinct {
            let mut relation = self.resolver.project(input, columns, origin.clone());
            let ids = relation.ids();
            relation.plan = build::aggregate(relation.plan, ids, Vec::new(), origin.clone());
            relation.scope.head = None;
            return Ok(self.in_order(relation, added, ordering, origin));
        }
        columns.extend(added);
        let mut relation = self.resolver.project(input, columns, origin.clone());
        relation.scope.head = None;
        relation.ordering = ordering;
        Ok(relation)
    }

    fn in_order(
        &self,
        relation: Relation,
        added: Vec<(ScopeColumn, Typed)>,
        ordering: Vec<(String, bool)>,
        origin: &Origin,
    ) -> Relation {
        let mut relation = self.resolver.extend(relation, added, origin.clone());
        relation.ordering = ordering;
        relation
    }

    fn outputs(&self, select: &Select, block: &Block<'_>, windows: &Windows) -> Resolved<Vec<Output>> {
        let mut outputs = Vec::new();
        for (place, item) in select.projection.iter().enumerate() {
            let (expr, name) = match item {
                SelectItem::UnnamedExpr(expr) => (expr, self.name_of(expr, place)),
                SelectItem::ExprWithAlias { expr, alias } => (expr, alias.value.clone()),
                SelectItem::Wildcard(options) => {
                    outputs.extend(self.all_columns(block, None, options, self.span(item))?);
                    continue;
                }
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(table), options) => {
                    let table = table.0.iter().map(|part| part.to_string()).collect::<Vec<_>>().join(".");
                    outputs.extend(self.all_columns(block, Some(&table), options, self.span(item))?);
                    continue;
                }
                other => return Err(self.unsupported("this item", "", self.span(other))),
            };
            let typed = self.value_with(expr, block, Some(windows))?;
            outputs.push(Output { name, source: Some(expr.clone()), typed });
        }
        match outputs.first() {
            Some(_) => Ok(outputs),
            None => Err(names::NO_COLUMNS.error("no column is selected", self.span(select)).into()),
        }
    }

    fn all_columns(
        &self,
        block: &Block<'_>,
        table: Option<&str>,
        options: &WildcardAdditionalOptions,
        span: Span,
    ) -> Resolved<Vec<Output>> {
        if options.opt_replace.is_some() || options.opt_rename.is_some() || options.opt_ilike.is_some() {
            return Err(self.unsupported("this option of `*`", "name the columns", span));
        }
        let mut left_out: Vec<String> = Vec::new();
        match &options.opt_except {
            None => {}
            Some(ExceptSelectItem { first_element, additional_elements }) => {
                left_out.extend(std::iter::once(first_element).chain(additional_elements).map(|i| i.value.clone()));
            }
        }
        match &options.opt_exclude {
            None => {}
            Some(ExcludeSelectItem::Single(name)) => left_out.push(name.to_string()),
            Some(ExcludeSelectItem::Multiple(names)) => left_out.extend(names.iter().map(ToString::to_string)),
        }
        let scope = block.scope();
        if let Some(table) = table.filter(|table| !scope.is_qualifier(table)) {
            let diagnostic = names::UNKNOWN_QUALIFIER.error(format!("`{table}` is not a table in reach here"), span);
            return Err(fault::suggest(diagnostic, table, &scope.qualifiers(), "in reach are").into());
        }
        if let Some(missing) = left_out.iter().find(|name| scope.visible().all(|column| column.name != **name)) {
            let known = scope.visible().map(|column| column.name.as_str()).collect();
            return Err(fault::unknown_column(missing, None, known, span).into());
        }
        let wanted = scope
            .visible()
            .filter(|column| table.is_none_or(|table| scope.belongs(column, table)))
            .filter(|column| !left_out.contains(&column.name));
        let outputs = wanted.map(|column| Output {
            name: column.name.clone(),
            source: None,
            typed: Typed::column(column.id.clone(), column.ty.clone()),
        });
        Ok(outputs.collect())
    }

    /// What a column without a name is called: what is written, if that is short.
    fn name_of(&self, expr: &SqlExpr, place: usize) -> String {
        match expr {
            SqlExpr::Identifier(ident) => return ident.value.clone(),
            SqlExpr::CompoundIdentifier(path) if !path.is_empty() => return path[path.len() - 1].value.clone(),
            SqlExpr::Nested(inner) => return self.name_of(inner, place),
            _ => {}
        }
        let short = if has_subquery(expr) { None } else { Some(collapse(&expr.to_string())) };
        match short.filter(|text| text.chars().count() <= 60) {
            Some(text) => text,
            None => format!("column{}", place + 1),
        }
    }

    fn refuse_clauses(&self, select: &Select) -> Resolved<()> {
        let span = self.span(select);
        let refused = [
            (select.into.is_some(), "`select into`", "define a table: `name = sql \"select …\"`"),
            (select.top.is_some(), "`select top`", "write `limit` at the end"),
            (!select.lateral_views.is_empty(), "`lateral view`", "a list becomes rows with `table | flatten column`"),
            (
                !select.connect_by.is_empty(),
                "`connect by`",
                "a table that grows from itself is written with `| iterate`",
            ),
            (!select.cluster_by.is_empty() || !select.distribute_by.is_empty(), "`distribute by`", ""),
            (!select.sort_by.is_empty(), "`sort by`", "write `order by` at the end"),
            (!select.named_window.is_empty(), "`window`", "write each `over (…)` out"),
            (select.prewhere.is_some(), "`prewhere`", "write `where`"),
        ];
        match refused.iter().find(|(there, ..)| *there) {
            Some((_, what, help)) => Err(self.unsupported(what, help, span)),
            None => Ok(()),
        }
    }
}

/// The expression of an item that is no `*`.
fn written_expr(item: &SelectItem) -> Option<&SqlExpr> {
    match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => Some(expr),
        _ => None,
    }
}

/// The expression of the output that is called so.
fn alias_of<'s>(items: &'s [SelectItem], name: &str) -> Option<&'s SqlExpr> {
    items.iter().find_map(|item| match item {
        SelectItem::ExprWithAlias { expr, alias } if alias.value == name => Some(expr),
        _ => None,
    })
}
