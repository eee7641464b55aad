//! The ordered list of rules.

mod push_filters;

use std::sync::Arc;

use datafusion_optimizer::OptimizerRule;
use datafusion_optimizer::optimize_projections::OptimizeProjections;

/// The rules, in the order in which they run; the list is run again until nothing changes.
pub fn rules() -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    vec![
        Arc::new(push_filters::PushFilters::default()),
        // Columns that nobody reads are dropped before joins and groups; neighbouring projections become one.
        Arc::new(OptimizeProjections::new()),
    ]
}
