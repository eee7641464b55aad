//! Pre-aggregation: the rows of an epoch are summed by key, by hash, before anything is sorted, sent or arranged.

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, DurationMicrosecondType, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, Int64Array, PrimitiveArray, RecordBatch, StringArray};
use arrow_row::RowConverter;
use arrow_schema::{DataType, TimeUnit};
use hashbrown::HashTable;

use super::{SlotPlan, Slots, Sums};
use crate::row::{Packed, converter, first_word, hash_bytes, hash_word};

/// Groups with their sums.
pub(crate) struct Groups {
    plan: SlotPlan,
    slots: Slots,
    keys: Keys,
    /// Group of each row of the batch at hand.
    rows: Vec<u32>,
}

impl Groups {
    /// No groups; keys have these types.
    pub fn new(types: &[DataType], plan: &SlotPlan) -> Self {
        Groups { slots: Slots::new(plan), plan: plan.clone(), keys: Keys::new(types), rows: Vec::new() }
    }

    /// Adds a batch of rows. `keys` are its key columns.
    pub fn add(&mut self, keys: &[ArrayRef], rows: &RecordBatch, diffs: Option<&[i64]>) {
        self.keys.assign(keys, rows.num_rows(), &mut self.rows);
        self.slots.grow(self.keys.count());
        self.slots.add(&self.plan, rows, diffs, &self.rows);
    }

    /// Adds sums that were formed before.
    pub fn merge(&mut self, keys: &[ArrayRef], partial: &[Sums]) {
        self.keys.assign(keys, partial.len(), &mut self.rows);
        self.slots.grow(self.keys.count());
        self.slots.merge(partial, &self.rows);
    }

    /// Number of groups.
    pub fn count(&self) -> usize {
        self.keys.count()
    }

    /// The key columns and sums of all groups; none are left.
    pub fn take(&mut self) -> (Vec<ArrayRef>, Vec<Sums>) {
        (self.keys.take(), self.slots.take())
    }
}

/// Numbers the keys that occur. One column of text or of integers goes without `arrow-row`.
enum Keys {
    /// No key columns: one group as soon as there is a row.
    Whole {
        seen: bool,
    },
    Text(Strings),
    Integer {
        ty: DataType,
        numbers: HashTable<u32>,
        values: Vec<i64>,
        null: Option<u32>,
    },
    Rows {
        converter: RowConverter,
        rows: Strings,
    },
}

/// Distinct byte strings, numbered as they come. A null has a number, too.
#[derive(Default)]
struct Strings {
    numbers: HashTable<u32>,
    strings: Packed,
    heads: Vec<Head>,
    hashes: Vec<u64>,
    null: Option<u32>,
}

/// The first eight bytes of a string and its length: of short strings that is all there is to compare.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Head(u64, usize);

impl Head {
    #[inline]
    fn of(string: &[u8]) -> Head {
        Head(first_word(string), string.len())
    }
}

impl Strings {
    #[inline]
    fn number(&mut self, string: &[u8]) -> u32 {
        let (hash, head) = (hash_bytes(string), Head::of(string));
        let (heads, strings) = (&self.heads, &self.strings);
        let same = |number: &u32| {
            let number = *number as usize;
            heads[number] == head && (string.len() <= size_of::<u64>() || strings.get(number) == string)
        };
        if let Some(number) = self.numbers.find(hash, same) {
            return *number;
        }
        self.insert(hash, string)
    }

    #[cold]
    fn insert(&mut self, hash: u64, string: &[u8]) -> u32 {
        let number = self.hashes.len() as u32;
        self.strings.push(string);
        self.heads.push(Head::of(string));
        self.hashes.push(hash);
        let hashes = &self.hashes;
        self.numbers.insert_unique(hash, number, |number| hashes[*number as usize]);
        number
    }

    fn null(&mut self) -> u32 {
        if let Some(number) = self.null {
            return number;
        }
        let number = self.hashes.len() as u32;
        self.strings.push(&[]);
        self.heads.push(Head::of(&[]));
        self.hashes.push(0);
        self.null = Some(number);
        number
    }
}

impl Keys {
    fn new(types: &[DataType]) -> Self {
        match types {
            [] => Keys::Whole { seen: false },
            [DataType::Utf8] => Keys::Text(Strings::default()),
            [ty @ (DataType::Int64 | DataType::Date32 | DataType::Duration(TimeUnit::Microsecond))]
            | [ty @ DataType::Timestamp(TimeUnit::Microsecond, None)] => {
                Keys::Integer { ty: ty.clone(), numbers: HashTable::new(), values: Vec::new(), null: None }
            }
            _ => Keys::Rows { converter: converter(types), rows: Strings::default() },
        }
    }

