//! A plan that no rule looks into.
//!
//! Two parts of a plan need this. What is bound to history runs once, as a program of its own, so it must be the same
//! plan whoever reads it. And a plan that uses another twice, which uses another twice, is small as a graph and endless
//! as the tree that rules walk: beyond a size, a table that is used is a leaf.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion_common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion_common::{DFSchemaRef, Result};
use datafusion_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNodeCore};

use super::errors::StepErrors;
use super::schema::unordered;

/// A plan as a leaf.
#[derive(Clone, Debug)]
pub struct Opaque {
    /// The plan.
    pub plan: Arc<LogicalPlan>,
    /// The columns of the plan.
    pub schema: DFSchemaRef,
    /// Where the plan is bound to history: identity of the statement that it stands in, and of its run.
    pub statement: Option<Arc<str>>,
}

/// Nodes of a plan, as a tree, beyond which a table that is used is a leaf.
const LARGEST: usize = 300;

/// The plan, as a leaf if it is large.
pub fn bounded(plan: LogicalPlan) -> LogicalPlan {
    let mut nodes = 0;
    let counted = plan.apply(|_| {
        nodes += 1;
        Ok(if nodes > LARGEST { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    if counted.is_ok() && nodes <= LARGEST {
        return plan;
    }
    let schema = Arc::clone(plan.schema());
    LogicalPlan::Extension(Extension { node: Arc::new(Opaque { plan: Arc::new(plan), schema, statement: None }) })
}

/// True if the plan is a leaf that is bound to history, or the errors of one.
pub fn is_held(plan: &LogicalPlan) -> bool {
    let LogicalPlan::Extension(Extension { node }) = plan else { return false };
    match (node.as_any().downcast_ref::<Opaque>(), node.as_any().downcast_ref::<StepErrors>()) {
        (Some(opaque), _) => opaque.statement.is_some(),
        (None, Some(errors)) => is_held(&errors.of),
        (None, None) => false,
    }
}

impl PartialEq for Opaque {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.plan, &other.plan) && self.statement == other.statement
    }
}
impl Eq for Opaque {}

impl Hash for Opaque {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (Arc::as_ptr(&self.plan), &self.statement).hash(state);
    }
}
unordered!(Opaque);

impl UserDefinedLogicalNodeCore for Opaque {
    fn name(&self) -> &str {
        "Opaque"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        vec![]
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.statement {
            Some(_) => write!(f, "Held: {}", self.plan.display()),
            None => write!(f, "Opaque: {}", self.plan.display()),
        }
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, _: Vec<LogicalPlan>) -> Result<Self> {
        Ok(self.clone())
    }
}
