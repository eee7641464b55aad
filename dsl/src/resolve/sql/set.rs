//! `union`, `intersect`, `except`: whole rows, columns by position.

use datafusion_common::ScalarValue;
use datafusion_sql::sqlparser::ast::{SetExpr, SetOperator, SetQuantifier};
use tidebook_plan::{ColumnType, Span, Type};

use super::Sql;
use super::block::{Domain, link, links};
use crate::diagnostics::names;
use crate::functions::{self, AggregateFunction, Comparison, Typed};
use crate::logical::{AggregateColumn, Origin, WindowColumn, WindowKind};
use crate::resolve::build;
use crate::resolve::fault::Resolved;
use crate::resolve::relation::Relation;
use crate::resolve::scope::{Scope, ScopeColumn};
use crate::resolve::sets::{compared, joined_errors};

/// Both sides with columns of the same types in the same places.
struct Even {
    left: Relation,
    right: Relation,
    columns: Vec<ScopeColumn>,
}

impl Sql<'_, '_> {
    pub(super) fn combined(
        &self,
        left: &SetExpr,
        operator: SetOperator,
        quantifier: SetQuantifier,
        right: &SetExpr,
        domain: Option<&Domain<'_>>,
    ) -> Resolved<Relation> {
        let span = self.span(right);
        self.resolver.count_step(span)?;
        let all = match quantifier {
            SetQuantifier::All => true,
            SetQuantifier::Distinct | SetQuantifier::None => false,
            _ => {
                let help = "`| union table` as a step matches columns by name";
                return Err(self.unsupported("`by name`", help, span));
            }
        };
        let (one, other) = (self.body(left, domain)?, self.body(right, domain)?);
        let even = self.even(one, other, self.span(left).to(span), span)?;
        let origin = self.origin(span);
        match (operator, all) {
            (SetOperator::Union, true) => Ok(self.united(even)),
            (SetOperator::Union, false) => Ok(self.distinct(self.united(even), &origin)),
            (SetOperator::Intersect, false) => Ok(self.counted(even, Comparison::Greater, &origin)),
            (SetOperator::Except | SetOperator::Minus, false) => Ok(self.counted(even, Comparison::Equal, &origin)),
            // The second of three equal rows has a partner if there are two on the other side: rows with their numbers
            // among their equals are different rows.
            (SetOperator::Intersect, true) => Ok(self.numbered(even, Comparison::Greater, &origin)),
            (SetOperator::Except | SetOperator::Minus, true) => Ok(self.numbered(even, Comparison::Equal, &origin)),
        }
    }

    /// Both sides brought to the same types; the columns of the query around come last, in one order.
    fn even(&self, left: Relation, right: Relation, whole: Span, span: Span) -> Resolved<Even> {
        let (ours, theirs): (Vec<ScopeColumn>, Vec<ScopeColumn>) =
            (left.scope.visible().cloned().collect(), right.scope.visible().cloned().collect());
        if ours.len() != theirs.len() {
            let message = format!("the first query has {} columns, this one has {}", ours.len(), theirs.len());
            return Err(names::DIFFERENT_COLUMNS.error(message, span).into());
        }
        let (mut columns, mut lefts, mut rights) = (Vec::new(), Vec::new(), Vec::new());
        for (a, b) in ours.iter().zip(&theirs) {
            let Some(ty) = functions::common_type(&a.ty, &b.ty) else {
                let message =
                    format!("column `{}` is {} in the first query and {} in this one", a.name, a.ty.ty, b.ty.ty);
                return Err(names::DIFFERENT_COLUMNS
                    .error(message, span)
                    .with_label(whole, format!("{} and {} have no type in common", a.ty.ty, b.ty.ty))
                    .with_help("convert one of them with `cast(… as …)`")
                    .into());
            };
            columns.push(ScopeColumn::new(&*a.name, self.resolver.fresh(&a.name), ty.clone()));
            lefts.push(brought(a, &ty));
            rights.push(brought(b, &ty));
        }
        let others = links(&right.scope);
        for a in links(&left.scope) {
            let Some(b) = others.iter().find(|other| other.name == a.name) else {
                unreachable!("both sides have the same columns of the query around")
            };
            let Some(ty) = functions::common_type(&a.ty, &b.ty) else {
                unreachable!("both stand for one column of the query around")
            };
            let typed = Typed::column("", ty.clone());
            columns.push(link(&a.name, self.resolver.fresh(&a.name), &typed));
            lefts.push(brought(&a, &ty));
            rights.push(brought(b, &ty));
        }
        let project = |relation: Relation, values: Vec<Typed>| {
            let named = values.into_iter().map(|typed| {
                let typed = functions::of_equals(typed);
                let id = self.resolver.fresh("side");
                (ScopeColumn::new("", id, typed.ty.clone()), typed)
            });
            let named = named.collect();
            self.resolver.project(relation, named, Origin::default())
        };
        Ok(Even { left: project(left, lefts), right: project(right, rights), columns })
    }

