//! Logical expressions into evaluators over positions.

use arrow::datatypes::{DataType, Schema};
use datafusion_common::tree_node::{Transformed, TreeNode};
use datafusion_common::{Column, DFSchema, DataFusionError, Result};
use datafusion_expr::Expr;
use datafusion_expr::execution_props::ExecutionProps;
use datafusion_physical_expr::create_physical_expr;
use tidebook_plan::FlowExpr;
use tidebook_plan::flow::positional_schema;

use crate::functions::is_fallible;

/// Compiles expressions over the columns of one input. Columns are renamed to `c0`, `c1`, …, so that equal
/// computations are equal whatever their columns were called.
pub struct Compiler<'a> {
    names: &'a DFSchema,
    positions: DFSchema,
}

impl<'a> Compiler<'a> {
    /// A compiler over an input with this schema.
    pub fn new(names: &'a DFSchema) -> Result<Self> {
        let types: Vec<DataType> = names.fields().iter().map(|field| field.data_type().clone()).collect();
        let positions = DFSchema::try_from(Schema::clone(&positional_schema(&types)))?;
        Ok(Compiler { names, positions })
    }

    /// The evaluator of `expr` and the type of its result.
    pub fn compile(&self, expr: &Expr) -> Result<(FlowExpr, DataType)> {
        let renamed = expr.clone().transform(|part| match part {
            Expr::Column(column) => {
                let place = self.names.maybe_index_of_column(&column);
                let place = place.ok_or_else(|| {
                    DataFusionError::Plan(format!(
                        "no column `{}` among {}",
                        column,
                        self.names.field_names().join(", ")
                    ))
                })?;
                Ok(Transformed::yes(Expr::Column(Column::new_unqualified(format!("c{place}")))))
            }
            Expr::Alias(alias) => Ok(Transformed::yes(*alias.expr)),
            other => Ok(Transformed::no(other)),
        })?;
        let physical = create_physical_expr(&renamed.data, &self.positions, &ExecutionProps::new())?;
        let ty = physical.data_type(self.positions.as_arrow())?;
        Ok((FlowExpr { physical, fallible: is_fallible(expr) }, ty))
    }
}
