//! Watermarks and what is judged by them.

use arrow::datatypes::{DataType, TimeUnit};
use datafusion_expr::LogicalPlan;
use tidebook_plan::flow::{Operator, WatermarkInput};
use tidebook_plan::{NodeId, Span};

use super::nodes::{Lowered, label, lower_plan, place, types};
use super::{LowerError, Lowering};
use crate::logical::{Balance, Gated, Throttled, WatermarkSource};

/// A gate over its input, with its watermark.
pub fn lower_gate(builder: &mut Lowering, gated: &Gated, plan: &LogicalPlan) -> Result<Lowered, LowerError> {
    let input = lower_plan(builder, &gated.input)?.rows;
    let closes = place(gated.input.schema(), &gated.closes, &label(plan))?;
    let watermark = lower_watermark(builder, &gated.sources)?;
    let Some(statement) = builder.statement else {
        // What depends on the order of arrival would be computed anew by each reader.
        return Err(LowerError::Unsupported { node: label(plan) });
    };
    let operator = Operator::Gate { input, watermark, closes, late: gated.late, gate: gated.gate, statement };
    let rows = builder.add(operator, types(plan), gated.origin.span, gated.origin.step.as_str());
    Ok(Lowered::infallible(rows))
}

fn lower_watermark(builder: &mut Lowering, sources: &[WatermarkSource]) -> Result<NodeId, LowerError> {
    let inputs = sources.iter().map(|source| {
        let input = lower_plan(builder, &source.plan)?.rows;
        let column = place(source.plan.schema(), &source.column, "Watermark")?;
        Ok(WatermarkInput { input, column, delay: source.delay, idle: source.idle })
    });
    let inputs = inputs.collect::<Result<Vec<_>, LowerError>>()?;
    let instant = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    Ok(builder.add(Operator::Watermark { inputs }, vec![instant], Span::default(), "watermark"))
}

/// Rows that stand, and errors of those that do not.
pub fn lower_balance(builder: &mut Lowering, balance: &Balance, plan: &LogicalPlan) -> Result<Lowered, LowerError> {
    let input = lower_plan(builder, &balance.input)?.rows;
    let operator = Operator::Balance { input };
    let rows = builder.add(operator, types(plan), balance.origin.span, balance.origin.step.as_str());
    Ok(Lowered::checked(rows))
}

/// Changes that are told at most so often.
pub fn lower_throttle(
    builder: &mut Lowering,
    throttled: &Throttled,
    plan: &LogicalPlan,
) -> Result<Lowered, LowerError> {
    let input = lower_plan(builder, &throttled.input)?.rows;
    let operator = Operator::Throttle { input, every: throttled.every };
    let rows = builder.add(operator, types(plan), throttled.origin.span, throttled.origin.step.as_str());
    Ok(Lowered::infallible(rows))
}
