//! `rows [ … ] then [ … ]`: literal rows, in steps.

use std::collections::BTreeSet;

use tidebook_plan::{ColumnType, Span, Type};

use crate::diagnostics::names;
use crate::functions::{self, Typed};
use crate::resolve::constants::{LiteralRow, steps_of};
use crate::resolve::fault::Resolved;
use crate::resolve::relation::Relation;
use crate::resolve::scope::{Scope, ScopeColumn};
use crate::resolve::{Reach, Resolver, build};
use crate::syntax::tree::RowLiteral;

/// A column of the literal while its type is being found.
struct Draft {
    name: String,
    ty: ColumnType,
    /// The first value that gave the type, for the message of a conflict.
    seen: Span,
    fields: usize,
}

impl Resolver<'_> {
    pub(crate) fn rows(&self, steps: &[Vec<RowLiteral>], span: Span) -> Resolved<Relation> {
        let mut typed = self.typed_rows(steps)?;
        decimals_beside_decimals(&mut typed);
        let drafts = drafts(&typed)?;
        if drafts.is_empty() {
            return Err(names::NO_COLUMNS
                .error("`rows` without a row has no columns", span)
                .with_help("write at least one row, or take rows away from a table: `| where false`")
                .into());
        }
        let count: usize = typed.iter().map(Vec::len).sum();
        let columns: Vec<(String, ColumnType)> = drafts
            .into_iter()
            .map(|draft| {
                let nullable = draft.ty.nullable || draft.fields < count;
                (draft.name, ColumnType { ty: draft.ty.ty, nullable })
            })
            .collect();
        let mut literal = Vec::with_capacity(typed.len());
        for step in typed {
            let mut rows = Vec::with_capacity(step.len());
            for row in step {
                rows.push(evaluate(&row, &columns)?);
            }
            literal.push(rows);
        }
        let retracts = literal.iter().flatten().any(|row| row.negated);
        let ids: Vec<(String, ColumnType)> = columns.iter().map(|(name, ty)| (self.fresh(name), ty.clone())).collect();
        let types: Vec<_> = columns.iter().map(|(_, ty)| ty.ty.to_arrow()).collect();
        let plan = build::constant(&ids, steps_of(literal, &types), self.origin(span));
        let scope = Scope {
            columns: columns
                .into_iter()
                .zip(&ids)
                .map(|((name, ty), (id, _))| ScopeColumn::new(name, id, ty))
                .collect(),
            head: None,
        };
        let errors = self.errors_of(&plan, &scope).into_iter().collect();
        Ok(Relation { plan, scope, key: Vec::new(), ordering: Vec::new(), retracts, errors })
    }

    fn typed_rows(&self, steps: &[Vec<RowLiteral>]) -> Resolved<Vec<Vec<TypedRow>>> {
        let scope = Scope::default();
        let reach = Reach::constant(&scope, "a literal row");
        let mut out = Vec::with_capacity(steps.len());
        for step in steps {
            let mut rows = Vec::with_capacity(step.len());
            for row in step {
                let fields = row.fields.iter().enumerate().map(|(place, field)| {
                    if row.fields[..place].iter().any(|earlier| earlier.name.text == field.name.text) {
                        let message = format!("the row has two columns called `{}`", field.name.text);
                        return Err(names::SAME_NAME.error(message, field.name.span).into());
                    }
                    let value = self.expression(&field.value, reach)?;
                    Ok((field.name.text.clone(), value, field.value.span))
                });
                rows.push(self.all(fields).map(|fields| TypedRow { negated: row.negated, fields }));
            }
            out.push(self.all(rows));
        }
        self.all(out)
    }
}

struct TypedRow {
    negated: bool,
    fields: Vec<(String, Typed, Span)>,
}

/// A number like `1.5` in a column of decimals is the decimal that is written.
fn decimals_beside_decimals(steps: &mut [Vec<TypedRow>]) {
    let fields = steps.iter().flatten().flat_map(|row| &row.fields);
    let decimals = fields.filter(|(_, value, _)| matches!(value.ty.ty, Type::Decimal { .. }));
    let decimals: BTreeSet<String> = decimals.map(|(name, _, _)| name.clone()).collect();
    for name in decimals {
        let rows = steps.iter_mut().flatten();
        let values =
            rows.filter_map(|row| row.fields.iter_mut().find(|field| field.0 == name).map(|field| &mut field.1));
        let values: Vec<&mut Typed> = values.collect();
        let converted = functions::with_decimal_literals(values.iter().map(|v| (**v).clone()).collect::<Vec<_>>());
        for (value, converted) in values.into_iter().zip(converted) {
            *value = converted;
        }
    }
}

/// The columns of all rows of all steps, each with the type that its values have in common.
fn drafts(steps: &[Vec<TypedRow>]) -> Resolved<Vec<Draft>> {
    let mut drafts: Vec<Draft> = Vec::new();
    for (name, value, span) in steps.iter().flatten().flat_map(|row| &row.fields) {
        let Some(draft) = drafts.iter_mut().find(|draft| draft.name == *name) else {
            drafts.push(Draft { name: name.clone(), ty: value.ty.clone(), seen: *span, fields: 1 });
            continue;
        };
        let Some(common) = functions::common_type(&draft.ty, &value.ty) else {
            let message = format!("column `{name}` is {} here and {} in an earlier row", value.ty.ty, draft.ty.ty);
            let mut diagnostic =
                names::NO_COMMON_TYPE.error(message, *span).with_label(draft.seen, format!("{} here", draft.ty.ty));
            if value.ty.ty == Type::Text || draft.ty.ty == Type::Text {
                diagnostic = diagnostic.with_help("write both as text, or both without quotes");
            }
            return Err(diagnostic.into());
        };
        if draft.ty.ty == Type::Null {
            draft.seen = *span;
        }
        draft.ty = common;
        draft.fields += 1;
    }
    Ok(drafts)
}

/// The row's values in the order and types of `columns`.
fn evaluate(row: &TypedRow, columns: &[(String, ColumnType)]) -> Resolved<LiteralRow> {
    let mut values = Vec::with_capacity(columns.len());
    let mut failure = None;
    for (name, ty) in columns {
        let null = || datafusion_common::ScalarValue::try_from(&ty.ty.to_arrow());
        let value = match row.fields.iter().find(|(field, _, _)| field == name) {
            None => None,
            Some((_, value, span)) => {
                let Some(value) = functions::coerce(value.clone(), &ty.ty) else {
                    let message = format!("column `{name}` is {}, which this value is not", ty.ty);
                    return Err(names::NO_COMMON_TYPE.error(message, *span).into());
                };
                match functions::evaluate(&value) {
                    Ok(value) => Some(value),
                    Err(message) => {
                        failure.get_or_insert(message);
                        None
                    }
                }
            }
        };
        let value = match value.map_or_else(null, Ok) {
            Ok(value) => value,
            Err(error) => unreachable!("every type of Tide has a null: {error}"),
        };
        values.push(value);
    }
    Ok(LiteralRow { negated: row.negated, values, failure })
}
