//! `in`, `between` and `like`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow_row::{RowConverter, SortField};
use datafusion_common::{DataFusionError, Result as DataFusionResult, ScalarValue};
use datafusion_expr::Expr;
use datafusion_expr::expr::{InList, Like};
use tidebook_plan::{ColumnType, Type};

use super::super::arguments::Arguments;
use super::super::convert::{coerce, common_type, with_decimal_literals};
use super::super::json::canonical;
use super::super::kernel::Kernel;
use super::super::typed::{CallFault, FaultKind, Typed};
use super::{Comparison, and, compare, not};

/// `arg in [list]`; with `negated`, `arg not in [list]`.
pub fn in_list(arg: Typed, list: Vec<Typed>, negated: bool) -> Result<Typed, CallFault> {
    if list.is_empty() {
        return Ok(Typed::literal(ScalarValue::Boolean(Some(negated)), ColumnType::required(Type::Bool)));
    }
    let mut list = with_decimal_literals([vec![arg], list].concat());
    let arg = list.remove(0);
    let mut ty = arg.ty.clone();
    for (index, item) in list.iter().enumerate() {
        let Some(common) = common_type(&ty, &item.ty) else {
            let message = format!("`in` cannot compare {} with {}", ty.ty, item.ty.ty);
            let fault = CallFault::new(FaultKind::Type, message).at(index + 1);
            return Err(match super::compared_instead(&ty.ty, &item.ty.ty) {
                Some(help) => fault.with_help(help),
                None => fault,
            });
        };
        ty = common;
    }
    if ty.ty == Type::Null {
        return Ok(super::null_bool());
    }
    let fallible = arg.fallible || list.iter().any(|item| item.fallible);
    let convert = |arg: Typed| {
        let found = arg.ty.clone();
        let arg = coerce(arg, &ty.ty);
        // Equal documents may be written in several ways.
        let arg = if ty.ty == Type::Json { arg.map(canonical) } else { arg };
        arg.ok_or_else(|| CallFault::new(FaultKind::Type, format!("{found} does not become {}", ty.ty)))
    };
    let expr = Box::new(convert(arg)?.expr);
    let list = list.into_iter().map(|item| Ok(convert(item)?.expr)).collect::<Result<Vec<_>, CallFault>>()?;
    let expr = Expr::InList(InList { expr, list, negated });
    Ok(Typed { expr, ty: ColumnType { ty: Type::Bool, nullable: ty.nullable }, fallible })
}

/// `arg in list` of a list that is a value; with `negated`, `arg not in list`. Null where a null may be the one.
pub fn in_value(arg: Typed, list: Typed, negated: bool) -> Result<Typed, CallFault> {
    let Type::List(item) = &list.ty.ty else {
        return Err(CallFault::new(FaultKind::Type, format!("`in` takes a list, not {}", list.ty.ty)).at(1));
    };
    let message = format!("`in` cannot compare {} with {}", arg.ty.ty, item.ty);
    let fault = |at: usize| CallFault::new(FaultKind::Type, message.clone()).at(at);
    let common = common_type(&arg.ty, item).ok_or_else(|| fault(1))?;
    let of_common = Type::List(Box::new(ColumnType { ty: common.ty.clone(), nullable: item.nullable }));
    let nullable = arg.ty.nullable || list.ty.nullable || item.nullable;
    let arg = coerce(arg, &common.ty).ok_or_else(|| fault(0))?;
    let list = coerce(list, &of_common).ok_or_else(|| fault(1))?;
    let ty = ColumnType { ty: Type::Bool, nullable };
    let found = Kernel::new("in", Type::Bool.to_arrow(), false, evaluate_in).call(vec![arg, list], ty);
    if negated { not(found) } else { Ok(found) }
}

fn evaluate_in(args: &Arguments<'_>) -> DataFusionResult<ArrayRef> {
    let (values, lists) = (args.array(0)?, args.array(1)?);
    let Some(lists) = lists.as_list_opt::<i32>() else {
        return Err(DataFusionError::Internal("a list is a list array".to_string()));
    };
    let converter = RowConverter::new(vec![SortField::new(values.data_type().clone())])?;
    let wanted = converter.convert_columns(&[Arc::clone(&values)])?;
    let elements = converter.convert_columns(&[Arc::clone(lists.values())])?;
    let answer = |row: usize| {
        if lists.is_null(row) {
            return None;
        }
        let offsets = lists.value_offsets();
        let mut places = (offsets[row]..offsets[row + 1]).map(|place| place.unsigned_abs() as usize);
        if places.len() == 0 {
            return Some(false);
        }
        if values.is_null(row) {
            return None;
        }
        if places.clone().any(|place| elements.row(place) == wanted.row(row)) {
            return Some(true);
        }
        if places.any(|place| lists.values().is_null(place)) { None } else { Some(false) }
    };
    Ok(Arc::new((0..args.rows()).map(answer).collect::<BooleanArray>()))
}

/// `arg between low and high`, both ends included; with `negated`, the opposite.
pub fn between(arg: Typed, low: Typed, high: Typed, negated: bool) -> Result<Typed, CallFault> {
    let above = compare(Comparison::GreaterOrEqual, arg.clone(), low)?;
    let inside = and(above, compare(Comparison::LessOrEqual, arg, high)?)?;
    if negated { not(inside) } else { Ok(inside) }
}

/// `arg like pattern`, where `%` stands for any text, `_` for one character and `\` makes either plain.
pub fn like(arg: Typed, pattern: Typed, negated: bool) -> Result<Typed, CallFault> {
    let text = |arg: Typed, index: usize| {
        let found = arg.ty.ty.clone();
        coerce(arg, &Type::Text)
            .ok_or_else(|| CallFault::new(FaultKind::Type, format!("`like` takes text, not {found}")).at(index))
    };
    let (arg, pattern) = (text(arg, 0)?, text(pattern, 1)?);
    let nullable = arg.ty.nullable || pattern.ty.nullable;
    let fallible = arg.fallible || pattern.fallible;
    let expr = Expr::Like(Like {
        negated,
        expr: Box::new(arg.expr),
        pattern: Box::new(pattern.expr),
        escape_char: None,
        case_insensitive: false,
    });
    Ok(Typed { expr, ty: ColumnType { ty: Type::Bool, nullable }, fallible })
}
