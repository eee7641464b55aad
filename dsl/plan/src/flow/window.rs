//! Window functions: what each row is told of the rows around it in its partition.

use std::fmt;

use arrow_schema::DataType;

use super::{CollectFunction, Fraction, OrderKey, SumAggregate};

/// One column of a window node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WindowCall {
    /// What it is.
    pub function: WindowFunction,
    /// Type of the result.
    pub output: DataType,
}

/// What a window function gives a row. Columns are those of the input.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum WindowFunction {
    /// Place in the order, from 1.
    RowNumber,
    /// Place of the first peer, from 1.
    Rank,
    /// Number of different places up to the own one.
    DenseRank,
    /// A value of another row.
    Neighbour {
        /// The column that is read there.
        value: usize,
        /// How many rows later it stands; negative for earlier.
        offset: i64,
        /// The column that is read in the own row where there is no such row; `None` for null.
        default: Option<usize>,
    },
    /// A value of the first or last row of the frame, null or not.
    Edge {
        /// The column that is read there.
        value: usize,
        /// True for the last row.
        last: bool,
        /// Which rows.
        frame: Frame,
    },
    /// What is kept as a sum.
    Sum {
        /// Which sum.
        sum: SumAggregate,
        /// Of which rows.
        frame: Frame,
    },
    /// The value of the first row by the order and then by the value, or of the last; rows in which one of these columns
    /// is null are passed over. Without an order the smallest value or the largest.
    Best {
        /// The column that is read there.
        value: usize,
        /// The order.
        order: Vec<OrderKey>,
        /// True for the last row.
        last: bool,
        /// Of which rows.
        frame: Frame,
    },
    /// Number of different values that are not null.
    CountDistinct {
        /// The column that is counted.
        value: usize,
        /// Of which rows.
        frame: Frame,
    },
    /// Values put together in an order and then by value; nulls are passed over.
    Collect {
        /// The column that is collected.
        value: usize,
        /// The order.
        order: Vec<OrderKey>,
        /// What is made of them.
        function: CollectFunction,
        /// Of which rows.
        frame: Frame,
    },
    /// Quantile of the values, interpolated; nulls are passed over.
    Quantile {
        /// The column whose quantile is wanted.
        value: usize,
        /// Which.
        fraction: Fraction,
        /// Of which rows.
        frame: Frame,
    },
}

/// Which rows of the partition a function sees from a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Frame {
    /// All of them.
    Partition,
    /// From the first one to the row's peers: those that the order does not tell apart from it.
    Running,
    /// So many, of which the row itself is the last.
    Rows(u64),
    /// Those that stand by the only order column at most so far before the row, and its peers. From a row whose order
    /// column is null or NaN its peers alone.
    Range(Extent),
}

/// How far back a frame reaches, in values of the order column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Extent {
    /// Of whole numbers; of timestamps, dates and durations in microseconds.
    Whole(i64),
    /// Of floats: the bits of a finite one.
    Float(u64),
}

impl WindowFunction {
    /// True if a row can make it fail.
    pub fn is_fallible(&self) -> bool {
        match self {
            WindowFunction::Sum { sum, .. } => {
                sum.function == super::SumFunction::Sum && sum.output != DataType::Float64
            }
            WindowFunction::Collect { .. } => true,
            _ => false,
        }
    }

    /// The rows that it sees, if it says so.
    pub fn frame(&self) -> Option<Frame> {
        match self {
            WindowFunction::RowNumber
            | WindowFunction::Rank
            | WindowFunction::DenseRank
            | WindowFunction::Neighbour { .. } => None,
            WindowFunction::Edge { frame, .. }
            | WindowFunction::Sum { frame, .. }
            | WindowFunction::Best { frame, .. }
            | WindowFunction::CountDistinct { frame, .. }
            | WindowFunction::Collect { frame, .. }
            | WindowFunction::Quantile { frame, .. } => Some(*frame),
        }
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Frame::Partition => f.write_str("all"),
            Frame::Running => f.write_str("to here"),
            Frame::Rows(count) => write!(f, "last {count} rows"),
            Frame::Range(Extent::Whole(far)) => write!(f, "last {far}"),
            Frame::Range(Extent::Float(bits)) => write!(f, "last {:?}", f64::from_bits(*bits)),
        }
    }
}

impl fmt::Display for WindowFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = |last: &bool| if *last { "last" } else { "first" };
        let by = |order: &[OrderKey]| {
            if order.is_empty() { String::new() } else { format!(" by [{}]", super::display::order_text(order)) }
        };
        match self {
            WindowFunction::RowNumber => f.write_str("row_number()")?,
            WindowFunction::Rank => f.write_str("rank()")?,
            WindowFunction::DenseRank => f.write_str("dense_rank()")?,
            WindowFunction::Neighbour { value, offset, default } => {
                write!(f, "row {offset:+}({value})")?;
                if let Some(default) = default {
                    write!(f, " else {default}")?;
                }
            }
            WindowFunction::Edge { value, last, .. } => write!(f, "{} row({value})", end(last))?,
            WindowFunction::Sum { sum, .. } => super::display::fmt_aggregate(f, sum)?,
            WindowFunction::Best { value, order, last, .. } => write!(f, "{}({value}{})", end(last), by(order))?,
            WindowFunction::CountDistinct { value, .. } => write!(f, "count distinct({value})")?,
            WindowFunction::Collect { value, order, function, .. } => write!(f, "{function}({value}{})", by(order))?,
            WindowFunction::Quantile { value, fraction, .. } => write!(f, "{fraction:?}({value})")?,
        }
        match self.frame() {
            Some(frame) => write!(f, " of {frame}"),
            None => Ok(()),
        }
    }
}
