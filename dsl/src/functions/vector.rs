//! Functions of vectors, which are 32-bit floats; sums are made in 64 bits, in the order of the elements.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, FixedSizeListArray, Float32Array, Float64Array, Int64Array, ListArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use datafusion_common::{DataFusionError, Result};
use tidebook_plan::{ColumnType, Type};

use super::arguments::Arguments;
use super::arithmetic::normalise;
use super::entry::{Function, Overload, Parameters, fallible, total};
use super::group::Group;
use super::kernel::row_error;
use super::takes::{Gives, Simple, Takes};
use super::typed::{CallFault, FaultKind, Typed};

/// One vector.
pub(super) const ONE: Parameters = &[("v", Takes::Vector)];
const TWO: Parameters = &[("v", Takes::Vector), ("w", Takes::Vector)];
const LIST: Parameters = &[("v", Takes::ListOf(Simple::Float))];
const TWO_LISTS: Parameters = &[("v", Takes::ListOf(Simple::Float)), ("w", Takes::ListOf(Simple::Float))];
const TO_FLOAT: Gives = Gives::Value(Simple::Float);

const fn entry(
    name: &'static str,
    doc: &'static str,
    examples: &'static [(&'static str, &'static str)],
    overloads: &'static [Overload],
) -> Function {
    Function { name, group: Group::Vectors, doc, examples, overloads }
}

/// The entries.
pub const LIBRARY: &[Function] = &[
    entry(
        "dot",
        "The dot product.",
        &[("dot([1, 2], [3, 4])", "11.0")],
        &[
            total(TWO, SIMILAR, |args| pairs(args, |v, w| Some(dot(v, w)))),
            fallible(TWO_LISTS, TO_FLOAT, |args| pairs(args, |v, w| Some(dot(v, w)))),
        ],
    ),
    entry(
        "cosine_similarity",
        "The cosine of the angle between the vectors, -1 to 1; null if one of them is all zeros.",
        &[("cosine_similarity([1, 0], [0, 2])", "0.0"), ("cosine_similarity([0, 0], [1, 2])", "null")],
        &[
            total(TWO, SIMILAR_OR_NULL, |args| pairs(args, cosine)),
            fallible(TWO_LISTS, Gives::Nullable(Simple::Float), |args| pairs(args, cosine)),
        ],
    ),
    entry(
        "l2_distance",
        "The Euclidean distance.",
        &[("l2_distance([0, 0], [3, 4])", "5.0")],
        &[
            total(TWO, SIMILAR, |args| pairs(args, l2_distance)),
            fallible(TWO_LISTS, TO_FLOAT, |args| pairs(args, l2_distance)),
        ],
    ),
    entry(
        "l1_distance",
        "The sum of the differences, element by element.",
        &[("l1_distance([0, 0], [3, -4])", "7.0")],
        &[
            total(TWO, SIMILAR, |args| pairs(args, l1_distance)),
            fallible(TWO_LISTS, TO_FLOAT, |args| pairs(args, l1_distance)),
        ],
    ),
    entry(
        "norm",
        "The Euclidean length.",
        &[("norm([3, 4])", "5.0")],
        &[total(ONE, TO_FLOAT, norm), fallible(LIST, TO_FLOAT, norm)],
    ),
    entry(
        "normalize",
        "The vector of length 1 in the same direction; all zeros stay as they are.",
        &[("normalize([3, 4])", "[0.6,0.8]")],
        &[total(ONE, Gives::First, normalized), fallible(LIST, Gives::First, normalized_lists)],
    ),
];

const SIMILAR: Gives = Gives::Found("float", |args| same_size(args, false));
const SIMILAR_OR_NULL: Gives = Gives::Found("float?", |args| same_size(args, true));

/// A float, if both vectors have the same number of elements.
fn same_size(args: &[Typed], nullable: bool) -> std::result::Result<ColumnType, CallFault> {
    if let [Typed { ty: first, .. }, Typed { ty: second, .. }] = args
        && first.ty != second.ty
    {
        let message = format!("the vectors have different lengths: {} and {}", first.ty, second.ty);
        return Err(CallFault::new(FaultKind::Type, message).at(1));
    }
    Ok(ColumnType { ty: Type::Float, nullable: nullable || args.iter().any(|arg| arg.ty.nullable) })
}

/// The vectors of an argument, or its lists.
enum Vectors {
    Vectors { values: Float32Array, size: usize },
    Lists(ListArray),
}