    fn united(&self, even: Even) -> Relation {
        let Even { left, right, columns } = even;
        let ids: Vec<String> = columns.iter().map(|column| column.id.clone()).collect();
        Relation {
            plan: build::union(vec![left.plan, right.plan], &ids),
            scope: Scope { columns, head: None },
            key: Vec::new(),
            ordering: Vec::new(),
            retracts: left.retracts || right.retracts,
            errors: joined_errors(left.errors, right.errors),
        }
    }

    fn distinct(&self, mut relation: Relation, origin: &Origin) -> Relation {
        let ids = relation.ids();
        relation.plan = build::aggregate(relation.plan, ids, Vec::new(), origin.clone());
        relation
    }

    /// One of each row of the left side whose count on the right side is `comparison` zero.
    fn counted(&self, even: Even, comparison: Comparison, origin: &Origin) -> Relation {
        let Even { left, right, columns } = even;
        let ids: Vec<String> = columns.iter().map(|column| column.id.clone()).collect();
        let marks = [self.resolver.fresh("left"), self.resolver.fresh("right")];
        let all: Vec<String> = ids.iter().chain(&marks).cloned().collect();
        let flag = |value| Typed::literal(ScalarValue::Boolean(Some(value)), ColumnType::required(Type::Bool));
        let marked = |relation: Relation, is_left: bool| {
            let marks = [is_left, !is_left].map(|value| {
                let id = self.resolver.fresh("side");
                (ScopeColumn::new("", id, ColumnType::required(Type::Bool)), flag(value))
            });
            self.resolver.extend(relation, marks.to_vec(), Origin::default())
        };
        let retracts = true;
        let (left, right) = (marked(left, true), marked(right, false));
        let plan = build::union(vec![left.plan, right.plan], &all);
        let counts = [self.resolver.fresh("left_count"), self.resolver.fresh("right_count")];
        let aggregates = marks.iter().zip(&counts).map(|(mark, output)| AggregateColumn {
            function: AggregateFunction::CountRows,
            input: None,
            filter: Some(mark.clone()),
            order: Vec::new(),
            output: output.clone(),
        });
        let plan = build::aggregate(plan, ids, aggregates.collect(), origin.clone());
        let int = ColumnType::required(Type::Int);
        let zero = || Typed::literal(ScalarValue::Int64(Some(0)), int.clone());
        let [ours, theirs] = counts.map(|id| Typed::column(id, int.clone()));
        let condition = self.both(compared(Comparison::Greater, ours, zero()), compared(comparison, theirs, zero()));
        let relation = Relation {
            plan,
            scope: Scope { columns, head: None },
            key: Vec::new(),
            ordering: Vec::new(),
            retracts,
            errors: joined_errors(left.errors, right.errors),
        };
        self.resolver.filter(relation, condition, origin.clone())
    }

    /// As [`Sql::counted`], of rows with their numbers among their equals.
    fn numbered(&self, even: Even, comparison: Comparison, origin: &Origin) -> Relation {
        let Even { left, right, mut columns } = even;
        let number = |mut relation: Relation| {
            relation.narrow();
            let output = self.resolver.fresh("number");
            let partition = relation.ids();
            let function = WindowColumn {
                kind: WindowKind::RowNumber,
                input: None,
                default: None,
                filter: None,
                order: Vec::new(),
                output: output.clone(),
            };
            relation.plan = build::window(relation.plan, partition, Vec::new(), vec![function], origin.clone());
            relation.scope.columns.push(ScopeColumn::new("", output, ColumnType::required(Type::Int)));
            relation
        };
        let count = columns.len();
        columns.push(ScopeColumn::new("", self.resolver.fresh("number"), ColumnType::required(Type::Int)));
        let even = Even { left: number(left), right: number(right), columns };
        let mut relation = self.counted(even, comparison, origin);
        relation.scope.columns.truncate(count);
        relation
    }
}

/// A column as one of another type, which it silently becomes.
fn brought(column: &ScopeColumn, ty: &ColumnType) -> Typed {
    let typed = Typed::column(column.id.clone(), column.ty.clone());
    match functions::coerce(typed, &ty.ty) {
        Some(typed) => typed,
        None => unreachable!("{} silently becomes {}, the common type", column.ty, ty),
    }
}
