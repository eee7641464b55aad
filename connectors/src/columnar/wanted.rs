//! What a use of a columnar source asks of its files, in the words of Arrow.

use arrow_array::{Array, ArrayRef, BooleanArray, Datum, Scalar, UInt32Array, new_null_array};
use arrow_buffer::BooleanBuffer;
use arrow_ord::cmp;
use arrow_schema::{ArrowError, SchemaRef};
use tidebook_plan::connector::{ConnectorError, SourceField, SourceSpec};
use tidebook_plan::{Comparison, Test};

/// The columns and conditions of one use of a source.
#[derive(Debug)]
pub struct Wanted {
    /// All fields of the source.
    pub fields: Vec<WantedField>,
    /// Those that its rows have, in order.
    pub selected: Vec<usize>,
    /// What rows have to be; others may be left out.
    pub conditions: Vec<Condition>,
    /// The Arrow schema of its rows.
    pub schema: SchemaRef,
    /// True if folders of the path are columns.
    pub partitions: bool,
}

/// A field with its default as an array of one value.
#[derive(Debug)]
pub struct WantedField {
    /// The field.
    pub field: SourceField,
    /// Stands in where there is no value.
    pub default: Option<ArrayRef>,
}

/// A condition on one field.
#[derive(Debug)]
pub struct Condition {
    /// Position of the field.
    pub field: usize,
    /// What its value has to be.
    pub check: Check,
}

/// What a value has to be. Arrays have one value each, of the field's Arrow type.
#[derive(Debug)]
pub enum Check {
    /// Compares so.
    Is(Comparison, ArrayRef),
    /// Is one of these.
    In(Vec<ArrayRef>),
    /// Is null.
    Null,
    /// Is not null.
    NotNull,
}

impl Wanted {
    /// What the use `spec` asks for.
    ///
    /// # Errors
    /// Where a default is no value of its column's type.
    pub fn new(spec: &SourceSpec) -> Result<Wanted, ConnectorError> {
        let mut fields = Vec::with_capacity(spec.fields.len());
        for field in &spec.fields {
            let ty = field.ty.ty.to_arrow();
            let default = match &field.default {
                None => None,
                Some(value) => {
                    let array = value.to_array().ok().and_then(|array| arrow_cast::cast(&array, &ty).ok());
                    Some(array.ok_or_else(|| ConnectorError::Format {
                        what: spec.connector.clone(),
                        message: format!("the default of column `{}` is no {}", field.name, field.ty.ty),
                    })?)
                }
            };
            fields.push(WantedField { field: field.clone(), default });
        }
        let selection = &spec.selection;
        let conditions = selection.predicates.iter().filter_map(|predicate| {
            let ty = spec.fields[predicate.field].ty.ty.to_arrow();
            let check = Check::new(&predicate.test)?;
            check
                .values()
                .iter()
                .all(|value| *value.data_type() == ty)
                .then_some(Condition { field: predicate.field, check })
        });
        Ok(Wanted {
            selected: selection.columns.clone().unwrap_or_else(|| (0..spec.fields.len()).collect()),
            conditions: conditions.collect(),
            fields,
            schema: spec.schema().to_arrow(),
            partitions: spec.options.flag("partitions"),
        })
    }
}

impl Check {
    fn new(test: &Test) -> Option<Check> {
        Some(match test {
            Test::Is(comparison, value) => Check::Is(*comparison, value.to_array().ok()?),
            Test::In(values) => Check::In(values.iter().map(|value| value.to_array().ok()).collect::<Option<_>>()?),
            Test::Null => Check::Null,
            Test::NotNull => Check::NotNull,
        })
    }

    /// The values that it compares with.
    pub fn values(&self) -> &[ArrayRef] {
        match self {
            Check::Is(_, value) => std::slice::from_ref(value),
            Check::In(values) => values,
            Check::Null | Check::NotNull => &[],
        }
    }

    /// Which values of an array meet it; null where that is not known, which counts as no.
    ///
    /// # Errors
    /// Where the array cannot be compared with the values.
    pub fn of(&self, array: &ArrayRef) -> Result<BooleanArray, ArrowError> {
        let present = || array.logical_nulls().map_or_else(|| BooleanBuffer::new_set(array.len()), |n| n.into_inner());
        match self {
            Check::Is(comparison, value) => compare(*comparison, array, value),
            Check::In(values) => {
                let mut found = BooleanBuffer::new_unset(array.len());
                for value in values {
                    found = &found | compare(Comparison::Equal, array, value)?.values();
                }
                Ok(BooleanArray::new(found, array.logical_nulls()))
            }
            Check::NotNull => Ok(BooleanArray::new(present(), None)),
            Check::Null => Ok(BooleanArray::new(!&present(), None)),
        }
    }
}

/// Compares every value of an array with one value. Arrow's order of floats is Tide's, since both have one zero and one NaN.
///
/// # Errors
/// Where the types differ.
pub fn compare(comparison: Comparison, array: &dyn Array, value: &ArrayRef) -> Result<BooleanArray, ArrowError> {
    let value = Scalar::new(value.clone());
    let array: &dyn Datum = &ArrayDatum(array);
    match comparison {
        Comparison::Equal => cmp::eq(array, &value),
        Comparison::NotEqual => cmp::neq(array, &value),
        Comparison::Less => cmp::lt(array, &value),
        Comparison::LessOrEqual => cmp::lt_eq(array, &value),
        Comparison::Greater => cmp::gt(array, &value),
        Comparison::GreaterOrEqual => cmp::gt_eq(array, &value),
    }
}

/// An array as the side of a comparison.
struct ArrayDatum<'a>(&'a dyn Array);

impl Datum for ArrayDatum<'_> {
    fn get(&self) -> (&dyn Array, bool) {
        (self.0, false)
    }
}

/// One value so many times.
///
/// # Errors
/// Where Arrow refuses.
pub fn repeated(value: &ArrayRef, count: usize) -> Result<ArrayRef, ArrowError> {
    if value.is_null(0) {
        return Ok(new_null_array(value.data_type(), count));
    }
    arrow_select::take::take(value, &UInt32Array::from(vec![0; count]), None)
}
