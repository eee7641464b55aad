//! The plan of a defined table.

use std::sync::Arc;

use datafusion_expr::LogicalPlan;
use tidebook_plan::flow::{History, OrderKey};
use tidebook_plan::schema::Column;
use tidebook_plan::{ColumnType, Schema};

use crate::resolve::Mark;

/// A column of a table: its name for the user, its id in the plan, its type.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TableColumn {
    pub name: String,
    pub id: String,
    pub ty: ColumnType,
    /// How far the time that it tells has come.
    pub mark: Option<Mark>,
}

impl TableColumn {
    /// A column without a watermark.
    pub fn new(name: String, id: String, ty: ColumnType) -> Self {
        TableColumn { name, id, ty, mark: None }
    }
}

/// The errors of one checked step: the columns that it received, the message and the step's text.
#[derive(Clone, Debug)]
pub(crate) struct ErrorStream {
    pub plan: LogicalPlan,
    pub columns: Vec<TableColumn>,
    pub error: String,
    pub step: String,
    /// True for rows that came too late: they are no errors, and have neither message nor step.
    pub late: bool,
}

/// A table as a logical plan.
///
/// *Invariant:* the plan's columns are exactly `columns` and then `order_columns`, in their order.
#[derive(Clone, Debug)]
pub(crate) struct TablePlan {
    pub plan: LogicalPlan,
    pub columns: Vec<TableColumn>,
    /// What only the order needs: expressions that it is sorted by, and columns that are no longer selected.
    pub order_columns: Vec<TableColumn>,
    /// Positions of the key.
    pub key: Vec<usize>,
    /// Positions count `columns` and then `order_columns`.
    pub ordering: Vec<OrderKey>,
    /// True if a row that was given may be taken back.
    pub retracts: bool,
    /// One for each checked step of the definition itself.
    pub errors: Vec<ErrorStream>,
    /// Summaries of the sources that the definition itself reads.
    pub sources: Vec<String>,
    /// The programs that keep what is bound to history, in it and below it.
    pub histories: Vec<Arc<History>>,
}

impl TablePlan {
    /// The columns and the key.
    pub fn schema(&self) -> Schema {
        let columns = self.columns.iter().map(|c| Column { name: c.name.clone(), ty: c.ty.clone() }).collect();
        Schema { columns, key: self.key.clone() }
    }
}
