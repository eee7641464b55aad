//! Choice as functions. Each becomes a `case`, so that an argument is computed only where it is needed.

use datafusion_common::ScalarValue;
use tidebook_plan::ColumnType;

use super::super::attempt::attempt;
use super::super::entry::{Function, rewritten};
use super::super::group::Group;
use super::super::takes::{Gives, Simple, Takes};
use super::super::typed::{CallFault, FaultKind, Typed};
use super::{Comparison, case, coalesce, compare};

/// The entries.
pub const LIBRARY: &[Function] = &[
    Function {
        name: "if",
        group: Group::Choice,
        doc: "The second argument where the condition is true, else the third, also where the condition is null; without \
              a third, null.",
        examples: &[("if(1 < 2, \"yes\", \"no\")", "yes"), ("if(null, 1, 2)", "2"), ("if(1 > 2, 1)", "null")],
        overloads: &[
            rewritten(&[("condition", CONDITION), ("then", Takes::Same)], Gives::Item, choose),
            rewritten(
                &[("condition", CONDITION), ("then", Takes::Same), ("otherwise", Takes::Same)],
                Gives::Shared,
                choose,
            ),
        ],
    },
    Function {
        name: "coalesce",
        group: Group::Choice,
        doc: "The first argument that is not null; null if all are. Of two it is `a ?? b`.",
        examples: &[("coalesce(null, 2, 3)", "2")],
        overloads: &[rewritten(&[("x", Takes::Same), ("y", Takes::Same)], Gives::Shared, first_present).repeating()],
    },
    Function {
        name: "nullif",
        group: Group::Choice,
        doc: "The first argument, but null where it equals the second.",
        examples: &[("nullif(\"n/a\", \"n/a\")", "null"), ("nullif(5, 0)", "5")],
        overloads: &[rewritten(&[("x", Takes::Same), ("y", Takes::Same)], Gives::Item, null_if)],
    },
    Function {
        name: "try",
        group: Group::Choice,
        doc: "The value of an expression, or where it fails null, or the default. Without it a row that fails leaves the \
              table and stands in its `errors`.",
        examples: &[("try(1 / 0)", "null"), ("try(int(\"x\"), -1)", "-1"), ("try(int(\"7\"))", "7")],
        overloads: &[
            rewritten(&[("e", Takes::Any)], Gives::First, attempted),
            rewritten(&[("e", Takes::Any), ("default", Takes::Any)], Gives::First, attempted),
        ],
    },
];

const CONDITION: Takes = Takes::Value(Simple::Bool);

fn missing() -> CallFault {
    CallFault::new(FaultKind::Arity, "arguments are missing")
}

fn choose(args: Vec<Typed>) -> Result<Typed, CallFault> {
    let mut args = args.into_iter();
    let (Some(condition), Some(then)) = (args.next(), args.next()) else { return Err(missing()) };
    case(vec![(condition, then)], args.next())
}

fn first_present(args: Vec<Typed>) -> Result<Typed, CallFault> {
    // From the right, so that each argument is asked only where those before it are null.
    args.into_iter().rev().map(Ok).reduce(|rest, arg| coalesce(arg?, rest?)).ok_or_else(missing)?
}

fn null_if(args: Vec<Typed>) -> Result<Typed, CallFault> {
    let mut args = args.into_iter();
    let (Some(value), Some(other)) = (args.next(), args.next()) else { return Err(missing()) };
    let ty = value.ty.ty.clone();
    let equal = compare(Comparison::Equal, value.clone(), other)?;
    let null = ScalarValue::try_from(&ty.to_arrow())
        .map_err(|_| CallFault::new(FaultKind::Type, format!("`nullif` does not take {ty}")).at(0))?;
    let null = Typed::literal(null, ColumnType::nullable(ty));
    case(vec![(equal, null)], Some(value))
}

fn attempted(args: Vec<Typed>) -> Result<Typed, CallFault> {
    let mut args = args.into_iter();
    let expression = args.next().ok_or_else(missing)?;
    attempt(expression, args.next())
}
