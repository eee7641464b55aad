//! DataFusion schemas of our nodes, and the order that DataFusion wants nodes to have.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use datafusion_common::{DFSchema, DFSchemaRef, Result};
use datafusion_expr::LogicalPlan;

/// A schema of unqualified columns, every one of which may be null as far as Arrow knows.
pub fn schema_of<'a>(columns: impl IntoIterator<Item = (&'a str, DataType)>) -> Result<DFSchemaRef> {
    let fields = columns.into_iter().map(|(name, ty)| Field::new(name, ty, true)).collect::<Vec<_>>();
    Ok(Arc::new(DFSchema::from_unqualified_fields(fields.into(), HashMap::new())?))
}

/// Names and types of a plan's columns.
pub fn columns_of(plan: &LogicalPlan) -> Vec<(String, DataType)> {
    plan.schema().fields().iter().map(|field| (field.name().clone(), field.data_type().clone())).collect()
}

/// DataFusion asks nodes for a partial order; ours are equal or not comparable.
macro_rules! unordered {
    ($node:ty) => {
        impl PartialOrd for $node {
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
                (self == other).then_some(std::cmp::Ordering::Equal)
            }
        }
    };
}
pub(super) use unordered;
