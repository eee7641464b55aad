//! Random aggregates.

use super::expression::{random_column_value, random_expression};
use super::{Column, Expression, Kind, Random};

/// What an aggregate does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AggregateFunction {
    /// `count()`
    CountRows,
    /// `count(e)`
    Count,
    /// `count_distinct(e)`, or by its other name.
    CountDistinct(&'static str),
    /// `sum(e)`
    Sum,
    /// `avg(e)`
    Average,
    /// `variance(e)`
    Variance,
    /// `stddev(e)`
    Deviation,
    /// `min(e)`
    Least,
    /// `max(e)`
    Most,
    /// `any(e)`
    Any,
    /// `all(e)`
    All,
    /// `first(e by k, …)`
    First,
    /// `last(e by k, …)`
    Last,
    /// `arg_min(e, k)`
    ArgMin,
    /// `arg_max(e, k)`
    ArgMax,
    /// `list(e sort by k, …)[i]`
    ListElement(usize),
    /// `set(e sort by k, …)[i]`
    SetElement(usize),
    /// `join(e, "…" sort by k, …)`
    Join(&'static str),
    /// `median(e)`
    Median,
    /// `quantile(e, p)`
    Quantile(f64),
}

/// An aggregate of a `summarize`.
#[derive(Clone, Debug)]
pub struct Aggregate {
    /// The column that it gives.
    pub column: Column,
    /// What it does.
    pub function: AggregateFunction,
    /// Of what; ignored by [`AggregateFunction::CountRows`].
    pub argument: Expression,
    /// In which order, each key with whether it is descending.
    pub order: Vec<(Expression, bool)>,
    /// Over which rows.
    pub filter: Option<Expression>,
}

impl Aggregate {
    /// True if DataFusion means the same by it.
    pub fn is_plain(&self) -> bool {
        use AggregateFunction::{Average, Count, CountRows, Least, Most, Sum};
        matches!(self.function, CountRows | Count | Sum | Average | Least | Most)
            && !matches!(self.argument.kind(), Kind::Decimal | Kind::Duration | Kind::Mean)
    }
}

/// An aggregate over the columns, whose result `name` makes a column of.
pub fn random_aggregate(random: &mut Random, columns: &[Column], name: impl FnOnce(Kind) -> Column) -> Aggregate {
    let function = random_function(random);
    let kind = *match function {
        AggregateFunction::Sum if random.percent(80) => random.pick(&[Kind::Int, Kind::Float]),
        AggregateFunction::Sum => &Kind::Duration,
        AggregateFunction::Average | AggregateFunction::Median | AggregateFunction::Quantile(_) => {
            random.pick(&[Kind::Int, Kind::Float, Kind::Decimal, Kind::Duration])
        }
        AggregateFunction::Variance => random.pick(&[Kind::Int, Kind::Float, Kind::Decimal]),
        AggregateFunction::Deviation => random.pick(&[Kind::Int, Kind::Float, Kind::Duration]),
        AggregateFunction::Any | AggregateFunction::All => &Kind::Bool,
        AggregateFunction::Least | AggregateFunction::Most => {
            random.pick(&[Kind::Int, Kind::Float, Kind::Text, Kind::Decimal, Kind::Duration, Kind::Mean])
        }
        // The texts of durations are those of another test.
        AggregateFunction::Join(_) => random.pick(&[Kind::Text, Kind::Text, Kind::Int, Kind::Float, Kind::Bool]),
        _ => random.pick(&Kind::ALL),
    };
    let argument = random_column_value(random, columns, kind);
    let keys = match function {
        AggregateFunction::First | AggregateFunction::Last => 1 + random.below(2),
        AggregateFunction::ArgMin | AggregateFunction::ArgMax => 1,
        AggregateFunction::ListElement(_) | AggregateFunction::SetElement(_) | AggregateFunction::Join(_) => {
            random.below(3)
        }
        _ => 0,
    };
    let order = (0..keys)
        .map(|_| {
            let kind = *random.pick(&Kind::ALL);
            let key = random_column_value(random, columns, kind);
            let has_direction = !matches!(function, AggregateFunction::ArgMin | AggregateFunction::ArgMax);
            (key, has_direction && random.percent(40))
        })
        .collect();
    let filter = random.percent(30).then(|| random_expression(random, columns, Kind::Bool, 2));
    let result = match function {
        AggregateFunction::CountRows | AggregateFunction::Count | AggregateFunction::CountDistinct(_) => Kind::Int,
        AggregateFunction::Average
        | AggregateFunction::Variance
        | AggregateFunction::Deviation
        | AggregateFunction::Median
        | AggregateFunction::Quantile(_) => {
            if kind == Kind::Duration {
                kind
            } else {
                Kind::Float
            }
        }
        AggregateFunction::Join(_) => Kind::Text,
        _ => kind,
    };
    Aggregate { column: name(result), function, argument, order, filter }
}

fn random_function(random: &mut Random) -> AggregateFunction {
    use AggregateFunction::{
        All, Any, ArgMax, ArgMin, Average, Count, CountDistinct, CountRows, Deviation, First, Join, Last, Least,
        ListElement, Median, Most, Quantile, SetElement, Sum, Variance,
    };
    match random.below(24) {
        0 | 1 => CountRows,
        2 => Count,
        3 | 4 => Sum,
        5 => Average,
        6 => Least,
        7 => Most,
        8 => *random.pick(&[Any, All]),
        9 | 10 => CountDistinct(*random.pick(&["count_distinct", "approx_count_distinct"])),
        11 | 12 => First,
        13 | 14 => Last,
        15 => *random.pick(&[ArgMin, ArgMax]),
        16 | 17 => ListElement(random.below(4)),
        18 => SetElement(random.below(3)),
        19 | 20 => Join(*random.pick(&["", ", ", "\u{2192}"])),
        21 => Median,
        22 => Quantile(*random.pick(&[0.0, 0.1, 0.25, 0.5, 0.9, 1.0])),
        _ => *random.pick(&[Variance, Deviation]),
    }
}
