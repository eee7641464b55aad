//! The flow plan: what the engine renders, and nothing else.
//!
//! Flat, in dependency order, columns by position. A node is described completely by its operator and its inputs;
//! names, aliases and the text it came from are for people and take no part in its [`Fingerprint`].
//!
//! *Invariant:* `nodes[i]` refers only to nodes before `i`. Two nodes of one plan never have the same fingerprint.
//!
//! Every node gives two streams, rows and errors. The errors of a node are read through [`Operator::Errors`]; what
//! they look like is said at each operator.

mod aggregate;
mod builder;
mod display;
mod fingerprint;
mod pattern;
mod time;
mod window;

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema as ArrowSchema, SchemaRef};
use datafusion_physical_expr::PhysicalExpr;

use crate::change::ChangeBatch;
use crate::connector::SourceSpec;
use crate::span::Span;
pub use aggregate::{CollectFunction, Fraction, SumAggregate, SumFunction};
pub use builder::FlowBuilder;

pub use fingerprint::Fingerprint;
pub use pattern::{MatchElement, MatchGive, Pattern};
pub use time::{Gate, WatermarkInput};
pub use window::{Extent, Frame, WindowCall, WindowFunction};

/// Position of a node in its plan.
pub type NodeId = usize;

/// How often the body of an [`Operator::Iterate`] without a `max` is applied before it counts as endless.
pub const MOST_ROUNDS: u64 = 10_000;

/// Identity of what a statement bound to history has given, and gives: equal identities, one and the same history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HistoryId(pub Fingerprint);

/// A step bound to history as a program of its own, which runs as long as its statement stands, whether anybody looks
/// at it or not.
#[derive(Clone, Debug)]
pub struct History {
    /// The history of its rows; where it has errors, these have one of their own.
    pub id: HistoryId,
    /// Ends with [`Operator::Hold`] of the rows, and of the errors where there are some.
    pub plan: FlowPlan,
}

/// A scalar expression over the columns of its input, by position.
#[derive(Clone, Debug)]
pub struct FlowExpr {
    /// The vectorised evaluator. Its columns are DataFusion's `Column`, of which only the index counts.
    pub physical: Arc<dyn PhysicalExpr>,
    /// True if a row can make it fail. An expression that is not fallible never returns an error.
    pub fallible: bool,
}

impl PartialEq for FlowExpr {
    fn eq(&self, other: &Self) -> bool {
        self.fallible == other.fallible && self.physical.as_ref() == other.physical.as_ref()
    }
}
impl Eq for FlowExpr {}

impl Hash for FlowExpr {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.fallible.hash(state);
        self.physical.hash(state);
    }
}

/// One step of a fused linear node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Keeps the rows for which the expression is true.
    Filter(FlowExpr),
    /// Computes the columns anew.
    Project(Vec<FlowExpr>),
}

/// How two inputs are joined. Rows match where all key columns are equal; NaN equals NaN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JoinKind {
    /// Left columns, then right columns, for each pair that matches.
    Inner,
    /// As inner, and each left row without a match once, with nulls on the right.
    Left,
    /// Left rows that have a match, as often as they stand on the left.
    Semi,
    /// Left rows that have none.
    Anti,
}

/// Which right row an as-of join takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AsofChoice {
    /// True for the first one after the left row, false for the last one before it.
    pub forward: bool,
    /// True if one at the same time does not count.
    pub strict: bool,
}

impl AsofChoice {
    /// How the right time compares with the left one.
    pub fn sign(self) -> &'static str {
        match (self.forward, self.strict) {
            (false, false) => "<=",
            (false, true) => "<",
            (true, false) => ">=",
            (true, true) => ">",
        }
    }
}

/// A column to order by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OrderKey {
    /// Position.
    pub column: usize,
    /// Largest first. Nulls are larger than every value, NaN larger than every number.
    pub descending: bool,
}

