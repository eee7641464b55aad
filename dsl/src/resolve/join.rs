//! Joins.
//!
//! The plan knows inner, left, semi and anti joins on equal columns. The rest is made of them: what a condition says
//! beyond equality is a filter over the pairs, and the rows that no pair has kept are found by joining the left rows
//! with those of the pairs, null equal to null. That is exact for multisets, since equal rows match alike.

use datafusion_expr::Expr as PlanExpr;
use tidebook_plan::{ColumnType, Span, Type};

use crate::diagnostics::names;
use crate::functions::{self, Typed};
use crate::logical::{JoinType, Origin};
use crate::resolve::expression::{binary, call_fault};
use crate::resolve::fault::{self, Resolved};
use crate::resolve::interval::Interval;
use crate::resolve::relation::Relation;
use crate::resolve::scope::{Scope, ScopeColumn, quoted};
use crate::resolve::sets::joined_errors;
use crate::resolve::watermark::JoinedMarks;
use crate::resolve::{Reach, Resolver, build};
use crate::syntax::tree::{BinaryOperator, Expr, ExprKind, Join, JoinCondition, JoinKind, Name, Step};

/// What rows are matched on.
#[derive(Default)]
pub(super) struct Matching {
    /// Equal expressions, left and right, of one type.
    pub pairs: Vec<(Typed, Typed)>,
    /// What else must be true of a pair.
    pub residual: Option<Typed>,
    /// How far two times of the sides lie apart, where a part of `residual` says it.
    pub interval: Option<Interval>,
    /// Columns of `using`: left and right.
    pub merged: Vec<(ScopeColumn, ScopeColumn)>,
}

/// Both sides with their keys as columns.
struct Sides {
    left: Relation,
    right: Relation,
    on: Vec<(String, String)>,
    residual: Option<Typed>,
    interval: Option<Interval>,
    origin: Origin,
}

