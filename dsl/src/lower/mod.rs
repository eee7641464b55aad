//! Logical plans into one flow plan: columns by position, our dozen operators, equal parts shared.
//!
//! The way is short on purpose: each logical node has one function here that says what it becomes ([`nodes`],
//! [`join`], [`summarize`]), and what pays across nodes is a rule over the flow plan ([`rules`]).
//!
//! *Invariant:* a node that is not known gives a [`LowerError`] that names it, never a panic or a guess.

mod closing;
mod expression;
mod history;
mod iterate;
mod join;
mod nodes;
mod pattern;
mod rules;
mod summarize;
mod time;
mod window;

#[cfg(test)]
pub(crate) mod tests;

use std::collections::HashMap;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use datafusion_common::DataFusionError;
use datafusion_expr::LogicalPlan;
use tidebook_plan::Fingerprint;
use tidebook_plan::flow::{FlowBuilder, FlowPlan, History};

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

/// A flow plan with the programs that it reads from.
#[derive(Debug)]
pub struct LoweredProgram {
    /// The plan.
    pub plan: FlowPlan,
    /// What is bound to history below it, each after those that it reads itself.
    pub histories: Vec<Arc<History>>,
}

/// The flow plan whose outputs are the rows of `roots`, in this order. With `optimise`, the rules of
/// [`crate::optimize`] run before and those over flow plans after.
pub fn lower(roots: &[LogicalPlan], optimise: bool) -> Result<LoweredProgram, LowerError> {
    let mut lowering = Lowering::new(optimise);
    let mut outputs = Vec::with_capacity(roots.len());
    for root in roots {
        let plan = optimize(root, optimise)?;
        outputs.push(nodes::lower_plan(&mut lowering, &plan)?.rows);
    }
    let Lowering { builder, histories, .. } = lowering;
    let plan = builder.finish(outputs);
    Ok(LoweredProgram { plan: if optimise { rules::run(plan) } else { plan }, histories })
}

/// Identity of an opaque leaf.
type LeafPlace = (*const LogicalPlan, Option<Arc<str>>);

/// A flow plan that is being made.
struct Lowering {
    builder: FlowBuilder,
    optimise: bool,
    /// What opaque leaves became; the plan keeps its address from being used again.
    leaves: HashMap<LeafPlace, (Arc<LogicalPlan>, history::Leaf)>,
    histories: Vec<Arc<History>>,
    /// The loops around what is being lowered, the outermost first.
    loops: Vec<iterate::Loop>,
    /// Identity of the statement, in a history.
    statement: Option<Fingerprint>,
}

impl Lowering {
    fn new(optimise: bool) -> Self {
        Lowering {
            builder: FlowBuilder::default(),
            optimise,
            leaves: HashMap::new(),
            histories: Vec::new(),
            loops: Vec::new(),
            statement: None,
        }
    }

    /// Notes that a history is read.
    fn needs(&mut self, history: Arc<History>) {
        if self.histories.iter().all(|known| known.id != history.id) {
            self.histories.push(history);
        }
    }
}

impl Deref for Lowering {
    type Target = FlowBuilder;

    fn deref(&self) -> &FlowBuilder {
        &self.builder
    }
}

impl DerefMut for Lowering {
    fn deref_mut(&mut self) -> &mut FlowBuilder {
        &mut self.builder
    }
}
