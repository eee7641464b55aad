//! The aggregates: types of their results, and what the plan keeps for them.

use tidebook_plan::{ColumnType, Type};

use super::convert::{MAX_DIGITS, coerce};
use super::typed::{CallFault, FaultKind, Typed};

/// An aggregate that the plan knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AggregateFunction {
    /// Number of rows.
    CountRows,
    /// Number of values that are not null.
    Count,
    /// Sum; null without values.
    Sum,
    /// Mean as float; null without values.
    Avg,
    /// Smallest value; null without values.
    Min,
    /// Largest value; null without values.
    Max,
}

impl AggregateFunction {
    /// How it is written.
    pub fn name(self) -> &'static str {
        match self {
            AggregateFunction::CountRows | AggregateFunction::Count => "count",
            AggregateFunction::Sum => "sum",
            AggregateFunction::Avg => "avg",
            AggregateFunction::Min => "min",
            AggregateFunction::Max => "max",
        }
    }
}

/// A call of an aggregate.
#[derive(Clone, Debug)]
pub struct AggregateCall {
    /// Which.
    pub function: AggregateFunction,
    /// What it is of; `None` for [`AggregateFunction::CountRows`].
    pub argument: Option<Typed>,
    /// Type of the result. A count is required; the others are nullable, since a group may hold no value for them:
    /// where there are keys, no filter and a required argument, a group always has one, and the caller may say so.
    pub result: ColumnType,
}

/// Documentation of an aggregate.
#[derive(Debug)]
pub struct AggregateDoc {
    /// Its name.
    pub name: &'static str,
    /// The ways to call it.
    pub signatures: &'static [&'static str],
    /// What it gives.
    pub doc: &'static str,
}

/// The aggregates that run, for completion, help and the reference.
pub const AGGREGATES: &[AggregateDoc] = &[
    AggregateDoc {
        name: "count",
        signatures: &["count() -> int", "count(e: any) -> int"],
        doc: "Number of rows, or of values that are not null.",
    },
    AggregateDoc {
        name: "sum",
        signatures: &[
            "sum(e: int) -> int?",
            "sum(e: float) -> float?",
            "sum(e: decimal) -> decimal?",
            "sum(e: duration) -> duration?",
        ],
        doc: "Sum of the values that are not null; null without any. Sums of floats \
              are exact and rounded once, so that they never depend \
              on the order of rows; a sum that its type does not hold is a row error.",
    },
    AggregateDoc {
        name: "avg",
        signatures: &["avg(e: number) -> float?"],
        doc: "Mean of the values that are not null; null without any.",
    },
    AggregateDoc {
        name: "min",
        signatures: &["min(e: T) -> T?"],
        doc: "Smallest value that is not null; null without any.",
    },
    AggregateDoc {
        name: "max",
        signatures: &["max(e: T) -> T?"],
        doc: "Largest value that is not null; null without any. NaN is larger than every number.",
    },
];

/// The aggregate `name` of these arguments; `None` if there is none of that name.
pub fn aggregate(name: &str, args: Vec<Typed>) -> Option<Result<AggregateCall, CallFault>> {
    let function = match name {
        "count" if args.is_empty() => AggregateFunction::CountRows,
        "count" => AggregateFunction::Count,
        "sum" => AggregateFunction::Sum,
        "avg" => AggregateFunction::Avg,
        "min" => AggregateFunction::Min,
        "max" => AggregateFunction::Max,
        _ => return None,
    };
    Some(bind(function, args))
}

fn bind(function: AggregateFunction, mut args: Vec<Typed>) -> Result<AggregateCall, CallFault> {
    let name = function.name();
    if function == AggregateFunction::CountRows {
        return Ok(AggregateCall { function, argument: None, result: ColumnType::required(Type::Int) });
    }
    if args.len() != 1 {
        return Err(CallFault::new(FaultKind::Arity, format!("`{name}` takes one argument, not {}", args.len())));
    }
    let argument = args.remove(0);
    let refuse = |ty: &Type| Err(CallFault::new(FaultKind::Type, format!("`{name}` does not take {ty}")).at(0));
    // What is only known to be null is counted and added up as ints.
    let argument = match argument.is_null_type() {
        true => coerce(argument.clone(), &Type::Int).unwrap_or(argument),
        false => argument,
    };
    let ty = argument.ty.ty.clone();
    let result = match (function, &ty) {
        (AggregateFunction::Count, _) => ColumnType::required(Type::Int),
        (AggregateFunction::Sum, Type::Int | Type::Float | Type::Duration) => ColumnType::nullable(ty),
        (AggregateFunction::Sum, Type::Decimal { scale, .. }) => {
            ColumnType::nullable(Type::Decimal { precision: MAX_DIGITS, scale: *scale })
        }
        (AggregateFunction::Avg, ty) if ty.is_numeric() => ColumnType::nullable(Type::Float),
        (
            AggregateFunction::Min | AggregateFunction::Max,
            Type::Json | Type::Vector(_) | Type::List(_) | Type::Record(_),
        ) => {
            return refuse(&ty);
        }
        (AggregateFunction::Min | AggregateFunction::Max, _) => ColumnType::nullable(ty),
        _ => return refuse(&ty),
    };
    Ok(AggregateCall { function, argument: Some(argument), result })
}
