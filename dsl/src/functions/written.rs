//! Results that are text, written one after the other into one buffer: no allocation a row.

use std::sync::Arc;

use arrow::array::{ArrayRef, ListArray, StringArray};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use datafusion_common::Result;
use tidebook_plan::{ColumnType, Type};

use super::arguments::Arguments;
use super::kernel::row_error;

/// Longest text that one call makes of a short one, in bytes: a typing mistake must not take all memory.
pub const LONGEST: usize = 16 << 20;

/// Texts one after the other.
#[derive(Default)]
struct Pile {
    text: String,
    ends: Vec<i32>,
}

impl Pile {
    fn new(rows: usize) -> Self {
        let mut ends = Vec::with_capacity(rows + 1);
        ends.push(0);
        Pile { text: String::new(), ends }
    }

    /// Ends a text.
    fn end(&mut self) -> Result<()> {
        // The engine halves a batch that fails: each half has room for its own texts.
        let end = i32::try_from(self.text.len()).map_err(|_| row_error("the texts of a batch are beyond 2 GiB"))?;
        self.ends.push(end);
        Ok(())
    }

    fn finish(self, nulls: Option<NullBuffer>) -> Result<StringArray> {
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.ends));
        Ok(StringArray::try_new(offsets, Buffer::from_vec(self.text.into_bytes()), nulls)?)
    }
}

impl Arguments<'_> {
    /// A text for each row in which no argument is null: what `cell` appends.
    pub fn write(&self, mut cell: impl FnMut(usize, &mut String) -> Result<()>) -> Result<ArrayRef> {
        let nulls = self.nulls()?;
        let mut pile = Pile::new(self.rows());
        for row in 0..self.rows() {
            if nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
                cell(row, &mut pile.text)?;
            }
            pile.end()?;
        }
        Ok(Arc::new(pile.finish(nulls)?))
    }

    /// As [`Arguments::write`] for a cell that may be null: where it gives false.
    pub fn write_nullable(&self, mut cell: impl FnMut(usize, &mut String) -> Result<bool>) -> Result<ArrayRef> {
        let nulls = self.nulls()?;
        let mut pile = Pile::new(self.rows());
        let mut valid = Vec::with_capacity(self.rows());
        for row in 0..self.rows() {
            let present = nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) && cell(row, &mut pile.text)?;
            valid.push(present);
            pile.end()?;
        }
        Ok(Arc::new(pile.finish(Some(NullBuffer::from(valid)))?))
    }

    /// A list of texts for each row in which no argument is null: what `cell` adds to it.
    pub fn write_lists(&self, mut cell: impl FnMut(usize, &mut Listed) -> Result<()>) -> Result<ArrayRef> {
        self.write_nullable_lists(|row, list| cell(row, list).map(|()| true))
    }

    /// As [`Arguments::write_lists`] for a cell that may be null: where it gives false, having added nothing.
    pub fn write_nullable_lists(&self, mut cell: impl FnMut(usize, &mut Listed) -> Result<bool>) -> Result<ArrayRef> {
        let nulls = self.nulls()?;
        let mut listed = Listed { pile: Pile::new(self.rows()), valid: Vec::new() };
        let (mut lengths, mut valid) = (Vec::with_capacity(self.rows()), Vec::with_capacity(self.rows()));
        for row in 0..self.rows() {
            let before = listed.valid.len();
            let present = nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) && cell(row, &mut listed)?;
            valid.push(present);
            lengths.push(listed.valid.len() - before);
        }
        let item = Arc::new(ColumnType::required(Type::Text).to_field("item"));
        let some_null = listed.valid.contains(&false);
        let items = listed.pile.finish(some_null.then(|| NullBuffer::from(listed.valid)))?;
        let offsets = OffsetBuffer::from_lengths(lengths);
        let nulls = valid.contains(&false).then(|| NullBuffer::from(valid));
        Ok(Arc::new(ListArray::try_new(item, offsets, Arc::new(items), nulls)?))
    }
}

/// The elements of a list of texts that is being written.
pub struct Listed {
    pile: Pile,
    valid: Vec<bool>,
}

impl Listed {
    /// Adds an element; `None` is null.
    pub fn push(&mut self, text: Option<&str>) -> Result<()> {
        self.pile.text.push_str(text.unwrap_or_default());
        self.valid.push(text.is_some());
        self.pile.end()
    }
}
