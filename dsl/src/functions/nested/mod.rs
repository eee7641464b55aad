//! Records and lists: making them, fields and elements. A JSON document has fields and elements too.

mod json;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, ListArray, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{interleave, is_null, nullif, take};
use arrow::datatypes::DataType;
use datafusion_common::{DataFusionError, Result as DataFusionResult, ScalarValue};
use tidebook_plan::diagnostic::near_names;
use tidebook_plan::{ColumnType, Type};

use super::arguments::Arguments;
use super::cast::cast;
use super::convert::{brought_together, coerce, common_type, with_decimal_literals};
use super::kernel::Kernel;
use super::typed::{CallFault, FaultKind, Typed};

/// `{a: …, b: …}`.
pub fn record(fields: Vec<(String, Typed)>) -> Typed {
    let types = fields.iter().map(|(name, value)| (name.clone(), value.ty.clone())).collect();
    let ty = Type::Record(types);
    let values = fields.into_iter().map(|(_, value)| value).collect();
    Kernel::new("record", ty.to_arrow(), false, evaluate_record).call(values, ColumnType::required(ty))
}

fn evaluate_record(args: &Arguments<'_>) -> DataFusionResult<ArrayRef> {
    let DataType::Struct(fields) = args.output() else {
        return Err(DataFusionError::Internal("a record is a struct".to_string()));
    };
    if args.is_empty() {
        return Ok(Arc::new(StructArray::new_empty_fields(args.rows(), None)));
    }
    let columns = (0..args.len()).map(|index| args.array(index)).collect::<DataFusionResult<Vec<_>>>()?;
    Ok(Arc::new(StructArray::try_new(fields.clone(), columns, None)?))
}

/// `[a, b, …]`.
pub fn list(items: Vec<Typed>) -> Result<Typed, CallFault> {
    let items = with_decimal_literals(items);
    let mut item_type = match items.first() {
        Some(first) => first.ty.clone(),
        // Without elements no element is null: the list is one of every type.
        None => ColumnType::required(Type::Null),
    };
    for (index, item) in items.iter().enumerate() {
        let Some(common) = common_type(&item_type, &item.ty) else {
            let message =
                format!("the elements of a list have one type: {item_type} and {} have none in common", item.ty);
            let fault = CallFault::new(FaultKind::Type, message).at(index);
            return Err(fault.with_some_help(brought_together(&item_type.ty, &item.ty.ty)));
        };
        item_type = common;
    }
    let convert = |item: Typed| {
        let found = item.ty.clone();
        let message = || CallFault::new(FaultKind::Type, format!("{found} does not become {}", item_type.ty));
        coerce(item, &item_type.ty).ok_or_else(message)
    };
    let items = items.into_iter().map(convert).collect::<Result<Vec<_>, _>>()?;
    let ty = Type::List(Box::new(item_type));
    Ok(Kernel::new("list", ty.to_arrow(), false, evaluate_list).call(items, ColumnType::required(ty)))
}

fn evaluate_list(args: &Arguments<'_>) -> DataFusionResult<ArrayRef> {
    let DataType::List(item) = args.output() else {
        return Err(DataFusionError::Internal("a list is a list array".to_string()));
    };
    let columns = (0..args.len()).map(|index| args.array(index)).collect::<DataFusionResult<Vec<_>>>()?;
    let references: Vec<&dyn Array> = columns.iter().map(AsRef::as_ref).collect();
    let places: Vec<(usize, usize)> =
        (0..args.rows()).flat_map(|row| (0..columns.len()).map(move |column| (column, row))).collect();
    let values = if columns.is_empty() {
        arrow::array::new_empty_array(item.data_type())
    } else {
        interleave(&references, &places)?
    };
    let offsets = OffsetBuffer::from_lengths(std::iter::repeat_n(columns.len(), args.rows()));
    Ok(Arc::new(ListArray::try_new(Arc::clone(item), offsets, values, None)?))
}

