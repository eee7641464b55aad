//! The one scalar function type of Tidebook as DataFusion sees it: a name, a result type, and an evaluation over
//! Arrow arrays.
//!
//! *Invariant:* evaluating a batch gives for each row what evaluating that row alone gives. A batch in which a row
//! fails returns an error; which row it was is found by asking the rows alone, so an evaluation need not say.
//! *Invariant:* float results are normalised: no negative zero, one NaN.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion_common::{DataFusionError, Result, ScalarValue};
use datafusion_expr::expr::ScalarFunction;
use datafusion_expr::{ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use tidebook_plan::ColumnType;

use super::arguments::Arguments;
use super::prepare::Prepared;
use super::typed::Typed;

/// How a kernel computes its rows.
pub type Evaluate = fn(&Arguments<'_>) -> Result<ArrayRef>;

/// The error of a row, with the text that the row's `_error` shows.
pub fn row_error(message: impl Into<String>) -> DataFusionError {
    DataFusionError::Execution(message.into())
}

/// The text of a row error, without DataFusion's own words around it.
pub fn row_error_text(error: &DataFusionError) -> String {
    match error.find_root() {
        DataFusionError::Execution(message) => message.clone(),
        other => other.strip_backtrace(),
    }
}

/// A scalar function of Tide. Two kernels are the same function if their names, results and fallibility are: the
/// types of the arguments are part of the expressions that stand there.
#[derive(Clone)]
pub struct Kernel {
    name: &'static str,
    output: DataType,
    fallible: bool,
    evaluate: Evaluate,
    /// What constant arguments were read into. They are part of the expressions, so this does not tell kernels apart.
    ready: Vec<(usize, Prepared)>,
    signature: Signature,
}

impl Kernel {
    /// A function that gives `output`.
    pub fn new(name: &'static str, output: DataType, fallible: bool, evaluate: Evaluate) -> Self {
        let signature = Signature::user_defined(Volatility::Immutable);
        Kernel { name, output, fallible, evaluate, ready: Vec::new(), signature }
    }

    /// With what its constant arguments were read into, by argument.
    #[must_use]
    pub fn with(mut self, ready: Vec<(usize, Prepared)>) -> Self {
        self.ready = ready;
        self
    }

    /// True if a row can make it fail.
    pub fn is_fallible(&self) -> bool {
        self.fallible
    }

    /// The call of this function; null where an argument is null does not make it required.
    pub fn call(self, args: Vec<Typed>, ty: ColumnType) -> Typed {
        let fallible = self.fallible || args.iter().any(|arg| arg.fallible);
        let args = args.into_iter().map(|arg| arg.expr).collect();
        let expr = Expr::ScalarFunction(ScalarFunction::new_udf(Arc::new(ScalarUDF::from(self)), args));
        Typed { expr, ty, fallible }
    }
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {}", self.name, self.output)
    }
}

impl PartialEq for Kernel {
    fn eq(&self, other: &Self) -> bool {
        (self.name, &self.output, self.fallible) == (other.name, &other.output, other.fallible)
    }
}

impl Eq for Kernel {}

impl Hash for Kernel {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.name, &self.output, self.fallible).hash(state);
    }
}

impl ScalarUDFImpl for Kernel {
    fn name(&self) -> &str {
        self.name
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
        // No column of ours has Arrow's null type. DataFusion puts one in place of a join's key to find out whether a
        // condition passes a null; without an answer it assumes that it may.
        if args.args.iter().any(|arg| arg.data_type() == DataType::Null) {
            return Err(DataFusionError::Internal(format!("`{}` takes no column of the null type", self.name)));
        }
        let constant = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { args.number_rows };
        let array = (self.evaluate)(&Arguments::new(&args.args, rows, &self.output, &self.ready))?;
        debug_assert_eq!(array.data_type(), &self.output, "`{}` gives the type that it declares", self.name);
        if constant {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&array, 0)?));
        }
        Ok(ColumnarValue::Array(array))
    }
}
