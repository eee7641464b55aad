//! The aggregates: types of their results, and what the plan keeps for them.

mod docs;

use datafusion_common::ScalarValue;
use tidebook_plan::flow::Fraction;
use tidebook_plan::{ColumnType, Type};

use super::cast::cast;
use super::convert::{MAX_DIGITS, coerce};
use super::evaluate::evaluate;
use super::json::canonical;
use super::typed::{CallFault, FaultKind, Typed};
pub use docs::{AGGREGATES, AggregateDoc};

/// An aggregate that the plan knows.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AggregateFunction {
    /// Number of rows.
    CountRows,
    /// Number of values that are not null.
    Count,
    /// Number of different values that are not null.
    CountDistinct,
    /// Sum; null without values.
    Sum,
    /// Mean: a float, or a duration or an instant of those; null without values.
    Avg,
    /// Variance of the sample; null below two values.
    Variance,
    /// Standard deviation of the sample; null below two values.
    StandardDeviation,
    /// Smallest value; null without values.
    Min,
    /// Largest value; null without values.
    Max,
    /// Value of the first row in the order; null without one.
    First,
    /// Value of the last row in the order; null without one.
    Last,
    /// All values, in the order and then by value.
    List,
    /// The different values, by value or in the order of their first rows.
    Set,
    /// All texts with the separator between them; null without one.
    Join(String),
    /// Quantile; null without values.
    Quantile(Fraction),
}

impl AggregateFunction {
    /// True if it is read from sums of its values, so that rows can be filtered while they are summed.
    pub fn is_sum(&self) -> bool {
        matches!(
            self,
            AggregateFunction::CountRows
                | AggregateFunction::Count
                | AggregateFunction::Sum
                | AggregateFunction::Avg
                | AggregateFunction::Variance
                | AggregateFunction::StandardDeviation
        )
    }

    /// How it is written.
    pub fn name(&self) -> &'static str {
        match self {
            AggregateFunction::CountRows | AggregateFunction::Count => "count",
            AggregateFunction::CountDistinct => "count_distinct",
            AggregateFunction::Sum => "sum",
            AggregateFunction::Avg => "avg",
            AggregateFunction::Variance => "variance",
            AggregateFunction::StandardDeviation => "stddev",
            AggregateFunction::Min => "min",
            AggregateFunction::Max => "max",
            AggregateFunction::First => "first",
            AggregateFunction::Last => "last",
            AggregateFunction::List => "list",
            AggregateFunction::Set => "set",
            AggregateFunction::Join(_) => "join",
            AggregateFunction::Quantile(fraction) if *fraction == Fraction::HALF => "median",
            AggregateFunction::Quantile(_) => "quantile",
        }
    }
}

/// How an aggregate is told its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderWord {
    /// It has none.
    None,
    /// `first(e by at)`; it must be there.
    By,
    /// `list(e sort by at)`; without it, values go by themselves.
    Sort,
}

/// How the aggregate `name` is told its order.
pub fn order_word(name: &str) -> OrderWord {
    match name {
        "first" | "last" => OrderWord::By,
        "list" | "set" | "join" => OrderWord::Sort,
        _ => OrderWord::None,
    }
}

/// A call of an aggregate.
#[derive(Clone, Debug)]
pub struct AggregateCall {
    /// Which.
    pub function: AggregateFunction,
    /// What it is of; `None` for [`AggregateFunction::CountRows`].
    pub argument: Option<Typed>,
    /// The order in which it sees rows, each key with true for descending.
    pub order: Vec<(Typed, bool)>,
    /// Type of the result in a group that is never empty: every row counts that has a value.
    pub result: ColumnType,
}

/// The aggregate `name` of these arguments, over rows in this order; `None` if there is none of that name.
pub fn aggregate(name: &str, args: Vec<Typed>, order: Vec<(Typed, bool)>) -> Option<Result<AggregateCall, CallFault>> {
    AGGREGATES.iter().any(|doc| doc.name == name).then(|| Call { name, args, order }.bind())
}

/// A call that is not bound yet.
struct Call<'a> {
    name: &'a str,
    args: Vec<Typed>,
    order: Vec<(Typed, bool)>,
}