impl Vectors {
    fn new(args: &Arguments<'_>, index: usize) -> Result<Self> {
        let array = args.array(index)?;
        let Some(vectors) = array.as_fixed_size_list_opt() else { return Ok(Vectors::Lists(args.list(index)?)) };
        let size = usize::try_from(vectors.value_length()).unwrap_or_default();
        // A slice of an array keeps all values and says where it begins.
        let start = usize::try_from(vectors.value_offset(0)).unwrap_or_default();
        let values = vectors.values().slice(start, vectors.len() * size);
        match values.as_primitive_opt::<Float32Type>() {
            Some(values) => Ok(Vectors::Vectors { values: values.clone(), size }),
            None => Err(DataFusionError::Internal("the elements of a vector are 32-bit floats".to_string())),
        }
    }

    /// The elements of a row, which is not null.
    fn value(&self, row: usize) -> Result<Vec<f64>> {
        match self {
            Vectors::Vectors { values, size } => {
                Ok(values.values()[row * size..(row + 1) * size].iter().copied().map(f64::from).collect())
            }
            Vectors::Lists(lists) => {
                let values = lists.value(row);
                match values.as_primitive_opt::<Float64Type>() {
                    Some(values) if values.null_count() == 0 => Ok(values.values().to_vec()),
                    _ => Err(row_error("a vector has no null among its elements")),
                }
            }
        }
    }
}

fn dot(v: &[f64], w: &[f64]) -> f64 {
    v.iter().zip(w).map(|(a, b)| a * b).sum()
}

fn cosine(v: &[f64], w: &[f64]) -> Option<f64> {
    let lengths = dot(v, v).sqrt() * dot(w, w).sqrt();
    (lengths != 0.0).then(|| (dot(v, w) / lengths).clamp(-1.0, 1.0))
}

fn l2_distance(v: &[f64], w: &[f64]) -> Option<f64> {
    Some(v.iter().zip(w).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt())
}

fn l1_distance(v: &[f64], w: &[f64]) -> Option<f64> {
    Some(v.iter().zip(w).map(|(a, b)| (a - b).abs()).sum())
}

fn pairs(args: &Arguments<'_>, f: impl Fn(&[f64], &[f64]) -> Option<f64>) -> Result<ArrayRef> {
    let (left, right) = (Vectors::new(args, 0)?, Vectors::new(args, 1)?);
    args.collect_nullable::<Float64Array, _>(|row| {
        let (v, w) = (left.value(row)?, right.value(row)?);
        if v.len() != w.len() {
            let message = format!("the vectors have different lengths: {} and {}", v.len(), w.len());
            return Err(row_error(message));
        }
        Ok(f(&v, &w).map(normalise))
    })
}

fn norm(args: &Arguments<'_>) -> Result<ArrayRef> {
    let vectors = Vectors::new(args, 0)?;
    args.collect::<Float64Array, _>(|row| {
        let vector = vectors.value(row)?;
        Ok(normalise(dot(&vector, &vector).sqrt()))
    })
}

/// The elements of the vector of length 1 in the same direction.
fn unit(vector: &[f64]) -> impl Iterator<Item = f64> {
    let length = dot(vector, vector).sqrt();
    vector.iter().map(move |value| normalise(if length == 0.0 { *value } else { value / length }))
}

fn normalized(args: &Arguments<'_>) -> Result<ArrayRef> {
    let DataType::FixedSizeList(item, size) = args.output() else {
        return Err(DataFusionError::Internal("a vector is a list of fixed size".to_string()));
    };
    let vectors = Vectors::new(args, 0)?;
    let mut values: Vec<f32> = Vec::new();
    for row in 0..args.rows() {
        // The nearest 32-bit float is meant; adding zero turns -0.0 into 0.0.
        values.extend(unit(&vectors.value(row)?).map(|value| value as f32 + 0.0));
    }
    let values = Arc::new(Float32Array::from(values));
    Ok(Arc::new(FixedSizeListArray::try_new(Arc::clone(item), *size, values, args.nulls()?)?))
}

fn normalized_lists(args: &Arguments<'_>) -> Result<ArrayRef> {
    let DataType::List(item) = args.output() else {
        return Err(DataFusionError::Internal("a list is a list array".to_string()));
    };
    let (vectors, nulls) = (Vectors::new(args, 0)?, args.nulls()?);
    let (mut values, mut lengths): (Vec<f64>, Vec<usize>) = (Vec::new(), Vec::with_capacity(args.rows()));
    for row in 0..args.rows() {
        let before = values.len();
        if nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
            values.extend(unit(&vectors.value(row)?));
        }
        lengths.push(values.len() - before);
    }
    let values = Arc::new(Float64Array::from(values));
    Ok(Arc::new(ListArray::try_new(Arc::clone(item), OffsetBuffer::from_lengths(lengths), values, nulls)?))
}

/// How many elements the vectors have.
pub(super) fn length(args: &Arguments<'_>) -> Result<ArrayRef> {
    let DataType::FixedSizeList(_, size) = args.data_type(0) else {
        return Err(DataFusionError::Internal("a vector is a list of fixed size".to_string()));
    };
    args.collect::<Int64Array, _>(|_| Ok(i64::from(size)))
}
