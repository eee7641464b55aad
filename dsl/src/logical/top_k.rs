//! The first rows in an order. Ties go by the remaining columns, so it reads all columns of its input.

use std::fmt;

use datafusion_common::{DFSchemaRef, Result};
use datafusion_expr::{Expr, LogicalPlan, UserDefinedLogicalNodeCore};

use super::Origin;
use super::checked::one;
use super::schema::unordered;

/// A column to order by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SortColumn {
    /// Its name.
    pub column: String,
    /// Largest first; nulls are larger than every value.
    pub descending: bool,
}

impl fmt::Display for SortColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.column, if self.descending { " desc" } else { "" })
    }
}

/// The first rows of each group.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TopK {
    /// The input.
    pub input: LogicalPlan,
    /// Names of the group's columns.
    pub group: Vec<String>,
    /// The order.
    pub order: Vec<SortColumn>,
    /// Rows to pass over.
    pub offset: u64,
    /// Rows to keep.
    pub limit: u64,
    /// Where it comes from.
    pub origin: Origin,
}
unordered!(TopK);

impl UserDefinedLogicalNodeCore for TopK {
    fn name(&self) -> &str {
        "TopK"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        self.input.schema()
    }

    fn expressions(&self) -> Vec<Expr> {
        vec![]
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let order: Vec<_> = self.order.iter().map(SortColumn::to_string).collect();
        write!(f, "TopK: {} by [{}] per [{}]", self.limit, order.join(", "), self.group.join(", "))?;
        if self.offset > 0 {
            write!(f, " after {}", self.offset)?;
        }
        Ok(())
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        Ok(TopK { input: one(inputs)?, ..self.clone() })
    }
}