/// Rows of a `rows … then …` literal: one element an epoch.
#[derive(Clone, Debug, Default)]
pub struct ConstantStep {
    /// Rows added and taken back.
    pub changes: Vec<ChangeBatch>,
    /// Errors of the step, in the columns of the node's errors.
    pub errors: Vec<ChangeBatch>,
}

/// What a node does. Positions in `NodeId` fields point into the plan.
#[derive(Clone, Debug)]
pub enum Operator {
    /// The rows of a source, as far as they are selected. Errors: [`crate::connector::source_error_schema`].
    Get {
        /// Which source.
        source: Arc<SourceSpec>,
    },
    /// Literal rows; step `i` enters in the `i`th epoch after the program's installation, never merged.
    /// Errors: the columns of the rows.
    Constant {
        /// One element an epoch.
        steps: Arc<Vec<ConstantStep>>,
        /// Hash of the steps' contents.
        digest: u128,
    },
    /// Fused stateless stages. Only the first stage may be fallible.
    /// Errors: the columns of the input.
    Linear {
        /// The input.
        input: NodeId,
        /// In order.
        stages: Vec<Stage>,
    },
    /// A join of two inputs on equal key columns (none: every pair). No errors.
    Join {
        /// Left input.
        left: NodeId,
        /// Right input.
        right: NodeId,
        /// Inner, left, semi or anti.
        kind: JoinKind,
        /// Key columns of the left input.
        left_keys: Vec<usize>,
        /// Key columns of the right input, of the same types.
        right_keys: Vec<usize>,
        /// True if null equals null (set operations, internal joins); SQL's joins say false.
        null_equals_null: bool,
    },
    /// Groups by key columns (null is a group) and sums. Output: keys, then aggregates. Without keys there is always
    /// exactly one row; with keys and no aggregates it is `distinct`. Errors: the key columns.
    Reduce {
        /// The input.
        input: NodeId,
        /// Group columns.
        keys: Vec<usize>,
        /// Aggregates.
        aggregates: Vec<SumAggregate>,
    },
    /// `Reduce` over an inner join (null keys never match), with partial sums of the left input formed below the join.
    /// Output and errors as `Reduce`. Columns of `keys` and `aggregates` are those of the join's output, left columns first;
    /// every aggregate's input and filter lies in the left input.
    ReduceJoin {
        /// Left input: the one that is summed.
        left: NodeId,
        /// Right input.
        right: NodeId,
        /// Key columns of the left input.
        left_keys: Vec<usize>,
        /// Key columns of the right input.
        right_keys: Vec<usize>,
        /// Group columns, positions in the join's output.
        keys: Vec<usize>,
        /// Aggregates.
        aggregates: Vec<SumAggregate>,
    },
    /// The first rows of each group in an order; ties go by the remaining columns in their order, ascending.
    /// Output: the input's columns. No errors.
    TopK {
        /// The input.
        input: NodeId,
        /// Group columns; none for one group.
        group: Vec<usize>,
        /// The order.
        order: Vec<OrderKey>,
        /// Rows to pass over.
        offset: u64,
        /// Rows to keep after them.
        limit: u64,
    },
    /// Puts the values of each group together in an order, then by value; nulls are passed over. Output: keys, then a column
    /// for each function. Without keys there is always exactly one row. Errors: the key columns, of groups whose values are
    /// too large for one row.
    Collect {
        /// The input: group columns, value, columns to order by.
        input: NodeId,
        /// Group columns.
        keys: Vec<usize>,
        /// The column that is collected.
        value: usize,
        /// The order of the rows of a group.
        order: Vec<OrderKey>,
        /// What is made of them.
        functions: Vec<CollectFunction>,
    },
    /// Quantiles of the values of each group, interpolated; nulls are passed over. Output: keys, then a column for each
    /// fraction: float of numbers, and the value's own type of durations and timestamps; null without values. Without keys there
    /// is always exactly one row. The input has no other columns. No errors.
    Quantile {
        /// The input: group columns and value.
        input: NodeId,
        /// Group columns.
        keys: Vec<usize>,
        /// The column whose quantiles are wanted.
        value: usize,
        /// Which.
        fractions: Vec<Fraction>,
    },
    /// What each row is told of the rows around it in its partition (null is a partition), in an order; ties go by the
    /// remaining columns in their order, ascending. Output: the input's columns, then one for each function.
    /// Errors: the columns of the input, of rows for which a result does not fit its type.
    Window {
        /// The input.
        input: NodeId,
        /// Columns of the partition; none for one.
        partition: Vec<usize>,
        /// The order in a partition; a column of the partition may stand in it and says nothing.
        order: Vec<OrderKey>,
        /// What is told.
        functions: Vec<WindowCall>,
    },
    /// All rows of all inputs, which have the same column types; of a negated input the opposite. No errors.
    Union {
        /// Inputs, each with whether it is negated.
        inputs: Vec<(NodeId, bool)>,
    },
    /// Rows whose key stands once; all rows of a key that stands more often are errors until one remains.
    /// Errors: the columns of the input.
    Unique {
        /// The input.
        input: NodeId,
        /// Key columns.
        keys: Vec<usize>,
    },
    /// Puts rows into sessions: of each group (null is one), rows whose times lie less than the gap apart from the next one's.
    /// Output: the input's columns, then the session of the row, a record of `start` (the first time) and `end` (the last time
    /// and the gap); null for a row without a time. No errors.
    Sessions {
        /// The input.
        input: NodeId,
        /// Group columns.
        keys: Vec<usize>,
        /// The timestamps.
        time: usize,
        /// Microseconds from one row to the next at which a session ends; more than 0.
        gap: i64,
    },
    /// The matches of a pattern among the rows of each partition (null is one) in an order, ties going by the remaining
    /// columns: strictly contiguous rows, of which each element takes as many as it can; the search goes on after the last row of a match.
    /// Output: the partition's columns, then what is told of a match. Errors: the columns of the input, of rows on which a
    /// condition fails.
    Match {
        /// The input.
        input: NodeId,
        /// Columns of the partition.
        partition: Vec<usize>,
        /// The order in a partition.
        order: Vec<OrderKey>,
        /// What is searched for.
        pattern: Pattern,
    },
    /// With each left row the one right row of equal keys that is nearest before it (or after it) by time. Of several at that
    /// time it is the last in the order of the remaining columns (or the first). Null keys and null times match nothing.
    /// Output: left columns, then right columns. No errors.
    Asof {
        /// Left input.
        left: NodeId,
        /// Right input.
        right: NodeId,
        /// Key columns of the left input.
        left_keys: Vec<usize>,
        /// Key columns of the right input, of the same types.
        right_keys: Vec<usize>,
        /// The left time: a column of fixed width.
        left_time: usize,
        /// The right time, of the same type.
        right_time: usize,
        /// Which right row.
        choice: AsofChoice,
        /// True if left rows without a match stay, with nulls on the right.
        outer: bool,
    },
    /// One row for each element of a list column, in whose place the element stands; none where the list is null or
    /// empty. No errors.
    Flatten {
        /// The input.
        input: NodeId,
        /// The list column.
        column: usize,
    },
    /// One row a key: a new row takes the place of the kept one where the condition is true. Within an epoch new rows
    /// go in the order of the columns that are not keys. A key's first row is kept without being asked about; where the
    /// kept row is taken back, the key begins again with the rows that it still has. Bound to history: it stands only
    /// below [`Operator::Hold`]. Errors: the columns of the input, for new rows on which the condition fails.
    Dedupe {
        /// The input.
        input: NodeId,
        /// Key columns.
        keys: Vec<usize>,
        /// Over the columns of the new row, followed by those of the kept one.
        condition: FlowExpr,
    },
    /// The changes of the input as rows, which stay: its columns, `_epoch` and `_diff` (ints). Begins with the contents
    /// at the installation. Bound to history, as [`Operator::Dedupe`]. No errors.
    Changes {
        /// The input.
        input: NodeId,
    },
    /// How far event time has come: a row of one timestamp for each epoch in which the watermark moves forward, as of all
    /// rows up to and with that epoch. It is the least of its inputs' own (latest timestamp less the delay), passes
    /// everything once all inputs have ended, and never goes back. Bound to history, as [`Operator::Dedupe`]. No errors.
    Watermark {
        /// The inputs; at least one.
        inputs: Vec<WatermarkInput>,
    },
    /// Judges each change by the watermark as of the epochs before its own: it is too late where that has come to the
    /// instant at which its row closes. A row without an instant closes when all inputs of the watermark have ended.
    /// Output: the input's columns. Bound to history, as [`Operator::Dedupe`]. No errors.
    Gate {
        /// The input.
        input: NodeId,
        /// An [`Operator::Watermark`].
        watermark: NodeId,
        /// The column with the instant: a timestamp, or a record with the timestamp `end`.
        closes: usize,
        /// How long after it the row closes, in microseconds.
        late: i64,
        /// What passes.
        gate: Gate,
        /// Whose history it is part of: what it lets pass is not shared with another one.
        statement: Fingerprint,
    },
    /// The rows that stand; a row that was taken back more often than it was given is an error that often.
    /// Errors: the columns of the input.
    Balance {
        /// The input.
        input: NodeId,
    },
    /// The changes of the input, told at most so often: at the epoch of installation, and then at whole multiples of a
    /// distance after it. Bound to history, as [`Operator::Dedupe`]. No errors.
    Throttle {
        /// The input.
        input: NodeId,
        /// The distance, in microseconds of the epochs' clock; at least 1.
        every: u64,
    },
    /// The rows of the input, arranged under the identity of a history, so that later programs read what was given
    /// instead of computing it anew. No errors.
    Hold {
        /// The input.
        input: NodeId,
        /// Which history.
        history: HistoryId,
    },
    /// The rows that [`Operator::Hold`] of a program that runs keeps. It has the same fingerprint. No errors.
    Held {
        /// Which history.
        history: HistoryId,
    },
    /// What a body makes of a table, applied to it again and again: until it no longer changes, or `max` times. When an
    /// input changes, that of a fresh start. Errors: the rows of `body.outputs[1]`, if there is one, of the last round.
    Iterate {
        /// The table at the start, then what the body reads beside it.
        inputs: Vec<NodeId>,
        /// Reads its inputs by [`Operator::Given`]. `outputs[0]` gives the table of the next round, in the types of the first
        /// input; `outputs[1]` errors, in the columns of the node's errors. Nothing in it is bound to history, and what does
        /// not depend on the table that goes round stands outside.
        body: Arc<FlowPlan>,
        /// How often it is applied at most; without it a table that still changes after [`MOST_ROUNDS`] is an error.
        max: Option<u64>,
    },
    /// In the body of an [`Operator::Iterate`]: the table of the round (0), or an input of the node by its position. No errors.
    Given {
        /// Which.
        index: usize,
    },
    /// In the body of an [`Operator::Iterate`]: rows for which no table can be told, since they still change after the
    /// last round or stand there too often. Columns of the table, then `_error` and `_step`. No errors.
    Unsettled,
    /// The errors of a node, as rows: its error columns, then `_error` (text) and `_step` (text).
    Errors {
        /// Whose errors.
        of: NodeId,
    },
}

