//! `union`, `except`, `intersect`, `distinct`: operations on whole rows.

use datafusion_common::ScalarValue;
use tidebook_plan::{ColumnType, Type};

use crate::diagnostics::names;
use crate::functions::{self, AggregateFunction, Comparison, Typed};
use crate::logical::{AggregateColumn, Origin};
use crate::resolve::fault::{self, Resolved};
use crate::resolve::relation::Relation;
use crate::resolve::scope::{Scope, ScopeColumn};
use crate::resolve::watermark::Mark;
use crate::resolve::{Resolver, build};
use crate::syntax::tree::{SetOperation, Step, TableOperand};
use tidebook_plan::{Diagnostic, Span};

/// Two relations brought to the same columns, in the order of the left one.
pub(crate) struct Aligned {
    pub left: Relation,
    pub right: Relation,
    /// Name and type of each column.
    pub columns: Vec<(String, ColumnType)>,
}

impl Resolver<'_> {
    pub(crate) fn combine(
        &self,
        left: Relation,
        operation: SetOperation,
        operand: &TableOperand,
        step: &Step,
    ) -> Resolved<Relation> {
        let right = self.operand(operand)?;
        let head = left.scope.head.clone();
        let qualifiers: Vec<Vec<String>> = left.scope.visible().map(|column| column.qualifiers.clone()).collect();
        let aligned = self.align(left, right, operand.span)?;
        let mut result = match operation {
            SetOperation::Union => self.union(aligned),
            SetOperation::Except => self.counted(aligned, Comparison::Equal, self.origin(step.span)),
            SetOperation::Intersect => self.counted(aligned, Comparison::Greater, self.origin(step.span)),
        };
        for (column, qualifiers) in result.scope.columns.iter_mut().zip(qualifiers) {
            column.qualifiers = qualifiers;
        }
        result.scope.head = head;
        Ok(result)
    }

    pub(crate) fn distinct(&self, mut input: Relation, step: &Step) -> Resolved<Relation> {
        input.forget_hidden();
        let mut input = self.with_equal_documents(input);
        let ids = input.ids();
        input.plan = build::aggregate(input.plan, ids, Vec::new(), self.origin(step.span));
        Ok(input)
    }

    /// The relation with its documents in the one spelling that equal documents share.
    fn with_equal_documents(&self, input: Relation) -> Relation {
        if input.scope.columns.iter().all(|column| column.ty.ty != Type::Json) {
            return input;
        }
        let columns = input.scope.columns.iter().map(|column| {
            let typed = Typed::column(column.id.clone(), column.ty.clone());
            let id = if column.ty.ty == Type::Json { self.fresh(&column.name) } else { column.id.clone() };
            (ScopeColumn { id, ..column.clone() }, functions::of_equals(typed))
        });
        let columns = columns.collect();
        self.project(input, columns, Origin::default())
    }

    /// Both relations with the same columns, matched by name and brought to their common types.
    pub(crate) fn align(&self, left: Relation, right: Relation, span: Span) -> Resolved<Aligned> {
        for relation in [&left, &right] {
            if let Some((first, second)) = relation.scope.twice() {
                return Err(fault::two_columns(first, second, span).into());
            }
        }
        if let Some(diagnostic) = different_columns(&left.scope, &right.scope, span) {
            return Err(diagnostic.into());
        }
        let (mut columns, mut lefts, mut rights) = (Vec::new(), Vec::new(), Vec::new());
        for column in left.scope.visible() {
            let Some(other) = right.scope.visible().find(|other| other.name == column.name) else { continue };
            let Some(ty) = functions::common_type(&column.ty, &other.ty) else {
                let message = format!(
                    "column `{}` is {} on one side and {} on the other",
                    column.name, column.ty.ty, other.ty.ty
                );
                return Err(names::DIFFERENT_COLUMNS
                    .error(message, span)
                    .with_help(format!(
                        "convert one of them first: `| derive {}: {}({0})`",
                        column.name,
                        type_word(&column.ty.ty)
                    ))
                    .into());
            };
            columns.push((column.name.clone(), ty.clone()));
            lefts.push(self.brought(column, &ty));
            rights.push(self.brought(other, &ty));
        }
        let left = self.project(left, lefts, Origin::default());
        let right = self.project(right, rights, Origin::default());
        Ok(Aligned { left, right, columns })
    }

    /// A column as a column of another type, which it silently becomes.
    fn brought(&self, column: &ScopeColumn, ty: &ColumnType) -> (ScopeColumn, Typed) {
        let typed = Typed::column(column.id.clone(), column.ty.clone());
        if column.ty.ty == ty.ty {
            return (column.clone(), typed);
        }
        let Some(typed) = functions::coerce(typed, &ty.ty) else {
            unreachable!("{} silently becomes {}, their common type", column.ty, ty)
        };
        (ScopeColumn { id: self.fresh(&column.name), ty: ty.clone(), ..column.clone() }, typed)
    }

    fn union(&self, aligned: Aligned) -> Relation {
        let Aligned { left, right, columns } = aligned;
        let mut scope = self.new_scope(&columns);
        for ((column, left), right) in scope.columns.iter_mut().zip(&left.scope.columns).zip(&right.scope.columns) {
            column.mark =
                left.mark.as_ref().zip(right.mark.as_ref()).and_then(|(left, right)| Mark::least([left, right]));
        }
        let ids: Vec<String> = scope.columns.iter().map(|column| column.id.clone()).collect();
        Relation {
            plan: build::union(vec![left.plan, right.plan], &ids),
            scope,
            key: Vec::new(),
            ordering: Vec::new(),
            retracts: left.retracts || right.retracts,
            errors: joined_errors(left.errors, right.errors),
        }
    }

    /// One of each row of the left side whose count on the right side is `comparison` zero.
    fn counted(&self, aligned: Aligned, comparison: Comparison, origin: Origin) -> Relation {
        let columns = aligned.columns.clone();
        let (counts, left, right) = self.counts(aligned, origin.clone());
        let zero = || Typed::literal(ScalarValue::Int64(Some(0)), ColumnType::required(Type::Int));
        let on_left = compared(Comparison::Greater, left, zero());
        let on_right = compared(comparison, right, zero());
        let Ok(condition) = functions::and(on_left, on_right) else {
            unreachable!("two comparisons are two bools");
        };
        let mut kept = self.filter(counts, condition, origin);
        kept.scope.columns.truncate(columns.len());
        kept.settle();
        kept
    }

    /// One of each row of both sides, with how often it stands on the left and on the right.
    pub(crate) fn counts(&self, aligned: Aligned, origin: Origin) -> (Relation, Typed, Typed) {
        let Aligned { left, right, columns } = aligned;
        let int = ColumnType::required(Type::Int);
        let flag = |value| Typed::literal(ScalarValue::Boolean(Some(value)), ColumnType::required(Type::Bool));
        let marked = |relation: Relation, is_left: bool| {
            let sides = [("left", is_left), ("right", !is_left)];
            let marks = sides.map(|(name, value)| {
                let column = ScopeColumn {
                    hidden: true,
                    ..ScopeColumn::new(name, self.fresh(name), ColumnType::required(Type::Bool))
                };
                (column, flag(value))
            });
            self.extend(relation, marks.to_vec(), Origin::default())
        };
        let (left, right) = (self.with_equal_documents(left), self.with_equal_documents(right));
        let (left, right) = (marked(left, true), marked(right, false));
        let mut scope = self.new_scope(&columns);
        let keys: Vec<String> = scope.columns.iter().map(|column| column.id.clone()).collect();
        let marks = [self.fresh("left"), self.fresh("right")];
        let ids: Vec<String> = keys.iter().chain(&marks).cloned().collect();
        let plan = build::union(vec![left.plan, right.plan], &ids);
        let outputs = [self.fresh("left_count"), self.fresh("right_count")];
        let aggregates = marks.iter().zip(&outputs).map(|(mark, output)| AggregateColumn {
            function: AggregateFunction::CountRows,
            input: None,
            filter: Some(mark.clone()),
            order: Vec::new(),
            output: output.clone(),
        });
        let plan = build::aggregate(plan, keys, aggregates.collect(), origin);
        let hidden = |id: &String| ScopeColumn { hidden: true, ..ScopeColumn::new("", id, int.clone()) };
        scope.columns.extend(outputs.iter().map(hidden));
        let relation = Relation {
            plan,
            scope,
            key: Vec::new(),
            ordering: Vec::new(),
            retracts: true,
            errors: joined_errors(left.errors, right.errors),
        };
        let [left, right] = outputs.map(|id| Typed::column(id, int.clone()));
        (relation, left, right)
    }

    /// New ids for columns of these names and types.
    pub(crate) fn new_scope(&self, columns: &[(String, ColumnType)]) -> Scope {
        let columns = columns.iter().map(|(name, ty)| ScopeColumn::new(&**name, self.fresh(name), ty.clone()));
        Scope { columns: columns.collect(), head: None }
    }
}

