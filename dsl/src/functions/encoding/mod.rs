//! Hashes, encodings of bytes as text, UUIDs.

mod coded;
mod hashes;
mod urls;

use super::entry::{Function, Overload, Parameters};
use super::group::Group;
use super::takes::{Gives, Simple, Takes};

/// The entries, file by file.
pub(super) const LIBRARY: [&[Function]; 3] = [hashes::LIBRARY, coded::LIBRARY, urls::LIBRARY];

const TEXT: Parameters = &[("x", Takes::Value(Simple::Text))];
const BYTES: Parameters = &[("x", Takes::Value(Simple::Bytes))];
const TO_FLOAT: Gives = Gives::Value(Simple::Float);
const TO_INT: Gives = Gives::Value(Simple::Int);
const TO_TEXT: Gives = Gives::Value(Simple::Text);

const fn entry(
    name: &'static str,
    doc: &'static str,
    examples: &'static [(&'static str, &'static str)],
    overloads: &'static [Overload],
) -> Function {
    Function { name, group: Group::Encoding, doc, examples, overloads }
}