impl Operator {
    /// The nodes that it reads.
    pub fn inputs(&self) -> Vec<NodeId> {
        match self {
            Operator::Get { .. }
            | Operator::Constant { .. }
            | Operator::Held { .. }
            | Operator::Given { .. }
            | Operator::Unsettled => vec![],
            Operator::Iterate { inputs, .. } => inputs.clone(),
            Operator::Linear { input, .. }
            | Operator::Reduce { input, .. }
            | Operator::TopK { input, .. }
            | Operator::Collect { input, .. }
            | Operator::Quantile { input, .. }
            | Operator::Window { input, .. }
            | Operator::Unique { input, .. }
            | Operator::Flatten { input, .. }
            | Operator::Sessions { input, .. }
            | Operator::Match { input, .. }
            | Operator::Dedupe { input, .. }
            | Operator::Changes { input }
            | Operator::Balance { input }
            | Operator::Throttle { input, .. }
            | Operator::Hold { input, .. } => vec![*input],
            Operator::Watermark { inputs } => inputs.iter().map(|input| input.input).collect(),
            Operator::Gate { input, watermark, .. } => vec![*input, *watermark],
            Operator::Errors { of } => vec![*of],
            Operator::Join { left, right, .. }
            | Operator::ReduceJoin { left, right, .. }
            | Operator::Asof { left, right, .. } => vec![*left, *right],
            Operator::Union { inputs } => inputs.iter().map(|(input, _)| *input).collect(),
        }
    }

