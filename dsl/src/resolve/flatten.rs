//! `flatten c`: one row for each element of a list.

use tidebook_plan::{ColumnType, Type};

use crate::diagnostics::names;
use crate::functions;
use crate::resolve::fault::Resolved;
use crate::resolve::relation::Relation;
use crate::resolve::scope::ScopeColumn;
use crate::resolve::{Resolver, build};
use crate::syntax::tree::{Path, Step};

impl Resolver<'_> {
    /// The element takes the list's place. Vectors have elements, and so has a JSON document if it is an array; else its
    /// row fails.
    pub(crate) fn flatten(&self, mut input: Relation, path: &Path, step: &Step) -> Resolved<Relation> {
        let column = self.column(&input.scope, path)?.clone();
        let origin = self.origin(step.span);
        let list_type = match column.ty.ty {
            Type::Json => Some(Type::List(Box::new(ColumnType::nullable(Type::Json)))),
            Type::Vector(_) => Some(Type::List(Box::new(ColumnType::required(Type::Float)))),
            _ => None,
        };
        if let Some(list_type) = list_type {
            let columns = input.scope.columns.iter().map(crate::resolve::columns::kept);
            let columns = columns.map(|(own, typed)| match own.id == column.id {
                false => (own, typed),
                true => {
                    let Ok(list) = functions::cast(typed, &list_type) else {
                        unreachable!("json and vectors are cast to lists of their elements")
                    };
                    (ScopeColumn { id: self.fresh(&own.name), ty: list.ty.clone(), ..own }, list)
                }
            });
            let columns = columns.collect();
            input = self.project(input, columns, origin.clone());
        }
        let column = self.column(&input.scope, path)?.clone();
        let Type::List(element) = &column.ty.ty else {
            return Err(names::WRONG_TYPE
                .error(format!("`flatten` takes a list, `{}` is {}", path.text(), column.ty.ty), path.span)
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
