//! `in`, `between` and `like`.

use datafusion_common::ScalarValue;
use datafusion_expr::Expr;
use datafusion_expr::expr::{InList, Like};
use tidebook_plan::{ColumnType, Type};

use super::super::convert::{coerce, common_type};
use super::super::typed::{CallFault, FaultKind, Typed};
use super::{Comparison, and, compare, not};

/// `arg in [list]`; with `negated`, `arg not in [list]`.
pub fn in_list(arg: Typed, list: Vec<Typed>, negated: bool) -> Result<Typed, CallFault> {
    if list.is_empty() {
        return Ok(Typed::literal(ScalarValue::Boolean(Some(negated)), ColumnType::required(Type::Bool)));
    }
    let mut ty = arg.ty.clone();
    for (index, item) in list.iter().enumerate() {
        let Some(common) = common_type(&ty, &item.ty) else {
            let message = format!("`in` cannot compare {} with {}", ty.ty, item.ty.ty);
            return Err(CallFault::new(FaultKind::Type, message).at(index + 1));
        };
        ty = common;
    }
    if ty.ty == Type::Null {
        return Ok(super::null_bool());
    }
    let fallible = arg.fallible || list.iter().any(|item| item.fallible);
    let convert = |arg: Typed| {
        let found = arg.ty.clone();
        coerce(arg, &ty.ty).ok_or_else(|| CallFault::new(FaultKind::Type, format!("{found} does not become {}", ty.ty)))
    };
    let expr = Box::new(convert(arg)?.expr);
    let list = list.into_iter().map(|item| Ok(convert(item)?.expr)).collect::<Result<Vec<_>, CallFault>>()?;
    let expr = Expr::InList(InList { expr, list, negated });
    Ok(Typed { expr, ty: ColumnType { ty: Type::Bool, nullable: ty.nullable }, fallible })
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
