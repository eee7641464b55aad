//! Functions of DataFusion's library that have the right meaning, called on our arguments.

use std::sync::{Arc, LazyLock};

use arrow::array::ArrayRef;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field};
use datafusion_common::Result;
use datafusion_common::config::ConfigOptions;
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF};

static OPTIONS: LazyLock<Arc<ConfigOptions>> = LazyLock::new(|| Arc::new(ConfigOptions::default()));

/// The function's values for so many rows, as the type that we have for them.
pub fn invoke(function: &ScalarUDF, values: Vec<ColumnarValue>, rows: usize, output: &DataType) -> Result<ArrayRef> {
    let field = |ty: DataType| Arc::new(Field::new("value", ty, true));
    let arg_fields = values.iter().map(|value| field(value.data_type())).collect();
    let return_field = field(output.clone());
    let config_options = Arc::clone(&OPTIONS);
    let args = ScalarFunctionArgs { args: values, arg_fields, number_rows: rows, return_field, config_options };
    let array = function.invoke_with_args(args)?.into_array(rows)?;
    if array.data_type() == output { Ok(array) } else { Ok(cast(&array, output)?) }
}