    fn count(&self) -> usize {
        match self {
            Keys::Whole { seen } => usize::from(*seen),
            Keys::Text(strings) | Keys::Rows { rows: strings, .. } => strings.hashes.len(),
            Keys::Integer { values, .. } => values.len(),
        }
    }

    /// The group of each row.
    fn assign(&mut self, columns: &[ArrayRef], rows: usize, groups: &mut Vec<u32>) {
        groups.clear();
        groups.reserve(rows);
        match self {
            Keys::Whole { seen } => {
                *seen |= rows > 0;
                groups.resize(rows, 0);
            }
            Keys::Text(strings) => {
                let array: &StringArray = columns[0].as_string();
                let (bytes, offsets) = (array.value_data(), array.value_offsets());
                let string = |i: usize| &bytes[offsets[i] as usize..offsets[i + 1] as usize];
                if array.null_count() == 0 {
                    groups.extend((0..rows).map(|i| strings.number(string(i))));
                } else {
                    groups.extend(
                        (0..rows).map(|i| if array.is_null(i) { strings.null() } else { strings.number(string(i)) }),
                    );
                }
            }
            Keys::Integer { numbers, values, null, .. } => {
                let array = as_integers(&columns[0]);
                for i in 0..rows {
                    if array.is_null(i) {
                        groups.push(*null.get_or_insert_with(|| {
                            values.push(0);
                            values.len() as u32 - 1
                        }));
                        continue;
                    }
                    let value = array.value(i);
                    let hash = hash_word(value as u64);
                    let found = numbers.find(hash, |number| values[*number as usize] == value).copied();
                    groups.push(found.unwrap_or_else(|| {
                        let number = values.len() as u32;
                        values.push(value);
                        numbers.insert_unique(hash, number, |number| hash_word(values[*number as usize] as u64));
                        number
                    }));
                }
            }
            Keys::Rows { converter, rows: strings } => match converter.convert_columns(columns) {
                Ok(encoded) => groups.extend(encoded.iter().map(|row| strings.number(row.as_ref()))),
                Err(error) => panic!("columns do not have the types that the plan says: {error}"),
            },
        }
    }

    fn take(&mut self) -> Vec<ArrayRef> {
        match self {
            Keys::Whole { seen } => {
                *seen = false;
                Vec::new()
            }
            Keys::Text(strings) => {
                let Strings { strings, null, .. } = std::mem::take(strings);
                let mut column = StringBuilder::with_capacity(strings.count(), strings.byte_count());
                for i in 0..strings.count() {
                    match std::str::from_utf8(strings.get(i)) {
                        Ok(_) if null == Some(i as u32) => column.append_null(),
                        Ok(text) => column.append_value(text),
                        Err(error) => unreachable!("the bytes came from a text column: {error}"),
                    }
                }
                vec![Arc::new(column.finish())]
            }
            Keys::Integer { ty, numbers, values, null } => {
                numbers.clear();
                let null = null.take();
                let column: Int64Array = std::mem::take(values)
                    .into_iter()
                    .enumerate()
                    .map(|(i, value)| (null != Some(i as u32)).then_some(value))
                    .collect();
                vec![of_integers(&column, ty)]
            }
            Keys::Rows { converter, rows } => {
                let Strings { strings, .. } = std::mem::take(rows);
                let parser = converter.parser();
                match converter.convert_rows((0..strings.count()).map(|i| parser.parse(strings.get(i)))) {
                    Ok(columns) => columns,
                    Err(error) => panic!("packed rows were made by the same converter: {error}"),
                }
            }
        }
    }
}

fn as_integers(column: &ArrayRef) -> Int64Array {
    fn from<T: ArrowPrimitiveType<Native = i64>>(column: &ArrayRef) -> Int64Array {
        column.as_primitive::<T>().reinterpret_cast()
    }
    match column.data_type() {
        DataType::Timestamp(_, _) => from::<TimestampMicrosecondType>(column),
        DataType::Duration(_) => from::<DurationMicrosecondType>(column),
        DataType::Date32 => column.as_primitive::<Date32Type>().unary(i64::from),
        _ => from::<Int64Type>(column),
    }
}

fn of_integers(column: &Int64Array, ty: &DataType) -> ArrayRef {
    match ty {
        DataType::Timestamp(_, _) => {
            let column: PrimitiveArray<TimestampMicrosecondType> = column.reinterpret_cast();
            Arc::new(column)
        }
        DataType::Duration(_) => {
            let column: PrimitiveArray<DurationMicrosecondType> = column.reinterpret_cast();
            Arc::new(column)
        }
        DataType::Date32 => Arc::new(column.unary::<_, Date32Type>(|days| days as i32)),
        _ => Arc::new(column.clone()),
    }
}
