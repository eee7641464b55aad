//! The typed scalar library: operators, casts, choice and functions, each bound to Tide types here and evaluated on
//! Arrow arrays.
//!
//! *Invariant:* what is bound here evaluates a batch to what it evaluates each row alone, and fails only where it is
//! marked fallible.

mod aggregate;
mod arguments;
mod arithmetic;
mod attempt;
mod borrowed;
mod cast;
mod convert;
mod encoding;
mod entry;
mod evaluate;
mod fallible;
mod foreign;
mod group;
mod interval;
mod json;
mod kernel;
mod list;
mod logic;
mod nested;
mod number;
mod only;
mod prepare;
mod record;
mod takes;
mod text;
mod time;
mod typed;
mod vector;
mod windows;
mod written;

#[cfg(test)]
pub(crate) mod tests;

pub use aggregate::{
    AGGREGATES, AggregateCall, AggregateDoc, AggregateFunction, OrderWord, aggregate, order_word, without_order,
};
pub use arithmetic::{Arithmetic, arithmetic, negate};
pub use attempt::attempt;
pub use cast::{DEFAULT_DECIMAL, cast, natural_decimal, read, show};
pub use convert::{coerce, common_type, with_decimal_literals};
pub use entry::Function;
pub use evaluate::evaluate;
pub use fallible::is_fallible;
pub use foreign::foreign;
pub use group::Group;
pub use interval::{Ends, INTERVAL_JOIN, bucket, is_nearer, partner_buckets, within};
pub use json::of_equals;
pub use kernel::{row_error, row_error_text};
pub use logic::{
    Comparison, and, between, case, coalesce, compare, equal_values, in_list, in_value, is_null, like, not, or,
};
pub use nested::{field, index, list, record};
pub use only::only;
pub use text::interpolate;
pub use time::windows::{length as window_length, window_type};
pub use typed::{CallFault, FaultKind, Typed};
pub use windows::{OVER, SESSION, WINDOWS};

/// The library, group by group. Operators and casts are part of the language, not of this list.
pub fn functions() -> impl Iterator<Item = &'static Function> {
    let files = text::LIBRARY.into_iter().chain([text::PATTERNS]).chain(number::LIBRARY).chain(time::LIBRARY);
    let files = files.chain(list::LIBRARY).chain([record::LIBRARY]).chain(json::LIBRARY).chain([vector::LIBRARY]);
    files.chain(encoding::LIBRARY).chain([logic::LIBRARY]).flatten()
}

/// The function of this name.
pub fn function(name: &str) -> Option<&'static Function> {
    functions().find(|function| function.name == name)
}

/// Names of all that can be called, aggregates and casts left out.
pub fn names() -> impl Iterator<Item = &'static str> {
    functions().map(|function| function.name)
}

/// `name(args)`.
pub fn call(name: &str, args: Vec<Typed>) -> Result<Typed, CallFault> {
    let Some(function) = function(name) else {
        return Err(CallFault::new(FaultKind::Unknown, format!("unknown function `{name}`")));
    };
    function.bind(args)
}
