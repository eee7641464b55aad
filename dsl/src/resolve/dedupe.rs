//! `dedupe by k …`: one row a key.

use std::collections::HashMap;

use tidebook_plan::Type;

use crate::functions::{self, Typed};
use crate::logical::Origin;
use crate::resolve::expression::Local;
use crate::resolve::fault::Resolved;
use crate::resolve::relation::Relation;
use crate::resolve::scope::ScopeColumn;
use crate::resolve::{Reach, Resolver, build};
use crate::syntax::tree::{DedupeRule, Expr, Keep, Step};

/// The kept row in the condition of `dedupe … when`.
pub(super) const PREVIOUS: &str = "previous";

impl Resolver<'_> {
    pub(crate) fn dedupe(
        &self,
        mut input: Relation,
        by: &[Expr],
        rule: &DedupeRule,
        step: &Step,
    ) -> Resolved<Relation> {
        if let DedupeRule::When(_) = rule {
            // Within an epoch rows go by the columns that are seen, whatever the table was sorted by.
            input.forget_hidden();
        }
        let origin = self.origin(step.span);
        let (mut keys, mut added) = (Vec::new(), Vec::new());
        let typed = self.all(by.iter().map(|key| self.expression(key, Reach::columns(&input.scope))));
        let typed = match typed {
            Ok(typed) => typed,
            // What is wrong with the rule is told as well.
            Err(fault) => {
                let rule = match rule {
                    DedupeRule::Keep { of, .. } => {
                        of.as_ref().map(|of| self.expression(of, Reach::columns(&input.scope)))
                    }
                    DedupeRule::When(condition) => Some(self.keeps(&input, condition).map(|(_, condition)| condition)),
                };
                return self.all([Err(fault), rule.unwrap_or_else(|| Ok(Typed::null()))]).map(|_| input);
            }
        };
        for typed in typed {
            keys.push(self.as_column(&input, functions::of_equals(typed), &mut added));
        }
        let input = self.extend(input, added, origin.clone());
        let mut result = match rule {
            DedupeRule::Keep { keep, of } => self.keep_one(input, &keys, *keep, of.as_ref(), origin)?,
            DedupeRule::When(condition) => self.keep_when(input, &keys, condition, origin)?,
        };
        result.retracts = true;
        result.key = keys;
        result.settle();
        Ok(result)
    }

    /// The first or last row of each key: in the order of `of`, without it in that of the table, then by all columns.
    fn keep_one(
        &self,
        input: Relation,
        keys: &[String],
        keep: Keep,
        of: Option<&Expr>,
        origin: Origin,
    ) -> Resolved<Relation> {
        let (mut order, mut added) = (Vec::new(), Vec::new());
        match of {
            None => order.clone_from(&input.ordering),
            Some(of) => {
                let typed = self.expression(of, Reach::columns(&input.scope))?;
                self.refuse_unordered(&typed, of.span)?;
                // A row without a value is the last to be kept, whichever end is asked for.
                if typed.ty.nullable && keep == Keep::Last {
                    let missing = functions::is_null(typed.clone(), false);
                    order.push((self.as_column(&input, missing, &mut added), true));
                }
                order.push((self.as_column(&input, typed, &mut added), false));
            }
        }
        let mut input = self.extend(input, added, origin.clone());
        for column in input.scope.visible() {
            if !keys.contains(&column.id) && order.iter().all(|(id, _)| *id != column.id) {
                order.push((column.id.clone(), false));
            }
        }
        if keep == Keep::Last {
            order.iter_mut().for_each(|(_, descending)| *descending = !*descending);
        }
        input.narrow();
        input.plan = build::top_k(input.plan, keys.to_vec(), &order, 1, origin);
        self.drop_unnamed(&mut input);
        Ok(input)
    }

    /// One row a key, in whose place a new one comes if the condition holds. What is kept depends on the order in which
    /// rows came.
    fn keep_when(&self, mut input: Relation, keys: &[String], condition: &Expr, origin: Origin) -> Resolved<Relation> {
        input.narrow();
        let (previous, condition) = self.keeps(&input, condition)?;
        let plan = build::dedupe(input.plan, keys.to_vec(), previous, condition, origin);
        input.plan = self.held(plan);
        input.errors.extend(self.errors_of(&input.plan, &input.scope));
        self.drop_unnamed(&mut input);
        Ok(input)
    }

    /// The condition of `when`, and the ids by which it reads the columns of the kept row.
    fn keeps(&self, input: &Relation, condition: &Expr) -> Resolved<(Vec<String>, Typed)> {
        let previous: Vec<String> =
            input.scope.columns.iter().map(|column| self.fresh(&format!("{PREVIOUS}.{}", column.name))).collect();
        let fields = input.scope.columns.iter().zip(&previous).filter(|(column, _)| !column.hidden);
        let fields = fields.map(|(column, id)| (column.name.clone(), Typed::column(id.clone(), column.ty.clone())));
        let locals = HashMap::from([(PREVIOUS.to_string(), Local::new(functions::record(fields.collect())))]);
        let reach = Reach { locals: Some(&locals), ..Reach::columns(&input.scope) };
        Ok((previous, self.condition(condition, reach)?))
    }

    /// `changes`: the changes of the table as rows, from its contents on.
    pub(crate) fn changes(&self, mut input: Relation, step: &Step) -> Resolved<Relation> {
        input.forget_hidden();
        if let Some((first, second)) = input.scope.twice() {
            return Err(crate::resolve::fault::two_columns(first, second, step.span).into());
        }
        let mut added = Vec::new();
        for name in ["_epoch", "_diff"] {
            if input.scope.visible().any(|column| column.name == name) {
                return Err(crate::resolve::fault::named_twice(name, step.span).into());
            }
            let ty = tidebook_plan::ColumnType::required(Type::Int);
            added.push(ScopeColumn::new(name, self.fresh(name), ty));
        }
        input.narrow();
        let plan = build::changes(input.plan, &added[0].id, &added[1].id, self.origin(step.span));
        input.plan = self.held(plan);
        input.scope.columns.extend(added);
        input.key.clear();
        input.ordering.clear();
        input.retracts = false;
        Ok(input)
    }

    /// A plan that is bound to history, as what others read of it.
    pub(super) fn held(&self, plan: datafusion_expr::LogicalPlan) -> datafusion_expr::LogicalPlan {
        self.holds.set(true);
        build::held(plan, &self.statement)
    }

    /// Takes the columns out of the scope that were made for a step.
    fn drop_unnamed(&self, relation: &mut Relation) {
        let ordering = relation.ordering.clone();
        let orders = |column: &ScopeColumn| ordering.iter().any(|(id, _)| *id == column.id);
        relation.scope.columns.retain(|column| !(column.hidden && column.name.is_empty()) || orders(column));
        relation.settle();
    }
}
