//! The logical plan, rewritten to do less.
//!
//! The list of rules is ours, ordered, and short: each is here because it pays for an incremental dataflow and was
//! shown to be safe with our nodes (`cases/`, and the random plans of the tests). Rules of DataFusion that evaluate
//! expressions, pick rows or regroup are not on it.
//!
//! *Invariant:* a plan gives the same rows and the same errors before and after.

mod rules;

#[cfg(test)]
mod tests;

use datafusion_common::DataFusionError;
use datafusion_expr::LogicalPlan;
use datafusion_optimizer::{Optimizer, OptimizerContext};

/// The rewritten plan; the plan itself if `on` is false.
///
/// # Errors
/// A rule that does not hold its own promises; never because of what the user wrote.
pub fn optimize(plan: &LogicalPlan, on: bool) -> Result<LogicalPlan, DataFusionError> {
    if !on {
        return Ok(plan.clone());
    }
    // Without a start time nothing can be folded that depends on the clock.
    let context = OptimizerContext::new().without_query_execution_start_time().with_skip_failing_rules(false);
    Optimizer::with_rules(rules::rules()).optimize(plan.clone(), &context, |_, rule| {
        tracing::trace!(rule = rule.name(), "optimizer rule applied");
    })
}
