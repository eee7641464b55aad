//! How the resolver builds plans: one function a step, each of which chooses between DataFusion's node and ours.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use datafusion_common::{Column, DataFusionError, NullEquality};
use datafusion_expr::logical_plan::{Filter, Join, Projection, Union};
use datafusion_expr::{Expr, Extension, JoinConstraint, LogicalPlan, UserDefinedLogicalNode};
use tidebook_plan::connector::SourceSpec;
use tidebook_plan::flow::{ConstantStep, Gate};
use tidebook_plan::{ColumnType, Type};

use super::Origin;
use super::aggregate::{AggregateColumn, Summarize};
use super::checked::{Checked, CheckedStep};
use super::constant::{Constant, digest};
use super::flatten::Flatten;
use super::history::{Changes, Dedupe};
use super::opaque::Opaque;
use super::scan::SourceScan;
use super::schema::{columns_of, schema_of};
use super::subtraction::SignedUnion;
use super::time::{Balance, Gated, Throttled, WatermarkSource};
use super::top_k::{SortColumn, TopK};
use super::unique::Unique;
use crate::functions::{AggregateFunction, Typed};

/// A plan that cannot be built: a fault of the compiler, never of the user.
#[derive(Debug, thiserror::Error)]
pub enum LogicalError {
    /// DataFusion refuses the node.
    #[error("the logical plan is not consistent")]
    DataFusion(#[from] DataFusionError),
    /// A column that the input does not have.
    #[error("the input has no column `{0}`")]
    UnknownColumn(String),
    /// Inputs or names do not match in number.
    #[error("expected {expected} columns, found {found}")]
    ColumnCount {
        /// How many there must be.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// An aggregate without the column that it needs, or of a column whose type it does not take.
    #[error("`{function}` has no result for {argument}")]
    Aggregate {
        /// Name of the aggregate.
        function: &'static str,
        /// Type of its argument.
        argument: String,
    },
    /// A column that is not a list was to be flattened.
    #[error("`{0}` is not a list")]
    NotAList(String),
    /// A node that has no errors was asked for them.
    #[error("this step never fails: {0}")]
    NeverFails(String),
}

type Result<T> = std::result::Result<T, LogicalError>;

/// The kinds of join that the plan has. (Right and full joins, and conditions beyond equality, are made of these.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinType {
    /// Pairs that match.
    Inner,
    /// Those, and left rows without a match, with nulls on the right.
    Left,
    /// Left rows with a match.
    Semi,
    /// Left rows without one.
    Anti,
}

fn extension(node: impl UserDefinedLogicalNode + 'static) -> LogicalPlan {
    LogicalPlan::Extension(Extension { node: Arc::new(node) })
}

/// The type of the column `name`.
fn type_of(plan: &LogicalPlan, name: &str) -> Result<DataType> {
    let field = plan.schema().field_with_unqualified_name(name);
    field.map(|field| field.data_type().clone()).map_err(|_| LogicalError::UnknownColumn(name.to_string()))
}

/// Literal rows with these columns.
pub fn constant(columns: &[(String, ColumnType)], steps: Vec<ConstantStep>, origin: Origin) -> Result<LogicalPlan> {
    let schema = schema_of(columns.iter().map(|(name, ty)| (name.as_str(), ty.ty.to_arrow())))?;
    let digest = digest(&steps)?;
    Ok(extension(Constant { steps: Arc::new(steps), digest, schema, origin }))
}

/// All columns of a source, called by `names`.
pub fn source(source: Arc<SourceSpec>, names: &[String], origin: Origin) -> Result<LogicalPlan> {
    if source.fields.len() != names.len() {
        return Err(LogicalError::ColumnCount { expected: source.fields.len(), found: names.len() });
    }
    let types = source.fields.iter().map(|field| field.ty.ty.to_arrow());
    let schema = schema_of(names.iter().map(String::as_str).zip(types))?;
    Ok(extension(SourceScan { source, schema, origin }))
}

/// Computes columns: checked if one of them can fail.
pub fn project(input: LogicalPlan, columns: Vec<(Typed, String)>, origin: Origin) -> Result<LogicalPlan> {
    if columns.iter().any(|(value, _)| value.fallible) {
        let schema = schema_of(columns.iter().map(|(value, name)| (name.as_str(), value.ty.ty.to_arrow())))?;
        let kind = Checked::Project(columns.into_iter().map(|(value, _)| value.expr).collect());
        return Ok(extension(CheckedStep { input, kind, schema, origin }));
    }
    let exprs = columns.into_iter().map(|(value, name)| alias(value.expr, &name)).collect();
    Ok(LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(input))?))
}

