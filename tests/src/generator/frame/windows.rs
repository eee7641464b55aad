//! Window functions: by DataFusion where it means the same by them, else by hand.

use datafusion::common::ScalarValue;
use datafusion::dataframe::DataFrame;
use datafusion::error::Result;
use datafusion::functions_aggregate::{average, count, min_max, sum};
use datafusion::functions_window::expr_fn::{dense_rank, lag, lead, rank, row_number};
use datafusion::logical_expr::expr::WindowFunction as WindowExpr;
use datafusion::logical_expr::{
    AggregateUDF, Expr, ExprFunctionExt, SortExpr, WindowFrame as Bounds, WindowFrameBound, WindowFrameUnits,
    WindowFunctionDefinition, cast, col, lit,
};
use std::sync::Arc;

use super::super::around::{Around, values};
use super::super::change::data_type;
use super::super::{Aggregate, AggregateFunction, Column, Expression, Kind, Window, WindowFrame, WindowFunction};
use super::{expr, frame_of, plain_value};
use crate::oracle::Oracle;

/// All columns, and those of window functions.
pub(super) fn derive(oracle: &Oracle, frame: DataFrame, before: &[Column], windows: &[Window]) -> Result<DataFrame> {
    let (plain, others): (Vec<&Window>, Vec<&Window>) =
        windows.iter().partition(|window| plain_window(window, before).is_some());
    let mut told = by_hand(oracle, frame, before, &others)?;
    for window in plain {
        if let Some(call) = plain_window(window, before).transpose()? {
            let ty = data_type(window.column.kind);
            told = told.window(vec![call.alias("told")])?;
            let kept = told.schema().columns().into_iter().filter(|column| column.name() != "told");
            let kept = kept.map(Expr::Column).chain([cast(col("told"), ty).alias(&window.column.name)]);
            told = oracle.computed(told.clone().select(kept.collect::<Vec<_>>())?)?;
        }
    }
    Ok(told)
}

/// The function in DataFusion's words, if it has them. Where ties matter its order is a whole one, as ours is.
fn plain_window(window: &Window, before: &[Column]) -> Option<Result<Expr>> {
    // Its planner loses the order of some expressions, constants among them.
    let mut read = window.partition.iter().chain(window.order.iter().map(|(key, _)| key));
    if read.any(|key| !matches!(key, Expression::Column(..))) {
        return None;
    }
    let keys = window.order.iter().map(|(key, down)| expr(key).sort(!down, *down));
    let (own, mut whole): (Vec<SortExpr>, Vec<SortExpr>) = (keys.clone().collect(), keys.collect());
    whole.extend(before.iter().map(|column| col(&column.name).sort(true, false)));
    let bounds = match window.frame {
        WindowFrame::Default if own.is_empty() => {
            let (first, last) = (ScalarValue::UInt64(None), ScalarValue::UInt64(None));
            let (first, last) = (WindowFrameBound::Preceding(first), WindowFrameBound::Following(last));
            Some(Bounds::new_bounds(WindowFrameUnits::Rows, first, last))
        }
        // These see no frame; DataFusion's default one goes by few types.
        WindowFrame::Default if !matches!(window.function, WindowFunction::Aggregate(_)) => {
            Some(Bounds::new(Some(true)))
        }
        WindowFrame::Default if window.order.iter().any(|(key, _)| !matches!(key.kind(), Kind::Int | Kind::Text)) => {
            return None;
        }
        // Up to the peers of the row, which DataFusion's own default leaves out.
        WindowFrame::Default => Some(Bounds::new(Some(false))),
        WindowFrame::Rows(count) => {
            let first = WindowFrameBound::Preceding(ScalarValue::UInt64(Some(count as u64 - 1)));
            Some(Bounds::new_bounds(WindowFrameUnits::Rows, first, WindowFrameBound::CurrentRow))
        }
        // Its distances go by whole numbers without nulls.
        _ => return None,
    };
    let (call, order) = match &window.function {
        WindowFunction::RowNumber => (row_number(), whole),
        WindowFunction::Rank => (rank(), own),
        WindowFunction::DenseRank => (dense_rank(), own),
        WindowFunction::Lag(value, far @ 1.., None) => (lag(expr(value), Some(*far as i64), None), whole),
        WindowFunction::Lead(value, far @ 1.., None) => (lead(expr(value), Some(*far as i64), None), whole),
        WindowFunction::Aggregate(one) => {
            let (function, argument) = plain_aggregate(one)?;
            let call = WindowExpr::new(WindowFunctionDefinition::AggregateUDF(function), vec![argument]);
            (Expr::from(call), if window.frame == WindowFrame::Default { own } else { whole })
        }
        _ => return None,
    };
    let call = call.partition_by(window.partition.iter().map(expr).collect()).order_by(order);
    Some(match bounds {
        Some(bounds) => call.window_frame(bounds).build(),
        None => call.build(),
    })
}

