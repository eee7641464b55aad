//! `flatten c`: one row for each element of a list.

use tidebook_plan::{ColumnType, Type};

use crate::diagnostics::names;
use crate::functions;
use crate::resolve::columns::{item_name, plain_column};
use crate::resolve::fault::Resolved;
use crate::resolve::relation::Relation;
use crate::resolve::scope::ScopeColumn;
use crate::resolve::{Reach, Resolver, build};
use crate::syntax::tree::{NamedExpr, Step};

impl Resolver<'_> {
    /// The element takes the list's place; a list that is no column becomes one first, as in `derive`.
    pub(crate) fn flatten(&self, input: Relation, item: &NamedExpr, step: &Step) -> Resolved<Relation> {
        let list = self.expression(&item.expr, Reach::columns(&input.scope))?;
        let column = plain_column(&input.scope, &list).filter(|column| !column.hidden).cloned();
        let named = |column: &ScopeColumn| item.name.as_ref().is_none_or(|name| name.text == column.name);
        if let Some(column) = column.filter(named) {
            return self.flatten_column(input, column, item, step);
        }
        let name = item_name(self, item)?;
        let derived = self.derive(input, std::slice::from_ref(item), step)?;
        let Some(column) = derived.scope.find(name, item.span)?.cloned() else {
            unreachable!("`derive` gives the column that it names")
        };
        self.flatten_column(derived, column, item, step)
    }

    /// Vectors have elements, and so has a JSON document if it is an array; else its row fails.
    fn flatten_column(
        &self,
        mut input: Relation,
        mut column: ScopeColumn,
        item: &NamedExpr,
        step: &Step,
    ) -> Resolved<Relation> {
        let origin = self.origin(step.span);
        let list_type = match column.ty.ty {
            Type::Json => Some(Type::List(Box::new(ColumnType::nullable(Type::Json)))),
            Type::Vector(_) => Some(Type::List(Box::new(ColumnType::required(Type::Float)))),
            _ => None,
        };
        if let Some(list_type) = list_type {
            let columns = input.scope.columns.iter().map(crate::resolve::columns::kept);
            let list = column.id.clone();
            let columns = columns.map(|(own, typed)| match own.id == list {
                false => (own, typed),
                true => {
                    let Ok(list) = functions::cast(typed, &list_type) else {
                        unreachable!("json and vectors are cast to lists of their elements")
                    };
                    column = ScopeColumn { id: self.fresh(&own.name), ty: list.ty.clone(), ..own };
                    (column.clone(), list)
                }
            });
            let columns = columns.collect();
            input = self.project(input, columns, origin.clone());
        }
        let Type::List(element) = &column.ty.ty else {
            return Err(names::WRONG_TYPE
                .error(
                    format!("`flatten` takes a list, `{}` is {}", item.expr.span.of(self.text), column.ty.ty),
                    item.expr.span,
                )
                .into());
        };
        input.narrow();
        let list = column.id.clone();
        // A row may come several times: what was a key is none any more.
        input.key.clear();
        if let Some(place) = input.ordering.iter().position(|(id, _)| *id == list) {
            input.ordering.truncate(place);
        }
        input.plan = build::flatten(input.plan, &list, origin);
        for own in input.scope.columns.iter_mut().filter(|own| own.id == list) {
            own.ty = (**element).clone();
        }
        Ok(input)
    }
}