impl Resolver<'_> {
    pub(crate) fn join(&self, mut left: Relation, join: &Join, step: &Step) -> Resolved<Relation> {
        let mut right = self.operand(&join.right)?;
        refuse_same_table(&left.scope, &right.scope, join.right.span)?;
        for side in [&mut left, &mut right] {
            side.scope.columns.retain(|column| !column.hidden || column.aside);
            side.ordering.clear();
        }
        if matches!(join.kind, JoinKind::Asof | JoinKind::LeftAsof) {
            return self.asof(left, right, join, step);
        }
        let matching = match &join.condition {
            JoinCondition::On(condition) => self.on(&left.scope, &right.scope, condition)?,
            JoinCondition::Using(columns) => self.using(&left.scope, &right.scope, columns)?,
            JoinCondition::None => Matching::default(),
        };
        Ok(self.join_on(left, right, matching, join.kind, self.origin(step.span)))
    }

    /// The join of two relations whose names are told apart.
    pub(super) fn join_on(
        &self,
        left: Relation,
        right: Relation,
        matching: Matching,
        kind: JoinKind,
        origin: Origin,
    ) -> Relation {
        let scope = self.joined_scope(&left.scope, &right.scope, &matching.merged, kind);
        let marks = JoinedMarks::new(&left.scope, &right.scope);
        let right_key = right.key.clone();
        let left_key = left.key.clone();
        let mut sides = self.sides(left, right, matching.pairs.clone(), matching.residual.clone(), origin);
        sides.interval = matching.interval;
        let one_match =
            !right_key.is_empty() && right_key.iter().all(|id| sides.on.iter().any(|(_, right)| right == id));
        let mut result = match kind {
            JoinKind::Inner | JoinKind::Cross => self.pairs(&sides),
            JoinKind::Left => self.left_join(&sides),
            JoinKind::Right => self.left_join(&flipped(sides)),
            JoinKind::Full => self.full_join(&sides, &matching.merged),
            JoinKind::Semi => self.kept(&sides, JoinType::Semi),
            JoinKind::Anti => self.kept(&sides, JoinType::Anti),
            JoinKind::Asof | JoinKind::LeftAsof => unreachable!("these have gone their own way"),
        };
        match kind {
            JoinKind::Semi | JoinKind::Anti => result.key = left_key,
            JoinKind::Full => {
                // Its columns have ids of their own, in the order of left, right and merged columns.
                result.scope.head.clone_from(&scope.head);
                let sides: Vec<&ScopeColumn> = matching.merged.iter().flat_map(|(a, b)| [a, b]).collect();
                let asides = aside(&sides, &result.scope.columns);
                result.scope.columns = self.arranged(&scope, &result.scope);
                result.scope.columns.extend(asides);
            }
            _ => {
                if one_match && matches!(kind, JoinKind::Inner | JoinKind::Left) {
                    result.key = left_key;
                }
                let nullable = |id: &String| result.scope.columns.iter().any(|c| c.id == *id && c.ty.nullable);
                let columns = scope.columns.into_iter().map(|mut column| {
                    column.ty.nullable |= nullable(&column.id);
                    column
                });
                let mut columns: Vec<ScopeColumn> = columns.collect();
                // The side that may have no row: the merged column has the value of the other.
                let sides: Vec<&ScopeColumn> = match kind {
                    JoinKind::Left => matching.merged.iter().map(|(_, b)| b).collect(),
                    JoinKind::Right => matching.merged.iter().map(|(a, _)| a).collect(),
                    _ => Vec::new(),
                };
                columns.extend(aside(&sides, &result.scope.columns));
                result.scope = Scope { columns, head: scope.head };
            }
        }
        marks.put(&mut result.scope);
        result.settle();
        result
    }

    /// The pairs of rows for which all these expressions are equal.
    pub(super) fn inner_join(
        &self,
        left: Relation,
        right: Relation,
        pairs: Vec<(Typed, Typed)>,
        origin: Origin,
    ) -> Relation {
        self.pairs(&self.sides(left, right, pairs, None, origin))
    }

    /// `on c`: equalities between the sides become keys, the rest a condition on pairs.
    fn on(&self, left: &Scope, right: &Scope, condition: &Expr) -> Resolved<Matching> {
        let (interval, rest) = self.interval(left, right, conjuncts(condition))?;
        let (pairs, mut residual) = self.on_parts(left, right, &rest)?;
        if let Some(Interval { left, right, ends }) = interval.clone() {
            residual = Some(also(residual, functions::within(right, left, ends)));
        }
        Ok(Matching { pairs, residual, interval, merged: Vec::new() })
    }

    /// The same for the parts of a condition: the keys, and the condition.
    #[allow(clippy::type_complexity)]
    pub(crate) fn on_parts(
        &self,
        left: &Scope,
        right: &Scope,
        parts: &[&Expr],
    ) -> Resolved<(Vec<(Typed, Typed)>, Option<Typed>)> {
        let mut columns = left.columns.clone();
        columns.extend(right.columns.iter().cloned());
        let both = Scope { columns, head: left.head.clone() };
        let mut matching = Matching::default();
        for part in parts {
            if let ExprKind::Binary { operator: BinaryOperator::Equal, left: a, right: b, .. } = &part.kind {
                let (a_typed, b_typed) =
                    (self.expression(a, Reach::columns(&both))?, self.expression(b, Reach::columns(&both))?);
                binary(BinaryOperator::Equal, a_typed.clone(), b_typed.clone())
                    .map_err(|f| call_fault(f, part.span, &[a.span, b.span]))?;
                let pair = if reads_only(&a_typed, left) && reads_only(&b_typed, right) {
                    Some((a_typed, b_typed))
                } else if reads_only(&a_typed, right) && reads_only(&b_typed, left) {
                    Some((b_typed, a_typed))
                } else {
                    None
                };
                if let Some((a_typed, b_typed)) = pair {
                    matching.pairs.push(equal_values(a_typed, b_typed));
                    continue;
                }
            }
            let typed = match &part.kind {
                ExprKind::Name(name)
                    if left.find(&name.text, name.span)?.is_some_and(|c| c.ty.ty != Type::Bool)
                        || right.find(&name.text, name.span)?.is_some_and(|c| c.ty.ty != Type::Bool) =>
                {
                    return Err(names::JOIN_CONDITION
                        .error(format!("`{}` is not a condition", name.text), name.span)
                        .with_help(format!("write `using ({0})` to match rows of equal `{0}`", quoted(&name.text)))
                        .into());
                }
                _ => self.condition(part, Reach::columns(&both))?,
            };
            matching.residual = Some(also(matching.residual, typed));
        }
        Ok((matching.pairs, matching.residual))
    }

    pub(super) fn using(&self, left: &Scope, right: &Scope, columns: &[Name]) -> Resolved<Matching> {
        let mut matching = Matching::default();
        for name in columns {
            let side = |scope: &Scope, which: &str| -> Resolved<ScopeColumn> {
                match scope.find(&name.text, name.span)? {
                    Some(column) => Ok(column.clone()),
                    None => {
                        let message = format!("the {which} side of the join has no column `{}`", name.text);
                        let candidates: Vec<&str> = scope.visible().map(|column| column.name.as_str()).collect();
                        let diagnostic = names::UNKNOWN_COLUMN.error(message, name.span);
                        Err(fault::suggest(diagnostic, &name.text, &candidates, "its columns are").into())
                    }
                }
            };
            let (a, b) = (side(left, "left")?, side(right, "right")?);
            let typed = |column: &ScopeColumn| Typed::column(column.id.clone(), column.ty.clone());
            binary(BinaryOperator::Equal, typed(&a), typed(&b)).map_err(|f| call_fault(f, name.span, &[]))?;
            matching.pairs.push(equal_values(typed(&a), typed(&b)));
            matching.merged.push((a, b));
        }
        Ok(matching)
    }

    /// The keys of both sides made columns, by a checked step where they can fail.
    fn sides(
        &self,
        left: Relation,
        right: Relation,
        pairs: Vec<(Typed, Typed)>,
        residual: Option<Typed>,
        origin: Origin,
    ) -> Sides {
        let (left_keys, right_keys): (Vec<Typed>, Vec<Typed>) = pairs.into_iter().unzip();
        let (left, left_ids) = self.with_keys(left, left_keys, &origin);
        let (right, right_ids) = self.with_keys(right, right_keys, &origin);
        Sides { left, right, on: left_ids.into_iter().zip(right_ids).collect(), residual, interval: None, origin }
    }

    fn with_keys(&self, side: Relation, keys: Vec<Typed>, origin: &Origin) -> (Relation, Vec<String>) {
        let (mut ids, mut added) = (Vec::new(), Vec::new());
        for key in keys {
            if let PlanExpr::Column(column) = &key.expr {
                ids.push(column.name.clone());
                continue;
            }
            let id = self.fresh("key");
            added.push((ScopeColumn { hidden: true, ..ScopeColumn::new("", &*id, key.ty.clone()) }, key));
            ids.push(id);
        }
        let scope = side.scope.clone();
        let mut side = self.extend(side, added, origin.clone());
        side.scope = scope;
        (side, ids)
    }

    /// The pairs that match: an inner join.
    fn pairs(&self, sides: &Sides) -> Relation {
        let plan = match &sides.interval {
            None => build::join(sides.left.plan.clone(), sides.right.plan.clone(), JoinType::Inner, &sides.on),
            Some(interval) => {
                let (left, right, buckets) = self.with_buckets((&sides.left, &sides.right), interval);
                let on: Vec<_> = sides.on.iter().cloned().chain([buckets]).collect();
                build::join(left, right, JoinType::Inner, &on)
            }
        };
        let mut columns = sides.left.scope.columns.clone();
        columns.extend(sides.right.scope.columns.iter().cloned());
        let relation = Relation {
            plan,
            scope: Scope { columns, head: sides.left.scope.head.clone() },
            key: Vec::new(),
            ordering: Vec::new(),
            retracts: sides.left.retracts || sides.right.retracts,
            errors: joined_errors(sides.left.errors.clone(), sides.right.errors.clone()),
        };
        match &sides.residual {
            None => relation,
            Some(condition) => self.filter(relation, condition.clone(), sides.origin.clone()),
        }
    }

    /// The left rows that have a partner, or those that have none; each as often as on the left.
    fn kept(&self, sides: &Sides, kind: JoinType) -> Relation {
        let mut left = sides.left.clone();
        left.narrow();
        let retracts = left.retracts || sides.right.retracts || kind == JoinType::Anti;
        let (plan, errors) = if sides.residual.is_none() {
            let plan = build::join(sides.left.plan.clone(), sides.right.plan.clone(), kind, &sides.on);
            (plan, joined_errors(sides.left.errors.clone(), sides.right.errors.clone()))
        } else {
            let pairs = self.pairs(sides);
            let partners = left
                .scope
                .columns
                .iter()
                .map(|column| (Typed::column(column.id.clone(), column.ty.clone()), self.fresh(&column.name)));
            let partners: Vec<(Typed, String)> = partners.collect();
            let on: Vec<(String, String)> =
                left.ids().into_iter().zip(partners.iter().map(|(_, id)| id.clone())).collect();
            let ids = partners.iter().map(|(_, id)| id.clone()).collect();
            let projected = build::project(pairs.plan, partners, Origin::default());
            let distinct = build::aggregate(projected, ids, Vec::new(), sides.origin.clone());
            (build::match_rows(left.plan.clone(), distinct, kind, &on), pairs.errors)
        };
        let mut relation =
            Relation { plan, retracts, errors, key: Vec::new(), ordering: Vec::new(), scope: left.scope };
        relation.narrow();
        relation
    }

    /// The pairs, and the left rows without a partner with nulls on the right.
    fn left_join(&self, sides: &Sides) -> Relation {
        let mut columns = sides.left.scope.columns.clone();
        columns.extend(sides.right.scope.columns.iter().cloned().map(made_nullable));
        let scope = Scope { columns, head: sides.left.scope.head.clone() };
        if sides.residual.is_none() {
            let plan = build::join(sides.left.plan.clone(), sides.right.plan.clone(), JoinType::Left, &sides.on);
            let errors = joined_errors(sides.left.errors.clone(), sides.right.errors.clone());
            return Relation { plan, scope, key: Vec::new(), ordering: Vec::new(), retracts: true, errors };
        }
        let (pairs, alone) = (self.pairs(sides), self.kept(sides, JoinType::Anti));
        let rows = self.completed(alone.plan, &sides.left.scope, &scope);
        self.stacked(vec![pairs.plan, rows], scope, pairs.errors)
    }

    /// The pairs, and the rows of both sides that have no partner.
    fn full_join(&self, sides: &Sides, merged: &[(ScopeColumn, ScopeColumn)]) -> Relation {
        let pairs = self.pairs(sides);
        let mut columns: Vec<ScopeColumn> = pairs.scope.columns.iter().cloned().map(made_nullable).collect();
        let scope = Scope { columns: columns.clone(), head: sides.left.scope.head.clone() };
        let left = self.completed(self.kept(sides, JoinType::Anti).plan, &sides.left.scope, &scope);
        let turned = flipped(Sides {
            left: sides.left.clone(),
            right: sides.right.clone(),
            on: sides.on.clone(),
            residual: sides.residual.clone(),
            interval: sides.interval.clone(),
            origin: sides.origin.clone(),
        });
        let right = self.completed(self.kept(&turned, JoinType::Anti).plan, &sides.right.scope, &scope);
        let mut stacked = self.stacked(vec![pairs.plan, left, right], scope, pairs.errors);
        if merged.is_empty() {
            return stacked;
        }
        // A merged column takes its value from whichever side has a row.
        let new = |stacked: &Relation, id: &String, columns: &[ScopeColumn]| {
            columns.iter().position(|column| column.id == *id).map(|place| stacked.scope.columns[place].clone())
        };
        let mut added = Vec::new();
        for (a, b) in merged {
            let (Some(a), Some(b)) = (new(&stacked, &a.id, &columns), new(&stacked, &b.id, &columns)) else { continue };
            let typed = |column: &ScopeColumn| Typed::column(column.id.clone(), column.ty.clone());
            let (left, right) = same_type(typed(&a), typed(&b));
            let Ok(value) = functions::coalesce(left, right) else {
                unreachable!("the sides of `using` have a common type");
            };
            let mut qualifiers = a.qualifiers.clone();
            qualifiers.extend(b.qualifiers.iter().cloned());
            let column =
                ScopeColumn { qualifiers, ..ScopeColumn::new(&*a.name, self.fresh(&a.name), value.ty.clone()) };
            added.push((column, value));
        }
        columns.clear();
        stacked = self.extend(stacked, added, Origin::default());
        stacked
    }

    /// Rows of one side as rows of `scope`, with nulls for the other side's columns.
    fn completed(
        &self,
        rows: datafusion_expr::LogicalPlan,
        side: &Scope,
        scope: &Scope,
    ) -> datafusion_expr::LogicalPlan {
        let columns = scope.columns.iter().map(|column| {
            let own = side.columns.iter().any(|c| c.id == column.id);
            let typed = if own { Typed::column(column.id.clone(), column.ty.clone()) } else { null_of(&column.ty) };
            (typed, self.fresh(&column.name))
        });
        build::project(rows, columns.collect(), Origin::default())
    }

    /// The union of plans whose columns go by the positions of `scope`.
    fn stacked(
        &self,
        mut plans: Vec<datafusion_expr::LogicalPlan>,
        scope: Scope,
        errors: Vec<crate::catalog::ErrorStream>,
    ) -> Relation {
        // The first plan holds the pairs: its columns have the scope's ids, maybe among others.
        let first = scope
            .columns
            .iter()
            .map(|column| (Typed::column(column.id.clone(), column.ty.clone()), self.fresh(&column.name)));
        plans[0] = build::project(plans[0].clone(), first.collect(), Origin::default());
        let ids: Vec<String> = scope.columns.iter().map(|column| column.id.clone()).collect();
        let plan = build::union(plans, &ids);
        Relation { plan, scope, key: Vec::new(), ordering: Vec::new(), retracts: true, errors }
    }

    /// What the user sees of both sides: the columns of `using` first, once; then left, then right.
    fn joined_scope(
        &self,
        left: &Scope,
        right: &Scope,
        merged: &[(ScopeColumn, ScopeColumn)],
        kind: JoinKind,
    ) -> Scope {
        let mut columns = Vec::new();
        for (a, b) in merged {
            let mut column = if kind == JoinKind::Right { b.clone() } else { a.clone() };
            column.qualifiers = a.qualifiers.iter().chain(&b.qualifiers).cloned().collect();
            columns.push(column);
        }
        let rest = |column: &&ScopeColumn| merged.iter().all(|(a, b)| a.id != column.id && b.id != column.id);
        columns.extend(left.columns.iter().filter(rest).cloned());
        columns.extend(right.columns.iter().filter(rest).cloned());
        Scope { columns, head: left.head.clone() }
    }

    /// The columns of a full join in the order of `wanted`: merged ones are the added columns at the end of `made`.
    fn arranged(&self, wanted: &Scope, made: &Scope) -> Vec<ScopeColumn> {
        let added: Vec<&ScopeColumn> = made.columns.iter().filter(|c| c.qualifiers.len() > 1).collect();
        let arranged = wanted.columns.iter().filter_map(|column| {
            let merged = added.iter().find(|c| c.name == column.name && c.qualifiers == column.qualifiers);
            merged.copied().or_else(|| made.columns.iter().find(|c| c.id == column.id)).cloned()
        });
        arranged.collect()
    }
}