/// An aggregate of whole numbers or texts: what DataFusion takes away from floats leaves something behind.
fn plain_aggregate(one: &Aggregate) -> Option<(Arc<AggregateUDF>, Expr)> {
    if one.filter.is_some() || !matches!(one.argument.kind(), Kind::Int | Kind::Text) {
        return None;
    }
    Some(match one.function {
        AggregateFunction::CountRows => (count::count_udaf(), lit(1_i64)),
        AggregateFunction::Count => (count::count_udaf(), expr(&one.argument)),
        AggregateFunction::Sum => (sum::sum_udaf(), expr(&one.argument)),
        AggregateFunction::Average => {
            (average::avg_udaf(), cast(expr(&one.argument), datafusion::arrow::datatypes::DataType::Float64))
        }
        AggregateFunction::Least => (min_max::min_udaf(), expr(&one.argument)),
        AggregateFunction::Most => (min_max::max_udaf(), expr(&one.argument)),
        _ => return None,
    })
}

/// Row by row; DataFusion only evaluates what the rows are asked for.
fn by_hand(oracle: &Oracle, frame: DataFrame, before: &[Column], windows: &[&Window]) -> Result<DataFrame> {
    let own = before.iter().map(|column| col(&column.name));
    let asked = windows.iter().flat_map(|window| {
        let order = window.order.iter().map(|(key, _)| key.clone());
        window.partition.iter().cloned().chain(order).chain(window.reads()).collect::<Vec<Expression>>()
    });
    let asked = asked.enumerate().map(|(i, asked)| expr(&asked).alias(format!("asked{i}")));
    let mut rows: Vec<Vec<ScalarValue>> = Vec::new();
    for batch in oracle.batches(frame.select(own.chain(asked).collect::<Vec<_>>())?)? {
        for i in 0..batch.num_rows() {
            rows.push(batch.columns().iter().map(|column| plain_value(column, i)).collect::<Result<_>>()?);
        }
    }
    let mut place = before.len();
    let mut cells: Vec<Vec<ScalarValue>> =
        (0..before.len()).map(|column| rows.iter().map(|row| row[column].clone()).collect()).collect();
    for window in windows {
        let order = place + window.partition.len();
        let reads = order + window.order.len();
        let end = reads + window.reads().len();
        let around = rows.iter().map(|row| Around {
            columns: row[..before.len()].to_vec(),
            partition: row[place..order].to_vec(),
            order: row[order..reads].to_vec(),
            reads: row[reads..end].to_vec(),
        });
        let null = ScalarValue::try_from(&data_type(window.column.kind))?;
        cells.push(values(window, &around.collect::<Vec<_>>(), &null));
        place = end;
    }
    let columns: Vec<&Column> = before.iter().chain(windows.iter().map(|window| &window.column)).collect();
    frame_of(oracle, &columns, cells)
}
