//! Whether a row can make an expression fail.

use datafusion_common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion_expr::{Expr, Operator};

use super::attempt::Attempt;
use super::kernel::Kernel;

/// True unless every part of the expression is known not to fail. Functions that are not ours count as fallible.
pub fn is_fallible(expr: &Expr) -> bool {
    let mut fallible = false;
    let walked = expr.apply(|part| {
        fallible |= match part {
            Expr::ScalarFunction(call) => {
                let function = call.func.inner().as_ref() as &dyn std::any::Any;
                match (function.downcast_ref::<Kernel>(), function.downcast_ref::<Attempt>()) {
                    (Some(kernel), _) => kernel.is_fallible(),
                    (_, Some(attempt)) => attempt.is_fallible(),
                    _ => true,
                }
            }
            Expr::Alias(_)
            | Expr::Column(_)
            | Expr::Literal(_, _)
            | Expr::Not(_)
            | Expr::IsNull(_)
            | Expr::IsNotNull(_)
            | Expr::IsTrue(_)
            | Expr::IsFalse(_)
            | Expr::IsNotTrue(_)
            | Expr::IsNotFalse(_)
            | Expr::Case(_)
            | Expr::InList(_)
            | Expr::Like(_)
            | Expr::Between(_) => false,
            Expr::BinaryExpr(binary) => !is_total(binary.op),
            _ => true,
        };
        Ok(if fallible { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    fallible || walked.is_err()
}

/// Comparison and logic never fail; DataFusion's own arithmetic does, or wraps around.
fn is_total(op: Operator) -> bool {
    use Operator::{And, Eq, Gt, GtEq, IsDistinctFrom, IsNotDistinctFrom, Lt, LtEq, NotEq, Or};
    matches!(op, And | Or | Eq | NotEq | Lt | LtEq | Gt | GtEq | IsDistinctFrom | IsNotDistinctFrom)
}