/// A comparison of two counts.
pub(crate) fn compared(comparison: Comparison, left: Typed, right: Typed) -> Typed {
    match functions::compare(comparison, left, right) {
        Ok(typed) => typed,
        Err(fault) => unreachable!("two counts compare: {}", fault.message),
    }
}

/// The errors of two relations that become one.
pub(crate) fn joined_errors(
    mut left: Vec<crate::catalog::ErrorStream>,
    right: Vec<crate::catalog::ErrorStream>,
) -> Vec<crate::catalog::ErrorStream> {
    left.extend(right);
    left
}

/// A diagnostic if the two sides do not have the same names.
fn different_columns(left: &Scope, right: &Scope, span: Span) -> Option<Diagnostic> {
    let only = |a: &Scope, b: &Scope| -> Vec<String> {
        let missing = a.visible().filter(|column| b.visible().all(|other| other.name != column.name));
        missing.map(|column| column.name.clone()).collect()
    };
    let (only_left, only_right) = (only(left, right), only(right, left));
    let side = |names: &[String]| fault::list_names(names.iter().map(String::as_str));
    let message = match (only_left.as_slice(), only_right.as_slice()) {
        ([], []) => return None,
        (left, []) => format!("the other table has no {}", columns_word(left, &side(left))),
        ([], right) => format!("the other table also has {}", columns_word(right, &side(right))),
        (left, right) => {
            format!("the tables differ: only the first has {}, only the other has {}", side(left), side(right))
        }
    };
    let help = match (only_left.as_slice(), only_right.as_slice()) {
        ([a], [b]) => format!("if they are the same column, rename it: `| rename {a}: {b}`"),
        _ => "both sides need the same columns, in any order: use `select`, `rename` or `derive`".to_string(),
    };
    Some(names::DIFFERENT_COLUMNS.error(message, span).with_help(help))
}

fn columns_word(names: &[String], list: &str) -> String {
    if names.len() == 1 { format!("column {list}") } else { format!("columns {list}") }
}

/// The first word of a type: the name of its cast.
fn type_word(ty: &Type) -> String {
    let text = ty.to_string();
    text.split('(').next().unwrap_or(&text).to_string()
}