impl Call<'_> {
    fn bind(mut self) -> Result<AggregateCall, CallFault> {
        if self.name == "count" && self.args.is_empty() {
            let result = ColumnType::required(Type::Int);
            return Ok(AggregateCall { function: AggregateFunction::CountRows, argument: None, order: vec![], result });
        }
        let expected = if matches!(self.name, "arg_min" | "arg_max" | "quantile" | "join") { 2 } else { 1 };
        if self.args.len() != expected {
            let message = match expected {
                1 => format!("`{}` takes one argument, not {}", self.name, self.args.len()),
                _ => format!("`{}` takes two arguments, not {}", self.name, self.args.len()),
            };
            let fault = CallFault::new(FaultKind::Arity, message);
            let doc = AGGREGATES.iter().find(|doc| doc.name == self.name);
            let call = doc.and_then(|doc| doc.signatures.last()?.split(" -> ").next());
            return Err(match call {
                Some(call) => fault.with_help(format!("it is called as `{call}`")),
                None => fault,
            });
        }
        let second = (expected == 2).then(|| self.args.remove(1));
        let argument = self.args.remove(0);
        // What is only known to be null is counted and added up as ints.
        let argument = match argument.is_null_type() {
            true => coerce(argument.clone(), &Type::Int).unwrap_or(argument),
            false => argument,
        };
        let function = match (self.name, second) {
            ("arg_min" | "arg_max", Some(by)) => {
                self.order = vec![(by, false)];
                if self.name == "arg_min" { AggregateFunction::First } else { AggregateFunction::Last }
            }
            ("quantile", Some(fraction)) => AggregateFunction::Quantile(self.fraction(fraction)?),
            ("join", Some(separator)) => AggregateFunction::Join(self.separator(&separator)?),
            ("count", _) => AggregateFunction::Count,
            ("count_distinct" | "approx_count_distinct", _) => AggregateFunction::CountDistinct,
            ("sum", _) => AggregateFunction::Sum,
            ("avg", _) => AggregateFunction::Avg,
            ("variance", _) => AggregateFunction::Variance,
            ("stddev", _) => AggregateFunction::StandardDeviation,
            ("min" | "all", _) => AggregateFunction::Min,
            ("max" | "any", _) => AggregateFunction::Max,
            ("first", _) => AggregateFunction::First,
            ("last", _) => AggregateFunction::Last,
            ("list", _) => AggregateFunction::List,
            ("set", _) => AggregateFunction::Set,
            ("median", _) => AggregateFunction::Quantile(Fraction::HALF),
            (name, _) => return Err(CallFault::new(FaultKind::Unknown, format!("unknown aggregate `{name}`"))),
        };
        let own = argument.clone();
        let argument = self.argument(&function, argument)?;
        for (index, (key, _)) in self.order.iter().enumerate() {
            if let Some(fault) = without_order(&key.ty.ty) {
                // Of `arg_min(e, by)` it is the second argument; other orders stand outside of the arguments.
                return Err(if self.name.starts_with("arg_") { fault.at(1) } else { fault.at(expected + index) });
            }
        }
        if matches!(function, AggregateFunction::Join(_)) && own != argument && without_order(&own.ty.ty).is_none() {
            // By value, not by what is written: 9 stands before 10.
            self.order.push((own, false));
        }
        let result = self.result(&function, &argument)?;
        Ok(AggregateCall { function, argument: Some(argument), order: self.order, result })
    }

    fn refuse(&self, ty: &Type) -> CallFault {
        let fault = CallFault::new(FaultKind::Type, format!("`{}` does not take {ty}", self.name)).at(0);
        match ty {
            Type::Text | Type::Json => fault.with_help(format!("read it as a number first: `{}(float(…))`", self.name)),
            Type::Bool => fault.with_help("the rows for which it is true are counted with `count() filter (where …)`"),
            _ => fault,
        }
    }

    /// The argument as the aggregate sees it.
    fn argument(&self, function: &AggregateFunction, argument: Typed) -> Result<Typed, CallFault> {
        let ty = argument.ty.ty.clone();
        match function {
            // Equal documents may be written in several ways.
            AggregateFunction::CountDistinct | AggregateFunction::Set if ty == Type::Json => Ok(canonical(argument)),
            // Pieces of text as in an f-string, but that a null is no piece.
            AggregateFunction::Join(_) => cast(argument, &Type::Text).map_err(|_| self.refuse(&ty)),
            // Between two days lie instants.
            AggregateFunction::Avg | AggregateFunction::Quantile(_) if ty == Type::Date => {
                coerce(argument, &Type::Timestamp).ok_or_else(|| self.refuse(&ty))
            }
            AggregateFunction::Min | AggregateFunction::Max => match without_order(&ty) {
                Some(fault) => Err(CallFault { help: fault.help, ..self.refuse(&ty) }),
                None => Ok(argument),
            },
            _ => Ok(argument),
        }
    }

    fn result(&self, function: &AggregateFunction, argument: &Typed) -> Result<ColumnType, CallFault> {
        let ty = argument.ty.ty.clone();
        let nullable = ColumnType::nullable;
        Ok(match function {
            AggregateFunction::CountRows | AggregateFunction::Count | AggregateFunction::CountDistinct => {
                ColumnType::required(Type::Int)
            }
            AggregateFunction::List | AggregateFunction::Set => {
                ColumnType::required(Type::List(Box::new(ColumnType::required(ty))))
            }
            AggregateFunction::Sum => match ty {
                Type::Int | Type::Float | Type::Duration => nullable(ty),
                Type::Decimal { scale, .. } => nullable(Type::Decimal { precision: MAX_DIGITS, scale }),
                _ => return Err(self.refuse(&ty)),
            },
            AggregateFunction::Avg | AggregateFunction::Quantile(_) => match ty {
                Type::Duration | Type::Timestamp => nullable(ty),
                ty if ty.is_numeric() => nullable(Type::Float),
                _ => return Err(self.refuse(&ty)),
            },
            AggregateFunction::StandardDeviation if ty == Type::Duration => nullable(ty),
            AggregateFunction::Variance if ty == Type::Duration => {
                return Err(self.refuse(&ty).with_help("take `stddev`, which is a duration again"));
            }
            AggregateFunction::Variance | AggregateFunction::StandardDeviation => match ty.is_numeric() {
                true => nullable(Type::Float),
                false => return Err(self.refuse(&ty)),
            },
            AggregateFunction::Min | AggregateFunction::Max | AggregateFunction::First | AggregateFunction::Last => {
                nullable(ty)
            }
            AggregateFunction::Join(_) => nullable(Type::Text),
        })
    }

    /// The value of an argument that no row changes.
    fn constant(&self, argument: &Typed, what: &str) -> Result<ScalarValue, CallFault> {
        if !argument.expr.column_refs().is_empty() {
            let message = format!("the {what} of `{}` is a constant, the same for all rows", self.name);
            return Err(CallFault::new(FaultKind::Value, message).at(1));
        }
        evaluate(argument).map_err(|message| CallFault::new(FaultKind::Value, message).at(1))
    }

    fn fraction(&self, argument: Typed) -> Result<Fraction, CallFault> {
        let found = argument.ty.clone();
        let Some(argument) = coerce(argument, &Type::Float) else {
            let message = format!("the fraction of `{}` is a float from 0 to 1, not {found}", self.name);
            return Err(CallFault::new(FaultKind::Type, message).at(1));
        };
        let value = self.constant(&argument, "fraction")?;
        let inside = match value {
            ScalarValue::Float64(Some(value)) => Fraction::new(value),
            _ => None,
        };
        inside.ok_or_else(|| {
            let message = format!("the fraction of `{}` lies from 0 to 1, not at {value}", self.name);
            CallFault::new(FaultKind::Value, message).at(1).with_help("the 95th percentile is `quantile(e, 0.95)`")
        })
    }

    fn separator(&self, argument: &Typed) -> Result<String, CallFault> {
        match self.constant(argument, "separator")? {
            ScalarValue::Utf8(Some(text)) => Ok(text),
            _ => {
                let message = format!("the separator of `{}` is a text, not {}", self.name, argument.ty);
                Err(CallFault::new(FaultKind::Type, message).at(1))
            }
        }
    }
}

/// Why values of a type have no first or last; `None` where they do.
pub fn without_order(ty: &Type) -> Option<CallFault> {
    let help = match ty {
        Type::Json => "give it a type: `text(e)`, `float(e.price)`",
        Type::Vector(_) => "order by a number: a distance, an element",
        Type::List(item) => return without_order(&item.ty),
        Type::Record(fields) => return fields.iter().find_map(|(_, field)| without_order(&field.ty)),
        _ => return None,
    };
    Some(CallFault::new(FaultKind::Type, format!("{ty} has no order")).with_help(help))
}