/// The expression under a name.
fn alias(expr: Expr, name: &str) -> Expr {
    match &expr {
        Expr::Column(column) if column.name() == name => expr,
        _ => expr.alias(name),
    }
}

/// Keeps rows for which the predicate is true: checked if it can fail.
pub fn filter(input: LogicalPlan, predicate: Typed, origin: Origin) -> Result<LogicalPlan> {
    if predicate.fallible {
        let schema = Arc::clone(input.schema());
        return Ok(extension(CheckedStep { input, kind: Checked::Filter(predicate.expr), schema, origin }));
    }
    Ok(LogicalPlan::Filter(Filter::try_new(predicate.expr, Arc::new(input))?))
}

/// Groups by `keys` and aggregates; the keys keep their names.
pub fn aggregate(
    input: LogicalPlan,
    keys: Vec<String>,
    aggregates: Vec<AggregateColumn>,
    origin: Origin,
) -> Result<LogicalPlan> {
    let mut columns = Vec::with_capacity(keys.len() + aggregates.len());
    for key in &keys {
        columns.push((key.as_str(), type_of(&input, key)?));
    }
    for aggregate in &aggregates {
        for name in aggregate.filter.iter().chain(aggregate.order.iter().map(|sort| &sort.column)) {
            type_of(&input, name)?;
        }
        let argument = aggregate.input.as_ref().map(|name| type_of(&input, name)).transpose()?;
        columns.push((aggregate.output.as_str(), aggregate_type(&aggregate.function, argument)?));
    }
    let schema = schema_of(columns)?;
    Ok(extension(Summarize { input, keys, aggregates, schema, origin }))
}

/// Arrow type of an aggregate's result.
pub(super) fn aggregate_type(function: &AggregateFunction, argument: Option<DataType>) -> Result<DataType> {
    use AggregateFunction as F;
    let float = Type::Float.to_arrow();
    let is_number = |ty: &DataType| matches!(ty, DataType::Int64 | DataType::Float64 | DataType::Decimal128(..));
    Ok(match (function, argument) {
        (F::CountRows, _) | (F::Count | F::CountDistinct, Some(_)) => Type::Int.to_arrow(),
        (F::Sum, Some(DataType::Decimal128(_, scale))) => DataType::Decimal128(38, scale),
        (F::Sum, Some(ty @ (DataType::Int64 | DataType::Float64 | DataType::Duration(_)))) => ty,
        (F::Avg | F::Quantile(_) | F::Variance | F::StandardDeviation, Some(ty)) if is_number(&ty) => float,
        (F::Avg | F::Quantile(_), Some(ty @ (DataType::Duration(_) | DataType::Timestamp(..)))) => ty,
        (F::StandardDeviation, Some(ty @ DataType::Duration(_))) => ty,
        (F::Min | F::Max | F::First | F::Last, Some(ty)) => ty,
        (F::List | F::Set, Some(ty)) => DataType::List(Arc::new(Field::new("item", ty, true))),
        (F::Join(_), Some(ty @ DataType::Utf8)) => ty,
        (function, argument) => {
            let argument = argument.map_or("no argument".to_string(), |ty| ty.to_string());
            return Err(LogicalError::Aggregate { function: function.name(), argument });
        }
    })
}

/// Joins on equal columns; without any, every pair. A null matches nothing, unless `null_equals_null`.
pub fn join(
    left: LogicalPlan,
    right: LogicalPlan,
    kind: JoinType,
    on: &[(String, String)],
    null_equals_null: bool,
) -> Result<LogicalPlan> {
    use datafusion_common::JoinType as DataFusionJoin;
    let column = |name: &String| Expr::Column(Column::new_unqualified(name));
    let pairs = on.iter().map(|(left, right)| (column(left), column(right))).collect();
    let kind = match kind {
        JoinType::Inner => DataFusionJoin::Inner,
        JoinType::Left => DataFusionJoin::Left,
        JoinType::Semi => DataFusionJoin::LeftSemi,
        JoinType::Anti => DataFusionJoin::LeftAnti,
    };
    let nulls = if null_equals_null { NullEquality::NullEqualsNull } else { NullEquality::NullEqualsNothing };
    let (left, right) = (Arc::new(left), Arc::new(right));
    Ok(LogicalPlan::Join(Join::try_new(left, right, pairs, None, kind, JoinConstraint::On, nulls, false)?))
}