/// The condition, and another one.
fn also(before: Option<Typed>, other: Typed) -> Typed {
    let Some(before) = before else { return other };
    match functions::and(before, other) {
        Ok(both) => both,
        Err(fault) => unreachable!("conditions are bools: {}", fault.message),
    }
}

fn flipped(sides: Sides) -> Sides {
    let on = sides.on.into_iter().map(|(left, right)| (right, left)).collect();
    let interval = sides.interval.map(Interval::opposite);
    Sides { left: sides.right, right: sides.left, on, residual: sides.residual, interval, origin: sides.origin }
}

/// The columns of `using` as their sides have them, which only an expression with the side's name reaches.
fn aside(sides: &[&ScopeColumn], made: &[ScopeColumn]) -> Vec<ScopeColumn> {
    let own = sides.iter().filter_map(|side| made.iter().find(|column| column.id == side.id));
    own.map(|column| ScopeColumn { hidden: true, aside: true, ..made_nullable(column.clone()) }).collect()
}

pub(crate) fn made_nullable(mut column: ScopeColumn) -> ScopeColumn {
    column.ty.nullable = true;
    column
}

fn null_of(ty: &ColumnType) -> Typed {
    let Some(null) = functions::coerce(Typed::null(), &ty.ty) else { unreachable!("every type has a null") };
    null
}

