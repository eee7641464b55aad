//! The parser that pest makes of `tide.pest`. Nothing outside of [`syntax`](super) sees pest.

#![allow(missing_docs, reason = "the derive gives one undocumented variant for each rule of the grammar")]

/// The generated parser.
#[derive(pest_derive::Parser)]
#[grammar = "syntax/tide.pest"]
pub(super) struct Grammar;
