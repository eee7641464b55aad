//! Casts of what has parts: lists element by element, records field by field, and documents inside of them.
//!
//! Each part is cast as a value of its type is. Fields go by name, as those of a JSON document do: a field that the type
//! does not name is passed over, one that is missing is null where the type allows it. A part that cannot be cast fails
//! its row. What may be null stays so.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, StringArray, StructArray, UInt32Array, new_null_array};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{is_null, nullif, take};
use arrow::datatypes::DataType;
use datafusion_common::{DataFusionError, Result, ScalarValue};
use datafusion_expr::ColumnarValue;
use tidebook_plan::{ColumnType, Type};

use super::super::arguments::Arguments;
use super::super::convert::is_silent;
use super::super::kernel::{Evaluate, Kernel};
use super::super::typed::{CallFault, FaultKind, Typed};
use super::json::to_json_of;
use super::{document, find, reads_document, silent, text, through_text};

/// The list element type of vectors.
const FLOAT: ColumnType = ColumnType { ty: Type::Float, nullable: false };

/// True if the cast goes part by part.
pub fn has_parts(from: &Type, to: &Type) -> bool {
    match (from, to) {
        (Type::Vector(_), Type::List(item)) => item.ty != Type::Float,
        (Type::List(item), Type::Vector(_)) => !item.ty.is_numeric() && item.ty != Type::Null,
        (Type::List(_), Type::List(_)) | (Type::Record(_), Type::Record(_)) => true,
        _ => false,
    }
}

/// `to(arg)`, part by part.
pub fn cast(arg: Typed, to: &Type) -> std::result::Result<Typed, CallFault> {
    let nullable = arg.ty.nullable;
    let cast = of_parts(&arg.ty.ty, to)?;
    Ok(with_types("cast", arg, &cast.ty, cast.fallible, evaluate, nullable))
}

/// `arg` as a document or the text of one, where documents stand inside of it; `None` where none does.
pub fn nested_documents(arg: &Typed, to: &Type) -> Option<Typed> {
    if matches!(arg.ty.ty, Type::Json) || !holds_document(&arg.ty.ty) {
        return None;
    }
    let nullable = arg.ty.nullable;
    Some(with_types("document", arg.clone(), to, false, evaluate_document, nullable))
}

/// True for a document, and for lists and records of them.
fn holds_document(ty: &Type) -> bool {
    match ty {
        Type::Json => true,
        Type::List(item) => holds_document(&item.ty),
        Type::Record(fields) => fields.iter().any(|(_, field)| holds_document(&field.ty)),
        _ => false,
    }
}

/// A call whose evaluation knows both types of Tide, which those of Arrow do not tell.
fn with_types(name: &'static str, arg: Typed, to: &Type, fallible: bool, evaluate: Evaluate, nullable: bool) -> Typed {
    let types = (arg.ty.ty.clone(), to.clone());
    let Ok(written) = serde_json::to_string(&types) else { unreachable!("types are written as JSON") };
    let written = Typed::literal(ScalarValue::from(written), ColumnType::required(Type::Text));
    let kernel = Kernel::new(name, to.to_arrow(), fallible, evaluate).with(vec![(1, Arc::new(types))]);
    kernel.call(vec![arg, written], ColumnType { ty: to.clone(), nullable })
}

fn types<'a>(args: &'a Arguments<'_>) -> Result<&'a (Type, Type)> {
    let types = args.prepared::<(Type, Type)>(1);
    types.ok_or_else(|| DataFusionError::Internal("a cast of parts travels with its types".to_string()))
}

/// What the cast of a value gives.
struct PartCast {
    ty: Type,
    fallible: bool,
}

/// Type and fallibility of the cast of a value of one type to another.
fn of_parts(from: &Type, to: &Type) -> std::result::Result<PartCast, CallFault> {
    let no_cast = || CallFault::new(FaultKind::Type, format!("{from} cannot be cast to {to}")).at(0);
    match (from, to) {
        (Type::List(a), Type::List(b)) => {
            let (item, fallible) = of_part(a, b)?;
            Ok(PartCast { ty: Type::List(Box::new(item)), fallible })
        }
        (Type::Vector(_), Type::List(b)) => {
            let (item, fallible) = of_part(&FLOAT, b)?;
            Ok(PartCast { ty: Type::List(Box::new(item)), fallible })
        }
        (Type::List(a), Type::Vector(_)) => {
            of_part(a, &FLOAT)?;
            Ok(PartCast { ty: to.clone(), fallible: true })
        }
        (Type::Record(a), Type::Record(b)) => {
            let (mut fields, mut some_fallible) = (Vec::with_capacity(b.len()), false);
            for (name, ty) in b {
                let field = match a.iter().find(|(own, _)| own == name) {
                    Some((_, own)) => {
                        let (field, fallible) = of_part(own, ty)
                            .map_err(|fault| CallFault { message: format!("`{name}`: {}", fault.message), ..fault })?;
                        some_fallible |= fallible;
                        field
                    }
                    None if ty.nullable => ty.clone(),
                    None => {
                        let message = format!("the record has no field `{name}`");
                        let help = format!("write `{name}: {}?` if it may be missing", ty.ty);
                        return Err(CallFault::new(FaultKind::Type, message).at(0).with_help(help));
                    }
                };
                fields.push((name.clone(), field));
            }
            Ok(PartCast { ty: Type::Record(fields), fallible: some_fallible })
        }
        _ if is_silent(from, to) => Ok(PartCast { ty: to.clone(), fallible: false }),
        (Type::Json, _) if through_text(to) || reads_document(from, to) => {
            Ok(PartCast { ty: to.clone(), fallible: *to != Type::Text })
        }
        _ if reads_document(from, to) => Ok(PartCast { ty: to.clone(), fallible: true }),
        _ => match find(from, to) {
            Some((_, _, fallible)) => Ok(PartCast { ty: to.clone(), fallible }),
            None => Err(no_cast()),
        },
    }
}

