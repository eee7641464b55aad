//! The plan in DataFusion's own nodes, so that tests can ask DataFusion, in batch, what a table must hold.
//!
//! Only what DataFusion says in the same way is converted; the rest is [`Unsupported`]. A checked step becomes a plain
//! one: the answer is that of the rows that do not fail, so tests compare where none does. Sums of floats are
//! DataFusion's, rounded at each step; ours are exact.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion_common::tree_node::{Transformed, TreeNode};
use datafusion_common::{Column, DataFusionError, Result};
use datafusion_expr::expr::{AggregateFunction as AggregateExpr, AggregateFunctionParams, Sort as SortExpr};
use datafusion_expr::logical_plan::{Aggregate, Filter, Limit, Projection, Sort};
use datafusion_expr::{AggregateUDF, Expr, LogicalPlan, cast, lit};
use datafusion_functions_aggregate::{average, count, min_max, sum};

use super::aggregate::{AggregateColumn, Summarize};
use super::checked::{Checked, CheckedStep};
use super::constant::Constant;
use super::scan::SourceScan;
use super::top_k::TopK;
use crate::functions::AggregateFunction;

/// A plan that DataFusion cannot be asked about.
#[derive(Debug, thiserror::Error)]
pub enum Unsupported {
    /// A node that DataFusion has no equal of.
    #[error("DataFusion has no node for {0}")]
    Node(String),
    /// DataFusion refuses the converted plan.
    #[error("the plan cannot be converted")]
    DataFusion(#[source] DataFusionError),
}

/// The plan in DataFusion's nodes. `table` gives, for each leaf (a [`SourceScan`] or a [`Constant`]), a plan of its
/// accumulated rows, columns in the leaf's order.
pub fn to_datafusion(
    plan: &LogicalPlan,
    mut table: impl FnMut(&LogicalPlan) -> Result<LogicalPlan>,
) -> std::result::Result<LogicalPlan, Unsupported> {
    let mut refused = None;
    let converted = plan.clone().transform_up(|node| {
        let LogicalPlan::Extension(extension) = &node else { return Ok(Transformed::no(node)) };
        let any = extension.node.as_any();
        if any.is::<SourceScan>() || any.is::<Constant>() {
            return Ok(Transformed::yes(renamed(table(&node)?, &node)?));
        }
        if let Some(step) = any.downcast_ref::<CheckedStep>() {
            return Ok(Transformed::yes(plain_step(step)?));
        }
        if let Some(summarize) = any.downcast_ref::<Summarize>().filter(|node| !node.schema.fields().is_empty())
            && let Some(calls) = summarize.aggregates.iter().map(|one| plain_call(summarize, one)).collect()
        {
            return Ok(Transformed::yes(plain_aggregate(summarize, calls)?));
        }
        if let Some(top) = any.downcast_ref::<TopK>().filter(|top| top.group.is_empty()) {
            return Ok(Transformed::yes(plain_limit(top)));
        }
        refused.get_or_insert_with(|| node.display().to_string());
        Ok(Transformed::no(node))
    });
    match (converted, refused) {
        (_, Some(node)) => Err(Unsupported::Node(node)),
        (Ok(converted), None) => Ok(converted.data),
        (Err(error), None) => Err(Unsupported::DataFusion(error)),
    }
}

fn column(name: &str) -> Expr {
    Expr::Column(Column::new_unqualified(name))
}

fn projection(exprs: Vec<Expr>, input: LogicalPlan) -> Result<LogicalPlan> {
    Ok(LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(input))?))
}

/// The columns of `input` under the names of `like`, by position.
fn renamed(input: LogicalPlan, like: &LogicalPlan) -> Result<LogicalPlan> {
    let names = like.schema().fields().iter().map(|field| field.name().clone());
    let exprs = input.schema().columns().into_iter().zip(names).map(|(column, name)| Expr::Column(column).alias(name));
    projection(exprs.collect(), input)
}

fn plain_step(step: &CheckedStep) -> Result<LogicalPlan> {
    match &step.kind {
        Checked::Filter(predicate) => {
            Ok(LogicalPlan::Filter(Filter::try_new(predicate.clone(), Arc::new(step.input.clone()))?))
        }
        Checked::Project(exprs) => {
            let named = exprs.iter().zip(step.schema.fields()).map(|(expr, field)| expr.clone().alias(field.name()));
            projection(named.collect(), step.input.clone())
        }
    }
}

