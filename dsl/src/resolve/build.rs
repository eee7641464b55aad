//! Plan nodes as the resolver makes them.
//!
//! *Invariant:* the resolver checks names and types before it builds, so that no node is refused; a refusal is a fault
//! of the resolver, not of the text, and ends it.

use std::sync::Arc;

use datafusion_expr::LogicalPlan;
use tidebook_plan::connector::SourceSpec;
use tidebook_plan::flow::{AsofChoice, ConstantStep, Gate};
use tidebook_plan::{ColumnType, Type};

use crate::functions::Typed;
use crate::logical::{
    self, AggregateColumn, JoinType, LogicalError, MatchRows, Origin, SortColumn, WatermarkSource, WindowColumn,
};

fn sound(plan: Result<LogicalPlan, LogicalError>) -> LogicalPlan {
    match plan {
        Ok(plan) => plan,
        Err(error) => {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
            unreachable!("a resolved step builds a plan: {error}{cause}")
        }
    }
}

/// Literal rows.
pub(crate) fn constant(columns: &[(String, ColumnType)], steps: Vec<ConstantStep>, origin: Origin) -> LogicalPlan {
    sound(logical::constant(columns, steps, origin))
}

/// The columns of a source.
pub(crate) fn source(spec: Arc<SourceSpec>, ids: &[String], origin: Origin) -> LogicalPlan {
    sound(logical::source(spec, ids, origin))
}

/// Computes columns.
pub(crate) fn project(input: LogicalPlan, columns: Vec<(Typed, String)>, origin: Origin) -> LogicalPlan {
    sound(logical::project(input, columns, origin))
}

/// Keeps rows.
pub(crate) fn filter(input: LogicalPlan, predicate: Typed, origin: Origin) -> LogicalPlan {
    sound(logical::filter(input, predicate, origin))
}

/// Groups and aggregates.
pub(crate) fn aggregate(
    input: LogicalPlan,
    keys: Vec<String>,
    aggregates: Vec<AggregateColumn>,
    origin: Origin,
) -> LogicalPlan {
    sound(logical::aggregate(input, keys, aggregates, origin))
}

/// Joins on equal columns, in which null equals nothing.
pub(crate) fn join(left: LogicalPlan, right: LogicalPlan, kind: JoinType, on: &[(String, String)]) -> LogicalPlan {
    sound(logical::join(left, right, kind, on, false))
}

/// Joins on equal columns, in which null equals null.
pub(crate) fn match_rows(
    left: LogicalPlan,
    right: LogicalPlan,
    kind: JoinType,
    on: &[(String, String)],
) -> LogicalPlan {
    sound(logical::join(left, right, kind, on, true))
}

/// All rows of all inputs, whose columns go by position; of a single input its rows, with columns of these ids.
pub(crate) fn union(mut inputs: Vec<LogicalPlan>, ids: &[String]) -> LogicalPlan {
    if inputs.len() == 1 {
        let only = inputs.swap_remove(0);
        let typed = only.schema().fields().iter().map(|field| {
            let ty = Type::from_arrow(field.data_type()).unwrap_or(Type::Null);
            Typed::column(field.name(), ColumnType::nullable(ty))
        });
        let columns = typed.zip(ids.iter().cloned()).collect();
        return project(only, columns, Origin::default());
    }
    sound(logical::union(inputs.into_iter().map(|input| (input, false)).collect(), ids))
}

/// The first rows of each group.
pub(crate) fn top_k(
    input: LogicalPlan,
    group: Vec<String>,
    order: &[(String, bool)],
    limit: u64,
    origin: Origin,
) -> LogicalPlan {
    let order = order.iter().map(|(column, descending)| SortColumn { column: column.clone(), descending: *descending });
    sound(logical::top_k(input, group, order.collect(), 0, limit, origin))
}

/// The rows `offset..offset + limit` of each group.
pub(crate) fn page(
    input: LogicalPlan,
    group: Vec<String>,
    order: &[(String, bool)],
    (offset, limit): (u64, u64),
    origin: Origin,
) -> LogicalPlan {
    let order = order.iter().map(|(column, descending)| SortColumn { column: column.clone(), descending: *descending });
    sound(logical::top_k(input, group, order.collect(), offset, limit, origin))
}

