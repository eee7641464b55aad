//! The values of some partitions, decoded together, and how the order tells them apart.

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, DurationMicrosecondType, Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, Date32Array, Float64Array, PrimitiveArray, RecordBatch};
use arrow_row::{RowConverter, Rows};
use arrow_schema::{DataType, SchemaRef};
use std::sync::Arc;
use tidebook_plan::flow::{Extent, OrderKey};

use crate::delta::batch_of;
use crate::row::{Codec, order_converter};

const MICROS_OF_DAY: i128 = 86_400_000_000;

/// Reads the values of an arrangement by partition and order.
pub(super) struct Order {
    codec: Codec,
    schema: SchemaRef,
    /// Order columns that are not of the partition: the bytes of a value begin with theirs.
    keys: Vec<OrderKey>,
    converter: RowConverter,
}

/// Rows for values.
pub(super) struct Decoded {
    /// One row a value, in the columns of the input.
    pub rows: RecordBatch,
    /// Their order columns as bytes; `None` where there are none, so that all rows of a partition are peers.
    order: Option<Rows>,
    /// Where each stands by the first order column, if that was asked for.
    pub places: Vec<Place>,
}

/// Where a row stands by the only order column, later rows further on: of a descending order the negative value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Place {
    /// Nowhere.
    Null,
    /// At no number.
    Nan,
    /// At a whole number; of dates and instants in microseconds.
    Whole(i128),
    /// At a float.
    Float(f64),
}

impl Place {
    /// True if the frame of a row at `current` reaches back to a row here.
    pub fn is_within(self, extent: Extent, current: Place) -> bool {
        match (self, current, extent) {
            (Place::Null, Place::Null, _) | (Place::Nan, Place::Nan, _) => true,
            (Place::Whole(here), Place::Whole(current), Extent::Whole(far)) => here >= current - i128::from(far),
            (Place::Float(here), Place::Float(current), Extent::Float(far)) => here >= current - f64::from_bits(far),
            _ => false,
        }
    }

    /// At most as far on as the first row that a frame reaches from here.
    fn back(self, extent: Extent) -> Place {
        match (self, extent) {
            (Place::Whole(place), Extent::Whole(far)) => Place::Whole(place - i128::from(far)),
            (Place::Float(place), Extent::Float(far)) => Place::Float(place - f64::from_bits(far)),
            _ => self,
        }
    }

    /// At least as far on as the last row whose frame reaches here.
    fn on(self, extent: Extent) -> Place {
        match (self, extent) {
            (Place::Whole(place), Extent::Whole(far)) => Place::Whole(place + i128::from(far)),
            (Place::Float(place), Extent::Float(far)) if place.is_finite() => {
                let far = f64::from_bits(far);
                // A difference is rounded: the last row may lie a little further than the sum says.
                Place::Float(place + far + (place.abs() + far) * 4.0 * f64::EPSILON)
            }
            _ => self,
        }
    }
}

impl Decoded {
    /// True if the order does not tell two values of a partition apart.
    pub fn are_peers(&self, one: usize, other: usize) -> bool {
        self.order.as_ref().is_none_or(|order| order.row(one) == order.row(other))
    }

    /// The order columns of a value as bytes.
    pub fn order_bytes(&self, value: usize) -> Box<[u8]> {
        self.order.as_ref().map_or_else(Box::default, |order| order.row(value).data().into())
    }
}

impl Order {
    /// For rows of `schema`, arranged by `codec` in the order of `keys`.
    pub fn new(codec: Codec, schema: &SchemaRef, keys: &[OrderKey]) -> Self {
        let mut own: Vec<OrderKey> = Vec::new();
        for key in keys {
            if !codec.key_columns().contains(&key.column) && own.iter().all(|other| other.column != key.column) {
                own.push(*key);
            }
        }
        let converter = order_converter(own.iter().map(|key| (schema.field(key.column).data_type(), key.descending)));
        Order { codec, schema: Arc::clone(schema), keys: own, converter }
    }

    /// True if there is an order beside the partition's own columns.
    pub fn is_there(&self) -> bool {
        !self.keys.is_empty()
    }

    /// Decodes values, each of the partition whose key stands at the same position.
    pub fn decode(&self, keys: &[&[u8]], values: &[&[u8]], with_places: bool) -> Decoded {
        let columns = self.codec.decode_columns(keys, values);
        let order: Vec<ArrayRef> = self.keys.iter().map(|key| Arc::clone(&columns[key.column])).collect();
        let places = match (order.first(), with_places) {
            (Some(column), true) => self.places(column),
            _ => Vec::new(),
        };
        Decoded { order: self.bytes(&order), places, rows: batch_of(&self.schema, columns, values.len()) }
    }

