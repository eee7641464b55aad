//! `name.errors`: the errors of all checked steps of a definition as one table.

use datafusion_common::ScalarValue;
use tidebook_plan::{ColumnType, Type};

use crate::catalog::{ErrorStream, TableColumn, TablePlan};
use crate::functions::{self, Typed};
use crate::logical::Origin;
use crate::resolve::{Resolver, build};

/// The columns that the steps received, by name, with null where a step did not have one (text where two steps had
/// different types), then `_error` and `_step`. `None` where nothing can fail.
pub(crate) fn errors_table(resolver: &Resolver<'_>, streams: &[ErrorStream]) -> Option<TablePlan> {
    streams_table(resolver, streams, false)
}

/// The rows that came too late for the steps of a definition, as they received them. `None` where none can.
pub(crate) fn late_table(resolver: &Resolver<'_>, streams: &[ErrorStream]) -> Option<TablePlan> {
    streams_table(resolver, streams, true)
}

fn streams_table(resolver: &Resolver<'_>, streams: &[ErrorStream], late: bool) -> Option<TablePlan> {
    let streams: Vec<&ErrorStream> = streams.iter().filter(|stream| stream.late == late).collect();
    if streams.is_empty() {
        return None;
    }
    let mut columns: Vec<(String, ColumnType)> = Vec::new();
    for stream in &streams {
        for column in &stream.columns {
            match columns.iter_mut().find(|(name, _)| *name == column.name) {
                None => columns.push((column.name.clone(), column.ty.clone())),
                Some((_, ty)) if ty.ty == column.ty.ty || column.ty.ty == Type::Null => {
                    ty.nullable |= column.ty.nullable;
                }
                Some((_, ty)) if ty.ty == Type::Null => *ty = ColumnType::nullable(column.ty.ty.clone()),
                Some((_, ty)) => *ty = ColumnType { ty: Type::Text, nullable: ty.nullable || column.ty.nullable },
            }
        }
    }
    for (name, ty) in &mut columns {
        ty.nullable |= streams.iter().any(|s| s.columns.iter().all(|c| c.name != *name));
    }
    let text = ColumnType::required(Type::Text);
    let inputs = streams.iter().map(|stream| {
        let mut exprs: Vec<(Typed, String)> =
            columns.iter().map(|(name, ty)| (value_of(stream, name, ty), resolver.fresh(name))).collect();
        if !late {
            exprs.push((Typed::column(stream.error.clone(), text.clone()), resolver.fresh("_error")));
            exprs.push((Typed::column(stream.step.clone(), text.clone()), resolver.fresh("_step")));
        }
        build::project(stream.plan.clone(), exprs, Origin::default())
    });
    let inputs: Vec<_> = inputs.collect();
    if !late {
        columns.push(("_error".to_string(), text.clone()));
        columns.push(("_step".to_string(), text));
    }
    let columns: Vec<TableColumn> =
        columns.into_iter().map(|(name, ty)| TableColumn { id: resolver.fresh(&name), name, ty, mark: None }).collect();
    let ids: Vec<String> = columns.iter().map(|column| column.id.clone()).collect();
    let plan = build::union(inputs, &ids);
    Some(TablePlan {
        plan,
        columns,
        order_columns: Vec::new(),
        key: Vec::new(),
        ordering: Vec::new(),
        retracts: true,
        errors: Vec::new(),
        sources: Vec::new(),
        histories: Vec::new(),
    })
}

/// The column `name` of a stream as `ty`, or null.
fn value_of(stream: &ErrorStream, name: &str, ty: &ColumnType) -> Typed {
    let null = || {
        let value = ScalarValue::try_from(&ty.ty.to_arrow()).unwrap_or(ScalarValue::Null);
        Typed::literal(value, ColumnType::nullable(ty.ty.clone()))
    };
    let Some(column) = stream.columns.iter().find(|column| column.name == name) else { return null() };
    let value = Typed::column(column.id.clone(), column.ty.clone());
    match functions::coerce(value.clone(), &ty.ty) {
        Some(value) => value,
        // Text of any type never fails.
        None => functions::cast(value, &ty.ty).unwrap_or_else(|_| null()),
    }
}