/// What each row is told of the rows around it.
pub(crate) fn window(
    input: LogicalPlan,
    partition: Vec<String>,
    order: Vec<SortColumn>,
    functions: Vec<WindowColumn>,
    origin: Origin,
) -> LogicalPlan {
    sound(logical::window(input, partition, order, functions, origin))
}

/// Each row with the session that it lies in.
pub(crate) fn sessions(
    input: LogicalPlan,
    keys: Vec<String>,
    time: String,
    gap: i64,
    output: &str,
    origin: Origin,
) -> LogicalPlan {
    sound(logical::sessions(input, keys, time, gap, output, origin))
}

/// The matches of a pattern.
pub(crate) fn match_rows_of(rows: MatchRows) -> LogicalPlan {
    sound(rows.plan())
}

/// With each left row the nearest right row by time.
pub(crate) fn asof(
    sides: (LogicalPlan, LogicalPlan),
    on: Vec<(String, String)>,
    times: (String, String),
    choice: AsofChoice,
    outer: bool,
    origin: Origin,
) -> LogicalPlan {
    sound(logical::asof(sides, on, times, choice, outer, origin))
}

/// Rows whose key stands once.
pub(crate) fn unique(input: LogicalPlan, keys: Vec<String>, origin: Origin) -> LogicalPlan {
    sound(logical::unique(input, keys, origin))
}

/// A row for each element of the list `column`.
pub(crate) fn flatten(input: LogicalPlan, column: &str, origin: Origin) -> LogicalPlan {
    sound(logical::flatten(input, column, origin))
}

/// One row a key, which a new one replaces where the condition holds.
pub(crate) fn dedupe(
    input: LogicalPlan,
    keys: Vec<String>,
    previous: Vec<String>,
    condition: Typed,
    origin: Origin,
) -> LogicalPlan {
    sound(logical::dedupe(input, keys, previous, condition, origin))
}

/// The changes of the input as rows.
pub(crate) fn changes(input: LogicalPlan, epoch: &str, difference: &str, origin: Origin) -> LogicalPlan {
    sound(logical::changes(input, epoch, difference, origin))
}

/// What passes a gate, by the column `closes` and so much later.
pub(crate) fn gated(
    input: LogicalPlan,
    sources: Vec<WatermarkSource>,
    closes: &str,
    late_gate: (i64, Gate),
    origin: Origin,
) -> LogicalPlan {
    sound(logical::gated(input, sources, closes, late_gate, origin))
}

/// The rows that stand, and as errors those that were taken back without having been given.
pub(crate) fn balance(input: LogicalPlan, origin: Origin) -> LogicalPlan {
    logical::balance(input, origin)
}

/// Changes that are told at most every so many microseconds.
pub(crate) fn throttled(input: LogicalPlan, every: u64, origin: Origin) -> LogicalPlan {
    logical::throttled(input, every, origin)
}

/// A plan that is bound to history, as the leaf that others read it by.
pub(crate) fn held(plan: LogicalPlan, statement: &str) -> LogicalPlan {
    logical::held(plan, statement)
}

/// A leaf of the body of the loop `name`, which reads its table or what no table can be told of.
pub(crate) fn variable(name: &Arc<str>, role: logical::Role, columns: &[(String, Type)]) -> LogicalPlan {
    sound(logical::variable(name, role, columns))
}

/// What is built of a loop.
pub(crate) struct LoopParts {
    pub input: LogicalPlan,
    pub variable: Arc<str>,
    pub body: LogicalPlan,
    pub errors: LogicalPlan,
    pub max: Option<u64>,
}

/// A loop whose columns are called `ids`.
pub(crate) fn iterate(parts: LoopParts, ids: &[String], origin: Origin) -> LogicalPlan {
    let LoopParts { input, variable, body, errors, max } = parts;
    sound(logical::iterate(input, &variable, body, Some(errors), max, ids, origin))
}

/// The errors of a step that has some, with their columns called `ids`.
pub(crate) fn errors(of: &LogicalPlan, ids: &[String]) -> LogicalPlan {
    sound(logical::errors(of, ids))
}

/// Ids of a plan's columns, in order.
pub(crate) fn column_ids(plan: &LogicalPlan) -> Vec<String> {
    plan.schema().fields().iter().map(|field| field.name().clone()).collect()
}
