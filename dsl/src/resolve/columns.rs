//! `select`, `derive`, `drop`, `rename`: which columns there are.

use tidebook_plan::Span;

use crate::diagnostics::names;
use crate::functions::Typed;
use crate::resolve::fault::{self, Fault, Resolved};
use crate::resolve::relation::Relation;
use crate::resolve::scope::{Scope, ScopeColumn, quoted};
use crate::resolve::window::{WindowPlace, Windows};
use crate::resolve::{Reach, Resolver, collapse};
use crate::syntax::tree::{Expr, Name, NamedExpr, Path, Rename, SelectItem, Step};

impl Resolver<'_> {
    pub(crate) fn select(&self, input: Relation, items: &[SelectItem], step: &Step) -> Resolved<Relation> {
        let windows = Windows::new(&input);
        let reach = Reach { windows: WindowPlace::Step(&windows), ..Reach::columns(&input.scope) };
        let selected = self.all(items.iter().map(|item| self.selected(reach, item)))?;
        let (mut columns, spans): (Vec<(ScopeColumn, Typed)>, Vec<Span>) = selected.into_iter().flatten().unzip();
        if columns.is_empty() {
            return Err(names::NO_COLUMNS.error("no column is left", step.span).into());
        }
        for (i, (second, _)) in columns.iter().enumerate() {
            if let Some((first, _)) = columns[..i].iter().find(|(first, _)| first.name == second.name) {
                let both_kept = [first, second].iter().all(|column| input.scope.columns.contains(column));
                return Err(match both_kept && first.qualifiers != second.qualifiers {
                    true => fault::two_columns(first, second, spans[i]).into(),
                    false => fault::named_twice(&second.name, spans[i]).into(),
                });
            }
        }
        give_each_its_own_id(self, &mut columns);
        input.keep_order(&mut columns);
        let origin = self.origin(step.span);
        let input = self.with_windows(input, windows, &origin);
        Ok(self.project(input, columns, origin))
    }

    /// The columns that an item of `select` stands for, each with its place in the text.
    fn selected(&self, reach: Reach<'_>, item: &SelectItem) -> Resolved<Vec<((ScopeColumn, Typed), Span)>> {
        let scope = reach.scope;
        match item {
            SelectItem::All { table, except, span } => {
                let left_out = self.all(except.iter().map(|path| Ok(&self.column(scope, path)?.id)))?;
                let table = table.as_ref().map(|path| qualifier(scope, &path.parts)).transpose()?;
                let of_table = |column: &&ScopeColumn| table.as_ref().is_none_or(|table| scope.belongs(column, table));
                let stay = scope.visible().filter(of_table).filter(|column| !left_out.contains(&&column.id));
                Ok(stay.map(|column| (kept(column), *span)).collect())
            }
            SelectItem::Item(named) => Ok(vec![(self.named_column(reach, named)?, named.span)]),
        }
    }

    pub(crate) fn derive(&self, input: Relation, items: &[NamedExpr], step: &Step) -> Resolved<Relation> {
        let mut columns: Vec<(ScopeColumn, Typed)> = input.scope.columns.iter().map(kept).collect();
        let windows = Windows::new(&input);
        let reach = Reach { windows: WindowPlace::Step(&windows), ..Reach::columns(&input.scope) };
        let named = items.iter().map(|item| {
            let name = item_name(self, item)?;
            let typed = self.expression(&item.expr, reach);
            Ok((item, name, typed.map_err(|fault| made_here(fault, items, self.text))?))
        });
        let mut seen: Vec<&str> = Vec::new();
        for (item, name, typed) in self.all(named)? {
            if seen.contains(&name) {
                let message = format!("`{name}` is derived twice in one step");
                return Err(names::SAME_NAME.error(message, item.span).into());
            }
            seen.push(name);
            let mut column = ScopeColumn::new(name, self.fresh(name), typed.ty.clone());
            let place = input.scope.find(name, item.span)?.map(|old| old.id.clone());
            match place.and_then(|id| columns.iter().position(|(c, _)| c.id == id)) {
                Some(place) => {
                    column.qualifiers = std::mem::take(&mut columns[place].0.qualifiers);
                    columns[place] = (column, typed);
                }
                None => columns.push((column, typed)),
            }
        }
        input.keep_order(&mut columns);
        let origin = self.origin(step.span);
        let input = self.with_windows(input, windows, &origin);
        Ok(self.project(input, columns, origin))
    }

    pub(crate) fn drop_columns(&self, mut input: Relation, paths: &[Path], step: &Step) -> Resolved<Relation> {
        let dropped = self.all(paths.iter().map(|path| Ok(self.column(&input.scope, path)?.id.clone())))?;
        for column in &mut input.scope.columns {
            column.hidden |= dropped.contains(&column.id);
        }
        let ordering = input.ordering.clone();
        let orders = |column: &ScopeColumn| ordering.iter().any(|(id, _)| *id == column.id);
        input.scope.columns.retain(|column| !column.hidden || column.aside || orders(column));
        if input.scope.visible().next().is_none() {
            return Err(names::NO_COLUMNS.error("no column is left", step.span).into());
        }
        input.settle();
        Ok(input)
    }

    pub(crate) fn rename(&self, mut input: Relation, renames: &[Rename]) -> Resolved<Relation> {
        let mut columns = input.scope.columns.clone();
        let ids = self.all(renames.iter().map(|rename| Ok(self.column(&input.scope, &rename.old)?.id.clone())))?;
        for (place, (rename, id)) in renames.iter().zip(&ids).enumerate() {
            if ids[..place].contains(id) {
                let message = format!("`{}` is renamed twice in one step", rename.old.text());
                return Err(names::SAME_NAME
                    .error(message, rename.old.span)
                    .with_help(format!("for a second column with the same values: `| derive {}: …`", rename.new.text))
                    .into());
            }
            if let Some(column) = columns.iter_mut().find(|column| column.id == *id) {
                column.name.clone_from(&rename.new.text);
            }
        }
        for rename in renames {
            let mut same = columns.iter().filter(|column| !column.hidden && column.name == rename.new.text);
            if let (Some(_), Some(_)) = (same.next(), same.next()) {
                let before = input.scope.visible().filter(|c| c.name == rename.new.text).count();
                if before < 2 {
                    return Err(fault::named_twice(&rename.new.text, rename.span).into());
                }
            }
        }
        input.scope.columns = columns;
        Ok(input)
    }

    /// The column that a path names: `qty`, `orders.qty`.
    pub(crate) fn column<'s>(&self, scope: &'s Scope, path: &Path) -> Resolved<&'s ScopeColumn> {
        if let Some(name) = path.single() {
            return match scope.find(&name.text, name.span)? {
                Some(column) => Ok(column),
                None => {
                    let names = scope.visible().map(|column| column.name.as_str()).collect();
                    Err(fault::unknown_column(&name.text, None, names, name.span).into())
                }
            };
        }
        let (name, tables) = (path.last(), &path.parts[..path.parts.len() - 1]);
        let table = qualifier(scope, tables)?;
        Ok(scope.find_qualified(&table, &name.text, path.span, name.span)?)
    }

    /// A column of `select` or a key of `summarize`: named, or a column that keeps its name.
    pub(crate) fn named_column(&self, reach: Reach<'_>, item: &NamedExpr) -> Resolved<(ScopeColumn, Typed)> {
        let typed = self.expression(&item.expr, reach)?;
        let source = plain_column(reach.scope, &typed).cloned();
        let name = item_name(self, item)?;
        let column = match source {
            // A cast may change the type of a column without changing a value.
            Some(column) if column.name == name => {
                ScopeColumn { ty: typed.ty.clone(), hidden: false, aside: false, ..column }
            }
            Some(column) => {
                let ty = typed.ty.clone();
                ScopeColumn { name: name.to_string(), ty, hidden: false, aside: false, ..column }
            }
            None => ScopeColumn::new(name, self.fresh(name), typed.ty.clone()),
        };
        Ok((column, typed))
    }
}

