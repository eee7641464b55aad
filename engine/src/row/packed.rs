//! Many byte strings in one allocation.

use differential_dataflow::trace::implementations::{BatchContainer, OffsetList};
use serde::{Deserialize, Serialize};

/// A list of byte strings, end to end.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Packed {
    /// Where each string begins, and at last where the last one ends.
    bounds: OffsetList,
    bytes: Vec<u8>,
}

impl Default for Packed {
    fn default() -> Self {
        Packed::with_capacity(0, 0)
    }
}

impl Packed {
    /// Room for so many strings and bytes.
    pub fn with_capacity(strings: usize, bytes: usize) -> Self {
        let mut bounds = OffsetList::with_capacity(strings + 1);
        bounds.push(0);
        Packed { bounds, bytes: Vec::with_capacity(bytes) }
    }

    /// Adds a string.
    pub fn push(&mut self, string: &[u8]) {
        self.bytes.extend_from_slice(string);
        self.bounds.push(self.bytes.len());
    }

    /// Adds a string that is made of two parts.
    pub fn push_parts(&mut self, first: &[u8], second: &[u8]) {
        self.bytes.extend_from_slice(first);
        self.push(second);
    }

    /// The string at a position.
    pub fn get(&self, index: usize) -> &[u8] {
        &self.bytes[self.bounds.index(index)..self.bounds.index(index + 1)]
    }

    /// Number of strings.
    pub fn count(&self) -> usize {
        self.bounds.len() - 1
    }

    /// Number of bytes of all strings.
    pub fn byte_count(&self) -> usize {
        self.bytes.len()
    }
}

impl BatchContainer for Packed {
    type Owned = Vec<u8>;
    type ReadItem<'a> = &'a [u8];

    fn into_owned<'a>(item: &'a [u8]) -> Vec<u8> {
        item.to_vec()
    }

    fn push_ref(&mut self, item: &[u8]) {
        self.push(item);
    }

    fn push_own(&mut self, item: &Vec<u8>) {
        self.push(item);
    }

    fn clear(&mut self) {
        self.bounds.clear();
        self.bounds.push(0);
        self.bytes.clear();
    }

    fn with_capacity(size: usize) -> Self {
        Packed::with_capacity(size, 0)
    }

    fn merge_capacity(first: &Self, second: &Self) -> Self {
        Packed::with_capacity(first.count() + second.count(), first.bytes.len() + second.bytes.len())
    }

    fn reborrow<'b, 'a: 'b>(item: &'a [u8]) -> &'b [u8] {
        item
    }

    #[inline]
    fn index(&self, index: usize) -> &[u8] {
        self.get(index)
    }

    fn len(&self) -> usize {
        self.count()
    }
}