    /// Its name in explanations.
    pub fn name(&self) -> &'static str {
        match self {
            Operator::Get { .. } => "get",
            Operator::Constant { .. } => "constant",
            Operator::Linear { .. } => "linear",
            Operator::Join { .. } => "join",
            Operator::Reduce { .. } => "reduce",
            Operator::ReduceJoin { .. } => "reduce-join",
            Operator::TopK { .. } => "top-k",
            Operator::Collect { .. } => "collect",
            Operator::Quantile { .. } => "quantile",
            Operator::Window { .. } => "window",
            Operator::Union { .. } => "union",
            Operator::Unique { .. } => "unique",
            Operator::Flatten { .. } => "flatten",
            Operator::Sessions { .. } => "sessions",
            Operator::Match { .. } => "match",
            Operator::Asof { .. } => "asof-join",
            Operator::Dedupe { .. } => "dedupe",
            Operator::Changes { .. } => "changes",
            Operator::Watermark { .. } => "watermark",
            Operator::Gate { .. } => "gate",
            Operator::Balance { .. } => "balance",
            Operator::Throttle { .. } => "throttle",
            Operator::Hold { .. } => "hold",
            Operator::Held { .. } => "held",
            Operator::Iterate { .. } => "iterate",
            Operator::Given { .. } => "given",
            Operator::Unsettled => "unsettled",
            Operator::Errors { .. } => "errors",
        }
    }
}

