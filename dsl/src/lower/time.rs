//! Sessions and as-of joins.

use datafusion_expr::LogicalPlan;
use tidebook_plan::Operator;

use super::nodes::{Lowered, add, label, lower_plan, place, places, types};
use super::{LowerError, Lowering};
use crate::logical::{Asof, Sessions};

/// Adds the operator that puts rows into sessions.
pub fn lower_sessions(builder: &mut Lowering, sessions: &Sessions, plan: &LogicalPlan) -> Result<Lowered, LowerError> {
    let input = lower_plan(builder, &sessions.input)?.rows;
    let (schema, node) = (sessions.input.schema(), label(plan));
    let keys = places(schema, &sessions.keys, &node)?;
    let operator = Operator::Sessions { input, keys, time: place(schema, &sessions.time, &node)?, gap: sessions.gap };
    Ok(Lowered::infallible(add(builder, operator, types(plan), &sessions.origin)))
}

/// Adds an as-of join.
pub fn lower_asof(builder: &mut Lowering, asof: &Asof, plan: &LogicalPlan) -> Result<Lowered, LowerError> {
    let left = lower_plan(builder, &asof.left)?.rows;
    let right = lower_plan(builder, &asof.right)?.rows;
    let node = label(plan);
    let (left_names, right_names): (Vec<String>, Vec<String>) = asof.on.iter().cloned().unzip();
    let operator = Operator::Asof {
        left,
        right,
        left_keys: places(asof.left.schema(), &left_names, &node)?,
        right_keys: places(asof.right.schema(), &right_names, &node)?,
        left_time: place(asof.left.schema(), &asof.times.0, &node)?,
        right_time: place(asof.right.schema(), &asof.times.1, &node)?,
        choice: asof.choice,
        outer: asof.outer,
    };
    Ok(Lowered::infallible(add(builder, operator, types(plan), &asof.origin)))
}
