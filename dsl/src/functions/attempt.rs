//! `try(e)` and `try(e, default)`.
//!
//! An argument of a function is evaluated before the function is asked, and its error would be the batch's. So the
//! expression that may fail is not an argument: the function holds it, and takes the columns that it reads. Rewrites
//! of the plan may still rename and substitute those columns.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::concat;
use arrow::datatypes::{DataType, Schema};
use datafusion_common::tree_node::{Transformed, TreeNode};
use datafusion_common::{Column, DFSchema, Result};
use datafusion_expr::execution_props::ExecutionProps;
use datafusion_expr::expr::ScalarFunction;
use datafusion_expr::{ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use datafusion_physical_expr::{PhysicalExpr, create_physical_expr};
use tidebook_plan::flow::positional_schema;
use tidebook_plan::{ColumnType, Type};

use super::convert::{coerce, common_type, with_decimal_literals};
use super::typed::{CallFault, FaultKind, Typed};

/// `attempt`, and where it fails `otherwise`, over columns `c0`, `c1`, ….
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    attempt: Expr,
    otherwise: Option<Expr>,
    output: DataType,
    fallible: bool,
    signature: Signature,
}

impl Attempt {
    /// True if the default can fail.
    pub fn is_fallible(&self) -> bool {
        self.fallible
    }
}

impl Hash for Attempt {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.attempt, &self.otherwise, &self.output, self.fallible).hash(state);
    }
}

/// `try(arg)` or `try(arg, otherwise)`, typed.
pub fn attempt(arg: Typed, otherwise: Option<Typed>) -> std::result::Result<Typed, CallFault> {
    if !arg.fallible {
        return Ok(arg);
    }
    let (arg, otherwise) = match otherwise {
        Some(otherwise) => {
            let [arg, otherwise] = with_decimal_literals([arg, otherwise]);
            (arg, Some(otherwise))
        }
        None => (arg, None),
    };
    let Some(ty) = otherwise.as_ref().map_or(Some(arg.ty.clone()), |other| common_type(&arg.ty, &other.ty)) else {
        let found = otherwise.map_or(Type::Null, |other| other.ty.ty);
        let message = format!("`try` and its default have one type: {} and {found} have none in common", arg.ty.ty);
        return Err(CallFault::new(FaultKind::Type, message).at(1));
    };
    let ty = ColumnType { nullable: ty.nullable || otherwise.is_none(), ..ty };
    let fallible = otherwise.as_ref().is_some_and(|other| other.fallible);
    let convert = |arg: Typed| {
        let fault = CallFault::new(FaultKind::Type, format!("{} does not become {}", arg.ty, ty.ty));
        coerce(arg, &ty.ty).ok_or(fault)
    };
    let mut columns = Vec::new();
    let attempt = positional(convert(arg)?.expr, &mut columns);
    let otherwise = otherwise.map(|other| Ok(positional(convert(other)?.expr, &mut columns))).transpose()?;
    let output = ty.ty.to_arrow();
    let signature = Signature::user_defined(Volatility::Immutable);
    let function = ScalarUDF::from(Attempt { attempt, otherwise, output, fallible, signature });
    let args = columns.into_iter().map(Expr::Column).collect();
    let expr = Expr::ScalarFunction(ScalarFunction::new_udf(Arc::new(function), args));
    Ok(Typed { expr, ty, fallible })
}

/// The expression with its columns named `c0`, `c1`, … in the order of `columns`, which grows as needed.
fn positional(expr: Expr, columns: &mut Vec<Column>) -> Expr {
    let renamed = expr.transform(|expr| {
        let Expr::Column(column) = expr else { return Ok(Transformed::no(expr)) };
        let place = columns.iter().position(|known| *known == column).unwrap_or_else(|| {
            columns.push(column);
            columns.len() - 1
        });
        Ok(Transformed::yes(Expr::Column(Column::new_unqualified(format!("c{place}")))))
    });
    match renamed {
        Ok(renamed) => renamed.data,
        // The closure above returns no error, and the traversal makes none of its own.
        Err(error) => unreachable!("renaming columns does not fail: {error}"),
    }
}

impl ScalarUDFImpl for Attempt {
    fn name(&self) -> &str {
        "try"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(types.to_vec())
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.output.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let types: Vec<DataType> = args.args.iter().map(ColumnarValue::data_type).collect();
        let schema = positional_schema(&types);
        let names = DFSchema::try_from(Schema::clone(&schema))?;
        let compile = |expr: &Expr| create_physical_expr(expr, &names, &ExecutionProps::new());
        let columns = args.args.iter().map(|arg| arg.to_array(args.number_rows)).collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(args.number_rows));
        let batch = RecordBatch::try_new_with_options(schema, columns, &options)?;
        let halving = Halving {
            attempt: compile(&self.attempt)?,
            otherwise: self.otherwise.as_ref().map(compile).transpose()?,
            output: &self.output,
        };
        let mut parts = Vec::new();
        halving.evaluate(&batch, &mut parts)?;
        let references: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
        let array = match references.len() {
            0 => new_null_array(&self.output, 0),
            _ => concat(&references)?,
        };
        Ok(ColumnarValue::Array(array))
    }
}

/// Evaluation that finds failing rows by halving the batch until a row stands alone.
struct Halving<'a> {
    attempt: Arc<dyn PhysicalExpr>,
    otherwise: Option<Arc<dyn PhysicalExpr>>,
    output: &'a DataType,
}

impl Halving<'_> {
    fn evaluate(&self, batch: &RecordBatch, parts: &mut Vec<ArrayRef>) -> Result<()> {
        let rows = batch.num_rows();
        if rows == 0 {
            return Ok(());
        }
        if let Ok(value) = self.attempt.evaluate(batch) {
            parts.push(value.into_array(rows)?);
            return Ok(());
        }
        if rows > 1 {
            let half = rows / 2;
            self.evaluate(&batch.slice(0, half), parts)?;
            return self.evaluate(&batch.slice(half, rows - half), parts);
        }
        parts.push(match &self.otherwise {
            Some(otherwise) => otherwise.evaluate(batch)?.into_array(rows)?,
            None => new_null_array(self.output, rows),
        });
        Ok(())
    }
}
