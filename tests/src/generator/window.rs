//! Random window functions.

use super::aggregate::random_aggregate;
use super::expression::{random_column_value, random_expression};
use super::{Aggregate, Column, Expression, Kind, Random};

/// What a window function does.
#[derive(Clone, Debug)]
pub enum WindowFunction {
    /// `row_number()`
    RowNumber,
    /// `rank()`
    Rank,
    /// `dense_rank()`
    DenseRank,
    /// `lag(e, n, default)`
    Lag(Expression, usize, Option<Expression>),
    /// `lead(e, n, default)`
    Lead(Expression, usize, Option<Expression>),
    /// `first(e)`: of the first row of the frame.
    FirstRow(Expression),
    /// `last(e)`
    LastRow(Expression),
    /// An aggregate; its own column is not meant.
    Aggregate(Aggregate),
}

/// Which rows it sees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum WindowFrame {
    /// What `over` says without one.
    Default,
    /// `last n rows`
    Rows(usize),
    /// `last n` of an int.
    Ints(i64),
    /// `last x` of a float.
    Floats(f64),
    /// `last d` of a duration, in microseconds.
    Durations(i64),
}

/// A window function of a step.
#[derive(Clone, Debug)]
pub struct Window {
    /// The column that it gives.
    pub column: Column,
    /// What it does.
    pub function: WindowFunction,
    /// `by`
    pub partition: Vec<Expression>,
    /// `sort`, each key with whether it is descending.
    pub order: Vec<(Expression, bool)>,
    /// The frame.
    pub frame: WindowFrame,
}

impl Window {
    /// True if rows that are equal may be told different things.
    pub fn tells_equal_rows_apart(&self) -> bool {
        matches!(self.function, WindowFunction::RowNumber | WindowFunction::Lag(..) | WindowFunction::Lead(..))
            || matches!(self.frame, WindowFrame::Rows(_))
    }

    /// The expressions that it reads besides partition and order: argument, filter or default, keys of an aggregate.
    pub fn reads(&self) -> Vec<Expression> {
        match &self.function {
            WindowFunction::RowNumber | WindowFunction::Rank | WindowFunction::DenseRank => Vec::new(),
            WindowFunction::FirstRow(value) | WindowFunction::LastRow(value) => vec![value.clone()],
            WindowFunction::Lag(value, _, default) | WindowFunction::Lead(value, _, default) => {
                std::iter::once(value).chain(default).cloned().collect()
            }
            WindowFunction::Aggregate(one) => {
                let filter = one.filter.clone().unwrap_or(Expression::Bool(true));
                let keys = one.order.iter().map(|(key, _)| key.clone());
                [one.argument.clone(), filter].into_iter().chain(keys).collect()
            }
        }
    }
}

/// A window function over the columns, whose result `name` makes a column of.
pub fn random_window(random: &mut Random, columns: &[Column], name: impl FnOnce(Kind) -> Column) -> Window {
    let any = |random: &mut Random| {
        let kind = *random.pick(&Kind::ALL);
        random_column_value(random, columns, kind)
    };
    let (function, kind) = match random.below(10) {
        0 => (WindowFunction::RowNumber, Kind::Int),
        1 => (random.pick(&[WindowFunction::Rank, WindowFunction::DenseRank]).clone(), Kind::Int),
        number @ 2..=4 => {
            let value = any(random);
            let kind = value.kind();
            let default = random.percent(40).then(|| random_expression(random, columns, kind, 1));
            let far = random.below(4);
            let lag = number < 4;
            let function =
                if lag { WindowFunction::Lag(value, far, default) } else { WindowFunction::Lead(value, far, default) };
            (function, kind)
        }
        5 => {
            let value = any(random);
            let kind = value.kind();
            let first = random.percent(50);
            (if first { WindowFunction::FirstRow(value) } else { WindowFunction::LastRow(value) }, kind)
        }
        _ => {
            let one = random_aggregate(random, columns, |kind| Column { name: String::new(), kind });
            let kind = one.column.kind;
            (WindowFunction::Aggregate(one), kind)
        }
    };
    let partition = (0..random.below(3)).map(|_| any(random)).collect();
    let is_aggregate = matches!(function, WindowFunction::Aggregate(_));
    let has_frame = is_aggregate || matches!(function, WindowFunction::FirstRow(_) | WindowFunction::LastRow(_));
    let mut frame = WindowFrame::Default;
    let mut keys = random.below(3);
    if has_frame && random.percent(60) {
        frame = match random.below(5) {
            0 => WindowFrame::Ints(random.between(0, 4)),
            1 => WindowFrame::Floats(random.between(0, 8) as f64 * 0.25),
            2 => WindowFrame::Durations(random.between(0, 4) * 250_000),
            _ => WindowFrame::Rows(1 + random.below(4)),
        };
    }
    let by = match frame {
        WindowFrame::Ints(_) => Some(Kind::Int),
        WindowFrame::Floats(_) => Some(Kind::Float),
        WindowFrame::Durations(_) => Some(Kind::Duration),
        WindowFrame::Default | WindowFrame::Rows(_) => None,
    };
    if by.is_some() {
        keys = 1;
    } else if !is_aggregate || frame != WindowFrame::Default {
        keys = keys.max(1);
    }
    let order = (0..keys)
        .map(|_| {
            let key = match by {
                Some(kind) => random_column_value(random, columns, kind),
                None => any(random),
            };
            (key, random.percent(40))
        })
        .collect();
    Window { column: name(kind), function, partition, order, frame }
}