/// An operator with what it gives and where it came from.
#[derive(Clone, Debug)]
pub struct FlowNode {
    /// What it does.
    pub operator: Operator,
    /// Types of its columns; the fields' names are `c0`, `c1`, ….
    pub schema: SchemaRef,
    /// Identity.
    pub fingerprint: Fingerprint,
    /// The text that it came from, in its cell.
    pub span: Span,
    /// The step as the user wrote it (`derive unit: total / qty`): the `_step` of its errors.
    pub step: String,
}

/// A program for the engine.
#[derive(Clone, Debug, Default)]
pub struct FlowPlan {
    /// In dependency order.
    pub nodes: Vec<FlowNode>,
    /// The nodes whose rows leave the program, in the order of its output ports.
    pub outputs: Vec<NodeId>,
}

/// An Arrow schema with positional names for the given column types.
pub fn positional_schema<'a>(types: impl IntoIterator<Item = &'a DataType>) -> SchemaRef {
    let fields = types.into_iter().enumerate().map(|(i, ty)| Field::new(format!("c{i}"), ty.clone(), true));
    Arc::new(ArrowSchema::new(fields.collect::<Vec<_>>()))
}

impl Stage {
    /// True if a row can make the stage fail.
    pub fn is_fallible(&self) -> bool {
        match self {
            Stage::Filter(expr) => expr.fallible,
            Stage::Project(exprs) => exprs.iter().any(|expr| expr.fallible),
        }
    }
}
