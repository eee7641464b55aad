//! Tests of the library: the law over random batches, results of single expressions, and the examples of the
//! documentation.

mod examples;
mod law;
mod operators;
mod results;
pub(crate) mod values;
