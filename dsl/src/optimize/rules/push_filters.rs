//! Filters go below projections, unions and joins (the left side only of a left join), so that fewer rows reach
//! state. The work is DataFusion's `PushDownFilter`.
//!
//! The guard is ours: a filter that reads no column (`where 1 == 2`, or what is left of one after a projection of
//! literals) is pushed by DataFusion through every extension node, whatever the node says. Below a checked step that
//! would lose its errors, below a summarize without keys its one row, below a top-k it would pick other rows.

use datafusion_common::Result;
use datafusion_common::tree_node::Transformed;
use datafusion_expr::LogicalPlan;
use datafusion_optimizer::push_down_filter::PushDownFilter;
use datafusion_optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

/// DataFusion's rule, which stops above our own nodes.
#[derive(Debug, Default)]
pub struct PushFilters {
    inner: PushDownFilter,
}

impl OptimizerRule for PushFilters {
    fn name(&self) -> &str {
        "push_filters"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.inner.apply_order()
    }

    fn supports_rewrite(&self) -> bool {
        true
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        if stops(&plan) {
            return Ok(Transformed::no(plan));
        }
        self.inner.rewrite(plan, config)
    }
}

/// True for filters, one above the other, that stand on a node of ours.
fn stops(plan: &LogicalPlan) -> bool {
    let mut below = plan;
    while let LogicalPlan::Filter(filter) = below {
        below = &filter.input;
    }
    matches!(plan, LogicalPlan::Filter(_)) && matches!(below, LogicalPlan::Extension(_))
}
