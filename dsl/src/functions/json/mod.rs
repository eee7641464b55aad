//! Functions of JSON documents. A document is kept as its text; what a function does not touch stays as it is written.

mod canonical;
mod parts;
mod values;

use serde_json::Value;

use super::entry::{Function, Overload, Parameters};
use super::group::Group;
use super::takes::{Gives, Simple, Takes};
pub(super) use canonical::canonical;
pub use canonical::of_equals;

/// The entries, file by file.
pub(super) const LIBRARY: [&[Function]; 2] = [parts::LIBRARY, values::LIBRARY];

const VALUE_JSON: Takes = Takes::Value(Simple::Json);
const DOCUMENT: Parameters = &[("document", VALUE_JSON)];
const DOCUMENT_AND_PATH: Parameters = &[("document", VALUE_JSON), ("path", Takes::Value(Simple::Text))];
const JSON_OR_NULL: Gives = Gives::Nullable(Simple::Json);

const fn entry(
    name: &'static str,
    doc: &'static str,
    examples: &'static [(&'static str, &'static str)],
    overloads: &'static [Overload],
) -> Function {
    Function { name, group: Group::Json, doc, examples, overloads }
}

/// The document of a text that is one, as all values of type json are.
fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or(Value::Null)
}
