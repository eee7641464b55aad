//! Logical plans into one flow plan: columns by position, our dozen operators, equal parts shared.
//!
//! The way is short on purpose: each logical node has one function here that says what it becomes ([`nodes`],
//! [`join`], [`summarize`]), and what pays across nodes is a rule over the flow plan ([`rules`]).
//!
//! *Invariant:* a node that is not known gives a [`LowerError`] that names it, never a panic or a guess.

mod expression;
mod join;
mod nodes;
mod rules;
mod summarize;

#[cfg(test)]
pub(crate) mod tests;

use datafusion_common::DataFusionError;
use datafusion_expr::LogicalPlan;
use tidebook_plan::flow::{FlowBuilder, FlowPlan};

use crate::optimize::optimize;

/// Why a plan has no flow plan.
#[derive(Debug, thiserror::Error)]
pub enum LowerError {
    /// DataFusion refuses an expression or a rule fails.
    #[error("the logical plan is not consistent")]
    DataFusion(#[from] DataFusionError),
    /// A node that has no flow operator.
    #[error("no flow operator for {node}")]
    Unsupported {
        /// The node, as the explanation of the plan writes it.
        node: String,
    },
    /// A column that the input of a node does not have.
    #[error("the input of {node} has no column `{column}`")]
    UnknownColumn {
        /// The node.
        node: String,
        /// The column.
        column: String,
    },
    /// An expression that can fail where failing rows have no place to go.
    #[error("an expression that can fail stands outside a checked step, in {node}")]
    Unchecked {
        /// The node.
        node: String,
    },
    /// Errors of a node that has none were asked for.
    #[error("{node} has no errors")]
    NoErrors {
        /// The node.
        node: String,
    },
}

/// The flow plan whose outputs are the rows of `roots`, in this order. With `optimise`, the rules of
/// [`crate::optimize`] run before and those over flow plans after.
pub fn lower(roots: &[LogicalPlan], optimise: bool) -> Result<FlowPlan, LowerError> {
    let mut builder = FlowBuilder::default();
    let mut outputs = Vec::with_capacity(roots.len());
    for root in roots {
        let plan = optimize(root, optimise)?;
        outputs.push(nodes::lower_plan(&mut builder, &plan)?.rows);
    }
    let plan = builder.finish(outputs);
    Ok(if optimise { rules::run(plan) } else { plan })
}
