//! Times at the front of packed values, read and made without decoding the row.
//!
//! A column of fixed width is packed as one byte that says whether there is a value, and the value's bytes so that they compare
//! as it does; where the order is descending, with every bit of them turned over.

/// The byte of a column that is not null.
const VALID: u8 = 1;
const SIGN: u64 = 1 << 63;

/// The timestamp that a value of an ascending order begins with; `None` if it is null.
pub(super) fn instant(value: &[u8]) -> Option<i64> {
    let bytes: [u8; 8] = value.get(1..9)?.try_into().ok()?;
    (value[0] == VALID).then(|| (u64::from_be_bytes(bytes) ^ SIGN) as i64)
}

/// The bytes that values with this timestamp begin with.
pub(super) fn encoded(at: i64) -> [u8; 9] {
    let mut bytes = [VALID; 9];
    bytes[1..].copy_from_slice(&(at as u64 ^ SIGN).to_be_bytes());
    bytes
}

/// The front of `width` bytes of a value; `None` if the column is null.
pub(super) fn front(value: &[u8], width: usize) -> Option<&[u8]> {
    value.get(..width).filter(|front| front[0] == VALID)
}

/// The front of the same value in the order of the other direction.
pub(super) fn mirrored(front: &[u8]) -> Vec<u8> {
    let mut mirrored: Vec<u8> = front.iter().map(|byte| !byte).collect();
    if let Some(first) = mirrored.first_mut() {
        *first = VALID;
    }
    mirrored
}

/// The smallest front that is larger; `None` if there is none.
pub(super) fn next(front: &[u8]) -> Option<Vec<u8>> {
    let mut next = front.to_vec();
    for byte in next.iter_mut().skip(1).rev() {
        *byte = byte.wrapping_add(1);
        if *byte != 0 {
            return Some(next);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Date32Array, Float64Array, TimestampMicrosecondArray};

    use super::*;
    use crate::row::order_converter;

    fn packed(array: &ArrayRef, descending: bool) -> Vec<Vec<u8>> {
        let converter = order_converter([(array.data_type(), descending)]);
        let rows = converter.convert_columns(&[Arc::clone(array)]).unwrap();
        rows.iter().map(|row| row.data().to_vec()).collect()
    }

    #[test]
    fn timestamps_are_read_as_they_are_packed() {
        let times = [i64::MIN, -1, 0, 1, 1_767_225_600_000_000, i64::MAX];
        let array: ArrayRef = Arc::new(TimestampMicrosecondArray::from(times.to_vec()));
        for (value, at) in packed(&array, false).iter().zip(times) {
            assert_eq!(instant(value), Some(at));
            assert_eq!(value.as_slice(), encoded(at));
        }
        let null: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![None]));
        assert_eq!(instant(&packed(&null, false)[0]), None);
        assert_eq!(front(&packed(&null, true)[0], 9), None);
    }

    #[test]
    fn the_other_direction_is_mirrored_and_the_next_follows() {
        let floats: ArrayRef = Arc::new(Float64Array::from(vec![f64::NEG_INFINITY, -2.5, 0.0, 1.0, f64::NAN]));
        let dates: ArrayRef = Arc::new(Date32Array::from(vec![i32::MIN, -3, 0, 9]));
        for array in [floats, dates] {
            for (up, down) in packed(&array, false).iter().zip(packed(&array, true)) {
                assert_eq!(mirrored(up), down);
                assert_eq!(&mirrored(&down), up);
            }
        }
        assert_eq!(next(&encoded(41)), Some(encoded(42).to_vec()));
        assert_eq!(next(&encoded(i64::MAX)), None);
    }
}
