//! The typed scalar library: operators, casts, choice and functions, each bound to Tide types here and evaluated on
//! Arrow arrays.
//!
//! *Invariant:* what is bound here evaluates a batch to what it evaluates each row alone, and fails only where it is
//! marked fallible.

mod aggregate;
mod arguments;
mod arithmetic;
mod attempt;
mod cast;
mod convert;
mod entry;
mod evaluate;
mod fallible;
mod kernel;
mod logic;
mod nested;
mod number;
mod text;
mod time;
mod typed;

#[cfg(test)]
pub(crate) mod tests;

use tidebook_plan::diagnostic::near_names;

pub use aggregate::{AGGREGATES, AggregateCall, AggregateDoc, AggregateFunction, aggregate};
pub use arithmetic::{Arithmetic, arithmetic, negate};
pub use attempt::attempt;
pub use cast::{cast, read, show};
pub use convert::{coerce, common_type};
pub use entry::{Function, Group};
pub use evaluate::evaluate;
pub use fallible::is_fallible;
pub use kernel::{row_error, row_error_text};
pub use logic::{Comparison, and, between, case, coalesce, compare, in_list, is_null, like, not, or};
pub use nested::{field, index, list, record};
pub use text::interpolate;
pub use typed::{CallFault, FaultKind, Typed};

/// The library, group by group. Operators, casts and `try` are part of the language, not of this list.
pub fn functions() -> impl Iterator<Item = &'static Function> {
    [text::LIBRARY, text::PATTERNS, number::LIBRARY, time::LIBRARY, nested::LIBRARY].into_iter().flatten()
}

/// Names of all that can be called, `try` and aggregates left out.
pub fn names() -> impl Iterator<Item = &'static str> {
    functions().map(|function| function.name)
}

/// `name(args)`, `try` included.
pub fn call(name: &str, args: Vec<Typed>) -> Result<Typed, CallFault> {
    if name == "try" {
        let count = args.len();
        let mut args = args.into_iter();
        return match (args.next(), args.next(), args.next()) {
            (Some(arg), otherwise, None) => attempt(arg, otherwise),
            _ => {
                let fault = CallFault::new(FaultKind::Arity, format!("`try` does not take {count} arguments"));
                Err(fault.with_help("it is called as `try(e)` or `try(e, default)`"))
            }
        };
    }
    let Some(function) = functions().find(|function| function.name == name) else {
        let fault = CallFault::new(FaultKind::Unknown, format!("unknown function `{name}`"));
        return Err(match near_names(name, names().chain(["try"])).first() {
            Some(near) => fault.with_help(format!("did you mean `{near}`?")),
            None => fault,
        });
    };
    function.bind(args)
}