fn plain_aggregate(summarize: &Summarize, aggregates: Vec<Expr>) -> Result<LogicalPlan> {
    let keys: Vec<Expr> = summarize.keys.iter().map(|key| column(key)).collect();
    let results = summarize.schema.fields().iter().skip(keys.len());
    let casts: Vec<DataType> = results.map(|field| field.data_type().clone()).collect();
    let grouped = Aggregate::try_new(Arc::new(summarize.input.clone()), keys.clone(), aggregates)?;
    let found = grouped.schema.columns();
    let (_, values) = found.split_at(keys.len());
    let values = values.iter().zip(casts).map(|(value, ty)| cast(Expr::Column(value.clone()), ty));
    let named = values.zip(&summarize.aggregates).map(|(value, aggregate)| value.alias(&aggregate.output));
    projection(keys.into_iter().chain(named).collect(), LogicalPlan::Aggregate(grouped))
}

/// The call in DataFusion's words; `None` where DataFusion means something else: its first and last values may be null,
/// its empty lists are, its quantiles are estimates, its variances are rounded on the way.
fn plain_call(summarize: &Summarize, aggregate: &AggregateColumn) -> Option<Expr> {
    let input = aggregate.input.as_deref();
    let ty = input.and_then(|name| summarize.input.schema().field_with_unqualified_name(name).ok());
    let ty = ty.map(|field| field.data_type());
    let argument = match (&aggregate.function, input) {
        (_, None) => lit(1i64),
        (AggregateFunction::Avg, Some(_)) if ty.is_some_and(DataType::is_temporal) => return None,
        (AggregateFunction::Avg, Some(name)) => cast(column(name), DataType::Float64),
        (AggregateFunction::Sum, Some(name)) => match ty {
            Some(DataType::Decimal128(_, scale)) => cast(column(name), DataType::Decimal128(38, *scale)),
            _ => column(name),
        },
        (_, Some(name)) => column(name),
    };
    let function: Arc<AggregateUDF> = match aggregate.function {
        AggregateFunction::CountRows | AggregateFunction::Count | AggregateFunction::CountDistinct => {
            count::count_udaf()
        }
        AggregateFunction::Sum => sum::sum_udaf(),
        AggregateFunction::Avg => average::avg_udaf(),
        AggregateFunction::Min => min_max::min_udaf(),
        AggregateFunction::Max => min_max::max_udaf(),
        AggregateFunction::Variance
        | AggregateFunction::StandardDeviation
        | AggregateFunction::First
        | AggregateFunction::Last
        | AggregateFunction::List
        | AggregateFunction::Set
        | AggregateFunction::Join(_)
        | AggregateFunction::Quantile(_) => return None,
    };
    let filter = aggregate.filter.as_ref().map(|name| Box::new(column(name)));
    let params = AggregateFunctionParams {
        args: vec![argument],
        distinct: aggregate.function == AggregateFunction::CountDistinct,
        filter,
        order_by: vec![],
        null_treatment: None,
    };
    // Two aggregates may be the same; each has a name of its own.
    Some(Expr::AggregateFunction(AggregateExpr { func: function, params }).alias(format!("{}:value", aggregate.output)))
}

/// Sorted as we sort: nulls are larger than every value, ties go by the remaining columns.
fn plain_limit(top: &TopK) -> LogicalPlan {
    let named = top.order.iter().map(|sort| (sort.column.as_str(), sort.descending));
    let fields = top.input.schema().fields();
    let rest = fields.iter().filter(|field| top.order.iter().all(|sort| sort.column != *field.name()));
    let order = named.chain(rest.map(|field| (field.name().as_str(), false)));
    let expr =
        order.map(|(name, descending)| SortExpr { expr: column(name), asc: !descending, nulls_first: descending });
    let sort = Sort { expr: expr.collect(), input: Arc::new(top.input.clone()), fetch: None };
    let count = |value: u64| Some(Box::new(lit(i64::try_from(value).unwrap_or(i64::MAX))));
    LogicalPlan::Limit(Limit {
        skip: count(top.offset),
        fetch: count(top.limit),
        input: Arc::new(LogicalPlan::Sort(sort)),
    })
}
