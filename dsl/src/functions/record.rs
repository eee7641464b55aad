//! Functions of records.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StructArray};
use arrow::compute::{is_null, nullif};
use arrow::datatypes::DataType;
use datafusion_common::{DataFusionError, Result};
use tidebook_plan::{ColumnType, Type};

use super::arguments::Arguments;
use super::entry::{Function, total};
use super::group::Group;
use super::takes::{Gives, Simple, Takes};
use super::typed::{CallFault, FaultKind, Typed};

/// The entries.
pub const LIBRARY: &[Function] = &[
    Function {
        name: "record_keys",
        group: Group::Records,
        doc: "The names of the fields, in their order.",
        examples: &[("record_keys({a: 1, b: \"x\"})", "[\"a\",\"b\"]")],
        overloads: &[total(&[("r", Takes::Record)], Gives::ListOf(Simple::Text), keys)],
    },
    Function {
        name: "record_merge",
        group: Group::Records,
        doc: "The fields of both records; where both have one, the second's. Its fields are null where the record that \
              they come from is.",
        examples: &[("record_merge({a: 1, b: 2}, {b: \"x\", c: 3})", "{\"a\":1,\"b\":\"x\",\"c\":3}")],
        overloads: &[total(
            &[("first", Takes::Record), ("second", Takes::Record)],
            Gives::Found("record", merged),
            merge,
        )],
    },
];

fn keys(args: &Arguments<'_>) -> Result<ArrayRef> {
    let DataType::Struct(fields) = args.data_type(0) else {
        return Err(DataFusionError::Internal("a record is a struct".to_string()));
    };
    args.write_lists(|_, list| fields.iter().try_for_each(|field| list.push(Some(field.name()))))
}

/// The fields of both: names, types, and from which argument they come.
fn fields(first: &Typed, second: &Typed) -> Option<Vec<(String, ColumnType, usize)>> {
    let (Type::Record(left), Type::Record(right)) = (&first.ty.ty, &second.ty.ty) else { return None };
    let own = |arg: &Typed, name: &String, ty: &ColumnType, index: usize| {
        (name.clone(), ColumnType { ty: ty.ty.clone(), nullable: ty.nullable || arg.ty.nullable }, index)
    };
    let mut all: Vec<_> = left.iter().map(|(name, ty)| own(first, name, ty, 0)).collect();
    for (name, ty) in right {
        let field = own(second, name, ty, 1);
        match all.iter_mut().find(|(known, ..)| known == name) {
            Some(known) => *known = field,
            None => all.push(field),
        }
    }
    Some(all)
}

fn merged(args: &[Typed]) -> std::result::Result<ColumnType, CallFault> {
    let found = match args {
        [first, second] => fields(first, second),
        _ => None,
    };
    let found = found.ok_or_else(|| CallFault::new(FaultKind::Type, "`record_merge` takes two records"))?;
    Ok(ColumnType::required(Type::Record(found.into_iter().map(|(name, ty, _)| (name, ty)).collect())))
}

fn merge(args: &Arguments<'_>) -> Result<ArrayRef> {
    let DataType::Struct(fields) = args.output() else {
        return Err(DataFusionError::Internal("a record is a struct".to_string()));
    };
    let (first, second) = (args.array(0)?, args.array(1)?);
    let (Some(first), Some(second)) = (first.as_struct_opt(), second.as_struct_opt()) else {
        return Err(DataFusionError::Internal("records are struct arrays".to_string()));
    };
    let column = |name: &str| -> Result<ArrayRef> {
        let of = if second.column_by_name(name).is_some() { second } else { first };
        let Some(column) = of.column_by_name(name) else {
            return Err(DataFusionError::Internal(format!("the field `{name}` is in neither record")));
        };
        if of.null_count() == 0 { Ok(Arc::clone(column)) } else { Ok(nullif(column, &is_null(of)?)?) }
    };
    let columns = fields.iter().map(|field| column(field.name())).collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(StructArray::try_new_with_length(fields.clone(), columns, None, args.rows())?))
}