/// The table in reach that is called so.
fn qualifier(scope: &Scope, parts: &[Name]) -> Resolved<String> {
    let table = parts.iter().map(|part| part.text.as_str()).collect::<Vec<_>>().join(".");
    if scope.is_qualifier(&table) {
        return Ok(table);
    }
    let span = parts[0].span.to(parts[parts.len() - 1].span);
    let diagnostic = names::UNKNOWN_QUALIFIER.error(format!("`{table}` is not a table in reach here"), span);
    Err(fault::suggest(diagnostic, &table, &scope.qualifiers(), "in reach are").into())
}

/// The fault of a name that another item of the same `derive` makes.
fn made_here(fault: Fault, items: &[NamedExpr], text: &str) -> Fault {
    match fault {
        Fault::Said(fault) if fault.code == names::UNKNOWN_COLUMN.code => {
            let name = text.get(fault.span.start..fault.span.end).unwrap_or("");
            match items.iter().any(|item| item.name.as_ref().is_some_and(|own| own.text == name)) {
                true => {
                    fault.with_help(format!("`{name}` is made by this step: read it in a `derive` after it")).into()
                }
                false => Fault::Said(fault),
            }
        }
        fault => fault,
    }
}

/// A column as it is.
pub(crate) fn kept(column: &ScopeColumn) -> (ScopeColumn, Typed) {
    (column.clone(), Typed::column(column.id.clone(), column.ty.clone()))
}

/// The column of the scope that an expression is, if it is nothing more.
pub(crate) fn plain_column<'s>(scope: &'s Scope, typed: &Typed) -> Option<&'s ScopeColumn> {
    let datafusion_expr::Expr::Column(column) = &typed.expr else { return None };
    scope.columns.iter().find(|candidate| candidate.id == column.name)
}

/// The name that an item gives its column.
pub(crate) fn item_name<'t>(resolver: &Resolver<'_>, item: &'t NamedExpr) -> Resolved<&'t str> {
    if let Some(name) = &item.name {
        return Ok(&name.text);
    }
    match last_name(&item.expr) {
        Some(name) => Ok(name),
        None => {
            let text = collapse(item.expr.span.of(resolver.text));
            Err(names::NEEDS_NAME
                .error("this expression needs a name", item.expr.span)
                .with_help(format!("write `{}: {text}`", quoted(&proposed_name(&item.expr))))
                .with_edit(item.expr.span, format!("{}: {text}", proposed_name(&item.expr)))
                .into())
        }
    }
}

fn last_name(expr: &Expr) -> Option<&str> {
    match &expr.kind {
        crate::syntax::tree::ExprKind::Name(name) => Some(&name.text),
        crate::syntax::tree::ExprKind::Field { field, .. } => Some(&field.text),
        _ => None,
    }
}

fn proposed_name(expr: &Expr) -> String {
    match &expr.kind {
        crate::syntax::tree::ExprKind::Call(call) => call.function.last().text.clone(),
        _ => "value".to_string(),
    }
}

/// One column may be selected twice under two names: the second use gets an id of its own.
fn give_each_its_own_id(resolver: &Resolver<'_>, columns: &mut [(ScopeColumn, Typed)]) {
    for i in 1..columns.len() {
        if columns[..i].iter().any(|(column, _)| column.id == columns[i].0.id) {
            columns[i].0.id = resolver.fresh(&columns[i].0.name);
            columns[i].0.qualifiers.clear();
        }
    }
}
