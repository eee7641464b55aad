//! `update T` and `patch T`: by key, rows of T replace, or fill in.

use datafusion_common::ScalarValue;
use tidebook_plan::{ColumnType, Span, Type};

use crate::diagnostics::names;
use crate::functions::{self, Typed};
use crate::logical::{JoinType, Origin};
use crate::resolve::fault::{self, Resolved};
use crate::resolve::relation::Relation;
use crate::resolve::scope::{Scope, ScopeColumn};
use crate::resolve::sets::joined_errors;
use crate::resolve::{Resolver, build};
use crate::syntax::tree::{Step, TableOperand};

impl Resolver<'_> {
    /// `patch` takes only values that are not null, and no new keys.
    pub(crate) fn update(
        &self,
        mut base: Relation,
        operand: &TableOperand,
        step: &Step,
        patch: bool,
    ) -> Resolved<Relation> {
        let mut other = self.operand(operand)?;
        for side in [&mut base, &mut other] {
            side.scope.columns.retain(|column| !column.hidden);
            side.ordering.clear();
        }
        let word = if patch { "patch" } else { "update" };
        let on = self.key_pairs(&base, &other, word, step.keyword, operand.span)?;
        for column in other.scope.visible() {
            if base.scope.visible().all(|own| own.name != column.name) {
                let message =
                    format!("`{word}` would bring the column `{}`, which the table does not have", column.name);
                let columns: Vec<&str> = base.scope.visible().map(|own| own.name.as_str()).collect();
                let diagnostic = names::DIFFERENT_COLUMNS.error(message, operand.span);
                return Err(fault::suggest(diagnostic, &column.name, &columns, "its columns are").into());
            }
        }
        // Whether a row found its partner: the joined flag is null where it did not.
        let found = self.fresh("found");
        let flag = Typed::literal(ScalarValue::Boolean(Some(true)), ColumnType::required(Type::Bool));
        let mark = ScopeColumn { hidden: true, ..ScopeColumn::new("", &*found, ColumnType::required(Type::Bool)) };
        let marked = self.extend(other.clone(), vec![(mark, flag)], Origin::default());
        let joined = build::match_rows(base.plan.clone(), marked.plan, JoinType::Left, &on);
        let found = functions::is_null(Typed::column(found, ColumnType::nullable(Type::Bool)), true);
        let (mut kept, mut columns) = (Vec::new(), Vec::new());
        for own in base.scope.visible() {
            let value = Typed::column(own.id.clone(), own.ty.clone());
            let Some(theirs) = other.scope.visible().find(|theirs| theirs.name == own.name) else {
                columns.push((own.name.clone(), own.ty.clone(), own.qualifiers.clone()));
                kept.push((value, self.fresh(&own.name)));
                continue;
            };
            let new = Typed::column(theirs.id.clone(), ColumnType { nullable: true, ..theirs.ty.clone() });
            let both = if patch {
                functions::coalesce(new, value)
            } else {
                functions::case(vec![(found.clone(), new)], Some(value))
            };
            let Ok(mut both) = both else {
                let message =
                    format!("column `{}` is {} in the table and {} in the other", own.name, own.ty.ty, theirs.ty.ty);
                return Err(names::DIFFERENT_COLUMNS.error(message, operand.span).into());
            };
            both.ty.nullable = own.ty.nullable || (theirs.ty.nullable && !patch);
            columns.push((own.name.clone(), both.ty.clone(), own.qualifiers.clone()));
            kept.push((both, self.fresh(&own.name)));
        }
        let mut plans = vec![build::project(joined, kept, Origin::default())];
        if !patch {
            let flipped: Vec<(String, String)> = on.iter().map(|(a, b)| (b.clone(), a.clone())).collect();
            let new = build::match_rows(other.plan.clone(), base.plan.clone(), JoinType::Anti, &flipped);
            let rows = columns.iter_mut().map(|(name, ty, _)| {
                let own = other.scope.visible().find(|column| column.name == *name);
                let typed = match own {
                    Some(column) => Typed::column(column.id.clone(), column.ty.clone()),
                    None => {
                        ty.nullable = true;
                        Typed::null()
                    }
                };
                let Some(typed) = functions::coerce(typed, &ty.ty) else {
                    unreachable!("the column was brought to this type above")
                };
                (typed, self.fresh(name))
            });
            plans.push(build::project(new, rows.collect(), Origin::default()));
        }
        let mut scope = Scope { columns: Vec::new(), head: base.scope.head.clone() };
        for (name, ty, qualifiers) in columns {
            let id = self.fresh(&name);
            scope.columns.push(ScopeColumn { qualifiers, ..ScopeColumn::new(name, id, ty) });
        }
        let ids: Vec<String> = scope.columns.iter().map(|column| column.id.clone()).collect();
        let place = |id: &String| base.scope.columns.iter().position(|column| column.id == *id);
        let key = base.key.iter().filter_map(place).map(|i| ids[i].clone()).collect();
        Ok(Relation {
            plan: build::union(plans, &ids),
            scope,
            key,
            ordering: Vec::new(),
            retracts: true,
            errors: joined_errors(base.errors, other.errors),
        })
    }

    /// The columns of both keys, which must be called alike.
    fn key_pairs(
        &self,
        base: &Relation,
        other: &Relation,
        word: &str,
        step: Span,
        operand: Span,
    ) -> Resolved<Vec<(String, String)>> {
        if base.key.is_empty() {
            return Err(names::NEEDS_KEY
                .error(format!("`{word}` goes by key, and the table has none"), step)
                .with_help("give it one before: `| key by id`")
                .into());
        }
        let names_of = |relation: &Relation| -> Vec<String> {
            let named = relation.scope.visible().filter(|column| relation.key.contains(&column.id));
            let mut names: Vec<String> = named.map(|column| column.name.clone()).collect();
            names.sort();
            names
        };
        let (own, theirs) = (names_of(base), names_of(other));
        if own != theirs {
            let list = fault::list_names(own.iter().map(String::as_str));
            return Err(names::NEEDS_KEY
                .error(
                    format!("`{word}` needs a table whose key is {list}, like that of the table it goes into"),
                    operand,
                )
                .with_help(format!("give it that key: `(t | key by {})`", own.join(", ")))
                .into());
        }
        let mut pairs = Vec::new();
        for name in &own {
            let id = |relation: &Relation| {
                relation.scope.visible().find(|c| c.name == *name).map(|c| (c.id.clone(), c.ty.ty.clone()))
            };
            let (Some((a, a_ty)), Some((b, b_ty))) = (id(base), id(other)) else { continue };
            if a_ty != b_ty {
                let message = format!("the key `{name}` is {a_ty} in the table and {b_ty} in the other");
                return Err(names::DIFFERENT_COLUMNS.error(message, operand).into());
            }
            pairs.push((a, b));
        }
        Ok(pairs)
    }
}
