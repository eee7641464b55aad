//! `case` and `??`.

use arrow::array::{Array, ArrayRef};
use arrow::compute::{is_not_null, kernels::zip::zip};
use datafusion_common::Result as DataFusionResult;
use datafusion_expr::{Case, Expr};
use tidebook_plan::{ColumnType, Type};

use super::super::arguments::Arguments;
use super::super::convert::{brought_together, coerce, common_type, is_plain, unify, with_decimal_literals};
use super::super::kernel::Kernel;
use super::super::typed::{CallFault, FaultKind, Typed};
use super::{condition, is_null};

/// The value of the first branch whose condition is true, else `otherwise`, else null. A branch is computed only for
/// the rows that take it.
pub fn case(branches: Vec<(Typed, Typed)>, otherwise: Option<Typed>) -> Result<Typed, CallFault> {
    let (whens, mut values): (Vec<Typed>, Vec<Typed>) = branches.into_iter().unzip();
    let has_else = otherwise.is_some();
    values.extend(otherwise);
    let mut values = with_decimal_literals(values);
    let otherwise = if has_else { values.pop() } else { None };
    let branches: Vec<(Typed, Typed)> = whens.into_iter().zip(values).collect();
    let mut ty = otherwise.as_ref().map_or(ColumnType::nullable(Type::Null), |value| value.ty.clone());
    for (index, (_, value)) in branches.iter().enumerate() {
        let Some(common) = common_type(&value.ty, &ty) else {
            let message = format!("the branches of a case have one type: {} and {} have none in common", value.ty, ty);
            let fault = CallFault::new(FaultKind::Type, message).at(2 * index + 1);
            return Err(fault.with_some_help(brought_together(&value.ty.ty, &ty.ty)));
        };
        ty = common;
    }
    let mut fallible = otherwise.as_ref().is_some_and(|value| value.fallible);
    let mut when_then = Vec::with_capacity(branches.len());
    for (index, (when, then)) in branches.into_iter().enumerate() {
        let when = condition(when, 2 * index, "case")?;
        let then = into_type(then, &ty.ty)?;
        fallible |= when.fallible || then.fallible;
        when_then.push((Box::new(when.expr), Box::new(then.expr)));
    }
    let otherwise = otherwise.map(|value| into_type(value, &ty.ty)).transpose()?;
    let expr = Expr::Case(Case::new(None, when_then, otherwise.map(|value| Box::new(value.expr))));
    Ok(Typed { expr, ty, fallible })
}

/// A conversion to a type that was found to be common.
fn into_type(arg: Typed, ty: &Type) -> Result<Typed, CallFault> {
    let found = arg.ty.clone();
    coerce(arg, ty).ok_or_else(|| CallFault::new(FaultKind::Type, format!("{found} does not become {ty}")))
}

/// `first ?? second`: the second where the first is null.
pub fn coalesce(first: Typed, second: Typed) -> Result<Typed, CallFault> {
    if first.is_null_type() {
        return Ok(second);
    }
    let types = (first.ty.clone(), second.ty.clone());
    let Some((first, second, ty)) = unify(first, second) else {
        let message = format!("the sides of `??` have one type: {} and {} have none in common", types.0, types.1);
        let fault = CallFault::new(FaultKind::Type, message);
        return Err(fault.with_some_help(brought_together(&types.0.ty, &types.1.ty)));
    };
    let nullable = first.ty.nullable && second.ty.nullable;
    // A second side that can fail is only computed where it is needed.
    let result = if second.fallible || is_plain(&first.expr) {
        let present = is_null(first.clone(), true);
        case(vec![(present, first)], Some(second))?
    } else {
        let arrow = ty.to_arrow();
        Kernel::new("??", arrow, false, evaluate).call(vec![first, second], ColumnType { ty: ty.clone(), nullable })
    };
    Ok(Typed { ty: ColumnType { ty, nullable }, ..result })
}

fn evaluate(args: &Arguments<'_>) -> DataFusionResult<ArrayRef> {
    let (first, second) = (args.array(0)?, args.array(1)?);
    if first.null_count() == 0 {
        return Ok(first);
    }
    Ok(zip(&is_not_null(&first)?, &first, &second)?)
}