/// All rows of all inputs, those of a negated input taken away. Columns go by position, and get these names.
pub fn union(inputs: Vec<(LogicalPlan, bool)>, names: &[String]) -> Result<LogicalPlan> {
    let Some((first, _)) = inputs.first() else {
        return Err(LogicalError::ColumnCount { expected: names.len(), found: 0 });
    };
    let types = columns_of(first).into_iter().map(|(_, ty)| ty);
    let schema = schema_of(names.iter().map(String::as_str).zip(types))?;
    for (input, _) in &inputs {
        let found = input.schema().fields().len();
        if found != names.len() {
            return Err(LogicalError::ColumnCount { expected: names.len(), found });
        }
    }
    if inputs.iter().any(|(_, negated)| *negated) {
        return Ok(extension(SignedUnion { inputs, schema }));
    }
    let mut renamed = Vec::with_capacity(inputs.len());
    for (input, _) in inputs {
        let columns = columns_of(&input).into_iter().map(|(name, _)| Expr::Column(Column::new_unqualified(name)));
        let exprs = columns.zip(names).map(|(column, name)| alias(column, name)).collect();
        renamed.push(Arc::new(LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(input))?)));
    }
    Ok(LogicalPlan::Union(Union { inputs: renamed, schema }))
}

/// The first rows of each group in an order.
pub fn top_k(
    input: LogicalPlan,
    group: Vec<String>,
    order: Vec<SortColumn>,
    offset: u64,
    limit: u64,
    origin: Origin,
) -> Result<LogicalPlan> {
    for name in group.iter().chain(order.iter().map(|sort| &sort.column)) {
        type_of(&input, name)?;
    }
    Ok(extension(TopK { input, group, order, offset, limit, origin }))
}

/// Rows whose key stands once.
pub fn unique(input: LogicalPlan, keys: Vec<String>, origin: Origin) -> Result<LogicalPlan> {
    for name in &keys {
        type_of(&input, name)?;
    }
    Ok(extension(Unique { input, keys, origin }))
}

/// One row for each element of the list `column`, under the names of the input.
pub fn flatten(input: LogicalPlan, column: &str, origin: Origin) -> Result<LogicalPlan> {
    let DataType::List(element) = type_of(&input, column)? else {
        return Err(LogicalError::NotAList(column.to_string()));
    };
    let columns = columns_of(&input).into_iter();
    let columns: Vec<(String, DataType)> = columns
        .map(|(name, ty)| if name == column { (name, element.data_type().clone()) } else { (name, ty) })
        .collect();
    let schema = schema_of(columns.iter().map(|(name, ty)| (name.as_str(), ty.clone())))?;
    Ok(extension(Flatten { input, column: column.to_string(), schema, origin }))
}

/// One row a key, which a new row replaces where the condition holds; it reads the columns of the input, and those of
/// the kept row by the names of `previous`.
pub fn dedupe(
    input: LogicalPlan,
    keys: Vec<String>,
    previous: Vec<String>,
    condition: Typed,
    origin: Origin,
) -> Result<LogicalPlan> {
    for name in &keys {
        type_of(&input, name)?;
    }
    let expected = input.schema().fields().len();
    if previous.len() != expected {
        return Err(LogicalError::ColumnCount { expected, found: previous.len() });
    }
    Ok(extension(Dedupe { input, keys, previous, condition: condition.expr, origin }))
}

/// The changes of the input as rows: its columns, then an epoch and a difference of these names.
pub fn changes(input: LogicalPlan, epoch: &str, difference: &str, origin: Origin) -> Result<LogicalPlan> {
    let mut columns = columns_of(&input);
    columns.extend([epoch, difference].map(|name| (name.to_string(), Type::Int.to_arrow())));
    let schema = schema_of(columns.iter().map(|(name, ty)| (name.as_str(), ty.clone())))?;
    Ok(extension(Changes { input, schema, origin }))
}

/// A plan that is bound to history, as the leaf that others read it by. `statement` is the identity of the statement
/// and of its run.
pub fn held(plan: LogicalPlan, statement: &str) -> LogicalPlan {
    let schema = Arc::clone(plan.schema());
    extension(Opaque { plan: Arc::new(plan), schema, statement: Some(Arc::from(statement)) })
}

/// What passes a gate. `closes` is the column that tells when a row closes; `late` how long after that, in microseconds.
pub fn gated(
    input: LogicalPlan,
    sources: Vec<WatermarkSource>,
    closes: &str,
    (late, gate): (i64, Gate),
    origin: Origin,
) -> Result<LogicalPlan> {
    type_of(&input, closes)?;
    for source in &sources {
        type_of(&source.plan, &source.column)?;
    }
    Ok(extension(Gated { input, sources, closes: closes.to_string(), late, gate, origin }))
}

/// The rows that stand, and as errors those that were taken back without having been given.
pub fn balance(input: LogicalPlan, origin: Origin) -> LogicalPlan {
    extension(Balance { input, origin })
}

/// The changes of the input, told at most every so many microseconds.
pub fn throttled(input: LogicalPlan, every: u64, origin: Origin) -> LogicalPlan {
    extension(Throttled { input, every, origin })
}
