//! `sort`, `limit`, `top`, `key by`.

use datafusion_common::ScalarValue;
use tidebook_plan::Span;

use crate::diagnostics::names;
use crate::functions::{self, Typed};
use crate::logical::Origin;
use crate::resolve::columns::plain_column;
use crate::resolve::expression::call_fault;
use crate::resolve::fault::Resolved;
use crate::resolve::relation::Relation;
use crate::resolve::scope::ScopeColumn;
use crate::resolve::{Reach, Resolver, build};
use crate::syntax::tree::{Expr, Path, SortKey, Step, Top};

impl Resolver<'_> {
    pub(crate) fn sort(&self, input: Relation, keys: &[SortKey], step: &Step) -> Resolved<Relation> {
        let (mut sorted, ordering) = self.ordered(input, keys, self.origin(step.span))?;
        sorted.ordering = ordering;
        // What only an earlier order needed must not break the ties of this one.
        let ordering = &sorted.ordering;
        let orders = |column: &ScopeColumn| ordering.iter().any(|(id, _)| *id == column.id);
        sorted.scope.columns.retain(|column| !column.hidden || column.aside || orders(column));
        Ok(sorted)
    }

    pub(crate) fn limit(&self, mut input: Relation, count: &Expr, step: &Step) -> Resolved<Relation> {
        let count = self.count(count, "`limit`")?;
        input.narrow();
        input.plan = build::top_k(input.plan, Vec::new(), &input.ordering, count, self.origin(step.span));
        input.retracts = true;
        Ok(input)
    }

    pub(crate) fn top(&self, input: Relation, top: &Top, step: &Step) -> Resolved<Relation> {
        let count = self.count(&top.count, "`top`")?;
        let origin = self.origin(step.span);
        let (input, order) = self.ordered(input, &top.by, origin.clone())?;
        let (mut groups, mut added) = (Vec::new(), Vec::new());
        for typed in self.all(top.per.iter().map(|group| self.expression(group, Reach::columns(&input.scope))))? {
            groups.push(self.as_column(&input, functions::of_equals(typed), &mut added));
        }
        let mut input = self.extend(input, added, origin.clone());
        input.narrow();
        input.plan = build::top_k(input.plan, groups.clone(), &order, count, origin);
        input.retracts = true;
        input.ordering = groups.into_iter().map(|id| (id, false)).chain(order).collect();
        Ok(input)
    }

    pub(crate) fn key_by(&self, mut input: Relation, columns: &[Path], step: &Step) -> Resolved<Relation> {
        let mut ids = Vec::new();
        let found = self.all(columns.iter().map(|path| Ok(self.column(&input.scope, path)?.id.clone())))?;
        for (path, id) in columns.iter().zip(found) {
            if ids.contains(&id) {
                let message = format!("`{}` stands twice in the key", path.text());
                return Err(names::SAME_NAME.error(message, path.span).into());
            }
            ids.push(id);
        }
        // A key that is unique stays so with more columns; nothing is left to enforce.
        let known = !input.key.is_empty() && input.key.iter().all(|id| ids.contains(id));
        if !known {
            input.narrow();
            input.plan = build::unique(input.plan, ids.clone(), self.origin(step.span));
            input.errors.extend(self.errors_of(&input.plan, &input.scope));
            input.retracts = true;
        }
        input.key = ids;
        Ok(input)
    }

    /// The relation with every sort key as a column, and the order.
    fn ordered(&self, input: Relation, keys: &[SortKey], origin: Origin) -> Resolved<(Relation, Vec<(String, bool)>)> {
        let (mut order, mut added) = (Vec::new(), Vec::new());
        let typed = keys.iter().map(|key| {
            let typed = self.expression(&key.expr, Reach::columns(&input.scope))?;
            self.refuse_unordered(&typed, key.expr.span)?;
            Ok(typed)
        });
        for (key, typed) in keys.iter().zip(self.all(typed)?) {
            let id = self.as_column(&input, typed, &mut added);
            // The first mention decides: rows that a second one could tell apart are equal there.
            if order.iter().all(|(earlier, _)| *earlier != id) {
                order.push((id, key.descending));
            }
        }
        Ok((self.extend(input, added, origin), order))
    }

    /// The id of a column that holds the expression; one that is not a column is to be added, hidden and unnamed.
    pub(crate) fn as_column(&self, input: &Relation, typed: Typed, added: &mut Vec<(ScopeColumn, Typed)>) -> String {
        if let Some(column) = plain_column(&input.scope, &typed) {
            return column.id.clone();
        }
        let id = self.fresh("order");
        added.push((ScopeColumn { hidden: true, ..ScopeColumn::new("", &*id, typed.ty.clone()) }, typed));
        id
    }

    /// Refuses an expression that nothing can be ordered by.
    pub(crate) fn refuse_unordered(&self, typed: &Typed, span: Span) -> Resolved<()> {
        match functions::without_order(&typed.ty.ty) {
            Some(fault) => Err(call_fault(fault, span, &[])),
            None => Ok(()),
        }
    }

    /// A whole number of rows.
    pub(crate) fn count(&self, count: &Expr, what: &'static str) -> Resolved<u64> {
        let (value, ty) = self.constant(count, what)?;
        match value {
            ScalarValue::Int64(Some(number)) if number >= 0 => Ok(number.unsigned_abs()),
            ScalarValue::Int64(Some(number)) => {
                Err(names::WRONG_VALUE.error(format!("{what} takes 0 or more rows, not {number}"), count.span).into())
            }
            _ => Err(names::WRONG_TYPE.error(format!("{what} takes a whole number, found {ty}"), count.span).into()),
        }
    }
}
