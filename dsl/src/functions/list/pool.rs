//! The elements of list arguments in one array, so that a function of lists only says which elements its result has.
//!
//! Elements are compared as packed bytes (`arrow-row`), which are equal and ordered as values are: null equals null
//! and comes last, NaN equals NaN and is the largest number.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ListArray, UInt32Array};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::{SortOptions, concat, take};
use arrow::datatypes::{DataType, Field, FieldRef};
use arrow_row::{Row, RowConverter, Rows, SortField};
use datafusion_common::{DataFusionError, Result};

use super::super::arguments::Arguments;
use super::super::kernel::row_error;

/// Where the elements of an argument stand in the pool.
enum Place {
    /// One element a row, from here on.
    Item(usize),
    /// The list of each row, its elements from here on.
    List(usize, ListArray),
}

/// The elements of arguments that are lists of one type, or single elements.
pub struct Pool {
    values: ArrayRef,
    places: Vec<Place>,
    keys: Option<Rows>,
    nulls: Option<NullBuffer>,
    rows: usize,
}

impl Pool {
    /// The first `lists` arguments, which are lists, and `items` arguments after them, which are elements.
    pub fn new(args: &Arguments<'_>, lists: usize, items: usize) -> Result<Self> {
        let (mut parts, mut places, mut nulls) = (Vec::new(), Vec::new(), None);
        let mut start = 0;
        for index in 0..lists + items {
            let array = args.array(index)?;
            let part = match index < lists {
                true => {
                    let list = args.list(index)?;
                    nulls = NullBuffer::union(nulls.as_ref(), list.nulls());
                    let offsets = list.value_offsets();
                    let (first, last) = (place(offsets[0])?, place(offsets[offsets.len() - 1])?);
                    let part = list.values().slice(first, last - first);
                    // Offsets count from the start of the list's own elements.
                    let list = ListArray::try_new(
                        item_field(&array)?,
                        OffsetBuffer::from_lengths(list.offsets().lengths()),
                        Arc::clone(&part),
                        None,
                    )?;
                    places.push(Place::List(start, list));
                    part
                }
                false => {
                    places.push(Place::Item(start));
                    array
                }
            };
            start += part.len();
            parts.push(part);
        }
        let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
        Ok(Pool { values: concat(&parts)?, places, keys: None, nulls, rows: args.rows() })
    }

    /// With elements that can be compared.
    pub fn comparable(mut self) -> Result<Self> {
        let options = SortOptions { descending: false, nulls_first: false };
        let field = SortField::new_with_options(self.values.data_type().clone(), options);
        self.keys = Some(RowConverter::new(vec![field])?.convert_columns(&[Arc::clone(&self.values)])?);
        Ok(self)
    }

    /// All elements.
    pub fn values(&self) -> &ArrayRef {
        &self.values
    }

    /// True if a list of the row is null.
    pub fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }

    /// The places of the elements of a row's list.
    pub fn list(&self, argument: usize, row: usize) -> Range<usize> {
        match &self.places[argument] {
            Place::Item(start) => start + row..start + row + 1,
            Place::List(start, list) => {
                let offsets = list.value_offsets();
                let at = |offset: i32| start + usize::try_from(offset).unwrap_or_default();
                at(offsets[row])..at(offsets[row + 1])
            }
        }
    }

    /// The place of a row's element.
    pub fn item(&self, argument: usize, row: usize) -> usize {
        self.list(argument, row).start
    }

    /// The bytes by which an element compares.
    pub fn key(&self, element: usize) -> Row<'_> {
        match &self.keys {
            Some(keys) => keys.row(element),
            None => unreachable!("elements are compared only in a pool made for it"),
        }
    }

    /// A list a row: the elements at the places that `pick` adds for it; null where a list is null.
    pub fn lists(&self, mut pick: impl FnMut(usize, &mut Vec<u32>) -> Result<()>) -> Result<ArrayRef> {
        let mut picked: Vec<u32> = Vec::new();
        let mut lengths = Vec::with_capacity(self.rows);
        for row in 0..self.rows {
            let before = picked.len();
            if !self.is_null(row) {
                pick(row, &mut picked)?;
            }
            lengths.push(picked.len() - before);
        }
        if i32::try_from(picked.len()).is_err() {
            return Err(row_error("the lists of a batch have too many elements"));
        }
        let values = take(&self.values, &UInt32Array::from(picked), None)?;
        let item = Arc::new(Field::new("item", values.data_type().clone(), true));
        let offsets = OffsetBuffer::from_lengths(lengths);
        Ok(Arc::new(ListArray::try_new(item, offsets, values, self.nulls.clone())?))
    }

    /// An element a row: the one at the place that `pick` gives; null without one and where a list is null.
    pub fn items(&self, mut pick: impl FnMut(usize) -> Option<usize>) -> Result<ArrayRef> {
        let at = |element: usize| u32::try_from(element).ok();
        let picked: UInt32Array =
            (0..self.rows).map(|row| if self.is_null(row) { None } else { pick(row).and_then(at) }).collect();
        Ok(take(&self.values, &picked, None)?)
    }
}

/// A place as an index of the pool.
pub fn index(element: usize) -> u32 {
    // An Arrow list has at most 2^31 elements, and a pool a few of them.
    u32::try_from(element).unwrap_or(u32::MAX)
}

fn place(offset: i32) -> Result<usize> {
    usize::try_from(offset).map_err(|_| DataFusionError::Internal("the offsets of a list are not negative".to_string()))
}

fn item_field(list: &ArrayRef) -> Result<FieldRef> {
    match list.data_type() {
        DataType::List(item) => Ok(Arc::clone(item)),
        other => Err(DataFusionError::Internal(format!("a list is a list array, not {other}"))),
    }
}