/// `arg.name`.
pub fn field(arg: Typed, name: &str) -> Result<Typed, CallFault> {
    match &arg.ty.ty {
        Type::Json => Ok(json::member(arg, name)),
        Type::Record(fields) => {
            let Some(index) = fields.iter().position(|(field, _)| field == name) else {
                let fault = CallFault::new(FaultKind::Unknown, format!("unknown field `{name}` of {}", arg.ty.ty));
                return Err(match near_names(name, fields.iter().map(|(field, _)| field.as_str())).first() {
                    Some(near) => fault.with_help(format!("did you mean `{near}`?")),
                    None => fault,
                });
            };
            let ty = fields[index].1.clone();
            let nullable = ty.nullable || arg.ty.nullable;
            // A record that is made here is not made to be taken apart again.
            if let (false, datafusion_expr::Expr::ScalarFunction(made)) = (arg.fallible, &arg.expr)
                && made.func.name() == "record"
                && let Some(value) = made.args.get(index)
            {
                return Ok(Typed { expr: value.clone(), ty, fallible: false });
            }
            let place = i64::try_from(index).unwrap_or(i64::MAX);
            let place = Typed::literal(ScalarValue::Int64(Some(place)), ColumnType::required(Type::Int));
            let ty = ColumnType { ty: ty.ty, nullable };
            Ok(Kernel::new("field", ty.ty.to_arrow(), false, evaluate_field).call(vec![arg, place], ty))
        }
        Type::Null => Ok(Typed { ty: ColumnType::nullable(Type::Null), ..arg }),
        other => {
            let fault = CallFault::new(FaultKind::Type, format!("{other} has no fields")).at(0);
            Err(match other {
                Type::List(_) => {
                    fault.with_help("take an element first, `xs[0]`, or make rows of the elements: `| flatten xs`")
                }
                Type::Text => fault.with_help("a text that is a JSON document is read first: `json(x)`"),
                _ => fault,
            })
        }
    }
}

fn evaluate_field(args: &Arguments<'_>) -> DataFusionResult<ArrayRef> {
    let array = args.array(0)?;
    let place = args.int(1)?;
    if place.is_empty() {
        return Ok(args.all_null());
    }
    let Some(record) = array.as_struct_opt() else {
        return Err(DataFusionError::Internal("a record is a struct array".to_string()));
    };
    let column = record.column(usize::try_from(place.value(0)).unwrap_or(usize::MAX));
    if record.null_count() == 0 {
        return Ok(Arc::clone(column));
    }
    Ok(nullif(column, &is_null(record)?)?)
}

/// `arg[index]`: the element there, the first is 0; null outside.
pub fn index(arg: Typed, index: Typed) -> Result<Typed, CallFault> {
    let found = index.ty.ty.clone();
    if arg.ty.ty == Type::Json && found == Type::Text {
        return Ok(json::named(arg, index));
    }
    // A vector is indexed as the list of its elements is.
    if let Type::Vector(_) = arg.ty.ty {
        return self::index(cast(arg, &Type::List(Box::new(ColumnType::required(Type::Float))))?, index);
    }
    let Some(index) = coerce(index, &Type::Int) else {
        return Err(CallFault::new(FaultKind::Type, format!("an index is an int, not {found}")).at(1));
    };
    match &arg.ty.ty {
        Type::Json => Ok(json::element(arg, index)),
        Type::List(item) => {
            let ty = ColumnType::nullable(item.ty.clone());
            Ok(Kernel::new("index", ty.ty.to_arrow(), false, evaluate_index).call(vec![arg, index], ty))
        }
        Type::Null => Ok(Typed { ty: ColumnType::nullable(Type::Null), ..arg }),
        other => {
            let fault = CallFault::new(FaultKind::Type, format!("{other} has no elements")).at(0);
            Err(match other {
                Type::Text => {
                    fault.with_help("a part of a text is `substring(x, start, length)`, its first character is at 0")
                }
                Type::Record(_) => fault.with_help("a field is read with a dot: `r.field`"),
                _ => fault,
            })
        }
    }
}

fn evaluate_index(args: &Arguments<'_>) -> DataFusionResult<ArrayRef> {
    let (array, places) = (args.array(0)?, args.int(1)?);
    let Some(list) = array.as_list_opt::<i32>() else {
        return Err(DataFusionError::Internal("a list is a list array".to_string()));
    };
    let element = |row: usize| {
        if list.is_null(row) || places.is_null(row) {
            return None;
        }
        let place = places.value(row);
        let inside = place >= 0 && place < i64::from(list.value_length(row));
        inside.then(|| i64::from(list.value_offsets()[row]) + place)
    };
    let indices: Int64Array = (0..args.rows()).map(element).collect();
    Ok(take(list.values(), &indices, None)?)
}