    /// The bytes of the order columns that a value begins with, and its place if that is asked for.
    pub fn of_value(&self, value: &[u8], with_place: bool) -> (Box<[u8]>, Option<Place>) {
        if self.keys.is_empty() {
            return (Box::default(), None);
        }
        let mut columns = self.codec.decode_values(&[value]);
        columns.truncate(self.keys.len());
        let place = if with_place { self.places(&columns[0]).pop() } else { None };
        let bytes = self.bytes(&columns).map_or_else(Box::default, |rows| rows.row(0).data().into());
        (bytes, place)
    }

    /// The place of order columns that were made bytes.
    pub fn of_bytes(&self, bytes: &[u8]) -> Option<Place> {
        match self.converter.convert_rows([self.converter.parser().parse(bytes)]) {
            Ok(columns) => self.places(columns.first()?).pop(),
            Err(error) => panic!("packed rows were made by the same converter: {error}"),
        }
    }

    /// Bytes of the only order column: no row that a frame reaches from the place has smaller ones.
    pub fn back_from(&self, place: Place, extent: Extent) -> Box<[u8]> {
        self.bytes_at(place.back(extent), false)
    }

    /// Bytes of the only order column: no row whose frame reaches the place has larger ones.
    pub fn on_from(&self, place: Place, extent: Extent) -> Box<[u8]> {
        self.bytes_at(place.on(extent), true)
    }

    fn bytes(&self, order: &[ArrayRef]) -> Option<Rows> {
        if order.is_empty() {
            return None;
        }
        match self.converter.convert_columns(order) {
            Ok(rows) => Some(rows),
            Err(error) => panic!("columns do not have the types that the plan says: {error}"),
        }
    }

    fn places(&self, column: &ArrayRef) -> Vec<Place> {
        let down = self.keys[0].descending;
        let whole = |value: i128| Place::Whole(if down { -value } else { value });
        let float = |value: f64| match value {
            value if value.is_nan() => Place::Nan,
            value => Place::Float(if down { -value } else { value }),
        };
        let value: Box<dyn Fn(usize) -> Place + '_> = match column.data_type() {
            DataType::Int64 => Box::new(move |i| whole(column.as_primitive::<Int64Type>().value(i).into())),
            DataType::Timestamp(..) => {
                Box::new(move |i| whole(column.as_primitive::<TimestampMicrosecondType>().value(i).into()))
            }
            DataType::Duration(_) => {
                Box::new(move |i| whole(column.as_primitive::<DurationMicrosecondType>().value(i).into()))
            }
            DataType::Date32 => {
                Box::new(move |i| whole(i128::from(column.as_primitive::<Date32Type>().value(i)) * MICROS_OF_DAY))
            }
            DataType::Float64 => Box::new(move |i| float(column.as_primitive::<Float64Type>().value(i))),
            other => unreachable!("no frame reaches back by {other}"),
        };
        (0..column.len()).map(|i| if column.is_null(i) { Place::Null } else { value(i) }).collect()
    }

    /// The bytes of the order column at a place, or of the next one that it has; beyond its range its end.
    fn bytes_at(&self, place: Place, later: bool) -> Box<[u8]> {
        let OrderKey { column, descending } = self.keys[0];
        let ty = self.schema.field(column).data_type();
        let own = |place: i128| if descending { -place } else { place };
        let long = |place: i128| own(place).clamp(i64::MIN.into(), i64::MAX.into()) as i64;
        let array: ArrayRef = match (place, ty) {
            (Place::Null, ty) => arrow_array::new_null_array(ty, 1),
            (Place::Nan, _) => Arc::new(Float64Array::from(vec![f64::NAN])),
            (Place::Float(place), _) => {
                // Adding zero turns -0.0 into 0.0.
                Arc::new(Float64Array::from(vec![if descending { -place } else { place } + 0.0]))
            }
            (Place::Whole(place), DataType::Date32) => {
                let day = place.div_euclid(MICROS_OF_DAY);
                let day = if later && day * MICROS_OF_DAY < place { day + 1 } else { day };
                Arc::new(Date32Array::from(vec![own(day).clamp(i32::MIN.into(), i32::MAX.into()) as i32]))
            }
            (Place::Whole(place), DataType::Timestamp(..)) => {
                Arc::new(PrimitiveArray::<TimestampMicrosecondType>::from(vec![long(place)]))
            }
            (Place::Whole(place), DataType::Duration(_)) => {
                Arc::new(PrimitiveArray::<DurationMicrosecondType>::from(vec![long(place)]))
            }
            (Place::Whole(place), _) => Arc::new(PrimitiveArray::<Int64Type>::from(vec![long(place)])),
        };
        self.bytes(&[array]).map_or_else(Box::default, |rows| rows.row(0).data().into())
    }
}