/// The cast of a part: it is null where it was, and where a document is a JSON null.
fn of_part(from: &ColumnType, to: &ColumnType) -> std::result::Result<(ColumnType, bool), CallFault> {
    let PartCast { ty, fallible } = of_parts(&from.ty, &to.ty)?;
    let from_document = from.ty == Type::Json && to.ty != Type::Json;
    Ok((ColumnType { ty, nullable: from.nullable || to.nullable || from_document }, fallible))
}

fn evaluate(args: &Arguments<'_>) -> Result<ArrayRef> {
    let (from, to) = types(args)?;
    convert(&args.array(0)?, from, to)
}

fn convert(array: &ArrayRef, from: &Type, to: &Type) -> Result<ArrayRef> {
    if from == to {
        return Ok(Arc::clone(array));
    }
    match (from, to) {
        (Type::List(a), Type::List(b)) => {
            let list = array.as_list::<i32>();
            let (values, offsets) = elements(list)?;
            let values = convert(&values, &a.ty, &b.ty)?;
            Ok(Arc::new(ListArray::try_new(Arc::new(b.to_field("item")), offsets, values, list.nulls().cloned())?))
        }
        (Type::Record(a), Type::Record(b)) => {
            let record = array.as_struct();
            let column = |(name, ty): &(String, ColumnType)| {
                let Some(place) = a.iter().position(|(own, _)| own == name) else {
                    return Ok(new_null_array(&ty.ty.to_arrow(), record.len()));
                };
                // Below a null may stand anything, which is not to be cast.
                let column = match record.null_count() {
                    0 => Arc::clone(record.column(place)),
                    _ => nullif(record.column(place), &is_null(record)?)?,
                };
                convert(&column, &a[place].1.ty, &ty.ty)
            };
            let columns = b.iter().map(column).collect::<Result<Vec<_>>>()?;
            let DataType::Struct(fields) = to.to_arrow() else { unreachable!("a record is a struct") };
            let nulls = record.nulls().cloned();
            Ok(Arc::new(StructArray::try_new_with_length(fields, columns, nulls, record.len())?))
        }
        (Type::Vector(_), Type::List(_)) if has_parts(from, to) => {
            let floats = Type::List(Box::new(FLOAT));
            convert(&single(document::vector_to_list, array, &floats)?, &floats, to)
        }
        (Type::List(_), Type::Vector(_)) if has_parts(from, to) => {
            let floats = Type::List(Box::new(FLOAT));
            single(document::list_to_vector, &convert(array, from, &floats)?, to)
        }
        _ if is_silent(from, to) => silent::convert(array, &to.to_arrow()),
        (Type::List(_) | Type::Record(_), Type::Text | Type::Json) => Ok(Arc::new(documents(array, from))),
        (Type::Json, Type::Int) => single(text::document_to_int, array, to),
        (Type::Json, _) if through_text(to) => {
            convert(&single(text::of_document, array, &Type::Text)?, &Type::Text, to)
        }
        _ if reads_document(from, to) => document::read_column(array, to),
        _ => match find(from, to) {
            Some((_, evaluate, _)) => single(evaluate, array, to),
            None => Err(DataFusionError::Internal(format!("{from} was promised to be cast to {to}"))),
        },
    }
}

/// A cast of single values.
fn single(evaluate: Evaluate, array: &ArrayRef, to: &Type) -> Result<ArrayRef> {
    evaluate(&Arguments::new(&[ColumnarValue::Array(Arc::clone(array))], array.len(), &to.to_arrow(), &[]))
}

/// The elements of the lists that are not null, and where each list begins among them.
fn elements(list: &ListArray) -> Result<(ArrayRef, OffsetBuffer<i32>)> {
    let offsets = list.value_offsets();
    let is_whole = list.null_count() == 0
        && offsets.first() == Some(&0)
        && offsets.last().map(|end| end.unsigned_abs() as usize) == Some(list.values().len());
    if is_whole {
        return Ok((Arc::clone(list.values()), list.offsets().clone()));
    }
    let (mut places, mut lengths) = (Vec::new(), Vec::with_capacity(list.len()));
    for row in 0..list.len() {
        let places_of = if list.is_null(row) { 0..0 } else { offsets[row]..offsets[row + 1] };
        lengths.push(places_of.len());
        places.extend(places_of.map(i32::unsigned_abs));
    }
    Ok((take(list.values(), &UInt32Array::from(places), None)?, OffsetBuffer::from_lengths(lengths)))
}

fn evaluate_document(args: &Arguments<'_>) -> Result<ArrayRef> {
    let (from, _) = types(args)?;
    let array = args.array(0)?;
    Ok(Arc::new(documents(&array, from)))
}

/// Each value as a document.
fn documents(array: &ArrayRef, ty: &Type) -> StringArray {
    let nulls = array.logical_nulls();
    let is_valid = |row: &usize| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(*row));
    (0..array.len()).map(|row| is_valid(&row).then(|| to_json_of(array, row, ty).to_string())).collect()
}