/// The parts of a condition that `and` connects.
pub(crate) fn conjuncts(condition: &Expr) -> Vec<&Expr> {
    match &condition.kind {
        ExprKind::Binary { operator: BinaryOperator::And, left, right, .. } => {
            let mut parts = conjuncts(left);
            parts.extend(conjuncts(right));
            parts
        }
        _ => vec![condition],
    }
}

/// True if the expression reads columns, all of them of `scope`.
pub(crate) fn reads_only(typed: &Typed, scope: &Scope) -> bool {
    let columns = typed.expr.column_refs();
    !columns.is_empty() && columns.iter().all(|column| scope.columns.iter().any(|c| c.id == column.name))
}

/// Two expressions that compare, brought to one type.
pub(crate) fn same_type(left: Typed, right: Typed) -> (Typed, Typed) {
    let common = functions::common_type(&left.ty, &right.ty);
    let brought = common.and_then(|ty| Some((functions::coerce(left, &ty.ty)?, functions::coerce(right, &ty.ty)?)));
    let Some(pair) = brought else { unreachable!("what compares has a common type") };
    pair
}

/// Two expressions that compare, so that equal values are the same.
pub(super) fn equal_values(left: Typed, right: Typed) -> (Typed, Typed) {
    let Some(pair) = functions::equal_values(left, right) else { unreachable!("what compares has a common type") };
    pair
}

/// Both sides must have names of their own.
fn refuse_same_table(left: &Scope, right: &Scope, span: Span) -> Resolved<()> {
    let Some(name) = right.qualifiers().into_iter().find(|name| left.is_qualifier(name)) else { return Ok(()) };
    Err(names::JOIN_CONDITION
        .error(format!("both sides of the join are called `{name}`"), span)
        .with_help(format!("give this one another name: `join {} as other`", quoted(name)))
        .into())
}
